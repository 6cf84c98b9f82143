import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Story, Told } from '../../src/tui/told.js';
import { paperViewer } from './desk.js';

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
