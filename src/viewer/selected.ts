import type { Choice, Selection } from './viewer.js';

/** Rows of a block of memory, as a power of two. */
const BITS = 13;
const ROWS = 1 << BITS;

/** What was added to a list of rows, as it goes from thread to thread: memory that both see. */
export interface SelectedAdded {
  readonly blocks: readonly SharedArrayBuffer[];
  /** Rows that there are now. */
  readonly count: number;
}

/** A list of row numbers that grows; both ends of the wire between threads see the same. */
export class Selected implements Selection {
  count = 0;
  done = false;
  seen = 0;
  error?: string;
  private readonly blocks: Uint32Array[] = [];
  private toldBlocks = 0;
  private readonly listeners: (() => void)[] = [];

  /** @param stop called when no more is wanted */
  constructor(
    readonly choice: Choice,
    private readonly stop: () => void,
  ) {}

  at(i: number): number {
    return this.blocks[i >> BITS]?.[i & (ROWS - 1)]; // of no meaning where there is no such row
  }

  find(row: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.at(mid) < row) low = mid + 1;
      else high = mid;
    }
    return low < this.count && this.at(low) === row ? low : -(low + 1);
  }

  onMore(listener: () => void): void {
    this.listeners.push(listener);
  }

  cancel(): void {
    if (this.done) return;
    this.done = true;
    this.stop();
  }

  /** Adds a row without telling anyone. */
  push(row: number): void {
    const at = this.count++;
    const place = at & (ROWS - 1);
    if (place === 0) this.blocks.push(new Uint32Array(new SharedArrayBuffer(4 * ROWS)));
    this.blocks[at >> BITS][place] = row;
  }

  /** What was pushed since the last call. */
  added(): SelectedAdded {
    const blocks = this.blocks.slice(this.toldBlocks).map((b) => b.buffer as SharedArrayBuffer);
    this.toldBlocks = this.blocks.length;
    return { blocks, count: this.count };
  }

  /** Takes what another thread has pushed. */
  add({ blocks, count }: SelectedAdded): void {
    for (const memory of blocks) this.blocks.push(new Uint32Array(memory));
    this.count = count;
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
