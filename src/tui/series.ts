import type { MediaEntity } from '../model/entities.js';
import { type Moment, millis } from '../model/moment.js';
import { Direction, type Rows } from '../viewer/rows.js';

/*
 * What happens over time, counted from the columns of rows. Work is done by generators that yield often, for {@link inSlices}.
 */

/** Rows between two yields. */
const STRIDE = 512;

/** Which rows count. */
export interface Counted {
  readonly from: number;
  readonly to: number;
  /** Numbers of tunnels; absent: all. */
  readonly tunnels?: readonly number[];
}

/** Counts in equal spans of time. */
export interface Traffic {
  /** Seconds of a span, and when the first begins (since the first frame). */
  readonly span: number;
  readonly start: number;
  /** Inner packets (frames, where nothing is tunnelled) and octets in each span. */
  readonly up: number[];
  readonly down: number[];
  readonly octetsUp: number[];
  readonly octetsDown: number[];
  /** Packets by protocol, the most first. */
  readonly protocols: readonly { readonly name: string; readonly packets: number; readonly octets: number }[];
  readonly packets: number;
  readonly octets: number;
  /** Only frames were counted: there are no inner packets. */
  readonly outer: boolean;
}

/** Spans of time that a person can think in, in seconds. */
export const SPANS = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400] as const;
const MOST_SPANS = 20_000;

/** The shortest of {@link SPANS} with which so many seconds take no more than `spans` spans. */
export const spanFor = (seconds: number, spans: number): number =>
  SPANS.find((s) => seconds / s <= spans) ?? SPANS[SPANS.length - 1];

/** Counts rows over time: inner packets if there are any, else frames. */
export function* trafficOf(rows: Rows, counted: Counted, span: number): Generator<void, Traffic> {
  const { count } = rows;
  const wanted = counted.tunnels === undefined ? undefined : new Set(counted.tunnels);
  const inner = yield* anyInner(rows, count, wanted);
  const n = Math.min(MOST_SPANS, Math.max(1, Math.ceil((counted.to - counted.from) / span + 1e-9)));
  const zeros = (): number[] => new Array<number>(n).fill(0);
  const [up, down, octetsUp, octetsDown] = [zeros(), zeros(), zeros(), zeros()];
  const protocols = new Map<string, { name: string; packets: number; octets: number }>();
  let packets = 0;
  let octets = 0;
  for (let row = 0; row < count; row++) {
    if (row % STRIDE === STRIDE - 1) yield;
    if (inner && rows.inner(row) === 0) continue;
    if (wanted !== undefined && !wanted.has(rows.tunnel(row))) continue;
    const at = rows.relative(row);
    if (at < counted.from || at > counted.to) continue;
    const i = Math.min(n - 1, Math.floor((at - counted.from) / span));
    const length = rows.length(row);
    const isUp = rows.direction(row) !== Direction.down;
    (isUp ? up : down)[i]++;
    (isUp ? octetsUp : octetsDown)[i] += length;
    packets++;
    octets += length;
    const name = rows.protocol(row);
    let p = protocols.get(name);
    if (p === undefined) protocols.set(name, (p = { name, packets: 0, octets: 0 }));
    p.packets++;
    p.octets += length;
  }
  const sorted = [...protocols.values()].sort((a, b) => b.packets - a.packets || (a.name < b.name ? -1 : 1));
  return {
    span,
    start: counted.from,
    up,
    down,
    octetsUp,
    octetsDown,
    protocols: sorted,
    packets,
    octets,
    outer: !inner,
  };
}

/** Whether something was read of the tunnels that are counted. */
function* anyInner(rows: Rows, count: number, wanted: ReadonlySet<number> | undefined): Generator<void, boolean> {
  for (let row = 0; row < count; row++) {
    if (rows.inner(row) > 0 && wanted?.has(rows.tunnel(row)) !== false) return true;
    if (row % STRIDE === STRIDE - 1) yield;
  }
  return false;
}

/** Two ends that talk, or one end, and how much. */
export interface Party {
  readonly a: string;
  /** Empty where it is one end. */
  readonly b: string;
  packetsAb: number;
  packetsBa: number;
  octetsAb: number;
  octetsBa: number;
  /** Seconds since the first frame. */
  first: number;
  last: number;
}

/** Pairs or ends that are told apart. */
const MOST_PARTIES = 50_000;

