import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../support/until.js';
import { sample, viewerOn } from '../tui/support/stage.js';

test('envelopes that the end of the capture sets free are found and written like others', async () => {
  // Of tunnel 2 a segment is missing; what came after it was sent before the last frame, which is of tunnel 1.
  const viewer = await viewerOn(sample('00-field.pcapng'));
  const { rows } = viewer;
  const found = viewer.select({ kind: 'inner', tunnels: [2], filter: 'icmpv6.type == 134' });
  await until(() => found.done);
  const ids = Array.from({ length: found.count }, (_, i) => rows.id(found.at(i)));
  const listed = Array.from({ length: rows.count }, (_, row) => row).filter(
    (row) => rows.tunnel(row) === 2 && rows.info(row) === 'Router Advertisement',
  );
  assert.deepEqual(
    ids,
    listed.map((row) => rows.id(row)),
  );
  assert.deepEqual(ids.slice(-2), ['297.1', '297.2']);

  const folder = mkdtempSync(join(tmpdir(), 'fttscope-free-'));
  const path = join(folder, 'one.pcapng');
  const [first] = listed.slice(-2);
  assert.equal(
    await viewer.write({ path, what: 'inner', withKeys: false, rows: Uint32Array.of(first) }),
    1,
    'packet 297.1 alone',
  );
  const { nodes, sources } = await viewer.detail(first);
  const layers = nodes.filter((n) => n.depth === 0 && !n.field.includes('.')).map((n) => n.field);
  assert.deepEqual(layers, ['frame', 'fttims', 'ipv6', 'icmpv6'], 'no header of the frame of tunnel 1');
  const envelope = sources.at(-1)!.octets;
  assert.ok(readFileSync(path).includes(Buffer.from(envelope.subarray(3))), 'the packet of its envelope');
  rmSync(folder, { recursive: true });
  await viewer.close();
});
