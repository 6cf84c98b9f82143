import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { CACHE, loadBundle } from '../../src/cli/load.js';

test('the code cache of the build is taken', { skip: !existsSync(CACHE) && 'it is of another Node' }, () => {
  let refused: boolean | undefined;
  loadBundle((script) => {
    refused = script.cachedDataRejected;
  });
  assert.equal(refused, false);
});
