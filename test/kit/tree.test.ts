import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experts, fields, Tree } from 'fttscope/kit';

const F = fields({
  n: { name: 'test.n', label: 'n', type: 'u32' },
  b: { name: 'test.b', label: 'b', type: 'u8', mask: 0xf0 },
  octets: { name: 'test.octets', label: 'octets', type: 'bytes' },
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

test('nodes have the octets of their source, of however many', () => {
  const t = new Tree();
  const sources = Array.from({ length: 5000 }, (_, i) => Uint8Array.of(i >> 8, i));
  for (const buf of sources) {
    const before = t.enter({ name: 'part', buf, start: 0, end: 2 });
    t.bytes(F.octets, 0, 2);
    t.leave(before, 3);
  }
  for (const [i, buf] of sources.entries()) assert.deepEqual(t.octets(i), buf);
  assert.deepEqual([t.depth(0), t.depth(1), t.sourceCount], [0, 3, sources.length]);
  t.reset();
  assert.equal(t.sourceCount, 0);
});

test('expert items that do not fit are counted, as nodes are', () => {
  const E = experts({ odd: { code: 'test.odd', severity: 'note', message: 'odd' } });
  const t = new Tree(undefined, 2000);
  for (let i = 0; i < 2003; i++) t.expert(E.odd);
  assert.deepEqual([t.experts.length, t.dropped], [2000, 3]);
  for (let i = 0; i < 2001; i++) t.num(F.n, i, 1, i);
  assert.deepEqual([t.length, t.dropped], [2000, 4]);
});
