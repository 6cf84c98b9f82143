import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BLOCK, BlockSplitter } from './capture-blocks.js';
import type { ChildOrder, ChildWord, ListedInterface } from './capture-order.js';

/** An interface to capture on. */
export interface CaptureInterface {
  readonly device: string;
  readonly filter: string;
}

/** What is captured, and by which program. */
export interface CaptureOptions {
  readonly interfaces: readonly CaptureInterface[];
  readonly snaplen: number;
  /** Buffer of the kernel for each interface. */
  readonly bufferMiB: number;
  readonly promiscuous: boolean;
  readonly application: string;
  /** `pcap`: node-pcap; `dumpcap`: that program; `auto`: the first that works. */
  readonly backend: 'auto' | 'pcap' | 'dumpcap';
}

/** Gets the blocks of all interfaces, which are numbered as they were given. Valid only during the call. */
export type TakeBlock = (block: Uint8Array, type: number) => void;

/** A capture that goes on. */
export interface Capturing {
  readonly backend: 'pcap' | 'dumpcap';
  /** Ends it; what was captured is still handed over. */
  stop(): void;
  /** All is handed over. Rejects with {@link CannotCapture} where it broke off. */
  readonly ended: Promise<void>;
}

/** Capturing is not possible: why, and what to do. */
export class CannotCapture extends Error {
  constructor(
    message: string,
    readonly hint: string,
    /** The interface or the filter is wrong, so that no other program would do better. */
    readonly final = false,
  ) {
    super(message);
  }
}

const CHILD = fileURLToPath(new URL('../live/capture-child.js', import.meta.url));
/** Seconds in which a process that was told to end hands over what it has; those in which this one stands still do not count. */
const STOP_SECONDS = 15;
const PIPE = 'or capture with another program: tcpdump -i IFACE -U -w - | fttscope -r -';
const RIGHTS = `run it as root, or give Node the rights (setcap cap_net_raw,cap_net_admin=eip NODE), ${PIPE}`;
/** What npm could not build it has left out, and `npm rebuild` does not bring it back. */
const INSTALL = `apt-get install libpcap-dev g++ make python3 and install fttscope again (npm ci in a checkout), or install dumpcap, ${PIPE}`;

/** Starts to capture; resolves when all interfaces are open. @param gone nobody wants it any more @throws CannotCapture */
export async function startCapture(o: CaptureOptions, take: TakeBlock, gone?: AbortSignal): Promise<Capturing> {
  if (o.backend === 'dumpcap') return startDumpcap(o, take, gone);
  try {
    return await startPcap(o, take, gone);
  } catch (e) {
    if (o.backend === 'pcap' || !(e instanceof CannotCapture) || e.final || gone?.aborted || !hasDumpcap()) throw e;
    return startDumpcap(o, take, gone);
  }
}

const hasDumpcap = (): boolean => spawnSync('dumpcap', ['--version'], { stdio: 'ignore' }).status === 0;

/** The interfaces that node-pcap finds, else those of dumpcap. @throws CannotCapture */
export async function listInterfaces(): Promise<ListedInterface[]> {
  const child = start({ do: 'list' });
  const word = await firstWord(child);
  child.kill();
  if (word.kind === 'interfaces') return [...word.interfaces];
  const listed = spawnSync('dumpcap', ['-D'], { encoding: 'utf8' });
  if (listed.status !== 0) throw failure(word, '');
  const lines = listed.stdout.split('\n').map((l) => /^\d+\. (\S+)(?: \((.*)\))?$/.exec(l));
  return lines.flatMap((m) => (m === null ? [] : [{ name: m[1], ...(m[2] && { description: m[2] }) }]));
}

const start = (order: ChildOrder): ChildProcess =>
  fork(CHILD, [JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'ipc'] });

/** Ends a process when nobody wants any more what it begins. */
function endWith(gone: AbortSignal | undefined, child: ChildProcess): void {
  gone?.addEventListener('abort', () => child.kill('SIGKILL'));
  if (gone?.aborted) child.kill('SIGKILL');
}

function firstWord(child: ChildProcess): Promise<ChildWord> {
  return new Promise((resolve) => {
    child.once('message', (word) => resolve(word as ChildWord));
    child.once('exit', (code, signal) => {
      resolve({ kind: 'failed', loads: true, message: `the capturing process ended (${signal ?? code})` });
    });
  });
}

function failure(word: ChildWord, device: string): CannotCapture {
  const message = word.kind === 'failed' ? word.message : 'it did not start';
  const loads = word.kind !== 'failed' || word.loads;
  if (!loads) return new CannotCapture(`the package pcap does not load: ${message}`, INSTALL);
  if (/permission|not permitted|EPERM/i.test(message))
    return new CannotCapture(`${device}: no right to capture: ${message}`, RIGHTS);
  const hint = /filter|syntax/i.test(message)
    ? 'man pcap-filter describes the language'
    : 'fttscope interfaces lists them';
  return new CannotCapture(`${device}: ${message}`, hint, true);
}

