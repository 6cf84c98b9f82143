import { millis, type Seen } from './moment.js';

/** A repetition that came at another time than it should. */
export interface OffBeat {
  readonly at: Seen;
  readonly ms: number;
  readonly expectedMs: number;
}

/** Clocks and paths are not exact: so much beside what is allowed is in time. */
const SLACK_MS = 500;

/** Watches how a client repeats what was not answered: each pause is to be twice as long as the one before. */
export class Backoff {
  /** The first repetition at a wrong time. */
  wrong: OffBeat | null = null;
  /** What is not answered yet. */
  last: Seen | null = null;
  /** The next pause; 0 before the first. */
  dueMs = 0;

  /**
   * @param firstMs first pause
   * @param mostMs longest pause
   * @param spreadMs randomness that is allowed, in milliseconds
   * @param share the same as a share of the pause; then what doubles is the pause that was, not the one that was due
   */
  constructor(
    private readonly firstMs: number,
    private readonly mostMs: number,
    private readonly spreadMs: number,
    private readonly share: number,
  ) {}

  sent(at: Seen): void {
    if (this.last !== null) {
      const ms = millis(this.last, at);
      const expectedMs = Math.min(this.mostMs, this.dueMs === 0 ? this.firstMs : this.dueMs);
      this.dueMs = 2 * (this.share === 0 ? expectedMs : ms);
      const most = this.spreadMs + this.share * expectedMs + SLACK_MS;
      if (ms >= 0 && Math.abs(ms - expectedMs) > most) this.wrong ??= { at, ms, expectedMs };
    }
    this.last = at;
  }

  answered(): void {
    this.last = null;
    this.dueMs = 0;
  }
}
