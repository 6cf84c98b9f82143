import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { file, run, sample } from './run.js';

const GOOD = sample('20-healthy-call.pcapng');

/** Samples of failures, and the step that first goes another way than in a healthy call (samples/README.md). */
const FIRST: Readonly<Record<string, string>> = {
  '21-proxy-refuses': 'CONNECT',
  '24-dhcp-pool-empty': 'DHCP',
  '27-forbidden': 'REGISTER',
  '29-one-way-audio': 'media down',
  '30-media-outside-sdp': 'findings',
};

test('the first step that went wrong is marked', () => {
  for (const [name, step] of Object.entries(FIRST)) {
    const r = run(['report', '--compare', '--json', GOOD, sample(`${name}.pcapng`)]);
    assert.equal(r.code, 0, r.err);
    const told = JSON.parse(r.out);
    assert.equal(told.schema, 'fttscope.compare/1');
    assert.equal(told.firstDifference, step, name);
    const first = told.steps.find((s: { same: boolean }) => !s.same);
    assert.equal(first.step, step);
  }
});

test('how a registration ends stands behind the call, so that it is not the first difference', () => {
  const r = run(['report', '--compare', '--json', GOOD, sample('29-one-way-audio.pcapng')]);
  const names: string[] = JSON.parse(r.out).steps.map((s: { step: string }) => s.step);
  assert.deepEqual(
    names.filter((n) => /^(REGISTER|call|INVITE|registration)/.test(n)),
    ['REGISTER', 'REGISTER 2', 'INVITE, progress', 'INVITE, answer', 'call', 'REGISTER 3', 'registration'],
  );
});

test('a capture compared with itself shows no difference', () => {
  const { out } = run(['report', '--compare', GOOD, GOOD]);
  assert.match(out, /^Both went the same way\.$/m);
  assert.doesNotMatch(out, /^[>*]/m);
  for (const l of out.split('\n')) assert.ok(l.length <= 100, l);
});

test('text and Markdown show both sides', () => {
  const bad = sample('21-proxy-refuses.pcapng');
  assert.match(run(['report', '--compare', GOOD, bad]).out, /^> CONNECT +- +403/m);
  assert.match(
    run(['report', '--compare', '--markdown', GOOD, bad]).out,
    /^\| → \| \*\*CONNECT\*\* \| \*\*-\*\* \| \*\*403/m,
  );
});

test('the worse of both exit codes counts, whichever comes first: 2, 4, 3', () => {
  const cut = file('cut.pcapng', readFileSync(GOOD).subarray(0, 20_000));
  const closed = sample('22-wrong-key-log.pcapng');
  const bad = sample('28-overloaded.pcapng');
  for (const [a, b, code] of [
    [closed, cut, 2],
    [bad, closed, 4],
    [bad, GOOD, 3],
    [GOOD, GOOD, 0],
  ] as const)
    for (const names of [
      [a, b],
      [b, a],
    ])
      assert.equal(run(['report', '--compare', ...names, '--require-decrypt', '--fail-on', 'error']).code, code);
});

test('--compare wants two captures', () => {
  assert.equal(run(['report', '--compare', GOOD]).code, 1);
  assert.equal(run(['report', '--compare', '--html', GOOD, GOOD]).code, 1);
});
