/** pcapng timestamps: 64 bits of units that an interface chooses with if_tsresol and if_tsoffset. */

const HIGH = 0x1_0000_0000;
const NANOS = 1_000_000_000;
/** Largest number of units in a second that plain numbers divide exactly here. */
const EXACT = 2 ** 50;

/**
 * Splits the timestamps of one interface into seconds and nanoseconds, exactly and mostly without BigInt: what the high
 * word is worth is worked out once for each high word, and a low word added to its remainder stays below 2⁵³.
 */
export class Clock {
  /** Result of the last {@link set}. */
  seconds = 0;
  nanos = 0;
  private readonly units: bigint;
  private readonly perSecond: number;
  private readonly kind: 'multiply' | 'divide' | 'binary' | 'big';
  /** Nanoseconds in a unit, or units in a nanosecond. */
  private readonly factor: number;
  private high = -1;
  private highSeconds = 0;
  private highRest = 0;

  /**
   * @param resolution if_tsresol: units of 10⁻ⁿ s, or of 2⁻ⁿ s where the uppermost bit is set
   * @param offset if_tsoffset: seconds added to every time
   */
  constructor(
    resolution = 6,
    private readonly offset = 0,
  ) {
    const n = resolution & 0x7f;
    const binary = resolution >= 0x80;
    this.units = binary ? 1n << BigInt(n) : 10n ** BigInt(n);
    const units = Number(this.units);
    this.perSecond = units;
    if (units > EXACT || (binary && n > 30)) this.kind = 'big';
    else if (binary) this.kind = 'binary';
    else this.kind = units <= NANOS ? 'multiply' : 'divide';
    this.factor = units <= NANOS ? NANOS / units : units / NANOS;
  }

  /** Takes the timestamp of two words. */
  set(high: number, low: number): void {
    if (this.kind === 'big') {
      this.setBig(high, low);
      return;
    }
    const { perSecond } = this;
    if (high !== this.high) this.setHigh(high);
    const sum = this.highRest + low;
    const whole = sum < perSecond ? 0 : Math.floor(sum / perSecond);
    const rest = sum - whole * perSecond;
    this.seconds = this.highSeconds + whole;
    if (this.kind === 'multiply') this.nanos = rest * this.factor;
    else if (this.kind === 'divide') this.nanos = Math.floor(rest / this.factor);
    else this.nanos = this.binaryNanos(rest);
  }

  /** Floor of rest × 10⁹ / units in two steps, each below 2⁵³: 10⁹ = 31250 × 32000. */
  private binaryNanos(rest: number): number {
    const a = rest * 31_250;
    const q = Math.floor(a / this.perSecond);
    return q * 32_000 + Math.floor(((a - q * this.perSecond) * 32_000) / this.perSecond);
  }

  private setHigh(high: number): void {
    const ticks = BigInt(high) * BigInt(HIGH);
    this.high = high;
    this.highSeconds = Number(ticks / this.units) + this.offset;
    this.highRest = Number(ticks % this.units);
  }

  private setBig(high: number, low: number): void {
    const ticks = BigInt(high) * BigInt(HIGH) + BigInt(low);
    this.seconds = Number(ticks / this.units) + this.offset;
    this.nanos = Number(((ticks % this.units) * BigInt(NANOS)) / this.units);
  }
}
