import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { ftt, ikev2Payload } from '../../../dissectors/ftt.js';

const hex = (s: string): Uint8Array =>
  Uint8Array.from(s.replaceAll(/\s/g, '').match(/../g) ?? [], (x) => Number.parseInt(x, 16));
const probe = (b: Uint8Array, n = b.length) => ftt.probe!(b, 0, n);

/** Length 34, non-ESP marker (TS 24.302 §F.3.2.2), IKE header (RFC 7296 §3.1): SPIs, next payload, 2.0, exchange, I, 0, 28. */
const IKE = hex('0022 00000000 0102030405060708 0000000000000000 21 20 22 08 00000000 0000001c');
/** Length 18, SPI, sequence number (RFC 4303 §2), eight octets; twice. */
const ESP = hex('0012 c0000001 00000001 1111111111111111 0012 c0000001 00000002 2222222222222222');

test('an IKEv2 envelope is known by its whole header', () => {
  for (let n = 0; n < IKE.length; n++) assert.equal(probe(IKE, n), Unsure, String(n));
  assert.equal(probe(IKE), Yes);
  for (const [at, value, why] of [
    [1, 33, 'Length of another envelope'],
    [3, 1, 'no marker'],
    [6 + 17, 0x10, 'IKEv1'],
    [6 + 18, 33, 'no exchange of IKEv2'],
    [6 + 27, 29, 'Length of another message'],
  ] as const) {
    const b = IKE.slice();
    b[at] = value;
    assert.equal(probe(b), No, why);
  }
  const nobody = IKE.slice();
  nobody.fill(0, 6, 14);
  assert.equal(probe(nobody), No, 'RFC 7296 §3.1: the initiator has an SPI');
});

test('ESP envelopes are known by two of an SA', () => {
  assert.equal(probe(ESP), Yes);
  assert.equal(probe(ESP, 18), No);
  const back = ESP.slice();
  back[27] = 1;
  assert.equal(probe(back), No, 'the sequence number does not grow');
});

test('the octets of envelopes', () => {
  assert.deepEqual(encode(ftt.codec!, { payload: ikev2Payload(IKE.subarray(6)) }), IKE);
  assert.deepEqual(encode(ftt.codec!, { payload: ESP.slice(2, 18) }), ESP.slice(0, 18));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
      const octets = encode(ftt.codec!, { payload });
      assert.equal(ftt.pduLength!(octets, 0, octets.length), octets.length);
      const r = ftt.codec!.parse(octets, 0, octets.length);
      assert.deepEqual(r, { payload });
      assert.deepEqual(encode(ftt.codec!, r), octets);
    }),
  );
});

test('a Length below 2 is no envelope', () => {
  for (const n of [0, 1]) assert.equal(ftt.pduLength!(Uint8Array.of(0, n, 0), 0, 3), -1);
  assert.equal(ftt.pduLength!(Uint8Array.of(0, 2), 0, 2), 2);
  assert.equal(ftt.pduLength!(Uint8Array.of(0), 0, 1), 0);
});
