/** The octets that a format reader looks at: one buffer, used again and again, that moves through the file. */

import { LIMITS } from '../limits.js';
import type { OctetInput } from './input.js';

/** Octets of the first read, small so that the first frames are there at once; each full read makes the next larger. */
const FIRST = 8 << 10;
const GROWTH = 4;
const LEAST = 1 << 10;

/** Takes every octet that passes through a window, in order. */
export interface OctetSink {
  write(buf: Uint8Array, off: number, end: number): void;
}

/**
 * Unread octets are `[pos, end)` of `buf`; `buf[0]` stands at offset `base` of the (decompressed) file. A format reader
 * moves `pos`; {@link fill} moves the unread octets to the front and reads behind them.
 */
export class Window {
  buf: Uint8Array;
  view: DataView;
  pos = 0;
  end = 0;
  base = 0;
  /** Sees what is read from now on. */
  sink: OctetSink | null = null;
  private full = false;

  /**
   * @param most octets of the buffer, unless one frame or block needs more
   * @param size octets of the input, where they are known: a small file gets a small buffer
   */
  constructor(
    readonly input: OctetInput,
    private readonly most: number = LIMITS.chunkOctets,
    size: number = FIRST,
  ) {
    const buffer = new ArrayBuffer(Math.max(LEAST, Math.min(FIRST, size)));
    this.buf = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Offset in the file of the next unread octet. */
  get at(): number {
    return this.base + this.pos;
  }
  /** Unread octets. */
  get left(): number {
    return this.end - this.pos;
  }

  /**
   * Reads once. Returns false at the end of the input. The buffer grows only as octets really arrive, whatever length
   * a file claims.
   * @param wanted octets from `pos` that the reader needs to go on
   */
  fill(wanted: number): boolean | Promise<boolean> {
    this.makeRoom(wanted);
    const n = this.input.read(this.buf, this.end, this.buf.length - this.end);
    return typeof n === 'number' ? this.took(n) : n.then((k) => this.took(k));
  }

  /** Reads until `n` octets are unread or the input ends; returns whether they are there. */
  async have(n: number): Promise<boolean> {
    while (this.left < n) if (!(await this.fill(n))) return false;
    return true;
  }

  private took(n: number): boolean {
    this.sink?.write(this.buf, this.end, this.end + n);
    this.end += n;
    this.full = this.end === this.buf.length;
    return n > 0;
  }

  private makeRoom(wanted: number): void {
    const { buf, pos, end, most } = this;
    const left = end - pos;
    let size = buf.length;
    if (wanted > size) size = left > size / 2 ? Math.min(size * 2, Math.max(wanted, most)) : size;
    else if (this.full && size < most) size = Math.min(size * GROWTH, most);
    else if (size > most && wanted <= most && left < most) size = most;
    if (size !== buf.length) {
      const next = new Uint8Array(size);
      next.set(buf.subarray(pos, end));
      this.buf = next;
      this.view = new DataView(next.buffer);
    } else if (pos > 0) {
      buf.copyWithin(0, pos, end);
    }
    this.base += pos;
    this.pos = 0;
    this.end = left;
  }
}
