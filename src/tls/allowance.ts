import { LIMITS } from '../limits.js';

/**
 * What searches for keys and record numbers may cost, in blocks of keystream: in all of a run, and at one frame, so that
 * none holds the reading for long. Each frame adds a little to what the next search may take at once. Counted in work,
 * never in time: the same capture is always read alike.
 */
export class Allowance {
  /** What is left for the run. */
  total: number = LIMITS.lateJoinBlocksTotal;
  private now: number = LIMITS.lateJoinBlocksAtOnce;
  private frame = 0;

  /** What a search may take at `frame`. */
  at(frame: number): number {
    if (frame !== this.frame) {
      // Files of a rotation count from 1 each.
      const passed = frame > this.frame ? frame - this.frame : 1;
      this.now = Math.min(LIMITS.lateJoinBlocksAtOnce, this.now + passed * LIMITS.lateJoinBlocksPerFrame);
      this.frame = frame;
    }
    return Math.min(this.now, this.total);
  }

  /** So much was taken; what was begun is done, so it may be a little more than there was. */
  take(blocks: number): void {
    this.total -= blocks;
    this.pass(blocks);
  }

  /** The same for what has a limit of its own over the run. */
  pass(blocks: number): void {
    this.now -= blocks;
  }
}
