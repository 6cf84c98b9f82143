import type { View } from 'fttscope/kit';

/** Octets of a BER element with a definite length; 0: too few to say; -1: it is none. ITU-T X.690 §8.1 */
export function berLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 2) return 0;
  const first = b[off + 1];
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4) return -1;
  if (end - off < 2 + octets) return 0;
  let n = 0;
  for (let i = 0; i < octets; i++) n = n * 256 + b[off + 2 + i];
  return 2 + octets + n;
}

/** The tag that BER begins with where a message is a SEQUENCE, and that of octets. §8.9, §8.7 */
export const SEQUENCE = 0x30;
export const OCTETS = 0x04;

/** What stands in the BER element at the start of a view; nothing where it is none. §8.1 */
export function inside(v: View): View {
  const { buf, off, end } = v;
  const n = berLength(buf, off, end);
  if (n <= 0) return v.sub(end);
  const first = buf[off + 1];
  return v.sub(off + 2 + (first < 0x80 ? 0 : first & 0x7f), Math.min(end, off + n));
}

/** What stands behind it. */
export function behind(v: View): View {
  const n = berLength(v.buf, v.off, v.end);
  return v.sub(n <= 0 ? v.end : Math.min(v.end, v.off + n));
}

/** The tag of the element at the start of a view; -1 where there is none. */
export const tagOf = (v: View): number => (v.length > 0 ? v.buf[v.off] : -1);
