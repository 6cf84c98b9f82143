import type { Segment } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Ledger } from './ledger.js';

/** Octets taken from a stream: `[off, end)` of `buf`. */
export interface Piece {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly end: number;
  /** The frames that carried them, where it was more than one. */
  readonly segments?: readonly Segment[];
}

const EMPTY = new Uint8Array(0);
const NONE: number[] = [];
const FIRST = 1024;
/** Storage of more octets is given back when it is not needed. */
const SPARE = 65_536;
/** The same of frames. */
const SPARE_FRAMES = 1024;
/** What remembering a frame costs. */
const FRAME_COST = 16;

/**
 * The octets of a stream that a framer has not taken yet: always one contiguous window `[off, end)` of `buf`.
 *
 * While nothing is left over the window is the octets given, not a copy. What is left over after a turn is copied by
 * {@link settle} into storage of this buffer, where later octets are appended. Storage is only ever appended to, and
 * replaced when full, so pieces that were taken keep their octets.
 */
export class PduBuffer {
  buf: Uint8Array = EMPTY;
  off = 0;
  end = 0;
  /** What is fed at a time is a segment of its own, though it came in the same frame as what was fed before. */
  apart = false;
  /** The window lies in storage of this buffer. */
  private own = false;
  private store: Uint8Array = EMPTY;
  /** End of what was written to the storage. */
  private used = 0;
  /** Octets of the stream before the window. */
  private taken = 0;
  /** Where each frame's part starts in the stream, in order, from `first` on: `starts[i]` by frame `frames[i]`. */
  private starts: number[] = NONE;
  private frames: number[] = NONE;
  private first = 0;
  private count = 0;
  /** What the ledger was told. */
  private counted = 0;

  /**
   * @param cap most octets that {@link settle} keeps
   * @param ledger counts the storage
   */
  constructor(
    private readonly cap: number = LIMITS.messageOctets,
    private ledger: Ledger | null = null,
  ) {}

  /** Octets in the window. */
  get length(): number {
    return this.end - this.off;
  }

  /** Adds the next octets of the stream, which `frame` carried. `buf` must hold them until {@link settle}. */
  feed(buf: Uint8Array, off: number, end: number, frame: number): void {
    if (end <= off) return;
    const pending = this.end - this.off;
    if (pending === 0) {
      this.first = this.count = 0;
      this.buf = buf;
      this.off = off;
      this.end = end;
      this.own = false;
    } else {
      if (!this.own) this.adopt(end - off);
      this.reserve(end - off);
      this.store.set(off === 0 && end === buf.length ? buf : buf.subarray(off, end), this.used);
      this.used += end - off;
      this.end = this.used;
    }
    const n = this.count;
    if (n > this.first && this.frames[n - 1] === frame && !this.apart) return;
    if (this.starts === NONE) {
      this.starts = [];
      this.frames = [];
    }
    this.starts[n] = this.taken + pending;
    this.frames[n] = frame;
    this.count = n + 1;
  }

  /** Takes `n` octets off the window; more than it holds are clipped. */
  take(n: number): Piece {
    const { buf, off } = this;
    const end = Math.min(off + n, this.end);
    const from = this.taken;
    this.skip(n);
    this.passFrames(from);
    const next = this.first + 1;
    if (next >= this.count || this.starts[next] >= from + end - off) return { buf, off, end };
    return { buf, off, end, segments: this.segmentsOf(from, from + end - off) };
  }

  /** Drops `n` octets from the front of the window. */
  skip(n: number): void {
    const m = Math.min(n, this.end - this.off);
    this.off += m;
    this.taken += m;
  }

  /**
   * Ends a turn: copies what is left in the window into own storage. False where it is more than the cap: it was
   * dropped then.
   */
  settle(): boolean {
    const n = this.end - this.off;
    if (n === 0) {
      this.buf = EMPTY;
      this.off = this.end = 0;
      this.own = false;
      if (this.store.length > SPARE) this.store = EMPTY;
      if (this.store.length === 0) this.used = 0;
      if (this.starts.length > SPARE_FRAMES) this.starts = this.frames = NONE;
      this.account();
      return true;
    }
    if (n > this.cap) {
      this.clear();
      this.account();
      return false;
    }
    if (!this.own) this.adopt(0);
    this.passFrames(this.taken);
    this.account();
    return true;
  }

  /** What has begun in the window is longer than is kept. */
  overflow(): void {
    this.ledger?.capped('messageOctets');
  }

  /** Drops everything. */
  clear(): void {
    this.skip(this.end - this.off);
    this.first = this.count = 0;
    this.buf = EMPTY;
    this.off = this.end = 0;
    this.own = false;
  }

  /** Nothing more is expected: what it holds no longer counts, and is let go of with it. */
  release(): void {
    if (this.ledger !== null) this.ledger.octets -= this.counted;
    this.ledger = null;
  }

  /** Tells the ledger what is held now. */
  private account(): void {
    const held = this.store.length + this.starts.length * FRAME_COST;
    if (held === this.counted) return;
    if (this.ledger !== null) this.ledger.octets += held - this.counted;
    this.counted = held;
  }

  /** Moves the window into the storage, with room for `more`. */
  private adopt(more: number): void {
    const n = this.end - this.off;
    const { buf, off } = this;
    if (this.used + n + more > this.store.length) {
      this.store = new Uint8Array(Math.max(FIRST, 2 * (n + more)));
      this.used = 0;
    }
    this.store.set(buf.subarray(off, off + n), this.used);
    this.buf = this.store;
    this.off = this.used;
    this.used += n;
    this.end = this.used;
    this.own = true;
  }

  /** Makes room for `more` octets behind the window, in new storage if need be. */
  private reserve(more: number): void {
    if (this.used + more <= this.store.length) return;
    const n = this.end - this.off;
    const bigger = new Uint8Array(Math.max(FIRST, 2 * (n + more)));
    bigger.set(this.store.subarray(this.off, this.end));
    this.store = bigger;
    this.buf = bigger;
    this.off = 0;
    this.end = n;
    this.used = n;
  }

  /** The frames that carried `[from, to)` of the stream. */
  private segmentsOf(from: number, to: number): Segment[] {
    const { starts, frames, count } = this;
    const out: Segment[] = [];
    for (let i = this.first; i < count && starts[i] < to; i++) {
      const a = Math.max(from, starts[i]);
      const b = i + 1 < count ? Math.min(to, starts[i + 1]) : to;
      if (b > a) out.push({ frame: frames[i], off: a - from, len: b - a });
    }
    return out;
  }

  /** Forgets the frames whose octets lie before `position` of the stream. */
  private passFrames(position: number): void {
    const { starts } = this;
    let i = this.first;
    while (i + 1 < this.count && starts[i + 1] <= position) i++;
    this.first = i;
    if (i < 64) return;
    this.starts = starts.slice(i, this.count);
    this.frames = this.frames.slice(i, this.count);
    this.count -= i;
    this.first = 0;
  }
}
