import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'dist/test/bench/bench.js'), ...args], { encoding: 'utf8' });

test('the benchmark says what it takes', () => {
  const help = bench('--help');
  assert.deepEqual([help.status, help.stderr], [0, '']);
  for (const name of 'quick capture keylog inner runs no-tshark live memory long screens'.split(' '))
    assert.ok(help.stdout.includes(`--${name}`), name);
  const wrong = bench('--quik');
  assert.deepEqual([wrong.status, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /^Unknown option '--quik'.*\n\nCompares fttscope/);
  assert.doesNotMatch(wrong.stderr, /node:internal/);
});
