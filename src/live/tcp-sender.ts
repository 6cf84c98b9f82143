import { ahead, concat } from '../kit/index.js';
import { type Clock, Timer } from './clock.js';
import { FIN, PSH, plus, SYN } from './tcp-segment.js';

/** Milliseconds: the first timeout, and that of data behind a SYN that was sent again. RFC 6298 (2.1), (2.4), (2.5), (5.7) */
const FIRST_RTO = 1000;
const AFTER_LOST_SYN = 3000;
const LEAST_RTO = 1000;
const MOST_RTO = 60_000;
/** How long nobody acknowledges anything before the connection is given up, and before one that is not open is. RFC 9293 §3.8.3 */
const PATIENCE = 100_000;
const SYN_PATIENCE = 180_000;
/** What may be sent at first: so many segments, and octets where that is more than two of them. RFC 6928 §2 */
const INITIAL_WINDOW = { segments: 10, octets: 14_600 } as const;
/** Acknowledgements of the same that say that a segment was lost. RFC 5681 §3.2 */
const DUPLICATES = 3;
const NONE = new Uint8Array(0);

/** What a sender needs of its connection. */
export interface TcpSenderContext {
  clock: Clock;
  /** Sends a segment; flags besides ACK. */
  emit(seq: number, payload: Uint8Array, flags: number): void;
  /** Nobody acknowledges any more. */
  giveUp(): void;
}

/**
 * The sending half of a connection: what waits to be sent and to be acknowledged, when it is sent again, how much may be
 * under way. RFC 9293 §3.8, RFC 6298, RFC 5681
 */
export class TcpSender {
  /** The oldest sequence number that is not acknowledged, and the next to send. RFC 9293 §3.3.1 */
  una: number;
  nxt: number;
  /** Octets of the largest segment that the peer takes. */
  mss = 536; // RFC 9293 §3.7.1
  /** Octets that the peer takes behind `una`. */
  private window = 0;
  /** Sequence and acknowledgement number of the segment that said so. */
  private windowSeq = 0;
  private windowAck = 0;
  /** Behind the last octet that was ever sent. */
  private most: number;
  private opening = true;
  /** How often the SYN was sent again. */
  private synRepeats = 0;
  /** Octets from `una` on; without the SYN before and the FIN behind them. */
  private queue: Uint8Array = NONE;
  private ends = false;
  private isFinished = false;
  private isStopped = false;
  private readonly timer: Timer;
  private rto = FIRST_RTO;
  private smoothed: number | undefined;
  private variation = 0;
  /** A segment whose acknowledgement is timed. RFC 6298 §3: never one that was sent again */
  private timed: { seq: number; at: number } | undefined;
  /** When something was acknowledged last, or first sent after all was. */
  private since = 0;
  private congestion = 0;
  private threshold = Number.POSITIVE_INFINITY;
  private duplicates = 0;

  constructor(
    iss: number,
    private readonly cx: TcpSenderContext,
  ) {
    this.una = iss;
    this.nxt = iss;
    this.most = iss;
    this.timer = new Timer(cx.clock);
  }

  /** Octets that are not acknowledged. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Whether all was acknowledged, the FIN, too. */
  get finished(): boolean {
    return this.isFinished;
  }

  /** Sends the SYN. */
  open(): void {
    this.since = this.cx.clock.now();
    this.timed = { seq: this.una, at: this.since };
    this.nxt = this.most = plus(this.una, 1);
    this.timer.set(this.rto, () => this.expired());
    this.cx.emit(this.una, NONE, SYN);
  }

  /** Sends octets, as soon as may be. */
  send(octets: Uint8Array): void {
    this.begin();
    this.queue = concat([this.queue, octets]);
    this.transmit();
  }

  /** Nothing follows what was sent. */
  end(): void {
    this.begin();
    this.ends = true;
    this.transmit();
  }

  stop(): void {
    this.isStopped = true;
    this.timer.stop();
  }

  /** Whether `ack` acknowledges what was not acknowledged before, and was sent. RFC 9293 §3.4 */
  acknowledges(ack: number): boolean {
    return ahead(ack, this.una) > 0 && ahead(ack, this.most) <= 0;
  }

  /**
   * Takes what a segment acknowledges, and its window.
   * @param bare it carries nothing else. False where it acknowledges what was never sent. RFC 9293 §3.10.7.4
   */
  acknowledged(seq: number, ack: number, window: number, bare: boolean): boolean {
    if (ahead(ack, this.most) > 0) return false;
    if (ahead(ack, this.una) > 0) this.advance(ack);
    else if (this.window === 0)
      this.since = this.cx.clock.now(); // it answers to probes: RFC 9293 §3.8.6.1 MUST-37
    else if (bare && ack === this.una && window === this.window && this.nxt !== this.una) this.repeated();
    const newer = ahead(seq, this.windowSeq);
    if (newer > 0 || (newer === 0 && ahead(ack, this.windowAck) >= 0) || this.window === 0) {
      this.window = window;
      this.windowSeq = seq;
      this.windowAck = ack;
    }
    this.transmit();
    return true;
  }

