import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { App } from './app.js';
import { asciiText } from './ascii.js';
import { cellsOf, Grid, harmless, wrap } from './cells.js';
import type { Display } from './display.js';
import { type CommandId, Keys } from './keymap.js';
import { type Message, VIEWS, type View } from './view.js';

/** Lines that are printed at a time. */
const PAGE = 20;
/** Milliseconds of quiet after which all that a command does is there, and after which nothing is waited for any more. */
const QUIET_MS = 80;
const LONGEST_MS = 5000;
/** Cells of a dialog as text. */
const DIALOG = { width: 76, height: 60 };

/** Says when something is another; shows nothing itself. */
class Changes implements Display {
  readonly width = DIALOG.width;
  readonly height = 24;
  last = 0;
  closed = false;
  paint(): void {
    this.last = Date.now();
  }
  forget(): void {}
  suspend(): void {}
  async lend(): Promise<void> {
    throw new Error('other programs need a terminal of their own: without --plain');
  }
  offer(): void {}
  close(): void {
    this.closed = true;
  }
}

/**
 * The program as numbered lines of text, for screen readers and for terminals that can do no more: nothing moves, nothing
 * is painted over. What is typed is the number of a line, the name of a view, a key, or a command.
 */
export class PlainScreens {
  private readonly changes = new Changes();
  private page = 0;
  /** What was said last; it is said once. */
  private said: Message | undefined;

  constructor(
    private readonly app: App,
    private readonly output: Writable,
    /** The terminal has only ASCII. */
    private readonly ascii = false,
  ) {}

  /** Takes lines until the user quits or there are no more. */
  async run(lines: AsyncIterable<string>): Promise<void> {
    // From the first moment on: what is typed before anything was printed counts as well.
    const typed = lines[Symbol.asyncIterator]();
    void this.app.run(this.changes);
    await this.settled();
    this.print();
    for (let line = await typed.next(); line.done !== true; line = await typed.next()) {
      this.take(line.value.trim());
      await this.settled();
      if (this.changes.closed) return;
      this.print();
    }
  }

  /** Cells of a line; of a pipe there is no end. */
  private get width(): number {
    return (this.output as Partial<WriteStream>).columns ?? Number.POSITIVE_INFINITY;
  }

  private async settled(): Promise<void> {
    const end = Date.now() + LONGEST_MS;
    do await new Promise((resolve) => setTimeout(resolve, QUIET_MS / 4));
    while (!this.changes.closed && Date.now() < end && !this.isQuiet());
  }

  /** Nothing changes any more, and what can be read was read. */
  private isQuiet(): boolean {
    const { told, viewer, view } = this.app;
    const read = viewer.status.done && (told.whole || told.story === undefined || told.error !== undefined);
    return Date.now() - this.changes.last >= QUIET_MS && (viewer.status.growing || (read && view.busy !== true));
  }

  private take(line: string): void {
    const { app } = this;
    const { prompt, dialog } = app.shown;
    if (prompt !== undefined) {
      app.key('Ctrl-U');
      prompt.insert(line);
      app.key(line === '.' ? 'Esc' : 'Enter');
      return;
    }
    if (line === '') {
      this.page++;
      return;
    }
    this.page = 0;
    if (dialog !== undefined && (line === 'q' || line === '.')) {
      app.close(dialog);
      return;
    }
    const command = this.commandOf(line);
    const takesLines = dialog?.line !== undefined;
    if (takesLines ? dialog.line!(line, command !== undefined) : dialog?.key?.(line) === true) return;
    const isNumber = /^\d+$/.test(line);
    const writes = dialog?.caret?.() !== undefined;
    if (writes && !takesLines && (isNumber || command === undefined)) app.paste(line);
    else if (isNumber && !writes) this.open(Number(line));
    else if (command !== undefined) this.perform(...command);
    else app.say(`${line} is no command; ? lists them`, 'warn');
  }

  /** What a line says: a view, a command, a filter, a packet or a key; undefined: nothing of that. */
  private commandOf(line: string): [CommandId, string] | undefined {
    const { keymap } = this.app;
    if (line.startsWith('/') && line.length > 1) return ['filter', line.slice(1)];
    const [name, ...rest] = line.replace(/^:/, '').split(/\s+/);
    const view = VIEWS.find((v) => v === name);
    if (view !== undefined) return [`view-${view}`, ''];
    if (keymap.has(name)) return [name, rest.join(' ')];
    if (/^(\d+:)?\d+\.\d+$/.test(name)) return ['goto', name];
    const meaning = new Keys(keymap).take(line);
    return meaning.kind === 'command' ? [meaning.id, meaning.argument] : undefined;
  }

  /** Does a command; a window that has no use for it makes room. */
  private perform(id: CommandId, argument: string): void {
    const { app } = this;
    if (id !== 'back')
      for (let d = app.dialog; d !== undefined; d = app.dialog) {
        if (d.run(id, argument)) return;
        app.close(d);
      }
    app.perform(id, argument);
  }