/** Conversations by address, or endpoints: what a sends counts as `Ab`, what it gets as `Ba`. */
export function* partiesOf(
  rows: Rows,
  what: 'conversations' | 'endpoints',
  layer: 'inner' | 'outer',
  tunnels?: readonly number[],
): Generator<void, { readonly parties: readonly Party[]; readonly dropped: number }> {
  const found = new Map<string, Party>();
  const wanted = tunnels === undefined ? undefined : new Set(tunnels);
  let dropped = 0;
  const add = (a: string, b: string, forth: boolean, row: number): void => {
    const key = `${a} ${b}`;
    const at = rows.relative(row);
    let p = found.get(key);
    if (p === undefined) {
      if (found.size >= MOST_PARTIES) {
        dropped++;
        return;
      }
      found.set(key, (p = { a, b, packetsAb: 0, packetsBa: 0, octetsAb: 0, octetsBa: 0, first: at, last: at }));
    }
    if (forth) {
      p.packetsAb++;
      p.octetsAb += rows.length(row);
    } else {
      p.packetsBa++;
      p.octetsBa += rows.length(row);
    }
    if (at < p.first) p.first = at;
    if (at > p.last) p.last = at;
  };
  for (let row = 0, { count } = rows; row < count; row++) {
    if (row % STRIDE === STRIDE - 1) yield;
    if (rows.inner(row) > 0 !== (layer === 'inner')) continue;
    if (wanted !== undefined && !wanted.has(rows.tunnel(row))) continue;
    const [from, to] = [rows.source(row), rows.destination(row)];
    if (what === 'conversations') {
      if (from <= to) add(from, to, true, row);
      else add(to, from, false, row);
    } else {
      add(from, '', true, row);
      add(to, '', false, row);
    }
  }
  const total = (p: Party): number => p.octetsAb + p.octetsBa;
  return { parties: [...found.values()].sort((x, y) => total(y) - total(x)), dropped };
}

/** A stream of RTP over time. */
export interface StreamOverTime {
  readonly span: number;
  /** By span: packets seen, packets missing, and the largest interarrival jitter in milliseconds. */
  readonly packets: readonly number[];
  readonly lost: readonly number[];
  readonly jitter: readonly number[];
  /** How often so many packets in a row were lost: 1 to 9, and 10 or more. */
  readonly bursts: readonly number[];
  /** The longest pause between two packets, in milliseconds, and the row after it. */
  readonly gap: { readonly ms: number; readonly row: number } | undefined;
  /** The first row of the stream; -1: none was found. */
  readonly first: number;
}

const RTP = /SSRC=(0x[0-9A-F]+), Seq=(\d+), Time=(\d+)/i;
/** Events in media (RFC 4733), of which the summary says neither source nor number. */
const EVENT = 'RTP EVENT';
const BURSTS = 10;
/** Packets that may be missing at once; more is a new beginning (RFC 3550 §A.1). */
const MOST_MISSING = 3000;
/** Seconds around a stream in which rows may stand out of order, and by which times differ that are the same. */
const MARGIN = 2;
const ROUNDED = 1e-6;

/** Clocks of payload types that need no rtpmap, RFC 3551 §6. */
const CLOCKS: Readonly<Record<number, number>> = { 0: 8000, 3: 8000, 4: 8000, 8: 8000, 9: 8000, 18: 8000 };

/** Ticks of a stream's clock in a second; undefined: not known. */
const clockOf = (m: MediaEntity): number | undefined =>
  m.negotiated?.codecs.find((c) => c.payloadType === m.payloadType)?.clock ?? CLOCKS[m.payloadType];

/** Follows a stream through its rows: what was lost when, and how evenly it came. */
export function* streamOverTime(rows: Rows, m: MediaEntity, spans: number): Generator<void, StreamOverTime> {
  const zero: Moment = { seconds: rows.start[0], nanos: rows.start[1] };
  const [start, end] = [millis(zero, m.start) / 1000, millis(zero, m.end) / 1000];
  const span = spanFor(Math.max(0.001, end - start), spans);
  const track = new StreamTrack(start, span, Math.max(1, Math.ceil((end - start) / span + 1e-9)), clockOf(m));
  const ssrc = Number(m.ssrc);
  for (let row = firstAfter(rows, start - MARGIN), n = 0; row < rows.count; row++) {
    if (++n % 64 === 0) yield;
    const at = rows.relative(row);
    if (at > end + MARGIN) break;
    if (at > end + ROUNDED) continue; // of a capture that grows: the story of the stream is not so far yet
    const protocol = rows.protocol(row);
    if (!protocol.startsWith('RTP') || rows.source(row) !== m.source.address) continue;
    if (protocol === EVENT) {
      if (rows.destination(row) === m.destination.address) track.event(row, at);
      continue;
    }
    const found = RTP.exec(rows.info(row));
    if (found !== null && Number(found[1]) === ssrc) track.take(row, at, Number(found[2]), Number(found[3]));
  }
  return track.result();
}

