import { find, isSpace, skipSpace, type Tree } from 'fttscope/kit';
import { showE164 } from '../e164.js';
import { type AddressFields, F } from './fields.js';
import { isDigit, trimEnd } from './message.js';
import { equalsName } from './names.js';

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;
const EQUALS = 61;
const COLON = 58;
const AT = 64;
const QUESTION = 63;
const PLUS = 43;

/** One past the quoted string that starts at `off`; `end` where its closing quote is missing. RFC 3261 §25.1. */
export function quotedEnd(b: Uint8Array, off: number, end: number): number {
  for (let i = off + 1; i < end; i++) {
    if (b[i] === BACKSLASH) i++;
    else if (b[i] === QUOTE) return i + 1;
  }
  return end;
}

/** First offset of `stop` outside quoted strings, which a quote after a backslash does not begin; `end` if there is none. */
export function findOutside(b: Uint8Array, off: number, end: number, stop: number): number {
  let i = off;
  while (i < end && b[i] !== stop)
    i = b[i] === QUOTE && (i === off || b[i - 1] !== BACKSLASH) ? quotedEnd(b, i, end) : i + 1;
  return i;
}

/** One `name=value` of a list: ranges into the buffer. */
export interface Parameter {
  /** First octet of the name. */
  off: number;
  nameEnd: number;
  /** First octet of the value; equal to `nameEnd` where there is no `=`. */
  valueOff: number;
  /** One past the value, without space. */
  end: number;
  /** One past the parameter with the space that follows it: where its separator stands. */
  stop: number;
}

/** Reads the parameter that starts at `off` and ends before `stop`. */
export function parameter(b: Uint8Array, off: number, stop: number): Parameter {
  const at = skipSpace(b, off, stop);
  const end = trimEnd(b, at, stop);
  const equals = findOutside(b, at, end, EQUALS);
  const nameEnd = trimEnd(b, at, equals);
  const valueOff = equals < end ? skipSpace(b, equals + 1, end) : nameEnd;
  return { off: at, nameEnd, valueOff, end: equals < end ? end : nameEnd, stop };
}

/** A name-addr or addr-spec, RFC 3261 §25.1: ranges into the buffer, empty where a part is missing. */
export interface SipAddress {
  displayOff: number;
  displayEnd: number;
  uriOff: number;
  uriEnd: number;
  /** One past the address: where its header parameters begin. */
  end: number;
  userOff: number;
  userEnd: number;
  hostOff: number;
  hostEnd: number;
  portOff: number;
  portEnd: number;
  /** First octet of the parameters of the URI, after the first `;`. */
  paramsOff: number;
}

/**
 * What is known of the rest of a list whose addresses are read one after the other. Without it each of many commas would
 * have all that follows looked through.
 */
export class ListAhead {
  readonly lastLess: number;
  readonly lastGreater: number;
  /** Up to here no address has a `<`. */
  bareTo = -1;

  constructor(b: Uint8Array, off: number, end: number) {
    this.lastLess = lastOf(b, off, end, LESS);
    this.lastGreater = lastOf(b, off, end, GREATER);
  }
}

function lastOf(b: Uint8Array, off: number, end: number, octet: number): number {
  let i = end - 1;
  while (i >= off && b[i] !== octet) i--;
  return i;
}

/** Reads the address at `off`; undefined where there is none that has a scheme. */
export function parseAddress(b: Uint8Array, off: number, end: number, ahead?: ListAhead): SipAddress | undefined {
  const displayOff = skipSpace(b, off, end);
  if (displayOff === end) return undefined;
  const quoted = b[displayOff] === QUOTE;
  const afterQuote = quoted ? quotedEnd(b, displayOff, end) : displayOff;
  const less = opening(b, afterQuote, end, ahead);
  if (less < 0) return quoted ? undefined : bareAddress(b, displayOff, end);
  if (ahead !== undefined && less > ahead.lastGreater) return undefined;
  const greater = find(b, GREATER, less + 1, end);
  if (greater === end) return undefined;
  const a = blank(displayOff, quoted ? afterQuote : less, skipSpace(b, less + 1, greater), greater, greater + 1);
  splitUri(b, a);
  return a;
}

/**
 * The `<` of the address that starts at `off`, -1 where it has none. A display name may hold commas and semicolons, which
 * should stand in quotes and often do not; behind a colon they end a bare URI.
 */
function opening(b: Uint8Array, off: number, end: number, ahead: ListAhead | undefined): number {
  if (ahead !== undefined && (off > ahead.lastLess || off <= ahead.bareTo)) return -1;
  let colon = -1;
  for (let i = off; i < end; i++) {
    if (b[i] === LESS) return i;
    if (b[i] === COLON) colon = colon < 0 ? i : colon;
    else if (colon >= 0 && (b[i] === COMMA || b[i] === SEMICOLON)) {
      if (ahead !== undefined) ahead.bareTo = colon;
      return -1;
    }
  }
  return -1;
}

