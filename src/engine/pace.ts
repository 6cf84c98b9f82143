import { u32 } from '../kit/index.js';
import type { ClockSteps } from '../model/clock.js';
import type { Arrival, Moment, Seen } from '../model/moment.js';
import type { Packet } from './packet.js';

/** Behind a SYN the option stands alone, behind two of no operation. RFC 7323 appendix A */
const ALONE = 0x0101_080a;
const [END, NO_OPERATION, TIMESTAMPS] = [0, 1, 8];
const OPTIONS = 20;

/** TSval of a segment, -1 where there is none. RFC 7323 §3.2 */
export function timestamp({ transport: b, header, payload }: Packet): number {
  const end = header + (b![header + 12] >> 4) * 4;
  if (end > payload || end > b!.length) return -1;
  let at = header + OPTIONS;
  if (end - at === 12 && u32(b!, at) === ALONE) return u32(b!, at + 4);
  while (at < end && b![at] !== END) {
    if (b![at] === NO_OPERATION) at++;
    else if (b![at] === TIMESTAMPS) return at + 10 <= end && b![at + 1] === 10 ? u32(b!, at + 2) : -1;
    else at += Math.max(2, b![at + 1]);
  }
  return -1;
}

/** A place in a file where the time of a frame is far behind that of the frame before it. */
export interface Leap {
  readonly before: Moment;
  readonly at: Seen;
  readonly ms: number;
  /** It is known for a step of the clock. */
  isStep: boolean;
}

/** RFC 7323 §5.4: a tick of a clock for timestamps takes from 1 ms to 1 s; how long shows over so much time. */
const STEADY = { ms: 200, ticks: 8 } as const;
/** What ticks come to may be wrong by half, for paths jitter; and by so much at least. */
const SPARE = { times: 2, ms: 1000 } as const;

/** The clock of one side of a connection, as its timestamps tell it. */
class Side {
  file = 0;
  ticks = 0;
  seconds = 0;
  nanos = 0;
  /** The last leap of the file when it was seen. */
  leap: Leap | null = null;
  /** How far it went while the capture had no leaps. */
  steadyMs = 0;
  steadyTicks = 0;
  /** The leap in which it did not go on as long, and by how much. */
  doubted: Leap | null = null;
  excessMs = 0;
}

/**
 * Compares the clock of a capture with those of both ends of a connection (the timestamps of TCP, RFC 7323). Where frames
 * are far apart, and for neither end that long has passed, it was the clock of the capture that was set. One end alone
 * proves nothing: that of a phone may stand still while it sleeps.
 */
export class Pace {
  private readonly sides: readonly [Side, Side] = [new Side(), new Side()];

  /** Whether a segment is to be looked at: one a second is enough, and the first behind a leap. */
  isDue(a: Arrival, side: 0 | 1, leap: Leap | null): boolean {
    const own = this.sides[side];
    return own.seconds !== a.seconds || own.leap !== leap || own.file !== a.file;
  }

  /** @param leap the last one of the file */
  take(a: Arrival, side: 0 | 1, ticks: number, leap: Leap | null, clock: ClockSteps): void {
    const own = this.sides[side];
    if (own.file === a.file) {
      const ms = (a.seconds - own.seconds) * 1000 + (a.nanos - own.nanos) / 1e6;
      const more = (ticks - own.ticks) | 0;
      if (more < 0 || ms < 0) return; // out of order
      if (leap === own.leap) {
        own.steadyMs += ms;
        own.steadyTicks += more;
      } else if (leap !== null && own.steadyMs >= STEADY.ms && own.steadyTicks >= STEADY.ticks)
        this.compare(a.file, side, leap, ms, (more * own.steadyMs) / own.steadyTicks, clock);
    }
    own.file = a.file;
    own.ticks = ticks;
    own.seconds = a.seconds;
    own.nanos = a.nanos;
    own.leap = leap;
  }

  /** Across a leap so much time has passed for the capture, and so much for one side. */
  private compare(file: number, side: 0 | 1, leap: Leap, ms: number, ownMs: number, clock: ClockSteps): void {
    if (SPARE.times * ownMs + SPARE.ms >= Math.min(ms, leap.ms)) return;
    const own = this.sides[side];
    own.doubted = leap;
    own.excessMs = ms - ownMs;
    const other = this.sides[side === 0 ? 1 : 0];
    if (other.doubted !== leap || leap.isStep) return;
    leap.isStep = true;
    const { before, at } = leap;
    clock.add({ file, before, at, ms: Math.min(leap.ms, own.excessMs, other.excessMs) });
  }
}
