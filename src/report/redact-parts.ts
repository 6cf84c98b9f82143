import { findOutside, type Parameter, parameter, parseAddress, parseUri } from '../../dissectors/sip/address.js';
import { lineAt, table } from '../kit/index.js';
import type { Draft } from './draft.js';
import { HARMLESS } from './harmless.js';

const QUOTE = 34;
/** Octets that end an element of a list, and a parameter. RFC 3261 §25.1 */
export const COMMA = 44;
export const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;

/**
 * Tells of the part `[off, end)` of a text what may be told: words, URIs, addresses and parameters, of which header fields and
 * descriptions are made (RFC 3261 §25.1, RFC 3966 §3). Each stays as long as it is.
 */
export type Part = (d: Draft, off: number, end: number) => void;

/** Entries of a table for names that all have one kind of value. */
export const by = (names: string, part: Part): [string, Part][] => names.split(/\s+/).map((n) => [n, part]);

/** Calls `take` with what stands between separators that are not in quotes. */
export function eachBetween(
  d: Draft,
  off: number,
  end: number,
  separator: number,
  take: (off: number, end: number) => void,
): void {
  for (let at = off; at < end; ) {
    const stop = findOutside(d.from, at, end, separator);
    take(at, stop);
    at = stop + 1;
  }
}

/** How many digits words of standards have that are no number of anybody's: `hmac-sha-1-96`, `IEEE-802.11`. */
const FEW_DIGITS = 5;
const FEW_NUMBERS = 2;
/** Why a call was diverted, in the URI that it was diverted from (RFC 4458): words and a number. */
const DIVERTED = /^\?reason=(?:sip|q\.850)(?:%3Bcause%3D\d{1,3})?$/i;
/** A user that stands for nobody. RFC 3261 §20.20, RFC 3323 §4.1 */
const NOBODY = /^(?:anonymous|unavailable|unknown)$/i;
const NOWHERE = /^anonymous\.invalid$/i;

/** Nothing is told. */
export const nothing: Part = () => {};

/** Words of standards and single letters stay, and a few digits beside them. */
export const tokens: Part = (d, off, end) => {
  const s = d.text(off, end);
  const numbers = s.match(/\d+/g) ?? [];
  const few = numbers.length <= FEW_NUMBERS && numbers.join('').length <= FEW_DIGITS;
  d.each(off, end, /[a-z0-9\x80-\xff]+/gi, (at, stop, w) => {
    const known = HARMLESS.has(w.toLowerCase()) || /^[a-z]$/i.test(w) || (few && /^\d{1,3}$/.test(w));
    if (known) d.keep(at, stop);
  });
};

