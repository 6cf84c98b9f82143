import { PassThrough, type Readable, type Writable } from 'node:stream';
import { asciiOf } from './ascii.js';
import { type Grid, RIGHT_HALF } from './cells.js';
import type { Display, DisplayEvents } from './display.js';
import { Input } from './input.js';

/*
 * The terminal itself; nothing else in the program touches it. blessed knows how terminals are spoken to and sends what
 * changed from one painting to the next; keys and mouse are read by `Input`.
 */

/** The terminal, and what it can do. */
export interface TerminalOptions {
  readonly input: Readable & { setRawMode?(on: boolean): unknown };
  readonly output: Writable & { columns?: number; rows?: number };
  readonly term: string;
  /** Only ASCII. */
  readonly ascii: boolean;
  readonly mouse: boolean;
}

const MOUSE_ON = '\x1b[?1000h\x1b[?1006h';
const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l';
const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';

/** Cells as blessed keeps them. */
export type Line = [number, string][] & { dirty: boolean };
/** What is used of blessed; its types do not tell of lines and of drawing them. */
export interface BlessedScreen {
  readonly lines: Line[];
  readonly program: {
    flush(): void;
    cup(y: number, x: number): void;
    hideCursor(): void;
    showCursor(): void;
  };
  realloc(): void;
  enter(): void;
  leave(): void;
  draw(from: number, to: number): void;
  destroy(): void;
}

/** The name under which blessed is to look the terminal up: it cannot read what describes most of today's. */
const nameFor = (term: string): string => (/^(linux|vt\d)/.test(term) ? term : 'xterm-256color');

/** Loads what knows terminals; it takes its time, in which a capture can be opened. */
export async function loadTerminal(): Promise<Blessed> {
  // Before blessed looks: otherwise lines come out as letters where its idea of the character set is wrong.
  process.env.NCURSES_NO_UTF8_ACS = '1';
  // Of all that it has, only the screen.
  const { default: screen } = await import('blessed/lib/widgets/screen.js');
  return { screen } as unknown as Blessed;
}

/** Opens the terminal. */
export async function openTerminal(options: TerminalOptions, events: DisplayEvents): Promise<Display> {
  return new Terminal(await loadTerminal(), options, events);
}

/** The part of blessed that is used. */
export interface Blessed {
  screen(o: object): BlessedScreen;
}

/** How long after a program's end a signal that the keyboard sent to it may be told to us. */
const LATE_SIGNAL_MS = 200;

class Terminal implements Display {
  private readonly screen: BlessedScreen;
  private readonly input: Input;
  private readonly signals = new Map<string, () => void>();
  private open = true;
  private away = false;
  /** The terminal takes no more for now; paint again when it does. */
  private full = false;
  /** Ends the program that has the terminal for now. */
  private lent: AbortController | undefined;
  /** The keyboard's signals are for the program that has the terminal, or had it a moment ago. */
  private signalsAreTheirs = false;

  constructor(
    blessed: Blessed,
    private readonly o: TerminalOptions,
    private readonly events: DisplayEvents,
  ) {
    const { output } = o;
    this.screen = blessed.screen({
      // It reads nothing: on this nothing comes.
      input: new PassThrough(),
      output,
      terminal: nameFor(o.term),
      fullUnicode: !o.ascii,
      forceUnicode: !o.ascii,
      resizeTimeout: 0,
    });
    this.input = new Input(events);
    this.listen();
    this.begin();
  }

  get width(): number {
    return this.o.output.columns ?? 80;
  }
  get height(): number {
    return this.o.output.rows ?? 24;
  }

