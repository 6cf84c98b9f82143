/**
 * GHASH of NIST SP 800-38D §6.4 in plain big integers: for the ciphers that node lacks in GCM, and to read the record
 * number of TLS 1.2 out of a tag. A block is a 128-bit integer whose highest bit is the coefficient of x^0.
 */

const REDUCTION = 0xe1n << 120n;
const ONE = 1n << 127n;

/** Product in GF(2^128). */
export function multiply(x: bigint, y: bigint): bigint {
  let z = 0n;
  let v = y;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (x & bit) z ^= v;
    v = v & 1n ? (v >> 1n) ^ REDUCTION : v >> 1n;
  }
  return z;
}

/** `x` to the power of `n`. */
export function power(x: bigint, n: bigint): bigint {
  let result = ONE;
  let square = x;
  for (let e = n; e > 0n; e >>= 1n) {
    if (e & 1n) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** The inverse: x^(2^128 - 2), as every x but 0 has x^(2^128 - 1) = 1. */
export const inverse = (x: bigint): bigint => power(x, (1n << 128n) - 2n);

/** Up to 16 octets as a block, filled up with zeros. */
export function block(b: Uint8Array, off: number, end: number): bigint {
  let v = 0n;
  for (let i = 0; i < 16; i++) v = (v << 8n) | (off + i < end ? BigInt(b[off + i]) : 0n);
  return v;
}

/** GHASH of the blocks of `[off, end)` and the block of lengths, starting from `first`. */
export function ghash(h: bigint, first: bigint, aadOctets: number, b: Uint8Array, off: number, end: number): bigint {
  let y = first;
  for (let at = off; at < end; at += 16) y = multiply(y ^ block(b, at, end), h);
  return multiply(y ^ ((BigInt(aadOctets * 8) << 64n) | BigInt((end - off) * 8)), h);
}
