import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../src/limits.js';
import { OuterTape } from '../../src/live/tap-tape.js';
import { drainFile } from '../capture/support.js';
import { run } from '../cli/run.js';
import { freePort, listening } from '../support/ports.js';
import { until } from '../support/until.js';
import { inFolder, missing, startEftf, startFttscope } from './outer-support.js';

/** Runs that are written to a pipe whose reader takes its time. */

const noFifo = missing('mkfifo');

/** A named pipe with a reader that takes what it is told to. */
function pipe(name: string) {
  const path = inFolder(name);
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const parts: Buffer[] = [];
  /** Takes what is there; returns how many octets that were. */
  const take = (): number => {
    let n = 0;
    for (const b = Buffer.alloc(1 << 16); ; ) {
      let here = 0;
      try {
        here = readSync(fd, b);
      } catch {
        return n; // nothing is there
      }
      if (here === 0) return n;
      n += here;
      parts.push(Buffer.from(b.subarray(0, here)));
    }
  };
  return { path, take, octets: () => Buffer.concat(parts), close: () => closeSync(fd) };
}

const HERE = { address: '192.0.2.10', port: 40_000 };
const THERE = { address: '198.51.100.1', port: 443 };

test('packets that the reader of a pipe does not take are left out beyond a limit, and told', {
  skip: noFifo,
}, async () => {
  const { path, take, octets, close } = pipe('slow');
  const said: [string, boolean][] = [];
  const tape = new OuterTape([{ target: path, withKeys: true }], 'test', (e, lacks = false) =>
    said.push([e.message, lacks]),
  );
  const connection = tape.connection(HERE, THERE, true);
  const part = Buffer.alloc(1460 * 1000, 0x55);
  tape.key(`CLIENT_RANDOM ${'00'.repeat(32)} ${'11'.repeat(48)}`);
  const parts = Math.ceil((1.5 * LIMITS.livePipeOctets) / part.length);
  for (let i = 0; i < parts; i++) connection.octets(true, part);
  assert.deepEqual(said, [[`${path}: its reader takes too little, so packets are left out`, true]]);
  // The reader is back: what waited comes, and what passes from now on.
  for (let quiet = 0; quiet < 50; quiet = take() === 0 ? quiet + 1 : 0) await sleep(8);
  const before = octets().length;
  assert.ok(before > LIMITS.livePipeOctets, `${before} octets`);
  connection.octets(false, Buffer.from('the end'));
  tape.end();
  take();
  close();
  const [, left] = /: (\d+) packets were left out$/.exec(said[1][0])!;
  assert.equal(said.length, 2);
  const file = inFolder('slow.pcapng');
  writeFileSync(file, octets());
  const read = await drainFile(file);
  assert.equal(read.damage.length, 0);
  // Three of the handshake, each part with its acknowledgement, and the last one.
  assert.equal(read.frames.length + Number(left), 3 + 1001 * parts + 1);
  assert.equal(read.frames[0].iface.drops, BigInt(left));
  assert.ok(read.frames.at(-1)!.octets.includes('the end'));
});

test('a reader that takes nothing at the end is waited for a while, and that is told', { skip: noFifo }, () => {
  const { path, close } = pipe('none');
  const said: string[] = [];
  const tape = new OuterTape([{ target: path, withKeys: false }], 'test', (e) => said.push(e.message));
  tape.connection(HERE, THERE, true).octets(true, Buffer.alloc(1 << 20));
  tape.end();
  close();
  assert.equal(said.length, 1);
  assert.match(said[0], /none: its reader did not take the last \d+ octets$/);
});

test('a tunnel goes on while nobody takes what -w - writes, and nothing is missing in the end', async () => {
  const { eftf, at } = await startEftf();
  const scenario = inFolder('pipe.json');
  const steps = ['connect', 'dhcp', { ping: { count: 12, size: 60_000, interval: '1ms' } }, 'release'];
  writeFileSync(scenario, JSON.stringify({ steps }));
  const ue = startFttscope(['ue', at, '--lab', '--run', scenario, '-w', '-', '--with-keys']);
  ue.child.stdout!.pause();
  await ue.line(/close_notify was sent and answered/);
  ue.child.stdout!.resume();
  assert.equal(await ue.ended, 0, ue.err);
  const file = inFolder('pipe.pcapng');
  writeFileSync(file, ue.octets);
  const counted = run(['read', file, '-q', '-Y', 'icmp.type == 0', '-T', 'fields', '-e', 'icmp.seq']);
  assert.equal(counted.out.trim().split('\n').length, 12);
  assert.equal(await eftf.stop(), 0);
});

test('who waits for the reader of a FIFO ends when it is told to', { skip: noFifo }, async () => {
  const fifo = inFolder('unread.fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  for (const line of ['ue 127.0.0.1:1', 'eftf --listen 127.0.0.1:0'])
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const before = inFolder('before.pcapng');
      writeFileSync(before, '');
      const one = startFttscope([...line.split(' '), '--lab', '-w', before, '--keylog-out', fifo]);
      await until(() => readFileSync(before).length > 0); // the key log is opened next
      await one.stop(signal);
      assert.equal(one.child.signalCode, signal, line);
    }
});

test('an EFTF whose lines nobody takes serves on, and says how many it left out', { skip: noFifo }, async () => {
  const fifo = inFolder('lines');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const port = await freePort();
  const toFifo = ['bash', '-c', `exec "$@" >${fifo}`, '-'];
  const eftf = startFttscope(['eftf', '--lab', '--listen', `127.0.0.1:${port}`], toFifo);
  await listening('tcp', port, eftf.child.pid);
  const rounds = 2000;
  eftf.child.stdin!.write('help\n'.repeat(rounds)); // some hundred octets each: a pipe holds 64 KiB
  writeFileSync(inFolder('one.json'), JSON.stringify({ steps: ['connect', 'dhcp', 'ping'] }));
  const ue = startFttscope([
    'ue',
    `127.0.0.1:${port}`,
    '--lab',
    '-4',
    '--timeout',
    '100s',
    '--run',
    inFolder('one.json'),
  ]);
  assert.equal(await ue.ended, 0, ue.err);
  let text = '';
  const take = (): boolean => {
    const b = Buffer.alloc(1 << 16);
    try {
      const n = readSync(reader, b);
      text += b.toString('latin1', 0, n);
      return n > 0;
    } catch {
      return true; // nothing is there now
    }
  };
  eftf.child.kill('SIGTERM');
  await until(
    () => !take(),
    () => text.slice(-500),
  );
  closeSync(reader);
  assert.equal(await eftf.ended, 0, eftf.err);
  const lines = text.split('\n');
  const [, left] = /^(\d+) lines are left out here/m.exec(text)!;
  const said = lines.filter((l) => l.startsWith('tunnels ')).length;
  assert.equal(lines[0], `listening 127.0.0.1:${port}`);
  assert.ok(said < rounds && Number(left) > 0);
});
