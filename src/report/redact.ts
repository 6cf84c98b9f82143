/**
 * Pseudonyms for what tells who and where somebody is: the same for the same, in the order of appearance, so that the
 * same input gives the same output. Addresses of one subnet stay in one subnet.
 */

import { alternativeOf, failureOf, meaningOf, phraseOf, withHosts } from './redact-words.js';

/** What is read as text by people and machines alike, and tells nothing about anybody. */
const HARMLESS: ReadonlySet<string> = new Set(
  `schema iso epoch row rows responseRow code title clause next cipher version format kind state how by basis
  method algorithm mechanism xid ssrc codec severity confidence step direction transport accessType role stage verdict source
  outcome level bySeverity byState record`.split(/\s+/),
);
/** Left out altogether: secrets, and what links to them. */
const SECRET: ReadonlySet<string> = new Set([
  'clientRandom',
  'rand',
  'autn',
  'mac',
  'sqnXorAk',
  'amf',
  'dtmf',
  'res',
  'ck',
  'ik',
]);

/** Lists whose members are named by a host. */
const HOSTS: ReadonlySet<string> = new Set(['eftf', 'attempts', 'portals']);
/** What a device calls itself where that says nothing: a UUID, or an IMEI. RFC 5626 §4.1, RFC 7254 */
const INSTANCE = /^"?<?urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|gsma:imei:[\d-]+(?:;[\w=-]+)*)>?"?$/i;

/** What is looked for in a text, in this order, once from left to right: what was replaced is not looked at again. */
const TOKENS = {
  uuid: /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/,
  secret: /\b(?:[0-9a-f]{2}:){7,}[0-9a-f]{2}\b|\b[0-9a-f]{24,}\b/,
  uri: /\b(?:sips?|tel|im|pres|mailto):[^\s<>"',?]+/,
  // Bounded, so that long texts of strangers take no longer than they are long.
  address: /[^\s<>"'=:;,()@/]{1,256}@[\p{L}\p{M}\p{N}\x80-\xff_.[\]:-]+/u,
  /** What stands before an address to be read by people. RFC 3261 §25.1 */
  displayName:
    /"(?:[^"\\]|\\.){1,256}"(?=\s*<)|(?<=^|[,:]\s?)(?:[\p{L}\p{M}\p{N}.!%*_+`'~-]{1,64}[ \t]+){1,6}(?=<(?:sips?|tel|im|pres):)/u,
  mac: /\b[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5}|[0-9a-f]{2}(?:\.[0-9a-f]{4}){2})\b/,
  ipv6: /(?<![\w:.])(?=[0-9a-f:.]*:[0-9a-f:.]*:)[0-9a-f:]+(?:\d+\.\d+\.\d+\.\d+)?(?![\w:]|\.\d)/,
  ipv4: /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)/,
  /** Also of letters beyond ASCII, as Unicode, as octets of UTF-8, and as they are in the DNS (RFC 5891 §4.4: xn--). */
  host: /(?<![\w\p{L}\p{M}\x80-\xff.@+-])(?:[\p{L}\p{M}\p{N}\x80-\xff_](?:[\p{L}\p{M}\p{N}\x80-\xff_-]*[\p{L}\p{M}\p{N}\x80-\xff])?\.)+(?:xn--[a-z0-9-]+|[\p{L}\p{M}\x80-\xff]{2,})(?![\w\p{L}\x80-\xff-])/u,
  number: /\+?\d(?:[\d-]{5,}\d)/,
} as const;
export type Token = keyof typeof TOKENS;

const ANY = new RegExp(
  Object.entries(TOKENS)
    .map(([name, r]) => `(?<${name}>${r.source})`)
    .join('|'),
  'giu',
);

/** Puts something else in the place of what tells who and where somebody is. */
export const replaceTokens = (s: string, replace: (name: Token, found: string) => string): string =>
  s.replace(ANY, (...m) => {
    const groups = Object.entries(m[m.length - 1] as Record<Token, string | undefined>);
    const [name, found] = groups.find(([, v]) => v !== undefined)!;
    return replace(name as Token, found!);
  });