  private listen(): void {
    const { input, output } = this.o;
    input.on('data', this.came);
    input.on('end', this.gone);
    input.on('error', this.gone);
    output.on('error', this.gone);
    output.on('resize', this.resized);
    output.on('drain', this.drained);
    const leave = (signal: NodeJS.Signals): void => {
      if (this.signalsAreTheirs && (signal === 'SIGINT' || signal === 'SIGQUIT')) return;
      this.close();
      // With nobody left to listen it ends the program as it ends others.
      process.kill(process.pid, signal);
    };
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const) this.on(signal, () => leave(signal));
    this.on('SIGTSTP', () => this.suspend());
    this.on('SIGCONT', () => this.resume());
    this.on('exit', () => this.close());
    const crashed = (): void => this.close();
    process.prependListener('uncaughtException', crashed);
    this.signals.set('uncaughtException', crashed);
  }

  private on(name: string, listener: () => void): void {
    process.on(name, listener);
    this.signals.set(name, listener);
  }

  private readonly came = (octets: Buffer): void => this.input.take(octets);
  private readonly gone = (): void => {
    if (this.open) this.events.lost();
  };
  private readonly resized = (): void => this.events.resized();
  private readonly drained = (): void => {
    if (!this.full) return;
    this.full = false;
    this.events.resized();
  };

  private begin(): void {
    this.o.input.setRawMode?.(true);
    this.o.input.resume();
    this.o.output.write((this.o.mouse ? MOUSE_ON : '') + PASTE_ON);
  }

  paint(grid: Grid, caret: { readonly x: number; readonly y: number } | undefined): void {
    const { screen } = this;
    if (!this.open || this.away || this.full) return;
    if (screen.lines.length !== grid.height || screen.lines[0].length !== grid.width) screen.realloc();
    for (let y = 0; y < Math.min(grid.height, screen.lines.length); y++) this.line(screen.lines[y], grid, y);
    screen.draw(0, screen.lines.length - 1);
    const { program } = screen;
    if (caret === undefined) program.hideCursor();
    else {
      program.cup(caret.y, caret.x);
      program.showCursor();
    }
    program.flush();
    this.full = this.o.output.writableNeedDrain;
  }

  private line(line: Line, grid: Grid, y: number): void {
    const base = y * grid.width;
    const { ascii } = this.o;
    for (let x = 0; x < Math.min(grid.width, line.length); x++) {
      const style = grid.styles[base + x];
      const c = grid.chars[base + x];
      let char = c === RIGHT_HALF ? ' ' : c;
      // Two ASCII characters stand in the two cells of a wide one.
      if (ascii && (char > '~' || char === ' ')) char = asciiOf(char, grid.chars[base + x + 1]);
      const cell = line[x];
      if (cell[0] === style && cell[1] === char) continue;
      cell[0] = style;
      cell[1] = char;
      line.dirty = true;
    }
  }

  forget(): void {
    this.screen.realloc();
  }

  suspend(): void {
    if (!this.open || this.away) return;
    this.away = true;
    this.giveBack();
    process.kill(process.pid, 'SIGSTOP');
  }

  private resume(): void {
    if (!this.open || this.lent !== undefined) return;
    if (!this.away) this.giveBack();
    this.away = false;
    this.screen.enter();
    this.begin();
    this.screen.realloc();
    this.events.resized();
    // A new size was told to the shell meanwhile, and to nobody who was stopped.
    process.kill(process.pid, 'SIGWINCH');
  }

  async lend(run: (end: AbortSignal) => Promise<void>): Promise<void> {
    if (!this.open || this.away) return;
    const { input } = this.o;
    const lent = new AbortController();
    this.lent = lent;
    this.signalsAreTheirs = true;
    this.away = true;
    this.giveBack();
    input.pause();
    // Ctrl-Z there stops us as well: nobody else would tell the shell.
    const stop = this.signals.get('SIGTSTP')!;
    process.removeListener('SIGTSTP', stop);
    try {
      await run(lent.signal);
    } finally {
      this.lent = undefined;
      // The Ctrl-C that ended the program may be told to us after its end.
      setTimeout(() => {
        // Where we were kept from running, signals of that time are told between this and the next.
        setImmediate(() => {
          this.signalsAreTheirs = this.lent !== undefined;
        });
      }, LATE_SIGNAL_MS).unref();
      if (this.open) {
        process.on('SIGTSTP', stop);
        this.resume();
      }
    }
  }

  private giveBack(): void {
    this.o.output.write(MOUSE_OFF + PASTE_OFF);
    this.screen.leave();
    this.screen.program.flush();
    this.o.input.setRawMode?.(false);
  }

  offer(text: string): void {
    this.o.output.write(`\x1b]52;c;${Buffer.from(text, 'utf8').toString('base64')}\x07`);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.lent?.abort();
    const { input, output } = this.o;
    for (const [name, listener] of this.signals) process.removeListener(name, listener);
    this.input.end();
    input.removeListener('data', this.came);
    input.removeListener('end', this.gone);
    output.removeListener('resize', this.resized);
    output.removeListener('drain', this.drained);
    // The listeners for errors stay: a terminal that is gone fails once more on what is written now.
    if (!this.away) this.giveBack();
    this.screen.destroy();
    input.pause();
  }
}
