import type { NetPair } from './checksum.js';

/**
 * Builds and parses one layer. Law, tested for every codec: `parse(emit(r))` equals `r` for every generated `r`, and
 * `emit(parse(x))` equals `x` for every canonical image. So a representation keeps unknown options as `{code, bytes}`
 * in order, and keeps illegal but parsable values: judging them is the findings' business.
 */
export interface Codec<R> {
  /** Reads `[off, end)`; the result is plain data that owns its octets. */
  parse(b: Uint8Array, off: number, end: number): R;
  /** Octets that {@link emit} will write. */
  size(r: R): number;
  /** Writes `r` at `off` and fills in lengths and checksums; returns the octets written. */
  emit(r: R, b: Uint8Array, off: number, net?: NetPair): number;
}

/** A representation as octets of its own. */
export function encode<R>(codec: Codec<R>, r: R, net?: NetPair): Uint8Array {
  const b = new Uint8Array(codec.size(r));
  codec.emit(r, b, 0, net);
  return b;
}
