import type { CaptureSource } from '../capture/chunk.js';
import { write } from './tell.js';

const EVERY_MS = 200;

/** One line on stderr that says how far a long file has been read; only on a terminal, gone at the end. */
export class Progress {
  private next: number;
  private shown = false;
  private readonly started = Date.now();
  private readonly on: boolean;

  constructor(
    private readonly source: CaptureSource,
    quiet: boolean,
  ) {
    this.on = !quiet && process.stderr.isTTY === true && process.stdout.isTTY !== true;
    this.next = this.started + 1000;
  }

  show(frames: number): void {
    if (!this.on) return;
    const now = Date.now();
    if (now < this.next) return;
    this.next = now + EVERY_MS;
    let read = 0;
    let size = 0;
    for (const f of this.source.files) {
      read += f.read;
      size += f.size ?? 0;
    }
    const rate = Math.round(frames / ((now - this.started) / 1000));
    const percent = size > 0 ? `${Math.floor((100 * read) / size)} %, ` : '';
    write(`\r${percent}${frames} frames, ${rate} frames/s\x1b[K`);
    this.shown = true;
  }

  end(): void {
    if (this.shown) write('\r\x1b[K');
  }
}
