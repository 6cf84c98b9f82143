import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { extract } from '../../src/cli/commands/extract.js';
import { SameLength } from '../../src/report/same-length.js';
import { down, envelope, type Step, up } from '../build/conversation.js';
import { address, at, fragments, rtpPacket, udp } from '../build/packets.js';
import { tlsConversation } from '../build/tls.js';
import { file, run, sample } from '../cli/run.js';
import { one } from '../engine/one.js';
import { type Json, reportOn } from '../model/support.js';
import { ROOT } from '../support/corpus.js';
import { tshark, tsharkMissing } from '../support/tshark.js';

const UE = at('172.29.77.88', 5060);
const PCSCF = at('172.29.77.1', 5060);
const UE6 = at('2a02:8071:1234:5600:a1b2:c3d4:e5f6:9876', 40_002);
const SDP = `v=0\r
o=mallory 1 1 IN IP4 172.29.77.88\r
s=Call of Mallory\r
c=IN IP6 2a02:8071:1234:5600:a1b2:c3d4:e5f6:9876\r
t=0 0\r
m=audio 40002 RTP/SAVP 0\r
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r
`;
const INVITE = `INVITE sip:+4915198765432@secretcorp.org;user=phone SIP/2.0\r
Via: SIP/2.0/UDP 172.29.77.88:5060;branch=z9hG4bK776\r
From: "Mallory Jones" <sip:mallory@secretcorp.org>;tag=77\r
To: Trent <tel:+4915198765432>\r
Call-ID: meeting-of-mallory@172.29.77.88\r
CSeq: 1 INVITE\r
P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=26201ABCD1234567\r
Authorization: Digest username="262019998887776@secretcorp.org", realm="secretcorp.org", nonce="U2VjcmV0Tm9uY2U=", uri="sip:secretcorp.org", response="0123456789abcdef0123456789abcdef"\r
Contact: <sip:mallory@172.29.77.88:5060>;+sip.instance="<urn:gsma:imei:35824005-944763-1>"\r
Content-Type: application/sdp\r
Content-Length: ${SDP.length}\r
\r
${SDP}`;
const TALK = 'Meet me at the old mill';
const MESSAGE = `MESSAGE sip:trent@secretcorp.org SIP/2.0\r
Via: SIP/2.0/UDP 172.29.77.88:5060;branch=z9hG4bK777\r
From: <sip:mallory@secretcorp.org>;tag=78\r
To: <sip:trent@secretcorp.org>\r
Call-ID: 7788\r
CSeq: 1 MESSAGE\r
Content-Type: text/plain\r
Content-Length: ${TALK.length}\r
\r
${TALK}`;
const SPEECH = 'every word that was spoken';

const octets = (s: string): Uint8Array => Buffer.from(s, 'latin1');
/** An answer for `pcscf.secretcorp.org`, laid out by hand (RFC 1035 §4.1): the name of its record is a pointer. */
const ANSWER = Uint8Array.from([
  ...[0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0],
  ...[5, ...octets('pcscf'), 10, ...octets('secretcorp'), 3, ...octets('org'), 0, 0, 1, 0, 1],
  ...[0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, ...PCSCF.address],
]);
const STEPS: readonly Step[] = [
  up([envelope(udp(UE, PCSCF, octets(INVITE)))]),
  up([envelope(udp(UE, PCSCF, octets(MESSAGE)))]),
  down([envelope(udp(at('172.29.77.1', 53), at('172.29.77.88', 4000), ANSWER))]),
  up([envelope(rtpPacket(UE6, at('2a02:8071:1234:5600::1', 40_000), 1, 0x1234_5678))]),
  // A protocol that nobody knows, and a message in fragments.
  up([envelope(udp(at('172.29.77.88', 3999), at('172.29.77.1', 3998), octets(SPEECH)))]),
  up(fragments(udp(UE, PCSCF, octets(`${MESSAGE.replace('7788', '7789')}`)), 200, 9).map((f) => envelope(f))),
];
/** What must not be in the file. */
const TOLD = [
  ...['mallory', 'Mallory', 'Jones', 'trent', 'Trent', 'secretcorp', '4915198765432', '262019998887776', '35824005'],
  ...[
    '172.29.77',
    '2a02:8071',
    'U2VjcmV0',
    '0123456789abcdef',
    'ABCD1234567',
    'd0Rmdm',
    TALK,
    'old mill',
    SPEECH,
    'spoken',
  ],
];

