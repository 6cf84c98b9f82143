import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Viewing } from '../../src/cli/viewing.js';
import { LIMITS } from '../../src/limits.js';
import type { CallEntity } from '../../src/model/entities.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { packedOver, unpackedOver } from '../../src/viewer/story.js';
import { CaptureBuilder } from '../build/capture.js';
import { sip } from '../model/support.js';
import { until } from '../support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'fttscope-over-'));
after(() => rmSync(folder, { recursive: true }));

/** So many calls that are refused, a second after each other. */
function refused(calls: number): Uint8Array {
  const builder = new CaptureBuilder();
  for (let i = 0; i < calls; i++) {
    const p = { callId: `c${i}@10.0.0.2` };
    builder.packet(sip('INVITE sip:bob@ims.example', p), 1000 * i);
    builder.packet(sip('486 Busy Here INVITE', { ...p, toTag: 'x' }, 'down'), 1000 * i + 100);
  }
  return builder.build().octets;
}

test('calls that are over can be had while the rest is read, as the report tells of them', async () => {
  const path = join(folder, 'many.pcapng');
  const calls = 2 * LIMITS.keptCalls;
  writeFileSync(path, refused(calls));
  const viewer = await CaptureViewer.open(await Viewing.of([path], { autoKeys: false }));
  const had: CallEntity[] = [];
  let from = 0;
  let times = 0;
  const look = async (): Promise<void> => {
    for (let more = true; more; ) {
      const { calls, next } = unpackedOver(packedOver(await viewer.over(from)));
      more = calls.length > 0;
      if (more) times++;
      from = next;
      had.push(...calls);
    }
  };
  viewer.onStatus(() => void look());
  await until(() => viewer.status.done);
  await look();
  const story = await viewer.story();
  assert.ok(times > 1, 'not all at once');
  assert.ok(had.length > LIMITS.keptCalls / 2 && had.length < calls, `${had.length}`);
  assert.equal(new Set(had.map((c) => c.id)).size, had.length);
  for (const c of had)
    assert.deepEqual(JSON.parse(JSON.stringify(c)), JSON.parse(JSON.stringify(story.calls[c.id - 1])));
  assert.deepEqual(await viewer.over(0), { calls: [], next: 0 }, 'the report has them all');
  await viewer.close();
});
