/**
 * Compares our fields with tshark's over the public captures:
 *
 *     node dist/test/support/compare.js --prefix dhcp [--capture SUBSTRING] [--kind tshark|decrypted|rtpheur] [--show 20]
 *
 * Prints for each prefix how many values of the references are equal, and the most frequent differences.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Row } from '../../src/engine/row.js';
import { fieldText } from '../../src/report/value.js';
import { CORPUS, type PublicCapture, publicCaptures, reference } from './corpus.js';
import { forRows } from './rows.js';

interface Tally {
  total: number;
  equal: number;
  extra: number;
}

interface Difference {
  count: number;
  example: string;
}

const kinds = ['tshark', 'decrypted', 'rtpheur'];

/** Fields of one frame as text, from all its rows: outer fields once, inner ones of each row. */
function collect(row: Row, into: Map<number, Map<string, string[]>>): void {
  let frame = into.get(row.frame);
  if (frame === undefined) into.set(row.frame, (frame = new Map()));
  const t = row.dissection.tree;
  for (let i = 0; i < t.length; i++) {
    const name = t.field[i].name;
    if (t.field[i].type === 'protocol' && !name.startsWith('_ws')) continue;
    const list = frame.get(name);
    if (list === undefined) frame.set(name, [fieldText(t, i)]);
    else list.push(fieldText(t, i));
  }
  frame.set('frame.protocols', [row.dissection.protocols.join(':')]);
}

/** How often the values of `b` stand in `a`, each used once. */
function common(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>();
  for (const v of a) left.set(v, (left.get(v) ?? 0) + 1);
  let n = 0;
  for (const v of b) {
    const k = left.get(v) ?? 0;
    if (k > 0) {
      n++;
      left.set(v, k - 1);
    }
  }
  return n;
}

async function ours(c: PublicCapture, kind: string): Promise<Map<number, Map<string, string[]>>> {
  const out = new Map<number, Map<string, string[]>>();
  const keyPath = join(dirname(c.path), c.keyFile);
  const alternatives = [c.keyFile === '' ? '' : keyPath, join(CORPUS, 'public', c.keyFile)];
  const key = alternatives.find((p) => p !== '' && existsSync(p) && !p.endsWith('/public'));
  const rules = [...`${c.options} ${kind === 'decrypted' ? c.decryptedOptions : ''}`.matchAll(/-d (\S+)/g)].map(
    (m) => m[1],
  );
  if (kind === 'decrypted' && c.decryptedOptions.includes('esp.enable_null_encryption'))
    rules.push('esp.payload==0,esp.null');
  await forRows(
    c.path,
    {
      ...(kind === 'decrypted' && key !== undefined && { keylog: [readFileSync(key, 'latin1')] }),
      heuristicRtp: kind === 'rtpheur',
      decodeAs: rules,
    },
    (row) => collect(row, out),
  );
  return out;
}

async function main(): Promise<void> {
  const { values: o } = parseArgs({
    options: {
      prefix: { type: 'string', multiple: true },
      capture: { type: 'string' },
      kind: { type: 'string' },
      show: { type: 'string', default: '20' },
    },
  });
  const tallies = new Map<string, Tally>();
  const differences = new Map<string, Difference>();
  let captures = 0;
  for (const c of publicCaptures()) {
    if (o.capture !== undefined && !c.file.includes(o.capture)) continue;
    for (const kind of kinds) {
      if (o.kind !== undefined && o.kind !== kind) continue;
      const path = `${c.path}.${kind === 'tshark' ? '' : `${kind}.`}tshark.ndjson.gz`;
      if (!existsSync(path)) continue;
      let mine: Map<number, Map<string, string[]>>;
      try {
        mine = await ours(c, kind);
      } catch (e) {
        console.log(`${c.file}: ${e instanceof Error ? e.message : e}`);
        continue;
      }
      captures++;
      for (const frame of reference(path)) {
        const number = Number(frame['frame.number']);
        const have = mine.get(number);
        for (const [name, value] of Object.entries(frame)) {
          const prefix = name === 'frame.protocols' ? 'protocols' : name.split('.')[0];
          if (o.prefix !== undefined && !o.prefix.includes(prefix) && !o.prefix.includes(name)) continue;
          if (name === 'frame.md5_hash') continue;
          const wanted = Array.isArray(value) ? value : [String(value)];
          const got = have?.get(name) ?? [];
          let t = tallies.get(prefix);
          if (t === undefined) tallies.set(prefix, (t = { total: 0, equal: 0, extra: 0 }));
          const equal = common(got, wanted);
          t.total += wanted.length;
          t.equal += equal;
          t.extra += Math.max(0, got.length - wanted.length);
          if (equal === wanted.length && got.length === wanted.length) continue;
          const key = `${name} in ${c.file} (${kind})`;
          const d = differences.get(key) ?? {
            count: 0,
            example: `frame ${number}: tshark ${JSON.stringify(wanted).slice(0, 160)}, ours ${JSON.stringify(got).slice(0, 160)}`,
          };
          d.count += wanted.length - equal || 1;
          differences.set(key, d);
        }
      }
    }
  }
  console.log(`${captures} references compared`);
  for (const [prefix, t] of [...tallies].sort((a, b) => a[1].equal / a[1].total - b[1].equal / b[1].total))
    console.log(
      `${prefix.padEnd(16)} ${((100 * t.equal) / t.total).toFixed(2).padStart(6)} %  ${t.equal} of ${t.total}, ${t.extra} more`,
    );
  for (const [key, d] of [...differences].sort((a, b) => b[1].count - a[1].count).slice(0, Number(o.show)))
    console.log(`${String(d.count).padStart(5)}  ${key}\n       ${d.example}`);
}

await main();
