import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEntity } from '../../src/model/entities.js';
import { CallsView } from '../../src/tui/calls-view.js';
import { FindingsView } from '../../src/tui/findings-view.js';
import { MediaView } from '../../src/tui/media-view.js';
import { type Story, sinceThen, Told } from '../../src/tui/told.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { storyOf } from './story.js';

test('the first report does not say how long later ones take', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  let asked = 0;
  const status = { ...paperViewer().status, done: false, frames: 10, rows: 10, read: 1000, size: 10_000_000 };
  const story = async (): Promise<Story> => {
    t.mock.timers.setTime(Date.now() + 200); // most of which it takes to begin
    return { whole: false, id: ++asked } as unknown as Story;
  };
  const told = new Told(paperViewer({ status, story }), () => undefined);
  const look = async (read: number, elapsedMs: number): Promise<number> => {
    Object.assign(status, { read, elapsedMs, frames: read / 100 });
    t.mock.timers.setTime(Date.now() + 10_000);
    told.want();
    await new Promise((resolve) => setImmediate(resolve));
    return asked;
  };
  assert.equal(await look(1000, 100), 1);
  assert.equal(await look(1_000_000, 10_000), 2, 'nine times as much is still to be read');
  assert.equal(await look(9_999_000, 100_000), 2, 'it is read before a report would be there');
});

test('what the first report of hardly anything took keeps nobody waiting for the next', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  let asked = 0;
  const status = {
    ...paperViewer().status,
    done: false,
    frames: 1,
    rows: 1,
    read: 1000,
    size: 10_000_000,
    elapsedMs: 10,
  };
  const story = async (): Promise<Story> => {
    t.mock.timers.setTime(Date.now() + 200);
    return { whole: false, id: ++asked } as unknown as Story;
  };
  const told = new Told(paperViewer({ status, story }), () => undefined);
  told.want();
  await new Promise((resolve) => setImmediate(resolve));
  // A third is read; the rest takes as long as twenty reports of it.
  Object.assign(status, { frames: 40_000, rows: 40_000, read: 3_333_333, elapsedMs: 14_000 });
  t.mock.timers.setTime(Date.now() + 5000);
  told.want();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked, 2);
});

test('a report is asked for again when more rows of the same frames are there', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  let asked = 0;
  const status = { ...paperViewer().status, done: false, growing: true, frames: 297, rows: 21 };
  const story = async (): Promise<Story> => ({ whole: false, id: ++asked }) as unknown as Story;
  const told = new Told(paperViewer({ status, story }), () => undefined);
  const answered = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  told.want();
  await answered();
  assert.equal(asked, 1);
  // Somebody looks, and nothing is new.
  told.want();
  t.mock.timers.tick(60_000);
  await answered();
  assert.equal(asked, 1);
  status.rows = 299;
  told.want();
  await answered();
  assert.equal(asked, 2);
});

test('counts of a report say of which frames they are, until they are of all that was read', () => {
  const status = { ...paperViewer().status, done: false, frames: 5000 };
  const counted = (frames: number, whole = false): string => {
    const story = { whole, capture: { files: [{ frames }] } } as unknown as Story;
    return sinceThen(new PaperDesk(paperViewer({ status }), story).desk);
  };
  assert.equal(counted(1234), 'in the first 1,234 frames: ');
  assert.equal(counted(5000), '');
  assert.equal(counted(5000, true), '');
  assert.equal(sinceThen(new PaperDesk(paperViewer({ status })).desk), '', 'there is none yet');
});

test('where the capture was read, and the report is not made, nobody is told that it is still being read', async () => {
  const story = { ...(await storyOf('28-overloaded.pcapng')), calls: [], registrations: [], media: [], findings: [] };
  for (const [done, words] of [
    [false, /the capture is still being read\.$/m],
    [true, /the report is still being made\.$/m],
  ] as const) {
    const viewer = paperViewer();
    Object.assign(viewer.status, { done });
    const desk = new PaperDesk(viewer, { ...story, whole: false }).desk;
    const muted = { codes: new Set<string>(), save: () => undefined };
    for (const view of [new CallsView(desk), new FindingsView(desk, muted), new MediaView(desk)]) {
      view.show({});
      assert.match(drawn(view, 160, 12).join('\n'), words, view.id);
    }
  }
});

test('calls that are over come while a capture is being read, before the next report of it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const call = (id: number, end?: number): CallEntity =>
    ({ id, ...(end !== undefined && { end: { seconds: end, nanos: 0 } }) }) as unknown as CallEntity;
  const over = [[call(2, 20), call(1, 10)], [call(4, 40)]];
  const viewer = paperViewer({
    story: async () => ({ whole: false, calls: [call(1, 10), call(2), call(3)] }) as unknown as Story,
    over: async (from: number) => ({ calls: over[from] ?? [], next: from + (from in over ? 1 : 0) }),
  });
  Object.assign(viewer.status, { done: false });
  let changed = 0;
  const told = new Told(viewer, () => changed++);
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const shown = (): unknown => told.story?.calls.map((c) => [c.id, c.end?.seconds]);
  told.wantCalls();
  await settled();
  assert.equal(shown(), undefined, 'there is nothing to add them to');
  told.want();
  await settled();
  assert.equal(told.hasMoreCalls, false);
  told.wantCalls();
  await settled();
  assert.deepEqual(shown(), [
    [1, 10],
    [2, 20],
    [3, undefined],
    [4, 40],
  ]);
  assert.equal(told.hasMoreCalls, true);
  assert.equal(changed, 2);
  over.push([call(3, 30)]);
  told.wantCalls();
  await settled();
  assert.equal(changed, 2, 'nobody asks again so soon');
  t.mock.timers.tick(1000);
  told.wantCalls();
  await settled();
  assert.deepEqual(
    told.story?.calls.map((c) => c.end?.seconds),
    [10, 20, 30, 40],
  );
  told.forget();
  assert.equal(shown(), undefined);
});
