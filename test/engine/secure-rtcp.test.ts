import { test } from 'node:test';
import { ip4, udp } from '../cli/run.js';
import { besideTshark } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/** A compound with one packet of `type`, and behind it E with an index, and a tag of 80 bits. RFC 3711 §3.4 */
function compound(type: number, octets: number, isEncrypted: boolean): Buffer {
  const b = Buffer.alloc(8 + octets + 14, 0x5a);
  b.writeUInt32BE(((0x81 << 24) | (type << 16) | (1 + octets / 4)) >>> 0);
  b.writeUInt32BE(0x1234, 4);
  b.writeUInt32BE((isEncrypted ? 0x80000000 : 0) + 77, 8 + octets);
  return b;
}

test('reports of a session with SDES are encrypted where E says so, as tshark has them', {
  skip: tsharkMissing,
}, async () => {
  const sdp = [
    ...['v=0', 'o=- 1 1 IN IP4 192.0.2.2', 's=-', 'c=IN IP4 192.0.2.2', 't=0 0', 'm=audio 4000 RTP/SAVP 0'],
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
  ].join('\r\n');
  const invite = [
    'INVITE sip:b@192.0.2.1 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx',
    'From: <sip:a@x>;tag=1',
    'To: <sip:b@x>',
    ...['Call-ID: c1', 'CSeq: 1 INVITE', 'Content-Type: application/sdp', `Content-Length: ${sdp.length + 2}`],
    ...['', sdp, ''],
  ].join('\r\n');
  const packets = [udp(5060, 5060, Buffer.from(invite))];
  for (const isEncrypted of [true, false])
    for (const [type, octets] of [
      [200, 44],
      [201, 24],
    ] as const)
      packets.push(udp(6001, 4001, compound(type, octets, isEncrypted)));
  packets.push(udp(6001, 4001, compound(201, 0, true)));
  await besideTshark(
    packets.map((p) => ip4(17, p)),
    [
      ...['rtcp.pt', 'rtcp.senderssrc', 'rtcp.ssrc.identifier', 'rtcp.ssrc.jitter', 'rtcp.timestamp.rtp'],
      ...['rtcp.length_check', 'srtcp.e', 'srtcp.index', 'srtcp.auth_tag', '_ws.expert.message'],
    ],
  );
});
