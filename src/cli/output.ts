import { writeSync } from 'node:fs';
import { systemError } from '../capture/errors.js';
import { rest } from '../capture/rest.js';
import { TextBytes } from '../report/text-bytes.js';

/** The reader of our output went away: no error, there is nothing left to do. */
export class PipeClosed extends Error {}

const BATCH = 64 << 10;

/**
 * Standard output, or a file, in large writes. Text is gathered until {@link flush} or until there is enough for a
 * write. @throws PipeClosed when the reader went away, CaptureError when it cannot be written
 */
export class Output {
  /** What is not written yet; call {@link settle} after adding to it. */
  readonly text = new TextBytes();

  constructor(private readonly fd = 1) {}

  write(text: string): void {
    this.text.any(text);
    this.settle();
  }

  settle(): void {
    if (this.text.size >= BATCH) this.flush();
  }

  flush(): void {
    if (this.text.size === 0) return;
    try {
      writeAll(this.fd, this.text.octets);
    } finally {
      this.text.reset();
    }
  }
}

/** Writes everything, waiting where a pipe is full. */
export function writeAll(fd: number, data: Uint8Array): void {
  let off = 0;
  while (off < data.length) {
    try {
      off += writeSync(fd, data, off);
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') throw new PipeClosed();
      if (code !== 'EAGAIN') throw systemError('standard output', e, 'FTT_E_WRITE');
      rest(2);
    }
  }
}
