import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Cadence } from '../../src/model/cadence.js';
import { cadenceWords } from '../../src/report/report-words.js';
import { cadenceOf } from '../../src/tui/cadence.js';
import { Direction, type Rows } from '../../src/viewer/rows.js';

interface Frame {
  readonly at: number;
  readonly up: boolean;
  readonly length: number;
  readonly tunnel?: number;
  readonly protocol?: string;
}

/** What is found in frames of tunnel 1. */
function found(frames: readonly Frame[]): Cadence {
  const f = [...frames].sort((a, b) => a.at - b.at);
  const rows = {
    count: f.length,
    tunnel: (i: number) => f[i].tunnel ?? 1,
    protocol: (i: number) => f[i].protocol ?? 'TLSv1.3',
    direction: (i: number) => (f[i].up ? Direction.up : Direction.down),
    length: (i: number) => f[i].length,
    relative: (i: number) => f[i].at,
  };
  const work = cadenceOf(rows as unknown as Rows, 1);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Frames each 20 ms, both ways. */
const speech = (from: number, seconds: number, length = (_: number) => 180): Frame[] =>
  Array.from({ length: seconds * 50 }, (_, i) =>
    [true, false].map((up) => ({ at: from + i / 50 + 0.001, up, length: length(i) })),
  ).flat();

describe('the pace of records', () => {
  test('a frame of one size each 20 ms and way is like speech', () => {
    const c = found([...speech(10, 3), { at: 1, up: true, length: 600 }]);
    assert.deepEqual(c, { up: 151, down: 150, steady: { upPerSecond: 50, downPerSecond: 50, durationMs: 3000 } });
    assert.equal(
      cadenceWords(c),
      '151 frames with records up, 150 down; 50 a second each way, all of one size, for 3 s: looks like a voice call (inferred)',
    );
  });

  test('other sizes, one way alone, another tunnel, a moment, a download: not', () => {
    assert.equal(found(speech(0, 3, (i) => 100 + (i % 7))).steady, undefined);
    assert.equal(found(speech(0, 3).filter((f) => f.up)).steady, undefined);
    assert.equal(found(speech(0, 3).map((f) => ({ ...f, tunnel: 2 }))).steady, undefined);
    assert.equal(found(speech(0, 3).map((f) => ({ ...f, protocol: 'TCP' }))).steady, undefined);
    assert.equal(found(speech(0, 0.4)).steady, undefined);
    const fast = Array.from({ length: 10 }, () => speech(0, 3)).flat();
    assert.equal(found(fast).steady, undefined);
    assert.equal(cadenceWords(found(speech(0, 0.4))), '20 frames with records up, 20 down');
  });

  test('a pause ends it', () => {
    assert.equal(found([...speech(0, 0.5), ...speech(5, 0.5)]).steady, undefined);
    assert.equal(found([...speech(0, 1), ...speech(5, 2)]).steady?.durationMs, 2000);
  });
});
