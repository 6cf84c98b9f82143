import { deflateRawSync } from 'node:zlib';
import type { Row } from '../engine/row.js';
import { printable } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { endpoints } from '../report/columns.js';
import { ARENA, BLOCK_ROWS, Block, Direction, PAGE_ROWS, type RowsAdded, SEVERITIES } from './rows.js';

/** Texts by number; those beyond the cap share the last one. */
class Texts {
  fresh: string[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(
    first: string,
    private readonly cap: number,
  ) {
    this.number(first);
  }

  number(text: string): number {
    let n = this.numbers.get(text);
    if (n !== undefined) return n;
    if (this.numbers.size >= this.cap) return this.number('…');
    n = this.numbers.size;
    this.numbers.set(text, n);
    this.fresh.push(text);
    return n;
  }

  take(): string[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }
}

/** Fills the columns of {@link Rows} while the capture is read. */
export class RowsWriter {
  count = 0;
  private readonly addresses = new Texts('…', LIMITS.viewerAddresses);
  private readonly words = new Texts('', 60_000);
  private block: Block | null = null;
  private blocks: SharedArrayBuffer[] = [];
  private page: string[] = [];
  private arena: Uint8Array | null = null;
  private used = 0;
  private arenas: SharedArrayBuffer[] = [];
  private ends: number[] = [];
  private start: readonly [number, number] = [0, 0];

  constructor(private readonly severalFiles: boolean) {
    this.words.number('…');
  }

  /** Adds a row. */
  take(row: Row): void {
    const i = this.count % BLOCK_ROWS;
    if (i === 0) {
      this.block = new Block();
      this.blocks.push(this.block.memory);
    }
    if (this.count === 0) this.start = row.first;
    const b = this.block!;
    const [source, destination] = endpoints(row);
    b.seconds[i] = row.seconds;
    b.nanos[i] = row.nanos;
    b.frame[i] = row.frame;
    b.ordinal[i] = row.outer.ordinal;
    b.length[i] = row.inner > 0 ? row.packetLength : row.frameLength;
    b.frameLength[i] = row.frameLength;
    b.tunnel[i] = row.tunnel === null ? 0 : row.tunnel.id;
    b.source[i] = this.addresses.number(source);
    b.destination[i] = this.addresses.number(destination);
    b.inner[i] = row.inner;
    b.protocol[i] = this.words.number(row.dissection.protocol());
    b.file[i] = row.file;
    b.direction[i] = Direction[row.direction ?? 'none'];
    this.notice(row, b, i);
    // A page is divided at line ends.
    this.page.push(printable(row.dissection.info()).replaceAll('\n', ' '));
    if (this.page.length === PAGE_ROWS) this.pack();
    this.count++;
  }

  /** What was noticed about the row. */
  private notice(row: Row, b: Block, i: number): void {
    const { experts } = row.dissection.tree;
    if (experts.length === 0 && row.findings.length === 0) {
      b.findings[i] = b.severity[i] = 0;
      return;
    }
    let worst = row.findings.length > 0 ? SEVERITIES.indexOf('note') : 0;
    for (const { expert } of experts) worst = Math.max(worst, SEVERITIES.indexOf(expert.severity));
    b.severity[i] = worst;
    b.findings[i] = this.words.number(row.codes().join(' '));
  }

  /** Packs the texts of a page behind those before it, or into a new arena. */
  private pack(): void {
    const packed = deflateRawSync(Buffer.from(this.page.join('\n'), 'utf8'), { level: 1 });
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
  added(): RowsAdded {
    const { count, blocks, arenas, ends, page, severalFiles, start } = this;
    this.blocks = [];
    this.arenas = [];
    this.ends = [];
    const [addresses, words] = [this.addresses.take(), this.words.take()];
    return { count, blocks, addresses, words, arenas, ends, tail: page.slice(), severalFiles, start };
  }
}
