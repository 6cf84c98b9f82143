import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import { codec as dns, dnsQuery, dnsResponse } from '../../dissectors/dns/message.js';
import { CaptureBuilder } from '../build/capture.js';
import { answer, clearConversation, connect } from '../build/conversation.js';
import { at, udp } from '../build/packets.js';
import { tlsConversation } from '../build/tls.js';
import { file, run } from '../cli/run.js';
import { addressed, CORE, ENDS, healthy, speech, type Talk, UE } from '../model/support.js';

/** A name that stands wherever somebody may write one, but in tags and branches, which are random (RFC 3261 §19.3). */
const NAME = /xanad[uúū]|78787[0-9a]{0,2}87|kubla/i;

const UE_SIP = at(UE, 5060);
const CORE_SIP = at(CORE, 5060);
const NONCE = 'WGFuYWR1WGFuYWR1WGFuYWR1WGFuYWR1';

/** A message of lines, with a body whose length is right. */
function message(lines: readonly string[], type = '', body = ''): Uint8Array {
  const text = Buffer.from(body, 'utf8');
  const about = type === '' ? [] : [`Content-Type: ${type}`];
  return Buffer.concat([
    Buffer.from([...lines, ...about, `Content-Length: ${text.length}`, '', ''].join('\r\n'), 'utf8'),
    text,
  ]);
}

const ends = (callId: string, cseq: string, tag = ''): string[] => [
  `Via: SIP/2.0/UDP xanadu-01:5060;branch=z9hG4bK02${cseq.replaceAll(' ', '')}`,
  'From: "Xanadu03 Kubla" <sip:xanadu04@xanadu05.example;user=phone>;tag=06',
  `To: Xanadu07 Kubla <tel:+787871287;phone-context=xanadu08.example>${tag}`,
  `Call-ID: ${callId}`,
  `CSeq: ${cseq}`,
];
const FREE = [
  'Subject: Xanadu10 wants to talk',
  'Contact: "Xanadu11 Kubla" <sip:xanadu12@10.0.0.2;ob>;+sip.instance="<urn:uuid:78787a87-78787a87>";x=xanadu13',
  'P-Asserted-Identity: "Xanadu14 Kubla" <sip:xanadu15@xanadu16.example>, "Xanadu17" <tel:+787871887>',
  'P-Preferred-Identity: Xanadu18 Kubla <sip:+787871987@xanadu19.example>',
  'Call-Info: <http://xanadu20.example/xanadu21/photo.png>;purpose=icon',
  'Organization: Xanadu22 Limited',
  'User-Agent: Phone of Xanadu23/1.0',
  'Reply-To: Xanadu24 <sip:xanadu25@xanadu26.example>',
  'History-Info: "Xanadu27" <sip:xanadu28@xanadu29.example?Reason=SIP%3Bcause%3D302%3Btext%3D%22Xanadu30%22>;index=1',
  'Diversion: "Xanadu31 Kubla" <tel:+787873187>;reason=no-answer;privacy="full"',
  'Reason: SIP;cause=200;text="Xanadu32 said so"',
  'P-Access-Network-Info: IEEE-802.11;i-wlan-node-id=787878787878',
  'Geolocation: <cid:xanadu33@xanadu34.example>',
  'Referred-By: "Xanadu35" <sip:xanadu36@xanadu37.example>;cid="xanadu38@x.example"',
  'Identity-Info: <https://xanadu39.example/cert>;alg=rsa-sha1',
  'X-Note: Xanadu40 was here',
  'Event: presence;id=xanadu41',
];
const SDP = [
  'v=0',
  'o=xanadu50 1 1 IN IP4 xanadu51.example',
  's=Xanadu52 calls',
  'i=Talk with Xanadu53',
  'u=http://www.xanadu54.example/xanadu55',
  'e=xanadu56@xanadu57.example (Xanadu58 Kubla)',
  'p=+78787 59 87 (Xanadu59)',
  'c=IN IP4 10.0.0.2',
  't=0 0',
  'm=audio 30000 RTP/AVP 8 97',
  'i=Voice of Xanadu60',
  'a=rtpmap:97 AMR/8000',
  'a=label:xanadu61',
  'a=msid:xanadu62 xanadu63',
  'a=tool:Xanadu64',
  '',
].join('\r\n');
const PIDF =
  '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:xanadu70@xanadu71.example"><tuple id="xanadu72"><note>Xanadu73 is out</note></tuple></presence>';
const REGINFO =
  '<?xml version="1.0"?><reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"><registration aor="sip:xanadu74@xanadu75.example" id="xanadu76" state="active"><contact id="xanadu77" state="active" event="registered"><uri>sip:xanadu78@10.0.0.2</uri><display-name>Xanadu79 Kubla</display-name></contact></registration></reginfo>';
const ELSEWHERE =
  '<?xml version="1.0"?><ims-3gpp version="1"><alternative-service><type>emergency</type><reason>Xanadu80 Kubla</reason><action>emergency-registration</action></alternative-service></ims-3gpp>';

