import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEntity, FindingEntity, GapEntry, TunnelEntity } from '../../src/model/entities.js';
import { CALL_COLUMNS } from '../../src/report/report-tables.js';
import { gapWords, innerAddress, where } from '../../src/report/report-words.js';
import { about } from '../../src/tui/findings-view.js';

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

test('what findings are about stands in one order, whatever they are about most of all', () => {
  const finding = (...refs: FindingEntity['refs']): FindingEntity =>
    ({ refs, confidence: 'certain', count: 1, rows: ['8.1'] }) as unknown as FindingEntity;
  const tunnel = { kind: 'tunnel', id: 1 } as const;
  const call = { kind: 'call', id: 2 } as const;
  const media = [3, 4].map((id) => ({ kind: 'media', id }) as const);
  for (const f of [finding(tunnel, call, ...media), finding(call, ...media, tunnel)]) {
    assert.match(where(f), /^media 3, media 4, call 2, tunnel 1, /);
    assert.equal(about(f), 'media 3 media 4 call 2 T1');
  }
});

test('what came of a call first may be 183 or its answer, and is not told as ringing', () => {
  const call = { pddMs: 200, messages: [], tunnels: [] } as unknown as CallEntity;
  const heads = CALL_COLUMNS.flatMap((c) => (c.text(call) === '200 ms' ? c.head : []));
  assert.deepEqual(heads, ['first sign after']);
});
