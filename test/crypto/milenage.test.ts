import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { f1, f1star, f5star, f2345, opc } from '../../src/crypto/milenage.js';
import { ROOT } from '../support/corpus.js';

const octets = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'hex'));
const text = (b: Uint8Array): string => Buffer.from(b).toString('hex');

/** The test sets of 3GPP TS 35.208 §4.3 to §4.5, one a line; set 2 is set 1 again. */
const [names, ...lines] = readFileSync(join(ROOT, 'test/crypto/milenage-sets.tsv'), 'utf8').trim().split('\n');
const sets = lines.map((l) => Object.fromEntries(l.split('\t').map((v, i) => [names.split('\t')[i], v])));

suite('MILENAGE gives what TS 35.208 says', () => {
  for (const s of sets)
    test(`set ${s.n}`, () => {
      const k = octets(s.k);
      const rand = octets(s.rand);
      const own = opc(k, octets(s.op));
      assert.equal(text(own), s.opc);
      assert.equal(text(f1(k, own, rand, octets(s.sqn), octets(s.amf))), s.f1);
      assert.equal(text(f1star(k, own, rand, octets(s.sqn), octets(s.amf))), s.f1star);
      const { res, ck, ik, ak } = f2345(k, own, rand);
      assert.deepEqual([res, ck, ik, ak].map(text), [s.f2, s.f3, s.f4, s.f5]);
      assert.equal(text(f5star(k, own, rand)), s.f5star);
    });

  test('other lengths are refused', () => {
    const block = new Uint8Array(16);
    assert.throws(() => opc(block.subarray(1), block), RangeError);
    assert.throws(() => opc(block, block.subarray(1)), RangeError);
    assert.throws(() => f2345(block, block, block.subarray(1)), RangeError);
    assert.throws(() => f1(block, block, block, block, block), RangeError);
  });
});
