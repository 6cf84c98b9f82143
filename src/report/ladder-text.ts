import { printable } from '../kit/index.js';
import { ascii } from './ascii.js';
import { itemText, type Ladder, type LadderArrow, type LadderBar, type LadderColumn, since } from './ladder.js';
import { cells, fit, fitMiddle, padEnd, padStart, wrapped } from './width.js';

/** How a ladder is to be drawn on a terminal. */
export interface LadderTextOptions {
  /** Cells of a line. */
  readonly width: number;
  /** Signs outside of ASCII may be used. */
  readonly unicode?: boolean;
  /** What text from packets becomes there, if it is not `printable`. */
  readonly plain?: (text: string) => string;
  /** Number of the leftmost column shown, where not all fit. */
  readonly first?: number;
}

/** A drawn ladder. */
export interface LadderText {
  /** The names of the columns, two lines. */
  readonly head: readonly string[];
  /** One line an item, in their order. */
  readonly lines: readonly string[];
  /** How many columns are shown. */
  readonly shown: number;
}

/** Cells of the time, and of the row at the right where there is room for it. */
const TIME = 10;
const ROW = 9;
const ROOM_FOR_ROWS = 72;
/** Cells between two columns. */
const LEAST = 15;
const MOST = 46;

/** Draws a ladder in lines that are no longer than the terminal is wide. */
export function ladderText(ladder: Ladder, o: LadderTextOptions): LadderText {
  const drawn = new Drawing(ladder, o);
  // What was shortened ends with one sign here, so that columns stay where they are.
  const line = (s: string): string => (o.unicode === false ? s.replaceAll('…', '~') : s).trimEnd();
  return {
    head: drawn.head().map(line),
    lines: ladder.items.map((_, i) => line(drawn.line(i))),
    shown: drawn.shown,
  };
}

/** A ladder as one text, with its title; empty where nothing happened. */
export function ladderPage(ladder: Ladder, o: LadderTextOptions): string {
  if (ladder.items.length === 0) return '';
  const { head, lines, shown } = ladderText(ladder, o);
  const unicode = o.unicode !== false;
  const whole = lines.flatMap((l, i) => noteLines(ladder, i, o.width, unicode) ?? [l]);
  const title = fit(printable(ladder.title), o.width);
  const more = [
    ...(ladder.dropped > 0 ? [`${' '.repeat(TIME)} … and ${ladder.dropped} more`] : []),
    ...(shown < ladder.columns.length ? [`${' '.repeat(TIME)} ${shown} of ${ladder.columns.length} ends fit`] : []),
  ].map((l) => (unicode ? l : ascii(l)));
  return `${[unicode ? title : ascii(title), ...head, ...whole, ...more].join('\n')}\n`;
}

/** A remark that is too long for one line, in several; undefined for anything else. */
function noteLines(ladder: Ladder, i: number, width: number, unicode: boolean): string[] | undefined {
  const item = ladder.items[i];
  if (item.kind !== 'note') return undefined;
  const text = `${item.bad ? '!' : '*'} ${printable(unicode ? item.text : ascii(item.text))}`;
  const time = padStart(since(ladder, item.at), TIME);
  return wrapped(text, Math.max(20, width - TIME - 3)).map((l, k) => `${k === 0 ? time : ' '.repeat(TIME + 2)} ${l}`);
}

class Drawing {
  readonly shown: number;
  private readonly first: number;
  private readonly gap: number;
  private readonly area: number;
  private readonly rows: boolean;
  private readonly bar: string;

  constructor(
    private readonly ladder: Ladder,
    o: LadderTextOptions,
  ) {
    const n = Math.max(1, ladder.columns.length);
    this.rows = o.width >= ROOM_FOR_ROWS;
    this.area = Math.max(LEAST + 2, o.width - TIME - 1 - (this.rows ? ROW : 0));
    this.shown = Math.min(n, Math.floor((this.area - 1) / LEAST) + 1);
    this.first = Math.max(0, Math.min(o.first ?? 0, n - this.shown));
    this.gap = this.shown < 2 ? 0 : Math.min(MOST, Math.floor((this.area - 1) / (this.shown - 1)));
    this.plain = o.plain ?? (o.unicode === false ? (t) => ascii(printable(t)) : printable);
    this.bar = o.unicode === false ? '|' : '│';
    this.dash = o.unicode === false ? '-' : '─';
    this.double = o.unicode === false ? '=' : '═';
  }
  /** Text from packets as it may stand on the terminal. */
  private readonly plain: (text: string) => string;
  private readonly dash: string;
  private readonly double: string;

