/** The character sets of short messages, 3GPP TS 23.038 §6.2. */

const ESCAPE = 0x1b;

/** GSM 7 bit default alphabet by code; the place of the escape holds a blank. TS 23.038 §6.2.1 */
const DEFAULT =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

/** What follows the escape. TS 23.038 §6.2.1.1 */
const EXTENSION: Readonly<Record<number, string>> = {
  10: '\f',
  20: '^',
  40: '{',
  41: '}',
  47: '\\',
  60: '[',
  61: '~',
  62: ']',
  64: '|',
  101: '€',
};

/**
 * Text of `count` septets packed into octets from `off` on, of which the first begins at bit `bit` (0 is the least
 * significant). The octets must be there. TS 23.038 §6.1.2.1
 */
export function septets(b: Uint8Array, off: number, bit: number, count: number): string {
  let s = '';
  let escaped = false;
  for (let i = 0; i < count; i++) {
    const at = bit + 7 * i;
    const o = off + (at >> 3);
    const shift = at & 7;
    const next = shift > 1 ? b[o + 1] << (8 - shift) : 0;
    const c = ((b[o] >> shift) | next) & 0x7f;
    if (c === ESCAPE && !escaped) {
      escaped = true;
      continue;
    }
    s += (escaped ? EXTENSION[c] : undefined) ?? DEFAULT[c]; // §6.2.1.1: what has no extension is of the main table
    escaped = false;
  }
  return s;
}

/** Octets that `count` septets from bit `bit` on take. */
export const septetOctets = (bit: number, count: number): number => Math.ceil((bit + 7 * count) / 8);

const utf16 = new TextDecoder('utf-16be', { ignoreBOM: true });

/** Text in UCS2, or UTF-16 where senders use it: most significant octet first. TS 23.038 §6.2.3 */
export const ucs2 = (b: Uint8Array, off: number, end: number): string => utf16.decode(b.subarray(off, end));

/** Digits of an address, two an octet, the first in the low half; a filler of ones ends it. TS 23.040 §9.1.2.3 */
export function semiOctets(b: Uint8Array, off: number, end: number): string {
  let s = '';
  for (let i = 0; i < 2 * (end - off); i++) {
    const d = (b[off + (i >> 1)] >> (i % 2 === 0 ? 0 : 4)) & 15;
    if (d === 15) break;
    s += '0123456789*#abc'[d];
  }
  return s;
}

/** A number of two decimal digits in an octet, the first in the low half. TS 23.040 §9.1.2.3 */
export const swapped = (octet: number): number => 10 * (octet & 15) + (octet >> 4);
