/** A conversation as TCP segments: how a network cuts, reorders and repeats them, and what the ends acknowledge. */

import { concat } from 'fttscope/kit';
import { random } from '../capture/support.js';
import type { Conversation, Flight, Side } from './conversation.js';
import { ACK, type Endpoint, FIN, PSH, RST, SYN, tcp } from './packets.js';

/** What happens to data segments before the place of capture: the receiver sees the same. */
export interface Network {
  readonly seed: number;
  /** Segments of random size, up to the MSS. */
  readonly cut?: boolean;
  /** Segments are displaced by up to so many places. */
  readonly reorder?: number;
  /** Chance of a segment to be sent a second time, later. */
  readonly repeat?: number;
  /** Chance of a segment to be followed by one of other boundaries that repeats a part of the stream. */
  readonly overlap?: number;
}

export interface ConnectionOptions {
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Octets of data in a segment; 65535 and more are what segmentation offload shows. */
  readonly mss?: number;
  /** Whether a segment may carry what one side sent several times in a row. */
  readonly coalesce?: boolean;
  /** Initial sequence numbers of client and server. */
  readonly isn?: readonly [number, number];
  /** Milliseconds from the start of the capture to the SYN. */
  readonly start?: number;
  /** Microseconds between segments. */
  readonly step?: number;
  /** Whether the three segments of the opening are there; as if captured late if not. */
  readonly opening?: boolean;
  readonly end?: 'fin' | 'rst' | 'none';
  /** Data segments of a direction for each acknowledgment without data; 0: there are none. */
  readonly acks?: number;
  readonly network?: Network;
  /** Octets of IP payload beyond which a segment is sent in fragments. */
  readonly fragment?: number;
}

/** A segment as it passes the place of capture. */
export interface Segment {
  readonly side: Side;
  readonly flags: number;
  /** Positions of its octets in the stream of its side. */
  readonly from: number;
  readonly to: number;
  /** Position up to which it acknowledges the other side. */
  ack: number;
  /** Nanoseconds since the start of the capture. */
  time: number;
}

/** Data that is on its way: a range of a stream, and where in the order of all it passes. */
interface Datum {
  readonly side: Side;
  readonly from: number;
  readonly to: number;
  place: number;
  /** Number of the run of flights whose order is free. */
  readonly group: number;
  readonly pause: number;
}

/** A connection laid out as segments. */
export class Connection {
  readonly segments: Segment[];
  private readonly streams: readonly [Uint8Array, Uint8Array];
  private readonly isn: readonly [number, number];

  constructor(
    readonly conversation: Conversation,
    readonly options: ConnectionOptions,
  ) {
    this.isn = options.isn ?? [1000, 2_000_000_000];
    this.streams = [streamOf(conversation, 0), streamOf(conversation, 1)];
    const data = cut(conversation.flights, options);
    if (options.network !== undefined) disturb(data, options.network);
    this.segments = this.answered(data);
  }

  /** The IP packet of a segment; `id` is that of its IPv4 header. */
  packet(s: Segment, id: number): Uint8Array {
    const { client, server } = this.options;
    const [from, to] = s.side === 0 ? [client, server] : [server, client];
    const { side } = s;
    const other = side === 0 ? 1 : 0;
    const syn = (s.flags & SYN) !== 0;
    const header = {
      seq: (this.isn[side] + (syn ? 0 : 1) + s.from) >>> 0,
      ack: (s.flags & ACK) !== 0 ? (this.isn[other] + 1 + s.ack) >>> 0 : 0,
      flags: s.flags,
    };
    return tcp(from, to, header, this.streams[side].subarray(s.from, s.to), { id: id & 0xffff });
  }

