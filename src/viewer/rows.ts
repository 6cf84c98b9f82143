import type { Severity } from '../kit/index.js';
import { BLOCK_FRAMES, BLOCK_ROWS, FLOW_NUMBERS, FrameBlock, RowBlock } from './columns.js';
import { Texts, type TextsAdded } from './texts.js';

/** Rows whose Info texts are packed together. */
export const PAGE_ROWS = 512;
/** Pages of them that are kept unpacked. */
const PAGES_KEPT = 16;
/** Which way a row went in its tunnel, and the worst that was found in it: numbers of the columns. */
export const Direction = { none: 0, up: 1, down: 2 } as const;
export const SEVERITIES = ['', 'chat', 'note', 'warn', 'error'] as const;
export type RowSeverity = (typeof SEVERITIES)[number];

/** A severity as screens show it: a comment of the capture is talk. */
export const severityShown = (s: Severity): Exclude<RowSeverity, ''> => (s === 'comment' ? 'chat' : s);

/** What was added to {@link Rows}, as it goes from thread to thread. */
export interface RowsAdded {
  /** Rows that there are now. */
  readonly count: number;
  readonly blocks: readonly SharedArrayBuffer[];
  readonly frames: readonly SharedArrayBuffer[];
  /** The files of further interfaces. */
  readonly files: readonly number[];
  /** Further flows, {@link FLOW_NUMBERS} each; protocol with direction is `protocol * 4 + direction`. */
  readonly flows: Uint32Array;
  /** Texts with the numbers that follow those before: of addresses, of protocols, of what was noticed (`warn code code`). */
  readonly addresses: readonly string[];
  readonly protocols: readonly string[];
  readonly notices: readonly string[];
  /** Further rows before which octets are missing, in their order. */
  readonly gaps: readonly number[];
  /** Info texts. */
  readonly infos: TextsAdded;
  readonly severalFiles: boolean;
  /** Time of the first frame. */
  readonly start: readonly [number, number];
}

/** What was noticed about rows. */
interface Notice {
  readonly severity: RowSeverity;
  readonly codes: readonly string[];
}

function noticeOf(text: string): Notice {
  const [severity, ...codes] = text.split(' ');
  return { severity: severity as RowSeverity, codes };
}

/**
 * The rows of a capture as lists show them: of envelopes and of frames that complete none, in the order of the capture.
 * Reading never waits; a row that was there stays as it is.
 */
export class Rows {
  count = 0;
  /** Times that all rows were taken away: the capture is read anew. */
  cleared = 0;
  severalFiles = false;
  /** Time of the first frame: seconds since the epoch, and nanoseconds. */
  start: readonly [number, number] = [0, 0];
  /** Rows before which the capture lacks octets, in their order. */
  readonly gaps: number[] = [];
  private readonly blocks: RowBlock[] = [];
  private readonly frames: FrameBlock[] = [];
  /** By interface. */
  private readonly files: number[] = [];
  private flows = new Uint32Array(FLOW_NUMBERS << 8);
  private flowCount = 0;
  private readonly addresses: string[] = [];
  private readonly protocols: string[] = [];
  private readonly notices: Notice[] = [];
  private readonly infos = new Texts(PAGE_ROWS, PAGES_KEPT);

  /** Forgets everything: the capture is read anew. */
  clear(): void {
    this.cleared++;
    this.count = this.flowCount = 0;
    this.blocks.length = this.frames.length = this.files.length = 0;
    this.addresses.length = this.protocols.length = this.notices.length = this.gaps.length = 0;
    this.infos.clear();
  }

  add(a: RowsAdded): void {
    for (const memory of a.blocks) this.blocks.push(new RowBlock(memory));
    for (const memory of a.frames) this.frames.push(new FrameBlock(memory));
    for (const file of a.files) this.files.push(file);
    for (const text of a.addresses) this.addresses.push(text);
    for (const text of a.protocols) this.protocols.push(text);
    for (const text of a.notices) this.notices.push(noticeOf(text));
    for (const row of a.gaps) this.gaps.push(row);
    this.addFlows(a.flows);
    this.infos.add(a.infos);
    this.severalFiles = a.severalFiles;
    this.start = a.start;
    this.count = a.count;
  }

