import assert from 'node:assert/strict';
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { test } from 'node:test';
import { RsaKeys } from '../../src/tls/rsa-keys.js';
import { testCertificate } from './pair.js';

const { key } = testCertificate('rsa');

/** What a client sends: 0, 2, padding without zeros, 0, the secret. RFC 8017 §7.2.1 */
function block(change: (b: Uint8Array) => void = () => undefined): Uint8Array {
  const b = new Uint8Array(256).fill(0x5a);
  b.set([0, 2]);
  b[207] = 0;
  change(b);
  return publicEncrypt({ key: createPublicKey(key), padding: constants.RSA_NO_PADDING }, b);
}

test('a pre-master secret stands behind padding of the right form, of 48 octets', () => {
  const keys = new RsaKeys();
  assert.equal(keys.add(key), undefined);
  assert.deepEqual(keys.preMaster(block())?.octets, new Uint8Array(48).fill(0x5a));
  assert.equal(keys.preMaster(block().subarray(1)), undefined, 'as long as the modulus');
  for (const [at, value, why] of [
    [0, 1, 'the first octet is 0'],
    [1, 1, 'a signature has 1 there'],
    [207, 9, 'nothing parts the padding from the secret'],
    [206, 0, 'the secret has 49 octets'],
    [2, 0, 'padding without zeros'],
  ] as const)
    assert.equal(keys.preMaster(block((b) => b.set([value], at))), undefined, why);
});
