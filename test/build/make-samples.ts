/** `npm run samples`: plays the samples anew, with the key log and what is to be expected beside each. */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codes, reportOn } from '../model/support.js';
import { ROOT } from '../support/corpus.js';
import { ENDPOINT_SAMPLES, type EndpointSample, expectationOfEndpoints, played } from './endpoint-samples.js';
import { whyNoPath } from './path-run.js';

const folder = process.argv[2] ?? join(ROOT, 'samples');
/** A run in real time is played again where this machine was too busy to speak in time. */
const TRIES = 5;

async function make(s: EndpointSample): Promise<void> {
  const run = await played(s);
  const found = codes(await reportOn(run.octets, run.keys));
  if (found[0] !== s.finding || (s.onPath !== undefined && found.join() !== ON_PATH.join()))
    throw new Error(`${s.name} shows ${found.join(', ') || 'nothing'}`);
  const stem = join(folder, s.name);
  writeFileSync(`${stem}.pcapng`, run.octets);
  if (run.keys === '') rmSync(`${stem}.keys`, { force: true });
  else writeFileSync(`${stem}.keys`, run.keys);
  writeFileSync(`${stem}.expect.json`, `${JSON.stringify(expectationOfEndpoints(s, run), null, 1)}\n`);
  console.log(`${s.name}.pcapng: ${run.octets.length} octets`);
}

/** All that a lost segment does to speech where nothing else is in its way. */
const ON_PATH = ['tunnel.stall', 'media.head-of-line'];

async function makeOnPath(s: EndpointSample): Promise<void> {
  const why = whyNoPath();
  if (why !== false) {
    console.log(`${s.name}.pcapng: left as it is: ${why}`);
    return;
  }
  for (let n = 1; n < TRIES; n++) {
    const failed = await make(s).then(
      () => undefined,
      (e: Error) => e,
    );
    if (failed === undefined) return;
    console.log(`${failed.message}: once more`);
  }
  await make(s);
}

for (const s of ENDPOINT_SAMPLES) await (s.onPath === undefined ? make(s) : makeOnPath(s));
