import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, at, ip } from '../../build/packets.js';
import { besideTshark, datagramsBesideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

const hex = (n: number, octetCount: number): string => n.toString(16).padStart(2 * octetCount, '0');
const size = (s: string): number => octets(s).length;

/** SCTP packets with one chunk of data each, under their payload protocol identifier. RFC 9260 §3.3.1 */
const sctp = (ppid: number, ...messages: readonly string[]): Uint8Array[] =>
  messages.map((message, i) => dataChunk(ppid, i, message));

function dataChunk(ppid: number, number: number, message: string): Uint8Array {
  const n = size(message);
  const chunk = `0003 ${hex(16 + n, 2)} ${hex(number, 4)} 0001 ${hex(number, 2)} ${hex(ppid, 4)} ${message} ${'00'.repeat(-n & 3)}`;
  return ip(address('192.0.2.1'), address('192.0.2.2'), 132, octets(`8e3c 8e3d 01020304 00000000 ${chunk}`));
}

/** An open type of aligned PER. ITU-T X.691 §11.2 */
const open = (value: string): string =>
  `${size(value) < 0x80 ? hex(size(value), 1) : hex(0x8000 + size(value), 2)} ${value}`;
const element = (id: number, value: string): string => `${hex(id, 2)} 00 ${open(value)}`;
/** A message of S1AP or NGAP: an initiating one of the procedure, with its IEs. */
const message = (procedure: number, ...elements: readonly string[]): string =>
  `00 ${hex(procedure, 1)} 00 ${open(`00 ${hex(elements.length, 2)} ${elements.join(' ')}`)}`;

const MME_UE = '0001';
const UE = '0001';
/** TS 24.301: EMM information without a name; an ESM information response whose options carry IPCP. */
const INFORMATION = '07 61';
const IPCP = '01 00 0010 81 06 00000000 83 06 00000000';
const RESPONSE = `27 0cf06e00 15 02 01 da 27 14 80 8021 10 ${IPCP}`;
/** TS 24.501: a registration request that is no more than its first octets. */
const REGISTRATION = '7e 00 41 79 000d 01 02f839f0ff0000000047780010';

describe('signalling of mobile networks, as tshark', { skip: tsharkMissing }, () => {
  test('NAS in S1AP, and what its options carry', async () => {
    const nas = (value: string) => element(26, open(value));
    // A bearer of QCI 9 with the lowest priority, for an endpoint of IPv4: with NAS, and without.
    const bearer = (has: boolean, value: string) =>
      element(52, `${has ? '45' : '05'} 00 09 3c 0f80 c0000201 00000001 ${has ? open(value) : ''}`);
    const ids = [element(0, MME_UE), element(8, UE)];
    const stacks = await besideTshark(
      sctp(
        18,
        message(11, ...ids, nas(INFORMATION)),
        message(13, ...ids, nas(RESPONSE)),
        message(9, ...ids, element(24, `00 ${bearer(true, INFORMATION)}`)),
        message(9, ...ids, element(24, `00 ${bearer(false, '')}`)),
      ),
      [],
    );
    assert.deepEqual(stacks, ['sctp:s1ap:nas-eps', 'sctp:s1ap:nas-eps:ipcp', 'sctp:s1ap:nas-eps', 'sctp:s1ap']);
  });

  test('NAS in NGAP', async () => {
    const stacks = await besideTshark(
      sctp(
        60,
        message(15, element(85, UE), element(38, open(REGISTRATION))),
        message(42, element(10, MME_UE), element(85, UE)),
      ),
      [],
    );
    assert.deepEqual(stacks, ['sctp:ngap:ngap:nas-5gs', 'sctp:ngap:ngap']);
  });

  test('addresses that GTP-C asks for', async () => {
    const options = `4e 0014 00 80 8021 10 ${IPCP}`;
    const create = `48 20 ${hex(8 + size(options), 2)} 00000000 000001 00 ${options}`;
    const stacks = await datagramsBesideTshark([40_000, 2123], [octets(create)], []);
    assert.deepEqual(stacks, ['udp:gtp:gtpv2:ipcp']);
  });

  test('SDP of a session in Diameter', async () => {
    const avp = (code: number, value: string): string =>
      `${hex(code, 4)} c0 ${hex(12 + size(value), 3)} 000028af ${value} ${'00'.repeat(-size(value) & 3)}`;
    const text = (s: string): string => Buffer.from(s, 'latin1').toString('hex');
    const codecs = [
      'uplink\noffer\nm=audio 30000 RTP/AVP 104\r\na=rtpmap:104 AMR-WB/16000/1\r\n',
      'downlink\nanswer\nm=audio 1234 RTP/AVP 104\r\n',
      'downlink\nanswer\n\0',
    ];
    const component = avp(517, codecs.map((c) => avp(524, text(c))).join(' '));
    const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 3868)]);
    talk.say(0, octets(`01 ${hex(20 + size(component), 3)} 80 000109 01000014 00000001 00000002 ${component}`));
    const stacks = await besideTshark(talk.packets, ['sdp.media', 'sdp.media.format', 'sdp.media_attr']);
    assert.equal(stacks[3], 'tcp:diameter:sdp:sdp');
  });

  test('what GSMTAP took from the air', async () => {
    const tapped = (type: string, payload: string) =>
      octets(`02 04 ${type} 00 0000 00 00 00000000 00 00 00 00 ${payload}`);
    const stacks = await datagramsBesideTshark(
      [4729, 4729],
      [tapped('0d', '4008ccf738e500'), tapped('12', INFORMATION), octets('02 04 0d 00')],
      [],
    );
    assert.deepEqual(stacks, ['udp:gsmtap:lte_rrc', 'udp:gsmtap:nas-eps', 'udp:gsmtap']);
  });
});
