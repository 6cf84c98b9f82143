import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, grouped } from '../../src/kit/index.js';

test('lists by key keep the order in which keys and values came', () => {
  const lists = grouped([3, 10, 5, 12, 1], (n) => (n < 10 ? 'one digit' : 'two digits'));
  append(lists, 'one digit', 7);
  append(lists, 'none', 0);
  assert.deepEqual(
    [...lists],
    [
      ['one digit', [3, 5, 1, 7]],
      ['two digits', [10, 12]],
      ['none', [0]],
    ],
  );
});
