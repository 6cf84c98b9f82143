import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';

const sources = ['src', 'dissectors'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts'))
    .map((e) => relative(ROOT, join(e.parentPath ?? e.path, e.name))),
);

/** An export that does something or has a shape: a value that is neither says by its name and file what it is. */
const SHAPED =
  /^export (?:async function|function|class|abstract class|interface|type) (?!\{)|^export const \w+ = (?:async )?(?:<.*>)?\(/;

/** Whether the line at `i` has a comment above it, or stands without an empty line below one that has. */
function isDocumented(lines: readonly string[], i: number): boolean {
  for (let at = i - 1; at >= 0 && lines[at] !== ''; at--) if (/^(?:\/\*\*.*| )\*\/$/.test(lines[at]!)) return true;
  return false;
}

test('what is exported says in a comment what it is for', () => {
  const bare: string[] = [];
  let found = 0;
  for (const path of sources) {
    const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
    for (const [i, line] of lines.entries()) {
      if (!SHAPED.test(line)) continue;
      found++;
      if (!isDocumented(lines, i)) bare.push(`${path}:${i + 1} ${line}`);
    }
  }
  assert.deepEqual(bare, []);
  assert.ok(found > 2000, `${found} exports`);
});