/** The packets that `extract` writes, without and with `--redact`. */
const both = (): Promise<{ clear: string; redacted: string }> => (written ??= write());
let written: ReturnType<typeof both> | undefined;

async function write(): ReturnType<typeof both> {
  const built = one(await tlsConversation(STEPS, { version: 'TLSv1.3' }));
  const capture = file('told.pcapng', built.octets);
  const keys = file('told.keys', built.keylog);
  const out = { clear: file('told-clear.pcapng'), redacted: file('told-redacted.pcapng') };
  for (const [name, path] of Object.entries(out)) {
    const more = name === 'redacted' ? ['--redact'] : [];
    const ran = run(['extract', capture, '-k', keys, '-q', '-w', path, ...more]);
    assert.equal(ran.code, 0, ran.err);
  }
  return out;
}

const CHECK = ['ip', 'udp', 'tcp'].flatMap((p) => ['-o', `${p}.check_checksum:TRUE`]);
const SHOWN = [
  ...['frame.len', 'frame.protocols', '_ws.malformed', 'ip.checksum.status', 'udp.checksum.status'],
  ...['tcp.checksum.status', 'icmpv6.checksum.status', 'sip.Method', 'sip.Status-Code', 'sip.CSeq', 'sdp.media'],
  ...['sdp.mime.type', 'sdp.sample_rate', 'rtp.seq', 'dhcp.option.dhcp', 'icmpv6.type'],
];

/**
 * What tshark shows of the packets of both files. It takes longer to start than to read them, and gets them as the sections
 * of one file; what it learns of conversations in the first it cannot use in the second, which has other addresses.
 */
async function seen(...paths: readonly [string, string]): Promise<string[][]> {
  const path = file('both.pcapng', Buffer.concat(paths.map((p) => readFileSync(p))));
  const text = await tshark(['-n', '-r', path, ...CHECK, '-T', 'fields', ...SHOWN.flatMap((f) => ['-e', f])]);
  const lines = text.split('\n');
  lines.pop(); // what stands behind the last end of a line
  const half = lines.length / 2;
  return [lines.slice(0, half), lines.slice(half)];
}

/** How calls and registrations stand, how many streams there are, and what is found. */
async function states(path: string): Promise<unknown> {
  const { calls, findings, media, registrations } = await reportOn(readFileSync(path));
  return {
    calls: calls.map((c: Json) => [c.state, c.messages.length, c.media, c.failure?.status]),
    registrations: registrations.map((r: Json) => [r.state, r.transactions.length, r.emergency]),
    media: media.map((m: Json) => [m.codec, m.packets, m.lost, m.negotiated?.ptime]),
    findings: findings.map((f: Json) => [f.code, f.severity, f.count]),
  };
}

