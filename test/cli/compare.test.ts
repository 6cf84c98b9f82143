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

interface Compared {
  readonly goodPart?: string;
  readonly badPart?: string;
  readonly firstDifference?: string;
  readonly firstFailure?: string;
  readonly steps: readonly { step: string; same: boolean; good?: { outcome: string }; bad?: { outcome: string } }[];
}
const told = (good: string, bad: string): Compared =>
  JSON.parse(run(['report', '--compare', '--json', good, bad]).out) as Compared;
const outcomes = (c: Compared, step: string): (string | undefined)[] => {
  const s = c.steps.find((x) => x.step === step);
  return [s?.good?.outcome, s?.bad?.outcome];
};

test('of several tunnels and calls the one that failed is held against the one that went well', () => {
  const field = sample('00-field.pcapng'); // a good call, one that is refused, and tunnels that came to nothing
  const c = told(GOOD, field);
  assert.deepEqual([c.goodPart, c.badPart], [undefined, 'tunnel 1, call 2']);
  assert.deepEqual(outcomes(c, 'INVITE, answer'), ['200 OK', '503 Service Unavailable']);
  assert.deepEqual([c.firstDifference, c.firstFailure], ['INVITE, progress', 'INVITE, answer']);
  const { out } = run(['report', '--compare', GOOD, field]);
  assert.match(out, /^bad: {2}.*00-field\.pcapng: tunnel 1, call 2$/m);
  assert.match(out, /The first that failed in the bad one alone is INVITE, answer: 200 OK .*, 503 Service/);
  assert.equal(told(field, sample('27-forbidden.pcapng')).goodPart, 'tunnel 1, call 1');
  // Within one capture.
  assert.deepEqual(outcomes(told(field, field), 'call'), ['ended by the caller', 'failed']);
});

test('behind the EFTF there are no steps of a tunnel to be missed', () => {
  const inner = file('behind.pcapng');
  assert.equal(run(['extract', GOOD, '-q', '-w', inner]).code, 0);
  for (const [good, bad] of [
    [inner, sample('27-forbidden.pcapng')],
    [GOOD, inner],
  ] as const) {
    const c = told(good, bad);
    assert.deepEqual(
      c.steps.filter((s) => /^(TCP|TLS|keys|DHCP|P-CSCF|end|media .*)$/.test(s.step)).map((s) => s.step),
      [],
    );
    assert.equal(c.firstFailure, bad === inner ? undefined : 'REGISTER');
  }
  assert.equal(told(GOOD, inner).firstDifference, undefined);
  assert.deepEqual(outcomes(told(inner, sample('29-one-way-audio.pcapng')), 'media'), ['AMR-WB', 'AMR-WB, one way']);
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
