import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Grid } from '../../src/tui/cells.js';
import { type Dialogue, partiesOf } from '../../src/tui/dialog-list.js';
import { List } from '../../src/tui/list.js';
import { THEMES } from '../../src/tui/style.js';
import { type Column, layOut, Table } from '../../src/tui/table.js';

const look = { theme: THEMES.mono, focus: true };

/** Draws a list and returns the numbers of the lines that were asked for. */
function drawn(list: List, height: number): number[] {
  const asked: number[] = [];
  list.draw(new Grid(20, height).area(), look, (_area, line) => asked.push(line));
  return asked;
}

test('only lines in sight are asked for, of a list of any length', () => {
  const list = new List(() => 50_000_000);
  assert.deepEqual(drawn(list, 3), [0, 1, 2]);
  list.run('bottom');
  assert.deepEqual(drawn(list, 3), [49_999_997, 49_999_998, 49_999_999]);
});

test('the cursor stays in sight, pages overlap by a line', () => {
  const list = new List(() => 100);
  drawn(list, 10);
  list.run('page-down');
  assert.equal(list.cursor, 9);
  list.run('page-down');
  assert.deepEqual(drawn(list, 10).at(-1), 18);
  list.run('half-up');
  assert.equal(list.cursor, 14);
  list.scroll(50);
  assert.ok(drawn(list, 10).includes(list.cursor));
});

test('a list that gets shorter, or empty, is no trouble', () => {
  let n = 100;
  const list = new List(() => n);
  list.run('bottom');
  drawn(list, 10);
  n = 3;
  assert.deepEqual(drawn(list, 10), [0, 1, 2]);
  assert.equal(list.cursor, 2);
  n = 0;
  assert.deepEqual(drawn(list, 10), []);
  assert.equal(list.lineAt(0), -1);
});

test('following the end goes on until somebody moves up', () => {
  let n = 5;
  const list = new List(() => n);
  list.tail = true;
  drawn(list, 3);
  n = 9;
  drawn(list, 3);
  assert.equal(list.cursor, 8);
  list.run('up');
  n = 12;
  drawn(list, 3);
  assert.equal(list.cursor, 7);
});

const column = (id: string, min: number, max: number, priority: number, grow?: true): Column<string> => ({
  id,
  title: id,
  min,
  max,
  priority,
  ...(grow === true && { grow }),
  text: (s) => s,
  key: (s) => s,
});

test('columns that do not fit are left out by priority; what is left is shared', () => {
  const columns = [column('a', 4, 10, 0), column('b', 6, 6, 2), column('c', 5, 40, 1, true)];
  const at = (width: number): string =>
    layOut(columns, width, (c) => c.max)
      .map((l) => `${l.column.id}${l.x}+${l.width}`)
      .join(' ');
  assert.equal(at(12), 'a0+6 c7+5');
  assert.equal(at(30), 'a0+10 b11+6 c18+12');
  assert.equal(at(3), 'a0+3');
});

test('less important columns go before one that is to be whole', () => {
  const columns = [column('a', 4, 10, 0), { ...column('b', 4, 9, 2), whole: true as const }, column('c', 5, 5, 3)];
  const at = (width: number): string =>
    layOut(columns, width, (c) => c.max)
      .map((l) => `${l.column.id}${l.x}+${l.width}`)
      .join(' ');
  assert.equal(at(20), 'a0+4 b5+9 c15+5');
  assert.equal(at(19), 'a0+9 b10+9');
  assert.equal(at(13), 'a0+8 b9+4', 'where it cannot be whole it is as others');
});

test('both parties of a dialog are told, however narrow the column is', () => {
  const call = (fromUri: string, toUri: string): Dialogue =>
    ({ kind: 'call', entity: { fromUri, toUri }, media: [] }) as unknown as Dialogue;
  const numbers = call('sip:+15550100@ims.example', 'sip:+15550199@ims.example');
  assert.equal(partiesOf(numbers), '+15550100 → +15550199');
  assert.equal(partiesOf(numbers, 21), '+15550100 → +15550199');
  assert.equal(partiesOf(numbers, 14), '+15…00 → +1…99');
  assert.equal(partiesOf(call('sip:bob@a.example', 'sip:+15550199@a.example'), 12), 'bob → +15…99');
});

test('what lines are sorted by is asked for once a line', () => {
  let asked = 0;
  const key = (item: string): string => {
    asked++;
    return item;
  };
  const table = new Table([{ ...column('a', 4, 10, 0), key }]);
  table.set(Array.from({ length: 1000 }, (_, i) => `${(i * 7919) % 1000}`));
  table.sortNext();
  assert.equal(asked, 1000);
  assert.equal(table.items[0], '0');
});

test('addresses are sorted by their octets, as in Wireshark, and numbers in a text by what they count', () => {
  const order = (...items: readonly string[]): readonly string[] => {
    const table = new Table([column('a', 4, 10, 0)]);
    table.set(items);
    table.sortNext();
    return table.items;
  };
  const hosts = ['9.0.0.1', '10.0.0.9', '10.0.0.20', '2001:db8::9', '2001:db8::f', '2001:db8::10', 'eftf.example'];
  assert.deepEqual(order(...[...hosts].reverse()), hosts);
  const ends = ['192.0.2.7:9', '192.0.2.7:443', '192.0.2.11:80', '[2001:db8::7]:443', '[2001:db8::11]:80'];
  assert.deepEqual(order(...[...ends].reverse()), ends);
  assert.deepEqual(order('ue10@a.example', 'ue9@a.example', ''), ['', 'ue9@a.example', 'ue10@a.example']);
});

test('a column that has no value in any line leaves its cells to the others', () => {
  const table = new Table<string>([
    { ...column('a', 4, 10, 0), text: (v) => v },
    { ...column('b', 2, 2, 1), title: '', ifAny: true, text: (v) => (v.startsWith('10') ? '>P' : '') },
  ]);
  const shown = (...items: string[]): string => {
    table.set(items);
    const grid = new Grid(9, 3);
    table.draw(grid.area(), look);
    return grid.line(1);
  };
  assert.equal(shown('192.0.2.1').trimEnd(), '192.0.2.1');
  assert.equal(shown('10.0.2.1').trimEnd(), '10.0.… >P');
});

test('sorting keeps the cursor on its line', () => {
  const table = new Table([column('a', 4, 10, 0)]);
  table.set(['c', 'a', 'b']);
  table.run('top');
  assert.equal(table.sortNext(), 'by a');
  assert.deepEqual(table.items, ['a', 'b', 'c']);
  assert.equal(table.current, 'c');
  table.sortNext();
  assert.deepEqual(table.items, ['c', 'b', 'a']);
  table.sortNext();
  assert.deepEqual(table.items, ['c', 'a', 'b']);
});
