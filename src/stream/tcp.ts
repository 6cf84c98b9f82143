import { ACK, FIN, PSH, RST, SYN } from '../../dissectors/tcp/fields.js';
import { Item, type TcpNote } from '../../dissectors/tcp/note.js';
import { ahead, type Peek } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { TcpAnalysis } from './tcp-analysis.js';
import {
  acknowledge,
  FAR,
  firstAfter,
  Half,
  NO_PARTS,
  PART_COST,
  Part,
  PendingPool,
  START_WINDOW,
  start,
} from './tcp-half.js';

export { PendingPool } from './tcp-half.js';

/** Who takes the octets of a TCP connection, in order. Directions are those of {@link TcpStream.segment}. */
export interface StreamConsumer {
  /**
   * The next octets, which `frame` carried. The stream does not write to `buf` afterwards, but whoever owns the frame
   * may: copy what is to be kept. `shown`: {@link ahead} took them when they came. `cut`: so many octets of their segment
   * were not captured, of which {@link gap} tells next.
   */
  data(direction: 0 | 1, buf: Uint8Array, off: number, end: number, frame: number, shown: boolean, cut: number): void;
  /**
   * Octets of the segment at hand before which others are missing. They are given again when those came, or will not come.
   * Returns how many of them are whole messages, and shown now. `at`: where they stand in the stream, `beyond` that many
   * octets behind what was passed on last. `last`: nothing farther behind came before, nor does the other side have them.
   */
  ahead?(
    direction: 0 | 1,
    buf: Uint8Array,
    off: number,
    end: number,
    at: number,
    beyond: number,
    last: boolean,
  ): number;
  /** One octet alone that was passed on before: it asks whether the other side is there. RFC 9293 §3.8.4 */
  probe?(direction: 0 | 1, buf: Uint8Array, off: number): void;
  /** Octets that were passed on before and are sent again at once, as the other side asked for them: tshark shows them anew. */
  again?(direction: 0 | 1, buf: Uint8Array, off: number, end: number): void;
  /** So many octets are missing here for good. `cut`: of a segment, which was captured up to here. */
  gap(direction: 0 | 1, octets: number, cut: boolean): void;
  /** All up to the FIN of the direction was passed on, or it sent an RST; then what was under way may follow. */
  close(direction: 0 | 1, how: 'fin' | 'rst'): void;
}

/** The padding of an Ethernet frame around a segment of IPv4 without options and octets; with a tag it needs less. */
const PADDING = new Uint8Array(6);
const BARE_HEADER = 20;
/** One zero alone is more often a probe. */
const LEAST_PADDING = 2;

/** What a stream costs beside what waits in it. */
const STREAM_COST = 700;
/** A hole that the receiver acknowledged is given so many more segments, or seconds, to be filled from the capture. */
const PATIENCE_SEGMENTS = 3;
const PATIENCE_SECONDS = 1;
/** The same where nothing is acknowledged, because the other direction was not captured. */
const UNACKED_PARTS = 64;
const UNACKED_SECONDS = 2;

/**
 * One TCP connection, both directions: puts the octets in order and hands them to a consumer, straight from the frame
 * where they come in order. The first copy of an octet wins, as in the receiver. Octets that are not in the capture
 * are reported as a gap, once it is clear that they will not come (RFC 9293 for the protocol; the patience is ours).
 */
export class TcpStream {
  private readonly halves: readonly [Half, Half] = [new Half(0, this), new Half(1, this)];
  private analysis: TcpAnalysis | null = null;

  /**
   * @param pool is shared by the streams that are to stay under a cap together
   * @param reused the endpoints had a connection before this one
   * @param pendingCap most octets that wait in one direction
   */
  constructor(
    private readonly consumer: StreamConsumer,
    private readonly pool: PendingPool = new PendingPool(),
    private readonly reused = false,
    private readonly pendingCap: number = LIMITS.pendingOctets,
  ) {
    pool.ledger.octets += STREAM_COST;
  }

  /** Whether octets of a side were passed on. */
  hasPassed(direction: 0 | 1): boolean {
    return this.halves[direction].position > 0;
  }

  /** Octets that wait for a hole to be filled. */
  get pending(): number {
    return this.halves[0].pending + this.halves[1].pending;
  }

