import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Grid } from '../../src/tui/cells.js';
import { drawCrumbs } from '../../src/tui/chrome.js';
import { THEMES } from '../../src/tui/style.js';

/** The third line of a screen, at a width. */
function line(width: number, crumbs: readonly string[], status: string): string {
  const grid = new Grid(width, 1);
  drawCrumbs(grid.area(), THEMES.mono, crumbs, status);
  return grid.line(0);
}

test('what a view says of itself loses its last parts where it is narrow, and none in the middle', () => {
  const status = '12 calls (1 failed)  3 registrations  4 others';
  assert.match(line(80, ['Calls'], status), / 12 calls \(1 failed\) {2}3 registrations {2}4 others$/);
  assert.match(line(50, ['Calls'], status), / 12 calls \(1 failed\) {2}3 registrations$/);
  assert.match(line(50, ['tunnel 1', 'Calls', 'call 1', 'ladder'], status), / › ladder +12 calls \(1 failed\)$/);
  assert.match(line(30, ['Calls'], status), /^ Calls +12 calls \(1 failed\)$/);
  assert.match(line(12, ['Calls'], 'a single part'), / a sing…/);
});
