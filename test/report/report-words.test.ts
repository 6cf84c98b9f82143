import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TunnelEntity } from '../../src/model/entities.js';
import { innerAddress } from '../../src/report/report-words.js';

test('the address shown of a UE does not depend on which of its packets came first', () => {
  const lease = '10.45.0.2';
  const routed = '2001:db8:45::7';
  const local = 'fe80::1';
  const shown = (...addresses: string[]) => innerAddress({ addresses } as TunnelEntity);
  assert.equal(shown(local, routed, lease), lease);
  assert.equal(shown(lease, local), lease);
  assert.equal(shown(local, routed), routed);
  assert.equal(shown(local), local);
  assert.equal(shown(), undefined);
});
