import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Octets that are taken at a time. */
const MOST = 1 << 20;
const NOTHING = new Uint8Array(0);

/** A key log that somebody writes while we read. */
export class KeyLogTail {
  private at = 0;

  constructor(private readonly path: string) {}

  /** The whole lines that came since the last call, up to a mebibyte of them. One that was begun anew is read anew. */
  more(): Uint8Array {
    try {
      const fd = openSync(this.path, 'r');
      try {
        const { size } = fstatSync(fd);
        if (size < this.at) this.at = 0;
        if (size === this.at) return NOTHING;
        const buf = Buffer.alloc(Math.min(MOST, size - this.at));
        const n = readSync(fd, buf, 0, buf.length, this.at);
        const whole = n === 0 ? 0 : buf.lastIndexOf(10, n - 1) + 1;
        this.at += whole;
        return buf.subarray(0, whole);
      } finally {
        closeSync(fd);
      }
    } catch {
      return NOTHING; // it is not there yet
    }
  }
}
