import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { ROOT } from '../support/corpus.js';

const CODES = Object.entries(CATALOGUE);

/** The sources below a folder. */
function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [];
  });
}
const read = (paths: readonly string[]): string => paths.map((p) => readFileSync(p, 'utf8')).join('\n');
const named = (text: string): Set<string> =>
  new Set([...text.matchAll(/'([a-z0-9]+\.[a-z0-9-]+)'/g)].map((m) => m[1]!));

describe('each finding', () => {
  test('says what it is, what it means, and what to do', () => {
    const titles = new Set<string>();
    for (const [code, { title, meaning, next, clause, kind }] of CODES) {
      assert.match(code, /^[a-z0-9]+\.[a-z]+(-[a-z0-9]+)*$/);
      assert.match(title, /^[A-Z0-9].*[^.]$/, code);
      for (const text of [meaning, next]) assert.match(text, /^[A-Z`].*[.?]$/, code);
      assert.ok(clause !== undefined || kind === 'capture', `${code} names no clause`);
      if (clause !== undefined) assert.match(clause, /^(RFC \d+|TS \d\d\.\d{3}|ITU-T) ?/, code);
      assert.ok(!titles.has(title), `${code}: ${title}`);
      titles.add(title);
    }
  });

  const raised = named(read(sources(join(ROOT, 'src')).filter((p) => !/\/model\/catalogue\b/.test(p))));

  test('is raised somewhere', () => {
    assert.deepEqual(
      CODES.map(([code]) => code).filter((code) => !raised.has(code)),
      [],
    );
  });

  test('is shown by a capture of a test', () => {
    const tests = sources(join(ROOT, 'test')).filter((p) => p.endsWith('.test.ts') && !p.endsWith('catalogue.test.ts'));
    // That something is not found shows nothing.
    const shown = named(read(tests).replaceAll(/assert\.equal\(finding\([^;]*undefined\)/g, ''));
    assert.deepEqual(
      CODES.map(([code]) => code).filter((code) => !shown.has(code)),
      [],
    );
  });

  test('that the sources raise stands in the catalogue', () => {
    const calls = /(?:raise|finding|noticed|temper|withdraw)\(\s*'([a-z0-9]+\.[a-z0-9-]+)'/g;
    const text = read(sources(join(ROOT, 'src')));
    const unknown = [...text.matchAll(calls)].map((m) => m[1]!).filter((code) => CATALOGUE[code] === undefined);
    assert.deepEqual(unknown, []);
  });
});
