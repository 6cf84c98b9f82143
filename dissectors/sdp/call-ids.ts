import { LIMITS } from 'fttscope/kit';

/**
 * The Call-IDs of the sessions that named an address, oldest first. One that goes on from another shares what both have: the
 * address of a media gateway has hundreds, and each description tells them all.
 */
export class CallIds {
  static readonly NONE = new CallIds([], 0, 0);

  private kept: readonly string[] | undefined;

  private constructor(
    /** Those of this one are `[from, to)`; of what goes on from it some may stand behind, and of what it goes on from before. */
    private readonly all: string[],
    private readonly from: number,
    private readonly to: number,
  ) {}

  get list(): readonly string[] {
    this.kept ??= this.all.slice(this.from, this.to);
    return this.kept;
  }

  has(id: string): boolean {
    for (let i = this.to - 1; i >= this.from; i--) if (this.all[i] === id) return true;
    return false;
  }

  get isFull(): boolean {
    return this.to - this.from >= LIMITS.mediaCalls;
  }

  /** With one more; where they are full without the oldest. */
  with(id: string): CallIds {
    const from = this.isFull ? this.from + 1 : this.from;
    const isLast = this.to === this.all.length && this.to > 0 && this.to < 2 * LIMITS.mediaCalls;
    if (!isLast) return CallIds.of([...this.all.slice(from, this.to), id]);
    this.all.push(id);
    return new CallIds(this.all, from, this.to + 1);
  }

  private static of(all: string[]): CallIds {
    return new CallIds(all, 0, all.length);
  }
}
