import type { Row } from '../engine/row.js';
import { printable } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { endpoints } from '../report/columns.js';
import { BLOCK_ROWS, FlowNumbers, RowBlock } from './columns.js';
import type { Frames } from './frames.js';
import { Direction, PAGE_ROWS, type RowsAdded, SEVERITIES, severityShown } from './rows.js';
import { TextsWriter } from './texts.js';

/** Protocols, and lists of what was noticed, that have numbers. */
const WORDS = 60_000;

/** Noticed of a row before which octets are missing. */
const GAP = 'capture.gap';

/** Texts by number; those beyond a cap share one. */
class Numbered {
  fresh: string[] = [];
  private readonly numbers = new Map<string, number>();

  /** @param first texts with the first numbers */
  constructor(
    first: readonly string[],
    private readonly cap: number,
  ) {
    for (const text of first) this.number(text);
  }

  /** @param rest one of the first: what stands for those beyond the cap */
  number(text: string, rest = '…'): number {
    let n = this.numbers.get(text);
    if (n !== undefined) return n;
    if (this.numbers.size >= this.cap) return this.numbers.get(rest)!;
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
  private readonly addresses = new Numbered(['…'], LIMITS.viewerAddresses);
  private readonly protocols = new Numbered(['', '…'], WORDS);
  private readonly notices = new Numbered(
    SEVERITIES.map((s) => (s === '' ? '' : `${s} …`)),
    WORDS,
  );
  private readonly flows = new FlowNumbers();
  private block: RowBlock | null = null;
  private blocks: SharedArrayBuffer[] = [];
  private gaps: number[] = [];
  private readonly infos = new TextsWriter(PAGE_ROWS);
  private start: readonly [number, number] = [0, 0];

  /** @param frames of which the rows are */
  constructor(
    private readonly frames: Frames,
    private readonly severalFiles: boolean,
  ) {}

  /** Adds a row. */
  take(row: Row): void {
    const i = this.count % BLOCK_ROWS;
    if (i === 0) {
      this.block = new RowBlock();
      this.blocks.push(this.block.memory);
    }
    if (this.count === 0) this.start = row.first;
    const b = this.block!;
    b.ordinal[i] = row.outer.ordinal;
    b.flow[i] = this.flow(row);
    b.length[i] = row.packetLength;
    b.inner[i] = row.inner;
    b.notice[i] = this.notice(row);
    if (row.findings.includes(GAP)) this.gaps.push(this.count);
    this.infos.add(printable(row.dissection.info()).replaceAll('\n', ' '));
    this.count++;
  }

  private flow(row: Row): number {
    const [source, destination] = endpoints(row);
    const kind = (this.protocols.number(row.dissection.protocol()) << 2) | Direction[row.direction ?? 'none'];
    const tunnel = row.tunnel === null ? 0 : row.tunnel.id;
    return this.flows.number(this.addresses.number(source), this.addresses.number(destination), tunnel, kind);
  }

  /** What was noticed about the row. */
  private notice(row: Row): number {
    const { experts } = row.dissection.tree;
    if (experts.length === 0 && row.findings.length === 0) return 0;
    let worst = row.findings.length > 0 ? SEVERITIES.indexOf('note') : 0;
    for (const { expert } of experts) worst = Math.max(worst, SEVERITIES.indexOf(severityShown(expert.severity)));
    const severity = SEVERITIES[worst];
    return this.notices.number([severity, ...row.codes()].join(' '), `${severity} …`);
  }

  /** What was added since the last call. */
  added(): RowsAdded {
    const { count, blocks, gaps, severalFiles, start } = this;
    this.blocks = [];
    this.gaps = [];
    return {
      count,
      blocks,
      ...this.frames.added(),
      flows: this.flows.take(),
      addresses: this.addresses.take(),
      protocols: this.protocols.take(),
      notices: this.notices.take(),
      gaps,
      infos: this.infos.added(),
      severalFiles,
      start,
    };
  }
}
