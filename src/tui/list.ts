import { type Area, clip, wrapBeneath } from './cells.js';
import type { CommandId } from './keymap.js';
import type { Theme } from './style.js';

/** What a list needs of its window: the theme, and whether the keys go to it. */
export interface ListLook {
  readonly theme: Theme;
  readonly focus: boolean;
}

/**
 * Place of a cursor in a list of any length, and the part of it that is seen. It never touches a line that is not in
 * sight.
 */
export class List {
  cursor = 0;
  top = 0;
  /** Cells by which lines are shifted to the left. */
  sideways = 0;
  /** The cursor goes to the last line as lines are added. */
  tail = false;
  /** Lines in sight when it was drawn last. */
  private height = 10;

  /** @param count lines that there are now */
  constructor(private readonly count: () => number) {}

  get length(): number {
    return this.count();
  }

  /** Goes to a line; what does not exist is the nearest that does. */
  go(line: number): void {
    this.cursor = Math.max(0, Math.min(line, this.count() - 1));
    this.tail = false;
  }

  /** Goes to a line and shows it in the middle where it was out of sight. */
  centre(line: number): void {
    this.go(line);
    if (this.cursor < this.top || this.cursor >= this.top + this.height)
      this.top = Math.max(0, this.cursor - (this.height >> 1));
  }

  /** Moves as a command says; whether it was one that moves. */
  run(command: CommandId): boolean {
    const page = Math.max(1, this.height - 1);
    switch (command) {
      case 'up':
        return this.by(-1);
      case 'down':
        return this.by(1);
      case 'page-up':
        return this.by(-page);
      case 'page-down':
        return this.by(page);
      case 'half-up':
        return this.by(-(page >> 1) || -1);
      case 'half-down':
        return this.by(page >> 1 || 1);
      case 'top':
        return this.by(-this.count());
      case 'bottom':
        return this.by(this.count());
      case 'left':
        if (this.sideways === 0) return false;
        this.sideways = Math.max(0, this.sideways - 8);
        return true;
      case 'right':
        this.sideways += 8;
        return true;
      default:
        return false;
    }
  }

  private by(lines: number): boolean {
    const { tail } = this;
    this.go(this.cursor + lines);
    this.tail = tail && lines >= 0;
    return true;
  }

  /** Scrolls without moving the cursor out of sight: the wheel. */
  scroll(lines: number): void {
    const count = this.count();
    this.top = Math.max(0, Math.min(this.top + lines, count - this.height));
    this.cursor = Math.max(this.top, Math.min(this.cursor, this.top + this.height - 1, count - 1));
    this.tail = false;
  }

  /** The line that stands at a line of its area; -1 where there is none. */
  lineAt(y: number): number {
    const line = this.top + y;
    return y >= 0 && y < this.height && line < this.count() ? line : -1;
  }

  /** Brings {@link top} in order for so many lines in sight. */
  fitTo(height: number): void {
    this.height = Math.max(1, height);
    const count = this.count();
    if (this.tail) this.cursor = count - 1;
    this.cursor = Math.max(0, Math.min(this.cursor, count - 1));
    if (this.cursor < this.top) this.top = this.cursor;
    if (this.cursor >= this.top + this.height) this.top = this.cursor - this.height + 1;
    this.top = Math.max(0, Math.min(this.top, count - this.height));
  }

  /**
   * Draws the lines in sight; `line` draws one into an area one cell high. The line under the cursor is marked, and a
   * bar at the right shows how far down this is. `over` marks what is to be seen on the line under the cursor too.
   */
  draw(
    area: Area,
    look: ListLook,
    line: (area: Area, line: number, current: boolean) => void,
    over?: (area: Area, line: number) => void,
  ): void {
    this.fitTo(area.height);
    const count = this.count();
    const bar = count > area.height;
    const width = bar ? area.width - 1 : area.width;
    for (let y = 0; y < area.height && this.top + y < count; y++) {
      const current = this.top + y === this.cursor;
      const one = area.part(0, y, width, 1);
      line(one, this.top + y, current);
      if (current) one.restyle(0, 0, width, look.focus ? look.theme.cursor : look.theme.cursorElsewhere);
      over?.(one, this.top + y);
    }
    if (bar) scrollBar(area, look.theme, this.top, count);
  }
}

/** Draws a bar at the right edge: which part of `count` lines is in sight. */
export function scrollBar(area: Area, theme: Theme, top: number, count: number): void {
  const h = area.height;
  const size = Math.max(1, Math.round((h * h) / count));
  const at = count <= h ? 0 : Math.round(((h - size) * top) / (count - h));
  for (let y = at; y < at + size; y++) area.text(area.width - 1, y, '█', theme.dim);
}

/** Draws words where a list would be, the first line of them strong; empty lines go where there is no room for all. */
export function drawWords(area: Area, theme: Theme, lines: readonly string[]): void {
  const width = area.width - 4;
  const room = area.height - 1;
  let shown = lines.flatMap((text, i) =>
    wrapBeneath(text, width).map((line) => ({ line, style: i === 0 ? theme.strong : theme.text })),
  );
  if (shown.length > room) shown = shown.filter(({ line }) => line !== '');
  for (const [y, { line, style }] of shown.slice(0, room).entries())
    area.text(2, y + 1, y === room - 1 && shown.length > room ? clip(`${line} …`, width) : line, style);
}
