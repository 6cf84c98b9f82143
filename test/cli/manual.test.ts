import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { run } from './run.js';

test('the manual page has every command and option, and is a file of the package', () => {
  const { out: page, code } = run(['man']);
  assert.equal(code, 0);
  const { man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { man: string };
  assert.equal(readFileSync(join(ROOT, man), 'utf8'), page);
  // Every line that begins as a request of roff is one.
  for (const line of page.split('\n')) if (/^[.']/.test(line)) assert.match(line, /^\.(?:TP$|(?:TH|SH|SS) \S)/);
  const text = page
    .replace(/\\f[BIR]|\\&/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\e', '\\');
  const [, list = ''] = run(['--help']).out.split('\nCommands:\n');
  const commands = [...list.split('\n\n')[0]!.matchAll(/^ {2}([a-z]+) /gm)].map(([, c]) => c!);
  assert.ok(commands.length > 10);
  for (const c of commands.filter((name) => name !== 'help')) {
    const [, about = ''] = text.split(new RegExp(`^\\.SS fttscope \\[?${c}\\b.*$`, 'm'));
    const section = about.split(/^\.S[SH]/m)[0]!;
    for (const [, flag] of run([c, '--help']).out.matchAll(/^ {2}(-[^ ,]+)/gm))
      if (flag !== '-h') assert.match(section, new RegExp(`^\\.TP\\n${flag}(?:$|[ ,])`, 'm'), `${c} ${flag}`);
  }
  assert.match(text, /^-k, --keylog file\nTLS key log, RSA private key/m);
  assert.match(text, /^\.SH EXIT STATUS$[\s\S]*--fail-on was reached/m);
});
