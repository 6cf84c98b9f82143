import { parseAddress } from '../kit/index.js';
import { type Area, cellsOf, clip, clipMiddle, fit } from './cells.js';
import type { CommandId } from './keymap.js';
import { List, type ListLook } from './list.js';
import type { Style } from './style.js';
import type { MouseAt } from './view.js';

/** A column of a table. */
export interface Column<T> {
  readonly id: string;
  readonly title: string;
  /** Cells that it has at least, and at most; one that grows takes what others leave. */
  readonly min: number;
  readonly max: number;
  readonly grow?: true;
  readonly align?: 'right';
  /** Long values are shortened in the middle: addresses. */
  readonly middle?: true;
  /** Less important columns go before this one is cut. */
  readonly whole?: true;
  /** Left out where no line has a value in it. */
  readonly ifAny?: true;
  /** 0 stays to the last; where the width does not do, those with the highest number go first. */
  readonly priority: number;
  text(item: T): string;
  /** The value in so many cells, where that is less than {@link text} takes. */
  short?(item: T, width: number): string;
  /** Of the cell; otherwise that of the line. */
  style?(item: T): Style | undefined;
  /** What lines are sorted by; a column without it cannot be sorted by. */
  key?(item: T): number | string;
}

/** How wide a column is, and how important. */
export const cells = (min: number, max: number, priority: number): Pick<Column<never>, 'min' | 'max' | 'priority'> => ({
  min,
  max,
  priority,
});
/** A column of numbers. */
export const RIGHT = { align: 'right' } as const;

/** A column with the cells that it got. */
export interface Laid<T> {
  readonly column: Column<T>;
  readonly x: number;
  readonly width: number;
}

/**
 * Gives columns their places: one blank between them, the least important ones left out where the width does not do,
 * what is left shared by those that want more, and the rest given to those that grow.
 */
export function layOut<T>(columns: readonly Column<T>[], width: number, wants: (c: Column<T>) => number): Laid<T>[] {
  const shown = [...columns];
  const whole = new Map(columns.filter((c) => c.whole === true).map((c) => [c, Math.min(c.max, wants(c))]));
  const least = (): number => shown.reduce((n, c) => n + Math.max(c.min, whole.get(c) ?? 0) + 1, -1);
  const worst = (): Column<T> => shown.reduce((a, b) => (b.priority >= a.priority ? b : a));
  const drop = (c: Column<T>): void => void shown.splice(shown.indexOf(c), 1);
  const kept = Math.max(...[...whole.keys()].map((c) => c.priority));
  while (shown.length > 1 && least() > width && worst().priority > kept) drop(worst());
  if (least() > width) whole.clear();
  while (shown.length > 1 && least() > width) drop(worst());
  let spare = width - least();
  const cells = new Map<Column<T>, number>();
  for (const c of [...shown].sort((a, b) => a.priority - b.priority)) {
    const first = Math.max(c.min, whole.get(c) ?? 0);
    const more = Math.max(0, Math.min(spare, Math.min(c.max, wants(c)) - first));
    cells.set(c, first + more);
    spare -= more;
  }
  const growing = shown.filter((c) => c.grow === true);
  for (const [i, c] of growing.entries()) {
    const more = Math.max(0, Math.floor(spare / (growing.length - i)));
    cells.set(c, cells.get(c)! + more);
    spare -= more;
  }
  let x = 0;
  return shown.map((column) => {
    const laid = { column, x, width: Math.min(cells.get(column)!, Math.max(1, width - x)) };
    x += laid.width + 1;
    return laid;
  });
}

/** A list with columns, and an order of its own. */
export class Table<T> {
  readonly list: List;
  items: readonly T[] = [];
  /** Columns that the user does not want. */
  readonly hidden = new Set<string>();
  /** Id of the column that lines are sorted by; empty: as they come. */
  sortedBy = '';
  descending = false;
  private given: readonly T[] = [];
  /** Columns that are left out, because no line has a value there. */
  private vacant: readonly Column<T>[] = [];
  private laid: Laid<T>[] = [];
  /** Somebody has gone to a line. */
  private moved = false;

