import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { Stopped } from '../../src/viewer/superseded.js';
import { sample, viewerOn } from '../tui/support/stage.js';

const noPipes = spawnSync('mkfifo', ['--version'], { stdio: 'ignore' }).status !== 0 && 'mkfifo is missing';

describe('writing that is stopped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-stopped-'));
  let viewer: CaptureViewer;
  before(async () => {
    viewer = await viewerOn(sample('03-tls13-aes128-gcm.pcapng'));
  });
  after(async () => {
    await viewer.close();
    rmSync(folder, { recursive: true });
  });

  /** Writes to a path until it is first told how far that is; returns whether the file was there then. */
  async function stopped(path: string): Promise<boolean> {
    const stop = new AbortController();
    let begun = false;
    const progress = (): void => {
      begun = existsSync(path);
      stop.abort();
    };
    const written = viewer.write({ path, what: 'outer', withKeys: false }, { progress, signal: stop.signal });
    await assert.rejects(written, Stopped);
    return begun;
  }

  test('leaves no file', async () => {
    const path = join(folder, 'new.pcapng');
    assert.equal(await stopped(path), true);
    assert.equal(existsSync(path), false);
  });

  test('leaves no part of a file in the place of another', async () => {
    const path = join(folder, 'old.pcapng');
    writeFileSync(path, 'something else');
    assert.equal(await stopped(path), true);
    assert.equal(existsSync(path), false);
  });

  test('takes no named pipe away', { skip: noPipes }, async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await stopped(path);
    assert.ok(statSync(path).isFIFO());
    closeSync(reader);
  });
});
