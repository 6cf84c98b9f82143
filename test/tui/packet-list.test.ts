import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gaps } from '../../src/tui/gaps.js';
import { PacketList } from '../../src/tui/packet-list.js';
import { Rows } from '../../src/viewer/rows.js';
import { Selected } from '../../src/viewer/selected.js';
import { NOTHING_READ, type Viewer } from '../../src/viewer/viewer.js';

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
