import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { type Json, reportOn } from './support.js';

const sample = (name: string): Buffer => readFileSync(join(ROOT, 'samples', name));

/** What the records of the first tunnel of a sample look like to who has no keys, and to who has them. */
async function cadences(name: string): Promise<Json[]> {
  const keys = sample(`${name}.keys`).toString('latin1');
  const reports = [await reportOn(sample(`${name}.pcapng`)), await reportOn(sample(`${name}.pcapng`), keys)];
  return reports.map((r) => r.tunnels[0].cadence);
}

test('the pace of records tells of a call that nobody can read', async () => {
  const [shut, open] = await cadences('20-healthy-call');
  // tshark -Y tls -T fields -e ip.src: 121 frames of the UE, 116 of the EFTF; the call sends speech each 20 ms for 2 s
  assert.deepEqual([shut.up, shut.down], [121, 116]);
  assert.equal(shut.steady.durationMs, 2000);
  for (const rate of [shut.steady.upPerSecond, shut.steady.downPerSecond]) assert.ok(rate >= 48 && rate <= 52, rate);
  assert.equal(open, undefined);
});

test('a registration does not look like a call', async () => {
  const [shut, open] = await cadences('27-forbidden');
  // tshark -Y tls -T fields -e ip.src
  assert.deepEqual([shut, open], [{ up: 6, down: 6 }, undefined]);
});
