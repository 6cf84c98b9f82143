/**
 * Pseudonyms for what tells who and where somebody is: the same for the same, in the order of appearance, so that the
 * same input gives the same output. Addresses of one subnet stay in one subnet.
 */

import { ATTRIBUTES } from '../../dissectors/tls/oids.js';
import { ip6Groups, type Quoted, type Tell } from '../kit/index.js';
import { ENCODINGS, isStandard } from '../model/standard-words.js';
import type { Holds } from './holds.js';

/** In the place of what is left out. */
const GONE = '…';
/** Types of attributes in a distinguished name. */
const ATTRIBUTE_TYPES: ReadonlySet<string> = new Set(Object.values(ATTRIBUTES));
/** What a device calls itself where that says nothing: a UUID, or an IMEI. RFC 5626 §4.1, RFC 7254 */
const INSTANCE = /^"?<?urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|gsma:imei:[\d-]+(?:;[\w=-]+)*)>?"?$/i;

/** Parameters of URIs (RFC 3261 §19.1.1, RFC 3966 §3, RFC 5626 §11.3, RFC 5627 §5) and words that they have for values. */
const PARAMETERS: ReadonlySet<string> = new Set(
  `aai bnc cause comp cpc ext gr isub lr maddr method ob orig phone-context sigcomp-id sos target transport ttl user
  verstat`.split(/\s+/),
);
const VALUES: ReadonlySet<string> = new Set(
  'dialstring ip invite message phone register sctp sigcomp subscribe tcp tls udp ws wss'.split(' '),
);

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
/** What a word of a text was taken for. */
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
  private readonly tags = new Numbered();
  private readonly nets = new Numbered();
  private readonly inNet = new Map<string, Numbered>();

  /** Tells a sentence with pseudonyms in the place of what it quotes. */
  readonly tell: Tell = (words) => words.told((q) => this.quoted(q));

  private quoted({ kind, said }: Quoted): string {
    switch (kind) {
      case 'host':
        return this.place(said);
      case 'address':
      case 'line':
        return this.text(said);
      case 'uri':
        return this.reference(said);
      case 'issuer':
        return this.issuer(said);
      case 'file':
        return this.fileName(said);
      case 'free':
        return GONE;
    }
  }

  /**
   * A string of a report, by what it holds; undefined: it is a secret.
   * @param status of the response whose reason phrase it may be
   */
  string(s: string, holds: Holds, status: number): string | undefined {
    if (typeof holds !== 'string') return holds.has(s.toLowerCase()) ? s : GONE;
    switch (holds) {
      case 'ours':
        return s;
      case 'secret':
        return undefined;
      case 'phrase':
        return isStandard(s, status) ? s : GONE;
      case 'uid':
        return this.uids.of(s).toString(16).padStart(16, '0');
      case 'call':
        return `call-${this.calls.of(s)}`;
      case 'agent':
        return `agent ${this.agents.of(s)}`;
      case 'tag':
        return `tag-${this.tags.of(s)}`;
      case 'instance':
        return INSTANCE.test(s) ? this.text(s) : this.user(s);
      case 'user':
        return this.who(s);
      case 'which':
        return /^\d+$/.test(s) ? s : this.place(s);
      case 'codec':
        return ENCODINGS.has(s.toLowerCase()) ? s : GONE;
      default:
        return this.quoted({ kind: holds, said: s });
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
    return [`${user}${where}`, ...parameters.map((p) => this.parameter(p))].join(';');
  }

  /** A parameter of a URI: one that no standard has, and words in the value of one, may be anything. */
  private parameter(p: string): string {
    const [name, ...rest] = p.split('=');
    if (!PARAMETERS.has(name.toLowerCase())) return GONE;
    if (rest.length === 0) return p;
    const v = rest.join('=');
    const told = VALUES.has(v.toLowerCase()) ? v : this.text(v);
    return `${name}=${told === v && /\p{L}/u.test(v) && !VALUES.has(v.toLowerCase()) ? GONE : told}`;
  }

  /** The name of somebody: a user, one at a place, or a URI. */
  private who(s: string): string {
    if (/^\s*\w+:/.test(s)) return this.reference(s);
    const at = s.lastIndexOf('@');
    return at < 0 ? this.user(s) : `${this.user(s.slice(0, at))}@${this.place(s.slice(at + 1))}`;
  }

  /** A distinguished name: the types of its attributes stay. */
  private issuer(s: string): string {
    return s
      .split(/, (?=[\w.]+=)/)
      .map((part) => {
        const is = part.indexOf('=');
        const type = part.slice(0, is);
        return `${ATTRIBUTE_TYPES.has(type) || /^[\d.]+$/.test(type) ? type : GONE}=${this.host(part.slice(is + 1).trim())}`;
      })
      .join(', ');
  }

  /** A URI of any scheme: what is no address of somebody, or a service (RFC 5031), is not told. */
  private reference(s: string): string {
    const m = /^\s*((?:sips?|tel|im|pres|mailto):)([^\s<>"?]*)([\s\S]*)$/i.exec(s);
    if (m !== null) return m[1] + this.uri(m[2]) + (m[3] === '' ? '' : m[3].startsWith('?') ? `?${GONE}` : GONE);
    if (s === '' || /^urn:service:[\w.-]+$/i.test(s)) return s;
    if (INSTANCE.test(s)) return this.text(s);
    return `${/^(?:urn|https?):/i.exec(s)?.[0] ?? ''}${GONE}`;
  }

  private place(s: string): string {
    const m = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(s);
    if (m === null) return this.six(s);
    const [, host, port = ''] = m;
    if (host.startsWith('[')) return `[${this.six(host.slice(1, -1).replace(/%.*/, ''))}]${port}`;
    return `${IPV4_ALONE.test(host) ? this.ipv4(host) : this.host(host)}${port}`;
  }

  /** An IPv6 address, or a host after all. */
  private six(s: string): string {
    return ip6Groups(s) === undefined ? this.host(s) : this.ipv6(s);
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
    if (s.startsWith('*.')) return `*.${this.host(s.slice(2))}`;
    if (!/\p{L}/u.test(s)) return /\d/.test(s) ? this.number(s) : s;
    return `host${this.hosts.of(s.toLowerCase())}.example`;
  }

  private uuid(s: string): string {
    return `00000000-0000-0000-0000-${this.uuids.of(s.toLowerCase()).toString(16).padStart(12, '0')}`;
  }

  private mac(s: string): string {
    const octets = s.toLowerCase().replace(/[:.-]/g, '');
    if (/^(?:0+|f+)$/.test(octets)) return s;
    const n = this.macs.of(octets);
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
    const groups = ip6Groups(s);
    if (groups === undefined) return s;
    const [first] = groups;
    if (groups.every((g, i) => g === 0 || (i === 7 && g === 1))) return s;
    if (first >> 8 === 0xff) return this.group(s, groups);
    const rest = groups.slice(4).join(':');
    const [net, host] = this.inside(first === 0xfe80 ? 'fe80' : groups.slice(0, 4).join(':'), rest, rest === '0:0:0:0');
    const tail = host === 0 ? '' : host.toString(16);
    if (first === 0xfe80) return `fe80::${tail}`;
    return `2001:db8:${(net >> 16).toString(16)}:${(net & 0xffff).toString(16)}::${tail}`;
  }

  /** A multicast address, without the end or the prefix of a unicast address in it. RFC 4291 §2.7.1, RFC 3306 §4 */
  private group(s: string, groups: readonly number[]): string {
    const isSolicited = groups[0] === 0xff02 && groups[5] === 1 && groups[6] >> 8 === 0xff;
    if (!isSolicited && (groups[0] & 0x20) === 0) return s;
    const [, host] = this.inside(isSolicited ? 'solicited' : 'group', groups.slice(1).join(':'));
    return isSolicited ? `ff02::1:ff00:${host.toString(16)}` : `${groups[0].toString(16)}::${host.toString(16)}`;
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
