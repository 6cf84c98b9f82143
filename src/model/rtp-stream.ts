import * as packet from '../../dissectors/rtp.js';
import { COMFORT_NOISE, KEEP_ALIVE_TYPE } from '../../dissectors/rtp-payload-types.js';
import type { Content } from './events.js';
import { type Arrival, rowName, type Seen } from './moment.js';

/**
 * RFC 3550 appendix A.1: a jump of more than this, or so far back, is a new start of the sequence. That has 100 for the way
 * back; here it is known of all numbers of a {@link WINDOW} which came before.
 */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 1000;
/**
 * A leap of so many numbers is none of loss where it took less time than any packet lasts: the sender numbers anew. No
 * codec of speech has packets shorter than 2.5 ms; video has many of one timestamp.
 */
const LEAP_NUMBERS = 50;
const LEAST_PACKET_MS = 2;
const VIDEO_CLOCK = 90_000;
/** Sequence numbers, a power of two, in which a packet may come late or twice. */
const WINDOW = 1024;
const WRAP = 0x10000;
/** No buffer makes up for so much. */
const LEAP_MS = 1000;
/** A sender that was silent for so long may have begun anew, although its SSRC is the same: the next call of a phone. */
const ANEW_MS = 3000;
/** Packets after a pause that show whether it was the network's: what it held back comes faster than it was sent. */
const AFTER_PAUSE = 5;

/** One source that sends RTP from one endpoint to another: counted as RFC 3550 appendix A says. */
export class RtpStream {
  packets = 0;
  octets = 0;
  /** Of the last packet. */
  lastOctets = 0;
  duplicates = 0;
  reordered = 0;
  keepAlives = 0;
  /** Runs of numbers that were missing when the next came, and the longest; some of them may have come late. */
  private gaps = 0;
  private longestGap = 0;
  /**
   * Timestamps that ran away from the clock, or went back; of those how many did from one number to the next, and how
   * many where the sequence began anew as well, as that of a source that was restarted (RFC 3550 appendix A.1).
   */
  leaps = 0;
  sureLeaps = 0;
  restarts = 0;
  jitterMax = 0;
  private jitterSum = 0;
  private jitterCount = 0;
  private jitter = 0;
  /** Extended sequence numbers, RFC 3550 appendix A.1. */
  private base = 0;
  private highest = 0;
  private unique = 0;
  /** Packets that were expected before the sequence started anew. */
  private before = 0;
  private restart = -1;
  /** Which of the last numbers came; null while all from {@link base} on came in order, as they mostly do. */
  private window: Uint8Array | null = null;
  private seconds = 0;
  private nanos = 0;
  private timestamp = 0;
  readonly start: Seen;
  /** That of the media, which most packets have; of comfort noise and events only where nothing else came. */
  payloadType = KEEP_ALIVE_TYPE;
  private isAside = true;
  private votes = 0;
  /** Packets of other types of media. */
  private others: Map<number, number> | null = null;
  /** Payload types that came, each once. */
  types: readonly number[] = [];
  private lastType = -1;

  constructor(
    readonly ssrc: number,
    at: Arrival,
  ) {
    this.start = at.seen();
  }

  /** Of the last packet. */
  get end(): Seen {
    const { seconds, nanos } = this;
    return { row: rowName(this.file, this.frame, this.inner), seconds, nanos };
  }
  private file = 0;
  private frame = 0;
  private inner = 0;

  /** From the last packet on the session had no such medium, or had it again: nobody need have sent. */
  interrupt(): void {
    this.isInterrupted = true;
  }
  private isInterrupted = false;
  /** Numbers that are missing where it was so. */
  private skips = 0;
  /** Milliseconds of the longest pause in which the session went on as it was. */
  longestPause = 0;
  /** Of {@link lost}, packets that were hardly sent: the session had no such medium for a while. */
  get skipped(): number {
    return Math.min(this.skips, this.lost);
  }
  /** Numbers that were sent, as far as the first and the highest tell. */
  get expected(): number {
    return this.before + (this.packets === 0 ? 0 : this.highest - this.base + 1);
  }
  get lost(): number {
    return Math.max(0, this.expected - this.unique);
  }
  /** Runs of packets that were lost, and the longest: at most as many as were lost at all. */
  get bursts(): { readonly count: number; readonly longest: number } {
    const lost = this.lost - this.skipped;
    return { count: Math.min(this.gaps, lost), longest: Math.min(this.longestGap, lost) };
  }
  /** Whether there were packets to compare. */
  get hasJitter(): boolean {
    return this.jitterCount > 0;
  }
  get jitterMean(): number {
    return this.jitterCount === 0 ? 0 : this.jitterSum / this.jitterCount;
  }

  /**
   * The mean jitter without so many packets that waited for so many milliseconds, to come all at once: with its weights
   * of 1/16 each deviation counts about once, when the first of them comes late and once more when the others catch up.
   */
  jitterWithout(packets: number, waited: number): number {
    if (packets === 0) return this.jitterMean;
    return Math.max(0, this.jitterSum - 2 * waited) / Math.max(1, this.jitterCount - packets);
  }

