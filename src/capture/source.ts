/** The frames of one capture file. */

import { type CaptureFile, type CaptureSource, Chunk, type Damage } from './chunk.js';
import { CaptureError, framesRead, InputDamage, labelOf } from './errors.js';
import { DAMAGED, type FileState, type FormatReader, FULL } from './format.js';
import type { OctetStore } from './random.js';
import type { Window } from './window.js';

/** A source that also gives octets again that it has passed. */
export interface Capture extends CaptureSource {
  /**
   * The octets `[offset, offset + length)` of file number `file`: a frame by its `fileOffset` and `cap`. Works until
   * {@link CaptureSource.close}, also after the end.
   * @param into where they are to lie, with room for them; without it in a fresh array
   * @throws CaptureError FTT_E_NOT_KEPT for compressed or piped input without `spool`, FTT_E_CHANGED, FTT_E_READ
   */
  octets(file: number, offset: number, length: number, into?: Uint8Array): Uint8Array;
}

/** Reads one file through its window, chunk by chunk. */
export class FileSource implements Capture {
  readonly files: readonly CaptureFile[];
  readonly damage: Damage[] = [];
  private readonly chunk: Chunk;
  private ended = false;
  private closed = false;

  constructor(
    private readonly file: FileState,
    private readonly window: Window,
    private readonly reader: FormatReader,
    private readonly store: OctetStore,
    frames: number,
  ) {
    this.files = [file];
    this.chunk = new Chunk(frames);
  }

  /** The next frames. The last chunk may hold nothing but secrets. */
  async next(): Promise<Chunk | null> {
    const { window, reader, chunk } = this;
    chunk.reset();
    while (!this.ended) {
      const state = reader.parse(window, chunk);
      if (chunk.count > 0 || chunk.secrets.length > 0) return chunk;
      if (state === DAMAGED) this.end(window.at, reader.damage);
      else if (state !== FULL) {
        const more = this.fill(state);
        if (typeof more === 'boolean' ? !more : !(await more)) this.end(window.at, this.cut());
      }
    }
    this.file.ended = true;
    return null;
  }

  octets(_file: number, offset: number, length: number, into?: Uint8Array): Uint8Array {
    return this.store.read(offset, length, into);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.ended = true;
    this.window.input.close();
    this.store.close();
  }

  private fill(wanted: number): boolean | Promise<boolean> {
    try {
      const more = this.window.fill(wanted);
      return typeof more === 'boolean' ? more : more.catch((error) => this.broken(error));
    } catch (error) {
      return this.broken(error);
    }
  }

  /** Notes why no more octets come. */
  private broken(error: unknown): boolean {
    if (!(error instanceof InputDamage || error instanceof CaptureError)) throw error;
    const { window } = this;
    const label = `${labelOf(this.file.name)}: `;
    const { message } = error;
    this.end(window.base + window.end, message.startsWith(label) ? message.slice(label.length) : message);
    return false;
  }

  /** What is wrong with an input that ends here, empty if nothing is. */
  private cut(): string {
    const place = this.reader.inside(this.window);
    return place === '' ? '' : `the file is cut short in the middle of ${place}`;
  }

  /** The end; with a reason it is damage. Only the first call counts. */
  private end(offset: number, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    if (reason === '') return;
    const { id, name, frames } = this.file;
    const label = labelOf(name);
    const message = `${label}: ${reason} at offset ${offset}; ${framesRead(frames)}`;
    this.damage.push({ file: id, offset, label, message });
  }
}
