/** Octets on their way to a file or pipe. */

import { closeSync, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { CaptureError, systemError } from './errors.js';
import { rest } from './rest.js';
import { statsOf } from './stats.js';

const BUFFER = 256 << 10;
/** Milliseconds to wait before writing again to a pipe that is full. */
const FULL_PIPE = 5;

/** A file, or with `-` standard output, behind a buffer. */
export class OctetWriter {
  private readonly buf = new Uint8Array(BUFFER);
  private used = 0;
  /** Octets written, and how many of them were when the caller flushed last. */
  private written = 0;
  private whole = 0;
  protected fd: number;

  /**
   * @param target path, descriptor, or `-` for standard output
   * @param inputs files being read: one of them is never written over
   * @throws CaptureError
   */
  constructor(
    protected readonly target: string | number,
    inputs: readonly string[],
  ) {
    if (typeof target === 'number' || target === '-') {
      this.fd = target === '-' ? 1 : (target as number);
      return;
    }
    try {
      if (inputs.some((input) => isSameFile(input, target))) {
        throw new CaptureError('FTT_E_SAME_FILE', `${target}: is being read; it would be lost`, 'Name another file.');
      }
      // Captures hold what people said and perhaps their keys: for the owner alone.
      this.fd = openSync(target, 'w', 0o600);
    } catch (error) {
      throw systemError(target, error, 'FTT_E_WRITE');
    }
  }

  /** A place for `n` octets, cleared; the caller fills it before the next call. */
  room(n: number): { buf: Uint8Array; off: number } {
    if (this.used + n > BUFFER) this.spill();
    const off = this.used;
    this.used += n;
    this.buf.fill(0, off, this.used);
    return { buf: this.buf, off };
  }

  octets(b: Uint8Array): void {
    if (this.used + b.length > BUFFER) this.spill();
    if (b.length > BUFFER) {
      this.put(b, b.length);
      return;
    }
    this.buf.set(b, this.used);
    this.used += b.length;
  }

  /** Hands over what waits. A file that can be written no more ends where it was flushed last: callers do it behind whole blocks. */
  flush(): void {
    this.spill();
    this.whole = this.written;
  }

  private spill(): void {
    const n = this.used;
    this.used = 0;
    this.put(this.buf, n);
  }

  /** Octets that were handed over and that a pipe has not taken. */
  get waiting(): number {
    return 0;
  }

  protected put(b: Uint8Array, end: number): void {
    for (let at = this.take(b, 0, end); at < end; at = this.take(b, at, end)) this.rest(FULL_PIPE);
  }

  /** Writes octets from `from` on until a pipe is full; returns where that is. */
  protected take(b: Uint8Array, from: number, end: number): number {
    if (this.fd < 0) throw new CaptureError('FTT_E_WRITE', `${this.label}: is closed`);
    let at = from;
    try {
      while (at < end) {
        const n = writeSync(this.fd, b, at, end - at);
        at += n;
        this.written += n;
      }
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') {
        this.cutBack();
        throw systemError(this.label, error, 'FTT_E_WRITE');
      }
    }
    return at;
  }

  /** Takes the part of a block away that a full disk has taken. Never throws. */
  private cutBack(): void {
    try {
      if (typeof this.target === 'string' && this.fd !== 1 && fstatSync(this.fd).isFile())
        ftruncateSync(this.fd, this.whole);
    } catch {
      // it stays cut short
    }
  }

  protected rest(ms: number): void {
    rest(ms);
  }

  end(): void {
    if (this.fd < 0) return;
    try {
      this.flush();
    } finally {
      const { fd } = this;
      this.fd = -1;
      if (typeof this.target === 'string' && fd !== 1) closeSync(fd);
    }
  }

  /** Closes without writing what waits, and takes a file away: a part of it is of no use. Never throws. */
  abandon(): void {
    const { fd, target } = this;
    this.fd = -1;
    if (fd < 0 || fd === 1 || typeof target !== 'string') return;
    try {
      const isFile = fstatSync(fd).isFile(); // not a device or a named pipe
      closeSync(fd);
      if (isFile) unlinkSync(target);
    } catch {
      // It is gone already, or its folder cannot be written to.
    }
  }

  /** What messages call the target. */
  get label(): string {
    if (this.target === '-') return 'standard output';
    return typeof this.target === 'string' ? this.target : `descriptor ${this.target}`;
  }
}

/** Whether both are one regular file, under whatever names. */
export function isSameFile(input: string, target: string): boolean {
  const to = statsOf(target);
  const from = input === '-' ? fstatSync(0) : statsOf(input);
  return to !== undefined && from !== undefined && to.isFile() && to.dev === from.dev && to.ino === from.ino;
}

/** Little-endian, as nearly every tool writes captures. */
export function put16(b: Uint8Array, off: number, v: number): void {
  b[off] = v;
  b[off + 1] = v >>> 8;
}
export function put32(b: Uint8Array, off: number, v: number): void {
  b[off] = v;
  b[off + 1] = v >>> 8;
  b[off + 2] = v >>> 16;
  b[off + 3] = v >>> 24;
}
