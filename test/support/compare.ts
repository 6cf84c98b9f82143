/**
 * Compares our fields with tshark's over the public captures:
 *
 *     node dist/test/support/compare.js --prefix dhcp [--capture SUBSTRING] [--kind tshark|decrypted|rtpheur] [--show 20]
 *
 * Prints for each prefix how many values of the references are equal, and the most frequent differences. `--list` prints
 * the differences as lines of the list that the test of the public captures reads, with the causes that it names.
 */
import { parseArgs } from 'node:util';
import { publicCaptures } from './corpus.js';
import { Comparison, KINDS, prefixOf, share } from './public-compare.js';
import { listedDifferences, OUTSIDE } from './public-differences.js';

function print(comparison: Comparison, show: number): void {
  console.log(`${comparison.references} references compared`);
  for (const [prefix, t] of [...comparison.tallies].sort((a, b) => share(a[1]) - share(b[1])))
    console.log(
      `${prefix.padEnd(16)} ${(100 * share(t)).toFixed(2).padStart(6)} %  ${t.equal} of ${t.total}, ${t.extra} more`,
    );
  for (const d of [...comparison.differences.values()].sort((a, b) => b.values - a.values).slice(0, show))
    console.log(`${String(d.values).padStart(5)}  ${d.field} in ${d.capture} (${d.kind})\n       ${d.example}`);
}

function list(comparison: Comparison): void {
  const causes = listedDifferences();
  const lines = [...comparison.differences].map(([key, d]) => {
    const cause = causes.get(key)?.cause ?? '';
    return [prefixOf(d.field), d.field, d.capture, d.kind, cause].join('\t');
  });
  console.log(['protocol\tfield\tcapture\tkind\tcause', ...lines.sort()].join('\n'));
}

async function main(): Promise<void> {
  const { values: o } = parseArgs({
    options: {
      prefix: { type: 'string', multiple: true },
      capture: { type: 'string' },
      kind: { type: 'string' },
      show: { type: 'string', default: '20' },
      list: { type: 'boolean', default: false },
    },
  });
  const chosen = (field: string, prefix: string): boolean =>
    o.prefix === undefined ? !(o.list && OUTSIDE.has(prefix)) : o.prefix.includes(prefix) || o.prefix.includes(field);
  const comparison = new Comparison(chosen);
  for (const c of publicCaptures())
    if (o.capture === undefined || c.file.includes(o.capture))
      for (const kind of KINDS) if (o.kind === undefined || o.kind === kind) await comparison.add(c, kind);
  if (o.list) list(comparison);
  else print(comparison, Number(o.show));
}

await main();
