import type { Choice, Selection } from './viewer.js';

/** A list of row numbers that grows; both ends of the wire between threads keep one. */
export class Selected implements Selection {
  count = 0;
  done = false;
  seen = 0;
  error?: string;
  private list = new Uint32Array(256);
  /** Rows in the list. */
  private held = 0;
  private readonly listeners: (() => void)[] = [];

  /** @param stop called when no more is wanted */
  constructor(
    readonly choice: Choice,
    private readonly stop: () => void,
  ) {}

  at(i: number): number {
    return this.list[i];
  }

  find(row: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.list[mid] < row) low = mid + 1;
      else high = mid;
    }
    return low < this.count && this.list[low] === row ? low : -(low + 1);
  }

  onMore(listener: () => void): void {
    this.listeners.push(listener);
  }

  cancel(): void {
    if (this.done) return;
    this.done = true;
    this.stop();
  }

  /** Adds rows without telling anyone. */
  push(row: number): void {
    if (this.held === this.list.length) {
      const wider = new Uint32Array(2 * this.held);
      wider.set(this.list);
      this.list = wider;
    }
    this.list[this.held++] = row;
    this.count++;
  }

  /** Rows since the last call: who takes them keeps them instead of this. */
  take(): Uint32Array {
    const rows = this.list.slice(0, this.held);
    this.list = new Uint32Array(256);
    this.held = 0;
    return rows;
  }

  /** Says that there is news. */
  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** It cannot go on. */
  fail(why: string): void {
    this.error = why;
    this.done = true;
    this.tell();
  }
}
