import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { LiveCapture } from '../../src/cli/live-capture.js';
import { BlockSplitter, NotBlocks } from '../../src/live/capture-blocks.js';
import { CaptureFiles } from '../../src/live/capture-files.js';
import { COMMAND, run, TLS13 } from '../cli/run.js';
import { freePort } from '../support/ports.js';
import { until } from '../support/until.js';
import { CANNOT_CAPTURE, inFolder, startFttscope, startProgram } from './outer-support.js';

const blocksOf = (file: Uint8Array): [Uint8Array, number][] => {
  const out: [Uint8Array, number][] = [];
  new BlockSplitter((block, type) => out.push([new Uint8Array(block), type])).feed(file.slice());
  return out;
};

test('a stream is cut into the same blocks wherever it is cut', () => {
  const file = readFileSync(TLS13).subarray(0, 20_000);
  const whole = blocksOf(file);
  assert.ok(whole.length > 20);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }), (sizes) => {
      const got: Uint8Array[] = [];
      const splitter = new BlockSplitter((block) => got.push(new Uint8Array(block)));
      for (let at = 0, i = 0; at < file.length; i++) {
        const n = sizes[i % sizes.length];
        splitter.feed(file.slice(at, at + n));
        at += n;
      }
      assert.deepEqual(
        got,
        whole.map(([b]) => b),
      );
    }),
    { numRuns: 30 },
  );
  assert.throws(() => blocksOf(Buffer.alloc(64, 0x41)), NotBlocks);
});

const frames = (path: string): number =>
  run(['read', path, '-q', '--rows', 'outer', '-T', 'fields', '-e', 'frame.number']).out.split('\n').length - 1;

test('a ring keeps its newest files, and each opens alone', () => {
  const stopped: string[] = [];
  const files = new CaptureFiles({
    target: inFolder('ring.pcapng'),
    stop: { packets: 95 },
    ring: { packets: 20, files: 3 },
    onStop: (why) => stopped.push(why),
  });
  for (const [block, type] of blocksOf(readFileSync(TLS13))) files.add(block, type);
  files.end();
  assert.deepEqual(stopped, ['packets:95 is reached']);
  assert.deepEqual([files.count, files.paths.length], [5, 3]);
  assert.match(files.paths[0], /ring_00003_\d{14}\.pcapng$/);
  assert.deepEqual(files.paths.map(frames), [20, 20, 15]);
  assert.ok(!existsSync(files.paths[0].replace('00003', '00001')));
});

test('a ring with too little room for all keys says so, once', () => {
  const cut: number[] = [];
  const files = new CaptureFiles({
    target: inFolder('keys.pcapng'),
    stop: {},
    ring: { filesize: 4 },
    onStop: () => undefined,
    onCut: (octets) => cut.push(octets),
  });
  const line = Buffer.from(`CLIENT_RANDOM ${'0'.repeat(64)} ${'1'.repeat(96)}\n`);
  for (let n = 0; n < 10; n++) files.keys(line);
  files.end();
  assert.deepEqual(cut, [1000]); // a quarter of a file
});

/** Sends so many datagrams to a port of the loopback interface. */
async function send(port: number, count: number): Promise<void> {
  const socket = createSocket('udp4');
  for (let n = 0; n < count; n++) await new Promise((sent) => socket.send(`datagram ${n}`, port, '127.0.0.1', sent));
  socket.close();
}