  /** Opens a line of the list by its number. */
  private open(n: number): void {
    const { app } = this;
    const { dialog, view } = app.shown;
    const items = dialog === undefined ? (view.plainItems?.().length ?? 0) : n;
    if (n < 1 || n > items) {
      app.say(items === 0 ? 'nothing here has a number' : `there is no line ${n}: they go from 1 to ${items}`, 'warn');
      return;
    }
    app.perform('top');
    for (let i = 1; i < n; i++) app.perform('down');
    app.perform('open');
  }

  private print(): void {
    const { crumbs, view, dialog, prompt, message } = this.app.shown;
    const out: string[] = [];
    if (message !== undefined && message !== this.said) out.push(`${message.severity}: ${message.text}`);
    this.said = message;
    if (prompt !== undefined) {
      if (prompt.verdict !== undefined && prompt.verdict.text !== message?.text) out.push(prompt.verdict.text);
      this.write(out, `${prompt.request.label} (a line, or . to cancel) `);
      return;
    }
    out.push('', `${crumbs.join(', ')}. ${view.status()}`);
    if (dialog !== undefined) out.push(`${dialog.title}:`, ...this.pageOf(this.dialogLines()), 'q closes this');
    else {
      const lines = numbered(view.plain(this.width - NUMBER), view.plainItems?.() ?? []);
      out.push(...this.pageOf(lines), ...this.hints(view));
    }
    this.write(out, '> ');
  }

  /** Writes lines, and what stands before what is typed. Nothing that was captured is to reach the terminal as a command. */
  private write(lines: readonly string[], before: string): void {
    const text = lines
      .flatMap((l) => l.split('\n'))
      .flatMap((l) => hanging(harmless(l), this.width))
      .join('\n');
    this.output.write(`${this.ascii ? asciiText(text) : text}\n${before}`);
  }

  private dialogLines(): string[] {
    const dialog = this.app.shown.dialog!;
    const text = dialog.plain?.();
    if (text !== undefined) return text;
    const grid = new Grid(Math.min(dialog.width, 120), Math.min(dialog.height, DIALOG.height));
    dialog.draw(grid.area(), true);
    const lines = Array.from({ length: grid.height }, (_, y) => grid.line(y).replace(/ *█$/, ''));
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** The lines of the page that is shown. */
  private pageOf(lines: readonly string[]): string[] {
    const pages = Math.max(1, Math.ceil(lines.length / PAGE));
    this.page %= pages;
    const shown = lines.slice(this.page * PAGE, (this.page + 1) * PAGE);
    return pages > 1 ? [...shown, `Page ${this.page + 1} of ${pages}; an empty line turns it.`] : shown;
  }

  /** What can be typed here; with the first page, not with each. */
  private hints(view: View): string[] {
    const { keymap, viewer } = this.app;
    const { done, growing, size, read } = viewer.status;
    const part = size === undefined || size === 0 ? '' : ` (${Math.floor((100 * read) / size)} %)`;
    const reading = done || growing ? [] : [`Still being read${part}: an empty line shows what there is then.`];
    if (this.page > 0) return reading;
    const here = view.offers().flatMap((id) => {
      const { keys, hint } = keymap.of(id);
      return keys.length === 0 || keys[0].includes('*') || AS_WORDS.has(id) ? [] : [`${keys[0]} ${hint}`];
    });
    const hint = view.plainHint?.();
    return [
      ...reading,
      ...((view.plainItems?.().length ?? 0) > 0 ? ['A number opens its line.'] : []),
      `Here: ${[...here, ...(hint === undefined ? [] : [hint])].join(', ')}.`,
      `Views: ${VIEWS.join(', ')}. Also /FILTER, ? help, q back, Q quit.`,
    ];
  }
}

/** Commands that are told in another way: by number, by name, or in the last line. */
const AS_WORDS = new Set<CommandId>([
  'open',
  'next-pane',
  'help',
  'left',
  'right',
  'filter',
  ...VIEWS.map((id) => `view-${id}` as const),
]);

/** Cells before a line, in which its number stands. */
const NUMBER = 6;

/** Lines with the numbers of those that open something. */
function numbered(lines: readonly string[], items: readonly number[]): string[] {
  const numbers = new Map(items.map((line, i) => [line, i + 1]));
  return lines.map((line, i) => `${String(numbers.get(i) ?? '').padStart(NUMBER - 2)}  ${line}`.trimEnd());
}

/** A line cut between words, what follows below its text. */
function hanging(line: string, width: number): string[] {
  if (cellsOf(line) <= width) return [line];
  const before = /^ *(?:\d+ +)?/.exec(line)![0];
  const rest = wrap(line.slice(before.length), Math.max(20, width - before.length));
  return rest.map((l, i) => (i === 0 ? before : ' '.repeat(before.length)) + l);
}
