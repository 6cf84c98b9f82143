import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { LIMITS } from '../limits.js';
import { CaptureError } from './errors.js';
import { OctetWriter } from './output.js';

/** Milliseconds between two looks at a pipe that was full. */
const LOOK_MS = 5;

/**
 * Octets of something that goes on meanwhile, on their way to a file or pipe: nobody waits for the reader of a pipe. What it
 * does not take is kept until it does; whoever writes looks at {@link waiting}.
 */
export class LiveWriter extends OctetWriter {
  private readonly queue: Uint8Array[] = [];
  private queued = 0;

  /** @param target path, descriptor, or `-` for standard output @throws CaptureError */
  constructor(target: string | number, inputs: readonly string[]) {
    super(target, inputs);
    if (target === '-')
      void process.stdout; // Node lets no write to a pipe block from here on, and undoes that at its end
    else if (typeof target === 'string' && fstatSync(this.fd).isFIFO()) this.reopen(target);
  }

  /** Has a named pipe whose reader is there tell when it is full. */
  private reopen(path: string): void {
    const { fd } = this;
    this.fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(fd);
  }

  override get waiting(): number {
    return this.queued;
  }

  protected override put(b: Uint8Array, end: number): void {
    this.drain();
    const at = this.queued === 0 ? this.take(b, 0, end) : 0;
    if (at === end) return;
    this.queue.push(b.slice(at, end));
    this.queued += end - at;
  }

  /** Hands over what waits, as far as it is taken. */
  private drain(): void {
    for (let first = this.queue[0]; first !== undefined; first = this.queue[0]) {
      const n = this.take(first, 0, first.length);
      this.queued -= n;
      if (n < first.length) {
        this.queue[0] = first.subarray(n);
        return;
      }
      this.queue.shift();
    }
  }

  /** Closes when all is taken, or nothing for long. @throws CaptureError for what was not taken */
  override end(): void {
    try {
      this.flush();
      for (let idle = 0; this.queued > 0 && idle < LIMITS.livePipeMs; idle += LOOK_MS) {
        const before = this.queued;
        this.rest(LOOK_MS);
        this.drain();
        if (this.queued < before) idle = 0;
      }
      if (this.queued > 0)
        throw new CaptureError('FTT_E_WRITE', `${this.label}: its reader did not take the last ${this.queued} octets`);
    } finally {
      this.queue.length = 0;
      this.queued = 0;
      super.end();
    }
  }
}
