import { isDeepStrictEqual } from 'node:util';
import { type Area, cellsOf, wrap, wrapBeneath } from './cells.js';
import { FRAME } from './frame.js';
import type { CommandId } from './keymap.js';
import { scrollBar } from './list.js';
import type { Desk, Dialog, MouseAt, Reading } from './view.js';

const WIDE = 76;

/** A question that only one key says yes to, another than the one that led here. */
export class Question implements Dialog {
  readonly title = 'Sure?';
  readonly width: number;
  readonly height: number;
  private readonly lines: string[];

  constructor(
    question: string,
    private readonly desk: Desk,
    private readonly yes: () => void,
  ) {
    this.lines = wrap(question, WIDE - 4);
    this.width = Math.max(24, ...this.lines.map((l) => cellsOf(l) + 4));
    this.height = this.lines.length + 4;
  }

  draw(area: Area): void {
    const { theme } = this.desk.preferences;
    for (const [y, line] of this.lines.entries()) area.text(0, y, line, theme.text);
    const x = area.text(0, this.lines.length + 1, 'y', theme.key);
    area.text(x + 1, this.lines.length + 1, 'yes   any other key: no', theme.text);
  }

  key(key: string): boolean {
    this.desk.close(this);
    if (key === 'y') this.yes();
    return true;
  }

  offers(): readonly CommandId[] {
    return [];
  }
  run(): boolean {
    return false;
  }
}

/** Text that one reads and scrolls: an info card, a message as it stands. */
export class Reader implements Dialog {
  private top = 0;
  private seen = 1;
  private wrapped: string[] = [];
  private wrappedFor: { readonly width: number; readonly lines: readonly string[] } | undefined;

  /** @param text asked again whenever it is drawn, where it is of what is still being read */
  constructor(
    readonly title: string,
    private readonly text: readonly string[] | (() => readonly string[]),
    private readonly desk: Desk,
  ) {}

  get lines(): readonly string[] {
    return typeof this.text === 'function' ? this.text() : this.text;
  }

  get width(): number {
    return Math.min(120, Math.max(30, cellsOf(this.title) + 8, ...this.lines.map((l) => cellsOf(l) + 5)));
  }

  get height(): number {
    return this.lines.length + 2;
  }

  /** Long lines are cut between words, and take more lines. */
  heightAt(width: number): number {
    this.wrap(width - FRAME);
    return this.wrapped.length + 2;
  }

  private wrap(width: number): void {
    const { lines, wrappedFor } = this;
    if (wrappedFor?.width === width && isDeepStrictEqual(wrappedFor.lines, lines)) return;
    this.wrappedFor = { width, lines };
    this.wrapped = lines.flatMap((l) => wrapBeneath(l, width - 1));
  }

  draw(area: Area): void {
    const { theme } = this.desk.preferences;
    this.wrap(area.width);
    this.seen = area.height;
    this.top = Math.max(0, Math.min(this.top, this.wrapped.length - area.height));
    for (let y = 0; y < area.height && this.top + y < this.wrapped.length; y++)
      area.text(0, y, this.wrapped[this.top + y], theme.text);
    if (this.wrapped.length > area.height) scrollBar(area, theme, this.top, this.wrapped.length);
  }

  offers(): readonly CommandId[] {
    return ['back', 'down', 'up', 'copy', 'pager'];
  }

  run(command: CommandId): boolean {
    switch (command) {
      case 'up':
        return this.by(-1);
      case 'down':
        return this.by(1);
      case 'page-up':
        return this.by(-this.seen);
      case 'page-down':
        return this.by(this.seen);
      case 'half-up':
        return this.by(-(this.seen >> 1));
      case 'half-down':
        return this.by(this.seen >> 1);
      case 'top':
        return this.by(-this.wrapped.length);
      case 'bottom':
        return this.by(this.wrapped.length);
      case 'open':
        this.desk.close(this);
        return true;
      case 'copy':
        this.desk.copy(this.lines.join('\n'), this.title);
        return true;
      default:
        return false;
    }
  }

  reading(): Reading {
    return { name: this.title, lines: this.lines };
  }

  mouse(at: MouseAt): boolean {
    return at.kind === 'wheel-up' ? this.by(-3) : at.kind === 'wheel-down' ? this.by(3) : false;
  }

  private by(lines: number): boolean {
    this.top += lines;
    return true;
  }
}
