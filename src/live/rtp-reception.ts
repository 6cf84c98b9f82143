/** RFC 3550 §A.1: how far ahead, and how far behind, a packet may be that belongs to the stream. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** What a receiver knows about a stream, for its reports. RFC 3550 §6.4.1, appendix A.1, A.3 and A.8 */
export class RtpReception {
  received = 0;
  /** In units of the clock. */
  jitter = 0;
  private cycles = 0;
  private highest = -1;
  private base = 0;
  /** What would come next if the source had begun anew; undefined where nothing looks like that. */
  private anew: number | undefined;
  private transit: number | undefined;
  private expectedBefore = 0;
  private receivedBefore = 0;
  /** Middle 32 bits of the NTP time of the last sender report, and when it came (ms). */
  private lastReport: { ntp: number; at: number } | undefined;

  constructor(
    readonly ssrc: number,
    private readonly clock: number,
  ) {}

  /** @param now ms */
  packet(sequence: number, timestamp: number, now: number): void {
    this.received++;
    if (!this.place(sequence)) return;
    const transit = (now * this.clock) / 1000 - timestamp;
    if (this.transit !== undefined) {
      const d = Math.abs(wrapped(transit - this.transit));
      this.jitter += (d - this.jitter) / 16; // RFC 3550 §A.8
    }
    this.transit = transit;
  }

  senderReport(ntp: number, now: number): void {
    this.lastReport = { ntp, at: now };
  }

  get extendedHighest(): number {
    return this.cycles + Math.max(0, this.highest);
  }

  /** Packets that did not come, so far. */
  get lost(): number {
    return this.highest < 0 ? 0 : this.extendedHighest - this.base + 1 - this.received;
  }

  /** A report block since the last one. RFC 3550 §A.3 */
  report(now: number): {
    ssrc: number;
    fraction: number;
    lost: number;
    highest: number;
    jitter: number;
    lsr: number;
    dlsr: number;
  } {
    const expected = this.highest < 0 ? 0 : this.extendedHighest - this.base + 1;
    const expectedNow = expected - this.expectedBefore;
    const lostNow = expectedNow - (this.received - this.receivedBefore);
    this.expectedBefore = expected;
    this.receivedBefore = this.received;
    const fraction = expectedNow === 0 || lostNow <= 0 ? 0 : Math.floor((lostNow * 256) / expectedNow);
    const { ssrc, lost, jitter, lastReport, extendedHighest: highest } = this;
    const dlsr = lastReport ? Math.round(((now - lastReport.at) * 65_536) / 1000) : 0;
    return {
      ssrc,
      fraction: Math.min(255, fraction),
      lost,
      highest,
      jitter: Math.floor(jitter),
      lsr: lastReport?.ntp ?? 0,
      dlsr,
    };
  }

  /** Puts a packet in its place; false where it belongs nowhere. RFC 3550 §A.1 */
  private place(sequence: number): boolean {
    if (this.highest < 0) {
      this.base = this.highest = sequence;
      return true;
    }
    const step = (sequence - this.highest) & 0xffff;
    if (step >= MAX_DROPOUT && step <= 0x10000 - MAX_MISORDER) {
      if (sequence !== this.anew) {
        this.anew = (sequence + 1) & 0xffff;
        return false;
      }
      this.restart(sequence);
      return true;
    }
    this.anew = undefined;
    if (step === 0 || step >= MAX_DROPOUT) return true; // again, or late
    if (sequence < this.highest) this.cycles += 0x10000;
    this.highest = sequence;
    return true;
  }

  /** Two packets far off that follow each other: the source counts from elsewhere. What was lost before stays lost. */
  private restart(sequence: number): void {
    const lost = this.lost + 2; // both were counted as received
    this.cycles = 0;
    this.highest = sequence;
    this.base = sequence + 1 - this.received - lost;
    this.transit = undefined;
    this.anew = undefined;
  }
}

/** A difference of timestamps that may have wrapped around. */
const wrapped = (d: number): number => {
  const r = ((d % 2 ** 32) + 2 ** 32) % 2 ** 32;
  return r >= 2 ** 31 ? r - 2 ** 32 : r;
};
