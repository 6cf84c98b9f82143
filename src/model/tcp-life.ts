import { ahead } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { type Arrival, isBefore, type Moment, millis, type Seen } from './moment.js';
import type { PathMessages } from './path-messages.js';

/** Flags of a TCP header that the life of a connection rests on. RFC 9293 §3.1 */
export const Flag = { Fin: 1, Syn: 2, Rst: 4, Ack: 16 } as const;

/** What is to be said of one segment besides its flags. */
export interface SegmentFacts {
  /** Sequence number as it stands in the header, and octets of payload on the wire. */
  readonly seq: number;
  /** Acknowledgment number, -1 without one. */
  readonly ack: number;
  readonly length: number;
  readonly flags: number;
  /** TTL or hop limit. */
  readonly hops: number;
  /** What the analysis says: sent again, late, behind a hole. */
  readonly again: boolean;
  readonly late: boolean;
  readonly ahead: boolean;
  /** Sent again though the other side had acknowledged it. */
  readonly needless: boolean;
  /** Milliseconds since the segment that it repeats, 0 where that is not known. */
  readonly rtoMs: number;
  /** Whether it says that there is no room for more. */
  readonly zeroWindow: boolean;
  /** Envelopes that became whole with it, and the frame in which the first of them began; 0: in this one. */
  readonly released: number;
  readonly began: number;
}

/** A pause in which octets could not be passed on, because one segment was missing. */
export interface Stall {
  /** Sequence number within the tunnel, from 1. */
  id: number;
  /** When the missing octets came. */
  at: Seen;
  ms: number;
  side: 0 | 1;
  /** Envelopes that became whole in that moment. */
  released: number;
  /** Media streams that waited. */
  media: Set<{ readonly id: number }>;
}

/** The end of a direction. */
export interface Ending extends Seen {
  readonly side: 0 | 1;
  readonly how: 'fin' | 'rst' | 'close_notify' | 'silent';
  /** Milliseconds without payload before it. */
  readonly idleMs: number;
  /** Whether it was seen itself. */
  readonly observed: boolean;
  readonly hops: number;
  /** A FIN: whether it acknowledges anything that the other side sent. */
  readonly heard?: boolean;
}

/** Captures of several queues put frames in a wrong order by less. */
export const ORDER_MS = 1;
/** Pauses that are shorter are the jitter of any path. */
export const STALL_MS = 100;
/**
 * Repetitions without any answer, and how long they go on at least, after which the other side is taken to be gone: a
 * burst of repetitions waits for no answer. RFC 6298 §2 (2.4), §5 (5.5): the first of those that do waits for some 200 ms or more
 */
const DEAF_AFTER = 3;
const DEAF_MS = 400;

/** So long after the last payload a segment without any is a keep-alive, and what comes back its answer. RFC 9293 §3.8.4 */
const PROBE_MS = 1000;

/** Pauses that are told of, where clocks may have been set in the longest. */
const MOST_PAUSES = 2;

/** A time without payload. */
interface Pause {
  readonly from: Moment;
  readonly to: Moment;
  readonly ms: number;
}

/** A hole in the octets of a direction. */
interface Hole extends Moment {
  readonly seq: number;
}

/** One direction of a connection. */
class Way {
  segments = 0;
  octets = 0;
  /** Octets of its largest segment. */
  largest = 0;
  retransmissions = 0;
  outOfOrder = 0;
  lost = 0;
  /** Sequence number of its first payload, and one past the highest seen. */
  from = 0;
  next = 0;
  started = false;
  hole: Hole | null = null;
  /** Segments that brought what had been missing here: it was lost on the way to the place of capture. */
  filled = 0;
  /** Segments sent again that had come by: they, or what acknowledged them, were lost beyond it. */
  passed = 0;
  /** Holes that were not followed. */
  droppedHoles = 0;
  private holes: { readonly from: number; readonly to: number }[] | null = null;
  /** TTL or hop limit of the last segment that is no RST; 0: none yet. */
  hops = 0;

  /** The number after its SYN, and the highest that the other side has acknowledged; -1: none was seen. */
  born = -1;
  acked = -1;
  /** When that was acknowledged, and in which file. */
  ackedSeconds = 0;
  ackedNanos = 0;
  ackedFile = 0;
  private hasEnded = false;

  /** Notes a SYN or FIN, which take a number each. */
  mark(s: SegmentFacts): void {
    if ((s.flags & Flag.Syn) !== 0) this.born = (s.seq + 1) >>> 0;
    this.hasEnded ||= (s.flags & Flag.Fin) !== 0;
  }

  /** The other side acknowledges what was sent before this number. */
  acknowledge(ack: number, { seconds, nanos, file }: Arrival): void {
    this.acked = ack;
    this.ackedSeconds = seconds;
    this.ackedNanos = nanos;
    this.ackedFile = file;
  }

