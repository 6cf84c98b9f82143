import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rtp } from '../../../dissectors/rtp.js';
import { rtpRed } from '../../../dissectors/rtp-red.js';
import { rtpPayloads } from '../../../dissectors/well-known/rtp-payloads.js';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { differences } from '../bodies/wire.js';
import { announced, octets, values, World } from './world.js';

const world = new World([rtp, rtpRed, ...rtpPayloads]);
/** RTP with a payload type and a payload, after SDP that called type 96 `name`. */
const seen = (type: number, payload: string, name = 'x') =>
  world.see(rtp, octets(`80${type.toString(16).padStart(2, '0')} 0009 000000a0 11223344 ${payload}`), {
    expected: announced(new Map([[96, { name, clock: 8000 }]]), 7),
  });

test('redundant data: the headers, and each block. RFC 2198 §3', () => {
  // F, PT 5, offset 160, 3 octets; F, PT 5, offset 80, none; then PT 5
  const s = seen(96, '85 0280 03  85 0140 00  05  aabbcc ddee'.replace(/ /g, ''), 'red');
  assert.deepEqual(values(s, 'rtp.follow'), ['1', '1', '0']);
  assert.deepEqual(values(s, 'rtp.timestamp-offset'), ['160', '80']);
  assert.deepEqual(values(s, 'rtp.block-length'), ['3', '0']);
  assert.deepEqual(values(s, 'rtp.payload').slice(1), ['aa:bb:cc', '', 'dd:ee']);
  assert.deepEqual(seen(96, '85028003 05 aabb', 'red').stopped, ['rtp_rfc2198']);
});

test('redundant data: each block is a payload of its own, as in tshark', { skip: tsharkMissing }, async () => {
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 192.0.2.2', 's=-', 'c=IN IP4 192.0.2.2', 't=0 0'],
    'm=audio 40000 RTP/AVP 96 97 98 99 0',
    ...['a=rtpmap:96 red/8000', 'a=rtpmap:97 telephone-event/8000', 'a=rtpmap:98 t140/1000', 'a=rtpmap:99 AMR/8000'],
    ...['a=fmtp:96 97/97/97', 'a=fmtp:99 octet-align=1'],
  ];
  const sdp = Buffer.from(lines.map((l) => `${l}\r\n`).join(''));
  const invite = [
    ...[
      'INVITE sip:b@example.com SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
      'Call-ID: 1',
      'CSeq: 1 INVITE',
    ],
    ...['Content-Type: application/sdp', `Content-Length: ${sdp.length}`, '\r\n'],
  ];
  const blocks = [
    'e1 0280 04 e1 0140 04 61   05 0a 0140  05 0a 00a0  05 8a 0280', // one event, three times
    'e2 0280 03 e2 0140 00 62   e29881  41', // text, with a generation in which nothing was said
    `80 0280 02 63   d5d5  f0 3c${'aa'.repeat(31)}`, // G.711 and AMR
    '62', // nothing new
  ];
  const packets = blocks.map((hex, i) =>
    udp(30000, 40000, octets(`8060 000${i} 000000a0 11223344 ${hex}`.replace(/ /g, ''))),
  );
  const setup = udp(5060, 5060, Buffer.concat([Buffer.from(invite.join('\r\n')), sdp]));
  const path = file('red.pcap', rawPcap(...[setup, ...packets].map((datagram) => ip4(17, datagram))));
  const names = await fieldNames(['rtp', 'rtpevent', 'amr']);
  assert.deepEqual(await differences(path, [...names, 'frame.protocols']), []);
});

test('payloads that are only named, as tshark names them', () => {
  const below = (type: number, name?: string): string[] => seen(type, '00010203040506', name).protocols.slice(1);
  assert.deepEqual(below(96, 'VP8'), ['vp8']);
  assert.deepEqual(below(96, 'opus'), ['opus']);
  assert.deepEqual(below(96, 'H263-1998'), ['h263p']);
  assert.deepEqual(below(4), ['g723']);
  assert.deepEqual(below(31), ['h261']);
  assert.deepEqual(below(34), ['rfc2190', 'h263']);
});
