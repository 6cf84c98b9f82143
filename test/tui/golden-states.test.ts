import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startersOf } from '../../src/cli/live-start.js';
import type { AppParts } from '../../src/tui/app-parts.js';
import type { Interfaces } from '../../src/tui/interface-dialog.js';
import { Memory } from '../../src/tui/settings.js';
import { Tour } from '../../src/tui/tour.js';
import type { Viewer, ViewerStatus } from '../../src/viewer/viewer.js';
import { golden, Stage, sample, viewerOf } from './support/stage.js';

/* States that are there for a moment or before there is a capture, as somebody has looked at them, at three sizes. */

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

/** A folder of captures that is the same everywhere but for where it is. */
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fttscope-states-')));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'lab'));
writeFileSync(join(folder, 'field.pcapng'), new Uint8Array(72_000));
writeFileSync(join(folder, 'lab', 'call.pcap.gz'), new Uint8Array(900));
writeFileSync(join(folder, 'ue.keys'), '');

/** Compares the screen at each size; where the folder is, and what hangs on the length of its name, is left out. */
async function look(stage: Stage, name: string): Promise<void> {
  for (const [width, height] of SIZES) {
    stage.resize(width, height);
    await stage.settled();
    const { expected, actual } = golden(`${name}-${width}x${height}`, stage.text);
    assert.equal(actual, expected, `${name} at ${width}x${height}`);
    assert.ok(stage.display.lines.every((l) => l.length <= width));
  }
  stage.resize(...SIZES[0]);
  await stage.settled();
}

async function staged(more: Partial<AppParts> = {}, status: Partial<ViewerStatus> = {}): Promise<Stage> {
  const { viewer, fields } = await viewerOf([sample('00-field.pcapng')]);
  const told = (name: string | symbol): unknown => (name === 'status' ? { ...viewer.status, ...status } : undefined);
  const changed = new Proxy<Viewer>(viewer, {
    get(target, name) {
      const value = told(name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const stage = new Stage(changed, fields, ...SIZES[0], more);
  await stage.settled();
  return stage;
}

test('state: reading goes on', async () => {
  const reading = { done: false, read: 71_400_000, size: 210_000_000, frames: 348_211, elapsedMs: 4100 };
  const stage = await staged({}, reading);
  await look(stage, 'state-reading');
  await stage.press('2');
  await look(stage, 'state-reading-packets');
  await stage.press('Esc Esc');
  await look(stage, 'state-reading-esc');
  await stage.end();
});

test('state: reading was stopped', async () => {
  const stage = await staged({}, { cancelled: true, read: 71_400_000, size: 210_000_000, frames: 348_211 });
  await look(stage, 'state-stopped');
  await stage.end();
});

test('recent files, and the captures of a folder', async () => {
  process.chdir(folder);
  const memory = new Memory({ config: '/dev/null/none', state: '/dev/null/none' });
  const opened: string[] = [];
  const stage = await staged({ memory, openFile: (path, keylogs) => opened.push([path, ...keylogs].join()) });
  memory.state.recent.push({ path: sample('20-healthy-call.pcapng'), keylogs: [sample('20-healthy-call.keys')] });
  await stage.press(':');
  await stage.type('open-file');
  await stage.press('Enter');
  assert.match(stage.text, /Open a capture[\s\S]*20-healthy-call\.pcapng .*1 key log[\s\S]*look in/);
  await stage.press('l o o k');
  await stage.press('Down Enter');
  const text = stage.text.replaceAll(folder, 'FOLDER');
  assert.match(text, /\.\.\/[\s\S]*lab\/[\s\S]*field\.pcapng +72 kB/);
  assert.doesNotMatch(text, /ue\.keys/);
  await stage.press('f');
  assert.deepEqual(opened, [join(folder, 'field.pcapng')]);
  await stage.end();
});

/** Interfaces of a machine that was made up. */
const interfaces: Interfaces = {
  list: async () => [
    { name: 'eth0', description: '', addresses: ['192.0.2.2', '2001:db8:2::2'] },
    { name: 'wlan0', description: 'Wi-Fi', addresses: [] },
    { name: 'lo', description: '', addresses: ['127.0.0.1', '::1'] },
    { name: 'any', description: 'all interfaces', addresses: [] },
  ],
  traffic: () => new Map(),
};

test('the choice of an interface, and the lines that start a UE and an EFTF', async () => {
  const starters = { ...startersOf(async () => undefined, undefined), interfaces };
  const stage = await staged({ starters });
  await stage.press('7');
  await stage.press('Enter');
  await look(stage, 'state-start');
  await stage.press('Esc');
  await stage.press(':');
  await stage.type('capture');
  await stage.press('Enter');
  await stage.until(/wlan0/);
  await look(stage, 'state-interfaces');
  await stage.press('Esc');
  for (const [id, typed] of [
    ['ue', 'eftf.example:443 --f'],
    ['eftf', '--l'],
  ] as const) {
    await stage.press(':');
    await stage.type(id);
    await stage.press('Enter');
    await look(stage, `state-${id}-prompt`);
    await stage.type(typed);
    await stage.press('Tab Tab');
    await look(stage, `state-${id}-options`);
    await stage.press('Esc');
  }
  await stage.end();
});

test('the tour of the demo', async () => {
  const stage = await staged({ tour: new Tour() });
  for (const [i, key] of ['Enter', '3', '5', '5', 'e'].entries()) {
    await look(stage, `state-tour-${i + 1}`);
    await stage.press(key);
  }
  await look(stage, 'state-tour-over');
  await stage.end();
});
