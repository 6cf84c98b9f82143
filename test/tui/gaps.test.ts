import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GapEntry } from '../../src/model/entities.js';
import { Gaps } from '../../src/tui/gaps.js';
import type { Story } from '../../src/tui/told.js';
import type { Rows } from '../../src/viewer/rows.js';

const GAP: GapEntry = { at: { seconds: 0, nanos: 0 }, row: '19', direction: 'up', octets: 232 };

/** Of row 0, which is packet 19.1, after gaps that the report tells of; undefined: there is no report yet. */
function told(gaps: readonly GapEntry[] | undefined, row = 0): string {
  const rows = { findings: (r: number) => (r === 0 ? ['capture.gap'] : []), id: () => '19.1' } as unknown as Rows;
  const story = gaps && ({ tunnels: [{ gaps }] } as unknown as Story);
  return new Gaps(rows, () => story).around(row, 'Info');
}

test('a row tells first, and briefly, what is missing before it', () => {
  assert.equal(told(undefined), '[gap] Info');
  assert.equal(told([GAP], 1), 'Info');
  assert.equal(told([{ ...GAP, row: '20' }]), '[gap] Info');
  assert.equal(told([GAP]), '[gap: 232 B] Info');
  assert.equal(told([{ ...GAP, firstRecord: 5 }]), '[gap: 232 B, record 5 on] Info');
  const whole = { ...GAP, firstRecord: 5, resumedRecord: 6, estimatedSegments: 1 };
  assert.equal(told([whole]), '[gap: 232 B, record 5] Info  [about 1 segment, resumed at record 6]');
  assert.equal(
    told([GAP, { ...whole, resumedRecord: 8, estimatedSegments: 2 }]),
    '[gap: 232 B; 232 B, records 5 to 7] Info  [about 2 segments, resumed at record 8]',
  );
});
