import type { Row } from '../../engine/row.js';
import { difference, type Field, type Tree } from '../../kit/index.js';
import { fieldText } from '../value.js';
import {
  firstNode,
  named,
  octetsOf,
  type Selector,
  type StatContext,
  type Statistic,
  selector,
  WIDE_RULE,
} from './statistic.js';

/** What talks: layers whose two ends are counted. */
export const TALKERS = {
  eth: { title: 'Ethernet', ports: false, source: 'eth.src', destination: 'eth.dst', sport: '', dport: '', stream: '' },
  ip: { title: 'IPv4', ports: false, source: 'ip.src', destination: 'ip.dst', sport: '', dport: '', stream: '' },
  ipv6: { title: 'IPv6', ports: false, source: 'ipv6.src', destination: 'ipv6.dst', sport: '', dport: '', stream: '' },
  tcp: {
    title: 'TCP',
    ports: true,
    source: '',
    destination: '',
    sport: 'tcp.srcport',
    dport: 'tcp.dstport',
    stream: 'tcp.stream',
  },
  udp: {
    title: 'UDP',
    ports: true,
    source: '',
    destination: '',
    sport: 'udp.srcport',
    dport: 'udp.dstport',
    stream: 'udp.stream',
  },
} as const;
export type Talker = keyof typeof TALKERS;

/** One packet between two ends. */
interface Exchange {
  readonly source: string;
  readonly destination: string;
  readonly sport: number;
  readonly dport: number;
  /** Number of its conversation, -1 where the layer has none. */
  readonly stream: number;
}

/** What an incomplete IPv6 datagram has before its piece of data. */
const FRAGMENT = 'ipv6.fraghdr';

/** Behind these stands what they quote. */
const QUOTING: ReadonlySet<string> = new Set(['icmp', 'icmpv6']);

type Told = (e: Exchange) => void;

/** Finds in rows who talks to whom on one layer. */
class Exchanges {
  readonly fields: readonly Field[];
  readonly analyseTcp: boolean;
  private readonly names: (typeof TALKERS)[Talker];

  constructor(cx: StatContext, what: Talker) {
    const names = TALKERS[what];
    this.names = names;
    this.analyseTcp = what === 'tcp';
    const own = [names.source, names.destination, names.sport, names.dport, names.stream].filter((n) => n !== '');
    const net = names.ports ? ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst'] : [];
    const pieces = what === 'ipv6' ? [FRAGMENT, 'data'] : [];
    const wanted = ['fttims', ...QUOTING, ...own, ...net, ...pieces];
    this.fields = named(cx.registry, ...wanted).filter((f) => wanted.includes(f.name));
  }

  /** Tells of each layer of a row; what an ICMP error quotes is no exchange. */
  find(row: Row, told: Told): void {
    const t = row.dissection.tree;
    const from = firstNode(row, t);
    if (this.names.ports) this.ports(t, from, told);
    else this.addresses(t, from, told);
  }

  private addresses(t: Tree, from: number, told: Told): void {
    const { source: s, destination: d } = this.names;
    let source = '';
    let destination = '';
    let found: Exchange | null = null;
    let fragment = false;
    for (let i = from; i < t.length; i++) {
      const { name } = t.field(i);
      if (QUOTING.has(name)) break;
      if (name === FRAGMENT) fragment = true;
      // Wireshark counts an IPv6 datagram in pieces with its last piece.
      else if (name === 'data' && fragment) found = null;
      if (name === s) source = fieldText(t, i);
      else if (name === d) destination = fieldText(t, i);
      else continue;
      if (source === '' || destination === '') continue;
      if (found !== null) told(found);
      found = { source, destination, sport: 0, dport: 0, stream: -1 };
      source = destination = '';
    }
    if (found !== null) told(found);
  }

  private ports(t: Tree, from: number, told: Told): void {
    const { sport: s, dport: d, stream } = this.names;
    let source = '';
    let destination = '';
    let sport = 0;
    let dport = 0;
    for (let i = from; i < t.length; i++) {
      const { name } = t.field(i);
      if (QUOTING.has(name)) return;
      if (name === 'ip.src' || name === 'ipv6.src') source = fieldText(t, i);
      else if (name === 'ip.dst' || name === 'ipv6.dst') destination = fieldText(t, i);
      else if (name === s) sport = t.number[i];
      else if (name === d) dport = t.number[i];
      else if (name === stream) told({ source, destination, sport, dport, stream: t.number[i] });
    }
  }
}

