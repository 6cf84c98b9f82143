import { ahead, ours } from '../kit/index.js';
import type { Findings, Ref } from './findings.js';
import { LargeSegments } from './large-segments.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';
import { RoundTrips } from './round-trips.js';
import { Flag, type SegmentFacts } from './tcp-life.js';

/** After a loss outside TCP needs so long to be itself again: RFC 6298 §2 (2.4) has a second at least for its timer. */
const RECOVERY_MS = 3000;
/** Segments that inner connections repeat in that time: one may be lost beyond the tunnel. */
const MELTDOWN = 3;
/** An acknowledgment that lets go of what waited for it comes so shortly before. */
const RELEASED_MS = 2;
/** Envelopes in one segment, and the share of such segments, that show that the sender collects them. */
const MANY = 4;
const BATCHED = { segments: 10, share: 0.5 } as const;
const SPLIT_MS = 200;
/** A service notices that one side had no room for so long. */
const FULL_WARN_MS = 1000;
const NAGLE = { segments: 20, share: 0.5, waitedMs: 20 } as const;

/** One direction of the outer connection. */
class Sending {
  /** One past the highest octet sent, and the highest acknowledgment of the other side. */
  next = -1;
  acked = -1;
  readonly ackAt = { seconds: 0, nanos: 0 };
  /** Since when octets have been under way. */
  readonly since = { seconds: 0, nanos: 0 };
  waitedMs = 0;
  /** Since when it has said that it has no room. */
  fullSince: Seen | null = null;
  /** Segments in which it does not only repeat itself, and those with payload. */
  frames = 0;
  segments = 0;
  /** Segments of several envelopes that waited for the acknowledgment of the one before. */
  held = 0;
  /** Segments that carry the end of an envelope, and those of many. */
  carrying = 0;
  batched = 0;
  firstBatch: Seen | null = null;
  /** The last segment that completed an envelope, and the first one after it that did not. */
  readonly whole = { frame: 0, seconds: 0, nanos: 0 };
  readonly part = { frame: 0, seconds: 0, nanos: 0 };
  readonly large = new LargeSegments();

  /** Notes where envelopes begin and end. */
  envelopes(a: Arrival, released: number): void {
    if (released === 0 && this.part.frame > this.whole.frame) return;
    const place = released > 0 ? this.whole : this.part;
    place.frame = a.frame;
    place.seconds = a.seconds;
    place.nanos = a.nanos;
    if (released > 0) this.carrying++;
    if (released >= MANY && this.batched++ === 0) this.firstBatch = a.seen();
  }

  get underWay(): number {
    return this.next < 0 || this.acked < 0 ? 0 : Math.max(0, ahead(this.next, this.acked));
  }
}

/** Watches what the outer connection does to what runs inside: TCP in TCP, full buffers, data held back. */
export class PathWatch {
  private readonly sending: readonly [Sending, Sending] = [new Sending(), new Sending()];
  /** Of what runs inside. */
  readonly trips = new RoundTrips(() => this.sending[0].underWay + this.sending[1].underWay);
  private trouble: Moment | null = null;
  private repeated = 0;
  private firstRepeated: Seen | null = null;
  private firstHeld: Seen | null = null;
  /** An envelope that took the longest from its first octet to its last; segments that say that there is no room. */
  private split: { readonly at: Seen; readonly ms: number } | null = null;
  private full = 0;
  private firstFull: Seen | null = null;
  /** The longest time without room, in milliseconds, and when it began. */
  private fullMs = 0;
  /** Octets of each side that were under way when the connection was reset. */
  pending: readonly [number, number] | null = null;

