import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { reportSchema } from '../../src/report/report-schema.js';
import { CORPUS, corpusMissing, ROOT } from '../support/corpus.js';
import { violations } from './schema.js';
import { codes, type Json, reportOn } from './support.js';

const FOLDER = join(ROOT, 'samples');
const SCHEMA = reportSchema(Object.keys(CATALOGUE));
/** Samples that were captured of real software, and are no healthy service: what is worse than a note in them. */
const TROUBLE: Readonly<Record<string, readonly string[]>> = {
  '08-proxy-denied': ['proxy.refused'],
  '14-fin-without-close-notify': ['tunnel.no-close-notify'],
};

/** The finding that explains the failure stands first; where there is none, nothing is worse than a note. */
function explained(r: Json, finding: string | undefined, name: string): void {
  assert.deepEqual(violations(r, SCHEMA), [], name);
  if (finding === undefined) assert.deepEqual(codes(r), TROUBLE[name] ?? [], name);
  else assert.equal(r.findings[0]?.code, finding, name);
}

describe('what explains a failure stands first', () => {
  for (const file of readdirSync(FOLDER).filter((f) => f.endsWith('.expect.json'))) {
    const name = file.replace('.expect.json', '');
    test(name, async () => {
      const path = ['pcapng', 'pcap'].map((x) => join(FOLDER, `${name}.${x}`)).find((p) => existsSync(p))!;
      const keys = join(FOLDER, `${name}.keys`);
      const { finding } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
      const keylog = existsSync(keys) ? readFileSync(keys, 'latin1') : '';
      explained(await reportOn(readFileSync(path), keylog), finding, name);
    });
  }
});

describe('tunnels of other software have nothing wrong but what was done to them', {
  skip: corpusMissing('tunnel'),
}, () => {
  if (corpusMissing('tunnel') !== false) return;
  const folder = join(CORPUS, 'tunnel');
  const wrong: Readonly<Record<string, readonly string[]>> = {
    'proxy-denied': ['proxy.refused'],
    'close-fin': ['tunnel.no-close-notify'],
  };
  for (const file of readdirSync(folder).sort()) {
    const m = /^(.*)(?<!\.inner)\.pcap(?:ng)?$/.exec(file);
    if (m === null) continue;
    const keys = join(folder, `${m[1]}.keys`);
    for (const keylog of existsSync(keys) ? [readFileSync(keys, 'latin1'), ''] : ['']) {
      test(`${file}${keylog === '' ? '' : ' with keys'}`, async () => {
        const r = await reportOn(readFileSync(join(folder, file)), keylog);
        assert.deepEqual(violations(r, SCHEMA), []);
        // Without keys nobody sees whether an alert was a close_notify.
        assert.deepEqual(codes(r), keylog === '' && m[1] === 'close-fin' ? [] : (wrong[m[1]] ?? []));
      });
    }
  }
});