  /** Adds opening, acknowledgments, end and times. */
  private answered(data: readonly Datum[]): Segment[] {
    const { options: o } = this;
    const out: Segment[] = [];
    const step = (o.step ?? 100) * 1000;
    let time = (o.start ?? 0) * 1e6;
    const add = (side: Side, flags: number, from: number, to: number, ack: number): void => {
      out.push({ side, flags, from, to, ack, time });
      time += step;
    };
    if (o.opening !== false) {
      add(0, SYN, 0, 0, 0);
      add(1, SYN | ACK, 0, 0, 0);
      add(0, ACK, 0, 0, 0);
    }
    const seen = [new Received(), new Received()] as const;
    const sent: [number, number] = [0, 0];
    const unanswered: [number, number] = [0, 0];
    for (const d of data) {
      const { side } = d;
      const other = side === 0 ? 1 : 0;
      time += d.pause * 1e6;
      add(side, ACK | PSH, d.from, d.to, seen[other].end);
      sent[side] = Math.max(sent[side], d.to);
      seen[side].add(d.from, d.to);
      unanswered[other] = 0;
      if (++unanswered[side] < (o.acks ?? 2) || o.acks === 0) continue;
      unanswered[side] = 0;
      add(other, ACK, sent[other], sent[other], seen[side].end);
    }
    this.ending(add);
    return out;
  }

  private ending(add: (side: Side, flags: number, from: number, to: number, ack: number) => void): void {
    const [a, b] = [this.streams[0].length, this.streams[1].length];
    const { end = 'fin' } = this.options;
    if (end === 'rst') add(0, RST | ACK, a, a, b);
    if (end !== 'fin') return;
    add(0, FIN | ACK, a, a, b);
    add(1, FIN | ACK, b, b, a + 1);
    add(0, ACK, a + 1, a + 1, b + 1);
  }
}

/** What of a stream has arrived. */
export class Received {
  /** Everything before has. */
  end = 0;
  /** Ranges behind that, sorted and apart. */
  private ahead: [number, number][] = [];

  add(from: number, to: number): void {
    if (to <= this.end) return;
    this.ahead.push([from, to]);
    this.ahead.sort((x, y) => x[0] - y[0]);
    while (this.ahead.length > 0 && this.ahead[0]![0] <= this.end)
      this.end = Math.max(this.end, this.ahead.shift()![1]);
  }
}

function streamOf(c: Conversation, side: Side): Uint8Array {
  return concat(c.flights.filter((f) => f.side === side).map((f) => f.octets));
}

/** Cuts flights into segments. */
function cut(flights: readonly Flight[], o: ConnectionOptions): Datum[] {
  const mss = o.mss ?? 1400;
  const next = random(o.network?.seed ?? 0);
  const sent: [number, number] = [0, 0];
  const out: Datum[] = [];
  let group = 0;
  let ordered = true;
  for (const f of o.coalesce || o.network?.cut ? joined(flights) : flights) {
    if (f.ordered || ordered) group++;
    ({ ordered } = f);
    const { side } = f;
    const end = sent[side] + f.octets.length;
    let { pause } = f;
    while (sent[side] < end) {
      const size = o.network?.cut ? 1 + Math.floor(next() * next() * mss) : mss;
      const from = sent[side];
      const to = Math.min(end, from + size);
      out.push({ side, from, to, place: out.length, group, pause });
      pause = 0;
      sent[side] = to;
    }
  }
  return out;
}

/** Joins free flights of one side that follow each other. */
function joined(flights: readonly Flight[]): Flight[] {
  const runs: Flight[][] = [];
  for (const f of flights) {
    const run = runs[runs.length - 1];
    if (run !== undefined && !f.ordered && !run[0]!.ordered && run[0]!.side === f.side && f.pause === 0) run.push(f);
    else runs.push([f]);
  }
  return runs.map((run) => (run.length === 1 ? run[0]! : { ...run[0]!, octets: concat(run.map((f) => f.octets)) }));
}

/** Repeats, overlaps and displaces segments, within the runs whose order is free. */
function disturb(data: Datum[], n: Network): void {
  const next = random(n.seed + 1);
  const more: Datum[] = [];
  for (const d of data) {
    if (next() < (n.repeat ?? 0)) more.push({ ...d, pause: 0, place: d.place + next() * 20 });
    if (next() >= (n.overlap ?? 0)) continue;
    const from = Math.max(0, d.from - Math.floor(next() * 2000));
    const to = from + Math.max(1, Math.floor(next() * (d.to - from)));
    more.push({ ...d, from, to, pause: 0, place: d.place + next() * 5 });
  }
  data.push(...more);
  for (const d of data) d.place += next() * (n.reorder ?? 0);
  data.sort((a, b) => a.group - b.group || a.place - b.place);
}