  /** Where a column that is shown stands. */
  private x(column: number): number {
    return (column - this.first) * this.gap;
  }

  private get visible(): readonly LadderColumn[] {
    return this.ladder.columns.slice(this.first, this.first + this.shown);
  }

  head(): string[] {
    const blank = ' '.repeat(TIME + 1);
    const titles = this.visible.map((c) => this.plain(c.title));
    const addresses = this.visible.map((c) => this.plain(c.address));
    return [...(titles.some((t) => t !== '') ? [titles] : []), addresses].map((texts) => blank + this.names(texts));
  }

  /** Names above their columns: the first begins there, the last ends there, the others stand about it. */
  private names(texts: readonly string[]): string {
    const last = texts.length - 1;
    const outer = last === 0 ? this.area : Math.floor(last === 1 ? this.span / 2 - 1 : this.gap * 0.6);
    const inner = 2 * (this.gap - outer) - 2;
    let line = '';
    for (const [i, text] of texts.entries()) {
      const shown = fitMiddle(text, i === 0 || i === last ? outer : inner);
      const width = cells(shown);
      const at = i === 0 ? 0 : i === last ? this.span + 1 - width : i * this.gap - Math.floor(width / 2);
      line += ' '.repeat(Math.max(0, at - cells(line))) + shown;
    }
    return fit(line, this.area);
  }

  /** Cells from the first column to the last. */
  private get span(): number {
    return this.gap * (this.shown - 1);
  }

  line(i: number): string {
    const item = this.ladder.items[i];
    const time = padStart(since(this.ladder, item.at), TIME);
    const text = this.plain(itemText(item));
    if (item.kind === 'note') return `${time} ${fit(`${item.bad ? '!' : '*'} ${text}`, this.area)}`;
    const drawn = this.isShown(item.from) && this.isShown(item.to) ? this.drawn(item, text) : this.told(item, text);
    const row = item.kind === 'arrow' && this.rows ? ` ${padStart(item.row, ROW - 1)}` : '';
    return `${time} ${row === '' ? drawn : padEnd(drawn, Math.max(this.span + 1, cells(drawn)))}${row}`;
  }

  private isShown(column: number): boolean {
    return column >= this.first && column < this.first + this.shown;
  }

  /** A message of which an end is not shown, in words. */
  private told(item: LadderArrow | LadderBar, text: string): string {
    const [from, to] = [item.from, item.to].map((i) => fitMiddle(this.plain(this.ladder.columns[i].address), 18));
    return fit(`${from} > ${to}  ${text}`, this.area);
  }

  /** The part of a line below the columns. */
  private drawn(item: LadderArrow | LadderBar, text: string): string {
    const a = this.x(item.from);
    const b = this.x(item.to);
    if (a === b) return this.alone(a, text);
    const [left, right] = a < b ? [a, b] : [b, a];
    const both = item.kind === 'bar' && item.both;
    const rule = item.kind === 'bar' ? this.double : this.dash;
    const tipLeft = b < a || both ? '<' : rule;
    const tipRight = b > a || both ? '>' : rule;
    const room = right - left - 1;
    const label = ` ${fit(text, room - 3)} `.slice(0, cells(text) >= room - 3 ? -1 : undefined);
    const spare = room - 2 - cells(label);
    const before = Math.floor(spare / 2);
    const inside = `${tipLeft}${rule.repeat(before)}${label}${rule.repeat(spare - before)}${tipRight}`;
    return this.around(left, right, this.bar + inside + this.bar);
  }

  /** Puts what spans two columns between the lines of the others. */
  private around(left: number, right: number, what: string): string {
    let line = '';
    for (let k = 0; k < this.shown; k++) {
      const x = k * this.gap;
      if (x > left && x <= right) continue;
      line += ' '.repeat(Math.max(0, x - cells(line))) + (x === left ? what : this.bar);
    }
    return line;
  }

  /** A message from a column to itself. */
  private alone(x: number, text: string): string {
    const label = ` ${text}`;
    const room = this.area - x - 1;
    let line = '';
    for (let k = 0; k < this.shown; k++) {
      const at = k * this.gap;
      if (at < cells(line)) continue;
      line += ' '.repeat(at - cells(line)) + this.bar;
      if (at === x) line += fit(label, room);
    }
    return fit(line, this.area);
  }
}
