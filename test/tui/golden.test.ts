import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { extract } from '../../src/cli/commands/extract.js';
import type { ReadOptions } from '../../src/cli/options.js';
import { golden, Stage, sample, stageOf } from './support/stage.js';

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'fttscope-golden-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Compares the screen with the one that was kept. */
function same(s: Stage, name: string): void {
  const { expected, actual } = golden(name, s.text.replaceAll(`${folder}/`, ''));
  assert.equal(actual, expected, `${name}: look at it, and keep it with FTTSCOPE_GOLDEN=write`);
}

/** Takes a screen of a sample at each size. */
async function atEachSize(name: string, file: string, keys: readonly string[]): Promise<void> {
  const s = await Stage.of(file);
  try {
    for (const [w, h] of SIZES) {
      s.resize(w, h);
      await s.settled();
      if (w === SIZES[0][0]) for (const k of keys) await s.press(k);
      same(s, `${name}-${w}x${h}`);
    }
  } finally {
    await s.end();
  }
}

test('tunnels', () => atEachSize('tunnels', '28-overloaded.pcapng', []));
test('packets', () => atEachSize('packets', '20-healthy-call.pcapng', ['2', 'Down Down Down Down']));
test('a bit field in tree and octets', () =>
  atEachSize('bits', '20-healthy-call.pcapng', ['2', 'Tab', 'Up Up', 'Right', 'Down']));
test('packets side by side', () => atEachSize('packets-beside', '20-healthy-call.pcapng', ['2', '|', 'Tab']));
test('help', () => atEachSize('help', '20-healthy-call.pcapng', ['2', '?']));
test('the card of a tunnel', () => atEachSize('tunnel-card', '20-healthy-call.pcapng', ['i']));

/** The first screen of a capture in a state. */
async function state(
  name: string,
  path: string,
  options: Partial<ReadOptions>,
  keys: readonly string[] = [],
): Promise<void> {
  const s = await stageOf([path], options);
  try {
    for (const k of keys) await s.press(k);
    same(s, `state-${name}`);
  } finally {
    await s.end();
  }
}

test('state: no key log', () => state('no-keys', sample('20-healthy-call.pcapng'), { autoKeys: false }));
test('state: no key log, packets', () =>
  state('no-keys-packets', sample('20-healthy-call.pcapng'), { autoKeys: false }, ['2', 'G', 'o']));
test('state: keys that do not match', () => state('wrong-keys', sample('22-wrong-key-log.pcapng'), {}));
test('state: keys of other sessions', () =>
  state('other-keys', sample('20-healthy-call.pcapng'), {
    autoKeys: false,
    keylog: [sample('03-tls13-aes128-gcm.keys')],
  }));
test('state: joined late', () => state('late', sample('16-handshake-missing.pcapng'), {}));
test('state: the proxy refused', () => state('proxy', sample('21-proxy-refuses.pcapng'), {}));
test('state: no match', async () => {
  const s = await Stage.of('20-healthy-call.pcapng');
  try {
    await s.press('2 /');
    await s.type('sip.Method == "NOTIFY"');
    await s.press('Enter');
    await s.until(/0 of 224 packets match/);
    await s.settled();
    same(s, 'state-no-match');
    await s.press('Esc /');
    await s.type('sip.methd');
    same(s, 'state-bad-filter');
  } finally {
    await s.end();
  }
});

test('state: no tunnel, captured behind it', async () => {
  const path = join(folder, 'inner.pcapng');
  await extract([sample('20-healthy-call.pcapng')], {
    autoKeys: true,
    inner: true,
    write: path,
    quiet: true,
  } as ReadOptions);
  await state('no-tunnel', path, {});
});

test('state: empty', async () => {
  const path = join(folder, 'empty.pcap');
  // The header of a pcap file alone: version 2.4, snaplen 262144, Ethernet.
  writeFileSync(path, Buffer.from('d4c3b2a1020004000000000000000000000004000100 0000'.replace(/ /g, ''), 'hex'));
  await state('empty', path, {});
});

test('state: cut', async () => {
  const path = join(folder, 'cut.pcapng');
  process.chdir(folder);
  writeFileSync(path, readFileSync(sample('20-healthy-call.pcapng')).subarray(0, 20_000));
  await state('cut', 'cut.pcapng', { keylog: [sample('20-healthy-call.keys')] });
});

test('every view at every size fits, and says what keys do', async () => {
  const s = await Stage.of('28-overloaded.pcapng');
  try {
    for (const view of '12345678')
      for (const [w, h] of [...SIZES, [60, 16], [41, 9]] as const) {
        s.resize(w, h);
        await s.press(view);
        assert.equal(s.display.lines.length, h);
        for (const line of s.display.lines) assert.ok([...line].length <= w, line);
        const blank = s.display.lines.slice(3, -1).every((l) => l === '');
        assert.ok(!blank, `view ${view} at ${w}x${h} shows nothing`);
        assert.match(s.display.lines.at(-1)!, /\? help$|^ [ix!.] /, `view ${view} at ${w}x${h}`);
      }
  } finally {
    await s.end();
  }
});
