import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Grid } from '../../src/tui/cells.js';
import type { Display, DisplayEvents } from '../../src/tui/display.js';
import { Flag, style } from '../../src/tui/style.js';
import { openTerminal } from '../../src/tui/term.js';
import { MemoryTerminal } from './support/terminal.js';

class Notes implements DisplayEvents {
  readonly heard: string[] = [];
  key(key: string): void {
    this.heard.push(key);
  }
  paste(text: string): void {
    this.heard.push(`paste ${text}`);
  }
  mouse(at: { kind: string; x: number; y: number }): void {
    this.heard.push(`${at.kind} ${at.x} ${at.y}`);
  }
  resized(): void {
    this.heard.push('resized');
  }
  lost(): void {
    this.heard.push('lost');
  }
}

async function stage(t: MemoryTerminal, more = {}): Promise<{ display: Display; notes: Notes }> {
  const notes = new Notes();
  const display = await openTerminal(t.options(more), notes);
  await t.settled();
  return { display, notes };
}

/** A grid with lines from its top. */
function gridOf(width: number, height: number, ...lines: readonly string[]): Grid {
  const grid = new Grid(width, height);
  grid.clear(style());
  for (const [y, line] of lines.entries()) grid.area().text(0, y, line, style());
  return grid;
}

test('cells reach the screen with their colours, wide ones in two', async () => {
  const t = new MemoryTerminal(20, 4);
  const { display } = await stage(t);
  const grid = gridOf(20, 4, 'plain ─│ 日本 end');
  grid.area().text(0, 1, 'red on blue', style(9, Flag.bold, 25));
  display.paint(grid, undefined);
  await t.settled();
  assert.equal(t.lines[0], 'plain ─│ 日本 end');
  assert.deepEqual(t.colours(0, 1), [9, 25]);
  assert.deepEqual(t.colours(0, 0), [-1, -1]);
  grid.area().text(0, 0, 'plain ─│ 日x end ', style());
  display.paint(grid, { x: 3, y: 2 });
  await t.settled();
  assert.equal(t.lines[0], 'plain ─│ 日x end');
  assert.deepEqual(t.cursor, { x: 3, y: 2 });
  display.close();
});

test('the terminal is left as it was found', async () => {
  const t = new MemoryTerminal();
  t.output.write('before\r\n');
  const { display } = await stage(t);
  assert.ok(t.alternate && t.raw && t.modes.paste && t.modes.mouse !== 'none');
  display.paint(gridOf(80, 24, 'inside'), undefined);
  await t.settled();
  display.close();
  display.close();
  await t.settled();
  assert.ok(!t.alternate && !t.raw && !t.modes.paste && t.modes.mouse === 'none');
  assert.equal(t.lines[0], 'before');
  assert.ok(t.written.lastIndexOf('\x1b[?25h') > t.written.lastIndexOf('\x1b[?25l'), 'the cursor is seen');
});

test('a mouse that is not wanted is left to the terminal', async () => {
  const t = new MemoryTerminal();
  const { display } = await stage(t, { mouse: false });
  assert.equal(t.modes.mouse, 'none');
  display.close();
});

test('keys, clicks, pasted text and sizes are heard', async () => {
  const t = new MemoryTerminal();
  const { display, notes } = await stage(t);
  await t.type('j\x1b[A\x1b[<0;3;4M\x1b[200~a b\x1b[201~');
  await t.resize(100, 30);
  assert.deepEqual(notes.heard, ['j', 'Up', 'press 2 3', 'paste a b', 'resized']);
  display.paint(gridOf(100, 30, 'x'.repeat(100)), undefined);
  await t.settled();
  assert.equal(t.lines[0], 'x'.repeat(100));
  display.close();
});

test('a terminal that goes away is told once', async () => {
  const t = new MemoryTerminal();
  const { display, notes } = await stage(t);
  t.input.end();
  await t.settled();
  assert.deepEqual(notes.heard, ['lost']);
  display.close();
});

test('hostile text is nothing but text', async () => {
  const t = new MemoryTerminal(60, 6);
  const { display } = await stage(t);
  const hostile =
    '\x1b]0;owned\x07\x1b[2J\x1b[10;10HX\x9b31m\x1bP+q\x1b\\\u202e{red-fg}%s\x0e\r\n\t\x08\u0085\u2028😀\ud83d';
  const from = t.written.length;
  display.paint(gridOf(60, 6, hostile), undefined);
  await t.settled();
  assert.equal(t.lines[0], '·]0;owned··[2J·[10;10HX·31m·P+q·\\·{red-fg}%s·········');
  assert.equal(t.title, '');
  assert.deepEqual(t.lines.slice(1), ['', '', '', '', '']);
  const ours = t.written.slice(from).replace(/\x1b(?:\[[\d;?]*[A-Za-z]|[78=>]|\(B)/g, '');
  assert.doesNotMatch(ours, /[\x00-\x1f\x7f-\x9f]/);
  display.close();
});

test('without UTF-8 nothing but ASCII is written', async () => {
  const t = new MemoryTerminal(30, 3);
  const { display } = await stage(t, { ascii: true });
  display.paint(gridOf(30, 3, 'burst 1 ≤3'), undefined);
  await t.settled();
  assert.equal(t.lines[0], 'burst 1<=3');
  display.paint(gridOf(30, 3, '─ tunnel ─ ▸ 1 › é 日本 …'), undefined);
  await t.settled();
  assert.equal(t.lines[0], '- tunnel - + 1 > ? ? ?  ~');
  assert.match(t.written, /^[\x00-\x7f]*$/);
  display.close();
});
