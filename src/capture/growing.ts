/** A capture that grows while it is read: what a live run, or a pipe, has brought so far. */

import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { InputDamage, systemError } from './errors.js';
import type { OctetInput } from './input.js';
import { unnamedFile } from './random.js';
import { statsOf } from './stats.js';

/** Milliseconds between two looks at whether there is more. */
const LOOK_MS = 25;
/** Looks between two at whether the file still has its name. */
const LOOKS = 40;

/** What a reader of a growing file needs, also in another thread: plain data, and a word of memory that both see. */
export interface GrowingReader {
  /** What messages and titles call it; `-` is standard input. */
  readonly name: string;
  /** Where it is, if somebody else writes it: who may begin it anew, or put another in its place. */
  readonly path?: string;
  readonly fd: number;
  /** Not 0: nothing will be added any more. */
  readonly ended: Int32Array;
}

/** The end of a growing file that is written. It has no name on the disk and so goes when the process does. */
export class GrowingFile {
  readonly reader: GrowingReader;
  private octets = 0;
  /** Why nothing is added any more though more came; undefined while all is. */
  stopped: string | undefined;

  /** @param most octets kept at most @throws CaptureError */
  constructor(
    name: string,
    private readonly most: number,
  ) {
    this.reader = { name, fd: unnamedFile(), ended: new Int32Array(new SharedArrayBuffer(4)) };
  }

  /** Adds octets; what cannot be added ends the file, and {@link stopped} says why. Whether they were added. */
  add(octets: Uint8Array): boolean {
    if (this.ended) return false;
    if (this.octets + octets.length > this.most)
      return this.stop(`only ${this.octets} octets are kept to be looked at`);
    try {
      for (let at = 0; at < octets.length; ) at += writeSync(this.reader.fd, octets, at);
    } catch (error) {
      return this.stop(systemError('what is kept to be looked at', error, 'FTT_E_SPOOL').message);
    }
    this.octets += octets.length;
    return true;
  }

  private stop(why: string): false {
    this.stopped = why;
    this.end();
    return false;
  }

  /** Octets that are in it, also those that somebody else wrote by its descriptor. */
  get written(): number {
    return fstatSync(this.reader.fd).size;
  }

  /** Nothing is added any more. */
  end(): void {
    Atomics.store(this.reader.ended, 0, 1);
  }
  get ended(): boolean {
    return Atomics.load(this.reader.ended, 0) !== 0;
  }

  /** Lets go of it; nobody reads any more. */
  close(): void {
    this.end();
    closeSync(this.reader.fd);
  }
}

/** The end that is read, in order. */
export class GrowingInput implements OctetInput {
  consumed = 0;
  private closed = false;
  private looks = 0;

  constructor(private readonly from: GrowingReader) {}

  read(into: Uint8Array, off: number, len: number): number | Promise<number> {
    const n = this.take(into, off, len);
    return n >= 0 ? n : this.wait(into, off, len);
  }

  /** Octets that are there, 0 at the end, -1 where none is there yet. */
  private take(into: Uint8Array, off: number, len: number): number {
    const { fd, ended, name } = this.from;
    const last = this.closed || Atomics.load(ended, 0) !== 0; // before the look: what was added before the end counts
    try {
      const n = this.closed ? 0 : readSync(fd, into, off, len, this.consumed);
      this.consumed += n;
      if (n > 0 || last) return n;
      this.look();
      return -1;
    } catch (error) {
      throw error instanceof InputDamage ? error : systemError(name, error, 'FTT_E_READ');
    }
  }

  /** @throws InputDamage where nothing can follow what was read */
  private look(): void {
    const { fd, path } = this.from;
    if (path === undefined) return;
    const { size, ino } = fstatSync(fd);
    if (size < this.consumed) throw new InputDamage('the file was begun anew (open it again to follow that)');
    if (this.looks++ % LOOKS !== 0) return;
    const named = statsOf(path);
    if (named !== undefined && named.ino !== ino)
      throw new InputDamage('another file took its name (open it again to follow that)');
  }

  private async wait(into: Uint8Array, off: number, len: number): Promise<number> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const n = this.take(into, off, len);
      if (n >= 0) return n;
    }
  }

  rewind(): boolean {
    return false;
  }

  close(): void {
    this.closed = true;
  }
}
