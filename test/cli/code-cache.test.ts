import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BUNDLE, CACHE, loadBundle } from '../../src/cli/load.js';

test('the code cache of the build is taken', { skip: !existsSync(CACHE) && 'it is of another Node' }, () => {
  let refused: boolean | undefined;
  loadBundle((script) => {
    refused = script.cachedDataRejected;
  });
  assert.equal(refused, false);
});

test('no flag is set that V8 must not see change while it compiles', () => {
  // JSInliner::ReduceJSCall checks that a function which was small enough still is.
  assert.doesNotMatch(readFileSync(BUNDLE, 'latin1'), /--max-inlined-bytecode-size=/);
});
