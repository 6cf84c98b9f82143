import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import type { TerminalOptions } from '../../../src/tui/term.js';

/** A terminal in memory, after xterm: takes what a program writes, and sends what is typed. */
export class MemoryTerminal {
  readonly input = Object.assign(new PassThrough(), { raw: false, setRawMode: (on: boolean) => this.setRaw(on) });
  readonly output: Writable & { columns: number; rows: number; isTTY: boolean };
  /** All that was written. */
  written = '';
  raw = false;
  title = '';
  private readonly xterm: InstanceType<typeof xterm.Terminal>;

  constructor(columns = 80, rows = 24) {
    this.xterm = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.xterm.onTitleChange((title) => {
      this.title = title;
    });
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.written += chunk.toString('utf8');
        this.xterm.write(chunk, done);
      },
    });
    this.output = Object.assign(output, { columns, rows, isTTY: true });
  }

  private setRaw(on: boolean): PassThrough {
    this.raw = on;
    return this.input;
  }

  options(more: Partial<TerminalOptions> = {}): TerminalOptions {
    return { input: this.input, output: this.output, term: 'xterm-256color', ascii: false, mouse: true, ...more };
  }

  /** Waits until everything written was taken. */
  async settled(): Promise<void> {
    for (let quiet = 0, before = -1; quiet < 3; before = this.written.length) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      quiet = this.written.length === before ? quiet + 1 : 0;
    }
    await new Promise<void>((resolve) => this.xterm.write('', resolve));
  }

  async type(text: string): Promise<void> {
    this.input.write(text);
    await this.settled();
  }

  async resize(columns: number, rows: number): Promise<void> {
    Object.assign(this.output, { columns, rows });
    this.xterm.resize(columns, rows);
    this.output.emit('resize');
    await this.settled();
  }

  /** The lines that are seen. */
  get lines(): string[] {
    const { active } = this.xterm.buffer;
    return Array.from(
      { length: this.xterm.rows },
      (_, y) =>
        active
          .getLine(active.viewportY + y)
          ?.translateToString(true)
          .trimEnd() ?? '',
    );
  }

  /** Whether the program has the screen to itself. */
  get alternate(): boolean {
    return this.xterm.buffer.active.type === 'alternate';
  }

  get modes(): { readonly mouse: string; readonly paste: boolean } {
    const { mouseTrackingMode, bracketedPasteMode } = this.xterm.modes;
    return { mouse: mouseTrackingMode, paste: bracketedPasteMode };
  }

  get cursor(): { readonly x: number; readonly y: number } {
    return { x: this.xterm.buffer.active.cursorX, y: this.xterm.buffer.active.cursorY };
  }

  /** Foreground and background of a cell as numbers of the palette, -1: the terminal's own. */
  colours(x: number, y: number): [number, number] {
    const { active } = this.xterm.buffer;
    const cell = active.getLine(active.viewportY + y)!.getCell(x)!;
    return [cell.isFgDefault() ? -1 : cell.getFgColor(), cell.isBgDefault() ? -1 : cell.getBgColor()];
  }
}
