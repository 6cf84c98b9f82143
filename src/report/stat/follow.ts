import { ContentType } from '../../../dissectors/tls/numbers.js';
import type { Row } from '../../engine/row.js';
import { type Field, hex, hostAndPortText, printable, type Tree, utf8Text } from '../../kit/index.js';
import { LIMITS } from '../../limits.js';
import { fieldText } from '../value.js';
import { firstNode, named, RULE, type StatContext, StatError, type Statistic } from './statistic.js';
import { StreamOrder } from './stream-order.js';

/** What `-z follow,…` follows, and how it shows what it found. */
export const FOLLOWED = ['tls', 'tcp', 'udp', 'sip'] as const;
export type Followed = (typeof FOLLOWED)[number];
export const FOLLOW_MODES = ['ascii', 'hex', 'raw', 'utf-8'] as const;
export type FollowMode = (typeof FOLLOW_MODES)[number];

/** What one side sent at once. */
interface Piece {
  /** 0: the side that sent first. */
  readonly side: 0 | 1;
  readonly octets: Uint8Array;
}

/** Which pieces are shown, counted from 1: `2`, `2-5`. */
export interface PieceRange {
  readonly first: number;
  readonly last: number;
}

/** `follow,PROTOCOL,MODE,STREAM[,PIECES]`: what the two sides of a stream said; of SIP, the messages of a Call-ID. */
export class Follow implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  readonly analyseTcp: boolean;
  private readonly pieces: Piece[] = [];
  private size = 0;
  private dropped = false;
  /** Ends as `address:port`; the first is that which sent first. */
  private readonly nodes: string[] = [];
  private readonly order: StreamOrder;
  /** Call-IDs in the order in which they appeared. */
  private readonly dialogs = new Map<string, number>();
  private lastFrame = '';

  constructor(
    cx: StatContext,
    private readonly protocol: Followed,
    private readonly mode: FollowMode,
    /** A number, two ends, or a Call-ID. */
    private readonly stream: string,
    private readonly range: PieceRange = { first: 1, last: Number.POSITIVE_INFINITY },
  ) {
    this.asked = cx.asked;
    if (stream === '') throw new StatError(`${cx.asked}: which stream?`, `for example follow,${protocol},${mode},0`);
    const transport = protocol === 'udp' ? 'udp' : 'tcp';
    const net = ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst'];
    const ports = ['tcp', 'udp'].flatMap((p) => [`${p}.srcport`, `${p}.dstport`]);
    const own =
      protocol === 'sip'
        ? ['sip', 'sip.Call-ID', ...ports]
        : [`${transport}.srcport`, `${transport}.dstport`, `${transport}.stream`];
    const payload =
      protocol === 'tcp' ? ['tcp.payload', 'tcp.seq_raw', 'tcp.flags.syn'] : protocol === 'udp' ? ['udp.payload'] : [];
    this.fields = named(cx.registry, 'fttims', ...net, ...own, ...payload);
    this.analyseTcp = transport === 'tcp' && protocol !== 'sip';
    this.order = new StreamOrder((side, octets) => this.add(side, octets));
  }

  take(row: Row): void {
    if (this.protocol === 'tls') this.records(row);
    else if (this.protocol === 'sip') this.messages(row);
    else this.segments(row);
  }

  private add(side: 0 | 1, octets: Uint8Array): void {
    const kept = octets.slice(0, LIMITS.printedOctets - this.size);
    this.dropped ||= kept.length < octets.length;
    if (kept.length === 0) return;
    this.size += kept.length;
    this.pieces.push({ side, octets: kept });
  }

  /** The side that a packet comes from; undefined where it is of another stream. */
  private side(from: string, to: string, stream: number): 0 | 1 | undefined {
    const wanted = /^\d+$/.test(this.stream)
      ? stream === Number(this.stream)
      : this.stream === `${from},${to}` || this.stream === `${to},${from}`;
    if (!wanted) return undefined;
    if (this.nodes.length === 0) this.nodes.push(from, to);
    return from === this.nodes[0] ? 0 : 1;
  }

  private segments(row: Row): void {
    const t = row.dissection.tree;
    const { protocol } = this;
    let source = '';
    let destination = '';
    let from = '';
    let to = '';
    let sequence = 0;
    let syn = false;
    let side: 0 | 1 | undefined;
    for (let i = firstNode(row, t); i < t.length; i++) {
      const { name } = t.field(i);
      if (name === 'ip.src' || name === 'ipv6.src') source = fieldText(t, i);
      else if (name === 'ip.dst' || name === 'ipv6.dst') destination = fieldText(t, i);
      else if (name === `${protocol}.srcport`) from = hostAndPortText(source, t.number[i]);
      else if (name === `${protocol}.dstport`) to = hostAndPortText(destination, t.number[i]);
      else if (name === 'tcp.seq_raw') sequence = t.number[i];
      else if (name === 'tcp.flags.syn') syn = t.number[i] !== 0;
      else if (name === `${protocol}.stream`) side = this.side(from, to, t.number[i]);
      else if (name === 'udp.payload' && side !== undefined) this.add(side, t.octets(i));
      else if (name === 'tcp.payload' && side !== undefined) this.order.segment(side, sequence, syn, t.octets(i));
    }
    if (syn && side !== undefined) this.order.start(side, sequence);
  }

  /** Plain text of the records that are whole with the frame of a row. */
  private records(row: Row): void {
    const id = `${row.file}:${row.frame}`;
    if (id === this.lastFrame) return;
    this.lastFrame = id;
    const { records } = row.outer;
    if (records === null) return;
    const ends = firstEnds(row.dissection.tree);
    const side = this.side(ends.from, ends.to, ends.stream);
    if (side === undefined) return;
    for (const { record, side: flowSide } of records) {
      const { plain, contentType } = record;
      if (plain === null || contentType !== ContentType.ApplicationData) continue;
      const own = flowSide === row.outer.direction ? side : side === 0 ? 1 : 0;
      this.add(own, plain.buf.subarray(plain.off, plain.end));
    }
  }

  private messages(row: Row): void {
    const t = row.dissection.tree;
    let source = '';
    let destination = '';
    let from = '';
    let to = '';
    let message = -1;
    for (let i = firstNode(row, t); i < t.length; i++) {
      const { name } = t.field(i);
      if (name === 'ip.src' || name === 'ipv6.src') source = fieldText(t, i);
      else if (name === 'ip.dst' || name === 'ipv6.dst') destination = fieldText(t, i);
      else if (name === 'tcp.srcport' || name === 'udp.srcport') from = hostAndPortText(source, t.number[i]);
      else if (name === 'tcp.dstport' || name === 'udp.dstport') to = hostAndPortText(destination, t.number[i]);
      else if (name === 'sip') message = i;
      else if (name === 'sip.Call-ID' && message >= 0) {
        this.message(fieldText(t, i), from, to, t.octets(message));
        message = -1;
      }
    }
  }

  private message(callId: string, from: string, to: string, octets: Uint8Array): void {
    if (!this.dialogs.has(callId)) this.dialogs.set(callId, this.dialogs.size);
    const wanted = callId === this.stream || String(this.dialogs.get(callId)) === this.stream;
    if (!wanted) return;
    if (this.nodes.length === 0) this.nodes.push(from, to);
    this.add(from === this.nodes[0] ? 0 : 1, octets);
  }

  private get filter(): string {
    const { protocol, stream } = this;
    const transport = protocol === 'udp' ? 'udp' : 'tcp';
    const [a, b] = stream.split(',').map(endOf);
    if (protocol !== 'sip' && a !== undefined && b !== undefined)
      return `(${between(transport, a, b)}) or (${between(transport, b, a)})`;
    if (protocol !== 'sip') return `${transport}.stream eq ${stream}`;
    const [callId = stream] = [...this.dialogs].find(([, n]) => String(n) === stream) ?? [];
    return `sip.Call-ID == ${callId}`;
  }

  text(): string {
    this.order.finish();
    const { protocol, mode, nodes } = this;
    let out = `\n${RULE}\nFollow: ${protocol},${mode}\nFilter: ${printable(this.filter)}\nNode 0: ${nodes[0] ?? ':0'}\nNode 1: ${nodes[1] ?? ':0'}\n`;
    const offsets: [number, number] = [0, 0];
    for (const [i, { side, octets }] of this.pieces.entries()) {
      const tab = side === 1 ? '\t' : '';
      if (this.shows(i)) {
        if (mode === 'raw') out += `${tab}${hex(octets, 0, octets.length, '')}\n`;
        else if (mode === 'hex') out += hexLines(octets, offsets[side], tab);
        else out += `${tab}${octets.length}\n${mode === 'ascii' ? asciiText(octets) : linesOf(octets)}\n`;
      }
      offsets[side] += octets.length;
    }
    return `${out}${this.dropped ? `(only the first ${LIMITS.printedOctets} octets)\n` : ''}${RULE}\n`;
  }

  private shows(i: number): boolean {
    return i + 1 >= this.range.first && i < this.range.last;
  }

  json(): object {
    this.order.finish();
    const shown = this.pieces.filter((_, i) => this.shows(i));
    const pieces = shown.map(({ side, octets }) => ({
      side,
      length: octets.length,
      ...(this.mode === 'hex' || this.mode === 'raw'
        ? { hex: hex(octets, 0, octets.length, '') }
        : { text: this.mode === 'ascii' ? asciiText(octets) : utf8Text(octets, 0, octets.length) }),
    }));
    return { statistic: this.asked, filter: this.filter, nodes: this.nodes, pieces };
  }
}

