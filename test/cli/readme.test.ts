import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { run, sample } from './run.js';

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
