import type { CallEntity } from '../model/entities.js';
import type { Viewer } from '../viewer/viewer.js';

/** Milliseconds between two looks for more. */
const PAUSE_MS = 1000;

/**
 * Calls that are over, as they come while a capture is being read. A report of what was read so far takes about as long as
 * reading that: beside it a list of calls would stand still for most of a long reading.
 */
export class CallsSoFar {
  private known: CallEntity[] = [];
  private from = 0;
  private asking = false;
  private next = 0;
  /** Which reading they are of. */
  private reading = 0;

  /** @param changed is told when there are more */
  constructor(
    private readonly viewer: Viewer,
    private readonly changed: () => void,
  ) {}

  /** Asks for more, where it is time. */
  look(): void {
    if (this.asking || this.viewer.status.done || Date.now() < this.next) return;
    this.asking = true;
    void this.ask(this.reading).finally(() => {
      this.asking = false;
    });
  }

  /** What is known is of an older reading. */
  forget(): void {
    this.reading++;
    this.known = [];
    this.from = this.next = 0;
  }

  private async ask(reading: number): Promise<void> {
    const before = this.from;
    for (;;) {
      const { calls, next } = await this.viewer.over(this.from);
      if (reading !== this.reading || calls.length === 0) break;
      this.from = next;
      this.known.push(...calls);
    }
    this.next = Date.now() + PAUSE_MS;
    if (reading === this.reading && this.from > before) this.changed();
  }

  /** The calls of a report with those that it does not know, or not the end of. */
  with(told: readonly CallEntity[]): readonly CallEntity[] {
    if (this.known.length === 0) return told;
    const over = new Set(told.flatMap((c) => (c.end === undefined ? [] : c.id)));
    const more = this.known.filter((c) => !over.has(c.id));
    const ids = new Set(more.map((c) => c.id));
    return [...told.filter((c) => !ids.has(c.id)), ...more].sort((a, b) => a.id - b.id);
  }

  /** Of those that are known. */
  get count(): number {
    return this.known.length;
  }
}
