import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { type Body, capture, differences, oneBody, ours } from './wire.js';

const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

/** A body of parts, each its headers and its content. */
function parts(boundary: string, ...list: readonly (readonly [headers: string[], body: string])[]): string {
  const all = list.map(
    ([headers, body]) => `--${boundary}\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n${body}\r\n`,
  );
  return `${all.join('')}--${boundary}--\r\n`;
}

const INNER = parts(
  'inner',
  [['Content-Type: text/plain'], 'no description'],
  [['Content-Type: application/sdp', 'Content-Disposition: session ; handling=required'], SDP],
);
const NESTED = parts(
  'outer',
  [['Content-Type: multipart/alternative;boundary="inner"', 'Content-ID: <1@example.com>'], INNER],
  [['Content-Type: application/pidf+xml', 'content-language: en'], '<?xml version="1.0"?><a>b</a>'],
  [['Content-Type: application/vnd.3gpp.sms', 'Content-Transfer-Encoding: binary'], '\x02\x2a'],
  [[], 'no type'],
);

const BODIES: readonly Body[] = [
  { type: 'multipart/mixed;boundary=outer', octets: NESTED },
  { type: 'multipart/mixed; boundary=outer', octets: `preamble\r\n${NESTED}epilogue` },
  { type: 'multipart/related;type="application/sdp";boundary="inner"', octets: INNER },
  { type: 'multipart/vnd.example.unheard-of;boundary=inner', octets: INNER },
  { type: 'message/sipfrag;version=2.0', octets: 'SIP/2.0 180 Ringing\r\nTo: <sip:b@example.com>\r\n\r\nend' },
  { type: 'message/sipfrag', octets: 'SIP/2.0 200 OK\r\n' },
];

describe('bodies of several parts', () => {
  test('nest, and every part is as in tshark', { skip: tsharkMissing }, async () => {
    const fields = [
      ...(await fieldNames(['mime_multipart'])),
      ...['sdp.media.port', 'xml.cdata', 'gsm_a.rp.msg_type', 'sipfrag.line', 'frame.protocols'],
    ];
    assert.deepEqual(await differences(capture('parts.pcap', BODIES), fields), []);
  });

  test('what is left of very many parts, fields or lines is told of', async () => {
    const many = (n: number): string => parts('p', ...Array.from({ length: n }, (): [string[], string] => [[], 'x']));
    const whole = await oneBody('multipart/mixed;boundary=p', many(256));
    assert.deepEqual([whole.experts, whole.values.get('mime_multipart.part')?.length], [[], 256]);
    const cut = await oneBody('multipart/mixed;boundary=p', many(257));
    assert.deepEqual(cut.experts, ['Too many parts; the rest is not read']);
    assert.equal(cut.values.get('mime_multipart.part')?.length, 256);

    const fields = (n: number): string => `${'X-A: b\r\n'.repeat(n)}\r\ntext`;
    assert.deepEqual((await oneBody('message/rfc822', fields(1024))).experts, []);
    assert.deepEqual((await oneBody('message/rfc822', fields(1025))).experts, [
      'Too many header fields; the rest is shown as text',
    ]);

    const lines = await oneBody('text/plain', 'a\n'.repeat(2003));
    assert.match(lines.text, /\[Too many lines; 6 octets are not shown\]/);
    assert.doesNotMatch((await oneBody('text/plain', 'a\n'.repeat(2000))).text, /Too many/);
  });

  test('the last part is shown though nothing closes it', async () => {
    const { values, experts } = await oneBody('multipart/mixed;boundary=inner', INNER.slice(0, -13));
    assert.deepEqual(values.get('sdp.media.port'), ['4000']);
    assert.ok(experts.includes('Last boundary is missing'));
  });

  test('SDP announces media from within parts of parts', async () => {
    const voice = ip4(17, udp(5000, 4000, Buffer.from('8000000100000000000000020102', 'hex'))); // to 192.0.2.2
    const announced = SDP.replaceAll('192.0.2.1', '192.0.2.2');
    const invite = NESTED.replace(SDP, announced);
    const signalling = readFileSync(
      capture('invite.pcap', [{ type: 'multipart/mixed;boundary=outer', octets: invite }]),
    );
    const more = rawPcap(voice).subarray(24);
    const rows = await ours(file('media.pcap', Buffer.concat([signalling, more])));
    assert.deepEqual(rows[1].protocols, ['raw', 'ip', 'udp', 'rtp']);
  });

  test('parts nest without bound in a message, not in the tree', async () => {
    let body = 'end';
    for (let i = 0; i < LIMITS.layers; i++)
      body = parts(`b${i}`, [[`Content-Type: ${i === 0 ? 'text/plain' : `multipart/mixed;boundary=b${i - 1}`}`], body]);
    const { experts, protocols } = await oneBody(`multipart/mixed;boundary=b${LIMITS.layers - 1}`, body);
    assert.ok(protocols.length <= LIMITS.layers, `${protocols.length} layers`);
    assert.ok(experts.includes('Layers nest too deep; the rest is not shown'));
  });

  test('ISUP bodies say their type', async () => {
    const { values, protocols, text } = await oneBody(
      'application/isup;version=itu-t92+',
      Buffer.from('0c0200028290', 'hex'),
    );
    assert.deepEqual(values.get('isup.message_type'), ['12']);
    assert.equal(protocols.at(-1), 'isup');
    assert.match(text, /Message Type: Release \(12\)/); // Q.763 table 4
  });
});
