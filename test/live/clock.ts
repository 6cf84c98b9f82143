import type { Cancel, Clock } from '../../src/live/clock.js';

/** A clock that stands still until it is told to go on; calls are made in the order of their times. */
export class VirtualClock implements Clock {
  private time = 0;
  private number = 0;
  private waiting: { at: number; number: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): Cancel {
    const entry = { at: this.time + Math.max(0, ms), number: this.number++, callback };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((w) => w !== entry);
    };
  }

  /** When the next call is due; Infinity if none is. */
  next(): number {
    return this.waiting.reduce((least, w) => Math.min(least, w.at), Number.POSITIVE_INFINITY);
  }

  /** Goes on by `ms` and makes every call that falls due on the way. */
  advance(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      let first: (typeof this.waiting)[number] | undefined;
      for (const w of this.waiting) {
        if (w.at <= until && (!first || w.at < first.at || (w.at === first.at && w.number < first.number))) first = w;
      }
      if (!first) break;
      this.waiting.splice(this.waiting.indexOf(first), 1);
      this.time = Math.max(this.time, first.at);
      first.callback();
    }
    this.time = until;
  }
}