const placed = (address: string, port: number, ports: boolean): string => (ports ? `${address}:${port}` : address);

/** Most frames first; of equals the one seen first. */
const byFrames = <T>(list: Iterable<T>, frames: (x: T) => number): T[] =>
  [...list].sort((a, b) => frames(b) - frames(a));

/** What `conv` and `endpoints` have in common: who is asked about, and which rows count. */
abstract class Talkers implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  readonly analyseTcp: boolean;
  private readonly found: Exchanges;
  protected readonly only: Selector;

  constructor(
    cx: StatContext,
    protected readonly what: Talker,
    filter: string,
  ) {
    this.asked = cx.asked;
    this.found = new Exchanges(cx, what);
    this.only = selector(cx, filter);
    this.fields = [...this.found.fields, ...this.only.fields];
    this.analyseTcp = this.found.analyseTcp;
  }

  take(row: Row): void {
    if (!this.only.matches(row)) return;
    const bytes = octetsOf(row);
    const at = row.relative;
    this.found.find(row, (e) => this.add(e, bytes, at));
  }

  /** Counts the octets of a row, which came at `at`. */
  protected abstract add(e: Exchange, bytes: number, at: readonly [number, number]): void;

  /** The lines of a table between its titles and its end. */
  protected page(title: string, lines: readonly string[]): string {
    return `${[
      WIDE_RULE,
      `${TALKERS[this.what].title} ${title}`,
      `Filter:${this.only.text === '' ? '<No Filter>' : this.only.text}`,
      ...lines,
      WIDE_RULE,
    ].join('\n')}\n`;
  }

  abstract text(): string;
  abstract json(): object;
}

interface Conversation extends Exchange {
  /** From the source of its first packet, and back. */
  forth: number;
  forthBytes: number;
  back: number;
  backBytes: number;
  start: readonly [number, number];
  end: readonly [number, number];
}

const isEarlier = (a: readonly [number, number], b: readonly [number, number]): boolean =>
  a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** `conv,TYPE[,FILTER]`: who talked to whom, how much and when. */
export class Conversations extends Talkers {
  private readonly list = new Map<string, Conversation>();

  protected add(e: Exchange, bytes: number, at: readonly [number, number]): void {
    const c = this.of(e, at);
    if (c.source === e.source && c.sport === e.sport) {
      c.forth++;
      c.forthBytes += bytes;
    } else {
      c.back++;
      c.backBytes += bytes;
    }
    if (isEarlier(at, c.start)) c.start = at;
    if (isEarlier(c.end, at)) c.end = at;
  }

  private of(e: Exchange, at: readonly [number, number]): Conversation {
    const { source, destination, sport, dport, stream } = e;
    const forth = this.list.get(`${source} ${sport} ${destination} ${dport} ${stream}`);
    const known = forth ?? this.list.get(`${destination} ${dport} ${source} ${sport} ${stream}`);
    if (known !== undefined) return known;
    const made = { ...e, forth: 0, forthBytes: 0, back: 0, backBytes: 0, start: at, end: at };
    this.list.set(`${source} ${sport} ${destination} ${dport} ${stream}`, made);
    return made;
  }

  private get sorted(): Conversation[] {
    return byFrames(this.list.values(), (c) => c.forth + c.back);
  }

  text(): string {
    const { ports } = TALKERS[this.what];
    const cells = ports ? 26 : 20;
    const margin = ' '.repeat(2 * cells + 7);
    const lines = this.sorted.map((c) => {
      const duration = difference(c.end[0], c.end[1], c.start[0], c.start[1]);
      const a = placed(c.source, c.sport, ports).padEnd(cells);
      const b = placed(c.destination, c.dport, ports).padEnd(cells);
      const counts = [
        [c.back, c.backBytes],
        [c.forth, c.forthBytes],
        [c.back + c.forth, c.backBytes + c.forthBytes],
      ].map(([n, bytes]) => `  ${String(n).padStart(6)} ${size(bytes).padEnd(9)}`);
      const lasted = exact(duration).toFixed(4);
      return `${a} <-> ${b}${counts.join('')}  ${exact(c.start).toFixed(9).padStart(14)}   ${lasted.padStart(12)}`;
    });
    return this.page('Conversations', [
      `${margin}|       <-      | |       ->      | |     Total     |    Relative    |   Duration   |`,
      `${margin}| Frames  Bytes | | Frames  Bytes | | Frames  Bytes |      Start     |              |`,
      ...lines,
    ]);
  }