async function startPcap(o: CaptureOptions, take: TakeBlock, gone: AbortSignal | undefined): Promise<Capturing> {
  const children: ChildProcess[] = [];
  const ends: Promise<void>[] = [];
  // The headers of all interfaces go first, in their order; packets wait for them.
  let ready = false;
  const early: [Uint8Array, number][] = [];
  const hand: TakeBlock = (block, type) => {
    if (ready) take(block, type);
    else early.push([new Uint8Array(block), type]);
  };
  const stop = (): void => {
    for (const child of children) end(child);
  };
  try {
    for (const [i, { device, filter }] of o.interfaces.entries()) {
      const { snaplen, promiscuous, application } = o;
      const bufferOctets = o.bufferMiB << 20;
      const child = start({ do: 'capture', device, filter, snaplen, bufferOctets, promiscuous, application });
      children.push(child);
      endWith(gone, child);
      const headed = new Promise<void>((resolve) => {
        ends.push(
          streamOf(child, device, (block, type) => {
            if (type === BLOCK.interface) resolve();
            if (type === BLOCK.section && i > 0) return;
            if (type === BLOCK.packet || type === BLOCK.statistics) block.set(Uint8Array.of(i, i >> 8, 0, 0), 8);
            hand(block, type);
          }),
        );
      });
      const word = await firstWord(child);
      if (word.kind !== 'started') throw failure(word, device);
      await Promise.race([headed, ends[i]]);
    }
  } catch (e) {
    for (const child of children) child.kill('SIGKILL');
    for (const one of ends) one.catch(() => {});
    throw e;
  }
  const order = (type: number): number => (type === BLOCK.section ? 0 : type === BLOCK.interface ? 1 : 2);
  for (const [block, type] of early.sort((a, b) => order(a[1]) - order(b[1]))) take(block, type);
  ready = true;
  const ended = Promise.all(ends).then(() => {});
  ended.catch(stop); // one interface that is gone ends the capture
  return { backend: 'pcap', stop, ended };
}

/** Tells a capturing process to end, and ends it if it does not hear. */
function end(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const control = child.stdio[4] as Writable | undefined;
  if (control) control.on('error', () => {}).end();
  else child.kill('SIGINT');
  let left = STOP_SECONDS;
  const timer = setInterval(() => --left === 0 && child.kill('SIGKILL'), 1000);
  child.once('exit', () => clearInterval(timer));
}

/** Reads a process's blocks to their end. */
function streamOf(child: ChildProcess, name: string, take: TakeBlock): Promise<void> {
  const splitter = new BlockSplitter(take);
  const stream = (child.stdio[3] ?? child.stdout) as Readable;
  return new Promise((resolve, reject) => {
    const broken = (message: string): void => reject(new CannotCapture(`${name}: ${message}`, PIPE));
    stream.on('data', (chunk: Buffer) => {
      try {
        splitter.feed(chunk);
      } catch (e) {
        child.kill('SIGKILL');
        broken((e as Error).message);
      }
    });
    stream.on('error', (e) => broken(e.message));
    stream.on('close', () => {
      if (child.exitCode !== null || child.signalCode !== null) finish();
      else child.once('exit', finish);
    });
    const finish = (): void => {
      const { exitCode, signalCode } = child;
      if (exitCode === 0 || signalCode === 'SIGINT') resolve();
      else if (child.killed) broken('the capturing process did not end when it was told to; what it still had is lost');
      else broken(`the capturing process ended (${signalCode ?? exitCode})`);
    };
  });
}

async function startDumpcap(o: CaptureOptions, take: TakeBlock, gone?: AbortSignal): Promise<Capturing> {
  const each = o.interfaces.flatMap(({ device, filter }) => [
    ...['-i', device, '-s', String(o.snaplen), '-B', String(o.bufferMiB)],
    ...(filter === '' ? [] : ['-f', filter]),
    ...(o.promiscuous ? [] : ['-p']),
  ]);
  const child = spawn('dumpcap', ['-q', ...each, '-w', '-'], { stdio: ['ignore', 'pipe', 'pipe'] });
  endWith(gone, child);
  let words = '';
  child.stderr.on('data', (text: Buffer) => {
    words = `${words}${text.toString('utf8')}`.slice(-2000);
  });
  const names = o.interfaces.map((i) => i.device).join(', ');
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const ended = streamOf(child, names, (block, type) => {
    if (type === BLOCK.interface) open();
    take(block, type);
  });
  ended.catch(() => {});
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (e) => reject(new CannotCapture(`dumpcap does not start: ${e.message}`, INSTALL)));
    child.once('exit', () => {
      const line =
        words.split('\n').find((l) => l.startsWith('dumpcap:') || /permission|couldn't|no such/i.test(l)) ?? words;
      reject(
        new CannotCapture(`${names}: ${line.trim() || 'dumpcap ended'}`, /permission/i.test(words) ? RIGHTS : PIPE),
      );
    });
  });
  failed.catch(() => {});
  await Promise.race([opened, failed]);
  return { backend: 'dumpcap', stop: () => end(child), ended };
}
