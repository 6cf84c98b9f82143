import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { command } from '../../src/cli/commands/eftf.js';
import { realClock } from '../../src/live/clock.js';
import type { Eftf } from '../../src/live/eftf.js';
import { Lines } from '../../src/live/scenario-lines.js';
import { run } from '../cli/run.js';
import { inFolder, missing, type Running, startFttscope, startProgram } from './outer-support.js';

/** Scenarios of an EFTF, with openssl s_client for a UE. */

const skip = missing('openssl', 'version');

async function start(steps: readonly unknown[]): Promise<{ eftf: Running; port: string }> {
  const file = inFolder(`eftf-${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ steps }));
  const eftf = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0', '-4', '--run', file]);
  const [, port] = await eftf.line(/^listening 127\.0\.0\.1:(\d+)$/m);
  return { eftf, port };
}

const client = (port: string, ...more: string[]): Running =>
  startProgram('openssl', ['s_client', '-quiet', '-no_ign_eof', '-connect', `127.0.0.1:${port}`, ...more]);

test('an EFTF waits for a tunnel, sends, does wrong, and releases', { skip }, async () => {
  const { eftf, port } = await start([
    { expect: { event: '/^tunnel 1 established/', within: '20s' } },
    'tunnels',
    { expect: { tunnels: 1 } },
    { send: { hex: 'c8 00 05 01 02', tunnel: 1 } },
    { fault: 'length-3' },
    { fault: { 'unknown-type': 9 } },
    { wait: '100ms' },
    { release: 1 },
    { expect: { event: 'tunnel 1 ended: released by the EFTF' } },
    { expect: { tunnels: 0, not: 'established', within: '100ms' } },
  ]);
  const ue = client(port);
  assert.equal(await eftf.ended, 0, eftf.out + eftf.err);
  // TS 24.322 §7.1.2: type 200 with two octets, type 1 without a packet, type 9
  assert.deepEqual(ue.octets.subarray(0, 8), Buffer.from([200, 0, 5, 1, 2, 1, 0, 3]));
  assert.equal(ue.octets[8], 9);
  assert.match(eftf.out, /^tunnel 1: 127\.0\.0\.1:\d+, no address, 0 packets up, 0 down$/m);
  assert.match(eftf.out, /^fault length-3$/m);
  assert.equal(await ue.ended, 0); // close_notify came
});

test('a step that fails is named, and exits with 5', { skip }, async () => {
  const none = await start(['wait', { release: 3 }]);
  assert.equal(await none.eftf.ended, 5);
  assert.match(none.eftf.err, /step 2 \(release, .*line 1\) failed: there is no tunnel 3/);
  const snow = await start([{ expect: { event: 'snow in summer', within: '200ms' } }]);
  assert.equal(await snow.eftf.ended, 5);
  assert.match(snow.eftf.err, /step 1 \(expect, .*\) failed: no line like snow in summer within 0\.2 s/);
  const file = inFolder('eftf-bad.yaml');
  writeFileSync(file, 'steps:\n  - register');
  const bad = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0', '--run', file]);
  assert.equal(await bad.ended, 2);
  assert.match(bad.err, /line 2: no verb is called register; there are tunnels, wait, expect, send, fault, release/);
});

test('the console says what it cannot do, and releases nothing by mistake', async () => {
  const said: string[] = [];
  const closed: string[] = [];
  const tunnel = { id: 1, link: { close: (why: string) => closed.push(why) } };
  const lines = new Lines(realClock, (line) => said.push(line));
  const one = { eftf: { tunnels: new Map([[1, tunnel]]) } as unknown as Eftf, lines };
  const none = { eftf: { tunnels: new Map() } as unknown as Eftf, lines };
  for (const line of ['release x', 'release 1 2', 'fault', 'fault 1 snow', 'snow', 'expect', 'send 0', 'wait 600h 3'])
    await command(one, line);
  assert.deepEqual(closed, []);
  for (const [i, words] of [
    /^release: tunnel is a whole number, not x$/,
    /^release: tunnel is a whole number, not 1 2$/,
    /^fault: faults is missing: off, length-0, /,
    /^fault: no fault is called snow; there are length-0, /,
    /^no verb is called snow; there are tunnels, wait, expect, send, fault, release$/,
    /^expect: one of event, not, tunnels is missing$/,
    /^send: hex is octets in hex, not 0$/,
    /^wait: for is a time such as 500ms, 2s, 1\.5m, not 600h 3$/,
  ].entries())
    assert.match(said[i], words);
  for (const line of ['release 9', 'tunnels']) await command(none, line);
  assert.deepEqual(said.slice(8), ['there is no tunnel 9', 'there is no tunnel']);
  await command(one, 'release 1');
  assert.deepEqual(closed, ['released by the EFTF']);
});

test('an EFTF waits for as many tunnels as it was told, and does wrong in one of them', { skip }, async () => {
  const { eftf, port } = await start([
    { expect: { tunnels: 2, within: '20s' } },
    { fault: { tunnel: 2, faults: ['length-3', 'rst'] } },
    { expect: { tunnels: 1, within: '20s' } },
    { expect: { tunnels: 0, within: '20s' } },
  ]);
  const ues = [client(port), client(port)];
  await eftf.line(/^fault length-3, rst$/m);
  await eftf.line(/^tunnel 2 ended: /m);
  for (const ue of ues) ue.stop('SIGTERM');
  assert.equal(await eftf.ended, 0, eftf.out + eftf.err);
});

test('an EFTF that wants a server name refuses who sends none, and takes who sends one', { skip }, async () => {
  const { eftf, port } = await start([
    { fault: 'want-sni' },
    { expect: { event: 'refused a ClientHello without a server name', within: '20s' } },
    { expect: { event: '/^tunnel 1 established/', within: '20s' } },
    { fault: 'off' },
    { expect: { event: '/^tunnel 2 established/', within: '20s' } },
  ]);
  await eftf.line(/^fault want-sni$/m);
  const nameless = client(port, '-noservername');
  assert.notEqual(await nameless.ended, 0);
  assert.match(nameless.err, /unrecognized name/); // RFC 6066 §3
  const named = client(port, '-servername', 'eftf.ims.example');
  await eftf.line(/^no faults$/m);
  const other = client(port, '-noservername');
  assert.equal(await eftf.ended, 0, eftf.out + eftf.err);
  await Promise.all([named.ended, other.ended]);
});

test('faults of the EFTF need no tunnel, those of tunnels do', async () => {
  const said: string[] = [];
  const done: unknown[] = [];
  const lines = new Lines(realClock, (line) => said.push(line));
  const eftf = { tunnels: new Map(), fault: (f: unknown) => done.push(f), noFaults: () => done.push('off') };
  const end = { eftf: eftf as unknown as Eftf, lines };
  await command(end, 'help');
  assert.deepEqual(
    said.splice(0).map((line) => line.split(' ')[0]),
    ['tunnels', 'wait', 'expect', 'send', 'fault', 'release'],
  );
  for (const line of ['refuse-invite=480', '1 mute', 'rst', 'refuse-invite=200', 'off'])
    await command(end, `fault ${line}`);
  assert.deepEqual(done, [{ name: 'refuse-invite', value: 480 }, 'off']);
  assert.deepEqual(said, [
    'fault refuse-invite=480',
    'fault: mute is done to all UEs, not in one tunnel',
    'there is no tunnel',
    'fault: refuse-invite: 200 is no status of a refusal, 400 to 699',
    'no faults',
  ]);
});

test('a UE does not know the faults of an EFTF', () => {
  const r = run(['ue', '127.0.0.1:1', '--lab', '--fault', 'split,drop=0.1,challenge']);
  assert.deepEqual([r.code, /no fault is called challenge; there are length-0, /.test(r.err)], [1, true], r.err);
});

test('an EFTF says which UE gets no address or prefix, and why', async () => {
  const room = ['--pool', '10.9.0.0/30', '--prefix', 'fd00:1:2:8::/63'];
  const eftf = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0', ...room]);
  const [, port] = await eftf.line(/^listening 127\.0\.0\.1:(\d+)$/m);
  const first = startFttscope(['ue', `127.0.0.1:${port}`, '--lab']);
  await first.line(/^IPv6 fd00:1:2:9:\S+ valid for /m);
  await first.line(/^IPv4 10\.9\.0\.2\/30 /m);
  const second = startFttscope(['ue', `127.0.0.1:${port}`, '--lab']);
  await eftf.line(/^tunnel 2: no IPv6 prefix is left for it$/m);
  await eftf.line(/^tunnel 2: no IPv4 address is left for it: all addresses of the pool are taken$/m);
  for (const one of [second, first, eftf]) await one.stop('SIGTERM');
});
