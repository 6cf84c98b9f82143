import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { ROOT } from '../support/corpus.js';

const PAGE = readFileSync(join(ROOT, 'src/CONFORMANCE.md'), 'utf8');
const quoted = new Set([...PAGE.matchAll(/`([^`]+)`/g)].map(([, words]) => words!));

describe('CONFORMANCE.md', () => {
  test('names sources that are there', () => {
    const paths = [...quoted].filter((q) => q.endsWith('.ts'));
    assert.ok(paths.length > 20, `${paths.length} sources`);
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(ROOT, path.startsWith('src/') ? path : `src/${path}`))),
      [],
    );
  });

  test('names findings that are there, and all that TS 24.322 is the reason of', () => {
    const codes = [...quoted].filter((q) => /^[a-z0-9]+\.[a-z]+(-[a-z0-9]+)*$/.test(q) && !q.endsWith('.ts'));
    assert.deepEqual(
      codes.filter((code) => CATALOGUE[code] === undefined),
      [],
    );
    assert.deepEqual(
      Object.keys(CATALOGUE).filter((code) => CATALOGUE[code]!.clause?.startsWith('TS 24.322') && !quoted.has(code)),
      [],
    );
  });
});
