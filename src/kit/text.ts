/** Octets as text, the way Wireshark prints them. */

const HEX: string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
const utf8 = new TextDecoder('utf-8');

/** Octets from which on it pays to have digits written at once: what V8 puts together from more it keeps in parts. */
const MANY = 7;

/** `0a:1b:…`, or with another separator. */
export function hex(b: Uint8Array, off: number, len: number, separator = ':'): string {
  if (len <= 0) return '';
  if (separator === '' && len >= MANY) return hexSlice.call(b, off, off + len);
  let s = HEX[b[off]];
  for (let i = off + 1, end = off + len; i < end; i++) s += separator + HEX[b[i]];
  return s;
}

/** The octets that pairs of hexadecimal digits say, with nothing between them. */
export const fromHex = (digits: string): Uint8Array =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** `0x` and the number with at least `digits` hexadecimal digits. */
export const hexNumber = (v: number, digits: number): string => `0x${v.toString(16).padStart(digits, '0')}`;

const QUADS = 2048;
const quadKeys = new Int32Array(QUADS);
const quadTexts: string[] = new Array(QUADS).fill('0.0.0.0');

/** Dotted quad of the four octets at `off`. Captures hold few addresses many times: the last texts are remembered. */
export function ip4(b: Uint8Array, off: number): string {
  const key = (b[off] << 24) | (b[off + 1] << 16) | (b[off + 2] << 8) | b[off + 3];
  const slot = (key ^ (key >>> 11) ^ (key >>> 21)) & (QUADS - 1);
  if (quadKeys[slot] === key) return quadTexts[slot];
  quadKeys[slot] = key;
  return (quadTexts[slot] = `${b[off]}.${b[off + 1]}.${b[off + 2]}.${b[off + 3]}`);
}

/** The sixteen octets at `off` in the form of RFC 5952; IPv4-mapped addresses with a dotted quad (clause 5). */
export function ip6(b: Uint8Array, off: number): string {
  let bestAt = -1;
  let bestLen = 1;
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && b[off + 2 * j] === 0 && b[off + 2 * j + 1] === 0) j++;
    if (j - i > bestLen) {
      bestAt = i;
      bestLen = j - i;
    }
    i = j === i ? i + 1 : j;
  }
  const mapped = bestAt === 0 && ((bestLen === 5 && b[off + 10] === 255 && b[off + 11] === 255) || bestLen === 6);
  if (mapped) return `::${bestLen === 5 ? 'ffff:' : ''}${ip4(b, off + 12)}`;
  let s = '';
  for (let i = 0; i < 8; ) {
    if (i === bestAt) {
      s += '::';
      i += bestLen;
      continue;
    }
    if (s !== '' && !s.endsWith(':')) s += ':';
    s += ((b[off + 2 * i] << 8) | b[off + 2 * i + 1]).toString(16);
    i++;
  }
  return s;
}

/** Octets up to which characters are sooner joined than made by one call, and up to which the decoder costs more than a look. */
const JOINED = 8;
const LOOKED_AT = 64;
const { hexSlice, latin1Slice } = Buffer.prototype;

/** Octets as UTF-8 (invalid sequences become U+FFFD); a short ASCII-only range costs no decoder call. */
export function utf8Text(b: Uint8Array, off: number, end: number): string {
  if (end - off >= LOOKED_AT) return utf8.decode(b.subarray(off, end));
  let all = 0;
  for (let i = off; i < end; i++) all |= b[i];
  if (all >= 0x80) return utf8.decode(b.subarray(off, end));
  if (end - off > JOINED) return latin1Slice.call(b, off, end);
  let s = '';
  for (let i = off; i < end; i++) s += String.fromCharCode(b[i]);
  return s;
}

/** Octets as Latin-1: one character an octet, nothing lost. */
export function latin1(b: Uint8Array, off: number, end: number): string {
  if (end - off > JOINED) return latin1Slice.call(b, off, end);
  let s = '';
  for (let i = off; i < end; i++) s += String.fromCharCode(b[i]);
  return s;
}

/** First offset in `[off, end)` that holds `octet`, or -1. */
export function indexOf(b: Uint8Array, octet: number, off: number, end: number): number {
  for (let i = off; i < end; i++) if (b[i] === octet) return i;
  return -1;
}

/** First offset in `[off, end)` that holds `octet`, or `end`. */
export function find(b: Uint8Array, octet: number, off: number, end: number): number {
  let i = off;
  while (i < end && b[i] !== octet) i++;
  return i;
}

/** First offset in `[off, end)` that does not hold `octet`, or `end`. */
export function skip(b: Uint8Array, octet: number, off: number, end: number): number {
  let i = off;
  while (i < end && b[i] === octet) i++;
  return i;
}

const LF = 10;
const CR = 13;

/** A line of text: offsets into its buffer. */
export interface TextLine {
  readonly off: number;
  /** One past the text of the line. */
  readonly end: number;
  /** One past its line end: where the next line begins. */
  readonly next: number;
}

/** The line at `off`. CRLF ends it, LF alone does too, and so does the end of the octets. */
export function lineAt(b: Uint8Array, off: number, end: number): TextLine {
  const lf = find(b, LF, off, end);
  return { off, end: lf > off && b[lf - 1] === CR ? lf - 1 : lf, next: lf < end ? lf + 1 : end };
}

/** Whether a character is a space, a tab or a line end: the white space of SIP (RFC 3261 §25.1) and XML (XML 1.0 §2.3). */
export const isSpace = (c: number): boolean => c === 32 || c === 9 || c === 13 || c === 10;

/** First offset from `off` on that holds neither space nor line end. */
export function skipSpace(b: Uint8Array, off: number, end: number): number {
  let i = off;
  while (i < end && isSpace(b[i])) i++;
  return i;
}

/** Whether the octets at `off` are the ASCII text `s`, letter case counting. */
export function startsWith(b: Uint8Array, off: number, end: number, s: string): boolean {
  if (end - off < s.length) return false;
  for (let i = 0; i < s.length; i++) if (b[off + i] !== s.charCodeAt(i)) return false;
  return true;
}

/** Text of a URI with what percent signs stand for (RFC 3986 §2.1); as it is where they stand for no text. */
export function unescaped(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

/** What a person may see of text from a packet: control characters and bidirectional overrides as `·`. */
export function printable(s: string): string {
  return s.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '·');
}

/** Whether a character takes two cells of a terminal: the writing systems of East Asia, as UAX #11 has them, and pictures. */
export function isWide(code: number): boolean {
  if (code < 0x1100) return false;
  return (
    code <= 0x115f ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xa960 && code <= 0xa97c) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe10 && code <= 0xfe19) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** `1 call`, `2 calls`. */
export const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A number of at most two digits in two, as in dates and times. */
export const twoDigits = (n: number): string => String(n).padStart(2, '0');
