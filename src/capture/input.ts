/** Where the octets of a capture come from: a file, a stream, or either of them through gzip. */

import { closeSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { InputDamage, systemError } from './errors.js';

/** Octets in order. */
export interface OctetInput {
  /** Octets taken from the file itself so far (compressed ones where it is compressed). */
  readonly consumed: number;
  /**
   * Puts what is there into `[off, off + len)` of `into` and returns how many octets that were; 0 is the end. Waits
   * (returns a promise) only where nothing is there yet.
   * @throws InputDamage where the octets end in damage, CaptureError where they cannot be read
   */
  read(into: Uint8Array, off: number, len: number): number | Promise<number>;
  /** Goes back to the first octet; returns whether that is possible. */
  rewind(): boolean;
  close(): void;
}

/** A plain file, read in order by blocking reads. */
export class FileInput implements OctetInput {
  consumed = 0;
  private fd: number;

  /**
   * @param fd open file, or -1 to open `name` for each read alone (many files at a time)
   * @param sequential read from where the descriptor stands: standard input
   */
  constructor(
    private readonly name: string,
    fd: number,
    private readonly sequential = false,
  ) {
    this.fd = fd;
  }

  read(into: Uint8Array, off: number, len: number): number {
    const parked = this.fd < 0;
    try {
      const fd = parked ? openSync(this.name, 'r') : this.fd;
      try {
        const n = readSync(fd, into, off, len, this.sequential ? null : this.consumed);
        this.consumed += n;
        return n;
      } finally {
        if (parked) closeSync(fd);
      }
    } catch (error) {
      throw systemError(this.name, error, 'FTT_E_READ');
    }
  }

  rewind(): boolean {
    if (this.sequential) return false;
    this.consumed = 0;
    return true;
  }

  close(): void {
    if (this.fd > 2) closeSync(this.fd);
    this.fd = -1;
  }
}

/** A pipe, socket or any other stream. Reads no more than asked for, so the writer waits where the reader is slow. */
export class StreamInput implements OctetInput {
  consumed = 0;
  private rest: Uint8Array | null = null;
  private ended = false;
  private error: unknown;
  private wake: (() => void) | null = null;

  constructor(
    private readonly name: string,
    private readonly stream: Readable,
  ) {
    const stirred = () => this.wake?.();
    stream.on('readable', stirred);
    stream.on('end', () => {
      this.ended = true;
      stirred();
    });
    stream.on('close', () => {
      this.ended = true;
      stirred();
    });
    stream.on('error', (error) => {
      this.error ??= error;
      stirred();
    });
  }

  read(into: Uint8Array, off: number, len: number): number | Promise<number> {
    const n = this.take(into, off, len);
    return n >= 0 ? n : this.wait(into, off, len);
  }

  /** Octets that are there, 0 at the end, -1 where none is there yet. */
  private take(into: Uint8Array, off: number, len: number): number {
    const got: Uint8Array | null = this.rest ?? this.stream.read();
    if (got === null) {
      if (this.error !== undefined) throw systemError(this.name, this.error, 'FTT_E_READ');
      return this.ended ? 0 : -1;
    }
    const n = Math.min(len, got.length);
    into.set(n === got.length ? got : got.subarray(0, n), off);
    this.rest = n === got.length ? null : got.subarray(n);
    this.consumed += n;
    return n;
  }

  private async wait(into: Uint8Array, off: number, len: number): Promise<number> {
    for (;;) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
      const n = this.take(into, off, len);
      if (n >= 0) return n;
    }
  }

  rewind(): boolean {
    return false;
  }

  close(): void {
    this.stream.destroy();
  }
}

/** Compressed octets handed to zlib at a time. */
const PIECE = 32 << 10;
/** Octets of one step of zlib's output; two of them wait at most. */
const OUTPUT = 128 << 10;