  /**
   * Takes the segment that `p` describes after `tcp` peeked it. `note`, if given, gets what `tcp.analysis` says about it;
   * give it for all segments of a stream, or for all from one on, as far as that says enough, until nobody wants it.
   * Returns false, and takes nothing, if the segment is the SYN of a new connection between the same endpoints.
   */
  segment(direction: 0 | 1, p: Peek, frame: number, seconds: number, nanos: number, note: TcpNote | null): boolean {
    const half = this.halves[direction];
    const peer = this.halves[direction === 0 ? 1 : 0];
    const { flags, buf, off, end, wireEnd } = p;
    let { seq } = p;
    if ((flags & (SYN | ACK)) === SYN && half.based && half.isn !== seq) return false;
    if (note !== null) {
      this.analysis ??= new TcpAnalysis(this.reused, this.pool.ledger);
      this.analysis.segment(direction, p, frame, seconds, nanos, note);
    } else if (this.analysis !== null) this.forgetAnalysis();
    const now = seconds + nanos / 1e9;
    half.segments++;
    if ((flags & ACK) !== 0) {
      acknowledge(peer, p.ack, now);
      if (peer.padding > 0 && peer.acked >= peer.position + peer.padding) this.wereOctets(peer, frame);
    }
    if ((flags & (SYN | FIN | RST)) !== 0) {
      if ((flags & RST) !== 0) {
        this.reset(half, now);
        return true;
      }
      if ((flags & SYN) !== 0) {
        seq = (seq + 1) >>> 0;
        if (half.started && half.position === 0 && half.next !== seq) this.restart(half);
        half.isn = p.seq;
        half.based = true;
      }
    }
    if (!half.started) start(half, seq, (flags & SYN) !== 0);
    else if (seq === half.isn && half.position === 0 && end - off > 1) this.withoutSyn(half);
    if (half.padding > 0 && ahead(seq, half.next) >= half.padding) this.wereOctets(half, frame);
    const isZeros = mayBePadding(half, p);
    if (wireEnd === off && off - p.header === BARE_HEADER) half.bare = true;
    if (note !== null) {
      note.mayBePadding = isZeros;
      note.followsPadding = half.padding > 0;
    }
    const isNext = seq === half.next && (flags & FIN) === 0 && half.fin < 0;
    if (isNext && isZeros) half.padding = wireEnd - off;
    else if (isNext && half.parts.length === 0) {
      if (wireEnd > off) this.pass(half, buf, off, end, wireEnd - end, frame, 0);
    } else if (note !== null && (flags & FIN) === 0 && repeatsAll(half, note, seq, wireEnd - off)) {
      if (wireEnd === end) this.consumer.again?.(direction, buf, off, end);
    } else this.arrange(half, p, seq, frame, now);
    if (half.parts.length > 0 || half.fin > half.position) this.wait(half, now);
    if (peer.parts.length > 0 || peer.fin > peer.position) this.wait(peer, now);
    return true;
  }

  /** What may have been padding were octets of the stream: the other side has them, or others follow them. */
  private wereOctets(half: Half, frame: number): void {
    this.pass(half, PADDING, 0, half.padding, 0, frame, 0);
    this.drain(half);
  }

  /** The capture ended: passes on what still waits, with the gaps between. */
  flush(): void {
    for (const half of this.halves) this.release(half);
  }

  /** Nobody follows the connection any longer: what waits is let go of. To be called once, and last. */
  abandon(): void {
    for (const half of this.halves) this.dropParts(half);
    this.pool.ledger.octets -= STREAM_COST;
    this.forgetAnalysis();
  }

  private forgetAnalysis(): void {
    this.analysis?.release();
    this.analysis = null;
  }

  /** @internal Too much waits: gives up the first hole of `half`. */
  giveUp(half: Half): void {
    this.skipHole(half, half.parts[0].at);
    this.drain(half);
  }

  /** A SYN with another number, before anything was passed on: an answer to a SYN that was repeated. */
  private restart(half: Half): void {
    this.dropParts(half);
    half.started = half.based = false;
    half.acked = half.padding = 0;
    half.fin = -1;
  }

  /** The first octets have the number of the SYN, as in traffic that was made up: as for tshark none of them is the SYN's. */
  private withoutSyn(half: Half): void {
    if (half.anchored && half.parts.length === 0 && ahead(half.isn, half.next) === -1) half.next = half.isn;
  }

