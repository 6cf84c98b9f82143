import type { GrowingReader } from '../capture/growing.js';
import { twoDigits } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { LiveConsole, LiveEvent } from '../tui/live-console.js';

/** Something that brings packets while it is looked at: a pipe, a capture, a UE, an EFTF. */
export interface LiveRun {
  /** What it brings. */
  readonly reader: GrowingReader;
  /** Told why nothing comes any more, where that is not the end of what it reads. */
  onTrouble?(say: (words: string) => void): void;
  /** For view 7; a pipe has none. */
  readonly console?: LiveConsole;
  /** The screens are there: does what they are to see from the start. */
  begin?(): void;
  /** The file has the keys of all that is in it. */
  readonly keyed?: true;
  /** Ctrl-C: stops what can be stopped, and says what that was; undefined where nothing can. */
  stop(): string | undefined;
  /** Stops, and has let go of all but the packets that it brought when it resolves. */
  halt?(): Promise<void>;
  /** Ends it all, in good order; returns the exit code. What it brought is looked at by nobody any more. */
  end(): Promise<number>;
}

/** Milliseconds between two looks at figures that change by themselves. */
const TICK_MS = 500;

/** What happened in a run, in lines, for those who look. */
export class Happenings {
  readonly events: LiveEvent[] = [];
  readonly since = Date.now();
  private readonly listeners: (() => void)[] = [];
  private readonly timer: NodeJS.Timeout;

  /** @param tick called now and then: figures may be others */
  constructor(tick: () => void = () => undefined) {
    this.timer = setInterval(() => {
      tick();
      this.changed();
    }, TICK_MS);
    this.timer.unref();
  }

  note(text: string, severity: LiveEvent['severity'] = 'note'): void {
    this.events.push({ at: new Date(), severity, text });
    if (this.events.length > LIMITS.liveLines) this.events.shift();
    this.changed();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }

  /** Nothing changes by itself any more. */
  stop(): void {
    clearInterval(this.timer);
    this.changed();
  }
}

/** Time that has passed, as `00:01:12`. */
export function clockOf(ms: number): string {
  const s = Math.floor(ms / 1000);
  return `${twoDigits(Math.floor(s / 3600))}:${twoDigits(Math.floor(s / 60) % 60)}:${twoDigits(s % 60)}`;
}

/** How fast counters grow, looked at again and again. */
export class Rates {
  private before: { readonly at: number; readonly counts: readonly number[] } | undefined;
  private last: readonly number[] = [];

  /** Counts now; returns how many of each came in a second, by the last two looks a second apart. */
  of(counts: readonly number[]): readonly number[] {
    const at = performance.now();
    this.before ??= { at, counts };
    const seconds = (at - this.before.at) / 1000;
    if (seconds >= 1) {
      const { counts: old } = this.before;
      this.last = counts.map((n, i) => Math.max(0, n - old[i]) / seconds);
      this.before = { at, counts };
    }
    return counts.map((_, i) => this.last[i] ?? 0);
  }
}
