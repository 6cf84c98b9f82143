import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { asSaid, joined, type Own, ofNumber, oneOf, ours, quoted, type Told, words } from '../../src/kit/index.js';
import { HOLDS } from '../../src/report/holds.js';
import { reportSchema } from '../../src/report/report-schema.js';
import { ROOT } from '../support/corpus.js';

/** Where text passes for our own that the compiler does not see to be so, how often, and what it is. */
const FROM_CODE: Readonly<Record<string, number>> = {
  'src/kit/words.ts': 1, // where it is declared
  'src/model/findings.ts': 4, // the words of the catalogue
  'src/model/standard-words.ts': 1, // a reason phrase that is the one of a table
  'src/tunnel/plain-text.ts': 1, // the name of a dissector
};

const sources = ['src', 'dissectors'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts'))
    .map((e) => relative(ROOT, join(e.parentPath ?? e.path, e.name))),
);

test('text passes for our own only where it is said here', () => {
  const found: Record<string, number> = {};
  for (const path of sources) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const n = [...text.matchAll(/\bfromCode(?=\(| =)/g)].length;
    if (n > 0) found[path] = n;
    if (path !== 'src/kit/words.ts') assert.doesNotMatch(text, /\bas (?:unknown as )?(?:Own|Told|Words)\b/, path);
  }
  assert.deepEqual(found, FROM_CODE);
});

test('the compiler lets no string of somebody into a sentence', () => {
  const theirs: string = ['x', 'y'][0]!;
  const half: `${string}.example` = `${theirs}.example`;
  const which = theirs === 'x' ? 'UE' : 'EFTF';
  const name = quoted('host', theirs);
  // @ts-expect-error a string that is not marked
  assert.ok(words`It is ${theirs}.`);
  // @ts-expect-error the same, put together with words of ours
  assert.ok(words`It is ${`the ${theirs}`}.`);
  // @ts-expect-error the same, with a type that tells a part of it
  assert.ok(words`It is ${half}.`);
  // @ts-expect-error the same, among words of ours
  assert.ok(words`It is ${theirs === 'x' ? 'known' : theirs}.`);
  // @ts-expect-error the same, in text of ours
  assert.ok(ours`It is ${theirs}.`);
  // @ts-expect-error what is marked is not ours
  assert.ok(ours`It is ${name}.`);
  // @ts-expect-error a sentence that quotes somebody is not ours
  assert.ok(ours`It is ${words`the ${name}`}.`);
  // @ts-expect-error a string is no sentence
  const detail: Own | Told = theirs;
  assert.equal(detail, theirs);
  assert.equal(asSaid(words`It is ${name} of the ${which}, ${3} times.`), 'It is x of the UE, 3 times.');
});

test('what is quoted in a sentence, and nothing else, is told another way', () => {
  const known = new Set(['basic']);
  const list = joined([oneOf('Basic', known), oneOf('xanadu', known), ours`none`], ', ');
  const w = words`${ofNumber(0.25, (n) => n.toFixed(1))} s: ${quoted('host', 'xanadu')} takes ${list}${''}.`;
  assert.equal(asSaid(w), '0.3 s: xanadu takes Basic, xanadu, none.');
  assert.equal(
    w.told(({ kind }) => `<${kind}>`),
    '0.3 s: <host> takes Basic, <free>, none.',
  );
});

test('the schema of the report says of every string what it holds', () => {
  const loose: string[] = [];
  const walk = (s: Readonly<Record<string, unknown>>, path: string): void => {
    const formal = ['enum', 'const', 'pattern'].some((k) => s[k] !== undefined);
    if (s.type === 'string' && !formal && !Object.hasOwn(s, HOLDS)) loose.push(path);
    for (const [key, v] of Object.entries(s))
      if (typeof v === 'object' && v !== null && !Array.isArray(v))
        walk(v as Readonly<Record<string, unknown>>, `${path}/${key}`);
  };
  walk(reportSchema(['a.b']), '');
  assert.deepEqual(loose, []);
});
