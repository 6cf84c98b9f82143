import type { TcpNote } from '../../dissectors/tcp/note.js';
import { ahead } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Ledger } from './ledger.js';

/** Values of a segment. */
const STRIDE = 4;
/** Segments that there is room for at first; V8 keeps so small an array inside its heap. */
const FIRST = 2;
/** Room for more segments than these is given back when all are acknowledged. */
const SPARE = 64;

/**
 * The segments of one direction that are not acknowledged, in the order of capture: sequence number, next sequence
 * number, frame, time. A queue in one array, from `head` to `tail`.
 */
export class UnackedList {
  private list: Float64Array | null = null;
  private head = 0;
  private tail = 0;
  /** Whether the sequence numbers of the list only go up. */
  private sorted = true;
  /** Lowest and highest number in the list, counted from `base`; of no use while `stale`. */
  private low = 0;
  private high = 0;
  private stale = true;
  private base = 0;

  /** @param ledger counts the room taken */
  constructor(private readonly ledger: Ledger) {}

  /** Adds a segment, unless there are as many as the cap allows. */
  add(seq: number, next: number, frame: number, time: number): void {
    if (this.tail - this.head >= LIMITS.unackedSegments * STRIDE) {
      this.ledger.capped('unackedSegments');
      return;
    }
    if (this.list === null) this.list = new Float64Array(FIRST * STRIDE);
    if (this.head === this.tail) {
      this.head = this.tail = 0;
      this.sorted = true;
      if (this.list.length > SPARE * STRIDE) this.replace(new Float64Array(SPARE * STRIDE));
    } else if (ahead(seq, this.list[this.tail - STRIDE + 1]) < 0) this.sorted = false;
    if (this.tail === this.list.length) {
      if (this.head >= this.tail / 2) this.list.copyWithin(0, this.head, this.tail);
      else {
        const wider = new Float64Array(this.list.length * 2);
        wider.set(this.list.subarray(this.head, this.tail));
        this.replace(wider);
      }
      this.tail -= this.head;
      this.head = 0;
    }
    const { list, tail, base } = this;
    list[tail] = seq;
    list[tail + 1] = next;
    list[tail + 2] = frame;
    list[tail + 3] = time;
    this.tail = tail + STRIDE;
    if (this.stale) return;
    this.low = Math.min(this.low, (seq - base) >>> 0);
    this.high = Math.max(this.high, (next - base) >>> 0);
  }

  private replace(list: Float64Array): void {
    this.ledger.octets += 8 * (list.length - this.list!.length);
    this.list = list;
  }

  /** Lets go of the list. */
  release(): void {
    if (this.list !== null) this.ledger.octets -= 8 * (this.list.length - FIRST * STRIDE);
    this.list = null;
    this.head = this.tail = 0;
  }

  get empty(): boolean {
    return this.head === this.tail;
  }
  /** Frame and time of the first segment; only if there is one. */
  get eldestFrame(): number {
    return this.list![this.head + 2];
  }
  get eldestTime(): number {
    return this.list![this.head + 3];
  }

  /** Octets from the lowest to the highest sequence number, counted from `base`. */
  flight(base: number): number {
    const { list, head, tail } = this;
    if (list === null || head === tail) return 0;
    if (this.sorted) {
      const first = (list[head] - base) >>> 0;
      const last = (list[tail - STRIDE + 1] - base) >>> 0;
      if (last >= first) return last - first;
    }
    if (this.stale || this.base !== base) this.measure(list, base);
    return (this.high - this.low) >>> 0;
  }

  private measure(list: Float64Array, base: number): void {
    this.stale = false;
    this.base = base;
    this.low = 0xffffffff;
    this.high = 0;
    for (let i = this.head; i < this.tail; i += STRIDE) {
      this.low = Math.min(this.low, (list[i] - base) >>> 0);
      this.high = Math.max(this.high, (list[i + 1] - base) >>> 0);
    }
  }

  /** Takes the segments that `ack` acknowledges off the list, and measures the time that it took. */
  acknowledge(ack: number, time: number, note: TcpNote): void {
    const { list, tail } = this;
    if (list === null || this.head === tail) return;
    let kept = this.head;
    let i = kept;
    let sorted = true;
    for (; i < tail; i += STRIDE) {
      const next = list[i + 1];
      if (ahead(next, ack) > 0) {
        if (ahead(ack, list[i]) > 0) list[i] = ack; // acknowledged in part
        if (this.sorted) break;
        if (kept !== i) list.copyWithin(kept, i, i + STRIDE);
        if (kept > this.head && ahead(list[kept], list[kept - STRIDE + 1]) < 0) sorted = false;
        kept += STRIDE;
        continue;
      }
      if (next === ack && note.acksFrame < 0) {
        note.acksFrame = list[i + 2];
        note.ackRtt = time - list[i + 3];
      }
    }
    this.stale = true;
    if (this.sorted) this.head = i;
    else {
      this.tail = kept;
      this.sorted = sorted;
    }
  }
}
