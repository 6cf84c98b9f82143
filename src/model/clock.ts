import { LIMITS, type ReachedLimits } from '../limits.js';
import { type Moment, millis, type Seen } from './moment.js';

/** The clock of a capture was set: it went on from one frame to the next by so much more than time did, or back. */
export interface ClockStep {
  readonly file: number;
  /** The time of the frame before, and the frame that has the new one. */
  readonly before: Moment;
  readonly at: Seen;
  /** Milliseconds; below 0 it went back. */
  readonly ms: number;
}

/** What is known of the clocks of the files. */
export class ClockSteps {
  readonly steps: ClockStep[] = [];

  /** @param reached is told of steps that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  add(step: ClockStep): void {
    if (this.steps.length < LIMITS.clockSteps) this.steps.push(step);
    else this.reached.capped('clockSteps');
  }

  /** Whether the clock of one of these files went back: what was first there nobody can tell by time. */
  wentBack(files: readonly { readonly file: number }[]): boolean {
    return this.steps.some((s) => s.ms < 0 && files.some((f) => f.file === s.file));
  }

  /**
   * Milliseconds that passed from one time to another: that by which the clock of one of these files was set forward
   * between them is none of it.
   */
  passed(from: Moment, to: Moment, files: ReadonlySet<number>): number {
    let ms = millis(from, to);
    for (const s of this.steps)
      if (s.ms > 0 && files.has(s.file) && millis(from, s.before) >= 0 && millis(s.at, to) >= 0) ms -= s.ms;
    return ms;
  }
}
