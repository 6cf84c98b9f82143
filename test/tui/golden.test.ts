import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { extract } from '../../src/cli/commands/extract.js';
import type { ReadOptions } from '../../src/cli/options.js';
import { Viewing } from '../../src/cli/viewing.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { CaptureBuilder } from '../build/capture.js';
import { at } from '../build/packets.js';
import { tlsConversation } from '../build/tls.js';
import { until } from '../support/until.js';
import { golden, Stage, sample, stageOf } from './support/stage.js';

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'fttscope-golden-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A pcapng file of one section without its first frames. */
function withoutFrames(file: Buffer, frames: number): Buffer {
  const kept: Buffer[] = [];
  for (let off = 0, n = 0; off < file.length; ) {
    const length = file.readUInt32LE(off + 4);
    const isFrame = file.readUInt32LE(off) === 6;
    if (!isFrame || n++ >= frames) kept.push(file.subarray(off, off + length));
    off += length;
  }
  return Buffer.concat(kept);
}

/** Compares the screen with the one that was kept. */
function same(s: Stage, name: string): void {
  const { expected, actual } = golden(
    name,
    s.text.replaceAll(`${folder}/`, '').replace(/^ \d\d:\d\d:\d\d /gm, ' hh:mm:ss '),
  );
  assert.equal(actual, expected, `${name}: look at it, and keep it with FTTSCOPE_GOLDEN=write`);
}

/** Compares what is on the screen at each size. */
async function eachSize(s: Stage, name: string): Promise<void> {
  for (const [w, h] of SIZES) {
    s.resize(w, h);
    await s.settled();
    same(s, `${name}-${w}x${h}`);
  }
  s.resize(...SIZES[0]);
  await s.settled();
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

/** A screen of a capture in a state, at each size. */
async function state(
  name: string,
  path: string,
  options: Partial<ReadOptions>,
  keys: readonly string[] = [],
): Promise<void> {
  const s = await stageOf([path], options);
  try {
    for (const k of keys) await s.press(k);
    await eachSize(s, `state-${name}`);
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
test('state: joined late, TLS 1.3: the record number is searched for', async () => {
  const path = join(folder, 'late13.pcapng');
  writeFileSync(path, withoutFrames(readFileSync(sample('03-tls13-aes128-gcm.pcapng')), 9));
  await state('late-13', path, { keylog: [sample('03-tls13-aes128-gcm.keys')] }, ['Enter']);
});
test('state: a gap, in the list', () => state('gap-packets', sample('00-field.pcapng'), {}, ['Down', 'Enter', 'G']));
test('state: a gap, under the cursor', () =>
  state('gap-line', sample('00-field.pcapng'), {}, ['Down', 'Enter', 'G', 'Up Up']));
test('state: envelopes of TS 24.302', async () => {
  // Annex F: Length of two octets, then the packet; here IKE with its non-ESP marker.
  const ike = Uint8Array.from(
    { length: 28 },
    (_, i) => [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 33, 32, 34, 8][i] ?? 0,
  );
  const framed = Uint8Array.from([0, 34, 0, 0, 0, 0, ...ike.with(27, 28)]);
  const tls = await tlsConversation([{ side: 0, plain: framed }], {
    version: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    certificate: 'ec',
  });
  const built = new CaptureBuilder({ epoch: 1_772_355_600 })
    .connection(tls, { client: at('192.0.2.7', 40_001), server: at('198.51.100.1', 443), start: 20, step: 20 })
    .build();
  const path = join(folder, 'annex-f.pcapng');
  writeFileSync(path, built.octets);
  writeFileSync(join(folder, 'annex-f.keys'), built.keylog);
  await state('annex-f', path, {});
});
test('state: a dissector fails', async () => {
  const viewing = await Viewing.of([sample('20-healthy-call.pcapng')], { autoKeys: true });
  const { registry } = viewing;
  const dhcp = registry.dissectors.find((d) => d.proto === 'dhcp')!;
  const faulty = {
    ...dhcp,
    dissect: () => {
      throw new TypeError('on purpose');
    },
  };
  for (const port of [67, 68]) registry.assign('udp.port', port, faulty);
  const viewer = await CaptureViewer.open(viewing);
  await until(() => viewer.status.done);
  const s = new Stage(viewer, registry);
  try {
    await s.settled();
    await s.press('2');
    await eachSize(s, 'state-fault');
    await s.press('8');
    await eachSize(s, 'state-fault-log');
  } finally {
    await s.end();
  }
});
test('state: a small terminal shows one pane', async () => {
  const s = await Stage.of('20-healthy-call.pcapng', 60, 16);
  try {
    await s.press('2');
    same(s, 'state-small-60x16');
    await s.press('Tab');
    same(s, 'state-small-tree-60x16');
  } finally {
    await s.end();
  }
});
test('state: the proxy refused', () => state('proxy', sample('21-proxy-refuses.pcapng'), {}));
test('state: no match', async () => {
  const s = await Stage.of('20-healthy-call.pcapng');
  try {
    await s.press('2 /');
    await s.type('sip.Method == "NOTIFY"');
    await s.press('Enter');
    await s.until(/0 of \d+ packets match/);
    await s.settled();
    await eachSize(s, 'state-no-match');
    await s.press('Esc /');
    await s.type('sip.methd');
    await eachSize(s, 'state-bad-filter');
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
