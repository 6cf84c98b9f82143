/** Octets that were read before, read again: a detail pane asks for one frame out of millions. */

import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '../limits.js';
import { CaptureError, systemError } from './errors.js';
import type { OctetSink } from './window.js';

/** Gives octets of a (decompressed) file by their place. */
export interface OctetStore {
  /**
   * The octets `[offset, offset + length)`.
   * @param into where they are to lie, with room for them; without it in a fresh array
   * @throws CaptureError where they are not to be had
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
  close(): void;
}

function readAt(fd: number, offset: number, length: number, octets: Uint8Array = new Uint8Array(length)): Uint8Array {
  let n = 0;
  while (n < length) {
    const got = readSync(fd, octets, n, length - n, offset + n);
    if (got === 0) break;
    n += got;
  }
  return n === octets.length ? octets : octets.subarray(0, n);
}

/** A plain file, by the descriptor of its reader, or opened for each read where there are too many files for that. */
export class PlainStore implements OctetStore {
  /** @param fd open file, closed by its owner, or -1 */
  constructor(
    private readonly path: string,
    private readonly fd: number,
  ) {}

  read(offset: number, length: number, into?: Uint8Array): Uint8Array {
    let fd = this.fd;
    let octets: Uint8Array;
    try {
      if (this.fd < 0) fd = openSync(this.path, 'r');
      octets = readAt(fd, offset, length, into);
    } catch (error) {
      throw systemError(this.path, error, 'FTT_E_READ');
    } finally {
      if (this.fd < 0 && fd >= 0) closeSync(fd);
    }
    if (octets.length === length) return octets;
    throw new CaptureError('FTT_E_CHANGED', `${this.path}: the file is shorter than when it was read`);
  }

  close(): void {}
}

/** Opens a temporary file that has no name any more and so goes when the process does. @throws CaptureError */
export function unnamedFile(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'fttscope-'));
    try {
      const path = join(folder, 'spool');
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } finally {
      rmdirSync(folder);
    }
  } catch (error) {
    throw systemError(tmpdir(), error, 'FTT_E_SPOOL');
  }
}

/**
 * The decompressed octets of a pipe or compressed file, written while they are read to a temporary file that has no
 * name any more and so goes when the process does. It stops growing at a cap or when the disk is full; reading the
 * capture goes on, and {@link read} then says why a late frame is not to be had.
 */
export class Spool implements OctetStore, OctetSink {
  private readonly fd: number;
  private size = 0;
  /** Why the spool has stopped growing; empty while it has not. */
  stopped = '';

  /** @param cap octets kept at most */
  constructor(
    private readonly name: string,
    private readonly cap: number = LIMITS.spoolOctets,
  ) {
    this.fd = unnamedFile();
  }

  write(buf: Uint8Array, off: number, end: number): void {
    if (this.stopped !== '' || off === end) return;
    if (this.size + (end - off) > this.cap) {
      this.stopped = `only ${this.size} octets are kept of input that cannot be read twice`;
      return;
    }
    try {
      for (let at = off; at < end; ) {
        const n = writeSync(this.fd, buf, at, end - at, this.size);
        at += n;
        this.size += n;
      }
    } catch (error) {
      this.stopped = systemError(tmpdir(), error, 'FTT_E_SPOOL').message;
    }
  }

  read(offset: number, length: number, into?: Uint8Array): Uint8Array {
    if (offset + length > this.size) {
      throw new CaptureError('FTT_E_NOT_KEPT', `${this.name}: ${this.stopped || 'these octets were not read yet'}`);
    }
    try {
      return readAt(this.fd, offset, length, into);
    } catch (error) {
      throw systemError(this.name, error, 'FTT_E_SPOOL');
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Input that cannot be read twice and is not kept. */
export class NoStore implements OctetStore {
  constructor(private readonly name: string) {}

  read(): Uint8Array {
    throw new CaptureError('FTT_E_NOT_KEPT', `${this.name}: input that cannot be read twice was not kept`);
  }

  close(): void {}
}