for (const backend of ['pcap', 'dumpcap'] as const) {
  test(`packets of an interface by ${backend}, and a filter`, { skip: CANNOT_CAPTURE[backend] }, async () => {
    const port = await freePort();
    const file = inFolder(`${backend}.pcapng`);
    const one = startFttscope([
      'capture',
      '-i',
      'lo',
      '-f',
      `udp dst port ${port}`,
      '-c',
      '60',
      '-w',
      file,
      '--backend',
      backend,
    ]);
    await one.line(/^capturing on lo/m);
    await send(port, 60);
    assert.equal(await one.ended, 0, one.err);
    assert.match(one.err, /60 packets, .* 0 dropped: packets:60 is reached/);
    const ports = run(['read', file, '-T', 'fields', '-e', 'udp.dstport']).out.trimEnd().split('\n');
    assert.deepEqual(ports, new Array(60).fill(String(port)));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
}

for (const backend of ['pcap', 'dumpcap'] as const) {
  const skip = CANNOT_CAPTURE[backend];
  test(`a capture by ${backend} that is told to end before it has begun ends well, and says so`, { skip }, async () => {
    const file = inFolder(`none-${backend}.pcapng`);
    const one = startFttscope(['capture', '-i', 'lo', '-f', 'udp port 9', '--backend', backend, '-w', file]);
    await one.hasStarted(backend === 'pcap' ? 'capture-child' : 'dumpcap');
    assert.equal(await one.stop('SIGINT'), 0);
    assert.match(one.err, /^0 packets, \d+ B, 0 dropped$/m);
  });
}

test('a capture on a full disk ends behind a whole packet', { skip: CANNOT_CAPTURE.pcap }, async () => {
  const port = await freePort();
  const file = inFolder('cut.pcapng');
  const small = 'mount -t tmpfs -o size=64k none /mnt && "$@"; code=$?; cp /mnt/c.pcapng "$0"; exit $code';
  const one = startFttscope(
    ['capture', '-i', 'lo', '-f', `udp port ${port}`, '-w', '/mnt/c.pcapng'],
    ['unshare', '-m', 'sh', '-c', small, file],
  );
  await one.line(/^capturing on lo/m);
  await send(port, 2000);
  assert.equal(await one.ended, 2);
  assert.match(one.err, /^fttscope: \/mnt\/c\.pcapng: no space is left on the device$/m);
  const size = blocksOf(readFileSync(file)).reduce((sum, [block]) => sum + block.length, 0);
  assert.equal(size, statSync(file).size);
  assert.ok(size > 60_000, `${size} octets of 64 kB`);
});

test('a capture on screens whose file can be written no more ends in words', {
  skip: CANNOT_CAPTURE.pcap,
}, async () => {
  const port = await freePort();
  const run = await LiveCapture.start({
    interface: [{ device: 'lo', filter: `udp port ${port}` }],
    write: '/dev/full',
    snaplen: 262_144,
    bufferSize: 2,
    promiscuous: false,
    backend: 'pcap',
  });
  await until(() => run.over);
  const told = run.events.map(({ text }) => text);
  assert.ok(told.includes('/dev/full: no space is left on the device'), told.join('\n'));
  assert.equal(await run.end(), 2);
});

test('several interfaces, and rows as they come', { skip: CANNOT_CAPTURE.pcap }, async () => {
  const port = await freePort();
  const one = startFttscope([
    'capture',
    '-f',
    `udp port ${port}`,
    '-i',
    'lo',
    '-i',
    'any',
    '-c',
    '600',
    '-T',
    'fields',
    '-e',
    'frame.interface_name',
    '-e',
    'udp.dstport',
  ]);
  await one.line(/^capturing on lo, any/m);
  await send(port, 300); // each is seen on both
  assert.equal(await one.ended, 0, one.err);
  const rows = one.out.trimEnd().split('\n');
  const expected = ['any', 'lo'].flatMap((name) => new Array<string>(300).fill(`${name}\t${port}`));
  assert.deepEqual(rows.sort(), expected);
});

test('what cannot be captured on, in words', { skip: CANNOT_CAPTURE.pcap }, () => {
  const one = (...args: string[]): [number | null, string] => {
    const r = run(['capture', ...args, '-w', inFolder('none.pcapng')]);
    return [r.code, r.err];
  };
  const [code, words] = one('-i', 'nosuch0');
  assert.deepEqual([code, /nosuch0: /.test(words), /fttscope interfaces/.test(words)], [1, true, true], words);
  const [bad, why] = one('-i', 'lo', '-f', 'portt 5');
  assert.deepEqual([bad, /lo: .*filter/.test(why), /man pcap-filter/.test(why)], [1, true, true], why);
  const nobody = { uid: 65_534, gid: 65_534, encoding: 'utf8', env: { PATH: '' } } as const;
  const r = spawnSync(process.execPath, [COMMAND, 'capture', '-i', 'lo', '-w', '/dev/null'], nobody);
  assert.equal(r.status, 1, r.stderr);
  assert.match(r.stderr, /no right to capture/);
  assert.match(r.stderr, /tcpdump -i IFACE -U -w - \| fttscope -r -/);
});

test('a ring of files says when the next one begins', () => {
  const r = run(['capture', '-i', 'lo', '-w', inFolder('never.pcapng'), '-b', 'files:3']);
  assert.deepEqual([r.code, /nothing says when the next file begins/.test(r.err)], [1, true], r.err);
  assert.ok(!existsSync(inFolder('never.pcapng')));
});

test('interfaces are listed', { skip: CANNOT_CAPTURE.pcap }, () => {
  const { code, out } = run(['interfaces']);
  assert.equal(code, 0);
  assert.match(out, /^lo +\d+ packets +127\.0\.0\.1/m);
});

test('rows of a capture that cannot begin are none', { skip: CANNOT_CAPTURE.pcap }, () => {
  const r = run(['capture', '-i', 'nosuch0']);
  assert.deepEqual([r.code, r.out], [1, '']);
  assert.match(r.err, /^fttscope: nosuch0: .*\n {2}fttscope interfaces lists them\n$/);
});

test('a capture goes on when nobody reads what it says', { skip: CANNOT_CAPTURE.pcap }, async () => {
  const [port, file] = [await freePort(), inFolder('unheard.pcapng')];
  const args = ['capture', '-i', 'lo', '-c', '9', '-w', file, 'udp', 'port', String(port)];
  const one = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  one.stderr.destroy();
  const socket = createSocket('udp4');
  const sending = setInterval(() => socket.send('x', port, '127.0.0.1'), 50);
  const code = await new Promise((resolve) => one.once('exit', resolve));
  clearInterval(sending);
  socket.close();
  assert.deepEqual([code, run(['read', file]).out.trimEnd().split('\n').length], [0, 9]);
});

test('rows of a capture end well when a signal reaches all of its processes', {
  skip: CANNOT_CAPTURE.pcap,
}, async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const args = ['capture', '-i', 'lo', 'udp', 'port', String(await freePort())];
    const one = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    await new Promise((capturing) => one.stderr.once('data', capturing));
    process.kill(-one.pid!, signal);
    assert.equal(await new Promise((resolve) => one.once('exit', resolve)), 0, signal);
  }
});

