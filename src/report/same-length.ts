import { fromHex, hex, ip6Groups } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { macLike, replaceTokens, type Token } from './redact.js';

/** Labels of names that many have in common; services and transports of RFC 2782 among them. */
const COMMON: ReadonlySet<string> = new Set(
  `arpa com e164 example gsma ims in-addr invalid ip6 local net org urn _sip _sips _stun _stuns _tcp _tls _turn _turns
  _udp`.split(/\s+/),
);
/** How many more may be told apart, and how often there was no room for one. */
interface Room {
  left: number;
  lacked: number;
}

/**
 * Counts, by shape, what was seen: two of one shape never get the same number, unless there is no room to remember them.
 */
class Counter {
  private readonly known = new Map<string, number>();
  private readonly next = new Map<string, number>();

  constructor(private readonly room: Room) {}

  of(what: string, shape: string): number {
    const n = this.known.get(what) ?? this.next.get(shape) ?? 0;
    if (this.known.has(what)) return n;
    if (this.room.left === 0) this.room.lacked++;
    else {
      this.room.left--;
      this.next.set(shape, n + 1);
      this.known.set(what, n);
    }
    return n;
  }
}

/**
 * Pseudonyms that are as long as what they stand for, octet for octet, in binary and in text alike: a packet keeps every
 * length, offset and sequence number. They are the same for the same, in the order of appearance. Where a shape has fewer
 * pseudonyms than there are names of it (users of one letter), they begin anew.
 */
export class SameLength {
  private readonly room: Room = { left: LIMITS.pseudonyms, lacked: 0 };
  private readonly users = new Counter(this.room);
  private readonly labels = new Counter(this.room);
  private readonly calls = new Counter(this.room);
  private readonly numbers = new Counter(this.room);
  private readonly macs = new Counter(this.room);
  private readonly uuids = new Counter(this.room);
  private readonly nets = new Counter(this.room);
  private readonly hosts = new Counter(this.room);
  private readonly prefixes = new Counter(this.room);
  private readonly interfaces = new Counter(this.room);
  /** The last three octets of IPv6 addresses: what solicited-node addresses tell of them. RFC 4291 §2.7.1 */
  private readonly ends = new Map<number, number>();

  /** @param most how many are told apart: where there are more, those that come later share a pseudonym of their shape */
  constructor(most: number = LIMITS.pseudonyms) {
    this.room.left = most;
  }

  /** How often a pseudonym was shared because there was no room to remember another. */
  get shared(): number {
    return this.room.lacked;
  }

  user = (s: string): string => (/^\+?[\d-]{5,}$/.test(s) ? this.number(s) : numbered(s, this.users));

  callId(s: string): string {
    return numbered(s, this.calls);
  }

  /** A number of as many digits. */
  number(s: string): string {
    const digits = s.replace(/\D/g, '');
    const n = String(this.numbers.of(digits, String(digits.length)) + 1).padStart(Math.max(0, digits.length - 3), '0');
    const all = n.padStart(digits.length, '9').slice(-digits.length);
    let i = 0;
    return s.replace(/\d/g, () => all[i++]);
  }

  /** A name of as many labels, each as long: so a name and the names below it stay related. */
  host = (s: string): string => this.domain(s.split('.')).join('.');

  /** The labels of a name. Those that spell an address or a number backwards spell its pseudonym. */
  domain(labels: readonly string[]): string[] {
    const at = labels.findIndex((l, i) => /^(?:in-addr|ip6|e164)$/i.test(l) && /^arpa$/i.test(labels[i + 1] ?? ''));
    if (at < 0) return labels.map((label) => this.label(label));
    return [...this.backwards(labels.slice(0, at), labels[at].toLowerCase()), ...labels.slice(at)];
  }

  label(s: string): string {
    const lower = s.toLowerCase();
    return COMMON.has(lower) ? s : numbered(s, this.labels, lower);
  }

  /** RFC 1035 §3.5, RFC 3596 §2.5, RFC 6116 §3.2 */
  private backwards(labels: readonly string[], tree: string): string[] {
    const all = labels.toReversed();
    if (tree === 'in-addr' && all.length === 4 && all.every((l) => /^\d{1,3}$/.test(l) && Number(l) < 256))
      return this.ipv4(all.map(Number)).map(String).reverse();
    if (tree === 'ip6' && all.length === 32 && all.every((l) => /^[0-9a-f]$/i.test(l)))
      return [...Buffer.from(this.ipv6(Buffer.from(all.join(''), 'hex'))).toString('hex')].reverse();
    if (tree === 'e164' && all.every((l) => /^\d$/.test(l))) return [...this.number(all.join(''))].reverse();
    return labels.map((l) => l.replace(/[a-z]/gi, 'x').replace(/\d/g, '0'));
  }

