import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_FRAMES, BLOCK_ROWS, FlowNumbers, FrameBlock, RowBlock } from '../../src/viewer/columns.js';
import { Selected } from '../../src/viewer/selected.js';

test('a row takes 16 octets, its frame 30, or 34 where it has a number of its own', () => {
  assert.equal(new RowBlock().memory.byteLength, 16 * BLOCK_ROWS);
  assert.equal(new FrameBlock(false).memory.byteLength, 30 * BLOCK_FRAMES);
  assert.equal(new FrameBlock(true).memory.byteLength, 34 * BLOCK_FRAMES);
});

test('places and times of frames are kept whole, and another thread sees them', () => {
  const block = new FrameBlock(true);
  const cases = [
    [0, 0],
    [24, 1_700_000_000],
    [2 ** 32 - 1, -1],
    [2 ** 32, 2 ** 32],
    [2 ** 47 + 12_345, -(2 ** 40) - 7],
  ] as const;
  for (const [at, [offset, seconds]] of cases.entries()) {
    block.setOffset(at, offset);
    block.setSeconds(at, seconds);
  }
  const there = new FrameBlock(block.memory);
  for (const [at, [offset, seconds]] of cases.entries()) {
    assert.equal(there.offset(at), offset);
    assert.equal(there.seconds(at), seconds);
  }
  assert.notEqual(there.number, null);
  assert.equal(new FrameBlock(new FrameBlock(false).memory).number, null);
});

test('columns of rows stand beside each other, and hold more envelopes of a frame than 16 bits count', () => {
  const block = new RowBlock();
  const last = BLOCK_ROWS - 1;
  for (const [column, value] of [
    [block.ordinal, 2 ** 32 - 1],
    [block.flow, 7],
    [block.inner, 70_000],
    [block.length, 65_532],
    [block.notice, 3],
  ] as const)
    column[last] = value;
  const there = new RowBlock(block.memory);
  const { ordinal, flow, inner, length, notice } = there;
  assert.deepEqual(
    [ordinal, flow, inner, length, notice].map((c) => c[last]),
    [2 ** 32 - 1, 7, 70_000, 65_532, 3],
  );
  assert.deepEqual(
    [ordinal, flow, inner, length, notice].map((c) => c[0]),
    [0, 0, 0, 0, 0],
  );
});

test('a selection is held once for both threads: 4 octets a row, and less than a block beyond', () => {
  const here = new Selected({ kind: 'both' }, () => undefined);
  const there = new Selected({ kind: 'both' }, () => undefined);
  const rows = 100_000;
  let octets = 0;
  for (let row = 0; row < rows; row++) {
    here.push(3 * row);
    if (row % 30_000 !== 29_999 && row !== rows - 1) continue;
    const added = here.added();
    for (const { byteLength } of added.blocks) octets += byteLength;
    there.add(added);
  }
  assert.equal(there.count, rows);
  for (const i of [0, 8191, 8192, 29_999, 30_000, rows - 1]) assert.equal(there.at(i), 3 * i);
  assert.equal(there.find(3 * 65_536), 65_536);
  assert.equal(there.find(3 * 65_536 + 1), -(65_537 + 1));
  assert.ok(octets >= 4 * rows && octets < 4 * rows + 32_768 + 1, `${octets} octets`);
  here.push(1);
  assert.equal(there.count, rows); // what was not told does not count
});

test('a flow has one number, and each number one flow, however many there are', () => {
  const flows = new FlowNumbers();
  const all: [number, number, number, number][] = [];
  // Flows that differ in one of their numbers alone, more than the first table has places for.
  for (let i = 0; i < 3000; i++)
    all.push(i % 4 === 0 ? [i, 1, 2, 3] : i % 4 === 1 ? [1, i, 2, 3] : i % 4 === 2 ? [1, 2, i, 3] : [1, 2, 3, i]);
  const numbers = all.map((f) => flows.number(...f));
  const names = new Set(all.map((f) => f.join()));
  assert.equal(new Set(numbers).size, names.size);
  assert.equal(flows.count, names.size);
  assert.deepEqual(
    all.map((f) => flows.number(...f)),
    numbers,
  );
});
