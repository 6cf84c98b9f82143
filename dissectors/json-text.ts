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
const Next = { Value: 0, FirstValue: 1, Name: 2, FirstName: 3, Colon: 4, AfterValue: 5, Nothing: -1 } as const;
type Next = (typeof Next)[keyof typeof Next];

const isName = (next: Next): boolean => next === Next.Name || next === Next.FirstName;
const isValue = (next: Next): boolean => next === Next.Value || next === Next.FirstValue;

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

/** What may come behind a structural character, RFC 8259 §2; nothing where it must not stand. `open` is kept right. */
function behind(c: number, next: Next, open: number[]): Next {
  switch (c) {
    case OPEN_OBJECT:
    case OPEN_ARRAY:
      if (!isValue(next) || open.length >= MAX_DEPTH) return Next.Nothing;
      open.push(c);
      return c === OPEN_OBJECT ? Next.FirstName : Next.FirstValue;
    case CLOSE_OBJECT:
      if (next !== Next.FirstName && next !== Next.AfterValue) return Next.Nothing;
      return open.pop() === OPEN_OBJECT ? Next.AfterValue : Next.Nothing;
    case CLOSE_ARRAY:
      if (next !== Next.FirstValue && next !== Next.AfterValue) return Next.Nothing;
      return open.pop() === OPEN_ARRAY ? Next.AfterValue : Next.Nothing;
    case COMMA:
      if (next !== Next.AfterValue) return Next.Nothing;
      return open[open.length - 1] === OPEN_OBJECT ? Next.Name : Next.Value;
    default:
      return next === Next.Colon ? Next.Value : Next.Nothing;
  }
}

const isStructural = (c: number): boolean =>
  c === OPEN_OBJECT || c === CLOSE_OBJECT || c === OPEN_ARRAY || c === CLOSE_ARRAY || c === COMMA || c === COLON;

/** Whether the octets are whole objects and arrays, one at least. */
export function isJson(b: Uint8Array, off: number, end: number): boolean {
  const open: number[] = [];
  let next: Next = Next.Value;
  for (let at = off; at < end; ) {
    const c = b[at];
    if (isSpace(c)) {
      at++;
      continue;
    }
    if (open.length === 0) {
      if (c !== OPEN_OBJECT && c !== OPEN_ARRAY) return false;
      next = Next.Value;
    }
    if (isStructural(c)) {
      next = behind(c, next, open);
      at++;
    } else if (c === QUOTE && isName(next)) {
      at = stringEnd(b, at, end);
      next = Next.Colon;
    } else if (isValue(next)) {
      at = c === QUOTE ? stringEnd(b, at, end) : wordEnd(b, at, end);
      next = Next.AfterValue;
    } else return false;
    if (at < 0 || next === Next.Nothing) return false;
  }
  return next === Next.AfterValue && open.length === 0;
}