  json(): object {
    const { ports } = TALKERS[this.what];
    const conversations = this.sorted.map((c) => ({
      a: end(c.source, c.sport, ports),
      b: end(c.destination, c.dport, ports),
      ...(c.stream >= 0 && { stream: c.stream }),
      aToB: { frames: c.forth, bytes: c.forthBytes },
      bToA: { frames: c.back, bytes: c.backBytes },
      start: seconds(c.start),
      durationMs: milliseconds(difference(c.end[0], c.end[1], c.start[0], c.start[1])),
    }));
    return { statistic: this.asked, filter: this.only.text, conversations };
  }
}

const end = (address: string, port: number, ports: boolean): object => ({ address, ...(ports && { port }) });
const exact = ([s, ns]: readonly [number, number]): number => s + ns / 1e9;
const seconds = ([s, ns]: readonly [number, number]): number => Math.round(s * 1e6 + ns / 1e3) / 1e6;
const milliseconds = ([s, ns]: readonly [number, number]): number => Math.round(s * 1e6 + ns / 1e3) / 1e3;

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Octets in the largest unit of which there are ten. */
function size(octets: number): string {
  let n = octets;
  let unit = 0;
  while (n >= 10_000 && unit < UNITS.length - 1) {
    n = Math.floor(n / 1000);
    unit++;
  }
  return `${n} ${UNITS[unit]}`;
}

interface Talking {
  readonly address: string;
  readonly port: number;
  sent: number;
  sentBytes: number;
  received: number;
  receivedBytes: number;
}

/** `endpoints,TYPE[,FILTER]`: how much each end sent and received. */
export class Endpoints extends Talkers {
  private readonly list = new Map<string, Talking>();

  protected add(e: Exchange, bytes: number): void {
    const a = this.of(e.source, e.sport);
    a.sent++;
    a.sentBytes += bytes;
    const b = this.of(e.destination, e.dport);
    b.received++;
    b.receivedBytes += bytes;
  }

  private of(address: string, port: number): Talking {
    const key = `${address} ${port}`;
    let known = this.list.get(key);
    if (known === undefined) {
      known = { address, port, sent: 0, sentBytes: 0, received: 0, receivedBytes: 0 };
      this.list.set(key, known);
    }
    return known;
  }

  private get sorted(): Talking[] {
    return byFrames(this.list.values(), (e) => e.sent + e.received);
  }

  text(): string {
    const { ports } = TALKERS[this.what];
    const lines = this.sorted.map((e) => {
      const port = ports ? `      ${String(e.port).padStart(5)}     ` : '      ';
      const n = (value: number, width: number): string => String(value).padStart(width);
      const all = `${n(e.sent + e.received, 6)}     ${n(e.sentBytes + e.receivedBytes, 9)}`;
      const sent = `     ${n(e.sent, 6)}       ${n(e.sentBytes, 9)}`;
      return `${e.address.padEnd(20)}${port}${all}${sent}      ${n(e.received, 6)}       ${n(e.receivedBytes, 9)}   `;
    });
    return this.page('Endpoints', [
      `                       |${ports ? '  Port  ||' : ''}  Packets  | |  Bytes  | | Tx Packets | | Tx Bytes | | Rx Packets | | Rx Bytes |`,
      ...lines,
    ]);
  }

  json(): object {
    const { ports } = TALKERS[this.what];
    const endpoints = this.sorted.map((e) => ({
      ...end(e.address, e.port, ports),
      packets: e.sent + e.received,
      bytes: e.sentBytes + e.receivedBytes,
      sent: { packets: e.sent, bytes: e.sentBytes },
      received: { packets: e.received, bytes: e.receivedBytes },
    }));
    return { statistic: this.asked, filter: this.only.text, endpoints };
  }
}
