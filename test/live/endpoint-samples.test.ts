import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENDPOINT_SAMPLES, expectationOfEndpoints, played } from '../build/endpoint-samples.js';
import { codes, reportOn } from '../model/support.js';
import { ROOT } from '../support/corpus.js';

/** The samples of our own endpoints, made anew: chance is another, what happens is not. */

interface Expectation {
  readonly envelopes: { readonly unknown: number; readonly invalid: number };
  readonly inner: Readonly<Record<string, number>>;
  readonly finding?: string;
}

for (const sample of ENDPOINT_SAMPLES)
  test(sample.name, async () => {
    const run = await played(sample);
    const now = expectationOfEndpoints(sample, run) as Expectation;
    const kept = JSON.parse(readFileSync(join(ROOT, 'samples', `${sample.name}.expect.json`), 'utf8')) as Expectation;
    const { packets: _, rtp, ...inner } = now.inner;
    const { packets: __, rtp: before, ...others } = kept.inner;
    assert.deepEqual(inner, others);
    assert.ok(Math.abs(rtp - before) <= 4, `${rtp} packets of media`); // reports and the end come at times of chance
    assert.deepEqual([now.envelopes.unknown, now.envelopes.invalid], [kept.envelopes.unknown, kept.envelopes.invalid]);
    const report = await reportOn(run.octets, run.keys);
    if (sample.finding === undefined) assert.deepEqual(codes(report), []);
    else assert.equal(report.findings[0]?.code, sample.finding);
  });