/** A number that counts something, of up to 32 bits, with a sign and a fraction. */
export const count: Part = (d, off, end) => keepMatch(d, off, end, /^"?-?\d{1,10}(?:\.\d{0,6})?(?![\d.])/);

/** A port. */
const port: Part = (d, off, end) => keepMatch(d, off, end, /^"?\d{1,5}(?!\d)/);

/** A place in a tree: `1.1.2`. RFC 7044 §10.3 */
const index: Part = (d, off, end) => keepMatch(d, off, end, /^\d{1,2}(?:\.\d{1,2}){0,9}(?![\d.])/);

function keepMatch(d: Draft, off: number, end: number, what: RegExp): void {
  const m = what.exec(d.text(off, end));
  if (m !== null) d.keep(off, off + m[0].length);
}

/** Words of somebody. */
export const words: Part = (d, off, end) => d.put(off, d.names.words(d.text(off, end)));

/** What identifies a call, a message, a challenge: the same for the same. */
export const identifier: Part = (d, off, end) => {
  const quoted = d.from[off] === QUOTE && d.from[end - 1] === QUOTE && end - off >= 2 ? 1 : 0;
  d.put(off + quoted, d.names.callId(d.text(off + quoted, end - quoted)));
};

/** A host with a port or without. */
export const place: Part = (d, off, end) => {
  const s = d.text(off, end);
  if (NOWHERE.test(s)) d.keep(off, end);
  else d.put(off, d.names.place(s, false));
};

/** A telephone number, or another of somebody. */
export const number: Part = (d, off, end) => {
  const s = d.text(off, end);
  d.put(off, /^[+\d().*#-]+$/.test(s) ? d.names.number(s) : d.names.words(s));
};

/** A user with the parameters of a telephone number behind it, and a password. RFC 3261 §19.1.1 */
export const user: Part = (d, off, end) => {
  const semicolon = d.text(off, end).indexOf(';');
  const stop = semicolon < 0 ? end : off + semicolon;
  const s = d.text(off, stop);
  const colon = s.indexOf(':');
  const name = colon < 0 ? s : s.slice(0, colon);
  if (NOBODY.test(name)) d.keep(off, off + name.length);
  else d.put(off, d.names.user(name));
  parameters(d, stop + 1, end);
};

/** `user@host`, or a host. */
export const address: Part = (d, off, end) => {
  const at = d.text(off, end).lastIndexOf('@');
  if (at > 0) user(d, off, off + at);
  place(d, off + at + 1, end);
};

/** A URI; of one whose scheme is not known nothing stays. */
export const uri: Part = (d, off, end) => {
  const colon = d.text(off, end).indexOf(':');
  const scheme = d.text(off, off + Math.max(0, colon)).toLowerCase();
  const rest = off + colon + 1;
  if (!URIS.has(scheme)) return;
  d.keep(off, rest);
  if (scheme === 'sip' || scheme === 'sips') return sip(d, off, end);
  if (scheme === 'urn') return name(d, rest, end);
  if (d.text(rest, rest + 2) === '//') return hierarchy(d, rest + 2, end);
  const query = d.text(rest, end).search(/[;?]/);
  const stop = query < 0 ? end : rest + query;
  if (scheme === 'tel') number(d, rest, stop);
  else address(d, rest, stop);
  parameters(d, stop + 1, end);
};

function sip(d: Draft, off: number, end: number): void {
  const a = parseUri(d.from, off, end);
  const query = d.text(a.hostEnd, end).indexOf('?');
  const stop = query < 0 ? end : a.hostEnd + query;
  if (a.userEnd > a.userOff) user(d, a.userOff, a.userEnd);
  if (a.hostEnd > a.hostOff) place(d, a.hostOff, Math.min(stop, a.hostEnd));
  port(d, a.portOff, a.portEnd);
  if (a.paramsOff < stop) parameters(d, a.paramsOff, stop);
  if (DIVERTED.test(d.text(stop, end))) d.keep(stop, end);
}

/** RFC 8141; a device (RFC 7254), a UUID (RFC 9562), a service (RFC 5031). */
function name(d: Draft, off: number, end: number): void {
  const device = /^(?:gsma|3gpp2?|mei):(?:imei:)?/i.exec(d.text(off, end));
  const uuid = /^uuid:/i.exec(d.text(off, end));
  const at = off + (device ?? uuid ?? [''])[0].length;
  d.keep(off, at);
  const semicolon = d.text(at, end).indexOf(';');
  const stop = semicolon < 0 ? end : at + semicolon;
  if (uuid !== null) d.put(at, d.names.hex(d.text(at, stop)));
  else if (device !== null) number(d, at, stop);
  else tokens(d, at, stop);
  parameters(d, stop + 1, end);
}

/** What follows `//`: authority, path and parameters. RFC 3986 §3 */
function hierarchy(d: Draft, off: number, end: number): void {
  const length = d.text(off, end).search(/[/;?#]/);
  const stop = length < 0 ? end : off + length;
  address(d, off, stop);
  path(d, stop, end);
}

/** A path, whose segments are not told, and parameters. */
export const path: Part = (d, off, end) => {
  const length = d.text(off, end).indexOf(';');
  const stop = length < 0 ? end : off + length;
  d.put(off, d.names.callId(d.text(off, stop)));
  parameters(d, stop + 1, end);
};

/** A URI that may stand between `<` and `>`, in quotes. */
const reference: Part = (d, off, end) => {
  let at = off;
  let stop = end;
  while (at < stop && (d.from[at] === QUOTE || d.from[at] === LESS || d.from[at] <= 32)) at++;
  while (stop > at && (d.from[stop - 1] === QUOTE || d.from[stop - 1] === GREATER || d.from[stop - 1] <= 32)) stop--;
  uri(d, at, stop);
};

/** Addresses with names that are shown and parameters, between commas. */
export const addresses: Part = (d, off, end) => {
  eachBetween(d, off, end, COMMA, (at, stop) => {
    const a = parseAddress(d.from, at, stop);
    if (a === undefined) return;
    if (a.displayEnd > a.displayOff) words(d, a.displayOff, a.displayEnd);
    uri(d, a.uriOff, a.uriEnd);
    parameters(d, findOutside(d.from, a.end, stop, SEMICOLON) + 1, stop);
  });
};

/** URIs between spaces. */
export const references: Part = (d, off, end) => {
  d.each(off, end, /[^\s,]+/g, (at, stop) => reference(d, at, stop));
};

/** Words with parameters, between commas. */
export const list: Part = (d, off, end) => {
  eachBetween(d, off, end, COMMA, (at, stop) => {
    const semicolon = findOutside(d.from, at, stop, SEMICOLON);
    tokens(d, at, semicolon);
    parameters(d, semicolon + 1, stop);
  });
};

/** Parameters between semicolons. */
export const parameters: Part = (d, off, end) => {
  eachBetween(d, off, end, SEMICOLON, (at, stop) => {
    const p = parameter(d.from, at, stop);
    if (p.end > p.off) told(d, p);
  });
};

/** A parameter; of one whose name is not known the value is not told. */
function told(d: Draft, p: Parameter): void {
  const name = d.text(p.off, p.nameEnd).toLowerCase();
  tokens(d, p.off, p.nameEnd);
  if (p.valueOff < p.end) (VALUES[name] ?? tokensOrNothing(name))(d, p.valueOff, p.end);
}

function tokensOrNothing(name: string): Part {
  const isKnown = name
    .split(/[^a-z0-9]+/)
    .every((w) => w === '' || w.length === 1 || HARMLESS.has(w) || /^\d+$/.test(w));
  return isKnown ? tokens : nothing;
}

/** What a digit string of hexadecimal stands for. */
export const hex: Part = (d, off, end) => d.put(off, d.names.hex(d.text(off, end)));

/** Each line by itself. */
export function lines(d: Draft, off: number, end: number, each: Part): void {
  for (let at = off; at < end; ) {
    const line = lineAt(d.from, at, end);
    each(d, at, line.end);
    at = line.next;
  }
}

/** By the name of a parameter: what its value is. Values of all others are words of standards, or are not told. */
const VALUES = table<Part>([
  ...by('tag to-tag from-tag cid id boundary', identifier),
  ...by('maddr received', place),
  ...by('rn cic isub ext npi', number),
  ...by('+sip.instance pub-gruu temp-gruu target-uri', reference),
  ...by(
    `cause duration expires keep limit max-age oc oc-seq oc-validity q refresh reg-id retry-after spi-c spi-s ttl`,
    count,
  ),
  ...by('port-c port-s port1 port2 rport', port),
  ...by('index mp np rc', index),
  [
    'branch',
    (d, off, end) => {
      const cookie = /^z9hG4bK/i.exec(d.text(off, end))?.[0].length ?? 0; // RFC 3261 §8.1.1.7
      d.keep(off, off + cookie);
      identifier(d, off + cookie, end);
    },
  ],
  ['gr', (d, off, end) => (/^urn:/i.test(d.text(off, end)) ? uri : identifier)(d, off, end)],
  ['phone-context', (d, off, end) => (/^\+?[\d.-]+$/.test(d.text(off, end)) ? number : place)(d, off, end)],
  ['text', nothing],
]);

/** Schemes whose URIs are understood. */
const URIS: ReadonlySet<string> = new Set(
  'sip sips tel im pres mailto urn http https msrp msrps ws wss cid mid stun stuns turn turns'.split(' '),
);
