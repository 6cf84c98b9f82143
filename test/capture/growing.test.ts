import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { GrowingFile } from '../../src/capture/growing.js';
import { openGrowing } from '../../src/capture/open.js';
import type { Capture } from '../../src/capture/source.js';
import { ROOT } from '../support/corpus.js';

const octets = readFileSync(join(ROOT, 'samples/20-healthy-call.pcapng'));
/** Frames of the sample, as its recorder counted them. */
const FRAMES: number = JSON.parse(readFileSync(join(ROOT, 'samples/20-healthy-call.expect.json'), 'utf8')).frames;

/** Frames that come until `enough`. */
async function frames(capture: Capture, enough: number): Promise<number> {
  let n = 0;
  while (n < enough) {
    const chunk = await capture.next();
    if (chunk === null) break;
    n += chunk.count;
  }
  return n;
}

suite('a capture that grows', () => {
  test('gives what is there, waits for more, and ends when it is said', async () => {
    const file = new GrowingFile('run', 1 << 20);
    const opening = openGrowing(file.reader);
    assert.equal(file.add(octets.subarray(0, 3)), true);
    assert.equal(file.add(octets.subarray(3, 1000)), true);
    const capture = await opening;
    const first = await frames(capture, 1);
    assert.ok(first > 0 && first < FRAMES);
    const rest = frames(capture, Number.POSITIVE_INFINITY);
    for (let at = 1000; at < octets.length; at += 700) {
      file.add(octets.subarray(at, at + 700));
      if (at % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    file.end();
    assert.equal(first + (await rest), FRAMES);
    assert.deepEqual(capture.damage, []);
    assert.equal(capture.files[0].name, 'run');
    assert.equal(Buffer.compare(capture.octets(1, 100, 50), octets.subarray(100, 150)), 0);
    await capture.close();
    file.close();
  });

  test('is read twice, by two readers', async () => {
    const file = new GrowingFile('run', 1 << 20);
    file.add(octets);
    file.end();
    for (let i = 0; i < 2; i++) {
      const capture = await openGrowing(file.reader);
      assert.equal(await frames(capture, Number.POSITIVE_INFINITY), FRAMES);
      await capture.close();
    }
    file.close();
  });

  test('may be compressed', async () => {
    const file = new GrowingFile('-', 1 << 20);
    const packed = gzipSync(octets);
    file.add(packed.subarray(0, 5000));
    const capture = await openGrowing(file.reader, { spool: true });
    file.add(packed.subarray(5000));
    file.end();
    assert.equal(await frames(capture, Number.POSITIVE_INFINITY), FRAMES);
    await capture.close();
    file.close();
  });

  test('stops at its bound, and says so', () => {
    const file = new GrowingFile('run', 1000);
    assert.equal(file.add(octets.subarray(0, 600)), true);
    assert.equal(file.stopped, undefined);
    assert.equal(file.add(octets.subarray(600, 1200)), false);
    assert.match(file.stopped ?? '', /only 600 octets are kept/);
    assert.equal(file.ended, true);
    assert.equal(file.written, 600);
    file.close();
  });

  test('a reader that is closed waits no longer', async () => {
    const file = new GrowingFile('run', 1 << 20);
    file.add(octets.subarray(0, 1000));
    const capture = await openGrowing(file.reader);
    const all = frames(capture, Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await capture.close();
    assert.ok((await all) < FRAMES);
    file.close();
  });

  test('says when somebody begins the file anew, or puts another in its place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fttscope-test-'));
    try {
      for (const [spoil, said] of [
        [(path: string) => truncateSync(path, 24), 'the file was begun anew (open it again to follow that)'],
        [replaced, 'another file took its name (open it again to follow that)'],
      ] as const) {
        const path = join(folder, 'grows.pcapng');
        writeFileSync(path, octets);
        const fd = openSync(path, 'r');
        const capture = await openGrowing({
          name: 'grows',
          path,
          fd,
          ended: new Int32Array(new SharedArrayBuffer(4)),
        });
        assert.equal(await frames(capture, FRAMES), FRAMES);
        spoil(path);
        assert.equal(await capture.next(), null);
        assert.deepEqual(
          capture.damage.map((d) => d.message),
          [`grows: ${said} at offset ${octets.length}; ${FRAMES} frames were read`],
        );
        await capture.close();
        closeSync(fd);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function replaced(path: string): void {
  renameSync(path, `${path}.1`);
  writeFileSync(path, octets.subarray(0, 100));
}