/** A healthy tunnel in which people also write their names wherever there is room. */
function talk(): Talk {
  const t = addressed(healthy());
  let ms = 4000;
  const up = (octets: Uint8Array) => t.up((ms += 50), udp(UE_SIP, CORE_SIP, octets));
  const down = (octets: Uint8Array) => t.down((ms += 50), udp(CORE_SIP, UE_SIP, octets));
  const line = (method: string) => `${method} sip:xanadu84@xanadu85.example SIP/2.0`;
  up(message([line('INVITE'), ...ends('xanadu86', '1 INVITE'), ...FREE], 'application/sdp', SDP));
  down(message(['SIP/2.0 183 Xanadu87 rings', ...ends('xanadu86', '1 INVITE', ';tag=88'), 'Server: Xanadu89']));
  down(
    message([
      'SIP/2.0 503 Xanadu90 is busy',
      ...ends('xanadu86', '1 INVITE', ';tag=88'),
      'Warning: 399 xanadu91 "Xanadu92 is out"',
      'Retry-After: 3600 (Xanadu93 sleeps)',
      'Reason: Q.850;cause=17;text="Xanadu94 Kubla busy"',
      'Error-Info: <sip:xanadu95@xanadu96.example>',
    ]),
  );
  up(message([line('ACK'), ...ends('xanadu86', '1 ACK', ';tag=88')]));
  up(message([line('INVITE'), ...ends('xanadu97', '1 INVITE'), 'Replaces: xanadu98;to-tag=99;from-tag=1']));
  down(
    message(['SIP/2.0 380 Xanadu', ...ends('xanadu97', '1 INVITE', ';tag=1')], 'application/3gpp-ims+xml', ELSEWHERE),
  );
  up(message([line('ACK'), ...ends('xanadu97', '1 ACK', ';tag=1')]));
  up(message([line('SUBSCRIBE'), ...ends('xanadu-s', '1 SUBSCRIBE'), 'Event: reg', 'Expires: 3600']));
  down(message(['SIP/2.0 200 OK', ...ends('xanadu-s', '1 SUBSCRIBE', ';tag=9'), 'Expires: 3600']));
  const state = 'Subscription-State: terminated;reason=xanadu-gone';
  down(
    message(
      [line('NOTIFY'), ...ends('xanadu-s', '1 NOTIFY', ';tag=9'), 'Event: reg', state],
      'application/reginfo+xml',
      REGINFO,
    ),
  );
  up(message([line('PUBLISH'), ...ends('xanadu-p', '1 PUBLISH'), 'Event: presence'], 'application/pidf+xml', PIDF));
  up(
    message([line('MESSAGE'), ...ends('xanadu-m', '1 MESSAGE')], 'text/plain; x=xanadu82', 'Xanadu81 Kubla says hello'),
  );
  down(message(['SIP/2.0 404 No Xanadu', ...ends('xanadu-m', '1 MESSAGE', ';tag=5')]));
  const credentials = `Authorization: Digest username="xanadu-n@xanadu.example", realm="xanadu.example", nonce="${NONCE}", uri="sip:xanadu.example", response="00"`;
  up(message(['REGISTER sip:xanadu-r.example SIP/2.0', ...ends('xanadu-r', '1 REGISTER'), FREE[1]!, credentials]));
  down(message(['SIP/2.0 403 Xanadu is barred', ...ends('xanadu-r', '1 REGISTER', ';tag=3')]));
  return t;
}