  /**
   * Takes a packet.
   * @param clock of its payload type in hertz, 0 where it is unknown
   * @param event whether it is a named event, whose timestamp stands still (RFC 4733 §2.2)
   */
  take(at: Arrival, { buf, off, wireEnd }: Content, clock: number, event: boolean): void {
    const type = packet.payloadType(buf, off);
    const timestamp = packet.timestamp(buf, off);
    const octets = wireEnd - off;
    if (type !== this.lastType) this.turn(type);
    if (type === KEEP_ALIVE_TYPE) this.keepAlives++;
    else if (!event && type !== COMFORT_NOISE) this.vote(type);
    else if (this.isAside) this.payloadType = type;
    this.octets += octets;
    this.lastOctets = octets;
    const late = this.reordered;
    const isMedia = clock > 0 && type !== KEEP_ALIVE_TYPE && !event;
    // What comes again, or late, has no timestamp that is new: the sequence started anew.
    const anew = isMedia && clock === this.clock && ((timestamp - this.newest) | 0) > 0;
    const told = isMedia && clock === this.clock && clock < VIDEO_CLOCK;
    const passed = told ? (((timestamp - this.newest) | 0) * 1000) / clock : -1;
    if (this.packets > 0 && !this.isInterrupted) {
      const pause = (at.seconds - this.seconds) * 1000 + (at.nanos - this.nanos) / 1e6;
      if (pause > this.longestPause) this.longestPause = pause;
    }
    const fresh = this.count(at, packet.sequence(buf, off), this.packets++ === 0, anew, passed);
    const isTakenUp = this.isInterrupted;
    this.isInterrupted = false;
    // With the marker speech begins, after silence. RFC 3551 §4.1
    if (isMedia && fresh) this.arrive(at, timestamp, clock, packet.marker(buf, off), this.reordered > late, isTakenUp);
    this.seconds = at.seconds;
    this.nanos = at.nanos;
    this.file = at.severalFiles ? at.file : 0;
    this.frame = at.frame;
    this.inner = at.inner;
  }

  /** Counts a packet of media for its type; that of most packets is the stream's. */
  private vote(type: number): void {
    if (this.isAside) this.payloadType = type;
    this.isAside = false;
    if (type === this.payloadType) {
      this.votes++;
      return;
    }
    this.others ??= new Map(); // few streams have any
    const votes = (this.others.get(type) ?? 0) + 1;
    this.others.set(type, votes);
    if (votes <= this.votes) return;
    this.others.set(this.payloadType, this.votes);
    this.others.delete(type);
    this.payloadType = type;
    this.votes = votes;
  }

  private turn(type: number): void {
    this.lastType = type;
    if (!this.types.includes(type)) this.types = [...this.types, type]; // mostly one: no room for more
  }

  /**
   * Counts a sequence number; false: it has come before.
   * @param anew it is no earlier packet, whatever its number
   * @param passedMs from the newest packet, by their timestamps; negative: unknown
   */
  private count(at: Arrival, seq: number, first: boolean, anew: boolean, passedMs: number): boolean {
    if (first) return this.begin(seq);
    const low = this.highest & 0xffff;
    let delta = (seq - low) & 0xffff;
    if (delta >= WRAP / 2) delta -= WRAP;
    if (delta > MAX_DROPOUT || delta < -MAX_MISORDER || (anew && delta <= 0)) {
      if (this.restart !== seq) {
        this.restart = (seq + 1) & 0xffff;
        this.unique++;
        this.before++; // one packet of a sequence that may have started
        this.step = 0;
        return true;
      }
      return this.renumber(seq);
    }
    if (delta > LEAP_NUMBERS && passedMs >= 0 && (passedMs < LEAST_PACKET_MS * delta || this.isBeyond(at, passedMs)))
      return this.renumber(seq);
    if (delta > 0) {
      this.advance(delta);
      this.unique++;
      return true;
    }
    const number = this.highest + delta;
    if (number < this.base) {
      this.out();
      this.base = number;
      this.reordered++;
      this.unique++;
      return this.mark(number);
    }
    const known =
      delta === 0 || this.window === null || (this.window[(number & (WINDOW - 1)) >> 3] & (1 << (number & 7))) !== 0;
    if (known) {
      this.duplicates++;
      return false;
    }
    this.reordered++;
    this.unique++;
    return this.mark(number);
  }

  /** Whether more time of media has passed, after a silence, than time itself: what lies between was never sent. */
  private isBeyond(at: Arrival, passedMs: number): boolean {
    const silent = (at.seconds - this.seconds) * 1000 + (at.nanos - this.nanos) / 1e6;
    return silent >= ANEW_MS && passedMs - silent > LEAP_MS;
  }

