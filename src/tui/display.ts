import type { Grid } from './cells.js';
import type { MouseAt } from './view.js';

/** What screens are shown on: the terminal, or memory in tests. */
export interface Display {
  readonly width: number;
  readonly height: number;
  /** Shows a grid of its size. `caret`: where the cursor stands; undefined: it is hidden. */
  paint(grid: Grid, caret: { readonly x: number; readonly y: number } | undefined): void;
  /** Paints every cell anew next time. */
  forget(): void;
  /** Gives the terminal back until the program is continued. */
  suspend(): void;
  /** Gives the terminal to another program, and takes it back; `run` is told where it is to end early. */
  lend(run: (end: AbortSignal) => Promise<void>): Promise<void>;
  /** Offers text to the clipboard of whoever sits before the terminal; nobody answers whether it took it. */
  offer(text: string): void;
  /** Leaves the terminal as it was found. */
  close(): void;
}

/** What happens at a display. */
export interface DisplayEvents {
  /** As keys are named in the key map. */
  key(key: string): void;
  paste(text: string): void;
  mouse(at: MouseAt): void;
  resized(): void;
  /** The terminal is gone. */
  lost(): void;
}
