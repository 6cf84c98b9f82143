import { randomFillSync } from 'node:crypto';

/** Chance, from the system or, where a run must be repeatable, from a seed. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
}

/** Chance that nobody can foretell: for keys, nonces, tags, ports. */
export const systemRandom: Random = {
  next() {
    const word = new Uint32Array(1);
    randomFillSync(word);
    return word[0] / 2 ** 32;
  },
};

/** The same numbers for the same seed: Weyl sequence and a mixing function (SplitMix of 32 bits). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
    },
  };
}

/** A whole number from `low` to `high`, both included. */
export const integer = (random: Random, low: number, high: number): number =>
  low + Math.floor(random.next() * (high - low + 1));

/** A number of 32 bits. */
export const word = (random: Random): number => integer(random, 0, 0xffff_ffff);

/** `n` octets. */
export function octets(random: Random, n: number): Uint8Array {
  return Uint8Array.from({ length: n }, () => integer(random, 0, 255));
}

/** `n` lower-case hexadecimal digits. */
export const hexDigits = (random: Random, n: number): string =>
  Array.from({ length: n }, () => integer(random, 0, 15).toString(16)).join('');