/** Header fields in a SIP URI, which name other calls. RFC 3261 §19.1.1 */
const QUERY = /(\bsips?:[^\s<>"',?]+)\?[^\s<>"']+/gi;

/** Numbers things in the order in which they appear. */
class Numbered {
  private readonly known = new Map<string, number>();

  of(what: string): number {
    let n = this.known.get(what);
    if (n === undefined) this.known.set(what, (n = this.known.size + 1));
    return n;
  }
}

/** The pseudonyms of one run. */
export class Pseudonyms {
  private readonly users = new Numbered();
  private readonly numbers = new Numbered();
  private readonly hosts = new Numbered();
  private readonly calls = new Numbered();
  private readonly files = new Numbered();
  private readonly uids = new Numbered();
  private readonly macs = new Numbered();
  private readonly uuids = new Numbered();
  private readonly names = new Numbered();
  private readonly agents = new Numbered();
  private readonly nets = new Numbered();
  private readonly inNet = new Map<string, Numbered>();

  /** A value of a report with pseudonyms in its strings, and without secrets. */
  value(v: unknown, key = ''): unknown {
    if (typeof v === 'string') return this.string(v, key);
    if (typeof v !== 'object' || v === null) return v;
    if (isSeries(v)) return Array.from(v, (x) => this.value(x, key));
    const out: Record<string, unknown> = {};
    for (const name of Object.keys(v)) {
      const member = (v as Record<string, unknown>)[name];
      if (!SECRET.has(name) && member !== undefined)
        out[name] =
          (typeof member === 'string' ? this.free(member, name, v, key) : undefined) ?? this.value(member, name);
    }
    return out;
  }

  /**
   * A member that may hold what others wrote freely, without that; undefined: it is none. What it is, the members beside it
   * and the list that it is in tell.
   */
  private free(
    s: string,
    name: string,
    beside: { status?: unknown; code?: unknown },
    list: string,
  ): string | undefined {
    const { status, code } = beside;
    if (name === 'reason' && list === 'failure') return this.text(failureOf(s));
    if (name === 'reason' && typeof status === 'number') return phraseOf(s, status);
    if (name === 'meaning' && typeof code === 'string')
      return withHosts(this.text(meaningOf(s, code)), (host) => this.oneLabel(host));
    if (list === 'alternative') return alternativeOf(s);
    if (name === 'name' && list === 'files') return this.fileName(s);
    if (name === 'address' || name === 'target' || name === 'sni' || (name === 'name' && HOSTS.has(list)))
      return this.place(s);
    return undefined;
  }

  /** A host of one label, which no text shows to be one; others were found. */
  private oneLabel(s: string): string {
    return /[.[]|::/.test(s) ? s : this.place(s);
  }

  private string(s: string, key: string): string {
    if (HARMLESS.has(key)) return s;
    switch (key) {
      case 'uid':
        return this.uids.of(s).toString(16).padStart(16, '0');
      case 'callId':
      case 'replaces':
        return `call-${this.calls.of(s)}`;
      case 'userAgent':
        return `agent ${this.agents.of(s)}`;
      case 'instanceId':
        return INSTANCE.test(s) ? this.text(s) : this.user(s);
      case 'event':
      case 'contentType':
        return s.split(';')[0];
      case 'user':
        return s.includes(':') || s.includes('@') ? this.text(s) : this.user(s);
      case 'subject':
      case 'issuer':
        return s.replace(/=([^,]+)/g, (_, name: string) => `=${this.host(name.trim())}`);
      default:
        return this.text(s);
    }
  }

  private fileName(s: string): string {
    const ending = /(\.(?:pcap|pcapng|cap|dmp|gz|ntar|snoop)+)+$/i.exec(s);
    return `capture-${this.files.of(s)}${ending?.[0] ?? ''}`;
  }

  /** Any text: addresses, users, numbers and names in it. */
  text(s: string): string {
    return replaceTokens(s.replace(QUERY, '$1?…'), (name, found) => this.token(name, found));
  }

  private token(name: Token, found: string): string {
    switch (name) {
      case 'secret':
        return '…';
      case 'uri': {
        const colon = found.indexOf(':') + 1;
        return found.slice(0, colon) + this.uri(found.slice(colon));
      }
      case 'address':
        return this.uri(found);
      case 'displayName':
        return found.startsWith('"') ? `"${this.words(found.slice(1, -1))}"` : `${this.words(found.trim())} `;
      default:
        return this[name](found);
    }
  }

  /** What follows the scheme of a URI: user, host, parameters. */
  private uri(rest: string): string {
    const [main, ...parameters] = rest.split(';');
    const at = main.lastIndexOf('@');
    const user = at < 0 ? '' : `${this.user(main.slice(0, at))}@`;
    const place = at < 0 ? main : main.slice(at + 1);
    const where =
      at < 0 && /^\+?[\d().-]+$/.test(place) && !IPV4_ALONE.test(place) ? this.number(place) : this.place(place);
    return [
      `${user}${where}`,
      ...parameters.map((p) => p.replace(/=(.*)$/, (_, v: string) => `=${this.text(v)}`)),
    ].join(';');
  }

  private place(s: string): string {
    const m = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(s);
    if (m === null) return this.ipv6(s);
    const [, host, port = ''] = m;
    if (host.startsWith('[')) return `[${this.ipv6(host.slice(1, -1).replace(/%.*/, ''))}]${port}`;
    return `${IPV4_ALONE.test(host) ? this.ipv4(host) : this.host(host)}${port}`;
  }

  private words(s: string): string {
    return `name${this.names.of(s)}`;
  }

  private user(s: string): string {
    return /^\+?[\d-]{5,}$/.test(s) ? this.number(s) : `u${this.users.of(s)}`;
  }

  /** A number of as many digits, so that an IMSI still looks like one. */
  private number(s: string): string {
    const digits = s.replace(/\D/g, '');
    const n = String(this.numbers.of(digits));
    return `${s.startsWith('+') ? '+' : ''}${`99900${n.padStart(Math.max(n.length, digits.length - 5), '0')}`}`;
  }

  private host(s: string): string {
    if (s === '' || !/[\p{L}]/u.test(s)) return s;
    return `host${this.hosts.of(s.toLowerCase())}.example`;
  }

  private uuid(s: string): string {
    return `00000000-0000-0000-0000-${this.uuids.of(s.toLowerCase()).toString(16).padStart(12, '0')}`;
  }

  private mac(s: string): string {
    const first = Number.parseInt(s.slice(0, 2), 16);
    if ((first & 1) !== 0) return s; // a group of receivers
    const n = this.macs.of(s.toLowerCase().replace(/[:.-]/g, ''));
    return macLike(s, `020000${(n & 0xff_ffff).toString(16).padStart(6, '0')}`);
  }

  private ipv4(s: string): string {
    const [a, b] = s.split('.').map(Number);
    if (s.split('.').some((x) => Number(x) > 255)) return s;
    if (a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254)) return s;
    const [net, host] = this.inside(s.slice(0, s.lastIndexOf('.')), s.slice(s.lastIndexOf('.') + 1));
    return `10.${(net >> 8) & 255}.${net & 255}.${host}`;
  }

  private ipv6(s: string): string {
    const groups = expanded(s);
    if (groups === undefined) return s;
    const [first] = groups;
    if (groups.every((g, i) => g === 0 || (i === 7 && g === 1)) || first >> 8 === 0xff) return s;
    const rest = groups.slice(4).join(':');
    const [net, host] = this.inside(first === 0xfe80 ? 'fe80' : groups.slice(0, 4).join(':'), rest, rest === '0:0:0:0');
    const tail = host === 0 ? '' : host.toString(16);
    if (first === 0xfe80) return `fe80::${tail}`;
    return `2001:db8:${(net >> 16).toString(16)}:${(net & 0xffff).toString(16)}::${tail}`;
  }

  /** Numbers of a subnet and of an address in it; 0 is the subnet itself. */
  private inside(net: string, host: string, isNet = false): [number, number] {
    let hosts = this.inNet.get(net);
    if (hosts === undefined) this.inNet.set(net, (hosts = new Numbered()));
    return [this.nets.of(net), isNet ? 0 : hosts.of(host)];
  }
}

/** Twelve digits of a hardware address, written with the marks of another. */
export function macLike(s: string, digits: string): string {
  let i = 0;
  return s.replace(/[0-9a-f]/gi, () => digits[i++]);
}

const IPV4_ALONE = /^\d{1,3}(?:\.\d{1,3}){3}$/;

const isSeries = (v: object): v is Iterable<unknown> => Symbol.iterator in v;

/** The eight groups of an IPv6 address; undefined for what is none. */
function expanded(s: string): number[] | undefined {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(s);
  if (dotted !== null) {
    const [, before, ...octets] = dotted;
    const [a, b, c, d] = octets.map(Number);
    return expanded(`${before}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`);
  }
  const halves = s.split('::');
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map((h) => (h === '' ? [] : h.split(':')));
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...left, ...Array<string>(right === undefined ? 0 : missing).fill('0'), ...(right ?? [])];
  return all.every((g) => /^[0-9a-f]{1,4}$/i.test(g)) ? all.map((g) => Number.parseInt(g, 16)) : undefined;
}
