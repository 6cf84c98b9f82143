import { test } from 'node:test';
import { at, udp } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from './world.js';

const PHONE = '192.0.2.1';
const PEER = '192.0.2.2';

/** An INVITE from {@link PHONE}, or its answer, that announces RTP on port 40000. */
function sip(start: string, from: string, to: string): Uint8Array {
  const head = [start, 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKz', 'From: <sip:a@x>;tag=1', 'To: <sip:b@x>;tag=2'];
  const sdp = ['v=0', `o=- 1 1 IN IP4 ${from}`, 's=-', `c=IN IP4 ${from}`, 't=0 0', 'm=audio 40000 RTP/AVP 0 101'];
  const body = [...sdp, 'a=rtpmap:101 telephone-event/8000', ''].join('\r\n');
  const rest = ['Call-ID: zrtp', 'CSeq: 1 INVITE', 'Content-Type: application/sdp', `Content-Length: ${body.length}`];
  return udp(at(from, 5060), at(to, 5060), Buffer.from([...head, ...rest, '', body].join('\r\n')));
}

const word = (n: number): string => n.toString(16).padStart(4, '0');
/** A message of ZRTP with its checksum left 0. */
const message = (sequence: number, type: string, body = ''): Uint8Array =>
  octets(
    `1000${word(sequence)} 5a525450 11223344 505a${word((12 + body.length / 2) / 4)} ${Buffer.from(type.padEnd(8)).toString('hex')} ${body} 00000000`,
  );
/** A Commit: hash image, ZID, and the types of hash, cipher, authentication tag, key agreement and SAS. RFC 6189 §5.4 */
const commit = (tag: string): string =>
  `${'5a'.repeat(44)}${Buffer.from(`S256AES1${tag}DH3kB32 `).toString('hex')}${'00'.repeat(40)}`;
const rtp = (sequence: number, type = 0): Uint8Array =>
  octets(`80${type.toString(16).padStart(2, '0')} ${word(sequence)} 000000a0 11223344 ${'0b8a00a0'.repeat(8)}`);

test('what follows the agreement of ZRTP is SRTP, and a conversation of its own', { skip: tsharkMissing }, async () => {
  const fields = ['udp.stream', 'rtp.setup-frame', 'rtp.p_type', 'rtp.seq', 'rtpevent.event_id'];
  for (const [tag, more] of [
    ['HS32', ['srtp.enc_payload', 'srtp.auth_tag']],
    ['HS80', []], // tshark 4.0 takes all tags for such of 32 bits
  ] as const) {
    const [a, b] = [at(PHONE, 40_000), at(PEER, 40_000)];
    const packets = [
      sip('INVITE sip:b@x SIP/2.0', PHONE, PEER),
      sip('SIP/2.0 200 OK', PEER, PHONE),
      udp(a, b, rtp(1)),
      udp(b, a, rtp(2)),
      udp(a, b, message(3, 'Commit', commit(tag))),
      udp(b, a, message(4, 'Confirm1', '00'.repeat(64))),
      udp(a, b, message(5, 'Conf2ACK')),
      udp(a, b, rtp(6)),
      udp(b, a, rtp(7)),
      udp(a, b, rtp(8, 101)),
    ];
    await besideTshark(packets, [...fields, ...more]);
  }
});