/** What has words of its own where standards have a list: methods, events, states, media, codecs, algorithms. */
function unlisted(): Talk {
  const t = addressed(healthy());
  let ms = 4000;
  const up = (octets: Uint8Array) => t.up((ms += 50), udp(UE_SIP, CORE_SIP, octets));
  const down = (octets: Uint8Array) => t.down((ms += 50), udp(CORE_SIP, UE_SIP, octets));
  const line = (method: string) => `${method} sip:xanadu@10.0.0.1 SIP/2.0`;
  const sdp = SDP.replace('AMR/8000', 'Xanadu/8000').concat('m=xanadu 30002 RTP/AVP 98\r\na=rtpmap:98 kubla/8000\r\n');
  up(message([line('INVITE'), ...ends('xanadu-c', '1 INVITE'), 'Event: xanadu'], 'application/sdp', sdp));
  up(message([line('XANADU'), ...ends('xanadu-c', '2 XANADU')]));
  const answered = ends('xanadu-c', '1 INVITE', ';tag=1');
  down(message(['SIP/2.0 200 Xanadu says yes', ...answered, 'Contact: <sip:xanadu@10.0.0.1>'], 'application/sdp', sdp));
  up(message([line('ACK'), ...ends('xanadu-c', '1 ACK', ';tag=1')]));
  for (let i = 0; i < 30; i++) t.up((ms += 20), speech(at(UE, 30_000), at('10.0.0.2', 30_000), i, 1, 97));
  const refer = [`Refer-To: <http://xanadu/kubla?xanadu>`, 'Contact: <sip:xanadu@10.0.0.2;xanadu=kubla;ob>'];
  up(message([line('REFER'), ...ends('xanadu-c', '3 REFER', ';tag=1'), ...refer]));
  down(message(['SIP/2.0 603 Xanadu', ...ends('xanadu-c', '3 REFER', ';tag=1')]));
  up(message([line('SUBSCRIBE'), ...ends('xanadu-s', '1 SUBSCRIBE'), 'Event: xanadu;id=kubla']));
  const state = 'Subscription-State: xanadu;reason=kubla';
  down(message([line('NOTIFY'), ...ends('xanadu-s', '1 NOTIFY', ';tag=9'), 'Event: xanadu', state]));
  down(message(['SIP/2.0 489 Xanadu', ...ends('xanadu-s', '1 SUBSCRIBE', ';tag=9')]));
  up(message([line('MESSAGE'), ...ends('xanadu-m', '1 MESSAGE')], 'xanadu/kubla', 'x'));
  const security = ['Client', 'Server'].map(
    (w) => `Security-${w}: xanadu;alg=kubla;ealg=xanadu;mod=kubla;spi-c=1;port-c=2`,
  );
  const credentials = 'Authorization: Digest username="Xanadu Kubla@xanadu", algorithm=AKAv1-Xanadu, nonce="xanadu"';
  const contact = `Contact: <sip:xan'adu,xanadu@10.9.8.7;kubla>;+sip.instance="<urn:xanadu:kubla>"`;
  up(message(['REGISTER sip:x SIP/2.0', ...ends('xanadu-r', '1 REGISTER'), contact, credentials, security[0]!]));
  const challenge = `WWW-Authenticate: Digest realm="xanadu", nonce="${NONCE}", algorithm=AKAv1-Xanadu, qop="auth"`;
  down(message(['SIP/2.0 401 Xanadu', ...ends('xanadu-r', '1 REGISTER', ';tag=3'), challenge, security[1]!]));
  t.up((ms += 50), udp(at(UE, 30_053), at(CORE, 53), encode(dns, dnsQuery(1, 'xanadu', 1))));
  t.down((ms += 50), udp(at(CORE, 53), at(UE, 30_053), encode(dns, dnsResponse(dnsQuery(1, 'xanadu', 1), [], 3))));
  return t;
}

/** The capture of that, behind a proxy with a scheme of its own, and cut short. */
function oddly(): { path: string; keys: string } {
  const demand = ['Proxy-Authenticate: Xanadu realm="xanadu"', 'Proxy-Authenticate: Digest realm="xanadu"'];
  const proxied = clearConversation([], [connect('xanadu:443', ['Host: kubla']), answer(407, 'Xanadu', demand)]);
  const built = new CaptureBuilder()
    .connection(proxied, { ...ENDS, client: at('192.0.2.11', 41_000), step: 10, end: 'fin' })
    .connection(clearConversation(unlisted().steps), { ...ENDS, start: 1000, step: 10, end: 'fin' })
    .build();
  return { path: file('xanadu.cut', built.octets.subarray(0, -7)), keys: file('none.keys', '') };
}

/** The capture, in a folder and under a name that tell too, and what is printed of it. */
async function captured(): Promise<{ path: string; keys: string }> {
  const o = { version: 'TLSv1.3', client: { servername: 'xanadu-sni' } } as const;
  const c = await tlsConversation(talk().steps, o, [
    connect('xanadu-target:443', ['User-Agent: Xanadu', 'Host: xanadu-host:443']),
    answer(200, 'Xanadu lets you through'),
  ]);
  const built = new CaptureBuilder().connection(c, { ...ENDS, step: 10, end: 'fin' }).build();
  return { path: file('xanadu.bin', built.octets), keys: file('xanadu.keys', c.keylog) };
}

/** What of a text tells the name, with what stands around it. */
const told = (text: string): string[] =>
  [...text.matchAll(new RegExp(`.{0,50}(?:${NAME.source}).{0,30}`, 'gi'))].map((m) => m[0]);

/** In no form of the redacted report there is the name, though it is in that which is not. */
function untold({ path, keys }: { path: string; keys: string }): void {
  for (const form of [[], ['--markdown'], ['--html'], ['--records=all']]) {
    const whole = run(['report', path, '-k', keys, '-q', ...form]);
    assert.ok(told(whole.out).length > 5, whole.err);
    const { out, code, err } = run(['report', path, '-k', keys, '-q', '--redact', ...form]);
    assert.equal(code, whole.code, err);
    assert.deepEqual(told(out), [], form.join());
  }
  for (const form of ['--json', '--markdown']) {
    const { out } = run(['report', '--compare', path, path, '-k', keys, '-q', '--redact', form]);
    assert.match(out, /capture-2/);
    assert.deepEqual(told(out), [], `compared: ${form}`);
  }
}

describe('a name that stands everywhere', () => {
  test('is in no report', async () => untold(await captured()));

  test('is in none where a word of a standard ought to stand', () => untold(oddly()));

  test('is in no packet', async () => {
    const { path, keys } = await captured();
    const out = file('redacted.pcapng');
    const ran = run(['extract', path, '-k', keys, '-q', '-w', out, '--redact']);
    assert.equal(ran.code, 0, ran.err);
    assert.deepEqual(told(readFileSync(out, 'latin1')), []);
    assert.deepEqual(told(ran.err), []);
  });
});
