import { closeSync, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { systemError } from '../capture/errors.js';
import { rest } from '../capture/rest.js';
import { concat, u32le } from '../kit/bytes.js';
import { twoDigits } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { BLOCK, secretsBlock } from './capture-blocks.js';

/** When something ends, as dumpcap counts: seconds, kilobytes of 1000 octets, packets, files. */
export interface Bounds {
  readonly duration?: number;
  readonly filesize?: number;
  readonly packets?: number;
  readonly files?: number;
  /** Of a ring alone: the next file begins when the time is a multiple of so many seconds. */
  readonly interval?: number;
}

/** Where frames are written, when another file begins and when all ends. */
export interface FileOptions {
  /** Path, or `-` for standard output. */
  readonly target: string;
  /** When the capture ends (`-a`, `-c`). */
  readonly stop: Bounds;
  /** When the next file begins, and how many are kept (`-b`); absent: there is one file. */
  readonly ring?: Bounds;
  /** Called once, when a stop condition is met, with that condition: `packets:95 is reached`. */
  readonly onStop: (why: string) => void;
  /** Called once, when further files of a ring begin with the last `octets` of the key logs alone. */
  readonly onCut?: (octets: number) => void;
  /** Called with the name of each file that is complete. */
  readonly onFile?: (path: string) => void;
}

const BUFFER = 256 << 10;
/** Most of the size of a further file of a ring that key logs are. */
const KEYS_PART = 1 / 4;
const FULL_PIPE_MS = 5;
/** Type and length. */
const BLOCK_HEADER = 8;

/**
 * Writes pcapng blocks to one file or to a ring of files, each of which opens alone. Only whole blocks are written, so
 * that a file opens whenever the program dies.
 */
export class CaptureFiles {
  packets = 0;
  /** Octets of all files. */
  octets = 0;
  /** Files begun, and the paths of those that are there, the oldest first. */
  count = 0;
  readonly paths: string[] = [];
  private readonly headers: Uint8Array[] = [];
  private readonly statistics = new Map<number, Uint8Array>();
  private keyLog: Uint8Array = new Uint8Array(0);
  private readonly buf = new Uint8Array(BUFFER);
  private used = 0;
  private fd = -1;
  private fileOctets = 0;
  private filePackets = 0;
  private fileSince = 0;
  private fileSlot = 0;
  private readonly since = performance.now();
  /** A stop condition was met; and one of those that count, so that no packet more belongs here. */
  private stopped = false;
  private complete = false;
  private hasCutKeys = false;

  constructor(private readonly o: FileOptions) {
    this.open();
  }

  /** Adds a block; statistics wait for the end of the file. */
  add(block: Uint8Array, type: number): void {
    if (type === BLOCK.statistics) {
      this.statistics.set(block[8] | (block[9] << 8), new Uint8Array(block));
      return;
    }
    if (this.complete) return;
    if (type === BLOCK.section || type === BLOCK.interface) this.headers.push(new Uint8Array(block));
    if (type === BLOCK.packet) {
      if (this.full()) this.next();
      this.packets++;
      this.filePackets++;
    }
    this.write(block);
    if (type === BLOCK.packet) this.check();
  }

  /** Adds lines of a TLS key log before what comes next; further files of a ring have them too. */
  keys(lines: Uint8Array): void {
    this.keyLog = concat([this.keyLog, lines]);
    const { filesize = Number.POSITIVE_INFINITY } = this.o.ring ?? {};
    const most = Math.min(LIMITS.ringKeyOctets, filesize * 1000 * KEYS_PART);
    if (this.keyLog.length > most) {
      const cut = this.keyLog.indexOf(10, this.keyLog.length - most - 1);
      this.keyLog = this.keyLog.slice(cut + 1);
      if (this.o.ring !== undefined && !this.hasCutKeys) {
        this.hasCutKeys = true;
        this.o.onCut?.(most);
      }
    }
    this.write(secretsBlock(lines));
  }

  /** To be called now and then: writes what waits, and looks at the time. */
  tick(): void {
    if (this.stopped) return;
    this.flush();
    if (this.o.ring !== undefined && this.filePackets > 0 && this.late()) this.next();
    const { duration } = this.o.stop;
    if (duration !== undefined && performance.now() - this.since >= duration * 1000)
      this.halt(`duration:${duration} is reached`, false);
  }

  /** Writes what waits, with the statistics, and closes. */
  end(): void {
    if (this.fd < 0) return;
    this.stopped = this.complete = true;
    this.close();
  }

  private halt(why: string, complete = true): void {
    if (this.stopped) return;
    this.stopped = true;
    this.complete = complete;
    this.o.onStop(why);
  }

  private check(): void {
    const { stop } = this.o;
    if (stop.packets !== undefined && this.packets >= stop.packets) this.halt(`packets:${stop.packets} is reached`);
    if (this.o.ring === undefined && stop.filesize !== undefined && this.fileOctets >= stop.filesize * 1000)
      this.halt(`filesize:${stop.filesize} is reached`);
  }

  /** Whether the next packet belongs into the next file. */
  private full(): boolean {
    const { ring } = this.o;
    if (ring === undefined || this.filePackets === 0) return false;
    if (ring.filesize !== undefined && this.fileOctets >= ring.filesize * 1000) return true;
    return (ring.packets !== undefined && this.filePackets >= ring.packets) || this.late();
  }

  private late(): boolean {
    const { duration, interval } = this.o.ring ?? {};
    if (duration !== undefined && performance.now() - this.fileSince >= duration * 1000) return true;
    return interval !== undefined && Math.floor(Date.now() / 1000 / interval) !== this.fileSlot;
  }

  private next(): void {
    const { files } = this.o.stop;
    if (files !== undefined && this.count >= files) {
      this.halt(`files:${files} is reached`);
      return;
    }
    this.close();
    this.open();
    for (const header of this.headers) this.write(header);
    if (this.keyLog.length > 0) this.write(secretsBlock(this.keyLog));
  }

  private open(): void {
    const { target, ring } = this.o;
    this.count++;
    const path = ring === undefined ? target : numbered(target, this.count);
    try {
      // Captures hold what people said: for the owner alone.
      this.fd = target === '-' ? 1 : openSync(path, 'w', 0o600);
    } catch (e) {
      throw systemError(path, e, 'FTT_E_WRITE');
    }
    this.paths.push(path);
    const keep = ring?.files ?? 0;
    while (keep > 0 && this.paths.length > keep) remove(this.paths.shift()!);
    this.fileOctets = this.filePackets = 0;
    this.fileSince = performance.now();
    this.fileSlot = Math.floor(Date.now() / 1000 / (ring?.interval ?? 1));
  }

  private close(): void {
    try {
      for (const block of this.statistics.values()) this.write(block);
      this.flush();
    } finally {
      if (this.fd !== 1) closeSync(this.fd);
      this.fd = -1;
    }
    this.o.onFile?.(this.paths.at(-1)!);
  }

  private write(block: Uint8Array): void {
    this.fileOctets += block.length;
    this.octets += block.length;
    if (this.used + block.length > BUFFER) this.flush();
    if (block.length > BUFFER) this.put(block);
    else {
      this.buf.set(block, this.used);
      this.used += block.length;
    }
  }

  private flush(): void {
    const n = this.used;
    this.used = 0;
    if (n > 0) this.put(this.buf.subarray(0, n));
  }

  /** @param octets whole blocks */
  private put(octets: Uint8Array): void {
    for (let at = 0; at < octets.length; ) {
      try {
        at += writeSync(this.fd, octets, at);
      } catch (e) {
        const name = this.fd === 1 ? 'standard output' : this.paths.at(-1)!;
        if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') {
          this.cutBack(at - wholeBlocks(octets, at));
          throw systemError(name, e, 'FTT_E_WRITE');
        }
        rest(FULL_PIPE_MS);
      }
    }
  }

  /** Takes the part of a block away that a full disk has taken: so many octets. Never throws. */
  private cutBack(part: number): void {
    try {
      const file = fstatSync(this.fd);
      if (this.fd !== 1 && file.isFile()) ftruncateSync(this.fd, file.size - part);
    } catch {
      // it stays cut short
    }
  }
}

/** Octets of the blocks that end within the first `end`. */
function wholeBlocks(octets: Uint8Array, end: number): number {
  let at = 0;
  while (end - at >= BLOCK_HEADER && at + u32le(octets, at + 4) <= end) at += u32le(octets, at + 4);
  return at;
}

/** `a.pcapng` as `a_00001_20260301090000.pcapng`, as dumpcap names the files of a ring. */
function numbered(target: string, n: number): string {
  const at = /(\.[^./]+)?$/.exec(target)!.index;
  const d = new Date();
  const day = `${d.getFullYear()}${twoDigits(d.getMonth() + 1)}${twoDigits(d.getDate())}`;
  const time = `${twoDigits(d.getHours())}${twoDigits(d.getMinutes())}${twoDigits(d.getSeconds())}`;
  return `${target.slice(0, at)}_${String(n).padStart(5, '0')}_${day}${time}${target.slice(at)}`;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // somebody took it away already
  }
}