  /** Passes on octets that come next, of which `shown` were shown ahead. */
  private pass(half: Half, buf: Uint8Array, off: number, end: number, cut: number, frame: number, shown: number): void {
    const n = end - off;
    half.padding = 0;
    half.next = (half.next + n + cut) >>> 0;
    half.position += n + cut;
    half.anchored = true;
    if (shown > 0) this.consumer.data(half.direction, buf, off, off + shown, frame, true, n > shown ? 0 : cut);
    if (n > shown) this.consumer.data(half.direction, buf, off + shown, end, frame, false, cut);
    if (cut > 0) this.consumer.gap(half.direction, cut, true);
  }

  /** A segment that does not simply come next: old, ahead, overlapping, or with a FIN. `seq` is that of its first octet. */
  private arrange(half: Half, p: Peek, seq: number, frame: number, now: number): void {
    const { flags, buf, off } = p;
    const isPadding = (flags & FIN) !== 0 && mayBePadding(half, p); // nothing follows that could say
    const end = isPadding ? off : p.end;
    const wireEnd = isPadding ? off : p.wireEnd;
    let distance = ahead(seq, half.next);
    if (distance >= FAR || distance < -FAR) {
      if (Math.abs(ahead(seq, half.ackSeen)) > START_WINDOW || half.acks === 0) return;
      this.release(half); // gigabytes are missing, but the other side follows
      this.skipHole(half, half.position + (distance >>> 0));
      distance = 0;
    }
    const at = half.position + distance;
    const stop = at + wireEnd - off;
    if ((flags & FIN) !== 0 && half.fin < 0 && stop >= half.position) half.fin = stop;
    const isProbe = stop === half.position && stop - at === 1 && end > off && (flags & FIN) === 0;
    if (isProbe && half.parts.length === 0) this.consumer.probe?.(half.direction, buf, off);
    if (stop > half.position && !half.closed) {
      if (!half.anchored && at - half.position === 1) this.skipHole(half, at); // the first seen was a keep-alive
      const from = Math.max(at, half.position);
      if (from === half.position && half.parts.length === 0) {
        const skip = Math.min(from - at, end - off);
        this.pass(half, buf, off + skip, end, stop - from - (end - off - skip), frame, 0);
      } else if (wireEnd > off) this.hold(half, p, at, frame, now);
    }
    this.drain(half);
  }

  /** Keeps copies of the parts of a segment that were not there before. `at` is the position of its first octet. */
  private hold(half: Half, p: Peek, at: number, frame: number, now: number): void {
    const { buf, off, end, wireEnd } = p;
    const isZeros = mayBePadding(half, p);
    const stop = at + wireEnd - off;
    const captured = at + end - off;
    let from = Math.max(at, half.position);
    if (half.parts === NO_PARTS) half.parts = [];
    const { parts } = half;
    if (parts.length === 0) {
      half.holeAcked = false;
      half.holeAcks = half.acks;
    }
    let i = firstAfter(parts, from);
    let added = 0;
    if (i < parts.length && parts[i].at === from && parts[i].mayBePadding && stop >= parts[i].end) {
      added -= parts[i].octets.length + PART_COST;
      parts.splice(i, 1);
    }
    while (from < stop) {
      const next = i < parts.length ? parts[i].at : stop;
      if (next > from) {
        const to = Math.min(next, stop);
        const have = Math.max(from, Math.min(to, captured));
        const octets = buf.slice(off + Math.min(from, captured) - at, off + Math.min(have, captured) - at);
        const part = new Part(from, octets, to - have, frame, half.segments, half.acks, now);
        part.mayBePadding = isZeros;
        parts.splice(i++, 0, part);
        // A segment in the middle of others may begin anywhere.
        if (from === at && to === stop) {
          const last = i === parts.length && half.acked < stop;
          part.shown = this.consumer.ahead?.(half.direction, buf, off, end, at, at - half.position, last) ?? 0;
        }
        added += octets.length + PART_COST;
      }
      if (i >= parts.length) break;
      from = Math.max(from, parts[i++].end);
    }
    if (added === 0 && stop > at) half.segments--; // a copy of what waits tells of no order
    half.pending += added;
    this.pool.change(half, added);
    while (half.pending > this.pendingCap) {
      this.pool.ledger.capped('pendingOctets');
      this.giveUp(half);
    }
    this.pool.relieve();
  }