  /** @param same whether two items are the same thing, so that the cursor stays where it is when items are new */
  constructor(
    readonly columns: readonly Column<T>[],
    private readonly same: (a: T, b: T) => boolean = (a, b) => a === b,
  ) {
    this.list = new List(() => this.items.length);
  }

  /** The item under the cursor. */
  get current(): T | undefined {
    return this.items[this.list.cursor];
  }

  /** Other items; the cursor stays on the thing that it is on. */
  set(items: readonly T[]): void {
    if (items === this.given) return;
    this.given = items;
    this.vacant = this.columns.filter((c) => c.ifAny === true && !items.some((i) => c.text(i) !== ''));
    this.arrange();
  }

  private arrange(): void {
    const { current } = this;
    const key = this.columns.find((c) => c.id === this.sortedBy)?.key;
    this.items = key === undefined ? this.given : sorted(this.given, key);
    if (key !== undefined && this.descending) this.items = [...this.items].reverse();
    const at = current === undefined ? -1 : this.items.findIndex((i) => this.same(i, current));
    // Who has not moved yet is at the top, whatever comes there.
    if (at >= 0 && this.moved) this.list.go(at);
  }

  /** Sorts by the next column that one can sort by; after the last, as items come. Returns words for the user. */
  sortNext(): string {
    const sortable = this.columns.filter((c) => c.key !== undefined && !this.hidden.has(c.id));
    const at = sortable.findIndex((c) => c.id === this.sortedBy);
    if (at >= 0 && !this.descending) this.descending = true;
    else {
      this.descending = false;
      this.sortedBy = sortable[at + 1]?.id ?? '';
    }
    this.arrange();
    const column = this.columns.find((c) => c.id === this.sortedBy);
    if (column === undefined) return 'in the first order';
    return `by ${column.title.trim() || column.id}${this.descending ? ', largest first' : ''}`;
  }

  /** Moves; whether the command was one that moves. */
  run(command: CommandId): boolean {
    const ran = command !== 'left' && command !== 'right' && this.list.run(command);
    this.moved ||= ran;
    return ran;
  }

  /** Draws the heads of the columns and the lines in sight. */
  draw(area: Area, look: ListLook, lineStyle: (item: T) => Style | undefined = () => undefined): void {
    const shown = this.columns.filter((c) => !this.hidden.has(c.id) && !this.vacant.includes(c));
    const body = area.part(0, 1, area.width, area.height - 1);
    this.list.fitTo(body.height);
    const inSight = this.items.slice(this.list.top, this.list.top + body.height);
    const bar = this.items.length > body.height ? 1 : 0;
    this.laid = layOut(shown, area.width - bar, (c) =>
      inSight.reduce((n, item) => Math.max(n, cellsOf(c.text(item))), cellsOf(headOf(c, this))),
    );
    area.restyle(0, 0, area.width, look.theme.head);
    for (const { column, x, width } of this.laid)
      area.text(x, 0, fit(headOf(column, this), width, column.align), look.theme.head);
    this.list.draw(body, look, (line, i) => {
      const item = this.items[i];
      const style = lineStyle(item) ?? look.theme.text;
      for (const { column, x, width } of this.laid)
        line.text(x, 0, cellText(column, valueIn(column, item, width), width), column.style?.(item) ?? style);
    });
  }

  /**
   * Does what the mouse says at a place of what was drawn: the wheel scrolls, a click goes to a line, and one on the head
   * of a column sorts by it, as with htop. Returns whether the line is to be opened.
   */
  mouse({ kind, x, y }: MouseAt): boolean {
    if (kind === 'wheel-up' || kind === 'wheel-down') {
      this.list.scroll(kind === 'wheel-up' ? -3 : 3);
      return false;
    }
    if (y === 0) {
      this.sortAt(x);
      return false;
    }
    const line = this.list.lineAt(y - 1);
    if (line < 0) return false;
    this.goTo(line);
    return kind === 'double';
  }

