import { ahead } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { Ledger } from './ledger.js';

/* The state of one direction of a TCP connection, and what waits in it for a hole to be filled. */

/** A segment farther away cannot be of this window (RFC 7323 §2.3: at most 2^30). */
export const FAR = 1 << 30;
/** Octets before the first segment seen that may still arrive, where an acknowledgment told of them. */
export const START_WINDOW = 65_536;
/** What a waiting part costs beside its octets: as much as its objects, an array of octets above all. */
export const PART_COST = 320;

/** Octets that wait for a hole before them to be filled. Positions count the octets of the stream and do not wrap. */
export class Part {
  /** Octets at its start that were shown before those in front of it came. */
  shown = 0;
  /** It may be the padding of a frame: what comes later with the same number takes its place. */
  mayBePadding = false;

  constructor(
    readonly at: number,
    readonly octets: Uint8Array,
    /** Octets after them that the snaplen cut off. */
    readonly cut: number,
    readonly frame: number,
    /** When it came: segments of the direction before it, acknowledgments of the other one, and time. */
    readonly segments: number,
    readonly acks: number,
    readonly time: number,
  ) {}
  get end(): number {
    return this.at + this.octets.length + this.cut;
  }
}

/** What halves share that hold nothing back, so that most need no list of their own. Never written to. */
export const NO_PARTS: Part[] = [];

/** The stream that a direction belongs to. */
export interface Owner {
  /** Gives up the first hole of `half`. */
  giveUp(half: Half): void;
}

/** One direction of a stream. */
export class Half {
  started = false;
  /** Sequence number of the SYN, seen or inferred from the first segment or acknowledgment. */
  isn = 0;
  based = false;
  /** Sequence number of the next octet to pass on, and its position. */
  next = 0;
  position = 0;
  /** Something was passed on, or the start is known from the SYN: octets missing before the next are a gap. */
  anchored = false;
  /** Segments seen. */
  segments = 0;
  /** Latest acknowledgment of the other side as it stands in the header, how many there were, and the highest position. */
  ackSeen = 0;
  acks = 0;
  acked = 0;
  /** {@link acked} when it last grew over octets that had not come: segments and time then. */
  unseen = 0;
  unseenSegments = 0;
  unseenTime = 0;
  /** So many zeros came next that may be the padding of the frame. */
  padding = 0;
  /** A segment came that has neither options nor octets: padding does not count as octets here. */
  bare = false;
  /** Position of the FIN; -1: not seen. */
  fin = -1;
  closed = false;
  /** It sent an RST. */
  aborted = false;
  /** Sorted, without overlap. */
  parts: Part[] = NO_PARTS;
  pending = 0;
  /** The first hole was acknowledged: segments and time then. */
  holeAcked = false;
  holeSegments = 0;
  holeTime = 0;
  /** Acknowledgments seen when the first hole opened. */
  holeAcks = 0;

  constructor(
    readonly direction: 0 | 1,
    readonly stream: Owner,
  ) {}
}

/** Counts what waits in all streams, so that together they stay under a cap. */
export class PendingPool {
  octets = 0;
  private readonly halves = new Set<Half>();

  /** @param ledger is told when the cap is reached, and counts what else streams cost */
  constructor(
    readonly ledger: Ledger = new Ledger(),
    readonly cap: number = LIMITS.pendingOctetsTotal,
  ) {}

  /** @internal */
  change(half: Half, octets: number): void {
    this.octets += octets;
    if (half.pending > 0) this.halves.add(half);
    else this.halves.delete(half);
  }

  /** @internal Lets go of the largest until the cap is kept. */
  relieve(): void {
    while (this.octets > this.cap) {
      let largest: Half | null = null;
      for (const h of this.halves) if (largest === null || h.pending > largest.pending) largest = h;
      if (largest === null) return;
      this.ledger.capped('pendingOctetsTotal');
      largest.stream.giveUp(largest);
    }
  }
}

/** Index of the first part that ends after `position`. */
export function firstAfter(parts: readonly Part[], position: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (parts[middle].end > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Begins a direction at sequence number `seq`, that of the first octet (behind the SYN, where `syn`). Without a SYN the
 * other side's acknowledgment may tell of octets just ahead of it that the capture lacks: then it begins there.
 */
export function start(half: Half, seq: number, syn: boolean): void {
  half.started = true;
  half.anchored = syn;
  setBase(half, seq);
  half.next = seq;
  if (half.acks === 0) return;
  const missing = ahead(seq, half.ackSeen);
  if (!syn && missing > 0 && missing <= START_WINDOW) half.next = half.ackSeen;
  half.acked = Math.max(0, ahead(half.ackSeen, half.next));
}

function setBase(half: Half, first: number): void {
  if (half.based) return;
  half.based = true;
  half.isn = (first - 1) >>> 0;
}

/** The other side acknowledged the octets of `half` before `ack`, at `now`. */
export function acknowledge(half: Half, ack: number, now: number): void {
  half.acks++;
  half.ackSeen = ack;
  setBase(half, ack);
  if (!half.started) return;
  const distance = ahead(ack, half.next);
  if (distance >= FAR || half.position + distance <= half.acked) return;
  half.acked = half.position + distance;
  if (distance <= 0) return;
  half.unseen = half.acked;
  half.unseenSegments = half.segments;
  half.unseenTime = now;
}
