import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HEAD_FIELDS } from '../../dissectors/frame.js';
import { dissectors } from '../../dissectors/index.js';
import { UDP_STREAM } from '../../dissectors/udp.js';
import type { Field } from '../../src/kit/index.js';
import { fieldText } from '../../src/report/value.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation, envelope, up } from '../build/conversation.js';
import { at, udp } from '../build/packets.js';
import { file } from '../cli/run.js';
import { octets } from '../dissectors/rtp/world.js';
import { corpusMissing, publicCaptures, ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

const FIXED: readonly Field[] = dissectors.flatMap((d) => Object.values(d.fields).filter((f) => f.at !== undefined));
const NETWORK = FIXED.filter((f) => /^(ip|ipv6)\./.test(f.name));
const HEAD = [...HEAD_FIELDS, ...NETWORK];
/** What is wanted of datagrams and of media in them, where nothing is of the segments around them. */
const MEDIA = [UDP_STREAM, ...FIXED.filter((f) => /^(ipv6|udp|rtp)\./.test(f.name))];

/** What is wanted of messages besides the headers that carry them. */
const CARRIED = dissectors.flatMap((d) =>
  Object.values(d.fields).filter((f) =>
    /^(tls\.record\.|tls\.handshake\.type|sip\.(Method|CSeq)|http\.request\.|dns\.qry\.|dhcp\.id|rtcp\.pt|icmpv6?\.(type|nonce)|esp\.spi|isakmp\.ispi)/.test(
      f.name,
    ),
  ),
);

const name = (value: string): string => value.slice(0, value.indexOf('='));
const order = (a: string, b: string): number => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);

/** For each set of fields every row as text: its number and the values of the fields in the order of their names. */
async function rows(path: string, sets: readonly (readonly Field[])[], bare: boolean): Promise<string[][]> {
  const ids = sets.map((fields) => new Set(fields.map((f) => f.id)));
  const out: string[][] = sets.map(() => []);
  await forRows(path, { fields: [...new Set(sets.flat())], bare }, (row) => {
    const t = row.dissection.tree;
    for (const [k, wanted] of ids.entries()) {
      const values: string[] = [];
      for (let i = 0; i < t.length; i++)
        if (wanted.has(t.field(i).id)) values.push(`${t.field(i).name}=${fieldText(t, i)}`);
      // Fields of one name keep their order; those of other names may change places.
      out[k]!.push(`${row.id} ${values.sort((a, b) => order(a, b)).join(' ')}`);
    }
  });
  return out;
}

/** What is read at fixed places, for each set of fields by itself, against what the dissectors say of the same packets. */
async function agree(path: string, sets: readonly (readonly Field[])[]): Promise<void> {
  const said = await rows(path, sets, false);
  for (const [k, fields] of sets.entries()) {
    const whole = said[k]!;
    const [bare] = await rows(path, [fields], true);
    const i = bare!.findIndex((row, n) => row !== whole[n]);
    assert.equal(bare![i], whole[i], path);
    assert.equal(bare!.length, whole.length, path);
  }
}

const samples = readdirSync(join(ROOT, 'samples')).filter((name) => /\.pcap(ng)?$/.test(name));

describe('fields at fixed places are what dissection says', () => {
  test('there are such fields', () => assert.ok(FIXED.length > 40));

  for (const file of samples)
    test(file, () => agree(join(ROOT, 'samples', file), [FIXED, NETWORK, HEAD, MEDIA, [...HEAD, ...CARRIED], CARRIED]));

  const skip = corpusMissing('public');
  test('public captures', { skip }, async () => {
    for (const { path } of publicCaptures()) await agree(path, [FIXED, HEAD, [...HEAD, ...CARRIED], CARRIED]);
  });
});

/** An INVITE whose media of `format` come to 192.0.2.2, port 4000 and further. */
function invite(format: string, port: number): Uint8Array {
  const sdp = `v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio ${port} RTP/AVP 96 97\r\n${format}`;
  const head = ['INVITE sip:b@x SIP/2.0', `Call-ID: ${port}`, 'CSeq: 1 INVITE', 'Content-Type: application/sdp'];
  return Buffer.from([...head, `Content-Length: ${sdp.length}`, '', sdp].join('\r\n'));
}

test('a payload format is looked for in media from its announcement on', async () => {
  const side = at('192.0.2.1', 5060);
  const amr = invite('a=rtpmap:96 AMR/8000\r\n', 4000);
  const red = invite('a=rtpmap:96 RED/8000\r\na=rtpmap:97 t140/1000\r\n', 4002);
  const packet = (port: number): Uint8Array =>
    udp(at('192.0.2.1', 30_000), at('192.0.2.2', port), octets('80600001 000000a0 11223344 e1 0280 01 61 f0'));
  // The first packet of a flow takes the long way at any rate.
  const media = [packet(4002), packet(4002), packet(4000), packet(4000)];
  const inner = [udp(side, side, amr), ...media, udp(side, side, red), ...media];
  const steps = inner.map((b) => up([envelope(b)]));
  const ends = { client: at('198.51.100.1', 50_000), server: at('198.51.100.2', 443) };
  const built = new CaptureBuilder().connection(clearConversation(steps), { ...ends, step: 10 }).build();
  const path = file('announced.pcapng', built.octets);
  const fields = ['rtp.p_type', 'rtp.follow', 'amr.payload_decoded_as'].map((name) => {
    const f = dissectors.flatMap((d) => Object.values(d.fields)).find((x) => x.name === name);
    assert.ok(f, name);
    return f;
  });
  await agree(
    path,
    fields.map((f) => [f]),
  );
  const types = (await rows(path, [[fields[0]!]], true))[0]!.map((row) => row.slice(row.indexOf(' ')).trim());
  const one = 'rtp.p_type=96';
  const several = `${one} rtp.p_type=97 rtp.p_type=97`;
  assert.deepEqual(
    types.filter((t) => t !== ''),
    [one, one, several, several, one, one],
  );
});
