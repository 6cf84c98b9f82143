/** Memory for plain text: pieces are handed out in order and all given back at once. */

/** What a chunk of frames has as plain text seldom needs more. */
const BLOCK = 1 << 17;
/** Pieces start at a multiple of this and own what lies up to the next: room for whole cipher blocks. */
const ALIGN = 64;

/** A stretch of memory, as octets and as words. */
export class ArenaBlock {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
  readonly longs: BigUint64Array;

  constructor(size: number) {
    const memory = new ArrayBuffer(size);
    this.octets = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.longs = new BigUint64Array(memory);
  }
}

/**
 * Blocks of 128 KiB from which pieces are taken one behind the other. {@link Arena.reset} gives all back: what was
 * taken before is overwritten from then on.
 */
export class Arena {
  readonly #blocks: ArenaBlock[] = [];
  #index = -1;
  /** Nothing fits into the block before the first. */
  #top = BLOCK + 1;
  /** Block of the piece handed out last. */
  block!: ArenaBlock;

  /** Room for `n` octets (at most 128 KiB); returns its offset in {@link block}. */
  take(n: number): number {
    const size = (n + ALIGN - 1) & -ALIGN;
    if (this.#top + size > BLOCK) {
      this.#index++;
      if (this.#index === this.#blocks.length) this.#blocks.push(new ArenaBlock(BLOCK));
      this.block = this.#blocks[this.#index];
      this.#top = 0;
    }
    const at = this.#top;
    this.#top += size;
    return at;
  }

  /** Takes everything back. */
  reset(): void {
    this.#index = -1;
    this.#top = BLOCK + 1;
  }
}
