import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Octets of memory that packed pages share, one behind the other. */
const ARENA = 1 << 18;
/** Octets in which zlib gives what it packed: a page is seldom more. */
const PIECE = 1 << 13;

/** Texts that were added, as they go from thread to thread: they are packed in pages, the pages in memory that threads share. */
export interface TextsAdded {
  readonly arenas: readonly SharedArrayBuffer[];
  /** Where each page ends in its arena; negative for the first of an arena. */
  readonly ends: readonly number[];
  /** The last texts, which fill no page. */
  readonly tail: readonly string[];
}

/** Packs texts without line ends, so many to a page. */
export class TextsWriter {
  private page: string[] = [];
  /** The page that is being packed: used again, for such memory is given back late. */
  private octets = Buffer.alloc(0);
  private arena: Uint8Array | null = null;
  private used = 0;
  private arenas: SharedArrayBuffer[] = [];
  private ends: number[] = [];

  constructor(private readonly perPage: number) {}

  add(text: string): void {
    this.page.push(text);
    if (this.page.length === this.perPage) this.pack();
  }

  /** Puts a page behind those before it, or into a new arena. */
  private pack(): void {
    const text = this.page.join('\n');
    if (this.octets.length < 3 * text.length) this.octets = Buffer.allocUnsafe(4 * text.length);
    const length = this.octets.write(text);
    const packed = deflateRawSync(this.octets.subarray(0, length), { level: 1, chunkSize: PIECE });
    this.page = [];
    if (this.arena === null || this.used + packed.length > this.arena.length) {
      const memory = new SharedArrayBuffer(Math.max(ARENA, packed.length));
      this.arenas.push(memory);
      this.arena = new Uint8Array(memory);
      this.used = 0;
    }
    this.arena.set(packed, this.used);
    const first = this.used === 0;
    this.used += packed.length;
    this.ends.push(first ? -this.used : this.used);
  }

  /** What was added since the last call. */
  added(): TextsAdded {
    const { arenas, ends, page } = this;
    this.arenas = [];
    this.ends = [];
    return { arenas, ends, tail: page.slice() };
  }
}

/** Texts by number, unpacked when they are asked for. */
export class Texts {
  private readonly arenas: Uint8Array[] = [];
  /** By page: its arena, and where it starts and ends in it. */
  private readonly pages: number[] = [];
  private tail: readonly string[] = [];
  private readonly unpacked = new Map<number, string[]>();

  /** @param kept pages that stay unpacked */
  constructor(
    private readonly perPage: number,
    private readonly kept: number,
  ) {}

  get count(): number {
    return (this.pages.length / 3) * this.perPage + this.tail.length;
  }

  add({ arenas, ends, tail }: TextsAdded): void {
    const { pages } = this;
    for (const memory of arenas) this.arenas.push(new Uint8Array(memory));
    for (const end of ends)
      if (end > 0) pages.push(pages[pages.length - 3], pages[pages.length - 1], end);
      else pages.push(pages.length === 0 ? 0 : pages[pages.length - 3] + 1, 0, -end);
    this.tail = tail;
  }

  clear(): void {
    this.arenas.length = this.pages.length = 0;
    this.tail = [];
    this.unpacked.clear();
  }

  /** Text `i`; empty where there is none. */
  at(i: number): string {
    const page = Math.floor(i / this.perPage);
    const packed = this.pages.length / 3;
    if (page >= packed) return this.tail[i - packed * this.perPage] ?? '';
    let texts = this.unpacked.get(page);
    if (texts === undefined) {
      const [arena, start, end] = this.pages.slice(3 * page, 3 * page + 3);
      texts = inflateRawSync(this.arenas[arena].slice(start, end)).toString('utf8').split('\n');
      if (this.unpacked.size >= this.kept) this.unpacked.delete(this.unpacked.keys().next().value!);
      this.unpacked.set(page, texts);
    }
    return texts[i % this.perPage] ?? '';
  }
}
