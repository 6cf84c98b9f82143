import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GapEntry } from '../../src/model/entities.js';
import { Gaps } from '../../src/tui/gaps.js';
import { PacketLines } from '../../src/tui/packet-lines.js';
import type { Story } from '../../src/tui/told.js';
import type { Rows } from '../../src/viewer/rows.js';
import { Selected } from '../../src/viewer/selected.js';
import type { Choice } from '../../src/viewer/viewer.js';

const GAP: GapEntry = { at: { seconds: 0, nanos: 0 }, row: '19', direction: 'up', octets: 232 };

/** Gaps that the report tells of tunnel 2, where row 0 is packet 19.1; undefined: there is no report yet. */
function gapsOf(gaps: readonly GapEntry[] | undefined): Gaps {
  const rows = { findings: (r: number) => (r === 0 ? ['capture.gap'] : []), id: () => '19.1' } as unknown as Rows;
  return new Gaps(rows, () => gaps && ({ tunnels: [{ id: 2, gaps }] } as unknown as Story));
}

test('among filtered packets a row tells first, and briefly, what is missing before it', () => {
  const told = (gaps: readonly GapEntry[] | undefined, row = 0): string => gapsOf(gaps).around(row, 'Info');
  assert.equal(told(undefined), '[gap] Info');
  assert.equal(told([GAP], 1), 'Info');
  assert.equal(told([{ ...GAP, row: '20' }]), '[gap] Info');
  assert.equal(told([GAP]), '[gap: 232 B] Info');
  assert.equal(told([{ ...GAP, firstRecord: 5 }]), '[gap: 232 B, record 5 on] Info');
  const whole = { ...GAP, firstRecord: 5, resumedRecord: 6, estimatedSegments: 1 };
  assert.equal(told([whole]), '[gap: 232 B, record 5] Info');
  assert.equal(told([GAP, { ...whole, resumedRecord: 8 }]), '[gap: 232 B; 232 B, records 5 to 7] Info');
});

test('a gap of its own line says of which tunnel it is, unless all are', () => {
  assert.equal(gapsOf(undefined).words([0]), 'octets are missing here');
  assert.equal(gapsOf([GAP]).words([0], 2), '232 B missing from UE');
  assert.equal(gapsOf([GAP]).words([0]), 'tunnel 2: 232 B missing from UE');
  assert.equal(
    gapsOf([GAP, { ...GAP, direction: 'down' }]).words([0], 2),
    '232 B missing from UE; 232 B missing to UE',
  );
});

/** Lines of a list of some of ten rows, with gaps before rows; odd rows are of tunnel 1, even ones of none. */
function linesOf(listed: readonly number[], gaps: readonly number[], choice: Partial<Choice> = {}, seen = 10) {
  const rows = { gaps, tunnel: (r: number) => r % 2 } as unknown as Rows;
  const selection = new Selected({ kind: 'inner', ...choice }, () => undefined);
  for (const row of listed) selection.push(row);
  selection.seen = seen;
  const lines = new PacketLines(rows, selection);
  const shown = Array.from({ length: lines.count(listed.length) }, (_, line) => {
    const place = lines.at(line);
    if (place < 0) return `gap ${lines.gapsAt(-place - 1).join('+')}`;
    assert.equal(lines.lineOf(place), line);
    return String(listed[place]);
  });
  return shown.join(' ');
}

test('gaps have lines between packets', () => {
  assert.equal(linesOf([], []), '');
  assert.equal(linesOf([1, 3, 5], []), '1 3 5');
  assert.equal(linesOf([1, 3, 5], [1, 5]), 'gap 1 1 3 gap 5 5');
  assert.equal(linesOf([1, 3, 5], [1, 3, 5]), 'gap 1 1 gap 3 3 gap 5 5');
});

test('a gap of a packet that is not listed stands before the next one, where it is of a tunnel that is', () => {
  assert.equal(linesOf([1, 7], [3]), '1 gap 3 7');
  assert.equal(linesOf([1, 7], [3, 5, 7]), '1 gap 3+5+7 7');
  assert.equal(linesOf([1, 7], [9]), '1 7 gap 9');
  assert.equal(linesOf([1, 7], [4]), '1 7');
  assert.equal(linesOf([1, 7], [3], { tunnels: [1] }), '1 gap 3 7');
  assert.equal(linesOf([1, 7], [3], { tunnels: [2] }), '1 7');
  assert.equal(linesOf([1, 7], [3], { rows: ['1', '7'] }), '1 7');
  assert.equal(linesOf([1, 7], [3, 7], { rows: ['1', '7'] }), '1 gap 7 7');
});

test('a filter takes packets alone', () => {
  assert.equal(linesOf([1, 3], [1, 3], { filter: 'sip' }), '1 3');
  assert.equal(linesOf([1, 3], [1, 3], { filter: ' ' }), 'gap 1 1 gap 3 3');
});

test('gaps beyond what was looked at wait', () => assert.equal(linesOf([1, 3], [1, 3, 5], {}, 3), 'gap 1 1 3'));
