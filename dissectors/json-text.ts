import { isSpace, latin1 } from 'fttscope/kit';

/*
 * Whether octets are JSON, RFC 8259: objects and arrays, one after the other, with white space between them. Control
 * characters within strings are let pass, as Wireshark does.
 */
const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
/** How deep values nest. */
const MAX_DEPTH = 1024;

/** Numbers and names end where none of these characters stands. */
const isWord = (c: number): boolean =>
  (c >= 48 && c <= 57) || (c >= 97 && c <= 122) || c === 43 || c === 45 || c === 46 || c === 69;
const WORD = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** What may come next. */
const Next = { Value: 0, FirstValue: 1, Name: 2, FirstName: 3, Colon: 4, AfterValue: 5 } as const;

/** One past the string that starts at `at`, or -1. */
function stringEnd(b: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    if (b[i] === BACKSLASH) i++;
    else if (b[i] === QUOTE) return i + 1;
  }
  return -1;
}

/** One past the number or name that starts at `at`, or -1. */
function wordEnd(b: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && i - at < 64 && isWord(b[i])) i++;
  return WORD.test(latin1(b, at, i)) ? i : -1;
}

/** Whether the octets are one whole value. RFC 8259 §2 */
export function isJson(b: Uint8Array, off: number, end: number): boolean {
  const open: number[] = [];
  let next: number = Next.Value;
  let any = false;
  for (let at = off; at < end; ) {
    const c = b[at];
    if (isSpace(c)) {
      at++;
      continue;
    }
    if (open.length === 0) {
      if (c !== OPEN_OBJECT && c !== OPEN_ARRAY) return false;
      next = Next.Value;
      any = true;
    }
    const closes = next === Next.AfterValue || next === Next.FirstName || next === Next.FirstValue;
    if (c === CLOSE_OBJECT || c === CLOSE_ARRAY) {
      if (!closes || next === (c === CLOSE_OBJECT ? Next.FirstValue : Next.FirstName)) return false;
      if (open.pop() !== c - 2) return false;
      next = Next.AfterValue;
      at++;
    } else if (next === Next.AfterValue) {
      if (c !== COMMA) return false;
      next = open[open.length - 1] === OPEN_OBJECT ? Next.Name : Next.Value;
      at++;
    } else if (next === Next.Colon) {
      if (c !== COLON) return false;
      next = Next.Value;
      at++;
    } else if (c === QUOTE) {
      at = stringEnd(b, at, end);
      if (at < 0) return false;
      next = next === Next.Name || next === Next.FirstName ? Next.Colon : Next.AfterValue;
    } else if (next === Next.Name || next === Next.FirstName) return false;
    else if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      if (open.length >= MAX_DEPTH) return false;
      open.push(c);
      next = c === OPEN_OBJECT ? Next.FirstName : Next.FirstValue;
      at++;
    } else {
      at = wordEnd(b, at, end);
      if (at < 0) return false;
      next = Next.AfterValue;
    }
  }
  return any && open.length === 0;
}
