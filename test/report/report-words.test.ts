import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GapEntry, TunnelEntity } from '../../src/model/entities.js';
import { gapWords, innerAddress } from '../../src/report/report-words.js';

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

test('a gap says as much as is known of it', () => {
  const gap: GapEntry = { at: { seconds: 0, nanos: 0 }, row: '19', direction: 'up', octets: 232 };
  const down: GapEntry = { ...gap, direction: 'down', octets: 1 };
  assert.equal(gapWords(down), '1 B missing to UE');
  assert.equal(gapWords({ ...gap, firstRecord: 5 }), '232 B missing from UE: record 5 and what came after lost');
  const resumed = (n: number): string => gapWords({ ...gap, firstRecord: 5, resumedRecord: n });
  assert.equal(resumed(6), '232 B missing from UE: record 5 lost, resumed at 6');
  assert.equal(resumed(8), '232 B missing from UE: records 5 to 7 lost, resumed at 8');
  assert.equal(gapWords({ ...down, estimatedSegments: 1 }), 'about 1 segment (1 B) missing to UE');
  assert.equal(gapWords({ ...gap, estimatedSegments: 2 }), 'about 2 segments (232 B) missing from UE');
});
