/** The Internet checksum, RFC 1071. */

import { hexNumber } from './text.js';

/** The addresses of a network layer, for pseudo-headers: offsets into `buf`, four or sixteen octets each. */
export interface NetPair {
  readonly version: 4 | 6;
  readonly buf: Uint8Array;
  readonly src: number;
  readonly dst: number;
}

/** Adds the 16-bit words of `[off, end)` to `sum`; an odd last octet counts as the high half of a word. */
export function sumWords(b: Uint8Array, off: number, end: number, sum = 0): number {
  let i = off;
  let s = sum;
  // Eight octets a round: a loop costs as much as what it does.
  for (const stop = end - 7; i < stop; i += 8) {
    const high = b[i] + b[i + 2] + b[i + 4] + b[i + 6];
    s += (high << 8) + b[i + 1] + b[i + 3] + b[i + 5] + b[i + 7];
  }
  for (const stop = end - 1; i < stop; i += 2) s += (b[i] << 8) | b[i + 1];
  if (i < end) s += b[i] << 8;
  return s;
}

/** Folds a sum of words to 16 bits and complements it. */
export function fold(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = (s & 0xffff) + Math.floor(s / 0x10000);
  return ~s & 0xffff;
}

/** Checksum of a range; 0 where the range includes its own correct checksum. RFC 1071. */
export const checksum = (b: Uint8Array, off: number, end: number, start = 0): number =>
  fold(sumWords(b, off, end, start));

/** What is said of the wrong checksum `stored` in a range (its pseudo-header included) whose {@link checksum} is `rest`. */
export function badChecksum(stored: number, rest: number): string {
  const right = fold((rest ^ 0xffff) + (stored ^ 0xffff));
  return `Bad checksum [should be ${hexNumber(right, 4)}]`;
}

/** Sum of the pseudo-header of RFC 793 (IPv4) or RFC 8200 §8.1 (IPv6) for an upper layer of `length` octets. */
export function pseudoHeader(net: NetPair, protocol: number, length: number): number {
  const n = net.version === 4 ? 4 : 16;
  let s = sumWords(net.buf, net.src, net.src + n);
  s = sumWords(net.buf, net.dst, net.dst + n, s);
  return s + protocol + (length & 0xffff) + (length >>> 16);
}

/**
 * Whether a checksum is one that the sender left to its network card: the sum of the pseudo-header, with the length or
 * without. Loopback interfaces deliver it like that.
 */
export function isLeftToCard(stored: number, net: NetPair, protocol: number, length: number): boolean {
  const have = stored ^ 0xffff;
  return have === fold(pseudoHeader(net, protocol, length)) || have === fold(pseudoHeader(net, protocol, 0));
}
