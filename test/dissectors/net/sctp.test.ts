import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, ip } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { cutEverywhere, octets, see } from './layers.js';

/** Ports 7 and 36412, then a DATA chunk of three octets with its padding, and a SACK without gaps. RFC 9260 §3 */
const PACKET =
  '00078e3c 01020304 a1b2c3d4 00030013 00000001 00000000 00000000 616263 00 03000010 00000001 0001a000 00000000';

test('the header, its chunks, and a message that lies in one', () => {
  const { protocols, fields, failed } = see('ip.proto', 132, octets(PACKET));
  assert.equal(failed, undefined);
  assert.deepEqual(protocols, ['sctp', 'data']);
  assert.deepEqual([fields['sctp.srcport'], fields['sctp.dstport']], [['7'], ['36412']]);
  assert.deepEqual(fields['sctp.chunk_type'], ['0', '3']);
  assert.deepEqual(fields['data.len'], ['3']);
});

test('a chunk without a length ends nothing but itself', () => {
  const { fields } = see('ip.proto', 132, octets('00078e3c 01020304 a1b2c3d4 03000000 03000000'));
  assert.deepEqual(fields['sctp.chunk_length'], ['0', '0']);
});

test('a packet may end anywhere', () => cutEverywhere('ip.proto', 132, octets(PACKET)));

test('Diameter lies in chunks that say so, or goes between its ports, as tshark has it', {
  skip: tsharkMissing,
}, async () => {
  /** A device watchdog answer with two AVPs, RFC 6733 §5.5.2. */
  const watchdog = '0100002c 00000118 00000000 00000001 00000001 0000010c4000000c000007d1 000001164000000c00000001';
  const chunk = (tsn: string, identifier: string): string => `0003003c ${tsn} 00000000 ${identifier} ${watchdog}`;
  const sctp = (ports: string, ...chunks: string[]): Uint8Array =>
    ip(address('192.0.2.1'), address('192.0.2.2'), 132, octets(`${ports} 01020304 00000000 ${chunks.join('')}`));
  const stacks = await besideTshark(
    [
      sctp('9c40 9c42', chunk('00000001', '0000002e')),
      sctp('0f1c 9c42', chunk('00000002', '00000000')),
      sctp('9c42 0f1c', chunk('00000003', '00000000'), chunk('00000004', '0000002e')),
      sctp('9c40 9c42', chunk('00000005', '00000000')),
    ],
    ['sctp.srcport', 'data.len'],
  );
  assert.deepEqual(stacks, ['sctp:diameter', 'sctp:diameter', 'sctp:diameter:diameter', 'sctp:data']);
});

test('M3UA carries ISUP and SCCP, and ports of HTTP and of mobile networks are known, as tshark has it', {
  skip: tsharkMissing,
}, async () => {
  let tsn = 0; // tshark leaves those out that it saw before
  const sctp = (ports: string, identifier: string, message: string): Uint8Array => {
    const n = message.length / 2;
    const chunk = `0003${(n + 16).toString(16).padStart(4, '0')} ${(++tsn).toString(16).padStart(8, '0')} 00000000 ${identifier} ${message}`;
    const padding = '00'.repeat(-n & 3);
    return ip(address('192.0.2.1'), address('192.0.2.2'), 132, octets(`${ports} 01020304 00000000 ${chunk}${padding}`));
  };
  /** Protocol data of a service: RFC 4666 §3.3.1, with a release complete of circuit 1. */
  const transfer = (service: string): string => `01000101000000200210001800000001000000020${service}020001010010000000`;
  const text = (s: string): string => Buffer.from(s, 'latin1').toString('hex');
  const stacks = await besideTshark(
    [
      sctp('9c40 0b59', '00000003', transfer('5')),
      sctp('9c40 9c42', '00000003', '0100030300000008'),
      sctp('9c40 0050', '00000000', text('GET / HTTP/1.1\r\nHost: a\r\n\r\n')),
      sctp('9c40 13c4', '00000000', text('OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n')),
      sctp('9c40 9c42', '00000002', '0100030300000008'),
    ],
    ['http.host', 'sip.Method'],
  );
  assert.deepEqual(stacks, ['sctp:m3ua:isup', 'sctp:m3ua', 'sctp:http', 'sctp:sip', 'sctp:m2ua']);
});

test('a message in several chunks is there with the last of them, as tshark has it', {
  skip: tsharkMissing,
}, async () => {
  const watchdog = '0100002c 00000118 00000000 00000001 00000001 0000010c4000000c000007d1 000001164000000c00000001';
  const whole = watchdog.replaceAll(' ', '');
  /** A part of it, between octets; flags B and E as it stands there. */
  const part = (tsn: number, from: number, to: number): string => {
    const flags = (from === 0 ? 2 : 0) | (to === 44 ? 1 : 0);
    const number = tsn.toString(16).padStart(8, '0');
    return `000${flags}00${(16 + to - from).toString(16)} ${number} 00000000 0000002e ${whole.slice(2 * from, 2 * to)}`;
  };
  const sctp = (...chunks: string[]): Uint8Array =>
    ip(address('192.0.2.1'), address('192.0.2.2'), 132, octets(`9c40 9c42 01020304 00000000 ${chunks.join('')}`));
  const last = 0xffff_ffff;
  const stacks = await besideTshark(
    [
      sctp(part(1, 0, 16)),
      sctp(part(2, 16, 32)),
      sctp(part(3, 32, 44)),
      // In one packet, in another order, and over the end of the numbers.
      sctp(part(10, 0, 20), part(11, 20, 44)),
      sctp(part(22, 32, 44)),
      sctp(part(20, 0, 8)),
      sctp(part(21, 8, 32)),
      sctp(part(last, 0, 40)),
      sctp(part(0, 40, 44)),
      sctp(part(31, 8, 44)),
    ],
    ['sctp.srcport', 'data.len'],
  );
  const none = 'sctp';
  const diameter = 'sctp:diameter';
  assert.deepEqual(stacks, [none, none, diameter, diameter, none, none, diameter, none, diameter, none]);
});
