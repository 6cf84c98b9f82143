import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByOctets } from '../../src/kit/index.js';

describe('values by octets', () => {
  test('are found by the same octets alone', () => {
    const octets = fc.uint8Array({ maxLength: 6 });
    fc.assert(
      fc.property(fc.array(octets), fc.array(octets), (kept, asked) => {
        const known = new ByOctets<number>(1000);
        const expected = new Map<string, number>();
        for (const [i, b] of kept.entries()) {
          assert.equal(known.set(b, 0, b.length, i), i);
          expected.set(b.join(), i);
        }
        for (const b of [...kept, ...asked]) {
          const inside = Uint8Array.from([1, ...b, 2]);
          const found = known.find(inside, 1, inside.length - 1);
          assert.equal(found, expected.get(b.join()));
        }
      }),
    );
  });

  test('are forgotten where there are too many, and never kept where they are long', () => {
    const known = new ByOctets<string>(2);
    for (const c of 'abc') known.set(Buffer.from(c), 0, 1, c);
    assert.equal(known.size, 1);
    assert.equal(known.find(Buffer.from('c'), 0, 1), 'c');
    assert.equal(known.set(new Uint8Array(20_000), 0, 20_000, 'long'), 'long');
    assert.equal(known.find(new Uint8Array(20_000), 0, 20_000), undefined);
  });
});