describe('extract --redact', () => {
  test('nothing that names somebody, and nothing that was said, is in the file', async () => {
    const { clear, redacted } = await both();
    const [before, after] = [readFileSync(clear), readFileSync(redacted)];
    const found = (b: Buffer, s: string | Uint8Array): boolean =>
      b.includes(typeof s === 'string' ? s : Buffer.from(s));
    const binary = [UE.address, UE6.address, UE6.address.subarray(0, 8), PCSCF.address];
    for (const s of [...TOLD, ...binary]) {
      assert.ok(found(before, s), `${s} is in the packets`);
      assert.ok(!found(after, s), `${s} is not in the redacted ones`);
    }
  });

  test('the same stays the same, in binary and in text', async () => {
    const { redacted } = await both();
    const rows = run(['read', redacted, '-T', 'ndjson', '-q'])
      .out.trim()
      .split('\n')
      .map((l) => JSON.parse(l).fields);
    const [invite, message, answer, media] = rows;
    const [ue] = invite['ip.src'];
    assert.equal(invite['sip.Via.sent-by.address'][0], ue);
    assert.equal(invite['sdp.owner.address'][0], ue);
    assert.equal(message['ip.src'][0], ue);
    assert.equal(answer['ip.dst'][0], ue);
    assert.equal(answer['dns.a'][0], invite['ip.dst'][0]);
    assert.equal(invite['sdp.connection_info.address'][0], media['ipv6.src'][0]);
    assert.equal(message['sip.from.host'][0], invite['sip.from.host'][0]);
    assert.equal(message['sip.from.user'][0], invite['sip.from.user'][0]);
    assert.ok(answer['dns.qry.name'][0].endsWith(`.${invite['sip.from.host'][0]}`));
    assert.equal(invite['sip.r-uri.user'][0], invite['sip.to.user']?.[0] ?? invite['sip.r-uri.user'][0]);
  });

  for (const name of readdirSync(join(ROOT, 'samples')).filter((n) => /\.pcap(?:ng)?$/.test(n)))
    test(`${name}: lengths, protocols and checksums are as before`, { skip: tsharkMissing }, async () => {
      const [clear, redacted] = [file('clear.pcapng'), file('redacted.pcapng')];
      const options = { autoKeys: true, quiet: true };
      await extract([sample(name)], { ...options, write: clear });
      await extract([sample(name)], { ...options, write: redacted, redact: true });
      const [after, before] = await seen(redacted, clear);
      assert.deepEqual(after, before);
      assert.deepEqual(await states(redacted), await states(clear));
    });

  test('what cannot be redacted is refused in words', () => {
    const outer = run(['extract', sample('00-field.pcapng'), '--redact', '--outer', '-w', file('x.pcapng')]);
    assert.equal(outer.code, 1);
    assert.match(outer.err, /--redact is for inner packets/);
    const keys = run(['extract', sample('00-field.pcapng'), '--redact', '--with-keys', '-w', file('x.pcapng')]);
    assert.match(keys.err, /not both/);
  });
});

describe('pseudonyms of the same length', () => {
  const p = new SameLength();

  test('IPv4: as many digits, a subnet stays one, special addresses stay', () => {
    const [a, b, c] = ['192.0.2.10', '192.0.2.77', '192.0.3.10'].map((s) => p.text(s).split('.'));
    assert.deepEqual(
      a!.map((x) => x.length),
      [3, 1, 1, 2],
    );
    assert.deepEqual(a!.slice(0, 3), b!.slice(0, 3));
    assert.notDeepEqual(a!.slice(0, 3), c!.slice(0, 3));
    assert.deepEqual([...p.ipv4(address('192.0.2.10'))].join('.'), a!.join('.'));
    for (const s of ['0.0.0.0', '255.255.255.255', '127.0.0.1', '224.0.0.1']) assert.equal(p.text(s), s);
  });

  test('IPv6: however it is written; a solicited-node address follows its address', () => {
    const from = address('2a02:8071::a1b2:c3d4:e5f6:9876');
    const to = p.ipv6(from);
    const text = p.text('[2a02:8071::a1b2:c3d4:e5f6:9876]');
    assert.deepEqual(address(text.slice(1, -1)), to);
    assert.equal(text.length, '[2a02:8071::a1b2:c3d4:e5f6:9876]'.length);
    assert.deepEqual(address(p.text('2A02:8071:0:0:A1B2:C3D4:E5F6:9876').toLowerCase()), to);
    assert.deepEqual([...p.ipv6(address('ff02::1:fff6:9876')).subarray(13)], [...to.subarray(13)]);
  });

  test('names beyond the cap share pseudonyms; those before keep theirs, and nobody keeps their name', () => {
    const few = new SameLength(2);
    const [a, b] = [few.user('alice'), few.user('bobby')];
    assert.notEqual(a, b);
    assert.equal(few.shared, 0);
    const [c, d] = [few.user('carol'), few.user('david')];
    assert.equal(c, d);
    assert.ok(![a, b, 'carol', 'david'].includes(c));
    assert.deepEqual([few.user('alice'), few.user('bobby')], [a, b]);
    assert.equal(few.shared, 2);
  });

  test('no two names get one pseudonym', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 500; i++)
      seen.add(p.user(`user${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}x`));
    for (let i = 0; i < 500; i++) seen.add(p.number(`+49170${1_000_000 + i}`));
    assert.equal(seen.size, 1000);
  });
});
