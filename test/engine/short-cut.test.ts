import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HEAD_FIELDS } from '../../dissectors/frame.js';
import { dissectors } from '../../dissectors/index.js';
import { UDP_STREAM } from '../../dissectors/udp.js';
import type { Field } from '../../src/kit/index.js';
import { fieldText } from '../../src/report/value.js';
import { corpusMissing, publicCaptures, ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

const FIXED: readonly Field[] = dissectors.flatMap((d) => Object.values(d.fields).filter((f) => f.at !== undefined));
const NETWORK = FIXED.filter((f) => /^(ip|ipv6)\./.test(f.name));
const HEAD = [...HEAD_FIELDS, ...NETWORK];
/** What is wanted of datagrams and of media in them, where nothing is of the segments around them. */
const MEDIA = [UDP_STREAM, ...FIXED.filter((f) => /^(ipv6|udp|rtp)\./.test(f.name))];

const name = (value: string): string => value.slice(0, value.indexOf('='));
const order = (a: string, b: string): number => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);

/** For each set of fields every row as text: its number and the values of the fields in the order of their names. */
async function rows(path: string, sets: readonly (readonly Field[])[], bare: boolean): Promise<string[][]> {
  const ids = sets.map((fields) => new Set(fields.map((f) => f.id)));
  const out: string[][] = sets.map(() => []);
  await forRows(path, { fields: [...new Set(sets.flat())], bare }, (row) => {
    const t = row.dissection.tree;
    for (const [k, wanted] of ids.entries()) {
      const values: string[] = [];
      for (let i = 0; i < t.length; i++)
        if (wanted.has(t.field(i).id)) values.push(`${t.field(i).name}=${fieldText(t, i)}`);
      // Fields of one name keep their order; those of other names may change places.
      out[k]!.push(`${row.id} ${values.sort((a, b) => order(a, b)).join(' ')}`);
    }
  });
  return out;
}

/** What is read at fixed places, for each set of fields by itself, against what the dissectors say of the same packets. */
async function agree(path: string, sets: readonly (readonly Field[])[]): Promise<void> {
  const said = await rows(path, sets, false);
  for (const [k, fields] of sets.entries()) {
    const whole = said[k]!;
    const [bare] = await rows(path, [fields], true);
    const i = bare!.findIndex((row, n) => row !== whole[n]);
    assert.equal(bare![i], whole[i], path);
    assert.equal(bare!.length, whole.length, path);
  }
}

const samples = readdirSync(join(ROOT, 'samples')).filter((name) => /\.pcap(ng)?$/.test(name));

describe('fields at fixed places are what dissection says', () => {
  test('there are such fields', () => assert.ok(FIXED.length > 40));

  for (const file of samples) test(file, () => agree(join(ROOT, 'samples', file), [FIXED, NETWORK, HEAD, MEDIA]));

  const skip = corpusMissing('public');
  test('public captures', { skip }, async () => {
    for (const { path } of publicCaptures()) await agree(path, [FIXED, HEAD]);
  });
});
