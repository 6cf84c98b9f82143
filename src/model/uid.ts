/** Names for things that stay the same when another file is added: hashes of their protocol identity. */

const PRIMES = [0x01000193, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const;
const START = [0x811c9dc5, 0x9747b28c, 0x3c6ef372, 0x1b873593] as const;

/** Sixteen hexadecimal digits for a list of texts and numbers. The parts are told apart, so that `ab,c` is not `a,bc`. */
export function uid(...parts: readonly (string | number | undefined)[]): string {
  const text = parts.map((p) => (p === undefined ? '' : String(p))).join('\u0000');
  let out = '';
  for (let k = 0; k < 2; k++) {
    let h = START[k] ^ START[k + 2];
    for (let i = 0; i < text.length; i++) {
      h = Math.imul(h ^ text.charCodeAt(i), PRIMES[k]);
      h = ((h << 13) | (h >>> 19)) ^ PRIMES[k + 2];
    }
    h = Math.imul(h ^ (h >>> 16), PRIMES[1]);
    h = Math.imul(h ^ (h >>> 13), PRIMES[2]);
    out += ((h ^ (h >>> 16)) >>> 0).toString(16).padStart(8, '0');
  }
  return out;
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