  /** Passes on the parts that come next now, and sees whether the direction is at its end. */
  private drain(half: Half): void {
    const { parts } = half;
    if (parts.length > 0 && parts[0].at === half.position) {
      let i = 0;
      let gone = 0;
      while (i < parts.length && parts[i].at === half.position) {
        const { octets, cut, frame, shown } = parts[i++];
        gone += octets.length + PART_COST;
        this.pass(half, octets, 0, octets.length, cut, frame, shown);
      }
      parts.splice(0, i);
      half.pending -= gone;
      this.pool.change(half, -gone);
      this.newHole(half);
    }
    if (half.fin >= 0 && half.position >= half.fin && !half.closed) {
      half.closed = true;
      this.dropParts(half);
      this.consumer.close(half.direction, 'fin');
    }
  }

  /** The first hole is another one: it has been there since the part behind it came. */
  private newHole(half: Half): void {
    const first = half.parts[0];
    if (first === undefined) return;
    half.holeAcked = half.acked >= first.at;
    half.holeSegments = first.segments;
    half.holeTime = first.time;
    half.holeAcks = first.acks;
  }

  private dropParts(half: Half): void {
    if (half.pending === 0) return;
    const gone = half.pending;
    half.parts.length = 0;
    half.pending = 0;
    this.pool.change(half, -gone);
  }

  /** Decides whether to go on waiting for the octets of the first hole. */
  private wait(half: Half, now: number): void {
    if (half.fin >= 0 && half.acked > half.fin) this.release(half);
    while (half.parts.length > 0) {
      const first = half.parts[0];
      if (!half.holeAcked && half.acked >= first.at) {
        const wasTold = half.unseen === half.acked; // the part behind the hole may have come long after
        half.holeAcked = true;
        half.holeSegments = wasTold ? half.unseenSegments : half.segments;
        half.holeTime = wasTold ? half.unseenTime : now;
      }
      const lost = half.holeAcked
        ? half.segments - half.holeSegments >= PATIENCE_SEGMENTS || now - half.holeTime >= PATIENCE_SECONDS
        : half.acks === half.holeAcks && (half.parts.length >= UNACKED_PARTS || now - first.time >= UNACKED_SECONDS);
      if (!lost) return;
      this.giveUp(half);
    }
  }

  /** Moves on to `position`; the octets before it are missing. */
  private skipHole(half: Half, position: number): void {
    const octets = position - half.position;
    half.padding = 0;
    half.next = (half.next + octets) >>> 0;
    half.position = position;
    if (half.anchored && octets > 0) this.consumer.gap(half.direction, octets, false);
  }

  /** Passes on all parts of a direction, and the gap before a FIN. */
  private release(half: Half): void {
    while (half.parts.length > 0) this.giveUp(half);
    if (half.fin > half.position) {
      this.skipHole(half, half.fin);
      this.drain(half);
    }
  }

  /** RFC 9293 §3.5.2: the connection is gone. Segments that were under way may follow, for a while. */
  private reset(half: Half, now: number): void {
    for (const h of this.halves) {
      if (h.parts.length === 0 || h.holeAcked) continue;
      h.holeAcked = true;
      h.holeSegments = h.segments;
      h.holeTime = now;
    }
    if (half.aborted) return;
    half.aborted = true;
    this.consumer.close(half.direction, 'rst');
  }
}

/** Whether a segment of `n` octets is a fast retransmission (RFC 5681 §3.2) of what was passed on, and nothing else. */
const repeatsAll = (half: Half, note: TcpNote, seq: number, n: number): boolean =>
  (note.items & Item.FastRetransmission) !== 0 && n > 0 && ahead((seq + n) >>> 0, half.next) <= 0;

/**
 * Whether the octets of a segment of `half` may be the padding of its frame: some of what writes captures counts it in the
 * length of IP. What is sent next says, for it has the same number then.
 */
function mayBePadding(half: Half, { buf, off, end, wireEnd, flags, net, header }: Peek): boolean {
  const n = end - off;
  if (half.bare || n < LEAST_PADDING || n > PADDING.length || end !== wireEnd || (flags & PSH) !== 0) return false;
  if (net === 6 || off - header !== BARE_HEADER) return false;
  for (let i = off; i < end; i++) if (buf[i] !== 0) return false;
  return true;
}
