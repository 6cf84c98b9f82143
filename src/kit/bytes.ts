/**
 * Reading octets: views and allocation-free accessors.
 *
 * Accessors are plain functions on `(buf, off)`. They never check bounds: a dissector asks {@link need} once for the
 * octets of a fixed header and then reads freely. Everything is network order unless the name ends in `le`.
 */

/** Where the octets of a view come from; one tab of the octet pane each. */
export interface Source {
  /** "Frame", "Decrypted TLS", "Reassembled TCP" … */
  readonly name: string;
  readonly buf: Uint8Array;
  /** Offset in `buf` that is shown as 0. */
  readonly start: number;
  /** Offset in `buf` one past the last octet. */
  readonly end: number;
}

/**
 * The octets `[off, end)` of `buf` that a dissector may read, with how many there were on the wire.
 * `end` never lies beyond what was captured; `wireEnd` is where the layer ended on the wire: larger than `end` when the
 * snaplen cut the frame (a cut is not a malformation).
 */
export class View {
  constructor(
    readonly source: Source,
    readonly off: number,
    readonly end: number,
    readonly wireEnd: number = end,
  ) {}
  get buf(): Uint8Array {
    return this.source.buf;
  }
  /** Captured octets. */
  get length(): number {
    return this.end - this.off;
  }
  /** Octets that the layer had on the wire. */
  get wireLength(): number {
    return this.wireEnd - this.off;
  }
  /** Whether the snaplen cut it. */
  get isCut(): boolean {
    return this.end < this.wireEnd;
  }
  /** The part `[off, end)` of this view, clipped to what it holds; `end` is where it ends on the wire. */
  sub(off: number, end: number = this.wireEnd): View {
    const wireEnd = Math.min(end, this.wireEnd);
    const stop = Math.min(wireEnd, this.end);
    return new View(this.source, Math.min(off, stop), stop, Math.max(wireEnd, off));
  }
  /** A view of a whole buffer as a source of its own. */
  static of(buf: Uint8Array, name = 'Frame', wire = buf.length): View {
    return new View({ name, buf, start: 0, end: buf.length }, 0, buf.length, Math.max(wire, buf.length));
  }
}

/**
 * Thrown by {@link need} when a layer has fewer octets than its format wants. The engine shows the rest of the layer as
 * data with "needs N octets, has M", as malformed, or as cut by the snaplen if the missing octets were on the wire.
 */
export class Short extends Error {
  constructor(
    readonly needed: number,
    readonly have: number,
    readonly at: number,
    readonly cut: boolean,
  ) {
    super(`needs ${needed} octets at offset ${at}, has ${have}`);
  }
}

/** Thrown when the octets of a layer contradict its format; the engine shows the rest as data with the message. */
export class Malformed extends Error {}

/** Whether it is what parsers throw on purpose of octets that are damaged. All else is a fault of the program. */
export const isDamage = (e: unknown): e is Short | Malformed => e instanceof Short || e instanceof Malformed;

/** Demands `n` octets from `at` (default: the start of the view). @throws Short */
export function need(v: View, n: number, at: number = v.off): void {
  if (at + n > v.end) throw new Short(n, Math.max(0, v.end - at), at - v.source.start, at + n <= v.wireEnd);
}

/**
 * The number at offset `o`: `u` without a sign, `i` in two's complement, the most significant octet first but for `…le`. What lies
 * beyond the end is no number: ask {@link need} before.
 */
export const u8 = (b: Uint8Array, o: number): number => b[o];
export const u16 = (b: Uint8Array, o: number): number => (b[o] << 8) | b[o + 1];
export const u24 = (b: Uint8Array, o: number): number => (b[o] << 16) | (b[o + 1] << 8) | b[o + 2];
export const u32 = (b: Uint8Array, o: number): number =>
  ((b[o] << 24) | (b[o + 1] << 16) | (b[o + 2] << 8) | b[o + 3]) >>> 0;
export const u48 = (b: Uint8Array, o: number): number => u16(b, o) * 0x1_0000_0000 + u32(b, o + 2);
export const u64 = (b: Uint8Array, o: number): bigint => (BigInt(u32(b, o)) << 32n) | BigInt(u32(b, o + 4));
export const i8 = (b: Uint8Array, o: number): number => (b[o] << 24) >> 24;
export const i32 = (b: Uint8Array, o: number): number => (b[o] << 24) | (b[o + 1] << 16) | (b[o + 2] << 8) | b[o + 3];
export const u16le = (b: Uint8Array, o: number): number => b[o] | (b[o + 1] << 8);
export const u32le = (b: Uint8Array, o: number): number =>
  (b[o] | (b[o + 1] << 8) | (b[o + 2] << 16) | (b[o + 3] << 24)) >>> 0;
export const u64le = (b: Uint8Array, o: number): bigint => (BigInt(u32le(b, o + 4)) << 32n) | BigInt(u32le(b, o));

/** Writes the low bits of `v` at `o`, the most significant octet first. */
export function put16(b: Uint8Array, o: number, v: number): void {
  b[o] = v >>> 8;
  b[o + 1] = v;
}
export function put24(b: Uint8Array, o: number, v: number): void {
  b[o] = v >>> 16;
  b[o + 1] = v >>> 8;
  b[o + 2] = v;
}
export function put32(b: Uint8Array, o: number, v: number): void {
  b[o] = v >>> 24;
  b[o + 1] = v >>> 16;
  b[o + 2] = v >>> 8;
  b[o + 3] = v;
}

/** How far sequence number `a` is ahead of `b`, negative where it is behind: after 2^32 they begin anew. RFC 9293 §3.4 */
export const ahead = (a: number, b: number): number => (a - b) | 0;

/** Whether two ranges hold the same octets. */
export function equalBytes(a: Uint8Array, ao: number, b: Uint8Array, bo: number, n: number): boolean {
  for (let i = 0; i < n; i++) if (a[ao + i] !== b[bo + i]) return false;
  return true;
}

/** Whether two arrays hold the same octets. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && equalBytes(a, 0, b, 0, a.length);

/** A length with the octets that pad it to a multiple of four, as many formats want their parts. */
export const padded = (n: number): number => (n + 3) & ~3;

/** Joins arrays of octets. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let n = 0;
  for (const p of parts) n += p.length;
  const out = new Uint8Array(n);
  n = 0;
  for (const p of parts) {
    out.set(p, n);
    n += p.length;
  }
  return out;
}
