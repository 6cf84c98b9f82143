import type { KeepAlive } from './entities.js';
import { type Arrival, type Moment, millis } from './moment.js';

interface Beat {
  readonly first: Moment;
  last: Moment;
  count: number;
}

/** How often a UE says that it is still there, by the way in which it does. */
export class KeepAlives {
  private readonly beats = new Map<KeepAlive['kind'], Beat>();

  take(kind: KeepAlive['kind'], at: Arrival): void {
    const now = { seconds: at.seconds, nanos: at.nanos };
    const b = this.beats.get(kind);
    if (b === undefined) this.beats.set(kind, { first: now, last: now, count: 1 });
    else {
      b.last = now;
      b.count++;
    }
  }

  /** Those that came more than once, with their mean interval. */
  list(): KeepAlive[] {
    return [...this.beats].flatMap(([kind, { first, last, count }]) =>
      count < 2 ? [] : [{ kind, intervalMs: millis(first, last) / (count - 1) }],
    );
  }
}
