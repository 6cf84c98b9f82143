import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoSecond } from '../../src/kit/index.js';

test('a second is written as a Date writes it', () => {
  for (const s of [0, -1, 951_782_399, 951_782_400, 1_772_355_600, -62_167_219_201, 253_402_300_799, 253_402_300_800])
    assert.equal(isoSecond(s), new Date(s * 1000).toISOString().slice(0, -5));
});

test('so is one of a year that no Date knows', () => {
  // The last microsecond that a pcapng file can name; both dates are what date(1) says.
  assert.equal(isoSecond(18_446_744_073_709), '+586524-01-19T08:01:49');
  assert.match(isoSecond(2 ** 64), /^\+584554051223-11-09T/);
  assert.equal(isoSecond(-18_446_744_073_709), '-582585-12-14T15:58:11');
});
