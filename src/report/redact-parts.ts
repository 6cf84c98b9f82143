import { findOutside, type Parameter, parameter, parseAddress, parseUri } from '../../dissectors/sip/address.js';
import { lineAt, table } from '../kit/index.js';
import type { Draft } from './draft.js';
import { HARMLESS } from './harmless.js';
import type { SameLength } from './same-length.js';

const QUOTE = 34;
const COMMA = 44;
const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;

/** Parts of text that header fields and descriptions are made of; each stays as long as it is. */
type Part = (d: Draft, off: number, end: number) => void;

/** How many digits words of standards have that are no number of anybody's: `hmac-sha-1-96`, `IEEE-802.11`. */
const FEW_DIGITS = 5;
const FEW_NUMBERS = 2;
/** Why a call was diverted, in the URI that it was diverted from (RFC 4458): words and a number. */
const DIVERTED = /^\?reason=(?:sip|q\.850)(?:%3Bcause%3D\d{1,3})?$/i;
/** A user that stands for nobody. RFC 3261 §20.20, RFC 3323 §4.1 */
const NOBODY = /^(?:anonymous|unavailable|unknown)$/i;
const NOWHERE = /^anonymous\.invalid$/i;

/** Words, URIs, addresses and parameters: RFC 3261 §25.1, RFC 3966 §3. */
export class Parts {
  constructor(readonly names: SameLength) {}

  /** Words of standards and single letters stay, and a few digits beside them. */
  readonly tokens: Part = (d, off, end) => {
    const s = d.text(off, end);
    const numbers = s.match(/\d+/g) ?? [];
    const few = numbers.length <= FEW_NUMBERS && numbers.join('').length <= FEW_DIGITS;
    for (const m of s.matchAll(/[a-z0-9\x80-\xff]+/gi)) {
      const [w] = m;
      const known = HARMLESS.has(w.toLowerCase()) || /^[a-z]$/i.test(w) || (few && /^\d{1,3}$/.test(w));
      if (known) d.keep(off + m.index, off + m.index + w.length);
    }
  };

