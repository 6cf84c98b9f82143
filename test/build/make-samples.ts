/** `npm run samples`: builds the samples anew, with the key log and what is to be expected beside each. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/corpus.js';
import { buildSamples, expectationOf } from './samples.js';

const folder = process.argv[2] ?? join(ROOT, 'samples');
for (const s of await buildSamples()) {
  const stem = join(folder, s.name);
  writeFileSync(`${stem}.pcapng`, s.built.octets);
  if (s.keys !== '') writeFileSync(`${stem}.keys`, s.keys);
  writeFileSync(`${stem}.expect.json`, `${JSON.stringify(expectationOf(s), null, 1)}\n`);
  console.log(`${s.name}.pcapng: ${s.built.frames.length} frames, ${s.built.octets.length} octets`);
}
