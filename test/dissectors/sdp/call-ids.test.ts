import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CallIds } from '../../../dissectors/sdp/call-ids.js';
import { LIMITS } from '../../../src/limits.js';

/** The same with arrays that are copied. */
const withOne = (list: readonly string[], id: string): string[] => [...list, id].slice(-LIMITS.mediaCalls);

test('lists of Call-IDs that go on from one another hold what copies of them would', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 60 }), (choices) => {
      const all = [CallIds.NONE];
      const expected: string[][] = [[]];
      for (const [i, choice] of choices.entries()) {
        const from = choice % all.length;
        all.push(all[from].with(`${i}`));
        expected.push(withOne(expected[from], `${i}`));
      }
      for (const [i, ids] of all.entries()) assert.deepEqual(ids.list, expected[i]);
    }),
  );
});

test('a list that is full goes on without its oldest, however often', () => {
  let ids = CallIds.NONE;
  let expected: string[] = [];
  for (let i = 0; i < 5 * LIMITS.mediaCalls; i++) {
    ids = ids.with(`${i}`);
    expected = withOne(expected, `${i}`);
    assert.equal(ids.isFull, i + 1 >= LIMITS.mediaCalls);
  }
  assert.deepEqual(ids.list, expected);
  assert.equal(ids.has(expected[0]), true);
  assert.equal(ids.has(`${4 * LIMITS.mediaCalls - 1}`), false);
});
