import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Grid } from '../../src/tui/cells.js';
import { drawCrumbs, drawTabs, tabAt } from '../../src/tui/chrome.js';
import { THEMES } from '../../src/tui/style.js';
import { VIEWS, type View } from '../../src/tui/view.js';

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

test('how many findings are bad is said at any width, also where they are thousands', () => {
  const badges: Record<string, string> = { tunnels: '(64)', calls: '(1 failed)', findings: '(2,627)' };
  const views = VIEWS.map((id) => ({ id, title: id.replace(/^./, (c) => c.toUpperCase()), badge: () => badges[id] }));
  const tabs = (width: number, open = 0): string => {
    const grid = new Grid(width, 1);
    drawTabs(grid.area(), THEMES.mono, views as unknown as View[], views[open] as unknown as View);
    return grid.line(0);
  };
  assert.match(tabs(120), /1 Tunnels\(64\) .*3 Calls\(1 failed\) .*5 Findings\(2,627\) /);
  for (const width of [80, 90]) assert.match(tabs(width), /2 Packets .*5 Findings\(2,627\) +6 /, `${width}`);
  for (const width of [44, 60]) assert.match(tabs(width), /^ 1 Tunnels {2}2 .*5\(2,627\) {2}6 /, `${width}`);
  assert.match(tabs(40), /^ 1 Tunnels .* 8$/);
  for (const width of [40, 60, 80, 120])
    for (const [i, v] of views.entries()) {
      const x = tabs(width, 1).indexOf(` ${i + 1}`);
      assert.equal(tabAt(views as unknown as View[], views[1] as unknown as View, width, x), v, `${width} ${v.id}`);
    }
});
