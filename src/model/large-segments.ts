import { ahead } from '../kit/index.js';
import type { Arrival, Seen } from './moment.js';
import type { SegmentFacts } from './tcp-life.js';

/** Octets that fit through hardly any path with a wrong MTU; a segment of them that is sent so often does not. */
const LARGE = 1000;
const STUCK = 3;

/**
 * Whether one direction of a connection loses what is large and nothing else (RFC 2923 §2.1): a large segment is sent again
 * and again while the other side goes on to speak, no segment of its size was ever acknowledged whole, or what it held
 * arrives in smaller ones, and small ones are hardly ever sent again. Where loss is random, one of these does not hold.
 */
export class LargeSegments {
  /** All before it was acknowledged; -1: nothing yet. */
  private done = -1;
  /** The largest segment that was acknowledged whole. */
  private passed = 0;
  /** The largest one that waits for that; 0: none. */
  private waits = 0;
  private waitsSeq = 0;
  /** The large one that is sent again: how often, and what the other side had said before. */
  private seq = -1;
  private length = 0;
  private times = 0;
  private heard = 0;
  /** Small ones that were sent again. */
  private small = 0;
  /** The stuck one came through in pieces. */
  private pieces = false;
  private inPieces = false;
  /** Octets of payload that somebody on the way said are the most; 0: nobody did. */
  private most = 0;
  private stuck: { readonly at: Seen; readonly octets: number } | null = null;

  /**
   * A segment with payload of this direction.
   * @param answers segments so far in which the other side did not only repeat itself
   */
  segment(a: Arrival, s: SegmentFacts, answers: number): void {
    const { seq, length } = s;
    if (s.again && this.done >= 0 && ahead(this.done, seq + length) >= 0) return; // only the acknowledgment was lost
    if (this.waits > 0 && length < this.waits) {
      const within = ahead(seq, this.waitsSeq);
      // Cut up and sent again: an acknowledgment no longer says that it came through whole.
      if (s.again && within >= 0 && within < this.waits) this.waits = 0;
    }
    if (length > this.waits && (!s.again || this.waits === 0)) {
      this.waits = length;
      this.waitsSeq = seq;
    }
    if (s.again) this.again(a, seq, length, answers);
  }

  private again(a: Arrival, seq: number, length: number, answers: number): void {
    const isPiece = this.stuck !== null && seq === this.seq && length < this.length;
    if (isPiece) this.pieces = true;
    else if (length < LARGE) this.small++;
    else if (seq !== this.seq || length !== this.length) {
      this.seq = seq;
      this.length = length;
      this.times = 1;
      this.heard = answers;
      this.pieces = false;
    } else if (++this.times >= STUCK && answers > this.heard) this.stuck ??= { at: a.seen(), octets: length };
  }

  /** The sender was told how many octets of payload get through: from now on it knows. RFC 1191 §3, RFC 8201 §3 */
  told(octets: number): void {
    if (this.most > 0 && octets >= this.most) return;
    this.most = octets;
    this.stuck = null;
    this.times = 0;
    this.seq = -1;
  }

  /** Whether what does not get through is larger than the sender was told that it may be. */
  get isTold(): boolean {
    return this.most > 0 && this.stuck !== null && this.stuck.octets > this.most;
  }

  /** The other side has got all before `ack`. */
  acked(ack: number): void {
    this.done = ack;
    if (this.waits > 0 && ahead(ack, this.waitsSeq + this.waits) >= 0) {
      if (this.waits > this.passed) this.passed = this.waits;
      this.waits = 0;
    }
    if (this.pieces && ahead(ack, this.seq) > 0) this.inPieces = true;
  }

  /** The segment that does not get through, where it is its size that is the reason. */
  get lost(): { readonly at: Seen; readonly octets: number } | null {
    const { stuck } = this;
    if (stuck === null || 2 * this.small >= this.times) return null;
    return this.passed < stuck.octets || this.inPieces ? stuck : null;
  }
}