  /** Sorts by the column whose head is at a cell; by the one it is sorted by already, the other way round. */
  private sortAt(x: number): void {
    const column = this.laid.find((l) => x >= l.x && x <= l.x + l.width)?.column;
    if (column?.key === undefined) return;
    this.descending = column.id === this.sortedBy && !this.descending;
    this.sortedBy = column.id;
    this.arrange();
  }

  /** Goes to a line, and stays on what stands there. */
  goTo(line: number): void {
    this.moved = true;
    this.list.go(line);
  }

  /** Moves the cursor to the first item that is looked for; it stays where there is none. */
  goToItem(wanted: (item: T) => boolean): void {
    const i = this.items.findIndex(wanted);
    if (i >= 0) this.goTo(i);
  }

  /** Which lines of {@link plain} are items. */
  plainItems(): number[] {
    return this.items.map((_, i) => i + 1);
  }

  /**
   * All lines as text with blanks between columns, those left out in which nothing stands: for screen readers and export.
   * Where that takes more than `width` cells, the titles stand before the values instead.
   */
  plain(width = Number.POSITIVE_INFINITY): string[] {
    const isOfUse = (c: Column<T>): boolean => this.items.some((i) => c.text(i) !== '');
    const shown = this.columns.filter((c) => !this.hidden.has(c.id) && isOfUse(c));
    const rows = [shown.map((c) => c.title), ...this.items.map((i) => shown.map((c) => c.text(i)))];
    const widths = shown.map((_, i) => Math.min(60, Math.max(...rows.map((r) => cellsOf(r[i])))));
    if (widths.reduce((sum, w) => sum + w + 2, -2) > width)
      return rows.map((r, i) => (i === 0 ? '' : told(rows[0], r)));
    return rows.map((r) =>
      r
        .map((s, i) => fit(s, widths[i], shown[i].align))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** A line as a sentence: `x # 1, UE 192.0.2.7:40001, TLS 1.3`. What is not known is left out. */
function told(titles: readonly string[], values: readonly string[]): string {
  const known = values.map((v, i) => [titles[i].trim(), v.trim()]).filter(([, v]) => v !== '' && v !== '-');
  return known
    .map(([title, v]) => (title === '' ? `${v} ` : `${title} ${v}, `))
    .join('')
    .replace(/,? $/, '');
}

/** The value of an item for so many cells. */
export function valueIn<T>(column: Column<T>, item: T, width: number): string {
  const text = column.text(item);
  return column.short === undefined || cellsOf(text) <= width ? text : column.short(item, width);
}

/** A value as it stands in a column. */
export function cellText<T>(column: Column<T>, value: string, width: number): string {
  const cut = column.middle === true ? clipMiddle(value, width) : clip(value, width);
  return fit(cut, width, column.align);
}

/** The title of a column, with the way in which lines are sorted by it. */
function headOf<T>(c: Column<T>, { sortedBy, descending }: Pick<Table<T>, 'sortedBy' | 'descending'>): string {
  return c.id === sortedBy ? `${c.title.trim()}${descending ? '↓' : '↑'}` : c.title;
}

/** Items in the order of their keys, each of which is asked for once. */
const sorted = <T>(items: readonly T[], key: (item: T) => number | string): T[] =>
  items
    .map((item) => ({ item, key: inOrder(key(item)) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ item }) => item);

/** An address with a port, that of IPv6 in brackets. */
const WITH_PORT = /^(?:\[(.*)\]|([\d.]+)):(\d+)$/;

/** A key that brings addresses, with a port or without, in the order of their octets: IPv4 before IPv6 before names. */
function inOrder(key: number | string): number | string {
  if (typeof key === 'number') return key;
  const [, ip6, ip4, port = '0'] = WITH_PORT.exec(key) ?? [];
  const octets = parseAddress(ip6 ?? ip4 ?? key);
  return octets === undefined ? key : [octets.length, ...octets, port].join(' ');
}

/** As `localeCompare`, which would look for the rules of the language each time; numbers in a text by what they count. */
const { compare: inWords } = new Intl.Collator('en', { numeric: true });

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : inWords(String(a), String(b));
}
