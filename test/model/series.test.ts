import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MadeSeries } from '../../src/model/series.js';

const LETTERS = ['a', 'b', 'c', 'd'];
const made = new MadeSeries(LETTERS.length, (i) => LETTERS[i]!);

test('a series whose entries are made does as an array of them', () => {
  const isLate = (s: string): boolean => s > 'b';
  const twice = (s: string): string[] => [s, s];
  assert.equal(made.length, LETTERS.length);
  assert.deepEqual([...made], LETTERS);
  assert.deepEqual(
    made.map((s) => s.toUpperCase()),
    ['A', 'B', 'C', 'D'],
  );
  assert.deepEqual(made.flatMap(twice), LETTERS.flatMap(twice));
  assert.deepEqual(made.filter(isLate), LETTERS.filter(isLate));
  for (const wanted of [isLate, (s: string) => s === 'z']) {
    assert.equal(made.find(wanted), LETTERS.find(wanted));
    assert.equal(made.some(wanted), LETTERS.some(wanted));
  }
  assert.equal(JSON.stringify({ made }), JSON.stringify({ made: LETTERS }));
});

test('a slice of it begins and ends where that of an array does', () => {
  assert.deepEqual(made.slice(), LETTERS);
  for (let from = -6; from <= 6; from++) {
    assert.deepEqual(made.slice(from), LETTERS.slice(from), `${from}`);
    for (let to = 0; to <= 6; to++) assert.deepEqual(made.slice(from, to), LETTERS.slice(from, to), `${from} to ${to}`);
  }
});