test('a capture ends when the reader of its rows has left', { skip: CANNOT_CAPTURE.pcap }, async () => {
  const port = await freePort();
  const F = `${process.execPath} ${COMMAND}`;
  const one = startProgram('bash', [
    '-c',
    `${F} capture -i lo -f 'udp port ${port}' | head -1; echo \${PIPESTATUS[@]}`,
  ]);
  await one.line(/^capturing on lo/m);
  const socket = createSocket('udp4');
  const sending = setInterval(() => socket.send('x', port, '127.0.0.1'), 50);
  await one.ended;
  clearInterval(sending);
  socket.close();
  assert.match(one.out, new RegExp(`→ ${port}.*\\n0 0\\n$`));
});

test('what captures live in tshark does here, without a command', { skip: CANNOT_CAPTURE.pcap }, async () => {
  const port = await freePort();
  const live = ['-i', 'lo', '-f', `udp port ${port}`, '-c', '3', '-n', '-l'];
  const socket = createSocket('udp4');
  const sending = setInterval(() => socket.send('x', port, '127.0.0.1'), 50);
  const printed = async (...args: string[]): Promise<string> => {
    const one = startFttscope(args);
    assert.equal(await one.ended, 0, one.err);
    return one.out;
  };
  try {
    const fields = ['-T', 'fields', '-e', 'udp.dstport', '-e', 'ip.src', '-E', 'separator=;'];
    assert.equal(await printed(...live, ...fields), `${port};127.0.0.1\n`.repeat(3));
    assert.match(await printed('-t', 'ad', '-x', ...live), /^ *1 \d{4}-\d\d-\d\d .*\n\n?0000 /);
    const file = inFolder('as-tshark.pcapng');
    await printed('-q', '-w', file, ...live);
    assert.equal(frames(file), 3);
  } finally {
    clearInterval(sending);
    socket.close();
  }
});