/**
 * What gunzip makes of another input, concatenated members one after the other.
 *
 * Zlib throws the output of a step away where the step ends in damage. So that every frame before the damage is read
 * nevertheless, a file is then decompressed once more up to that step, and the step octet by octet.
 */
export class GzipInput implements OctetInput {
  private zlib: Gunzip;
  private readonly piece = new Uint8Array(PIECE);
  private idle = true;
  private ended = false;
  private wake: (() => void) | null = null;
  /** Compressed octets that zlib has done with. */
  private done = 0;
  private current = 0;
  private delivered = 0;
  /** Second pass: output to throw away, and the compressed offset from which octets go one at a time. */
  private skip = 0;
  private slowFrom = Number.POSITIVE_INFINITY;

  /** @param head octets of `from` that were read already */
  constructor(
    private readonly from: OctetInput,
    private head: Uint8Array | null,
  ) {
    this.zlib = this.start();
  }

  get consumed(): number {
    return this.from.consumed;
  }

  private start(): Gunzip {
    const zlib = createGunzip({ chunkSize: OUTPUT });
    const stirred = () => {
      if (zlib === this.zlib) this.wake?.();
    };
    zlib.on('readable', stirred);
    zlib.on('end', stirred);
    zlib.on('error', stirred);
    this.idle = true;
    this.ended = false;
    this.done = 0;
    this.current = 0;
    return zlib;
  }

  async read(into: Uint8Array, off: number, len: number): Promise<number> {
    for (;;) {
      const n = this.take(into, off, len);
      if (n > 0) return n;
      if (this.zlib.errored) this.secondPass(this.zlib.errored);
      else if (this.zlib.readableEnded || this.zlib.destroyed) return 0;
      else if (this.idle && !this.ended) await this.feed();
      else await this.stirred();
    }
  }

  /** Output that is there, less what a second pass throws away. */
  private take(into: Uint8Array, off: number, len: number): number {
    for (;;) {
      const there = this.zlib.readableLength;
      if (there === 0) {
        this.zlib.read(0);
        return 0;
      }
      const got: Uint8Array | null = this.zlib.read(Math.min(there, this.skip > 0 ? this.skip : len));
      if (got === null) return 0;
      if (this.skip > 0) {
        this.skip -= got.length;
        continue;
      }
      into.set(got, off);
      this.delivered += got.length;
      return got.length;
    }
  }

  private async feed(): Promise<void> {
    const { zlib } = this;
    this.done += this.current;
    const slow = this.done >= this.slowFrom;
    const most = slow ? 1 : Math.min(PIECE, this.slowFrom - this.done);
    let octets = this.head;
    if (octets) {
      octets = octets.subarray(0, most);
      this.head = this.head!.length > most ? this.head!.subarray(most) : null;
    } else {
      const n = await this.from.read(this.piece, 0, most);
      octets = this.piece.subarray(0, n);
    }
    if (zlib !== this.zlib || zlib.destroyed) return;
    this.current = octets.length;
    if (octets.length === 0) {
      this.ended = true;
      zlib.end();
      return;
    }
    this.idle = false;
    zlib.write(octets, () => {
      if (zlib !== this.zlib) return;
      this.idle = true;
      this.wake?.();
    });
  }

  private async stirred(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = null;
  }

  /** Begins the second pass over a damaged file, or gives up. */
  private secondPass(error: Error): void {
    const cut = (error as { code?: string }).code === 'Z_BUF_ERROR';
    if (cut || this.slowFrom !== Number.POSITIVE_INFINITY || !this.from.rewind()) {
      throw new InputDamage(cut ? 'the gzip data is cut short' : `the gzip data is damaged (${error.message})`);
    }
    this.head = null;
    this.slowFrom = this.done;
    this.skip = this.delivered;
    this.zlib = this.start();
  }

  rewind(): boolean {
    return false;
  }

  close(): void {
    this.zlib.destroy();
    this.from.close();
    this.wake?.();
  }
}
