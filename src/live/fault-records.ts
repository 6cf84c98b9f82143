import { concat } from '../kit/bytes.js';
import type { Cancel, Clock } from './clock.js';
import { integer, type Random } from './random.js';
import type { Shape } from './tunnel-link.js';

type Write = Parameters<Shape['take']>[1];

/** How long envelopes are gathered for one record, and the most octets of a record (RFC 5246 §6.2.1). */
const GATHER_MS = 20;
const RECORD = 16_384;

/** Puts envelopes into TLS records otherwise than one into one. A receiver must not care: TS 24.322 §7.1.2 frames a stream. */
export class RecordShaper implements Shape {
  readonly modes = { split: false, merge: false, 'octet-records': false };
  waiting = 0;
  private parts: Uint8Array[] = [];
  private cancel: Cancel | undefined;
  private writing = false;

  constructor(
    private readonly random: Random,
    private readonly clock: Clock,
  ) {}

  get needed(): boolean {
    return Object.values(this.modes).includes(true);
  }

  off(): void {
    Object.assign(this.modes, { split: false, merge: false, 'octet-records': false });
  }

  take(octets: Uint8Array, write: Write): void {
    this.parts.push(octets);
    this.waiting += octets.length;
    if (this.writing || this.cancel !== undefined) return;
    const begin = (): void => {
      this.cancel = undefined;
      this.pump(write);
    };
    if (this.modes.merge) this.cancel = this.clock.after(GATHER_MS, begin);
    else begin();
  }

  rest(): Uint8Array {
    this.waiting = 0;
    return concat(this.parts.splice(0));
  }

  /** Writes what waits, a record at a time: the next one when the last is written, or TLS would join them. */
  private pump(write: Write): void {
    if (this.parts.length === 0) {
      this.writing = false;
      return;
    }
    this.writing = true;
    const all = this.modes.merge ? concat(this.parts.splice(0)) : this.parts.shift()!;
    const n = Math.min(this.size(all.length), RECORD);
    if (n < all.length) this.parts.unshift(all.subarray(n));
    this.waiting -= n;
    write(all.subarray(0, n), () => setImmediate(() => this.pump(write)));
  }

  private size(n: number): number {
    if (this.modes['octet-records']) return 1;
    return this.modes.split ? integer(this.random, 1, Math.max(1, Math.ceil(n / 2))) : n;
  }
}
