import { fstatSync } from 'node:fs';
import { GrowingFile } from '../capture/growing.js';
import { LIMITS } from '../limits.js';
import { Exit } from './errors.js';
import type { LiveRun } from './live-run.js';

/** Whether standard input is a pipe, or anything else that cannot be read twice. */
export function isPiped(): boolean {
  try {
    return !process.stdin.isTTY && !fstatSync(0).isFile();
  } catch {
    return false; // it is closed
  }
}

/**
 * Standard input, kept as it comes: so the engine behind the screens can read it again with other keys, and its writer
 * never waits for the screens.
 */
export class PipedCapture implements LiveRun {
  private readonly file = new GrowingFile('-', LIMITS.spoolOctets);
  private readonly came = (octets: Buffer): void => {
    if (!this.file.add(octets)) process.stdin.destroy();
  };
  private readonly over = (): void => this.file.end();

  constructor() {
    process.stdin.on('data', this.came).once('end', this.over).once('close', this.over).once('error', this.over);
  }

  get reader() {
    return this.file.reader;
  }

  stop(): string | undefined {
    if (this.file.ended) return undefined;
    this.file.end();
    process.stdin.destroy();
    return 'reading was stopped';
  }

  async end(): Promise<number> {
    process.stdin.off('data', this.came).destroy();
    this.file.close();
    return Exit.done;
  }
}
