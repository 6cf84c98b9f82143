import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { engineFields } from '../../src/engine/dissect.js';
import { Registry } from '../../src/engine/registry.js';
import { type Field, fieldCount } from '../../src/kit/index.js';
import { fieldText } from '../../src/report/value.js';
import { corpusMissing, publicCaptures, ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

/*
 * `-e FIELD` reads no more of a packet than that field needs. It must come out with the values that it has where
 * everything is read.
 */

const FRAMES = 120;
const MOST_OCTETS = 400_000;
/** Captures in which each field is asked for alone. */
const CAPTURES = 2;

const registry = new Registry(dissectors, engineFields);
/** Nodes of layers that could not be read: what is below them is not shown, but may be found. */
const FAILED: readonly Field[] = [engineFields.malformed, engineFields.short];

type Values = Map<string, string>;

/** By field name and row: the values. Rows with a layer that could not be read are left out, those of `failed` too. */
async function valuesOf(
  path: string,
  fields: readonly Field[] | undefined,
  failed: Set<string>,
): Promise<Map<string, Values>> {
  const keys = path.replace(/\.(pcapng|pcap|cap)$/, '.keys');
  const options = {
    keylog: existsSync(keys) ? [readFileSync(keys, 'latin1')] : [],
    frames: FRAMES,
    rows: 'both',
    ...(fields !== undefined && { fields, bare: true }),
  } as const;
  const out = new Map<string, Values>();
  await forRows(path, options, ({ id, dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++) {
      const f = tree.field(i);
      if (fields === undefined && FAILED.includes(f)) failed.add(id);
      if (f.type === 'protocol') continue;
      const rows = out.get(f.name) ?? new Map();
      out.set(f.name, rows.set(id, `${rows.get(id) ?? ''}${fieldText(tree, i)}\n`));
    }
  });
  for (const rows of out.values()) for (const id of failed) rows.delete(id);
  return out;
}

/** Asks for the fields of these captures one by one. Returns how many there were. */
async function eachAlone(paths: readonly string[]): Promise<number> {
  const asked = new Map<string, number>();
  for (const path of paths) {
    const failed = new Set<string>();
    const whole = await valuesOf(path, undefined, failed);
    for (const [name, rows] of whole) {
      const times = asked.get(name) ?? 0;
      if (times >= CAPTURES) continue;
      asked.set(name, times + 1);
      const alone = await valuesOf(path, registry.byName(name), failed);
      assert.deepEqual(alone.get(name) ?? new Map(), rows, `${name} of ${path}`);
    }
  }
  return asked.size;
}

const capturesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(pcapng|pcap)$/.test(name))
    .map((name) => join(folder, name));

suite('each field asked for alone', () => {
  test('in the samples', async (t) => {
    t.diagnostic(`${await eachAlone(capturesIn(join(ROOT, 'samples')))} fields`);
  });

  test('in the public captures', { skip: corpusMissing('public') }, async (t) => {
    const paths = publicCaptures()
      .map((c) => c.path)
      .filter((path) => /\.(pcapng|pcap|cap)$/.test(path) && statSync(path).size <= MOST_OCTETS);
    t.diagnostic(`${await eachAlone(paths)} fields`);
  });
});

test('every field can be asked for', () => {
  const known = new Set([...dissectors.flatMap((d) => Object.values(d.fields)), ...Object.values(engineFields)]);
  assert.equal(new Set([...known].map((f) => f.id)).size, fieldCount());
});
