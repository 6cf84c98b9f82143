import assert from 'node:assert/strict';
import { type LookupAddress, lookup } from 'node:dns';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Lookup } from '../../src/live/lookup.js';
import { until } from '../support/until.js';
import { CANNOT_BE_SILENT, type Running, silence, startFttscope } from './outer-support.js';

/** What a lookup of ours comes to: addresses, or the code of an error. */
const found = (name: string, family?: 4 | 6): Promise<LookupAddress[] | string | undefined> =>
  new Promise((resolve) => {
    new Lookup().ask(name, { all: true, ...(family && { family }) }, (error, addresses) => {
      resolve(error === null ? (addresses as LookupAddress[]) : error.code);
    });
  });

test("a name has the addresses that Node's own resolver gives", async () => {
  assert.deepEqual(await found('localhost'), await promisify(lookup)('localhost', { all: true }));
  assert.deepEqual(await found('localhost', 4), [{ address: '127.0.0.1', family: 4 }]);
  // RFC 6761 §6.4: there is none; without a network nobody can say so
  assert.match(String(await found('eftf.invalid')), /^(ENOTFOUND|EAI_AGAIN)$/);
});

/** Starts the program where the DNS server never answers. */
const inSilence = (...args: string[]): Running => startFttscope(args, silence());

test('a UE whose name is not resolved gives up in time, and says so', { skip: CANNOT_BE_SILENT }, async () => {
  const one = inSilence('ue', 'eftf.example', '--timeout', '1s');
  assert.equal(await one.ended, 6);
  assert.match(one.err, /no tunnel: eftf\.example:443: the name was not resolved within 1 s/);
});

test('a UE whose name is being resolved ends when it is told to', { skip: CANNOT_BE_SILENT }, async () => {
  for (const [signal, ...proxy] of [['SIGTERM'], ['SIGINT', '--proxy', 'proxy.example:3128'], ['SIGHUP']] as const) {
    const one = inSilence('ue', 'eftf.example', '--timeout', '1000s', ...proxy);
    await one.hasStarted('lookup-child');
    assert.equal(await one.stop(signal), 0, signal);
    assert.equal(one.out + one.err, '');
  }
});

test('an EFTF whose own name is being resolved ends when it is told to', { skip: CANNOT_BE_SILENT }, async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const one = inSilence('eftf', '--lab', '--quiet', '--listen', 'eftf.example:0');
    await one.hasStarted('lookup-child');
    assert.equal(await one.stop(signal), 0, signal);
    assert.equal(one.out + one.err, '');
  }
});

test('an EFTF listens at a name, and says where a name leads nowhere', async () => {
  const one = startFttscope(['eftf', '--lab', '--quiet', '--listen', 'localhost:0']);
  await one.line(/^listening (127\.0\.0\.1|\[::1\]):\d+$/m);
  assert.equal(await one.stop(), 0);
  const other = startFttscope(['eftf', '--lab', '--quiet', '--listen', 'eftf.invalid:0']);
  assert.equal(await other.ended, 1);
  assert.match(other.err, /^fttscope: eftf\.invalid:0: (that name does not exist|the name could not be resolved) /);
});

test('the process that resolves ends with whoever asked, however that ended', { skip: CANNOT_BE_SILENT }, async () => {
  const one = inSilence('ue', 'eftf.example', '--timeout', '1000s');
  const pid = await one.hasStarted('lookup-child');
  await one.stop('SIGKILL');
  await until(
    () => !existsSync(`/proc/${pid}`),
    () => `the end of process ${pid}`,
  );
});
