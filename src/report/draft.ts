import { latin1 } from '../kit/index.js';
import type { SameLength } from './same-length.js';

/**
 * Text that is being redacted, octet for octet. It begins with nothing that can be read: every letter is an `x`, every
 * digit a `0`, and only line ends and punctuation stand. What is known to tell nothing is kept, and what is known to tell
 * something gets a pseudonym in its place; whatever nobody speaks of stays as it is made here.
 */
export class Draft {
  readonly made: Uint8Array;

  /** @param names what stands in the place of what somebody is known by */
  constructor(
    readonly from: Uint8Array,
    readonly names: SameLength,
  ) {
    this.made = from.map(blanked);
  }

  get length(): number {
    return this.from.length;
  }

  /** What is written there, an octet a character; nothing behind the end. */
  text(off: number, end: number): string {
    return latin1(this.from, off, Math.min(end, this.length));
  }

  keep(off: number, end: number): void {
    this.made.set(this.from.subarray(off, end), off);
  }

  /** Writes a pseudonym, which is as long as what stands at `off`. */
  put(off: number, s: string): void {
    for (let i = 0; i < s.length; i++) this.made[off + i] = s.charCodeAt(i);
  }

  /** Calls `take` with each match of a pattern in `[off, end)`, and where it stands. */
  each(off: number, end: number, pattern: RegExp, take: (off: number, end: number, found: string) => void): void {
    for (const { index, 0: found } of this.text(off, end).matchAll(pattern))
      take(off + index, off + index + found.length, found);
  }

  /** Leaves nothing but the ends of lines. */
  wipe(off: number, end: number): void {
    for (let i = off; i < end; i++) this.made[i] = isLineEnd(this.from[i]) ? this.from[i] : LETTER;
  }
}

const LETTER = 0x78;
const DIGIT = 0x30;
const isLineEnd = (c: number): boolean => c === 10 || c === 13;
const isDigit = (c: number): boolean => c >= DIGIT && c <= 0x39;
const isLetter = (c: number): boolean => ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || c >= 0x80;
const isControl = (c: number): boolean => (c < 0x20 && c !== 9 && !isLineEnd(c)) || c === 0x7f;

function blanked(c: number): number {
  if (isDigit(c)) return DIGIT;
  return isLetter(c) || isControl(c) ? LETTER : c;
}
