import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { COMMAND, file, run } from './run.js';

const missing = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed: skipped`;

/** A folder with a command called fttscope: the scripts ask it for field names. */
function folder(): string {
  const path = file('fttscope', `#!/bin/sh\nexec '${process.execPath}' '${COMMAND}' "$@"\n`);
  chmodSync(path, 0o755);
  return dirname(path);
}

function shell(name: string, args: readonly string[]): string {
  const PATH = `${folder()}:${process.env.PATH ?? ''}`;
  const r = spawnSync(name, args, { env: { ...process.env, PATH }, encoding: 'utf8' });
  assert.equal(r.stderr, '');
  assert.equal(r.status, 0);
  return r.stdout;
}

const script = (name: string): string => {
  const r = run(['completion', name]);
  assert.deepEqual([r.err, r.code], ['', 0]);
  return r.out;
};

/** What is typed, the last word unfinished, and some of what must be offered. */
const TYPED: readonly (readonly [string[], string[]])[] = [
  [['de'], ['decode', 'demo']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['read', '-T', 'js'], ['json']],
  [['-T', 'nd'], ['ndjson']],
  [['extract', '--with'], ['--with-keys']],
  [
    ['read', '--rows', ''],
    ['inner', 'outer', 'both'],
  ],
  [
    ['x.pcap', '-e', 'sip.Status-'],
    ['sip.Status-Code', 'sip.Status-Line'],
  ],
  [
    ['fields', 'dh'],
    ['dhcp', 'dhcpv6'],
  ],
  [['decode', '--as', 'fttim'], ['fttims']],
  [['read', '-z', 'rtp'], ['rtp,streams']],
  [['x.pcap', '-Y', 'sip.Meth'], ['sip.Method']],
  [['read', '-O', 'fttim'], ['fttims']],
  [
    ['-t', 'u'],
    ['u', 'ud', 'udoy'],
  ],
  [['read', '--enable-heuristic', ''], ['rtp_udp']],
  [['report', '--records', 'ca'], ['calls']],
  [['report', '--mute', 'call.busy'], ['call.busy']],
];

describe('completion', () => {
  test('bash', { skip: missing('bash') }, () => {
    const lines = [
      `source '${file('complete.bash', script('bash'))}'`,
      `try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fttscope; echo "\${COMPREPLY[*]}"; }`,
      ...TYPED.map(([words]) => `try fttscope ${words.map((w) => `'${w}'`).join(' ')}`),
      'try fttscope read --rows = ou', // --rows=ou as bash cuts it
      'try fttscope read --rows =',
    ];
    const offered = shell('bash', ['-c', lines.join('\n')]).split('\n');
    TYPED.forEach(([words, wanted], i) => {
      assert.deepEqual(offered[i].split(' ').sort(), [...wanted].sort(), words.join(' '));
    });
    assert.deepEqual(offered.slice(TYPED.length, TYPED.length + 2), ['outer', 'inner outer both']);
  });

  test('fish', { skip: missing('fish') }, () => {
    const path = file('complete.fish', script('fish'));
    const lines = TYPED.map(([words]) => `complete -C 'fttscope ${words.join(' ')}'; echo ==`);
    const offered = shell('fish', ['-c', `source '${path}'; ${lines.join('; ')}`]).split('==\n');
    TYPED.forEach(([words, wanted], i) => {
      const names = offered[i].split('\n').map((l) => l.split('\t')[0]);
      for (const w of wanted) assert.ok(names.includes(w), `${words.join(' ')}: ${names.join(' ')}`);
    });
  });

  test('zsh', { skip: missing('zsh') }, () => {
    const text = script('zsh');
    shell('zsh', ['-n', file('_fttscope', text)]);
    // Values in the word of their option, as commander takes them: zshcompsys(1) has `-optname+` and `-optname=` for that.
    assert.ok(text.includes("'*'{-k+,--keylog=}'["));
    assert.ok(text.includes("'--config=["));
    assert.ok(text.includes("'(-V --tree)'{-V,--tree}'["));
  });

  test('every command and every option is there', () => {
    const help = run(['--help']).out;
    const commands = help.slice(help.indexOf('Commands:')).match(/(?<=^ {2})[a-z]+/gm)!;
    for (const name of ['bash', 'zsh', 'fish']) {
      const text = script(name);
      for (const c of commands) if (c !== 'help') assert.match(text, new RegExp(`\\b${c}\\b`), `${name}: ${c}`);
      for (const o of run(['read', '--help']).out.match(/(?<=^ {2}(?:-\w, )?)--[a-z-]+/gm)!)
        assert.ok(text.includes(name === 'fish' ? `-l ${o.slice(2)}` : o), `${name}: ${o}`);
    }
  });

  test('an unknown shell is refused', () => {
    const r = run(['completion', 'tcsh']);
    assert.equal(r.code, 1);
    assert.match(r.err, /bash, zsh, fish/);
  });
});
