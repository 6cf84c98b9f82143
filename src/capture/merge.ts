/** Several captures as one, by time. */

import { LIMITS } from '../limits.js';
import { type CaptureFile, Chunk, type Damage } from './chunk.js';
import type { Capture } from './source.js';

/** Octets of the first merged chunk; each makes the next larger. */
const FIRST = 64 << 10;
const GROWTH = 4;

/** One of the merged sources, with the frame whose turn it is. */
class Lane {
  chunk: Chunk | null = null;
  at = 0;
  seconds = 0;
  nanos = 0;

  constructor(
    readonly source: Capture,
    readonly order: number,
  ) {}

  /** Takes the time of the present frame; one without a time comes right after the frame before it. */
  look(): void {
    const { chunk, at } = this;
    if (!chunk || at >= chunk.count || (chunk.seconds[at] === 0 && chunk.nanos[at] === 0)) return;
    this.seconds = chunk.seconds[at];
    this.nanos = chunk.nanos[at];
  }

  /** Whether the present frame comes before that of `other`; of equal times the earlier file's. */
  before(other: Lane): boolean {
    if (this.seconds !== other.seconds) return this.seconds < other.seconds;
    if (this.nanos !== other.nanos) return this.nanos < other.nanos;
    return this.order < other.order;
  }
}

/**
 * Merges sources by time. Frames of one source stay in its order even where its times go backwards; where times are
 * equal the earlier source comes first.
 * @param refused what kept further captures from being read
 */
export function mergeSources(sources: readonly Capture[], refused: readonly Damage[] = []): Capture {
  return new MergedSource(sources, refused);
}

class MergedSource implements Capture {
  readonly files: readonly CaptureFile[];
  private readonly chunk = new Chunk(LIMITS.chunkFrames);
  /** A heap: each lane's frame comes before those of lanes 2i+1 and 2i+2. */
  private heap: Lane[] | null = null;
  private readonly byFile = new Map<number, Capture>();
  private most = FIRST;
  private used = 0;

  constructor(
    private readonly sources: readonly Capture[],
    private readonly refused: readonly Damage[],
  ) {
    this.files = sources.flatMap((source) => source.files);
    for (const source of sources) for (const file of source.files) this.byFile.set(file.id, source);
  }

  get damage(): readonly Damage[] {
    return [...this.refused, ...this.sources.flatMap((source) => source.damage)];
  }

  async next(): Promise<Chunk | null> {
    const { chunk } = this;
    chunk.reset();
    this.used = 0;
    if (chunk.buf.length < this.most) chunk.buf = new Uint8Array(this.most);
    const heap = this.heap ?? (await this.start());
    while (heap.length > 0) {
      const top = heap[0];
      if (!this.copyRun(top, heap)) break;
      if (top.at >= top.chunk!.count && !(await this.refill(top))) {
        const last = heap.pop()!;
        if (heap.length > 0) heap[0] = last;
      }
      sink(heap, 0);
    }
    this.most = Math.min(this.most * GROWTH, LIMITS.chunkOctets);
    return chunk.count > 0 || chunk.secrets.length > 0 ? chunk : null;
  }

  octets(file: number, offset: number, length: number, into?: Uint8Array): Uint8Array {
    const source = this.byFile.get(file);
    if (!source) throw new RangeError(`no file ${file}`);
    return source.octets(file, offset, length, into);
  }

  async close(): Promise<void> {
    for (const source of this.sources) await source.close();
  }

  private async start(): Promise<Lane[]> {
    const heap: Lane[] = [];
    for (const [order, source] of this.sources.entries()) {
      const lane = new Lane(source, order);
      if (await this.refill(lane)) heap.push(lane);
    }
    for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
    this.heap = heap;
    return heap;
  }

  /** Gets the next chunk of a lane with a frame in it; its secrets go out with the present chunk. */
  private async refill(lane: Lane): Promise<boolean> {
    do {
      lane.chunk = await lane.source.next();
      lane.at = 0;
      if (!lane.chunk) return false;
      for (const secret of lane.chunk.secrets) this.chunk.secrets.push(secret);
    } while (lane.chunk.count === 0);
    lane.look();
    return true;
  }

  /** Copies frames of the first lane while they come before those of the others; false when the chunk is full. */
  private copyRun(lane: Lane, heap: readonly Lane[]): boolean {
    const { chunk } = this;
    const from = lane.chunk!;
    const [, left, right] = heap;
    const rival = right && left && right.before(left) ? right : left;
    while (lane.at < from.count && !rival?.before(lane)) {
      const cap = from.cap[lane.at];
      if (chunk.count === chunk.capacity) return false;
      if (this.used + cap > this.most) {
        if (chunk.count > 0) return false;
        if (cap > chunk.buf.length) chunk.buf = new Uint8Array(cap);
      }
      this.copy(from, lane.at++, cap);
      lane.look();
    }
    return true;
  }

  private copy(from: Chunk, at: number, cap: number): void {
    const to = this.chunk;
    const i = to.count++;
    const off = from.off[at];
    to.buf.set(from.buf.subarray(off, off + cap), this.used);
    to.off[i] = this.used;
    to.cap[i] = cap;
    to.wire[i] = from.wire[at];
    to.seconds[i] = from.seconds[at];
    to.nanos[i] = from.nanos[at];
    to.number[i] = from.number[at];
    to.fileOffset[i] = from.fileOffset[at];
    to.iface[i] = from.iface[at];
    this.used += cap;
    const odd = from.oddTimes.size > 0 ? from.oddTimes.get(at) : undefined;
    if (odd) to.oddTimes.set(i, odd);
    const comments = from.comments.size > 0 ? from.comments.get(at) : undefined;
    if (comments) to.comments.set(i, comments);
    const flags = from.flags.size > 0 ? from.flags.get(at) : undefined;
    if (flags !== undefined) to.flags.set(i, flags);
  }
}

/** Restores the heap below lane `i`. */
function sink(heap: Lane[], i: number): void {
  for (;;) {
    let first = i;
    const left = 2 * i + 1;
    if (left < heap.length && heap[left].before(heap[first])) first = left;
    if (left + 1 < heap.length && heap[left + 1].before(heap[first])) first = left + 1;
    if (first === i) return;
    const lane = heap[i];
    heap[i] = heap[first];
    heap[first] = lane;
    i = first;
  }
}
