import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { bash, run, sample } from './run.js';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const SAMPLES = readdirSync(join(ROOT, 'samples')).filter((name) => /\.pcap(ng)?$/.test(name));

/** The cells of the rows of the table under a heading. */
function table(heading: string): string[][] {
  const [, text = ''] = README.split(`### ${heading}\n`);
  const lines = text.split(/^#/m)[0]!.split('\n');
  const rows = lines.filter((line) => line.startsWith('| ')).slice(2);
  return rows.map((line) => line.slice(2, -2).split(' | '));
}

/** Texts that stand as code in a cell. */
const codes = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, c]) => c!.replaceAll('\\|', '|'));

describe('README: what stands under Use runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-readme-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, from] of [
    ['field.pcapng', '00-field.pcapng'],
    ['field.keys', '00-field.keys'],
    ['ue.keys', '00-field.keys'],
    ['good.pcapng', '20-healthy-call.pcapng'],
    ['good.keys', '20-healthy-call.keys'],
    ['bad.pcapng', '28-overloaded.pcapng'],
    ['bad.keys', '28-overloaded.keys'],
  ] as const)
    copyFileSync(sample(from), join(folder, name));
  writeFileSync(join(folder, 'message.txt'), 'OPTIONS sip:a SIP/2.0\r\n\r\n');
  const [, block = ''] = README.split(/^## Use\n+```\n/m);
  const lines = block.split('```')[0]!.trimEnd().split('\n');
  for (const line of lines.map((l) => l.replace(/ +#.*/, '').replace('man -l -', 'cat')))
    test(line, () => {
      const r = bash(`cd ${folder}; fttscope() { $F "$@"; }; set -o pipefail; ${line}`);
      // What is wrong in the capture is what --fail-on is for.
      assert.equal(r.code, line.includes('--fail-on') ? 3 : 0, r.err);
      const [, written] = /(?:>|-w) (\S+)$/.exec(line) ?? [];
      const out = written === undefined ? r.out : readFileSync(join(folder, written), 'latin1');
      if (!line.startsWith('source')) assert.ok(out.length > 100, `${line}: ${out}`);
      assert.doesNotMatch(r.err, /there is no|not decrypted. There is no key log/i);
    });
});

describe('README by symptom', () => {
  for (const [symptom, findings, look, samples] of table('By symptom'))
    test(symptom!, () => {
      const numbers = samples!.split(', ');
      const paths = SAMPLES.filter((name) => numbers.includes(name.slice(0, 2))).map(sample);
      assert.equal(paths.length, numbers.length);
      const found = paths.flatMap((path) => {
        const lines = run(['report', '--records', 'findings', path]).out.trimEnd().split('\n').filter(Boolean);
        return lines.map((line) => (JSON.parse(line) as { code: string }).code);
      });
      for (const code of codes(findings!)) assert.ok(found.includes(code), code);
      const [filter] = codes(look!).flatMap((c) => /^-Y '(.*)'$/.exec(c)?.[1] ?? []);
      if (filter !== undefined)
        for (const path of paths) assert.notEqual(run([path, '-q', '-Y', filter]).out, '', `${filter} in ${path}`);
      const [statistic] = codes(look!).flatMap((c) => /^-q -z (.*)$/.exec(c)?.[1] ?? []);
      if (statistic !== undefined)
        for (const path of paths) assert.equal(run([path, '-q', '-z', statistic]).code, 0, statistic);
    });
});
