import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gaps } from '../../src/tui/gaps.js';
import { PacketList } from '../../src/tui/packet-list.js';
import { Rows } from '../../src/viewer/rows.js';
import { Selected } from '../../src/viewer/selected.js';
import { type Choice, NOTHING_READ, type Viewer } from '../../src/viewer/viewer.js';
import { Stage } from './support/stage.js';

/** A list of a capture that is being read: `add` reads so many rows more, of which all are listed. */
function reading(growing: boolean) {
  const rows = new Rows();
  const selection = new Selected({ kind: 'both' }, () => undefined);
  const status = { ...NOTHING_READ, growing };
  const viewer = { rows, status, select: () => selection, onStatus: () => undefined } as unknown as Viewer;
  const packets = new PacketList(viewer, () => undefined, [], new Gaps(rows, () => undefined));
  packets.choose({});
  const add = (n: number, isEnd = false): number => {
    for (let i = 0; i < n; i++) selection.push(rows.count++);
    selection.seen = rows.count;
    selection.done = isEnd;
    selection.tell();
    packets.list.fitTo(5);
    return packets.list.cursor;
  };
  return { packets, add };
}

test('G while a capture is read stays at the end until that is the end of the capture', () => {
  const { packets, add } = reading(false);
  add(10);
  packets.run('bottom');
  assert.equal(add(10), 19);
  assert.equal(packets.words, 'at the end  20 / 20');
  assert.equal(add(5, true), 24);
  assert.equal(packets.words, '25 / 25');
});

test('whoever moves away from the end is not brought back', () => {
  for (const away of ['up', 'top', 'half-up'] as const) {
    const { packets, add } = reading(false);
    add(10);
    packets.run('bottom');
    packets.run(away);
    const { cursor } = packets.list;
    assert.equal(add(10), cursor);
    assert.equal(add(1, true), cursor);
  }
  const { packets, add } = reading(false);
  add(10);
  packets.run('bottom');
  packets.go(3);
  assert.equal(add(10, true), 3);
});

test('a filter says how far it is through what was read, and in the end how long it took', () => {
  const rows = new Rows();
  rows.count = 300;
  const all = new Selected({ kind: 'both' }, () => undefined);
  const some = new Selected({ kind: 'both' }, () => undefined);
  for (let row = 0; row < 300; row++) all.push(row);
  all.done = true;
  const status = { ...NOTHING_READ, done: true };
  const select = ({ filter }: Choice) => (filter === undefined ? all : some);
  const viewer = { rows, status, select, onStatus: () => undefined } as unknown as Viewer;
  const packets = new PacketList(viewer, () => undefined, [], new Gaps(rows, () => undefined));
  packets.choose({});
  packets.choose({ filter: 'sip' });
  some.push(7);
  some.seen = 200;
  some.tell();
  assert.equal(packets.words, '1 of 300 so far, 66 %');
  some.done = true;
  some.tell();
  assert.match(packets.words, /^1 of 300 {2}\d+ ms$/);
  status.done = false;
  some.done = false;
  assert.equal(packets.words, '1 of 300 so far');
});

test('what grows has no end: G goes to the last packet so far, F follows', () => {
  const { packets, add } = reading(true);
  add(10);
  packets.run('bottom');
  assert.equal(add(10), 9);
  packets.toggleTail();
  assert.equal(add(10), 29);
  packets.go(4);
  assert.equal(add(10), 4, 'a jump ends it');
});

test('> and < go from mark to mark, and round', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  const pressed = async (keys: string): Promise<string> => {
    await stage.press(keys);
    return stage.text.match(/(\d+) \/ 15/)![1];
  };
  assert.equal(await pressed('2 >'), '1');
  assert.match(stage.text, /no packet is marked that is listed; m and a letter marks one/);
  assert.equal(await pressed('Down m a Down Down m b G'), '15');
  assert.deepEqual([await pressed('<'), await pressed('<'), await pressed('<')], ['4', '2', '4']);
  assert.match(stage.text, /past the first line: on from the end/);
  assert.equal(await pressed('>'), '2');
  assert.equal(await pressed('m a >'), '4', 'b is left');
  await stage.end();
});
