import { inflateRawSync } from 'node:zlib';

/** Rows of a block of columns. */
export const BLOCK_ROWS = 16_384;
/** Rows whose Info texts are packed together. */
export const PAGE_ROWS = 128;
/** Octets of memory that packed pages share, one behind the other. */
export const ARENA = 1 << 18;
/** Pages of Info texts that are kept unpacked. */
const PAGES_KEPT = 64;

export const Direction = { none: 0, up: 1, down: 2 } as const;
export const SEVERITIES = ['', 'chat', 'note', 'warn', 'error'] as const;
export type RowSeverity = (typeof SEVERITIES)[number];

/**
 * The columns of a block in one piece of shared memory, widest first:
 *
 *     seconds 8 | frame 4 | ordinal 4 | nanos 4 | length 4 | frameLength 4 | tunnel 4 | source 4 | destination 4 | inner 2 | protocol 2 |
 *     findings 2 | file 2 | direction 1 | severity 1                                             50 octets a row
 */
export class Block {
  readonly seconds: Float64Array;
  /** Number of the frame within its file. */
  readonly frame: Uint32Array;
  /** Number of the frame in the order in which all files were read, from 0. */
  readonly ordinal: Uint32Array;
  readonly nanos: Uint32Array;
  /** Octets of the row's packet. */
  readonly length: Uint32Array;
  /** Octets of the frame on the wire. */
  readonly frameLength: Uint32Array;
  /** 0: none. */
  readonly tunnel: Uint32Array;
  /** Numbers of texts. */
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  /** Number of the envelope in its frame; 0: the row is the frame. */
  readonly inner: Uint16Array;
  /** Numbers of texts among the few. */
  readonly protocol: Uint16Array;
  readonly findings: Uint16Array;
  readonly file: Uint16Array;
  readonly direction: Uint8Array;
  /** Index in {@link SEVERITIES}. */
  readonly severity: Uint8Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(BLOCK_ROWS * 50)) {
    const n = BLOCK_ROWS;
    this.seconds = new Float64Array(memory, 0, n);
    this.frame = new Uint32Array(memory, 8 * n, n);
    this.ordinal = new Uint32Array(memory, 12 * n, n);
    this.nanos = new Uint32Array(memory, 16 * n, n);
    this.length = new Uint32Array(memory, 20 * n, n);
    this.frameLength = new Uint32Array(memory, 24 * n, n);
    this.tunnel = new Uint32Array(memory, 28 * n, n);
    this.source = new Uint32Array(memory, 32 * n, n);
    this.destination = new Uint32Array(memory, 36 * n, n);
    this.inner = new Uint16Array(memory, 40 * n, n);
    this.protocol = new Uint16Array(memory, 42 * n, n);
    this.findings = new Uint16Array(memory, 44 * n, n);
    this.file = new Uint16Array(memory, 46 * n, n);
    this.direction = new Uint8Array(memory, 48 * n, n);
    this.severity = new Uint8Array(memory, 49 * n, n);
  }
}

/** What was added to {@link Rows}, as it goes from thread to thread. */
export interface RowsAdded {
  /** Rows that there are now. */
  readonly count: number;
  readonly blocks: readonly SharedArrayBuffer[];
  /** Texts with the numbers that follow those before: of addresses, and of protocols and lists of findings. */
  readonly addresses: readonly string[];
  readonly words: readonly string[];
  /**
   * Memory with packed Info texts of {@link PAGE_ROWS} rows each, and where each page ends in its own; negative for the
   * first of an arena.
   */
  readonly arenas: readonly SharedArrayBuffer[];
  readonly ends: readonly number[];
  /** Info texts of the last rows, which fill no page. */
  readonly tail: readonly string[];
  readonly severalFiles: boolean;
  /** Time of the first frame. */
  readonly start: readonly [number, number];
}

/**
 * The rows of a capture as lists show them: `both` of contract section 4, in the order of the capture. Reading never
 * waits; a row that was there stays as it is.
 */
export class Rows {
  count = 0;
  severalFiles = false;
  /** Time of the first frame: seconds since the epoch, and nanoseconds. */
  start: readonly [number, number] = [0, 0];
  private readonly blocks: Block[] = [];
  private readonly addresses: string[] = [];
  private readonly words: string[] = [];
  private readonly arenas: Uint8Array[] = [];
  /** By page: its arena, and where it starts and ends in it. */
  private readonly pages: number[] = [];
  private tail: readonly string[] = [];
  private readonly unpacked = new Map<number, string[]>();

  /** Forgets everything: the capture is read anew. */
  clear(): void {
    this.count = 0;
    this.blocks.length = this.addresses.length = this.words.length = this.pages.length = this.arenas.length = 0;
    this.tail = [];
    this.unpacked.clear();
  }

  add(a: RowsAdded): void {
    for (const memory of a.blocks) this.blocks.push(new Block(memory));
    for (const text of a.addresses) this.addresses.push(text);
    for (const text of a.words) this.words.push(text);
    this.addPages(a);
    this.tail = a.tail;
    this.severalFiles = a.severalFiles;
    this.start = a.start;
    this.count = a.count;
  }

  private addPages({ arenas, ends }: RowsAdded): void {
    const { pages } = this;
    for (const memory of arenas) this.arenas.push(new Uint8Array(memory));
    for (const end of ends)
      if (end > 0) pages.push(pages[pages.length - 3], pages[pages.length - 1], end);
      else pages.push(pages.length === 0 ? 0 : pages[pages.length - 3] + 1, 0, -end);
  }

