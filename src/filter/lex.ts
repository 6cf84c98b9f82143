import { FilterError } from './error.js';

/**
 * - `word`: a name, number, address or unquoted text
 * - `string`: `"…"`; `raw`: `r"…"`; `char`: `'…'`: text is what stands between the quotes
 * - `range`: what stands between `[` and `]`, for slices and layers
 * - `op`: a symbol; `end`: the end of the expression
 */
export type TokenKind = 'word' | 'string' | 'raw' | 'char' | 'range' | 'op' | 'end';

/** A word, literal or sign of an expression, with its place for messages about it. Offsets count UTF-16 units. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Place in the expression. */
  readonly at: number;
  readonly length: number;
}

/** Longest first. */
const OPERATORS = [
  ...['===', '!=='],
  ...['==', '!=', '~=', '>=', '<=', '&&', '||', '^^', '..'],
  ...['=', '!', '~', '>', '<', '&', '(', ')', '{', '}', ',', '+', '-', '*', '/', '%', '#', '@', '$'],
];
const WORD = /[\w.:\u0080-\uffff-]/;
const ADDRESS_LIKE = /^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*$/;
const CIDR = /\/\d+/y;
const LONGEST = 65_536;

/** Splits an expression into tokens; the last one is `end`. @throws FilterError */
export function lex(text: string): Token[] {
  if (text.length > LONGEST) throw new FilterError('The filter expression is too long.', text.slice(0, 80), 0, 80);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text[at];
    if (/\s/.test(c)) {
      at++;
      continue;
    }
    const token = next(text, at, c);
    tokens.push(token);
    at += token.length;
  }
  tokens.push({ kind: 'end', text: '', at: text.trimEnd().length, length: 0 });
  return tokens;
}

function next(text: string, at: number, c: string): Token {
  if (c === '"') return quoted(text, at, at, '"', 'string');
  if (c === "'") return quoted(text, at, at, "'", 'char');
  if ((c === 'r' || c === 'R') && text[at + 1] === '"') return quoted(text, at, at + 1, '"', 'raw');
  if (c === '[') return range(text, at);
  if (WORD.test(c) && c !== '-' && !text.startsWith('..', at)) return word(text, at);
  const op = OPERATORS.find((o) => text.startsWith(o, at));
  if (op === undefined) {
    const suggestion = c === '|' ? 'Did you mean ||?' : undefined;
    throw new FilterError(`"${c}" was unexpected in this context.`, text, at, 1, suggestion);
  }
  return { kind: 'op', text: op, at, length: op.length };
}

/** Up to the quote that is not escaped; `open` is where the first quote stands. */
function quoted(text: string, at: number, open: number, quote: string, kind: TokenKind): Token {
  let i = open + 1;
  while (i < text.length && text[i] !== quote) i += text[i] === '\\' ? 2 : 1;
  if (i >= text.length) {
    const what = kind === 'char' ? 'character constant' : 'quoted string';
    throw new FilterError(`The final quote was missing from a ${what}.`, text, text.length, 0);
  }
  return { kind, text: text.slice(open + 1, i), at, length: i + 1 - at };
}

function range(text: string, at: number): Token {
  const end = text.indexOf(']', at);
  if (end < 0) throw new FilterError('The right bracket was missing from a slice.', text, text.length, 0);
  return { kind: 'range', text: text.slice(at + 1, end), at, length: end + 1 - at };
}

function word(text: string, at: number): Token {
  let i = at;
  while (i < text.length && WORD.test(text[i]) && !text.startsWith('..', i)) i++;
  if (ADDRESS_LIKE.test(text.slice(at, i))) {
    CIDR.lastIndex = i;
    const prefix = CIDR.exec(text);
    if (prefix) i += prefix[0].length;
  }
  return { kind: 'word', text: text.slice(at, i), at, length: i - at };
}

const ESCAPES: Readonly<Record<string, number>> = {
  ...{ "'": 39, '"': 34, '\\': 92, a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 },
};
const NUMBERED = /^(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))/;
const utf8 = new TextEncoder();

/**
 * The octets of a quoted string: text as UTF-8, `\xNN` and `\NNN` as one octet each.
 * @param lenient keeps escapes that strings do not know, as `\d` of a regular expression
 */
export function octetsOf(token: Token, expression: string, lenient = false): Uint8Array {
  if (token.kind === 'raw') return utf8.encode(token.text); // backslashes stay, also before a quote
  const out: number[] = [];
  const { text } = token;
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '\\') {
      const ch = String.fromCodePoint(text.codePointAt(i)!);
      out.push(...utf8.encode(ch));
      i += ch.length;
      continue;
    }
    const simple = ESCAPES[text[i + 1]];
    const numbered = simple === undefined ? NUMBERED.exec(text.slice(i + 1, i + 10)) : null;
    if (simple !== undefined) out.push(simple);
    else if (numbered) out.push(...numberedEscape(numbered));
    else if (lenient) out.push(92);
    else badEscape(token, expression, i);
    i += simple !== undefined ? 2 : numbered ? 1 + numbered[0].length : 1;
  }
  return Uint8Array.from(out);
}

function numberedEscape([, hex, u, long, octal]: RegExpExecArray): Iterable<number> {
  if (hex !== undefined) return [Number.parseInt(hex, 16)];
  if (octal !== undefined) return [Number.parseInt(octal, 8) & 0xff];
  const point = Number.parseInt(u ?? long, 16);
  return utf8.encode(point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd');
}

function badEscape(token: Token, expression: string, i: number): never {
  const sequence = token.text.slice(i, i + 2);
  throw new FilterError(
    `${sequence} is not a valid character escape sequence`,
    expression,
    token.at + 1 + i,
    2,
    `A backslash is written as \\\\, or the string as r"…".`,
  );
}
