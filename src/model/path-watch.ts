import type { Findings, Ref } from './findings.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';
import type { SegmentFacts } from './tcp-life.js';

/** After a loss outside TCP needs so long to be itself again: RFC 6298 §2.4 has a second at least for its timer. */
const RECOVERY_MS = 3000;
/** Segments that inner connections repeat in that time: one may be lost beyond the tunnel. */
const MELTDOWN = 3;
/** Round trips of RTCP from which on a growth is no accident. */
const TRIPS = 5;
const BLOAT = { ms: 200, factor: 3, octets: 16_384, octetsFactor: 4 } as const;
/** An acknowledgment that lets go of what waited for it comes so shortly before. */
const RELEASED_MS = 2;
const NAGLE = { segments: 20, share: 0.5, waitedMs: 20 } as const;

/** One round trip inside, and octets that were under way outside. */
interface Trip extends Seen {
  readonly ms: number;
  readonly octets: number;
}

/** One direction of the outer connection. */
class Sending {
  /** One past the highest octet sent, and the highest acknowledgment of the other side. */
  next = -1;
  acked = -1;
  readonly ackAt = { seconds: 0, nanos: 0 };
  /** Since when octets have been under way. */
  readonly since = { seconds: 0, nanos: 0 };
  waitedMs = 0;
  segments = 0;
  /** Segments of several envelopes that waited for the acknowledgment of the one before. */
  held = 0;

  get underWay(): number {
    return this.next < 0 || this.acked < 0 ? 0 : Math.max(0, (this.next - this.acked) | 0);
  }
}

/** Watches what the outer connection does to what runs inside: TCP in TCP, full buffers, data held back. */
export class PathWatch {
  private readonly sending: readonly [Sending, Sending] = [new Sending(), new Sending()];
  private trouble: Moment | null = null;
  private repeated = 0;
  private firstRepeated: Seen | null = null;
  private trips = 0;
  private least: Trip | null = null;
  private most: Trip | null = null;
  private firstHeld: Seen | null = null;

  /** A segment of the outer connection. */
  segment(a: Arrival, side: 0 | 1, s: SegmentFacts): void {
    const own = this.sending[side];
    const other = this.sending[side === 0 ? 1 : 0];
    if (s.again || s.late || s.ahead) this.trouble = { seconds: a.seconds, nanos: a.nanos };
    if (s.ack >= 0 && (other.acked < 0 || ((s.ack - other.acked) | 0) > 0)) {
      other.waitedMs = other.underWay === 0 ? 0 : millis(other.since, a);
      other.acked = s.ack;
      other.ackAt.seconds = a.seconds;
      other.ackAt.nanos = a.nanos;
    }
    if (s.length === 0) return;
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
    if (own.next < 0 || ((end - own.next) | 0) > 0) own.next = end;
  }

  /** A TCP connection inside sent a segment again. */
  innerAgain(a: Arrival): void {
    if (this.trouble === null || millis(this.trouble, a) > RECOVERY_MS) return;
    this.repeated++;
    this.firstRepeated ??= a.seen();
  }

  /** RTCP told of a round trip inside. */
  roundTrip(a: Arrival, ms: number): void {
    const trip: Trip = { ...a.seen(), ms, octets: this.sending[0].underWay + this.sending[1].underWay };
    this.trips++;
    if (this.least === null || ms < this.least.ms) this.least = trip;
    if (this.most === null || ms > this.most.ms) this.most = trip;
  }

  judge(about: readonly Ref[], findings: Findings): void {
    const { least, most, firstRepeated, firstHeld } = this;
    if (firstRepeated !== null && this.repeated >= MELTDOWN)
      findings.raise('tunnel.meltdown', firstRepeated, about, {
        detail: `${this.repeated} segments inside were sent again while the tunnel made up for a loss.`,
      });
    if (least !== null && most !== null && this.trips >= TRIPS && isBloat(least, most))
      findings.raise('tunnel.bufferbloat', most, about, {
        detail: `The round trip inside grew from ${Math.round(least.ms)} to ${Math.round(most.ms)} ms, with ${most.octets} octets under way.`,
      });
    for (const s of this.sending)
      if (firstHeld !== null && s.held >= NAGLE.segments && s.held >= NAGLE.share * s.segments)
        findings.raise('tunnel.held-back', firstHeld, about, {
          detail: `${s.held} of ${s.segments} segments left only when the one before was acknowledged.`,
        });
  }
}

const isBloat = (a: Trip, b: Trip): boolean =>
  b.ms - a.ms >= BLOAT.ms &&
  b.ms >= BLOAT.factor * a.ms &&
  b.octets >= BLOAT.octets &&
  b.octets >= BLOAT.octetsFactor * a.octets;
