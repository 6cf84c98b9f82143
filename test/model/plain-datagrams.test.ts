/** Media that the pass hands over without a packet. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { reportOn } from './support.js';

for (const name of ['20-healthy-call', '30-media-outside-sdp', '33-head-of-line', '40-own-call'])
  test(`${name} tells the same where rows are wanted too`, async () => {
    const octets = readFileSync(join(ROOT, 'samples', `${name}.pcapng`));
    const keylog = readFileSync(join(ROOT, 'samples', `${name}.keys`), 'latin1');
    const alone = await reportOn(octets, keylog);
    assert.ok(alone.media.length > 0);
    assert.deepEqual(await reportOn(octets, keylog, [], '', undefined, 'inner'), alone);
  });
