import { u8, u16, u24, u32 } from 'fttscope/kit';

/**
 * A reader of TLS vectors (RFC 8446 §3.4) that stays inside `[off, end)`. It never throws: a read that would cross the
 * end sets {@link short}, gives 0 or an empty range, and everything after it does the same.
 */
export class Cursor {
  short = false;

  constructor(
    readonly buf: Uint8Array,
    public off: number,
    readonly end: number,
  ) {}

  /** Octets that are left. */
  get left(): number {
    return this.short ? 0 : this.end - this.off;
  }

  /** Moves over `n` octets and returns where they began, or -1 if there are not so many. */
  take(n: number): number {
    if (this.short || this.off + n > this.end) {
      this.short = true;
      return -1;
    }
    const at = this.off;
    this.off += n;
    return at;
  }
  u8(): number {
    const at = this.take(1);
    return at < 0 ? 0 : u8(this.buf, at);
  }
  u16(): number {
    const at = this.take(2);
    return at < 0 ? 0 : u16(this.buf, at);
  }
  u24(): number {
    const at = this.take(3);
    return at < 0 ? 0 : u24(this.buf, at);
  }
  u32(): number {
    const at = this.take(4);
    return at < 0 ? 0 : u32(this.buf, at);
  }

  /** A cursor over the next `n` octets; over what there is of them, and marked short, if they are fewer. */
  range(n: number): Cursor {
    const at = this.off;
    const there = Math.min(n, this.left);
    const part = new Cursor(this.buf, at, at + there);
    if (this.short || there < n) part.short = this.short = true;
    this.off = part.end;
    return part;
  }
  /** A vector with one, two or three octets of length. */
  vector8(): Cursor {
    return this.range(this.u8());
  }
  vector16(): Cursor {
    return this.range(this.u16());
  }
  vector24(): Cursor {
    return this.range(this.u24());
  }

  /** A copy of what is left. */
  octets(): Uint8Array {
    return this.buf.slice(this.off, this.end);
  }
}
