import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Grid } from '../../src/tui/cells.js';
import type { Flow } from '../../src/tui/flows.js';
import { LadderPane } from '../../src/tui/ladder-pane.js';
import { themeFor } from '../../src/tui/theme.js';

const at = { seconds: 1, nanos: 0 };
const theme = themeFor('dark', 16);

/** A ladder of one message between two columns, drawn. */
function drawn(text: string, width: number): Grid {
  const flow: Flow = {
    title: '',
    columns: [
      { title: 'UE', address: '10.0.0.2' },
      { title: 'P-CSCF', address: '10.9.0.1' },
    ],
    items: ['INVITE', text].map((text) => ({
      kind: 'arrow',
      at,
      row: '12.1',
      from: 0,
      to: 1,
      text,
      what: 'request',
      again: 0,
    })),
    dropped: 0,
    dialogue: [0, 0],
  };
  const pane = new LadderPane(() => []);
  pane.set(flow);
  const grid = new Grid(width, 5);
  pane.draw(grid.area(), { theme, focus: false, time: 'r', byDialogue: false, chosen: [] });
  return grid;
}

const NAMES = [
  'Zá̸͇lg̷o̶',
  '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}',
  '李小龍',
  '\u1112\u1161\u11ab \u1161',
  '﷽',
  'a\u00adb',
  '\x1b[31m',
];

test('an arrow ends at its column whatever its words are made of', () => {
  for (const width of [60, 80, 120])
    for (const name of [...NAMES, ...NAMES.map((n) => n.repeat(30))]) {
      const grid = drawn(`603 ${name}`, width);
      const edges = [2, 3].map((y) => grid.chars.slice(y * width, (y + 1) * width).lastIndexOf('│'));
      assert.equal(edges[1], edges[0], `${width}: ${grid.line(3)}`);
    }
});

test('the lines of columns and the number of the packet are faint, and nothing else', () => {
  const width = 100;
  for (const name of NAMES) {
    const grid = drawn(`603 ${name}`, width);
    for (let x = 11; x < width; x++) {
      const char = grid.chars[3 * width + x];
      const faint = grid.styles[3 * width + x] === theme.dim;
      if (char === '│' || (/[\d.]/.test(char) && x > 60)) assert.ok(faint, `${x}: ${grid.line(3)}`);
      else if (char !== ' ') assert.ok(!faint, `${x}: ${grid.line(3)}`);
    }
  }
});
