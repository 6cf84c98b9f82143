import { type ChildProcess, spawn } from 'node:child_process';
import { isSameFile } from '../../capture/output.js';
import { BLOCK, statisticsOf } from '../../live/capture-blocks.js';
import { type Bounds, CaptureFiles } from '../../live/capture-files.js';
import { CannotCapture, type CaptureInterface, startCapture } from '../../live/capture-source.js';
import { count, octets as octetsText, plural } from '../../tui/words.js';
import { Exit, UserError } from '../errors.js';
import { KeyLogTail } from '../key-log-tail.js';
import { onEndSignal } from '../signals.js';
import { tell, write } from '../tell.js';
import { version } from '../version.js';

/** Options of `capture`; where dumpcap has them, they mean what they mean there. */
export interface CaptureCommandOptions {
  /** Interfaces with their filters, in the order given. */
  interface: CaptureInterface[];
  write?: string;
  snaplen: number;
  bufferSize: number;
  promiscuous: boolean;
  autostop?: string[];
  ring?: string[];
  count?: number;
  keylog?: string[];
  withKeys?: boolean;
  backend: 'auto' | 'pcap' | 'dumpcap';
  quiet?: boolean;
}

const TICK_MS = 200;
/** How often a terminal is told how far it is. */
const STATUS_MS = 1000;
const BOUNDS = ['duration', 'filesize', 'files', 'packets', 'interval'] as const;

/**
 * `fttscope capture`: captures on interfaces, to a file, a ring of files or standard output. Returns the exit code.
 * @throws UserError
 */
export async function capture(o: CaptureCommandOptions & { write: string }): Promise<number> {
  const { stop, ring } = boundsOf(o);
  return new Run(o, stop, ring).go();
}

/** When a capture ends, and its files. @throws UserError where the options make no sense */
export function boundsOf(o: CaptureCommandOptions): { stop: Bounds; ring: Bounds | undefined } {
  const ring = o.ring === undefined ? undefined : bounds('-b', o.ring);
  const stop = bounds('-a', o.autostop ?? []);
  if (o.interface.length === 0)
    throw new UserError('no interface given', Exit.usage, '-i NAME; fttscope interfaces lists them');
  if (ring !== undefined && (o.write ?? '-') === '-')
    throw new UserError('a ring of files (-b) needs a name (-w FILE)');
  if (ring !== undefined && Object.keys(ring).every((name) => name === 'files'))
    throw new UserError(
      '-b files: nothing says when the next file begins',
      Exit.usage,
      '-b filesize:N (kB), duration:N (s), packets:N or interval:N (s) does',
    );
  if (o.withKeys && (o.keylog === undefined || o.write === undefined))
    throw new UserError('--with-keys writes the key logs of -k into the file of -w');
  const { write, keylog = [] } = o;
  if (write !== undefined && write !== '-' && keylog.some((name) => isSameFile(name, write)))
    throw new UserError(`-w ${write}: is the key log; it would be lost`, Exit.usage, 'Name another file.');
  if (stop.interval !== undefined) throw new UserError('-a interval: only -b has it');
  if (stop.files !== undefined && ring === undefined) throw new UserError('-a files: only with -b');
  return { stop: { ...stop, ...(o.count !== undefined && { packets: o.count }) }, ring };
}

/** Reads `duration:10` and the like. */
function bounds(flag: string, texts: readonly string[]): Bounds {
  const out: Record<string, number> = {};
  for (const text of texts) {
    const m = /^(\w+):(\d+)$/.exec(text);
    const value = Number(m?.[2]);
    if (m === null || !(BOUNDS as readonly string[]).includes(m[1]) || value < 1 || !Number.isSafeInteger(value))
      throw new UserError(`${flag} ${text}: it is ${BOUNDS.join(':N, ')}:N`);
    out[m[1]] = value;
  }
  return out;
}

/** That a ring has too little room for all keys. */
export const keysCut = (n: number): string =>
  `the key logs are long: further files of the ring begin with their last ${octetsText(n)}`;

/** One run of the command. */
class Run {
  private readonly files: CaptureFiles;
  private readonly keyLogs: KeyLogTail[];
  private readonly drops = new Map<number, number>();
  private stop: () => void = () => {};
  private why = '';

  constructor(
    private readonly o: CaptureCommandOptions & { write: string },
    stop: Bounds,
    ring: Bounds | undefined,
  ) {
    this.keyLogs = o.withKeys ? (o.keylog ?? []).map((path) => new KeyLogTail(path)) : [];
    this.files = new CaptureFiles({
      target: o.write,
      stop,
      ...(ring && { ring }),
      onCut: (octets) => tell(keysCut(octets)),
      onStop: (why) => {
        this.why = why;
        this.stop();
      },
    });
  }

