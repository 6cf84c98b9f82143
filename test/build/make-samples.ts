/** `npm run samples`: builds the samples anew, with the key log and what is to be expected beside each. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/corpus.js';
import { ENDPOINT_SAMPLES, expectationOfEndpoints, played } from './endpoint-samples.js';
import { buildSamples, expectationOf } from './samples.js';

const folder = process.argv[2] ?? join(ROOT, 'samples');

function write(name: string, octets: Uint8Array, keys: string, expectation: object): void {
  const stem = join(folder, name);
  writeFileSync(`${stem}.pcapng`, octets);
  if (keys !== '') writeFileSync(`${stem}.keys`, keys);
  writeFileSync(`${stem}.expect.json`, `${JSON.stringify(expectation, null, 1)}\n`);
  console.log(`${name}.pcapng: ${octets.length} octets`);
}

for (const s of await buildSamples()) write(s.name, s.built.octets, s.keys, expectationOf(s));
for (const s of ENDPOINT_SAMPLES) {
  const p = await played(s);
  write(s.name, p.octets, p.keys, expectationOfEndpoints(s, p));
}