  /** For how many milliseconds new octets that end before this number had been acknowledged by one clock; 0: they had not. */
  foreseen(end: number, { seconds, nanos, file }: Arrival): number {
    const isNew = !this.started || ahead(end, this.next) > 0;
    if (!isNew || this.acked < 0 || this.ackedFile !== file || ahead(end, this.acked) > 0) return 0;
    return (seconds - this.ackedSeconds) * 1000 + (nanos - this.ackedNanos) / 1e6;
  }

  /** Octets that the other side acknowledged, and that did not come by; a single one may be a FIN. */
  get unseen(): number {
    const last = this.started ? this.next : this.born;
    const octets = last < 0 || this.acked < 0 ? 0 : ahead(this.acked, last) - Number(this.hasEnded);
    return octets > 1 ? octets : 0;
  }

  /** Octets `[from, to)` are missing. */
  lack(from: number, to: number): void {
    this.holes ??= [];
    if (this.holes.length < LIMITS.holes) this.holes.push({ from, to });
    else this.droppedHoles++;
  }

  /** Octets `[from, to)` came that are not the next: whether some of them were missing. */
  fill(from: number, to: number): boolean {
    const { holes } = this;
    const hit = holes?.filter((h) => ahead(to, h.from) > 0 && ahead(h.to, from) > 0) ?? [];
    if (hit.length === 0) return false;
    this.holes = holes!.filter((h) => !hit.includes(h));
    for (const h of hit) {
      if (ahead(from, h.from) > 0) this.lack(h.from, from);
      if (ahead(h.to, to) > 0) this.lack(to, h.to);
    }
    return true;
  }
}

/** What became of one TCP connection. Sides are those of its flow: 0 is the endpoint seen first. */
export class TcpLife {
  readonly ways: readonly [Way, Way] = [new Way(), new Way()];
  readonly stalls: Stall[] = [];
  /** Stalls that are not listed. */
  droppedStalls = 0;
  /** First segment of all, SYN, and its answer. */
  readonly first: Seen;
  syn: Seen | null = null;
  synAck: Seen | null = null;
  synSide: 0 | 1 = 0;
  synRepeats = 0;
  /** Who sent the SYN has acknowledged something: it got an answer, seen or not. RFC 9293 §3.5 */
  isAnswered = false;
  /** From SYN to SYN+ACK; at the UE that is the round trip to the other end. */
  rttMs: number | undefined;
  /** From SYN+ACK to what the client sends next; at the EFTF that is the round trip to the UE. */
  ackMs: number | undefined;

  /** The handshake from one end to the other and back, as far as it was seen. */
  get tripMs(): number {
    return (this.rttMs ?? 0) + (this.ackMs ?? 0);
  }
  /** First ending event of each kind, and of all. */
  end: Ending | null = null;
  fin: Ending | null = null;
  rst: Ending | null = null;
  closeNotify: Ending | null = null;
  /** The two longest times without payload: the first may be none. */
  readonly pauses: Pause[] = [];
  /** What ICMP says of it; null: nothing. */
  told: PathMessages | null = null;
  /** Octets of all frames on the wire. */
  wireOctets = 0;
  /** Time of the last segment with payload, or of the last answer to a keep-alive of TCP; and of the last of all. */
  private dataSeconds: number;
  private dataNanos: number;
  private lastSeconds: number;
  private lastNanos: number;
  /** Milliseconds without payload before the last segment. */
  private pauseMs = 0;
  /** One side has spoken since the other did: which, after what pause, and how often it has repeated itself. */
  private asking = -1;
  private askedMs = 0;
  private repeats = 0;
  private repeatedFrom: Moment | null = null;
  private stallsBefore = 0;
  /** Who sent a keep-alive of TCP that has not been answered, and milliseconds without payload before it; -1: nobody. */
  private probing = -1;
  private probedMs = 0;
  /** Sequence numbers that come next on both ways when a reset came, and who has got more since, a bit each. */
  private atReset: readonly [number, number] | null = null;
  private outlived = 0;
  /** From here on one side only repeated itself, and the other said nothing more. */
  deaf: Ending | null = null;

  constructor(a: Arrival) {
    this.first = a.seen();
    this.dataSeconds = this.lastSeconds = a.seconds;
    this.dataNanos = this.lastNanos = a.nanos;
  }

  get last(): Moment {
    return { seconds: this.lastSeconds, nanos: this.lastNanos };
  }

  /** About how many segments so many octets of a direction took, by the largest one that there was; 0: none is known. */
  segmentsIn(side: 0 | 1, octets: number): number {
    const { largest } = this.ways[side];
    return largest === 0 ? 0 : Math.ceil(octets / largest);
  }