  /** Hexadecimal digits, as many: of a UUID, of an identifier of a session. */
  hex(s: string): string {
    const all = s.replace(/[^0-9a-f]/gi, '');
    const digits = this.uuids.of(all.toLowerCase(), '').toString(16).padStart(all.length, '0').slice(-all.length);
    let i = 0;
    return s.replace(/[0-9a-f]/gi, () => digits[i++]);
  }

  /** Text of any kind: addresses, users, numbers and names in it. */
  text(s: string): string {
    return replaceTokens(s, (name, found) => this.token(name, found));
  }

  /** Words of any kind, of as many letters and digits. */
  words(s: string): string {
    return numbered(s, this.users);
  }

  private token(name: Token, found: string): string {
    switch (name) {
      case 'secret':
        return found.replace(/[0-9a-f]/gi, '0');
      case 'uuid':
        return this.hex(found);
      case 'uri': {
        const colon = found.indexOf(':') + 1;
        return found.slice(0, colon) + this.uri(found.slice(colon));
      }
      case 'address':
        return this.uri(found);
      case 'ipv4':
        return this.ipv4Text(found);
      case 'ipv6':
        return this.ipv6Text(found);
      case 'mac':
        return this.macText(found);
      case 'number':
        return this.number(found);
      case 'displayName': // named where a field of addresses is read
        return found;
      case 'host':
        return this.host(found);
    }
  }

  /** What follows the scheme of a URI: user, host, parameters. */
  private uri(rest: string): string {
    const [main, ...parameters] = rest.split(';');
    const at = main.lastIndexOf('@');
    const user = at < 0 ? '' : `${this.user(main.slice(0, at))}@`;
    const place = this.place(at < 0 ? main : main.slice(at + 1), at < 0);
    return [user + place, ...parameters.map((p) => p.replace(/=(.*)$/, (_, v: string) => `=${this.text(v)}`))].join(
      ';',
    );
  }

  /** A host and a port; `alone`: it may be a telephone number. */
  place(s: string, alone: boolean): string {
    const m = /^(\[[^\]]*\]|[^:]*)(\s*:\s*\d{0,5})?$/.exec(s);
    if (m === null) return this.ipv6Text(s);
    const [, host, port = ''] = m;
    if (host.startsWith('[')) return `[${this.ipv6Text(host.slice(1, -1))}]${port}`;
    if (IPV4.test(host)) return this.ipv4Text(host) + port;
    return (alone && /^\+?[\d().-]+$/.test(host) ? this.number(host) : this.host(host)) + port;
  }

  private ipv4Text(s: string): string {
    const octets = s.split('.').map(Number);
    if (octets.some((x, i) => x > 255 || String(x) !== s.split('.')[i])) return s.replace(/\d/g, '0');
    return this.ipv4(octets).join('.');
  }

  /** An IPv4 address whose octets have as many digits; a subnet stays one. */
  ipv4(from: ArrayLike<number>): number[] {
    const [a, b, c, d] = Array.from(from);
    if (a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254)) return [a, b, c, d];
    const shape = [a, b, c].map(digits).join('');
    let n = this.nets.of(`${a}.${b}.${c}`, shape);
    const net = [c, b].map((x) => {
      const [low, count] = RANGE[digits(x)];
      const v = low + ((n + APART) % count);
      n = Math.floor(n / count);
      return v;
    });
    const [low, count] = FIRST[digits(a)];
    const host =
      d === 0 || d === 255 ? d : hostOf(digits(d), this.hosts.of(`${a}.${b}.${c}.${d}`, `${a}.${b}.${c}/${digits(d)}`));
    return [low + (n % count), net[1], net[0], host];
  }

  private ipv6Text(s: string): string {
    const groups = s.includes('.') ? undefined : ip6Groups(s); // its end is written as IPv4
    if (groups === undefined)
      return s.replace(/\d/g, '0').replace(/[a-z\x80-\xff]/gi, (c) => (/[a-f]/i.test(c) ? '0' : 'x'));
    const to = this.groups(groups);
    let i = 0;
    // As it is written: groups that are left out are zero, and stay so.
    const written = s.split('::');
    const before = written[0] === '' ? [] : written[0].split(':');
    const after = written.length < 2 || written[1] === '' ? [] : written[1].split(':');
    const show = (text: string): string => to[i++].toString(16).padStart(text.length, '0');
    const left = before.map(show);
    i = 8 - after.length;
    const right = after.map(show);
    return written.length < 2 ? left.join(':') : `${left.join(':')}::${right.join(':')}`;
  }

  /** An IPv6 address whose groups have as many digits; prefixes and interface identifiers stay related. */
  ipv6(from: Uint8Array): Uint8Array {
    const groups = Array.from({ length: 8 }, (_, i) => (from[2 * i] << 8) | from[2 * i + 1]);
    const out = new Uint8Array(16);
    this.groups(groups).forEach((g, i) => {
      out[2 * i] = g >> 8;
      out[2 * i + 1] = g;
    });
    return out;
  }

  private groups(from: readonly number[]): number[] {
    const [first] = from;
    if (from.every((g, i) => g === 0 || (i === 7 && g === 1))) return [...from];
    if (first >> 8 === 0xff) return this.group(from);
    const isLocal = first >> 6 === 0x3fa; // RFC 4291 §2.5.6
    const prefix = from.slice(0, 4);
    const end = from.slice(4);
    const to = [...(isLocal ? prefix : encoded(prefix, this.prefixes, first)), ...encoded(end, this.interfaces)];
    if (this.room.left > 0) this.ends.set(((from[6] & 255) << 16) | from[7], ((to[6] & 255) << 16) | to[7]);
    return to;
  }

  /** A multicast address: one for the solicited node tells the end of a unicast address (RFC 4291 §2.7.1), others a prefix. */
  private group(from: readonly number[]): number[] {
    // RFC 3306 §4, RFC 3956 §4
    if ((from[0] & 0x20) !== 0)
      return [...from.slice(0, 2), ...encoded(from.slice(2, 6), this.prefixes, from[2]), ...from.slice(6)];
    if (from[0] !== 0xff02 || from[5] !== 1 || from[6] >> 8 !== 0xff) return [...from];
    const end = this.ends.get(((from[6] & 255) << 16) | from[7]) ?? 0;
    return [...from.slice(0, 6), 0xff00 | (end >> 16), end & 0xffff];
  }

  private macText(s: string): string {
    const mac = this.mac(fromHex(s.replace(/[:.-]/g, '')));
    return macLike(s, hex(mac, 0, mac.length, ''));
  }

  /** A hardware address; one made of an IPv4 address (RFC 3456 §4.1) stays one. */
  mac(from: Uint8Array): Uint8Array {
    if (from.length === 6 && from[0] === 0x40 && from[1] === 0)
      return Uint8Array.of(0x40, 0, ...this.ipv4(from.subarray(2)));
    if (from.every((x) => x === 0) || from.every((x) => x === 255)) return from.slice();
    const n = this.macs.of(from.join('.'), '') + 1;
    const out = new Uint8Array(from.length);
    out[0] = 2;
    for (let i = 0; i < 3 && i < out.length - 1; i++) out[out.length - 1 - i] = n >> (8 * i);
    return out;
  }
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** By the digits of an octet: the least of them, and how many there are. */
const RANGE = [[], [0, 10], [10, 90], [100, 156]] as unknown as readonly (readonly [number, number])[];
/** The same of the first octet: of addresses that have no special meaning. */
const FIRST = [[], [1, 9], [10, 90], [128, 41]] as unknown as readonly (readonly [number, number])[];