  /** A segment of the outer connection. */
  segment(a: Arrival, side: 0 | 1, s: SegmentFacts): void {
    const own = this.sending[side];
    const other = this.sending[side === 0 ? 1 : 0];
    if (!s.again) own.frames++;
    if (s.again || s.late || s.ahead) this.trouble = { seconds: a.seconds, nanos: a.nanos };
    if (s.ack >= 0 && (other.acked < 0 || ahead(s.ack, other.acked) > 0)) {
      other.waitedMs = other.underWay === 0 ? 0 : millis(other.since, a);
      other.acked = s.ack;
      other.large.acked(s.ack);
      other.ackAt.seconds = a.seconds;
      other.ackAt.nanos = a.nanos;
    }
    this.room(a, own, s);
    if ((s.flags & Flag.Rst) !== 0) this.pending ??= [this.sending[0].underWay, this.sending[1].underWay];
    if (s.length === 0) return;
    own.large.segment(a, s, other.frames);
    if (!s.again) {
      if (s.began !== 0 && s.began !== a.frame) this.joined(a, own, s.began);
      own.envelopes(a, s.released);
    }
    const end = (s.seq + s.length) >>> 0;
    const idle = own.underWay === 0;
    if (idle) {
      own.since.seconds = a.seconds;
      own.since.nanos = a.nanos;
    }
    own.segments++;
    const prompted = idle && own.waitedMs >= NAGLE.waitedMs && millis(own.ackAt, a) <= RELEASED_MS;
    if (prompted && s.released > 1) {
      own.held++;
      this.firstHeld ??= a.seen();
    }
    if (own.next < 0 || ahead(end, own.next) > 0) own.next = end;
  }

  /** Follows how long a side has no room for what the other has to say. RFC 9293 §3.8.6 */
  private room(a: Arrival, own: Sending, s: SegmentFacts): void {
    if (own.fullSince !== null) {
      this.fullMs = Math.max(this.fullMs, millis(own.fullSince, a));
      if (!s.zeroWindow) own.fullSince = null;
    }
    if (!s.zeroWindow) return;
    this.full++;
    this.firstFull ??= a.seen();
    own.fullSince ??= a.seen();
  }

  /** An envelope that began in an earlier frame is whole; what a loss held up is told of by itself. */
  private joined(a: Arrival, own: Sending, began: number): void {
    const from = own.whole.frame === began ? own.whole : own.part.frame === began ? own.part : undefined;
    if (from === undefined || (this.trouble !== null && millis(from, this.trouble) > 0)) return;
    const ms = millis(from, a);
    if (ms >= SPLIT_MS && ms > (this.split?.ms ?? 0)) this.split = { at: a.seen(), ms };
  }

  /** Somebody on the way told `side` how many octets of payload its segments may have. */
  bounded(side: 0 | 1, octets: number): void {
    this.sending[side].large.told(octets);
  }

  /** A TCP connection inside sent a segment again. */
  innerAgain(a: Arrival): void {
    if (this.trouble === null || millis(this.trouble, a) > RECOVERY_MS) return;
    this.repeated++;
    this.firstRepeated ??= a.seen();
  }

  judge(about: readonly Ref[], findings: Findings): void {
    const { firstRepeated, firstHeld } = this;
    const bloat = this.trips.bloat();
    if (firstRepeated !== null && this.repeated >= MELTDOWN)
      findings.raise('tunnel.meltdown', firstRepeated, about, {
        detail: ours`${this.repeated} segments inside were sent again while the tunnel made up for a loss.`,
      });
    if (bloat !== undefined) findings.raise('tunnel.bufferbloat', bloat.at, about, { detail: bloat.detail });
    this.judgeSending(about, findings);
    for (const s of this.sending)
      if (firstHeld !== null && s.held >= NAGLE.segments && s.held >= NAGLE.share * s.segments)
        findings.raise('tunnel.held-back', firstHeld, about, {
          detail: ours`${s.held} of ${s.segments} segments left only when the one before was acknowledged.`,
        });
  }

  private judgeSending(about: readonly Ref[], findings: Findings): void {
    const { split, firstFull } = this;
    for (const { large, carrying, batched, firstBatch } of this.sending) {
      const { lost } = large;
      if (lost !== null)
        findings.raise(large.isTold ? 'tunnel.too-big-ignored' : 'tunnel.black-hole', lost.at, about, {
          detail: ours`A segment of ${lost.octets} octets was sent again and again, while the other side answered.`,
        });
      if (firstBatch !== null && batched >= BATCHED.segments && batched >= BATCHED.share * carrying)
        findings.raise('tunnel.batched', firstBatch, about, {
          detail: ours`${batched} of ${carrying} segments carry ${MANY} envelopes or more.`,
        });
    }
    if (split !== null)
      findings.raise('tunnel.split', split.at, about, { detail: ours`The longest took ${Math.round(split.ms)} ms.` });
    if (firstFull !== null)
      findings.raise('tunnel.zero-window', firstFull, about, {
        detail: ours`It was said ${this.full === 1 ? 'once' : ours`${this.full} times`}, and lasted ${Math.round(this.fullMs)} ms at most.`,
        ...(this.fullMs >= FULL_WARN_MS && { severity: 'warn' }),
      });
  }
}
