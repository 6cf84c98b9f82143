import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LINKTYPES, type Link } from '../build/link.js';
import { at } from '../build/packets.js';
import { read } from '../build/read.js';
import { snaplen } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { CORPUS, corpusMissing, ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';
import { agree } from '../support/way-down.js';
import { ENDS, one } from './one.js';

/** Reads every capture of a folder. */
async function folder(path: string): Promise<void> {
  let packets = 0;
  for (const file of readdirSync(path)) {
    if (!/\.pcap(ng)?$/.test(file)) continue;
    const keys = join(path, file.replace(/\.pcap(ng)?$/, '.keys'));
    const keylog = existsSync(keys) ? [readFileSync(keys, 'latin1')] : [];
    await forRows(join(path, file), { keylog }, (row) => {
      packets += agree(row, file);
    });
  }
  assert.ok(packets > 1000, `${packets} packets`);
}

describe('the way down that peek finds is the one that dissect shows', () => {
  test('samples', () => folder(join(ROOT, 'samples')));
  test('tunnel captures', { skip: corpusMissing('tunnel') }, () => folder(join(CORPUS, 'tunnel')));
  test('every link layer, IPv4, IPv6, fragments, frames that are cut', async () => {
    const six = { client: at('2001:db8:1::10', 40_000), server: at('2001:db8:2::1', 443) };
    const c = await tlsConversation(chatter(8, 30), { version: 'TLSv1.3' });
    for (const link of Object.keys(LINKTYPES) as Link[])
      for (const ends of [ENDS, six])
        for (const more of [{}, { fragment: 400 }, { octets: 70 }]) {
          const shape = 'octets' in more ? [snaplen(more.octets!)] : [];
          const built = one(c, { ...ends, ...more, mss: 1000, capture: { link, shape } });
          await read(built.octets, { keylog: [built.keylog] }, (row) => {
            agree(row, link);
          });
        }
  });
});