const digits = (x: number): number => String(x).length;
/** Where subnets begin to be counted: away from those that many networks have. */
const APART = 7;
/** The last octet of host `n` of a subnet, neither 0 nor 255. */
const hostOf = (count: number, n: number): number =>
  count === 1 ? 1 + (n % 9) : count === 2 ? 10 + (n % 90) : 100 + (n % 155);

/** The number that a counter gives to `s`, in letters and digits where `s` has them; the rest stays. */
function numbered(s: string, counter: Counter, key = s): string {
  let n = counter.of(
    key,
    s
      .replace(/\d/g, '0')
      .replace(/[a-z]/gi, 'a')
      .replace(/[^\x00-\x7f]/g, 'x'),
  );
  let out = '';
  for (let i = s.length - 1; i >= 0; i--) {
    const c = s[i];
    if (c >= '0' && c <= '9') {
      out = String(n % 10) + out;
      n = Math.floor(n / 10);
    } else if (/[a-z]/i.test(c)) {
      const letter = String.fromCharCode(97 + (n % 26));
      out = (c >= 'a' ? letter : letter.toUpperCase()) + out;
      n = Math.floor(n / 26);
    } else out = (c > '\x7f' ? 'x' : c) + out;
  }
  return out;
}

/** Groups of an IPv6 address with as many digits; `first` is that of a prefix. */
function encoded(from: readonly number[], counter: Counter, first?: number): number[] {
  let n = counter.of(from.join(':'), from.map((g) => (g === 0 ? 0 : g.toString(16).length)).join(''));
  const out = [...from];
  for (let i = out.length - 1; i >= 0; i--) {
    if (out[i] === 0) continue;
    const least = 16 ** (out[i].toString(16).length - 1);
    const start = i === 0 && first !== undefined && least === 4096 ? (first >> 9 === 0x7e ? 0xfd00 : 0x2001) : least;
    const count = 16 * least - start;
    out[i] = start + (n % count);
    n = Math.floor(n / count);
  }
  return out;
}