  /** The path takes no more than `mss` octets, and so did not take the segment at `seq`. RFC 8201 §5.2 */
  fit(seq: number, mss: number): void {
    const isUnderWay = ahead(seq, this.una) >= 0 && ahead(seq, this.nxt) < 0;
    if (!isUnderWay || mss >= this.mss) return;
    this.mss = mss;
    this.timed = undefined;
    this.nxt = this.una;
    this.transmit();
  }

  private begin(): void {
    if (this.nxt === this.una && this.queue.length === 0) this.since = this.cx.clock.now();
  }

  private advance(ack: number): void {
    const { cx } = this;
    let n = ahead(ack, this.una);
    if (this.timed && ahead(ack, this.timed.seq) > 0) {
      this.measured(cx.clock.now() - this.timed.at);
      this.timed = undefined;
    }
    this.una = ack;
    if (ahead(this.nxt, ack) < 0) this.nxt = ack;
    this.since = cx.clock.now();
    this.rto = this.timeout; // as kernels have it: RFC 6298 §5 would wait for the next measurement
    this.duplicates = 0;
    if (this.opening) {
      this.opening = false;
      this.congestion = this.initialWindow;
      n--;
    } else if (this.congestion < this.threshold) this.congestion += Math.min(n, this.mss);
    else this.congestion += Math.ceil((this.mss * this.mss) / this.congestion);
    if (n > this.queue.length) this.isFinished = true;
    this.queue = this.queue.slice(n);
    this.timer.stop();
  }

  /** One segment where the SYN was lost more than once. RFC 6928 §2 */
  private get initialWindow(): number {
    const { segments, octets } = INITIAL_WINDOW;
    return this.synRepeats > 1 ? this.mss : Math.min(segments * this.mss, Math.max(2 * this.mss, octets));
  }

  /** RFC 6298 §2 */
  private measured(ms: number): void {
    if (this.smoothed === undefined) {
      this.smoothed = ms;
      this.variation = ms / 2;
    } else {
      this.variation = 0.75 * this.variation + 0.25 * Math.abs(this.smoothed - ms);
      this.smoothed = 0.875 * this.smoothed + 0.125 * ms;
    }
  }

  /** RFC 6298 (2.3), (2.4), (2.5), (5.7) */
  private get timeout(): number {
    if (this.smoothed === undefined) return this.synRepeats > 0 ? AFTER_LOST_SYN : FIRST_RTO;
    return Math.min(MOST_RTO, Math.max(LEAST_RTO, this.smoothed + 4 * this.variation));
  }

  /** The same was acknowledged again: the third time, what follows it was lost. RFC 5681 §3.2 */
  private repeated(): void {
    if (++this.duplicates !== DUPLICATES) return;
    this.threshold = Math.max(ahead(this.nxt, this.una) / 2, 2 * this.mss);
    this.congestion = this.threshold;
    this.timed = undefined;
    this.segmentAt(this.una, Math.min(this.mss, this.queue.length));
  }

  /** Sends what may be sent. */
  private transmit(): void {
    if (this.opening || this.isFinished) return;
    while (!this.isStopped) {
      const { nxt } = this;
      const sent = ahead(nxt, this.una);
      const left = this.queue.length - sent;
      const n = Math.min(this.mss, left, this.window - sent, this.congestion - sent);
      if (left > 0) {
        // A part of what waits goes only where nothing is under way. RFC 9293 §3.8.6.2.1
        if (n <= 0 || (n < this.mss && n < left && sent > 0)) break;
        if (!this.timed && nxt === this.most) this.timed = { seq: nxt, at: this.cx.clock.now() };
        this.sentTo(plus(nxt, n)); // before: the answer may come during the call
        this.segmentAt(nxt, n);
      } else {
        if (left < 0 || !this.ends) break;
        this.sentTo(plus(nxt, 1));
        this.cx.emit(nxt, NONE, FIN);
      }
    }
    const pending = this.nxt !== this.una || this.queue.length > 0;
    if (pending && !this.isStopped && !this.timer.running) this.timer.set(this.rto, () => this.expired());
  }

  private segmentAt(seq: number, n: number): void {
    const from = ahead(seq, this.una);
    if (n > 0) this.cx.emit(seq, this.queue.subarray(from, from + n), from + n === this.queue.length ? PSH : 0);
    else if (this.ends) this.cx.emit(seq, NONE, FIN);
  }

  private sentTo(seq: number): void {
    this.nxt = seq;
    if (ahead(seq, this.most) > 0) this.most = seq;
  }

  /** Nothing was acknowledged in time. RFC 6298 §5 */
  private expired(): void {
    if (this.cx.clock.now() - this.since >= (this.opening ? SYN_PATIENCE : PATIENCE)) {
      this.cx.giveUp();
      return;
    }
    this.rto = Math.min(2 * this.rto, MOST_RTO);
    this.timed = undefined;
    this.timer.set(this.rto, () => this.expired());
    if (this.opening) {
      this.synRepeats++;
      this.cx.emit(this.una, NONE, SYN);
    } else if (this.window === 0 && this.queue.length > 0) {
      const { una } = this;
      if (this.nxt === una) this.sentTo(plus(una, 1));
      this.segmentAt(una, 1); // asks whether there is room again. RFC 9293 §3.8.6.1
    } else {
      this.threshold = Math.max(ahead(this.nxt, this.una) / 2, 2 * this.mss);
      this.congestion = this.mss;
      this.nxt = this.una;
      this.transmit();
    }
  }
}