/** An address without `<` and `>`: what follows its first `;` belongs to the header. RFC 3261 §20.10. */
function bareAddress(b: Uint8Array, off: number, end: number): SipAddress | undefined {
  let stop = off;
  let colon = false;
  while (stop < end && b[stop] !== SEMICOLON && b[stop] !== COMMA && b[stop] !== QUESTION && !isSpace(b[stop]))
    if (b[stop++] === COLON) colon = true;
  if (!colon) return undefined;
  const a = blank(off, off, off, stop, stop);
  splitUri(b, a);
  return a;
}

/** The address whose URI is `[off, end)`, parameters included, as a Request-URI is. */
export function parseUri(b: Uint8Array, off: number, end: number): SipAddress {
  const a = blank(off, off, off, end, end);
  splitUri(b, a);
  return a;
}

/**
 * A URI without its parameters, which another may tell in another order, or not at all; for comparing. The user of a sip or
 * sips URI counts with its case, and a `;` in it is its own; what need not be escaped is the same escaped. RFC 3261 §19.1.4
 */
export function bareUri(uri: string): string {
  const [head = '', scheme = '', user = ''] = /^(sips?:)([^@]*@)/is.exec(uri) ?? [];
  return (
    scheme.toLowerCase() +
    unescaped(user) +
    uri
      .slice(head.length)
      .replace(/[;?].*$/s, '')
      .toLowerCase()
  );
}

const UNRESERVED = /^[\w\-.!~*'()]$/;
const unescaped = (user: string): string =>
  user.replace(/%[0-9a-f]{2}/gi, (octet) => {
    const c = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
    return UNRESERVED.test(c) ? c : octet.toUpperCase();
  });

const blank = (displayOff: number, displayEnd: number, uriOff: number, uriEnd: number, end: number): SipAddress => ({
  displayOff,
  displayEnd,
  uriOff,
  uriEnd,
  end,
  userOff: uriOff,
  userEnd: uriOff,
  hostOff: uriOff,
  hostEnd: uriOff,
  portOff: uriOff,
  portEnd: uriOff,
  paramsOff: uriEnd,
});

/** Finds user, host, port and parameters of a sip or sips URI; leaves them empty for other schemes. RFC 3261 §19.1.1. */
function splitUri(b: Uint8Array, a: SipAddress): void {
  const { uriOff, uriEnd } = a;
  let i = find(b, COLON, uriOff, uriEnd);
  if (!equalsName(b, uriOff, i, 'sip') && !equalsName(b, uriOff, i, 'sips')) return;
  a.hostOff = Math.min(i + 1, uriEnd);
  for (let at = a.hostOff; at < uriEnd; at++)
    if (b[at] === AT) {
      a.userOff = a.hostOff;
      a.userEnd = at;
      a.hostOff = at + 1;
      break;
    }
  i = a.hostOff;
  if (b[i] === 91) i = find(b, 93, i, uriEnd); // [IPv6]
  while (i < uriEnd && b[i] !== COLON && b[i] !== SEMICOLON && b[i] !== QUESTION && b[i] !== GREATER && !isSpace(b[i]))
    i++;
  a.hostEnd = i;
  a.portOff = a.portEnd = i;
  if (i < uriEnd && b[i] === COLON) {
    a.portOff = ++i;
    while (i < uriEnd && isDigit(b[i])) i++;
    a.portEnd = i;
  }
  if (i < uriEnd && b[i] === SEMICOLON) a.paramsOff = i + 1;
}

/** Adds the nodes of an address, its URI's parts as children. */
export function showAddress(t: Tree, b: Uint8Array, a: SipAddress, f: AddressFields): void {
  if (a.displayEnd > a.displayOff) {
    t.text(f.display, a.displayOff, a.displayEnd - a.displayOff);
    t.text(F.displayInfo, a.displayOff, a.displayEnd - a.displayOff);
  }
  t.text(f.uri, a.uriOff, a.uriEnd - a.uriOff);
  t.push();
  if (a.userEnd > a.userOff) {
    t.text(f.user, a.userOff, a.userEnd - a.userOff);
    if (b[a.userOff] === PLUS && a.userEnd > a.userOff + 1) {
      t.push();
      showE164(t, b, a.userOff + 1, a.userEnd);
      t.pop();
    }
  }
  if (a.hostEnd > a.hostOff) t.text(f.host, a.hostOff, a.hostEnd - a.hostOff);
  if (a.portEnd > a.portOff) t.text(f.port, a.portOff, a.portEnd - a.portOff);
  for (let i = a.paramsOff; i < a.uriEnd; ) {
    const stop = findOutside(b, i, a.uriEnd, SEMICOLON);
    if (stop > i) t.text(f.param, i, stop - i);
    i = stop + 1;
  }
  t.pop();
}
