import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { systemError } from '../capture/errors.js';
import { rest } from '../capture/rest.js';
import { LIMITS } from '../limits.js';
import { PipeClosed } from './output.js';

/** Milliseconds between two looks at a terminal or a pipe that took nothing. */
const LOOK_MS = 50;

/**
 * Lines of something that must not stand still, on their way to a terminal or a pipe: nobody waits for a terminal that was
 * stopped (Ctrl-S), or for a reader that does not read. Lines wait instead; where there are too many, further ones are left
 * out, and a line in their place says how many.
 */
export class LineQueue {
  private readonly fd: number;
  private readonly waiting: Buffer[] = [];
  private leftOut = 0;
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  /** @param failed told, once, why nothing can be written any more: {@link PipeClosed}, or CaptureError */
  constructor(
    private readonly of: 1 | 2,
    private readonly failed: (error: Error) => void,
  ) {
    this.fd = unblocked(of);
  }

  write(line: string): void {
    if (this.isOver) return;
    if (this.waiting.length >= LIMITS.liveLines) this.leftOut++;
    else this.waiting.push(Buffer.from(`${line}\n`, 'utf8'));
    if (this.timer === undefined) this.drain(); // else it was full a moment ago
  }

  /** Waits for what is not taken yet, unless nothing is taken for long. */
  end(): void {
    for (let idle = 0; this.waiting.length > 0 && idle < LIMITS.livePipeMs; idle += LOOK_MS) {
      const before = this.waiting.length;
      rest(LOOK_MS);
      this.drain();
      if (this.waiting.length < before) idle = 0;
    }
    this.stop();
  }

  private stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.waiting.length = 0;
    clearTimeout(this.timer);
    if (this.fd !== this.of) closeSync(this.fd);
  }

  /** Hands over what waits, as far as it is taken. */
  private drain(): void {
    try {
      for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
        const n = writeSync(this.fd, first);
        if (n < first.length) this.waiting[0] = first.subarray(n);
        else this.waiting.shift();
        if (this.waiting.length > 0 || this.leftOut === 0) continue;
        this.waiting.push(Buffer.from(`${this.leftOut} lines are left out here: they were not read in time\n`));
        this.leftOut = 0;
      }
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code === 'EAGAIN') {
        this.lookAgain();
        return;
      }
      this.stop();
      this.failed(code === 'EPIPE' ? new PipeClosed() : systemError('standard output', e, 'FTT_E_WRITE'));
    }
  }

  private lookAgain(): void {
    if (this.timer !== undefined || this.isOver) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.drain();
    }, LOOK_MS);
    this.timer.unref();
  }
}

/**
 * The same terminal or pipe, opened once more in a way that tells when it is full: the one that was given is shared with
 * whoever started us. A socket cannot be opened, and Node makes it tell.
 */
function unblocked(fd: 1 | 2): number {
  const what = fstatSync(fd);
  if (!what.isFIFO() && !what.isCharacterDevice() && !what.isSocket()) return fd;
  try {
    if (!what.isSocket())
      return openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    void (fd === 1 ? process.stdout : process.stderr);
  } catch {
    // somebody else's terminal: it is written to as it is
  }
  return fd;
}
