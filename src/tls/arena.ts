/** Memory for plain text: pieces are handed out in order and all given back at once. */

const BLOCK = 1 << 20;
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

export class Arena {
  readonly #blocks: ArenaBlock[] = [new ArenaBlock(BLOCK)];
  #index = 0;
  #top = 0;
  /** Block of the piece handed out last. */
  block: ArenaBlock = this.#blocks[0]!;

  /** Room for `n` octets (at most 1 MiB); returns its offset in {@link block}. */
  take(n: number): number {
    const size = (n + ALIGN - 1) & -ALIGN;
    if (this.#top + size > BLOCK) {
      this.#index++;
      if (this.#index === this.#blocks.length) this.#blocks.push(new ArenaBlock(BLOCK));
      this.block = this.#blocks[this.#index]!;
      this.#top = 0;
    }
    const at = this.#top;
    this.#top += size;
    return at;
  }

  /** Takes everything back. */
  reset(): void {
    this.#index = 0;
    this.#top = 0;
    this.block = this.#blocks[0]!;
  }
}
