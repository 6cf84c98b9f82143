/** Names for things that stay the same when another file is added: hashes of their protocol identity. */

const PRIMES = [0x01000193, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const;
const START = [0x811c9dc5, 0x9747b28c, 0x3c6ef372, 0x1b873593] as const;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/** Sixteen hexadecimal digits for a list of texts and numbers. The parts are told apart, so that `ab,c` is not `a,bc`. */
export function uid(...parts: readonly (string | number | undefined)[]): string {
  let a = START[0] ^ START[2];
  let b = START[1] ^ START[3];
  for (let i = 0; i < parts.length; i++) {
    const text = String(parts[i] ?? '');
    // A zero stands between parts.
    for (let k = i > 0 ? -1 : 0; k < text.length; k++) {
      const c = k < 0 ? 0 : text.charCodeAt(k);
      a = Math.imul(a ^ c, PRIMES[0]);
      a = ((a << 13) | (a >>> 19)) ^ PRIMES[2];
      b = Math.imul(b ^ c, PRIMES[1]);
      b = ((b << 13) | (b >>> 19)) ^ PRIMES[3];
    }
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

/** A number of 53 bits for a list of texts and numbers of 32 bits, and octets that follow it. */
export function hashOf(parts: readonly (string | number)[], octets: Uint8Array, off: number, n: number): number {
  let a: number = START[0];
  let b: number = START[1];
  for (const part of parts) {
    const isText = typeof part === 'string';
    // The length, or the number, tells the parts apart.
    for (let i = -1; i < (isText ? part.length : 0); i++) {
      const c = !isText ? part : i < 0 ? part.length : part.charCodeAt(i);
      a = Math.imul(a ^ c, PRIMES[0]);
      b = Math.imul(b ^ c, PRIMES[1]) ^ (b >>> 15);
    }
  }
  for (let i = off; i < off + n; i++) {
    a = Math.imul(a ^ octets[i], PRIMES[0]);
    b = Math.imul(b ^ octets[i], PRIMES[1]) ^ (b >>> 15);
  }
  return (a >>> 0) * 0x20_0000 + ((b >>> 0) & 0x1f_ffff);
}