/** The first row that is not earlier than a time, where rows stand in order. */
function firstAfter(rows: Rows, seconds: number): number {
  let [low, high] = [0, rows.count];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (rows.relative(mid) < seconds) low = mid + 1;
    else high = mid;
  }
  return low;
}

class StreamTrack {
  private readonly packets: number[];
  private readonly jitter: number[];
  /** Sequence numbers that are missing, and the span in which they should have come. */
  private readonly missing = new Map<number, number>();
  private highest = -1;
  private transit = Number.NaN;
  /** RFC 3550 §6.4.1, in ticks. */
  private estimate = 0;
  private last = Number.NaN;
  private gap: { ms: number; row: number } | undefined;
  private first = -1;
  /** Events since the last packet whose number is known: they have numbers of their own. */
  private events = 0;

  constructor(
    private readonly start: number,
    private readonly span: number,
    private readonly n: number,
    private readonly clock: number | undefined,
  ) {
    this.packets = new Array<number>(n).fill(0);
    this.jitter = new Array<number>(n).fill(0);
  }

  take(row: number, at: number, sequence: number, timestamp: number): void {
    const i = this.pass(row, at);
    this.count(sequence, i);
    this.vary(at, timestamp, i);
  }

  event(row: number, at: number): void {
    this.pass(row, at);
    this.events++;
  }

  /** A packet came; returns its span. */
  private pass(row: number, at: number): number {
    const i = Math.max(0, Math.min(this.n - 1, Math.floor((at - this.start) / this.span)));
    this.packets[i]++;
    if (this.first < 0) this.first = row;
    if (at - this.last > (this.gap?.ms ?? 0) / 1000) this.gap = { ms: (at - this.last) * 1000, row };
    this.last = at;
    return i;
  }

  private count(sequence: number, i: number): void {
    if (this.highest < 0) {
      this.highest = sequence;
      return;
    }
    const ahead = (sequence - this.highest) & 0xffff;
    if (ahead === 0) return;
    if (ahead > 0x8000) {
      this.missing.delete(this.highest - (0x10000 - ahead));
      return;
    }
    const seen = Math.min(this.events, ahead - 1);
    this.events -= seen;
    if (ahead <= MOST_MISSING) for (let k = 1 + seen; k < ahead; k++) this.missing.set(this.highest + k, i);
    this.highest += ahead;
  }

  private vary(at: number, timestamp: number, i: number): void {
    const { clock } = this;
    if (clock === undefined) return;
    const transit = at * clock - timestamp;
    // Difference of two transit times, timestamps counted modulo 2^32.
    let d = Number.isNaN(this.transit) ? 0 : transit - this.transit;
    if (Math.abs(d) > 0x8000_0000) d -= Math.sign(d) * 0x1_0000_0000;
    this.transit = transit;
    // A jump of many seconds is a new beginning of the sender's clock.
    if (Math.abs(d) < clock * 10) this.estimate += (Math.abs(d) - this.estimate) / 16;
    this.jitter[i] = Math.max(this.jitter[i], (this.estimate / clock) * 1000);
  }

  result(): StreamOverTime {
    const lost = new Array<number>(this.n).fill(0);
    const bursts = new Array<number>(BURSTS).fill(0);
    let run = 0;
    let before = Number.NaN;
    const end = (): void => {
      if (run > 0) bursts[Math.min(run, BURSTS) - 1]++;
    };
    for (const [sequence, i] of [...this.missing].sort((a, b) => a[0] - b[0])) {
      lost[i]++;
      if (sequence !== before + 1) {
        end();
        run = 0;
      }
      run++;
      before = sequence;
    }
    end();
    const { span, packets, jitter, gap, first } = this;
    return { span, packets, lost, jitter, bursts, gap, first };
  }
}