type End = readonly [net: 'ip' | 'ipv6', address: string, port: string];

/** What {@link hostAndPortText} wrote. */
function endOf(text: string): End | undefined {
  const m = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(text);
  return m === null ? undefined : [m[1] === undefined ? 'ip' : 'ipv6', m[1] ?? m[2], m[3]];
}

/** The filter for what goes from one end to the other, as tshark writes it. */
const between = (transport: string, [net, from, sport]: End, [, to, dport]: End): string =>
  `(${net}.src eq ${from} and ${transport}.srcport eq ${sport}) and (${net}.dst eq ${to} and ${transport}.dstport eq ${dport})`;

/** The ends and the number of the outermost TCP connection of a row. */
function firstEnds(t: Tree): { from: string; to: string; stream: number } {
  let source = '';
  let destination = '';
  let from = '';
  let to = '';
  for (let i = 0; i < t.length; i++) {
    const { name } = t.field(i);
    if (name === 'ip.src' || name === 'ipv6.src') source = fieldText(t, i);
    else if (name === 'ip.dst' || name === 'ipv6.dst') destination = fieldText(t, i);
    else if (name === 'tcp.srcport') from = hostAndPortText(source, t.number[i]);
    else if (name === 'tcp.dstport') to = hostAndPortText(destination, t.number[i]);
    else if (name === 'tcp.stream') return { from, to, stream: t.number[i] };
  }
  return { from, to, stream: -1 };
}

