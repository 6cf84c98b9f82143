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
  private readonly file: GrowingFile;
  private readonly came = (octets: Buffer): void => {
    if (this.file.ended || this.file.add(octets)) return;
    process.stdin.destroy();
    if (this.file.stopped !== undefined) this.say(`reading was stopped: ${this.file.stopped}`);
  };
  private say: (words: string) => void = () => undefined;
  private readonly over = (): void => this.file.end();

  /** @param most octets that are kept at most */
  constructor(most: number = LIMITS.spoolOctets) {
    this.file = new GrowingFile('-', most);
    process.stdin.on('data', this.came).once('end', this.over).once('close', this.over).once('error', this.over);
  }

  onTrouble(say: (words: string) => void): void {
    this.say = say;
    if (this.file.stopped !== undefined) say(`reading was stopped: ${this.file.stopped}`);
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
