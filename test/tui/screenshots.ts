/** `npm run screenshots`: pictures of the real screens for the README, from the sample that `fttscope demo` shows. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/corpus.js';
import { Stage, sample, viewerOf } from './support/stage.js';
import { svgOf } from './svg.js';

const SIZE = { width: 110, height: 30 };
const COMMAND = 'fttscope 00-field.pcapng';

/** What is pressed for each picture, and what it shows. */
const PICTURES = [
  { name: 'tunnels', keys: '', title: 'four tunnels, the worst first' },
  { name: 'packets', keys: '2 / sip Enter Down Tab', title: 'a packet that ran inside, its tree and octets' },
  { name: 'ladder', keys: '3 Down Enter Down Down', title: 'why call 2 failed' },
  { name: 'findings', keys: '5', title: 'what is wrong, why, and what to do next' },
  { name: 'media', keys: '4 Down', title: 'a burst of loss' },
  { name: 'statistics', keys: '6', title: 'rates, shares, answers' },
] as const;

const folder = process.argv[2] ?? join(ROOT, 'test/tui/pictures');
mkdirSync(folder, { recursive: true });
for (const { name, keys, title } of PICTURES) {
  const { viewer, fields } = await viewerOf([sample('00-field.pcapng')]);
  const stage = new Stage(viewer, fields, SIZE.width, SIZE.height);
  await stage.settled();
  for (const key of keys.split(' ').filter(Boolean)) {
    if (/^[a-z]{2,}$/.test(key)) await stage.type(key);
    else await stage.press(key);
  }
  // Charts are drawn by a library that is loaded now.
  if (name === 'statistics') await new Promise((done) => setTimeout(done, 1500));
  await stage.settled();
  writeFileSync(join(folder, `${name}.svg`), svgOf(stage.display, `${COMMAND}: ${title}`));
  console.log(`${name}.svg`);
  await stage.end();
}
process.exit(0);
