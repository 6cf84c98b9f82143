/**
 * Live capture under load: a sender in a network namespace of its own sends at 20,000 frames a second, and then as fast as
 * it can; what it sent is beside what was captured and what was reported as dropped.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SPACE = `fttbc${process.pid}`;
const inSpace = ['ip', 'netns', 'exec', SPACE];
const FRAMES = 1000;
const OCTETS = 300;
const PCAP_HEADER = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
/** Ethernet, IPv4 and UDP to port 9 of a datagram that makes a frame of so many octets. */
const HEADERS = [
  ...[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 1, 30, 0, 0, 0, 0, 64, 17, 0, 0],
  ...[192, 0, 2, 1, 192, 0, 2, 2, 0, 9, 0, 9, 1, 10, 0, 0],
];

function frames(file: string): void {
  const frame = Buffer.alloc(16 + OCTETS);
  frame.writeUInt32LE(OCTETS, 8);
  frame.writeUInt32LE(OCTETS, 12);
  frame.set(HEADERS, 16);
  writeFileSync(file, Buffer.concat([Buffer.from(PCAP_HEADER), ...Array.from({ length: FRAMES }, () => frame)]));
}

/** Seconds of CPU of a process and its children, and the most memory of one of them in megabytes. */
function usage(pid: number): { cpu: number; peak: number } {
  const pids = [
    pid,
    ...spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .stdout.split('\n')
      .map(Number),
  ];
  let [cpu, peak] = [0, 0];
  for (const p of pids.filter((n) => n > 0)) {
    const stat = readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' ');
    cpu += (Number(stat[11]) + Number(stat[12])) / 100;
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${p}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  }
  return { cpu, peak };
}

async function one(
  main: string,
  folder: string,
  name: string,
  rate: string,
  loops: number,
  more: string[],
): Promise<void> {
  const file = join(folder, 'load.pcapng');
  const args = [process.execPath, main, 'capture', '-i', 'v0', '-f', 'udp dst port 9', '-w', file, ...more];
  const capture = spawn(inSpace[0], [...inSpace.slice(1), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  const started = new Promise<void>((resolve, reject) => {
    capture.stderr.on('data', (d: Buffer) => {
      words += d.toString();
      if (words.includes('capturing on')) resolve();
    });
    capture.once('exit', () => reject(new Error(words)));
  });
  await started;
  const sent = await new Promise<string>((resolve) => {
    const command = [
      'tcpreplay',
      '-q',
      '-i',
      'v0',
      '--preload-pcap',
      rate,
      `--loop=${loops}`,
      join(folder, 'load.pcap'),
    ];
    const sender = spawn(inSpace[0], [...inSpace.slice(1), ...command], { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    sender.stdout.on('data', (d: Buffer) => {
      out += d.toString();
    });
    sender.once('close', () => resolve(out));
  });
  const { cpu, peak } = usage(capture.pid!);
  const ended = new Promise((resolve) => capture.once('close', resolve));
  capture.kill('SIGINT');
  await ended;
  const number = (text: string, pattern: RegExp): number =>
    Number(pattern.exec(text)?.[1].replaceAll(',', '') ?? Number.NaN);
  const count = number(sent, /Successful packets: +(\d+)/);
  const captured = number(words, /([\d,]+) packets?, /);
  const dropped = number(words, /([\d,]+) dropped\s*$/);
  const pps = number(sent, /([\d.]+) pps/);
  console.log(
    `${name} ${count} sent at ${pps.toFixed(0)}/s: ${captured} captured + ${dropped} reported as dropped = ${captured + dropped}` +
      `${captured + dropped === count ? '' : ' (NOT ALL)'}; ${((1e6 * cpu) / captured).toFixed(1)} µs CPU a frame, ${peak.toFixed(0)} MB at most, file ${(statSync(file).size / 1e6).toFixed(0)} MB`,
  );
}

/** Prints what was sent, captured, and reported as dropped. */
export async function measureCapture(main: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0 || spawnSync('tcpreplay', ['--version'], { stdio: 'ignore' }).error !== undefined) {
    console.log('capture   left out: it wants root and tcpreplay');
    return;
  }
  const ip = (...args: string[]): unknown => spawnSync('ip', args, { stdio: 'ignore' });
  try {
    ip('netns', 'add', SPACE);
    ip('-n', SPACE, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    for (const end of ['v0', 'v1']) ip('-n', SPACE, 'link', 'set', end, 'up');
    frames(join(folder, 'load.pcap'));
    await one(main, folder, 'capture  ', '--pps=20000', 400, []);
    await one(main, folder, 'flood    ', '--topspeed', 3000, []);
    await one(main, folder, 'flood -B1', '--topspeed', 3000, ['-B', '1']);
  } finally {
    ip('netns', 'delete', SPACE);
  }
}
