import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fields, Tree } from 'fttscope/kit';

const F = fields({
  n: { name: 'test.n', label: 'n', type: 'u32' },
  b: { name: 'test.b', label: 'b', type: 'u8', mask: 0xf0 },
});

test('values survive the growth of the tree', () => {
  const t = new Tree();
  const count = 5000;
  for (let i = 0; i < count; i++) {
    t.num(F.n, i, 1, i);
    t.bits(F.b, i, 1, i);
  }
  for (let i = 0; i < count; i++) {
    assert.equal(t.value(2 * i), i);
    assert.equal(t.value(2 * i + 1), (i >> 4) & 15);
  }
});
