import { Grid } from './cells.js';
import type { Display, DisplayEvents } from './display.js';
import type { Theme } from './style.js';
import type { MouseAt } from './view.js';

/** Keys that end the waiting. */
const QUITS = new Set(['Q', 'q', 'Esc', 'Ctrl-C']);

/** The screen before there is a capture: a pipe may take its time to begin. What happens later goes on to the program. */
export class Waiting implements DisplayEvents {
  /** Who gets what happens, once the capture is open. */
  next: DisplayEvents | undefined;
  private display: Display | undefined;

  /** @param words what is waited for */
  constructor(
    private readonly theme: Theme,
    private readonly words: string,
    private readonly quit: () => void,
  ) {}

  /** Shows that something is waited for. */
  showOn(display: Display): void {
    this.display = display;
    const grid = new Grid(display.width, display.height);
    const { theme } = this;
    grid.clear(theme.text);
    const all = grid.area();
    all.part(0, 0, grid.width, 1).clear(theme.title);
    all.text(1, 0, 'fttscope', theme.title);
    all.clipped(2, 2, this.words, grid.width - 4, theme.strong);
    const x = all.text(1, grid.height - 1, 'Q', theme.key);
    all.text(x + 1, grid.height - 1, 'quit', theme.text);
    display.paint(grid, undefined);
  }

  key(key: string): void {
    if (this.next !== undefined) this.next.key(key);
    else if (QUITS.has(key)) this.quit();
  }
  paste(text: string): void {
    this.next?.paste(text);
  }
  mouse(at: MouseAt): void {
    this.next?.mouse(at);
  }
  resized(): void {
    if (this.next !== undefined) this.next.resized();
    else if (this.display !== undefined) this.showOn(this.display);
  }
  lost(): void {
    if (this.next !== undefined) this.next.lost();
    else this.quit();
  }
}
