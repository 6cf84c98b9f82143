import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { COMMAND } from '../cli/run.js';
import { PATIENCE_MS, until } from '../support/until.js';

/** A folder of this test run, gone after it. */
export const FOLDER = mkdtempSync(join(tmpdir(), 'fttscope-live-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

export const inFolder = (name: string): string => join(FOLDER, name);

/** Why tests that want an optional package skip, or false. */
export function packageMissing(name: string): string | false {
  try {
    createRequire(import.meta.url)(name);
    return false;
  } catch {
    return `the package ${name} does not load: skipped`;
  }
}

/** Why tests that want a program skip, or false. */
export const missing = (program: string, ...args: string[]): string | false => {
  const r = spawnSync(program, args.length === 0 ? ['--version'] : args, { stdio: 'ignore' });
  return r.error === undefined ? false : `${program} is not installed: skipped`;
};

const notRoot = process.getuid?.() === 0 ? false : 'capturing wants root: skipped';
/** Why nothing is captured by a backend here, or false. */
export const CANNOT_CAPTURE: Readonly<Record<'pcap' | 'dumpcap', string | false>> = {
  pcap: notRoot || packageMissing('pcap'),
  dumpcap: notRoot || missing('dumpcap'),
};

/** Nothing that a test started outlives it. */
const started = new Set<ChildProcess>();
const endAll = (): void => {
  for (const child of started) child.kill('SIGKILL');
};
// Where a test failed they would keep this process alive for ever.
after(endAll);
process.on('exit', endAll);

/** The process with such a command line that another one has started. */
function childOf(pid: number, words: string): number | undefined {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    return pids.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(words));
  } catch {
    return undefined; // gone meanwhile
  }
}

/** A process that a test talks to. */
export class Running {
  out = '';
  err = '';
  octets = Buffer.alloc(0);
  readonly ended: Promise<number | null>;
  private readonly hear = new Set<() => void>();
  /** It has ended, and all that it said is here. */
  private over = false;

  constructor(readonly child: ChildProcess) {
    started.add(child);
    child.stdin?.on('error', () => undefined);
    child.stdout?.on('data', (d: Buffer) => {
      this.octets = Buffer.concat([this.octets, d]);
      this.out += d.toString('utf8');
      for (const tell of [...this.hear]) tell();
    });
    child.stderr?.on('data', (d: Buffer) => {
      this.err += d.toString('utf8');
      for (const tell of [...this.hear]) tell();
    });
    this.ended = new Promise((resolve) => {
      child.once('error', (e) => {
        this.err += e.message;
      });
      child.once('close', (code) => {
        this.over = true;
        started.delete(child);
        resolve(code);
        for (const tell of [...this.hear]) tell();
      });
    });
  }

  /** Waits until `found` gives something in what it says; fails when the process has ended, or nothing comes for long. */
  async until<T>(found: () => T | null | undefined | false, what = 'what was waited for'): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let look = (): void => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${what} did not come (${why}): ${this.out}${this.err}`));
        timer = setTimeout(() => fail('time is up'), PATIENCE_MS);
        look = () => {
          const value = found();
          if (value !== null && value !== undefined && value !== false) resolve(value);
          else if (this.over) fail('it ended');
        };
        this.hear.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.hear.delete(look);
    }
  }

  /** Waits for a line of standard output or error. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(() => pattern.exec(this.out) ?? pattern.exec(this.err), String(pattern));
  }

  /** Waits until it has started a process whose command line holds `words`; returns which. */
  async hasStarted(words: string): Promise<number> {
    let found: number | undefined;
    await until(
      () => (found = childOf(this.child.pid!, words)) !== undefined,
      () => `a process ${words}: ${this.out}${this.err}`,
    );
    return found!;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** Starts a program with pipes. */
export const startProgram = (program: string, args: readonly string[], env: Record<string, string> = {}): Running =>
  new Running(
    spawn(program, [...args], {
      stdio: 'pipe',
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TZ: 'UTC', ...env },
    }),
  );

/** Starts fttscope; its lab lies in the folder of this test run. */
export const startFttscope = (args: readonly string[], prefix: readonly string[] = []): Running => {
  const [program, ...rest] = [...prefix, process.execPath, COMMAND, ...args];
  return startProgram(program, rest, { XDG_STATE_HOME: inFolder('state') });
};

/** Starts an EFTF of the lab on a free port of the loopback interface. */
export async function startEftf(...args: readonly string[]): Promise<{ eftf: Running; at: string; port: number }> {
  const eftf = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0', ...args]);
  eftf.child.stdin?.end(); // it lives with a closed console
  const [, port] = await eftf.line(/^listening 127\.0\.0\.1:(\d+)$/m);
  return { eftf, at: `127.0.0.1:${port}`, port: Number(port) };
}

const mayUnshare =
  process.getuid?.() === 0 && spawnSync('unshare', ['-mn', 'ip', 'tuntap', 'add', 'd0', 'mode', 'tun']).status === 0;
/** Why there is no {@link silence} here, or false. */
export const CANNOT_BE_SILENT = mayUnshare ? false : 'mounts and networks of its own want root: skipped';

/** Begins a command line that runs where the DNS server never answers: with a device that swallows what is sent. */
export function silence(): string[] {
  const conf = inFolder('resolv.conf');
  writeFileSync(conf, 'nameserver 192.0.2.9\noptions timeout:30 attempts:5\n');
  const setUp =
    'ip tuntap add d0 mode tun; ip addr add 192.0.2.1/24 dev d0; ip link set d0 up; mount --bind "$0" /etc/resolv.conf';
  return ['unshare', '-mn', 'sh', '-c', `${setUp}; exec "$@"`, conf];
}

/** An IP packet in an envelope, by the text of TS 24.322 §7.1.2. */
export const enveloped = (packet: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([1, (packet.length + 3) >> 8, (packet.length + 3) & 255]), packet]);

/** Sum of RFC 1071 over an even number of octets. */
function internetSum(b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i += 2) sum += (b[i] << 8) | (b[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An IPv4 packet laid out by hand (RFC 791). */
export function handMade4(
  src: readonly number[],
  dst: readonly number[],
  protocol: number,
  payload: Uint8Array,
): Buffer {
  const b = Buffer.concat([Buffer.from([0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, ...src, ...dst]), payload]);
  b.writeUInt16BE(b.length, 2);
  b.writeUInt16BE(internetSum(b.subarray(0, 20)), 10);
  return b;
}

/** A DHCPDISCOVER with the hardware fields of RFC 3456, laid out by hand (RFC 2131 §2). */
export function handMadeDiscover(xid: number): Buffer {
  const m = Buffer.alloc(236);
  m.set([1, 31, 7, 0], 0);
  m.writeUInt32BE(xid, 4);
  m.set([0x40, 0, 10, 9, 8, 7, 1], 28);
  const options = Buffer.from([99, 130, 83, 99, 53, 1, 1, 55, 3, 1, 3, 6, 255]);
  const length = 8 + m.length + options.length;
  const udp = Buffer.from([0, 68, 0, 67, length >> 8, length & 255, 0, 0]); // no checksum: RFC 768 lets IPv4 do without
  return handMade4([0, 0, 0, 0], [255, 255, 255, 255], 17, Buffer.concat([udp, m, options]));
}
