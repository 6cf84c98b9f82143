import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { BLOCK, BlockSplitter, statisticsOf } from '../../src/live/capture-blocks.js';
import { CaptureFiles } from '../../src/live/capture-files.js';
import { run } from '../cli/run.js';
import { freePort } from '../support/ports.js';
import { until } from '../support/until.js';
import {
  CANNOT_CAPTURE,
  FOLDER,
  inFolder,
  missing,
  type Running,
  startFttscope,
  startProgram,
} from './outer-support.js';

/** Every packet is in the file, or counted as dropped; and what is in the file stays there, whatever becomes of the program. */

const SPACE = `fttcap${process.pid}`;
const inSpace = ['ip', 'netns', 'exec', SPACE];
const ip = (...args: string[]): boolean => spawnSync('ip', args).status === 0;

/** Makes a namespace with a cable in it that nobody else uses. Why there is none, or false. */
function makeSpace(): string | false {
  after(() => void ip('netns', 'delete', SPACE));
  const made =
    ip('netns', 'add', SPACE) &&
    ip('-n', SPACE, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1') &&
    ['v0', 'v1'].every((end) => ip('-n', SPACE, 'link', 'set', end, 'up'));
  return made ? false : 'network namespaces cannot be made here: skipped';
}

const flood =
  (CANNOT_CAPTURE.pcap && CANNOT_CAPTURE.dumpcap) ||
  missing('tcpreplay', '--version') ||
  missing('ip', '-V') ||
  makeSpace();

/** Datagrams of 300 octets to port 9 as a capture, the classic format by hand; each ends with a word. */
function datagrams(count: number, word: string): string {
  const parts = [Buffer.alloc(24)];
  parts[0].writeUInt32LE(0xa1b2c3d4, 0);
  parts[0].set([2, 0, 4, 0], 4);
  parts[0].writeUInt32LE(65_535, 16);
  parts[0].writeUInt32LE(1, 20);
  for (let i = 0; i < count; i++) {
    const b = Buffer.alloc(16 + 300);
    b.writeUInt32LE(i, 4);
    b.writeUInt32LE(300, 8);
    b.writeUInt32LE(300, 12);
    b.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0], 16);
    b.set([0x45, 0, 1, 30, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 9, 0, 9, 1, 10, 0, 0], 30);
    b.write(word, 300);
    parts.push(b);
  }
  const file = inFolder(`${word}.pcap`);
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

/** Packets of a file, and what its last statistics say. */
function contentsOf(path: string): { packets: number; received: number; dropped: number } {
  const found = { packets: 0, received: 0, dropped: 0 };
  const blocks = new BlockSplitter((block, type) => {
    if (type === BLOCK.packet) found.packets++;
    if (type === BLOCK.statistics) Object.assign(found, statisticsOf(block));
  });
  // A piece at a time: a flood fills gigabytes.
  const file = openSync(path, 'r');
  const piece = Buffer.alloc(1 << 20);
  for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) blocks.feed(piece.subarray(0, n));
  closeSync(file);
  return found;
}

const replay = (file: string, ...args: string[]): Running =>
  startProgram(inSpace[0], [...inSpace.slice(1), 'tcpreplay', '-q', '-i', 'v0', '--preload-pcap', ...args, file]);

/** Sends datagrams until one of them has come to the end of a file: all that was sent before is there then, or was dropped. */
async function untilWritten(file: string): Promise<number> {
  const last = datagrams(1, 'the last');
  let sent = 0;
  const end = (): Buffer => readFileSync(file).subarray(-2000);
  for (; !end().includes('the last'); sent++) {
    assert.ok(sent < 100, 'nothing comes any more');
    const sender = replay(last);
    assert.equal(await sender.ended, 0, sender.err);
    await new Promise((r) => setTimeout(r, 500));
  }
  return sent;
}

for (const backend of ['pcap', 'dumpcap'] as const) {
  const skip = flood || CANNOT_CAPTURE[backend];
  test(`as fast as a sender can, by ${backend}: what is captured and what is reported dropped is what was sent`, {
    skip,
  }, async () => {
    const file = inFolder(`${backend}-flood.pcapng`);
    // The least buffer: there will be drops wherever capturing is slower than sending.
    const args = ['-i', 'v0', '-f', 'udp dst port 9', '-B', '1', '-w', file, '--backend', backend];
    const one = startFttscope(['capture', ...args], inSpace);
    await one.line(/^capturing on v0/m);
    const sender = replay(datagrams(500, 'many'), '--topspeed', '--loop=200');
    await sender.ended;
    assert.match(sender.out, /Successful packets: +100000/, sender.err);
    // dumpcap does not tell what it leaves in the buffer of the kernel when it ends.
    const sent = 100_000 + (backend === 'dumpcap' ? await untilWritten(file) : 0);
    assert.equal(await one.stop('SIGINT'), 0, one.err);
    const told = /^([\d,]+) packets, .+, ([\d,]+) dropped/m.exec(one.err);
    assert.ok(told !== null, one.err);
    const [packets, dropped] = told.slice(1).map((n) => Number(n.replaceAll(',', '')));
    assert.equal(packets + dropped, sent, one.err);
    const c = contentsOf(file);
    assert.deepEqual([c.packets, c.dropped], [packets, dropped]);
    assert.ok(dropped === 0 || /v0: [\d,]+ packets? (?:was|were) dropped; -B gives more buffer/.test(one.err), one.err);
  });
}