  /** The sequence goes on from another number. */
  private renumber(seq: number): true {
    this.before += this.highest - this.base + 1;
    this.restart = -1;
    this.isRenumbered = true;
    return this.begin(seq);
  }
  /** Whether the sequence began anew at least once. */
  isRenumbered = false;

  private begin(seq: number): true {
    this.step = 0;
    this.base = this.highest = seq + WRAP; // room for numbers before the first
    this.unique++;
    this.window = null;
    return true;
  }

  private advance(delta: number): void {
    this.step = delta;
    if (delta > 1) {
      if (this.isInterrupted) this.skips += delta - 1;
      else {
        this.gaps++;
        if (delta - 1 > this.longestGap) this.longestGap = delta - 1;
      }
      const window = this.out();
      if (delta >= WINDOW) window.fill(0);
      else
        for (let n = this.highest + 1; n < this.highest + delta; n++)
          window[(n & (WINDOW - 1)) >> 3] &= ~(1 << (n & 7));
    }
    this.highest += delta;
    this.mark(this.highest);
  }

  /** By how much the highest number went up last; 0: another sequence began. */
  private step = 0;

  private mark(number: number): true {
    if (this.window !== null) this.window[(number & (WINDOW - 1)) >> 3] |= 1 << (number & 7);
    return true;
  }

  /** From now on not all numbers came in order. */
  private out(): Uint8Array {
    if (this.window !== null) return this.window;
    this.window = new Uint8Array(WINDOW >> 3);
    for (let n = Math.max(this.base, this.highest - WINDOW + 1); n <= this.highest; n++) this.mark(n);
    return this.window;
  }

  /**
   * Interarrival jitter, RFC 3550 §6.4.1 and appendix A.8, in milliseconds. It tells of the network, so that what the
   * sender does to its clock is no part of it: another rate (RFC 7160 §3), a leap, a pause in which it stood still.
   * @param isTakenUp the session had no such medium before
   */
  private arrive(
    at: Arrival,
    timestamp: number,
    clock: number,
    marker: boolean,
    late: boolean,
    isTakenUp: boolean,
  ): void {
    if (clock === this.clock) {
      const arrival = (at.seconds - this.clockSeconds) * 1000 + (at.nanos - this.clockNanos) / 1e6;
      const sent = (((timestamp - this.timestamp) | 0) * 1000) / clock;
      const leapt = sent - arrival > LEAP_MS || sent < -LEAP_MS;
      const leaps = leapt && !late && !this.afterLate;
      // A sender that takes up the session again may do so with any timestamp: nobody waits for one.
      if (leaps && !isTakenUp) {
        this.leaps++;
        if (this.step === 1) this.sureLeaps++;
        if (this.step === 0) this.restarts++;
      }
      if (leaps || ((timestamp - this.newest) | 0) > 0) this.newest = timestamp;
      if (this.paused > 0) this.goOn(arrival, sent);
      if (arrival - sent <= LEAP_MS) {
        if (!leapt) this.spread(Math.abs(arrival - sent));
      } else if (!marker && !leapt) this.pause(arrival - sent);
    } else {
      this.origin = this.clock === 0 ? timestamp : -1;
      this.newest = timestamp;
    }
    this.afterLate = late;
    this.clock = clock;
    this.clockSeconds = at.seconds;
    this.clockNanos = at.nanos;
    this.timestamp = timestamp;
  }
  /** Milliseconds of media that its timestamps span; 0 where they do not tell. */
  get spanMs(): number {
    const isOne = this.origin >= 0 && this.leaps === 0 && !this.isRenumbered;
    return isOne ? (((this.newest - this.origin) >>> 0) * 1000) / this.clock : 0;
  }
  /** The first timestamp; -1 where the clock is none, or another one by now. */
  private origin = -1;
  /** Hertz of the packet that {@link timestamp} is of; 0 before the first. */
  private clock = 0;
  private clockSeconds = 0;
  private clockNanos = 0;
  private afterLate = false;
  /** The latest timestamp since the clock started, or leapt: not that of a packet that came late. */
  private newest = 0;

  /** A packet came so much later than its timestamp says, and it is not known yet whose doing that was. */
  private pause(ms: number): void {
    this.paused = ms;
    this.pausedAgo = this.pausedSent = this.pausedArrival = 0;
  }
  private paused = 0;
  private pausedAgo = 0;
  private pausedSent = 0;
  private pausedArrival = 0;

  /** The packets after a pause: those of a sender whose clock stood still keep their pace, and it is no jitter. */
  private goOn(arrival: number, sent: number): void {
    this.pausedArrival += arrival;
    this.pausedSent += sent;
    if (++this.pausedAgo < AFTER_PAUSE) return;
    if (2 * this.pausedArrival < this.pausedSent) this.spread(this.paused);
    this.paused = 0;
  }

  private spread(ms: number): void {
    this.jitter += (ms - this.jitter) / 16;
    this.jitterSum += this.jitter;
    this.jitterCount++;
    if (this.jitter > this.jitterMax) this.jitterMax = this.jitter;
  }
}