  /** A number that counts something, of up to 32 bits, with a sign and a fraction. */
  readonly count: Part = (d, off, end) => this.keepMatch(d, off, end, /^"?-?\d{1,10}(?:\.\d{0,6})?(?![\d.])/);

  /** A port. */
  readonly port: Part = (d, off, end) => this.keepMatch(d, off, end, /^"?\d{1,5}(?!\d)/);

  /** A place in a tree: `1.1.2`. RFC 7044 §10.3 */
  readonly index: Part = (d, off, end) => this.keepMatch(d, off, end, /^\d{1,2}(?:\.\d{1,2}){0,9}(?![\d.])/);

  private keepMatch(d: Draft, off: number, end: number, what: RegExp): void {
    const m = what.exec(d.text(off, end));
    if (m !== null) d.keep(off, off + m[0].length);
  }

  /** Words of somebody. */
  readonly words: Part = (d, off, end) => d.put(off, this.names.words(d.text(off, end)));

  /** What identifies a call, a message, a challenge: the same for the same. */
  readonly identifier: Part = (d, off, end) => {
    const quoted = d.from[off] === QUOTE && d.from[end - 1] === QUOTE && end - off >= 2 ? 1 : 0;
    d.put(off + quoted, this.names.callId(d.text(off + quoted, end - quoted)));
  };

  /** A host with a port or without. */
  readonly place: Part = (d, off, end) => {
    const s = d.text(off, end);
    if (NOWHERE.test(s)) d.keep(off, end);
    else d.put(off, this.names.place(s, false));
  };

  /** A telephone number, or another of somebody. */
  readonly number: Part = (d, off, end) => {
    const s = d.text(off, end);
    d.put(off, /^[+\d().*#-]+$/.test(s) ? this.names.number(s) : this.names.words(s));
  };

  /** A user with the parameters of a telephone number behind it, and a password. RFC 3261 §19.1.1 */
  readonly user: Part = (d, off, end) => {
    const semicolon = d.text(off, end).indexOf(';');
    const stop = semicolon < 0 ? end : off + semicolon;
    const s = d.text(off, stop);
    const colon = s.indexOf(':');
    const name = colon < 0 ? s : s.slice(0, colon);
    if (NOBODY.test(name)) d.keep(off, off + name.length);
    else d.put(off, this.names.user(name));
    this.parameters(d, stop + 1, end);
  };

  /** `user@host`, or a host. */
  readonly address: Part = (d, off, end) => {
    const at = d.text(off, end).lastIndexOf('@');
    if (at > 0) this.user(d, off, off + at);
    this.place(d, off + at + 1, end);
  };

  /** A URI; of one whose scheme is not known nothing stays. */
  readonly uri: Part = (d, off, end) => {
    const colon = d.text(off, end).indexOf(':');
    const scheme = d.text(off, off + Math.max(0, colon)).toLowerCase();
    const rest = off + colon + 1;
    if (!URIS.has(scheme)) return;
    d.keep(off, rest);
    if (scheme === 'sip' || scheme === 'sips') return this.sip(d, off, end);
    if (scheme === 'urn') return this.name(d, rest, end);
    if (d.text(rest, rest + 2) === '//') return this.hierarchy(d, rest + 2, end);
    const query = d.text(rest, end).search(/[;?]/);
    const stop = query < 0 ? end : rest + query;
    if (scheme === 'tel') this.number(d, rest, stop);
    else this.address(d, rest, stop);
    this.parameters(d, stop + 1, end);
  };

  private sip(d: Draft, off: number, end: number): void {
    const a = parseUri(d.from, off, end);
    const query = d.text(a.hostEnd, end).indexOf('?');
    const stop = query < 0 ? end : a.hostEnd + query;
    if (a.userEnd > a.userOff) this.user(d, a.userOff, a.userEnd);
    if (a.hostEnd > a.hostOff) this.place(d, a.hostOff, Math.min(stop, a.hostEnd));
    this.port(d, a.portOff, a.portEnd);
    if (a.paramsOff < stop) this.parameters(d, a.paramsOff, stop);
    if (DIVERTED.test(d.text(stop, end))) d.keep(stop, end);
  }

  /** RFC 8141; a device (RFC 7254), a UUID (RFC 9562), a service (RFC 5031). */
  private name(d: Draft, off: number, end: number): void {
    const device = /^(?:gsma|3gpp2?|mei):(?:imei:)?/i.exec(d.text(off, end));
    const uuid = /^uuid:/i.exec(d.text(off, end));
    const at = off + (device ?? uuid ?? [''])[0].length;
    d.keep(off, at);
    const semicolon = d.text(at, end).indexOf(';');
    const stop = semicolon < 0 ? end : at + semicolon;
    if (uuid !== null) d.put(at, this.names.hex(d.text(at, stop)));
    else if (device !== null) this.number(d, at, stop);
    else this.tokens(d, at, stop);
    this.parameters(d, stop + 1, end);
  }

  /** What follows `//`: authority, path and parameters. RFC 3986 §3 */
  private hierarchy(d: Draft, off: number, end: number): void {
    const length = d.text(off, end).search(/[/;?#]/);
    const stop = length < 0 ? end : off + length;
    this.address(d, off, stop);
    this.path(d, stop, end);
  }

  /** A path, whose segments are not told, and parameters. */
  readonly path: Part = (d, off, end) => {
    const length = d.text(off, end).indexOf(';');
    const stop = length < 0 ? end : off + length;
    d.put(off, this.names.callId(d.text(off, stop)));
    this.parameters(d, stop + 1, end);
  };

  /** A URI that may stand between `<` and `>`, in quotes. */
  readonly reference: Part = (d, off, end) => {
    let at = off;
    let stop = end;
    while (at < stop && (d.from[at] === QUOTE || d.from[at] === LESS || d.from[at] <= 32)) at++;
    while (stop > at && (d.from[stop - 1] === QUOTE || d.from[stop - 1] === GREATER || d.from[stop - 1] <= 32)) stop--;
    this.uri(d, at, stop);
  };

  /** Addresses with names that are shown and parameters, between commas. */
  readonly addresses: Part = (d, off, end) => {
    for (let i = off; i < end; ) {
      const stop = findOutside(d.from, i, end, COMMA);
      const a = parseAddress(d.from, i, stop);
      if (a !== undefined) {
        if (a.displayEnd > a.displayOff) this.words(d, a.displayOff, a.displayEnd);
        this.uri(d, a.uriOff, a.uriEnd);
        this.parameters(d, findOutside(d.from, a.end, stop, SEMICOLON) + 1, stop);
      }
      i = stop + 1;
    }
  };

  /** URIs between spaces. */
  readonly references: Part = (d, off, end) => {
    for (const m of d.text(off, end).matchAll(/[^\s,]+/g))
      this.reference(d, off + m.index, off + m.index + m[0].length);
  };

  /** Words with parameters, between commas. */
  readonly list: Part = (d, off, end) => {
    for (let i = off; i < end; ) {
      const stop = findOutside(d.from, i, end, COMMA);
      const semicolon = findOutside(d.from, i, stop, SEMICOLON);
      this.tokens(d, i, semicolon);
      this.parameters(d, semicolon + 1, stop);
      i = stop + 1;
    }
  };

  /** Parameters between semicolons. */
  readonly parameters: Part = (d, off, end) => {
    for (let i = off; i < end; ) {
      const stop = findOutside(d.from, i, end, SEMICOLON);
      const p = parameter(d.from, i, stop);
      if (p.end > p.off) this.parameter(d, p);
      i = stop + 1;
    }
  };

  /** A parameter; of one whose name is not known the value is not told. */
  parameter(d: Draft, p: Parameter): void {
    const name = d.text(p.off, p.nameEnd).toLowerCase();
    this.tokens(d, p.off, p.nameEnd);
    if (p.valueOff < p.end) (VALUES[name] ?? this.tokensOrNothing(name))(this, d, p.valueOff, p.end);
  }

  private tokensOrNothing(name: string): Value {
    const isKnown = name
      .split(/[^a-z0-9]+/)
      .every((w) => w === '' || w.length === 1 || HARMLESS.has(w) || /^\d+$/.test(w));
    return isKnown ? tokens : nothing;
  }

  /** What a digit string of hexadecimal stands for. */
  readonly hex: Part = (d, off, end) => d.put(off, this.names.hex(d.text(off, end)));

  /** Each line by itself. */
  lines(d: Draft, off: number, end: number, each: Part): void {
    for (let at = off; at < end; ) {
      const line = lineAt(d.from, at, end);
      each(d, at, line.end);
      at = line.next;
    }
  }
}

type Value = (p: Parts, d: Draft, off: number, end: number) => void;
const tokens: Value = (p, d, off, end) => p.tokens(d, off, end);
const nothing: Value = () => {};
const count: Value = (p, d, off, end) => p.count(d, off, end);
const port: Value = (p, d, off, end) => p.port(d, off, end);
const index: Value = (p, d, off, end) => p.index(d, off, end);
const place: Value = (p, d, off, end) => p.place(d, off, end);
const number: Value = (p, d, off, end) => p.number(d, off, end);
const identifier: Value = (p, d, off, end) => p.identifier(d, off, end);
const reference: Value = (p, d, off, end) => p.reference(d, off, end);

/** By the name of a parameter: what its value is. Values of all others are words of standards, or are not told. */
const VALUES = table<Value>({
  ...Object.fromEntries(['tag', 'to-tag', 'from-tag', 'cid', 'id', 'boundary'].map((n) => [n, identifier])),
  ...Object.fromEntries(['maddr', 'received'].map((n) => [n, place])),
  ...Object.fromEntries(['rn', 'cic', 'isub', 'ext', 'npi'].map((n) => [n, number])),
  ...Object.fromEntries(['+sip.instance', 'pub-gruu', 'temp-gruu', 'target-uri'].map((n) => [n, reference])),
  ...Object.fromEntries(
    'cause duration expires keep limit max-age oc oc-seq oc-validity q refresh reg-id retry-after spi-c spi-s ttl'
      .split(' ')
      .map((n) => [n, count]),
  ),
  ...Object.fromEntries(['port-c', 'port-s', 'port1', 'port2', 'rport'].map((n) => [n, port])),
  ...Object.fromEntries(['index', 'mp', 'np', 'rc'].map((n) => [n, index])),
  branch: (p, d, off, end) => {
    const cookie = /^z9hG4bK/i.exec(d.text(off, end))?.[0].length ?? 0; // RFC 3261 §8.1.1.7
    d.keep(off, off + cookie);
    p.identifier(d, off + cookie, end);
  },
  gr: (p, d, off, end) => (/^urn:/i.test(d.text(off, end)) ? p.uri(d, off, end) : p.identifier(d, off, end)),
  'phone-context': (p, d, off, end) =>
    /^\+?[\d.-]+$/.test(d.text(off, end)) ? p.number(d, off, end) : p.place(d, off, end),
  text: nothing,
});

/** Schemes whose URIs are understood. */
const URIS: ReadonlySet<string> = new Set(
  'sip sips tel im pres mailto urn http https msrp msrps ws wss cid mid stun stuns turn turns'.split(' '),
);