  private paused({ seconds, nanos }: Arrival, ms: number): void {
    const { pauses } = this;
    if (ms <= 0 || (pauses.length === MOST_PAUSES && ms <= pauses[MOST_PAUSES - 1].ms)) return;
    pauses.push({ from: { seconds: this.dataSeconds, nanos: this.dataNanos }, to: { seconds, nanos }, ms });
    pauses.sort((x, y) => y.ms - x.ms);
    if (pauses.length > MOST_PAUSES) pauses.length = MOST_PAUSES;
  }

  /** Milliseconds since payload was last sent. */
  private idle(a: Arrival): number {
    return (a.seconds - this.dataSeconds) * 1000 + (a.nanos - this.dataNanos) / 1e6;
  }

  /** The same, up to the first keep-alive that was not answered. */
  private quiet(a: Arrival): number {
    return this.probing < 0 ? this.idle(a) : this.probedMs;
  }

  /** Follows the keep-alives of TCP: whether this segment answers one, and the way to the other end is open. */
  private isAnswer(a: Arrival, side: 0 | 1, s: SegmentFacts): boolean {
    if ((s.flags & (Flag.Syn | Flag.Fin | Flag.Rst)) !== 0) return false;
    if (this.probing >= 0) return this.probing !== side;
    const idle = this.idle(a);
    if (idle < PROBE_MS) return false;
    this.probing = side;
    this.probedMs = idle;
    return false;
  }

  /** A reset that both sides go on after was passed over: it is no end (RFC 5961 §3.2). */
  private outlive(side: 0 | 1, s: SegmentFacts, next: readonly [number, number]): void {
    const other = side === 0 ? 1 : 0;
    if ((s.flags & Flag.Rst) === 0 && s.ack >= 0 && ahead(s.ack, next[other]) > 0) this.outlived |= 1 << side;
    if (this.outlived !== 3) return;
    this.atReset = null;
    if (this.end === this.rst) this.end = null;
    this.rst = null;
  }

  /** Takes a segment; returns the stall that it ends, if it does. */
  segment(a: Arrival, side: 0 | 1, s: SegmentFacts): Stall | null {
    const way = this.ways[side];
    way.segments++;
    way.octets += s.length;
    if (s.length > way.largest) way.largest = s.length;
    if ((s.flags & Flag.Rst) === 0) way.hops = s.hops;
    this.wireOctets += a.length;
    if (s.again) way.retransmissions++;
    if (s.late) way.outOfOrder++;
    if (s.ahead) way.lost++;
    if ((s.flags & (Flag.Syn | Flag.Fin)) !== 0) way.mark(s);
    const other = this.ways[side === 0 ? 1 : 0];
    if (s.ack >= 0 && (s.flags & Flag.Rst) === 0 && (other.acked < 0 || ahead(s.ack, other.acked) > 0))
      other.acknowledge(s.ack, a);
    if (s.ack >= 0 && side === this.synSide && this.syn !== null) this.isAnswered = true;
    if (this.atReset !== null) this.outlive(side, s, this.atReset);
    const idle = this.quiet(a);
    this.pauseMs = idle;
    if (this.ackMs === undefined && this.synAck !== null && side === this.synSide && (s.flags & Flag.Syn) === 0)
      this.ackMs = millis(this.synAck, a);
    if ((s.flags & (Flag.Syn | Flag.Fin | Flag.Rst)) !== 0) this.control(a, side, s, idle);
    this.turn(a, side, s, idle);
    const stall = s.length > 0 ? this.progress(a, side, way, s) : null;
    if (s.length > 1 || this.isAnswer(a, side, s)) {
      if (this.end === null) this.paused(a, idle);
      this.dataSeconds = a.seconds;
      this.dataNanos = a.nanos;
      this.probing = -1;
    }
    this.lastSeconds = a.seconds;
    this.lastNanos = a.nanos;
    return stall;
  }

  /** Follows who speaks: whether one side gets no answer any more. */
  private turn(a: Arrival, side: 0 | 1, s: SegmentFacts, idleMs: number): void {
    if (this.asking !== side) {
      this.asking = s.length > 0 || (s.flags & Flag.Fin) !== 0 ? side : -1;
      this.askedMs = idleMs;
      this.repeats = 0;
      this.deaf = null;
    } else if (s.again) this.repeat(a, side, s);
  }

  private repeat(a: Arrival, side: 0 | 1, { hops }: SegmentFacts): void {
    if (++this.repeats === 1) {
      this.stallsBefore = this.stalls.length;
      this.repeatedFrom = a.seen();
    } else if (this.repeats >= DEAF_AFTER && this.deaf === null && millis(this.repeatedFrom!, a) >= DEAF_MS) {
      this.stalls.length = Math.min(this.stalls.length, this.stallsBefore); // it was the end, and no pause
      this.deaf = { ...a.seen(), side, how: 'silent', idleMs: this.askedMs, observed: false, hops };
    }
  }

