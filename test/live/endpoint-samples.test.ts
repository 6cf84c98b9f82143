import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENDPOINT_SAMPLES, expectationOfEndpoints, played } from '../build/endpoint-samples.js';
import { whyNoPath } from '../build/path-run.js';
import { codes, reportOn } from '../model/support.js';
import { ROOT } from '../support/corpus.js';

/** The samples of our own endpoints, made anew: chance is another, what happens is not. */

interface Expectation {
  readonly tunnels: number;
  readonly envelopes: { readonly unknown: number; readonly invalid: number };
  readonly inner: Readonly<Record<string, number>>;
  readonly finding?: string;
}

for (const sample of ENDPOINT_SAMPLES.filter((s) => s.onPath === undefined))
  test(sample.name, async () => {
    const run = await played(sample);
    const now = expectationOfEndpoints(sample, run) as Expectation;
    const kept = JSON.parse(readFileSync(join(ROOT, 'samples', `${sample.name}.expect.json`), 'utf8')) as Expectation;
    const { packets: _, rtp, ...inner } = now.inner;
    const { packets: __, rtp: before, ...others } = kept.inner;
    assert.deepEqual(inner, others);
    assert.ok(Math.abs(rtp - before) <= 4, `${rtp} packets of media`); // reports and the end come at times of chance
    assert.deepEqual([now.tunnels, now.envelopes.unknown, now.envelopes.invalid], tallies(kept));
    assert.ok(run.octets.length < 100_000);
    const report = await reportOn(run.octets, run.keys);
    if (sample.finding === undefined) assert.deepEqual(codes(report), []);
    else assert.equal(report.findings[0]?.code, sample.finding);
  });

const tallies = ({ tunnels, envelopes }: Expectation): number[] => [tunnels, envelopes.unknown, envelopes.invalid];

const why = whyNoPath();
for (const sample of ENDPOINT_SAMPLES.filter((s) => s.onPath !== undefined))
  test(sample.name, { skip: why === false ? false : `${why}: skipped` }, async () => {
    const run = await played(sample);
    const report = await reportOn(run.octets, run.keys);
    // This machine may be busy, and more come late than what was lost.
    assert.ok(codes(report).includes('tunnel.stall'), codes(report).join());
    const { calls, registrations } = report;
    assert.deepEqual([calls.length, registrations.length, report.tunnels[0].tls.decryption.up.verdict], [1, 1, 'full']);
  });