  async go(): Promise<number> {
    const { files, o } = this;
    const application = `fttscope ${version()}`;
    const starting = new AbortController();
    let end = (): void => starting.abort();
    const deaf = onEndSignal(() => end());
    try {
      const { interface: interfaces, snaplen, bufferSize: bufferMiB, promiscuous, backend } = o;
      const options = { interfaces, snaplen, bufferMiB, promiscuous, backend, application };
      const capturing = await startCapture(options, (block, type) => this.take(block, type), starting.signal);
      this.stop = end = () => capturing.stop();
      if (this.why !== '') capturing.stop();
      const names = interfaces.map((i) => i.device).join(', ');
      if (!o.quiet && o.keylog !== undefined && !o.withKeys)
        tell('the key logs of -k are not written: --with-keys does');
      if (!o.quiet)
        tell(`capturing on ${names} (${capturing.backend === 'pcap' ? 'libpcap' : 'dumpcap'}), Ctrl-C ends it`);
      const tick = setInterval(() => this.tick(), TICK_MS);
      const status = o.quiet || !process.stderr.isTTY ? undefined : setInterval(() => this.status('\r'), STATUS_MS);
      try {
        await capturing.ended;
      } finally {
        clearInterval(tick);
        clearInterval(status);
      }
    } catch (e) {
      if (!(e instanceof CannotCapture)) throw e;
      // What was told to end before it began has nothing, which is no failure.
      if (!starting.signal.aborted) throw new UserError(e.message, files.packets > 0 ? Exit.input : Exit.usage, e.hint);
    } finally {
      deaf();
      files.end();
    }
    if (!o.quiet) this.status(process.stderr.isTTY ? '\r' : '', '\n');
    return Exit.done;
  }

  private take(block: Uint8Array, type: number): void {
    if (type === BLOCK.statistics) this.statistics(block);
    this.files.add(block, type);
  }

  /** Drops are told when they happen: what is missing explains much. */
  private statistics(block: Uint8Array): void {
    const iface = block[8] | (block[9] << 8);
    const dropped = statisticsOf(block)?.dropped ?? 0;
    const before = this.drops.get(iface) ?? 0;
    if (dropped > before && before === 0)
      tell(
        `${this.o.interface[iface]?.device}: ${plural(dropped, 'packet was', 'packets were')} dropped; -B gives more buffer, -f and -s make less work`,
      );
    this.drops.set(iface, Math.max(dropped, before));
  }

  /** Lines of key logs go before the packets that wait with them. */
  private tick(): void {
    for (const log of this.keyLogs) {
      const lines = log.more();
      if (lines.length > 0) this.files.keys(lines);
    }
    this.files.tick();
  }

  private status(before: string, after = ''): void {
    const { packets, octets } = this.files;
    let dropped = 0;
    for (const n of this.drops.values()) dropped += n;
    const words = `${plural(packets, 'packet')}, ${octetsText(octets)}, ${count(dropped)} dropped`;
    write(`${before}${words}${after === '' || this.why === '' ? '' : `: ${this.why}`}${after}`);
  }
}

/** `fttscope capture` without `-w`: the rows of what it captures, as `read` prints them. Returns the exit code. */
export async function captureRows(args: readonly string[], readArgs: readonly string[]): Promise<number> {
  const [, command] = process.argv;
  const withKeys = args.includes('-k') ? ['--with-keys'] : [];
  const source = spawn(process.execPath, [command, 'capture', ...args, ...withKeys, '-w', '-'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const deaf = onEndSignal(() => source.kill('SIGINT'));
  const capturing = code(source);
  try {
    // Nothing comes of a capture that cannot begin: it has said why.
    await new Promise((ready) => source.stdout.once('readable', ready));
    if (source.stdout.readableLength === 0) return await capturing;
    const rows = spawn(process.execPath, [command, 'read', '-', '-l', ...readArgs], { stdio: ['pipe', 1, 2] });
    const printing = code(rows);
    // Whoever read the rows may have left.
    void printing.then(() => source.kill('SIGINT'));
    source.stdout.pipe(rows.stdin!.on('error', () => source.stdout.resume()));
    const [captured, printed] = await Promise.all([capturing, printing]);
    return captured !== Exit.done ? captured : printed;
  } finally {
    deaf();
  }
}

/** The exit code of a process, which a signal may reach before it is ready for that: Ctrl-C goes to all of a terminal. */
function code(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (n, signal) =>
      resolve(signal !== null && GOOD_ENDS.has(signal) ? Exit.done : (n ?? Exit.fault)),
    );
  });
}

const GOOD_ENDS: ReadonlySet<NodeJS.Signals> = new Set(['SIGPIPE', 'SIGINT', 'SIGTERM', 'SIGHUP']);
