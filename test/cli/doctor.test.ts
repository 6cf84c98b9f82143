import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { file, run, TLS13_KEYS } from './run.js';

const lines = (env: Record<string, string>): string[] => {
  const ran = run(['doctor'], { env });
  assert.equal(ran.code, 0, ran.err);
  assert.equal(ran.err, '');
  return ran.out.trimEnd().split('\n');
};

test('doctor says how everything is, a line each', () => {
  const told = lines({ SSLKEYLOGFILE: TLS13_KEYS });
  assert.match(told[0]!, /^fttscope \d+\.\d+\.\d+, Node v\d+/);
  const checks = told.filter((l) => /^(ok|--) {2}/.test(l));
  assert.deepEqual(
    checks.map((l) => l.slice(4, 18).trim()),
    ['start', 'keys', 'settings', 'terminal', 'live capture', 'TUN devices'],
  );
  assert.ok(checks.includes(`ok  keys          SSLKEYLOGFILE is ${TLS13_KEYS}, with lines of 1 session`));
  assert.ok(checks.some((l) => l.startsWith('ok  start')));
  assert.ok(checks.some((l) => l.startsWith('--  terminal') && l.includes('no terminal')));
});

test('doctor says what to do about what does not work', () => {
  const config = join(dirname(file('x')), 'settings');
  mkdirSync(join(config, 'fttscope'), { recursive: true });
  file('settings/fttscope/config.json', '{"version": 1, "theme": ');
  const told = lines({ SSLKEYLOGFILE: '/nowhere/keys', XDG_CONFIG_HOME: config });
  assert.ok(told.includes('--  keys          SSLKEYLOGFILE: /nowhere/keys: no such key log'));
  const settings = told.find((l) => l.slice(4).startsWith('settings'))!;
  assert.match(settings, /^-- .*config\.json/);
});

test('doctor says how live capture is had where npm has left pcap out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-without-pcap-'));
  try {
    for (const part of ['package.json', 'dist/src', 'dist/dissectors'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    const told = spawnSync(process.execPath, [join(folder, 'dist/src/cli/fttscope.js'), 'doctor'], {
      env: { PATH: '/nowhere' },
      encoding: 'utf8',
    });
    assert.match(
      told.stdout,
      /^-- {2}live capture .*Cannot find module 'pcap'\n *apt-get install .* install fttscope again/m,
    );
    assert.doesNotMatch(told.stdout, /npm rebuild/); // it says that it succeeds, and does nothing
  } finally {
    rmSync(folder, { recursive: true });
  }
});
