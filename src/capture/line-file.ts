/** Lines of text that wait on the disk until they are wanted. */

import { Spool } from './random.js';

const BATCH = 256 << 10;
const LF = 10;

/**
 * Keeps lines in a temporary file without a name, and gives them back by their place. Lines that were put one after the
 * other are read back in large pieces.
 */
export class LineFile {
  private file: Spool | null = null;
  /** What was not written yet, and where it will stand. */
  private waiting: Buffer = Buffer.allocUnsafe(BATCH);
  private used = 0;
  private written = 0;
  /** Octets of the file read last, and where they stand. */
  private piece: Buffer = Buffer.alloc(0);
  private pieceAt = 0;
  /** Where it lies: used again, for such memory is given back late. */
  private memory = new Uint8Array(0);

  /** Keeps a line (without line ends in it); returns its place. @throws CaptureError where there is no room for it */
  put(line: Uint8Array): number {
    const { length } = line;
    if (this.used + length + 1 > this.waiting.length) this.flush(length + 1);
    const at = this.written + this.used;
    this.waiting.set(line, this.used);
    this.used += length;
    this.waiting[this.used++] = LF;
    return at;
  }

  /** The line at a place, until another is asked for. @throws CaptureError where it cannot be read */
  get(place: number): Uint8Array {
    if (place >= this.written) return this.line(place - this.written);
    for (let want = BATCH; ; want *= 4) {
      if (place < this.pieceAt || place >= this.pieceAt + this.piece.length) this.load(place, want);
      const from = place - this.pieceAt;
      const end = this.piece.indexOf(LF, from);
      if (end >= 0) return this.piece.subarray(from, end);
      this.piece = Buffer.alloc(0); // the line goes on behind the piece
    }
  }

  /** The line at an offset of what was not written yet. */
  private line(from: number): Uint8Array {
    return this.waiting.subarray(from, this.waiting.indexOf(LF, from));
  }

  private load(place: number, want: number): void {
    const length = Math.min(want, this.written - place);
    if (length > this.memory.length) this.memory = new Uint8Array(Math.max(length, BATCH));
    const octets = this.file!.read(place, length, this.memory);
    this.piece = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    this.pieceAt = place;
  }

  private flush(room: number): void {
    this.file ??= new Spool('what a report keeps');
    this.file.write(this.waiting, 0, this.used);
    if (this.file.stopped !== '') this.file.read(this.written, this.used); // says why
    this.written += this.used;
    this.used = 0;
    if (room > this.waiting.length) this.waiting = Buffer.allocUnsafe(2 * room);
  }

  close(): void {
    this.file?.close();
  }
}
