import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { openViewer } from '../../src/cli/view.js';
import { Viewing } from '../../src/cli/viewing.js';
import { engineFields } from '../../src/engine/dissect.js';
import { Registry } from '../../src/engine/registry.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { Refused } from '../../src/viewer/remote.js';
import type { Selection, Viewer } from '../../src/viewer/viewer.js';
import { ROOT } from '../support/corpus.js';
import { tshark, tsharkMissing } from '../support/tshark.js';

const SAMPLE = join(ROOT, 'samples/03-tls13-aes128-gcm.pcapng');
const registry = new Registry(dissectors, engineFields);

const ready = (viewer: Viewer): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (viewer.status.done) resolve();
    };
    viewer.onStatus(look);
    look();
  });

const all = (s: Selection): Promise<number[]> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      if (!s.done) return;
      if (s.error !== undefined) reject(new Error(s.error));
      else resolve(Array.from({ length: s.count }, (_, i) => s.at(i)));
    };
    s.onMore(look);
    look();
  });

suite('the engine in its own thread', () => {
  let viewer: Viewer;
  let folder = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fttscope-test-'));
    viewer = await openViewer({ captures: [SAMPLE], options: { autoKeys: true } }, registry);
    await ready(viewer);
  });
  after(async () => {
    await viewer.close();
    rmSync(folder, { recursive: true });
  });

  test('has the rows, trees and report of the same thread', async () => {
    const here = await CaptureViewer.open(await Viewing.of([SAMPLE], { autoKeys: true }));
    await ready(here);
    assert.equal(viewer.rows.count, here.rows.count);
    for (let row = 0; row < here.rows.count; row += 13) {
      assert.equal(viewer.rows.id(row), here.rows.id(row));
      assert.equal(viewer.rows.info(row), here.rows.info(row));
      assert.equal(viewer.rows.source(row), here.rows.source(row));
      const [theirs, ours] = [await viewer.detail(row), await here.detail(row)];
      assert.deepEqual(theirs.nodes, ours.nodes);
      assert.deepEqual(
        theirs.sources.map((s) => Buffer.from(s.octets).toString('hex')),
        ours.sources.map((s) => Buffer.from(s.octets).toString('hex')),
      );
    }
    assert.deepEqual(await viewer.report(), await here.report());
    // Members that are put aside come as if they were at hand.
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    const [theirs, ours] = [await viewer.story(), await here.story()];
    assert.deepEqual(plain(theirs), plain(ours));
    assert.deepEqual(theirs.seen, ours.seen);
    assert.deepEqual(plain(theirs), plain({ ...(await here.report()), seen: {}, whole: true }));
    await here.close();
  });

  test('chooses by columns and by filters', async () => {
    const { rows } = viewer;
    const inner = await all(viewer.select({ kind: 'inner' }));
    assert.ok(inner.length > 0 && inner.every((row) => rows.inner(row) > 0));
    const sip = await all(viewer.select({ kind: 'both', filter: 'sip' }));
    assert.deepEqual(
      sip,
      Array.from({ length: rows.count }, (_, row) => row).filter((row) => rows.protocol(row).startsWith('SIP')),
    );
    const none = await all(viewer.select({ kind: 'inner', filter: 'sip', tunnels: [99] }));
    assert.deepEqual(none, []);
    const few = await all(viewer.select({ kind: 'both', rows: [rows.id(7), rows.id(3)] }));
    assert.deepEqual(few, [3, 7]);
  });

  test('says what is wrong with a filter', () => {
    assert.equal(viewer.check('sip.Method == "INVITE"'), null);
    assert.match(String(viewer.check('sip.method')), /sip\.Method/);
  });

  test('refuses a row for the sake of a newer one', async () => {
    const asked = Array.from({ length: 20 }, (_, i) => viewer.detail(viewer.rows.count - 1 - i));
    const settled = await Promise.allSettled(asked);
    assert.equal(settled[settled.length - 1].status, 'fulfilled');
  });

  test('follows the conversation of a row', async () => {
    const [row] = await all(viewer.select({ kind: 'inner', filter: 'sip.Method == "INVITE"' }));
    const { pieces, title, cut } = await viewer.follow(row, 'payload');
    assert.match(title, /^UDP /);
    assert.equal(cut, false);
    assert.match(Buffer.from(pieces[0].octets).toString(), /^[A-Z]+ .* SIP\/2\.0\r\n|^SIP\/2\.0 /);
    const envelopes = await viewer.follow(row, 'envelopes');
    assert.equal(envelopes.pieces[0].octets[0], 1);
  });

  test('follows the connection of a tunnel without a hole', async () => {
    const [row] = await all(viewer.select({ kind: 'both', filter: 'tls.handshake.type == 1' }));
    const { pieces, title } = await viewer.follow(row, 'payload');
    assert.match(title, /^TCP .*:443$/);
    for (const side of [0, 1]) {
      const octets = Buffer.concat(pieces.filter((p) => p.side === side).map((p) => p.octets));
      let [at, data] = [0, 0];
      // RFC 8446 §5.1: type, version, length, and what it says of octets; then the next record.
      for (; at < octets.length; at += 5 + octets.readUInt16BE(at + 3)) if (octets[at] === 23) data++;
      assert.equal(at, octets.length);
      assert.ok(data > 10, `${data} records of data`);
    }
  });

  test('follows the envelopes where a carried packet has no ports', async () => {
    const [row] = await all(viewer.select({ kind: 'inner', filter: 'icmpv6' }));
    const { pieces, title } = await viewer.follow(row, 'payload');
    assert.match(title, /^Envelopes of tunnel 1$/);
    for (const { octets } of pieces) assert.equal(Buffer.from(octets).readUInt16BE(1), octets.length);
  });

  test('writes rows that tshark reads', { skip: tsharkMissing }, async () => {
    const path = join(folder, 'inner.pcapng');
    const rows = Uint32Array.from(await all(viewer.select({ kind: 'inner', filter: 'sip' })));
    const parts: number[] = [];
    const watch = { progress: (part: number) => void parts.push(part), signal: new AbortController().signal };
    assert.equal(await viewer.write({ path, what: 'inner', withKeys: false, rows }, watch), rows.length);
    assert.ok(parts.length > 0 && parts.every((p) => p >= 0 && p <= 1), parts.join());
    const lines = (await tshark(['-r', path])).trim().split('\n');
    assert.equal(lines.length, rows.length);
  });

  test('reads again with other rules, and without the keys that it had', async () => {
    const bad = join(folder, 'nothing.keys');
    writeFileSync(bad, '');
    const other = await openViewer({ captures: [SAMPLE], options: { autoKeys: false } }, registry);
    await ready(other);
    assert.equal((await all(other.select({ kind: 'inner' }))).length, 0);
    const again = new Promise<void>((resolve) => {
      other.onStatus(() => other.status.done && other.status.keys.used > 0 && resolve());
    });
    const began = performance.now();
    await other.reopen({ keylog: [SAMPLE.replace(/pcapng$/, 'keys')] });
    await again;
    // The time of the first reading, and what was between, is not counted.
    assert.ok(other.status.elapsedMs <= performance.now() - began);
    assert.equal(
      (await all(other.select({ kind: 'inner' }))).length,
      (await all(viewer.select({ kind: 'inner' }))).length,
    );
    await other.close();
  });

  test('says why a capture cannot be opened', async () => {
    const path = join(folder, 'no-capture');
    writeFileSync(path, 'hello');
    await assert.rejects(openViewer({ captures: [path], options: { autoKeys: true } }, registry), Refused);
    const missing = join(folder, 'missing.pcap');
    await assert.rejects(openViewer({ captures: [missing], options: { autoKeys: true } }, registry), /missing\.pcap/);
  });
});