/** UTF-8 as a terminal may have it: of control characters only those that end lines, and tabs. */
const linesOf = (b: Uint8Array): string => utf8Text(b, 0, b.length).replace(/[^\t\r\n]+/g, printable);

/** Octets as text; what is neither printable ASCII nor a line end is a dot. */
function asciiText(b: Uint8Array): string {
  let s = '';
  for (const c of b) s += (c >= 32 && c < 127) || c === 10 || c === 13 ? String.fromCharCode(c) : '.';
  return s;
}

/** Sixteen octets a line, in two groups, with their offset in what the side sent. */
function hexLines(b: Uint8Array, offset: number, tab: string): string {
  let out = '';
  for (let off = 0; off < b.length; off += 16) {
    const n = Math.min(16, b.length - off);
    const digits = [hex(b, off, Math.min(8, n), ' '), hex(b, off + 8, n - 8, ' ')];
    const signs = asciiText(b.subarray(off, off + n)).replace(/[\r\n]/g, '.');
    const at = (offset + off).toString(16).toUpperCase().padStart(8, '0');
    const text = n > 8 ? `${signs.slice(0, 8)} ${signs.slice(8)}` : signs;
    // tshark leaves out one blank at the end, and no more.
    out += `${tab}${at}  ${digits[0].padEnd(23)}  ${digits[1].padEnd(23)}  ${text.replace(/ $/, '')}\n`;
  }
  return out;
}
