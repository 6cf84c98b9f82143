import type { LegDelay } from './entities.js';
import type { Arrival } from './moment.js';

/** Segments of a direction whose times are kept; where there are more, every second one is let go of. */
const MOST = 512;
/** Segments that both captures must have, in each direction. */
const ENOUGH = 3;
/** A multiplier that spreads positions over all bits: 2 to the power of 32 divided by the golden ratio. */
const SPREAD = 0x9e3779b1;

/** When the segments of one leg passed, by the position of their end in the stream. Both legs of a tunnel choose the same. */
export class LegTimes {
  private readonly ways: readonly [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  private readonly masks: [number, number] = [0, 0];
  private readonly start: { readonly seconds: number; readonly nanos: number };

  /** @param origins sequence numbers from which positions count: up, down; the same octets in each leg */
  constructor(
    a: Arrival,
    private readonly origins: readonly [number, number],
  ) {
    this.start = { seconds: a.seconds, nanos: a.nanos };
  }

  /** @param way 0 up, 1 down  @param end sequence number of what follows the last octet */
  take(a: Arrival, way: 0 | 1, end: number): void {
    const times = this.ways[way];
    const position = (end - this.origins[way]) >>> 0;
    if ((Math.imul(position, SPREAD) & this.masks[way]) !== 0 || times.has(position)) return;
    times.set(position, (a.seconds - this.start.seconds) * 1000 + (a.nanos - this.start.nanos) / 1e6);
    if (times.size <= MOST) return;
    this.masks[way] = this.masks[way] * 2 + 1;
    for (const p of times.keys()) if ((Math.imul(p, SPREAD) & this.masks[way]) !== 0) times.delete(p);
  }

  /** Milliseconds by which each segment of a direction passed there later than here, by the clocks of both. */
  private later(there: LegTimes, way: 0 | 1): number[] {
    const apart = (there.start.seconds - this.start.seconds) * 1000 + (there.start.nanos - this.start.nanos) / 1e6;
    const out: number[] = [];
    for (const [position, ms] of this.ways[way]) {
      const other = there.ways[way].get(position);
      if (other !== undefined) out.push(other + apart - ms);
    }
    return out;
  }

  /**
   * How the clock of another leg differs from that of this one, and how long segments take from one to the other. The
   * fastest segments of both directions are taken to be equally fast; undefined where too few passed both.
   */
  compare(there: LegTimes): LegDelay | undefined {
    const up = this.later(there, 0);
    const down = this.later(there, 1);
    if (up.length < ENOUGH || down.length < ENOUGH) return undefined;
    // What goes up passes the leg nearer to the UE first, whatever the clocks say.
    const nearer = Math.min(...up) - Math.max(...down);
    const farther = Math.min(...down) - Math.max(...up);
    const first = nearer >= farther;
    const offset = first ? (Math.min(...up) + Math.max(...down)) / 2 : (Math.max(...up) + Math.min(...down)) / 2;
    const sign = first ? 1 : -1;
    return {
      clockOffsetMs: offset,
      delayMs: {
        up: spread(up.map((d) => sign * (d - offset))),
        down: spread(down.map((d) => sign * (offset - d))),
        samples: up.length + down.length,
      },
      nearUe: !first,
    };
  }
}

const spread = (ms: readonly number[]): { min: number; mean: number; max: number } => ({
  min: Math.min(...ms),
  mean: ms.reduce((n, d) => n + d, 0) / ms.length,
  max: Math.max(...ms),
});