  /** The columns that hold a row; the place within is `row % BLOCK_ROWS`. */
  block(row: number): Block {
    return this.blocks[Math.floor(row / BLOCK_ROWS)];
  }

  /** `812`, `812.1`, `2:812.1`. */
  id(row: number): string {
    const b = this.block(row);
    const i = row % BLOCK_ROWS;
    const s = b.inner[i] === 0 ? `${b.frame[i]}` : `${b.frame[i]}.${b.inner[i]}`;
    return this.severalFiles ? `${b.file[i]}:${s}` : s;
  }

  frame(row: number): number {
    return this.block(row).frame[row % BLOCK_ROWS];
  }
  /** Number of the frame in the order of reading, from 0. */
  ordinal(row: number): number {
    return this.block(row).ordinal[row % BLOCK_ROWS];
  }
  /** 0: the row is the frame itself. */
  inner(row: number): number {
    return this.block(row).inner[row % BLOCK_ROWS];
  }
  file(row: number): number {
    return this.block(row).file[row % BLOCK_ROWS];
  }
  /** Seconds since the epoch. */
  seconds(row: number): number {
    return this.block(row).seconds[row % BLOCK_ROWS];
  }
  nanos(row: number): number {
    return this.block(row).nanos[row % BLOCK_ROWS];
  }
  /** Seconds since the first frame, good to the microsecond. */
  relative(row: number): number {
    return this.seconds(row) - this.start[0] + (this.nanos(row) - this.start[1]) / 1e9;
  }
  /** Octets: of the inner packet, or of the frame. */
  length(row: number): number {
    return this.block(row).length[row % BLOCK_ROWS];
  }
  /** Octets of the frame on the wire. */
  frameLength(row: number): number {
    return this.block(row).frameLength[row % BLOCK_ROWS];
  }
  /** Envelopes that the frame of the row completes: its rows, where it has any. */
  envelopes(row: number): number {
    const ordinal = this.ordinal(row);
    let [from, to] = [row, row];
    if (this.inner(row) === 0) return 0;
    while (from > 0 && this.ordinal(from - 1) === ordinal) from--;
    while (to < this.count && this.ordinal(to) === ordinal) to++;
    return to - from;
  }
  /** 0: none. */
  tunnel(row: number): number {
    return this.block(row).tunnel[row % BLOCK_ROWS];
  }
  /** A value of {@link Direction}. */
  direction(row: number): number {
    return this.block(row).direction[row % BLOCK_ROWS];
  }
  source(row: number): string {
    return this.addresses[this.block(row).source[row % BLOCK_ROWS]];
  }
  destination(row: number): string {
    return this.addresses[this.block(row).destination[row % BLOCK_ROWS]];
  }
  protocol(row: number): string {
    return this.words[this.block(row).protocol[row % BLOCK_ROWS]];
  }
  /** The worst of what was noticed about the row. */
  severity(row: number): RowSeverity {
    return SEVERITIES[this.block(row).severity[row % BLOCK_ROWS]];
  }
  /** Codes of what was noticed about the row. */
  findings(row: number): readonly string[] {
    const text = this.words[this.block(row).findings[row % BLOCK_ROWS]];
    return text === '' ? [] : text.split(' ');
  }

  /** The Info column; harmless on a terminal. */
  info(row: number): string {
    const page = Math.floor(row / PAGE_ROWS);
    const i = row % PAGE_ROWS;
    const packed = this.pages.length / 3;
    if (page >= packed) return this.tail[row - packed * PAGE_ROWS] ?? '';
    let texts = this.unpacked.get(page);
    if (texts === undefined) {
      const [arena, start, end] = this.pages.slice(3 * page, 3 * page + 3);
      texts = inflateRawSync(this.arenas[arena].slice(start, end)).toString('utf8').split('\n');
      if (this.unpacked.size >= PAGES_KEPT) this.unpacked.delete(this.unpacked.keys().next().value!);
      this.unpacked.set(page, texts);
    }
    return texts[i] ?? '';
  }

  /** The row with an id as people write it; -1 where there is none. Rows of one file are found by bisection. */
  byId(id: string): number {
    const m = /^(?:(\d+):)?(\d+)(?:\.(\d+))?$/.exec(id);
    if (m === null) return -1;
    const [file, frame, inner] = [Number(m[1] ?? 1), Number(m[2]), Number(m[3] ?? 0)];
    return this.severalFiles ? this.search(file, frame, inner) : this.bisect(frame, inner);
  }

  /** The first row of a frame, by its ordinal; -1 where it has none. */
  byOrdinal(ordinal: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.ordinal(mid) < ordinal) low = mid + 1;
      else high = mid;
    }
    return low < this.count && this.ordinal(low) === ordinal ? low : -1;
  }

  private bisect(frame: number, inner: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const mid = (low + high) >>> 1;
      const f = this.frame(mid);
      if (f < frame || (f === frame && this.inner(mid) < inner)) low = mid + 1;
      else high = mid;
    }
    return low < this.count && this.frame(low) === frame && (inner === 0 || this.inner(low) === inner) ? low : -1;
  }

  private search(file: number, frame: number, inner: number): number {
    for (let row = 0; row < this.count; row++)
      if (this.frame(row) === frame && this.file(row) === file && (inner === 0 || this.inner(row) === inner))
        return row;
    return -1;
  }
}