  private addFlows(added: Uint32Array): void {
    const at = this.flowCount * FLOW_NUMBERS;
    if (at + added.length > this.flows.length) {
      const wider = new Uint32Array(Math.max(2 * this.flows.length, at + added.length));
      wider.set(this.flows);
      this.flows = wider;
    }
    this.flows.set(added, at);
    this.flowCount += added.length / FLOW_NUMBERS;
  }

  /** The columns that hold a row; the place within is `row % BLOCK_ROWS`. */
  private block(row: number): RowBlock {
    return this.blocks[Math.floor(row / BLOCK_ROWS)];
  }
  /** The columns that hold the frame of a row, and where in them it stands. */
  private frameBlock(row: number): FrameBlock {
    return this.frames[Math.floor(this.ordinal(row) / BLOCK_FRAMES)];
  }
  private frameAt(row: number): number {
    return this.ordinal(row) % BLOCK_FRAMES;
  }
  /** Number `k` of what is known of the flow of a row. */
  private flow(row: number, k: number): number {
    return this.flows[this.block(row).flow[row % BLOCK_ROWS] * FLOW_NUMBERS + k];
  }

  /** `812`, `812.1`, `2:812.1`. */
  id(row: number): string {
    const inner = this.inner(row);
    const s = inner === 0 ? `${this.frame(row)}` : `${this.frame(row)}.${inner}`;
    return this.severalFiles ? `${this.file(row)}:${s}` : s;
  }

  /** Number of the frame within its file. */
  frame(row: number): number {
    const { number } = this.frameBlock(row);
    return number === null ? this.ordinal(row) + 1 : number[this.frameAt(row)];
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
    return this.files[this.frameBlock(row).iface[this.frameAt(row)]];
  }
  /** Seconds since the epoch. */
  seconds(row: number): number {
    return this.frameBlock(row).seconds(this.frameAt(row));
  }
  nanos(row: number): number {
    return this.frameBlock(row).nanos[this.frameAt(row)];
  }
  /** Seconds since the first frame, good to the microsecond. */
  relative(row: number): number {
    return this.seconds(row) - this.start[0] + (this.nanos(row) - this.start[1]) / 1e9;
  }
  /** Octets: of the inner packet, or of the frame. */
  length(row: number): number {
    return this.inner(row) === 0 ? this.frameLength(row) : this.block(row).length[row % BLOCK_ROWS];
  }
  /** Octets of the frame on the wire. */
  frameLength(row: number): number {
    return this.frameBlock(row).wire[this.frameAt(row)];
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
    return this.flow(row, 2);
  }
  /** A value of {@link Direction}. */
  direction(row: number): number {
    return this.flow(row, 3) & 3;
  }
  source(row: number): string {
    return this.addresses[this.flow(row, 0)];
  }
  destination(row: number): string {
    return this.addresses[this.flow(row, 1)];
  }
  protocol(row: number): string {
    return this.protocols[this.flow(row, 3) >>> 2];
  }
  private notice(row: number): Notice {
    return this.notices[this.block(row).notice[row % BLOCK_ROWS]];
  }
  /** The worst of what was noticed about the row. */
  severity(row: number): RowSeverity {
    return this.notice(row).severity;
  }
  /** Codes of what was noticed about the row. */
  findings(row: number): readonly string[] {
    return this.notice(row).codes;
  }

  /** The Info column; harmless on a terminal. */
  info(row: number): string {
    return this.infos.at(row);
  }

  /** The row with an id as people write it; -1 where there is none. Rows of one file are found by bisection. */
  byId(id: string): number {
    const m = /^(?:(\d+):)?(\d+)(?:\.(\d+))?$/.exec(id);
    if (m === null) return -1;
    const [file, frame, inner] = [Number(m[1] ?? 1), Number(m[2]), Number(m[3] ?? 0)];
    return this.severalFiles ? this.search(file, frame, inner) : this.bisect(frame, inner);
  }

  /** The row of a frame by its ordinal, and its number in the frame (0: the frame itself, or its first); -1 where there is none. */
  byOrdinal(ordinal: number, inner: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.ordinal(mid) < ordinal) low = mid + 1;
      else high = mid;
    }
    if (low >= this.count || this.ordinal(low) !== ordinal) return -1;
    // The last frame has a row of its own beside those that the end of the capture sets free.
    return low + Math.max(0, inner - this.inner(low));
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
