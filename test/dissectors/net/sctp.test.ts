import assert from 'node:assert/strict';
import { test } from 'node:test';
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
