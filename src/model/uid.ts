/** Names for things that stay the same when another file is added: hashes of their protocol identity. */

const PRIMES = [0x01000193, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const;
const START = [0x811c9dc5, 0x9747b28c, 0x3c6ef372, 0x1b873593] as const;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/** Sixteen hexadecimal digits for a list of texts and numbers. The parts are told apart, so that `ab,c` is not `a,bc`. */
export function uid(...parts: readonly (string | number | undefined)[]): string {
  let text = '';
  for (let i = 0; i < parts.length; i++) text += `${i > 0 ? '\u0000' : ''}${parts[i] ?? ''}`;
  let a = START[0] ^ START[2];
  let b = START[1] ^ START[3];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, PRIMES[0]);
    a = ((a << 13) | (a >>> 19)) ^ PRIMES[2];
    b = Math.imul(b ^ c, PRIMES[1]);
    b = ((b << 13) | (b >>> 19)) ^ PRIMES[3];
  }
  return digits(a) + digits(b);
}

/** Eight hexadecimal digits for the end of a hash. */
function digits(hash: number): string {
  let h = Math.imul(hash ^ (hash >>> 16), PRIMES[1]);
  h = Math.imul(h ^ (h >>> 13), PRIMES[2]);
  h ^= h >>> 16;
  return HEX[h >>> 24] + HEX[(h >>> 16) & 255] + HEX[(h >>> 8) & 255] + HEX[h & 255];
}

/** A number of 53 bits for a text and octets that follow it. */
export function hashOf(text: string, octets: Uint8Array, off: number, n: number): number {
  let a: number = START[0];
  let b: number = START[1];
  for (let i = 0; i < text.length + n; i++) {
    const c = i < text.length ? text.charCodeAt(i) : octets[off + i - text.length];
    a = Math.imul(a ^ c, PRIMES[0]);
    b = Math.imul(b ^ c, PRIMES[1]) ^ (b >>> 15);
  }
  return (a >>> 0) * 0x20_0000 + ((b >>> 0) & 0x1f_ffff);
}
