import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { run, sample } from '../cli/run.js';
import { ROOT } from '../support/corpus.js';

/* Fields of rows that say of tunnels what the report says of them: each is found in another way. */

const folder = mkdtempSync(join(tmpdir(), 'fttscope-fields-'));
after(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly frame: number;
  readonly tunnel?: number;
  readonly direction: 'up' | 'down';
  readonly fields: { readonly 'fttims.gap'?: number[]; readonly 'fttims.key_source'?: string[] };
}

interface Tunnel {
  readonly id: number;
  readonly gaps: readonly { readonly row: string; readonly octets: number }[];
  readonly tls?: { readonly decryption: Readonly<Record<'up' | 'down', { readonly source?: string }>> };
}

function told(path: string): { rows: Row[]; tunnels: Tunnel[] } {
  const fields = ['-e', 'fttims.gap', '-e', 'fttims.key_source', '-Y', 'fttims.gap || fttims.key_source'];
  const { out } = run(['read', path, '-q', '-T', 'ndjson', ...fields]);
  const rows = out.split('\n').filter((l) => l !== '');
  return {
    rows: rows.map((l) => JSON.parse(l) as Row),
    tunnels: (JSON.parse(run(['report', path, '-q']).out) as { tunnels: Tunnel[] }).tunnels,
  };
}

function agree({ rows, tunnels }: ReturnType<typeof told>): void {
  const gaps = rows.flatMap(({ frame, tunnel, fields }) =>
    (fields['fttims.gap'] ?? []).map((octets) => `${tunnel}: ${octets} at ${frame}`),
  );
  const reported = tunnels.flatMap(({ id, gaps }) => gaps.map(({ row, octets }) => `${id}: ${octets} at ${row}`));
  assert.deepEqual(gaps.sort(), reported.sort());
  const sources = new Set<string>();
  for (const { tunnel, direction, fields } of rows)
    for (const source of fields['fttims.key_source'] ?? []) sources.add(`${tunnel} ${direction} ${source}`);
  const served = tunnels.flatMap(({ id, tls }) =>
    (['up', 'down'] as const).flatMap((d) => {
      const source = tls?.decryption[d].source;
      return source === undefined ? [] : [`${id} ${d} ${source}`];
    }),
  );
  assert.deepEqual([...sources].sort(), served.sort());
}

describe('fttims.gap and fttims.key_source are those of the report', () => {
  for (const name of readdirSync(join(ROOT, 'samples')).filter((n) => /\.pcap(ng)?$/.test(n)))
    test(name, () => agree(told(sample(name))));

  test('of captures that lack frames', () => {
    // Classic pcap: a header of 24 octets, then 16 octets before each frame, of which 8 to 11 are its length.
    const whole = readFileSync(sample('13-outer-loss.pcap'));
    const kept: Buffer[] = [whole.subarray(0, 24)];
    for (let at = 24, n = 1; at < whole.length; n++) {
      const end = at + 16 + whole.readUInt32LE(at + 8);
      if (n % 45 !== 40) kept.push(whole.subarray(at, end));
      at = end;
    }
    const path = join(folder, 'lacking.pcap');
    writeFileSync(path, Buffer.concat(kept));
    writeFileSync(join(folder, 'lacking.keys'), readFileSync(sample('13-outer-loss.keys')));
    const t = told(path);
    assert.ok(t.tunnels[0].gaps.length > 3, 'frames with octets of the tunnel are missing');
    agree(t);
  });
});
