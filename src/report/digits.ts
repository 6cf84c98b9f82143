/** Up to four ASCII characters as the number that they are in memory. */
function packed(s: string): number {
  let v = 0;
  for (let i = 0; i < s.length; i++) v |= s.charCodeAt(i) << (8 * i);
  return v;
}
/** Up to three characters, and in the highest octet how many. */
const counted = (s: string): number => packed(s) | (s.length << 24);

/** By octet: its two hex digits and a colon. */
const PAIRS = Int32Array.from({ length: 256 }, (_, v) => packed(`${v.toString(16).padStart(2, '0')}:`));
/** By octet: its decimal digits and a dot. */
const DOTTED = Int32Array.from({ length: 256 }, (_, v) => packed(`${v}.`));
/** By number below 1000: its digits and how many, and as three digits. */
const DIGITS = Int32Array.from({ length: 1000 }, (_, v) => counted(String(v)));
const THREE_DIGITS = Int32Array.from({ length: 1000 }, (_, v) => packed(String(v).padStart(3, '0')));

const DOT = 46;
/** Where parts of a number are cut, each written by table. */
export const THOUSAND = 1000;
const MILLION = 1_000_000;
export const BILLION = 1_000_000_000;
/** Below this a number is exact. */
export const MOST = 2 ** 53;

/** Octets that a number below {@link MOST} takes at most, with what is written beyond it. */
export const NUMBER = 20;

/** Writes a whole number below {@link MOST} at `at`; returns where it ends. */
export function decimal(view: DataView, at: number, v: number): number {
  const n = v | 0;
  // Numbers of 31 bits are divided by multiplying.
  if (n === v) return n < BILLION ? upToNine(view, at, n) : ten(view, at, (n / BILLION) | 0, n % BILLION);
  const q = Math.floor(v / BILLION);
  return ten(view, at, q, v - q * BILLION);
}

/** Writes a number and nine digits behind it. */
function ten(view: DataView, at: number, q: number, rest: number): number {
  return nineDigits(view, q < BILLION ? upToNine(view, at, q | 0) : decimal(view, at, q), rest | 0);
}

/** Writes a whole number below {@link BILLION} at `at`; returns where it ends. */
export function upToNine(view: DataView, at: number, n: number): number {
  if (n < THOUSAND) return digits(view, at, n);
  const q = (n / THOUSAND) | 0;
  if (n >= MILLION) {
    const m = (n / MILLION) | 0;
    return sixDigits(view, digits(view, at, m), n - m * MILLION);
  }
  const to = digits(view, at, q);
  view.setInt32(to, THREE_DIGITS[n - q * THOUSAND], true);
  return to + 3;
}

/** The same for one below {@link THOUSAND}. */
export function digits(view: DataView, at: number, n: number): number {
  const d = DIGITS[n];
  view.setInt32(at, d, true);
  return at + (d >> 24);
}

function sixDigits(view: DataView, at: number, n: number): number {
  const q = (n / THOUSAND) | 0;
  view.setInt32(at, THREE_DIGITS[q], true);
  view.setInt32(at + 3, THREE_DIGITS[n - q * THOUSAND], true);
  return at + 6;
}

function nineDigits(view: DataView, at: number, n: number): number {
  const m = (n / MILLION) | 0;
  view.setInt32(at, THREE_DIGITS[m], true);
  return sixDigits(view, at + 3, n - m * MILLION);
}

/** Writes a dot and the nine digits of nanoseconds below a second. */
export function fraction(view: DataView, at: number, nanos: number): number {
  view.setUint8(at, DOT);
  return nineDigits(view, at + 1, nanos | 0);
}

/** Writes octets as hex with a colon behind each but the last. */
export function colonPairs(view: DataView, at: number, b: Uint8Array, off: number, end: number): number {
  let to = at;
  for (let i = off; i < end; i++, to += 3) view.setInt32(to, PAIRS[b[i]], true);
  return end > off ? to - 1 : to;
}

/** Writes four octets as a dotted quad. */
export function quad(view: DataView, at: number, b: Uint8Array, off: number): number {
  let to = at;
  for (let i = off; i < off + 4; i++) {
    const v = b[i];
    view.setInt32(to, DOTTED[v], true);
    to += v < 10 ? 2 : v < 100 ? 3 : 4;
  }
  return to - 1;
}