  private control(a: Arrival, side: 0 | 1, s: SegmentFacts, idleMs: number): void {
    const { flags, hops } = s;
    if ((flags & Flag.Syn) !== 0) {
      if ((flags & Flag.Ack) === 0) {
        if (this.syn !== null) this.synRepeats++;
        this.syn ??= a.seen();
        this.synSide = side;
      } else if (this.synAck === null) {
        this.synAck = a.seen();
        if (this.syn !== null && this.synRepeats === 0) this.rttMs = millis(this.syn, a);
      }
    }
    if ((flags & (Flag.Fin | Flag.Rst)) === 0) return;
    if ((flags & Flag.Rst) !== 0 && this.syn !== null && this.synAck === null && side === this.synSide) {
      // RFC 9293 §3.5.1, figure 9: the answer to the SYN was one of an older connection, as the number of this says.
      const way = this.ways[side];
      if (way.acked === s.seq && way.acked !== way.born) {
        way.acked = -1;
        return;
      }
    }
    const how = (flags & Flag.Rst) !== 0 ? 'rst' : 'fin';
    if (this[how] !== null) return;
    const answers = this.asking >= 0 && this.asking !== side;
    const pause = answers ? Math.max(this.askedMs, idleMs) : idleMs;
    const other = this.ways[side === 0 ? 1 : 0];
    const heard = other.started && s.ack >= 0 && ahead(s.ack, other.from) > 0;
    this[how] = { ...a.seen(), side, how, idleMs: pause, observed: true, hops, heard };
    if (how === 'rst' && this.end === null) {
      this.atReset = [this.ways[0].next, this.ways[1].next];
      this.outlived = 0;
    }
    this.end ??= this[how];
  }

  /** A segment came by so long after the other side had acknowledged it. */
  private foresee(a: Arrival, ms: number): void {
    this.foreseen ??= { at: a.seen(), segments: 0, ms: 0 };
    this.foreseen.segments++;
    this.foreseen.ms = Math.max(this.foreseen.ms, ms);
  }
  /** Segments that stand behind what acknowledges them: the first, how many, and by how much at most. */
  foreseen: { readonly at: Seen; segments: number; ms: number } | null = null;

  /** A close_notify was seen, or inferred, in a record of `side`. */
  notified(a: Arrival, side: 0 | 1, observed: boolean): void {
    if (this.closeNotify !== null) return;
    const hops = this.ways[side].hops;
    const e: Ending = { ...a.seen(), side, how: 'close_notify', idleMs: this.pauseMs, observed, hops };
    this.closeNotify = e;
    // The FIN may stand in the same segment as the alert before it.
    if (this.end === null || !isBefore(this.end, e)) this.end = e;
  }

  /** Follows the sequence numbers for holes that are filled late. */
  private progress(a: Arrival, side: 0 | 1, way: Way, s: SegmentFacts): Stall | null {
    const end = (s.seq + s.length) >>> 0;
    const foreseenMs = way.foreseen(end, a);
    if (foreseenMs >= ORDER_MS) this.foresee(a, foreseenMs);
    if (!way.started) {
      way.started = true;
      way.from = s.seq;
      way.next = end;
      return null;
    }
    const distance = ahead(s.seq, way.next);
    if (distance > 0) way.lack(way.next, s.seq);
    else if (distance < 0 && way.fill(s.seq, end)) way.filled++;
    else if (s.again && !s.needless) way.passed++;
    let stall: Stall | null = null;
    if (distance > 0) way.hole ??= { seq: way.next, seconds: a.seconds, nanos: a.nanos };
    else if (way.hole !== null && ahead(way.hole.seq, s.seq) >= 0 && ahead(way.hole.seq, end) < 0) {
      stall = this.stalled(a, side, millis(way.hole, a), s.released);
      way.hole = null;
    } else if (s.again && distance < 0) stall = this.stalled(a, side, s.rtoMs, s.released);
    if (ahead(end, way.next) > 0) way.next = end;
    return stall;
  }

  private stalled(at: Arrival, side: 0 | 1, ms: number, released: number): Stall | null {
    if (ms < STALL_MS || this.deaf !== null) return null;
    const { stalls } = this;
    const isFull = stalls.length >= LIMITS.stalls;
    // The last place is that of the longest there was no room for.
    if (isFull && ++this.droppedStalls > 0 && stalls[stalls.length - 1].ms >= ms) return null;
    const id = isFull ? stalls.length : stalls.length + 1;
    return (stalls[id - 1] = { id, at: at.seen(), ms, side, released, media: new Set() });
  }
}
