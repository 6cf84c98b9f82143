/** TLS key logs inside captures, found without reading the packets. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { utf8Text } from '../kit/text.js';
import { LIMITS } from '../limits.js';
import { CaptureError, systemError } from './errors.js';
import { isGzip } from './look.js';
import { openCapture } from './open.js';
import { BYTE_ORDER, DSB, isPcapng, SHB, TLS_KEY_LOG } from './pcapng.js';
import { statsOf } from './stats.js';

/** Octets of the shortest block, of a DSB before its secrets, and of any block behind its body. */
const LEAST = 12;
const DSB_HEADER = 16;
const TRAILER = 4;
const WINDOW = 1 << 20;

/**
 * The TLS key logs of a file's Decryption Secrets Blocks, in the order of the file; none for other formats, for
 * input that cannot be read twice and for what lies behind damage.
 * @throws CaptureError as {@link openCapture}, and FTT_E_SECRETS for an absurd amount of them
 */
export async function scanSecrets(path: string): Promise<string[]> {
  if (path === '-' || !isPlain(path)) return [];
  if (isCompressed(path)) return readThrough(path);
  const found: string[] = [];
  scanPlainSecrets(path, (text) => found.push(text));
  return found;
}

/** Whether `path` is a file that is read as it lies: {@link scanPlainSecrets} finds what is in it. */
export function isPlainFile(path: string): boolean {
  return path !== '-' && isPlain(path) && !isCompressed(path);
}

/**
 * Gives the TLS key logs of a plain file, passing from block to block.
 * @throws CaptureError FTT_E_SECRETS for an absurd amount of them
 */
export function scanPlainSecrets(path: string, give: (text: string) => void): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return; // the reader will say what is wrong with the file
  }
  try {
    new BlockScan(fd, path, give).run();
  } finally {
    closeSync(fd);
  }
}

/** Walks over the blocks of a pcapng file, looking at their headers alone. */
class BlockScan {
  private readonly buf = new Uint8Array(WINDOW);
  private readonly view = new DataView(this.buf.buffer);
  /** Where `buf[0]` stands in the file, and how many octets of it are there. */
  private base = 0;
  private have = 0;
  private octets = 0;

  constructor(
    private readonly fd: number,
    private readonly path: string,
    private readonly give: (text: string) => void,
  ) {}

  run(): void {
    if (!this.load(0, 4) || !isPcapng(this.buf.subarray(0, 4))) return;
    let little = true;
    for (let at = 0; this.load(at, LEAST); ) {
      const pos = at - this.base;
      const type = this.view.getUint32(pos, little);
      if (type === SHB) {
        little = this.view.getUint32(pos + 8, true) === BYTE_ORDER;
        if (!little && this.view.getUint32(pos + 8, false) !== BYTE_ORDER) return;
      }
      const claimed = this.view.getUint32(pos + 4, little);
      if (claimed < LEAST) return;
      const total = claimed + (-claimed & 3); // rounded up for writers that forget the padding
      if (type === DSB && !this.secrets(at, total, little)) return;
      at += total;
    }
  }

  /** Gives the key log of a DSB; returns whether all of it is there. */
  private secrets(at: number, total: number, little: boolean): boolean {
    if (!this.load(at, DSB_HEADER)) return false;
    const pos = at - this.base;
    const length = this.view.getUint32(pos + 12, little);
    if (this.view.getUint32(pos + 8, little) !== TLS_KEY_LOG || length > total - DSB_HEADER - TRAILER) return true;
    this.octets += length;
    if (this.octets > LIMITS.secretOctets)
      throw new CaptureError('FTT_E_SECRETS', `${this.path}: more than ${LIMITS.secretOctets} octets of TLS keys`);
    if (fstatSync(this.fd).size < at + total) return false;
    const text = new Uint8Array(length);
    this.give(utf8Text(text, 0, this.read(text, length, at + DSB_HEADER)));
    return true;
  }

  /** Whether `n` octets from `at` on are in the window, which moves there if they are not. */
  private load(at: number, n: number): boolean {
    if (at >= this.base && at + n <= this.base + this.have) return true;
    this.base = at;
    this.have = this.read(this.buf, WINDOW, at);
    return this.have >= n;
  }

  private read(into: Uint8Array, n: number, at: number): number {
    let got = 0;
    while (got < n) {
      const k = this.some(into, got, n - got, at + got);
      if (k === 0) break;
      got += k;
    }
    return got;
  }

  // A disk, or a server behind it, may fail at any place.
  private some(into: Uint8Array, off: number, n: number, at: number): number {
    try {
      return readSync(this.fd, into, off, n, at);
    } catch (e) {
      throw systemError(this.path, e, 'FTT_E_READ');
    }
  }
}

async function readThrough(path: string): Promise<string[]> {
  const found: string[] = [];
  const source = await openCapture([path]);
  try {
    if (!source.files[0].format.startsWith('pcapng')) return found;
    let octets = 0;
    for (let chunk = await source.next(); chunk; chunk = await source.next()) {
      for (const text of chunk.secrets) {
        octets += text.length;
        if (octets > LIMITS.secretOctets)
          throw new CaptureError('FTT_E_SECRETS', `${path}: more than ${LIMITS.secretOctets} octets of TLS keys`);
        found.push(text);
      }
    }
  } finally {
    await source.close();
  }
  return found;
}

/** Whether `path` is a file that can be read twice; what cannot be looked at is opened for its error. */
function isPlain(path: string): boolean {
  return statsOf(path)?.isFile() ?? true;
}

/** Whether a file begins as gzip data does. */
function isCompressed(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return true; // opening it the long way says what is wrong
  }
  try {
    const magic = new Uint8Array(2);
    return readSync(fd, magic, 0, 2, 0) === 2 && isGzip(magic);
  } catch {
    return true;
  } finally {
    closeSync(fd);
  }
}