test('a capture ends while packets come without end, and has what came before', {
  skip: flood || CANNOT_CAPTURE.pcap,
}, async () => {
  const file = inFolder('endless.pcapng');
  const sender = replay(datagrams(500, 'many'), '--topspeed', '--loop=0');
  const counter = [...inSpace.slice(1), 'cat', '/sys/class/net/v1/statistics/rx_packets'];
  await until(() => Number(spawnSync(inSpace[0], counter, { encoding: 'utf8' }).stdout) > 1000);
  const one = startFttscope(['capture', '-i', 'v0', '-s', '64', '-w', file, '-a', 'duration:2'], inSpace);
  assert.equal(await one.ended, 0, one.err);
  assert.equal(sender.child.exitCode, null, sender.err);
  await sender.stop('SIGKILL');
  const { packets, received, dropped } = contentsOf(file);
  assert.ok(packets > 1000);
  assert.ok(packets + dropped >= received, `${packets} captured, ${dropped} dropped of ${received}`);
});

/** Sends numbered datagrams to a port of the loopback interface until told to stop. */
function numbered(port: number): () => void {
  const socket = createSocket('udp4');
  let n = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 40; i++) socket.send(`${n++}`.padStart(300), port, '127.0.0.1');
  }, 5);
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

/** The numbers of the datagrams of a file; each is the one after the one before. */
function numbersIn(path: string): { first: number; last: number } {
  const { code, out } = run(['read', path, '-T', 'fields', '-e', 'data.data']);
  assert.ok(code === 0 || code === 2, path); // 2: its last block is not whole
  const octets = out
    .trimEnd()
    .split('\n')
    .map((hex) => Buffer.from(hex.replaceAll(':', ''), 'hex').toString());
  const n = octets.map(Number);
  assert.deepEqual(
    n,
    Array.from(n, (_, i) => n[0] + i),
    path,
  );
  return { first: n[0], last: n[n.length - 1] };
}

for (const ring of [[], ['-b', 'packets:300', '-b', 'files:3']])
  test(`killed at random moments${ring.length > 0 ? ', with a ring' : ''}, files open with all that was written`, {
    skip: CANNOT_CAPTURE.pcap,
  }, async () => {
    const port = await freePort();
    for (let turn = 0; turn < (ring.length > 0 ? 2 : 3); turn++) {
      const name = `killed-${ring.length}-${turn}`;
      const [filter, file] = [`udp dst port ${port}`, inFolder(`${name}.pcapng`)];
      // The kernel has room for what comes while the program cannot run.
      const one = startFttscope(['capture', '-i', 'lo', '-f', filter, '-B', '64', '-w', file, ...ring]);
      await one.line(/^capturing/m);
      const stop = numbered(port);
      const files = (): string[] =>
        readdirSync(FOLDER)
          .filter((f) => f.startsWith(name))
          .sort()
          .map(inFolder);
      await until(() => files().some((f) => statSync(f).size >= 2000));
      await new Promise((r) => setTimeout(r, Math.random() * 700));
      await one.stop('SIGKILL');
      stop();
      const written = files().filter((f) => statSync(f).size > 500);
      assert.ok(written.length >= 1 && written.length <= 4, written.join());
      const parts = written.map(numbersIn);
      for (const [i, { first }] of parts.entries()) if (i > 0) assert.equal(first, parts[i - 1].last + 1);
      if (missing('capinfos') === false)
        for (const f of written) {
          const r = spawnSync('capinfos', ['-c', '-M', f], { encoding: 'utf8' });
          const { first, last } = parts[written.indexOf(f)];
          // Of a last block that is not whole capinfos says that the file is cut short.
          assert.match(r.stdout, new RegExp(`Number of packets: +${last - first + 1}$`, 'm'), r.stderr);
        }
    }
  });

test('a ring holds as much as it was told, in files and in memory, however long it runs', () => {
  const files = new CaptureFiles({
    target: inFolder('days.pcapng'),
    stop: {},
    ring: { filesize: 200, files: 4 },
    onStop: () => assert.fail('it goes on'),
  });
  const block = (type: number, octets: number): Uint8Array => {
    const b = Buffer.alloc(octets);
    b.writeUInt32LE(type, 0);
    b.writeUInt32LE(octets, 4);
    b.writeUInt32LE(octets, octets - 4);
    return b;
  };
  files.add(block(BLOCK.section, 28), BLOCK.section);
  files.add(block(BLOCK.interface, 20), BLOCK.interface);
  const packet = block(BLOCK.packet, 1000);
  const line = Buffer.from(`CLIENT_RANDOM ${'00'.repeat(32)} ${'11'.repeat(48)}\n`);
  /** Octets that the object holds on to. */
  const held = (x: unknown, seen = new Set<unknown>()): number => {
    if (typeof x === 'string') return x.length;
    if (typeof x !== 'object' || x === null || seen.has(x)) return 0;
    seen.add(x);
    if (ArrayBuffer.isView(x)) return x.byteLength;
    const parts = x instanceof Map ? [...x.values()] : Object.values(x);
    return parts.reduce<number>((sum, part) => sum + held(part, seen), 0);
  };
  let most = 0;
  for (let hour = 0; hour < 60; hour++) {
    for (let i = 0; i < 1000; i++) files.add(packet, BLOCK.packet);
    for (let i = 0; i < 100; i++) files.keys(line);
    files.add(block(BLOCK.statistics, 24), BLOCK.statistics);
    most = Math.max(most, held(files));
  }
  files.end();
  const there = readdirSync(FOLDER).filter((f) => f.startsWith('days'));
  assert.deepEqual([files.packets, there.length, files.paths.length], [60_000, 4, 4]);
  const kept = there.map((f) => statSync(inFolder(f)).size);
  assert.ok(Math.max(...kept) < 250_000, `${kept}`);
  assert.ok(files.count < 500, `${files.count} files`); // key logs leave room for packets
  assert.ok(most < 400_000, `${most} octets are held`); // a buffer of 256 KiB, and a part of the key log
});
