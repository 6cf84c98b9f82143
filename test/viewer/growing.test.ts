import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { GrowingFile } from '../../src/capture/growing.js';
import { PcapngWriter } from '../../src/capture/writer.js';
import { Viewing } from '../../src/cli/viewing.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { ROOT } from '../support/corpus.js';
import { until } from '../support/until.js';

const sample = join(ROOT, 'samples/20-healthy-call.pcapng');
const keys = join(ROOT, 'samples/20-healthy-call.keys');
const octets = readFileSync(sample);
/** Frames, and envelopes of both directions, as both ends counted them. */
const { frames: FRAMES, envelopes: both } = JSON.parse(readFileSync(sample.replace('.pcapng', '.expect.json'), 'utf8'));
const ENVELOPES = both.up + both.down;

const folder = mkdtempSync(join(tmpdir(), 'fttscope-growing-'));
after(() => rmSync(folder, { recursive: true }));

/** A viewer of a file that grows. */
async function viewerOf(file: GrowingFile, keylog: string[]): Promise<CaptureViewer> {
  return CaptureViewer.open(await Viewing.of(['-'], { autoKeys: true, keylog }, file.reader));
}

const envelopes = ({ status }: CaptureViewer): number => status.tunnels.reduce((n, t) => n + t.up + t.down, 0);

suite('the engine behind a capture that grows', () => {
  test('shows the last packets though no other comes', async () => {
    const file = new GrowingFile('run', 1 << 20);
    file.add(octets.subarray(0, 200));
    const viewer = await viewerOf(file, [keys]);
    await until(() => viewer.status.growing && viewer.status.files.length === 1);
    file.add(octets.subarray(200));
    await until(() => viewer.status.frames === FRAMES);
    assert.equal(envelopes(viewer), ENVELOPES);
    assert.equal(viewer.status.done, false);
    assert.equal(viewer.status.late, false);
    file.end();
    await until(() => viewer.status.done);
    assert.equal(viewer.status.growing, false);
    await viewer.close();
    file.close();
  });

  test('keys that come late open what was passed over, once it is read again', async () => {
    const log = join(folder, 'late.keys');
    const file = new GrowingFile('run', 1 << 20);
    file.add(octets);
    const viewer = await viewerOf(file, [log]);
    await until(() => viewer.status.frames === FRAMES);
    assert.equal(envelopes(viewer), 0);
    writeFileSync(log, `CLIENT_RANDOM ${'00'.repeat(32)} ${'11'.repeat(48)}\n`);
    await until(() => viewer.status.keys.lines === 1);
    assert.equal(viewer.status.late, false); // another session's
    appendFileSync(log, readFileSync(keys));
    await until(() => viewer.status.late);
    await viewer.reopen({});
    await until(() => !viewer.status.late && viewer.status.frames === FRAMES);
    assert.equal(envelopes(viewer), ENVELOPES);
    file.end();
    await until(() => viewer.status.done);
    await viewer.close();
    file.close();
  });

  test('a Decryption Secrets Block behind what it opens does the same, and is saved with it', async () => {
    const file = new GrowingFile('run', 1 << 20);
    file.add(octets);
    const viewer = await viewerOf(file, []);
    await until(() => viewer.status.frames === FRAMES);
    const block = join(folder, 'block.pcapng');
    const writer = new PcapngWriter(block);
    writer.secrets(readFileSync(keys, 'latin1'));
    writer.end();
    file.add(readFileSync(block));
    file.add(octets);
    await until(() => viewer.status.late);
    await viewer.reopen({});
    await until(() => !viewer.status.late && viewer.status.frames === 2 * FRAMES);
    assert.ok(envelopes(viewer) >= ENVELOPES);
    const path = join(folder, 'saved.pcapng');
    assert.equal(await viewer.write({ path, what: 'outer', withKeys: true }), 2 * FRAMES);
    file.end();
    await until(() => viewer.status.done);
    const { rows } = viewer;
    const ids = Array.from({ length: rows.count }, (_, i) => rows.id(i));
    await viewer.close();
    file.close();
    const again = await CaptureViewer.open(await Viewing.of([path], { autoKeys: true }));
    await until(() => again.status.done);
    assert.deepEqual(
      Array.from({ length: again.rows.count }, (_, i) => again.rows.id(i)),
      ids,
    );
    await again.close();
  });
});
