/** What the readers of the two file formats have in common. */

import type { CaptureFile, CaptureInterface, Chunk } from './chunk.js';
import type { OctetInput } from './input.js';
import type { Window } from './window.js';

/** What is known of a file while it is read; format readers fill it. */
export class FileState implements CaptureFile {
  readonly interfaces: CaptureInterface[] = [];
  readonly comments: string[] = [];
  readonly size?: number;
  format = '';
  frames = 0;
  ended = false;

  constructor(
    readonly id: number,
    readonly name: string,
    public input: OctetInput,
    size?: number,
  ) {
    if (size !== undefined) this.size = size;
  }

  get read(): number {
    return this.input.consumed;
  }
}

/** Returned by {@link FormatReader.parse}: the chunk is full, or what follows is damaged. */
export const FULL = 0;
export const DAMAGED = -1;

/** Reads one format. */
export interface FormatReader {
  /**
   * Moves frames from the window to the chunk and the window's position behind them. Returns {@link FULL},
   * {@link DAMAGED}, or the number of octets that must be unread before it can go on. Asked again at the same place it
   * says the same.
   */
  parse(window: Window, chunk: Chunk): number;
  /** What is damaged, after DAMAGED. */
  readonly damage: string;
  /** What the position stands in, for an input that ends there; empty where a file may end. */
  inside(window: Window): string;
}
