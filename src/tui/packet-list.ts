import type { Choice, RowKind, Selection, Viewer } from '../viewer/viewer.js';
import { type Area, fit } from './cells.js';
import { ColumnChoice } from './column-choice.js';
import { csvOf } from './csv.js';
import type { Gaps } from './gaps.js';
import type { CommandId } from './keymap.js';
import { List, type ListLook } from './list.js';
import { once, outerLook } from './outer-look.js';
import { type ColumnLook, packetColumns } from './packet-columns.js';
import { type FindLook, markFound } from './packet-find.js';
import { PacketLines } from './packet-lines.js';
import { RowCells, valuesOf } from './row-cells.js';
import type { ColumnSetting } from './settings.js';
import { SIGNS, type Style, THEMES } from './style.js';
import { type Column, cellText, type Laid, layOut, valueIn } from './table.js';
import type { TimeFormat } from './times.js';
import type { Scope } from './view.js';
import { count, duration } from './words.js';

/** Cells from which on there is room for lengths. */
const LENGTH_FROM = 100;

/** Packets that are listed as plain text, and those of them whose fields are read. */
const PLAIN = { lines: 2000, fields: 200 };

/** Columns as they are where nothing is painted. */
const PLAIN_LOOK: ColumnLook = {
  theme: THEMES.mono,
  time: 'r',
  outer: undefined,
  reference: -1,
  before: () => -1,
  value: () => '',
  withGaps: (_, info) => info,
  mark: () => '',
};

/** What the list is to look like. */
export interface PacketLook extends ListLook, FindLook {
  readonly time: TimeFormat;
  styleOf(row: number): Style;
  mark(row: number): string;
}

/** The rows that are listed, the cursor in them, and their columns. */
export class PacketList {
  readonly list = new List(() => this.lines.count(this.count));
  /** The columns as the user wants them. */
  readonly choice: ColumnChoice;
  private readonly cells: RowCells;
  private laid: readonly Laid<number>[] = [];
  kind: RowKind = 'both';
  filter = '';
  /** The row that time counts from; -1: the first frame. */
  reference = -1;
  /** Rows when the list was made to stand still. */
  private still: number | undefined;
  /** The row that the cursor goes to when it is found. */
  private wanted = -1;
  /** The cursor stays at the last row until all are found. */
  private toEnd = false;
  private scope: Scope = {};
  private selection: Selection;
  private lines: PacketLines;
  private unfiltered: number | undefined;
  /** What would be listed without the filter, while it is being counted. */
  private counting: Selection | undefined;
  private began = Date.now();
  private took = 0;

  constructor(
    private readonly viewer: Viewer,
    private readonly changed: () => void,
    columns: readonly ColumnSetting[],
    private readonly gaps: Gaps,
  ) {
    this.choice = new ColumnChoice(viewer.rows, PLAIN_LOOK, columns);
    this.cells = new RowCells(viewer, changed);
    this.selection = viewer.select({ kind: this.kind });
    this.lines = new PacketLines(viewer.rows, this.selection);
  }

  get count(): number {
    return Math.min(this.selection.count, this.still ?? Number.POSITIVE_INFINITY);
  }
  /** Rows that there are to choose from: those that would be listed without a filter. */
  get seen(): number {
    return this.unfiltered ?? this.counting?.count ?? this.selection.count;
  }
  /** Rows of the capture that were looked at for the choice. */
  get looked(): number {
    return this.selection.seen;
  }
  get error(): string | undefined {
    return this.selection.error;
  }
  get done(): boolean {
    return this.selection.done;
  }
  /** No row is listed yet, and rows are still being looked at. */
  get sought(): boolean {
    const { count, done, error, looked, viewer } = this;
    return count === 0 && error === undefined && !done && looked < viewer.status.rows;
  }
  /** The row under the cursor; -1: there is none, or the cursor is on a gap. */
  get row(): number {
    return this.count === 0 ? -1 : this.rowAt(this.list.cursor);
  }
  /** The row under the cursor, or the nearest to the gap under it; -1: there is none. */
  get near(): number {
    return this.count === 0 ? -1 : this.at(Math.min(this.place, this.count - 1));
  }
  /** The row that the gap under the cursor stands before; -1: it is the last that is listed. */
  get next(): number {
    return this.place < this.count ? this.at(this.place) : -1;
  }
  /** The row at a line; -1: a gap is there. */
  rowAt(line: number): number {
    const place = this.lines.at(line);
    return place < 0 ? -1 : this.at(place);
  }
  /** Place of the packet at the cursor, or after it. */
  private get place(): number {
    const place = this.lines.at(this.list.cursor);
    return place < 0 ? -place - 1 : place;
  }
  /** What is missing, where the cursor is on a gap. */
  get gap(): string | undefined {
    return this.count === 0 ? undefined : this.gapAt(this.list.cursor);
  }
  private gapAt(line: number): string | undefined {
    const place = this.lines.at(line);
    if (place >= 0) return undefined;
    const { tunnels = this.viewer.status.tunnels.map((t) => t.id) } = this.scope;
    return this.gaps.words(this.lines.gapsAt(-place - 1), tunnels.length === 1 ? tunnels[0] : undefined);
  }
  at(i: number): number {
    return this.selection.at(i);
  }
  /** Which of the rows this is, or how many of them a filter takes. */
  get words(): string {
    const { count: n, done, filter, list, seen, row } = this;
    const at = n === 0 ? '' : row < 0 ? `gap / ${count(n)}` : `${count(this.place + 1)} / ${count(n)}`;
    return [
      ...(this.paused ? ['paused'] : []),
      ...(list.tail ? ['at the end'] : []),
      filter === '' ? at : `${count(n)} of ${count(seen)}${done ? '' : ` so far${this.progress}`}`,
      ...(filter !== '' && done ? [duration(this.took)] : []),
    ].join('  ');
  }
  /** How far a filter is through a capture that was read. */
  private get progress(): string {
    const { rows, status } = this.viewer;
    return status.done && rows.count > 0 ? `, ${Math.floor((100 * this.looked) / rows.count)} %` : '';
  }
  get paused(): boolean {
    return this.still !== undefined;
  }
  set paused(on: boolean) {
    this.still = on ? this.selection.count : undefined;
  }

  private choiceFor(kind: RowKind, filter: string): Choice {
    const { parties, rows } = this.scope;
    const tunnels = parties === undefined ? this.scope.tunnels : parties.within;
    return {
      kind,
      ...(filter.trim() !== '' && { filter }),
      ...(parties !== undefined && { parties }),
      // Rows that were named are listed wherever they ran: of a call also what was captured behind its tunnel.
      ...(tunnels !== undefined && rows === undefined && { tunnels }),
      ...(rows !== undefined && { rows }),
    };
  }

  /** Whether the rows listed are those of a scope, of the reading that there is now. */
  isOf(scope: Scope): boolean {
    const { tunnels, parties, rows, frames } = this.scope;
    if (this.error !== undefined) return false;
    if (scope.parties !== parties || scope.rows !== rows || scope.frames !== frames) return false;
    return scope.tunnels?.join() === tunnels?.join();
  }

  /** Whether a row is of what is listed here, whatever the filter takes and whether it is inner or outer. */
  isInScope(row: number): boolean {
    const { rows } = this.viewer;
    const { tunnels, parties, rows: ids } = this.scope;
    if (ids !== undefined) return ids.includes(rows.id(row));
    // Which they are only the list tells, of which a filter may take some away.
    if (parties !== undefined) return this.filter.trim() !== '' || this.selection.find(row) >= 0;
    return tunnels === undefined || tunnels.includes(rows.tunnel(row));
  }

  /** Rows that a filter would list here, to be counted. */
  preview(filter: string): Selection {
    return this.viewer.select(this.choiceFor(this.kind, filter));
  }

  /** Lists other rows; the cursor goes to `row` or the next one after it, otherwise it stays on its row. */
  choose(
    change: { kind?: RowKind; filter?: string; scope?: Scope },
    row = this.list.tail ? -1 : this.wanted < 0 ? this.near : this.wanted,
  ): void {
    if (change.kind !== undefined || change.scope !== undefined) this.unfiltered = undefined;
    else if (this.filter.trim() === '' && this.selection.done) this.unfiltered = this.selection.count;
    this.kind = change.kind ?? this.kind;
    this.filter = change.filter ?? this.filter;
    this.scope = change.scope ?? this.scope;
    this.still = undefined;
    this.selection.cancel();
    this.began = Date.now();
    this.selection = this.viewer.select(this.choiceFor(this.kind, this.filter));
    this.lines = new PacketLines(this.viewer.rows, this.selection);
    this.wanted = row;
    this.selection.onMore(() => this.more());
    this.countAll();
    this.more();
  }

  /** Counts what would be listed without the filter, where that is not known. */
  private countAll(): void {
    this.counting?.cancel();
    this.counting = undefined;
    if (this.filter.trim() === '' || this.unfiltered !== undefined) return;
    const counting = this.viewer.select(this.choiceFor(this.kind, ''));
    this.counting = counting;
    counting.onMore(() => {
      if (counting.done && counting.error === undefined && this.counting === counting) {
        this.unfiltered = counting.count;
        this.counting = undefined;
      }
      this.changed();
    });
  }

  /** The last row that is listed is the last that there is; of a capture that grows: that there is so far. */
  get hasEnd(): boolean {
    const { selection, viewer } = this;
    if (selection.done) return true;
    return viewer.status.growing && selection.seen >= viewer.rows.count;
  }

  /** Stays at the end as rows are added, or does so no more. */
  toggleTail(): void {
    this.list.tail = !this.list.tail;
    this.toEnd = false;
  }

  private more(): void {
    const { selection, wanted } = this;
    if (selection.done) this.took = Date.now() - this.began;
    if (this.toEnd && this.hasEnd) {
      if (this.list.tail) this.list.go(this.list.length - 1);
      this.toEnd = false;
    }
    if (wanted >= 0 && (selection.done || (selection.count > 0 && selection.at(selection.count - 1) >= wanted))) {
      this.wanted = -1;
      this.go(wanted);
    }
    this.changed();
  }

  /** Moves; whether the command was one that moves. The end is that of all rows, also while they are read or sought. */
  run(command: CommandId): boolean {
    if (!this.list.run(command)) return false;
    this.wanted = -1;
    if (command === 'bottom' && !this.list.tail && !this.hasEnd) this.toEnd = this.list.tail = true;
    return true;
  }

  /** Puts the cursor on a row, or on the next one that is listed; whether the row itself is listed. */
  go(row: number): boolean {
    const at = this.selection.find(row);
    this.list.centre(this.lines.lineOf(at >= 0 ? at : -at - 1));
    return at >= 0;
  }

  private columnLook(look: PacketLook): ColumnLook {
    return {
      theme: look.theme,
      time: look.time,
      outer: this.kind === 'outer' ? once((row) => outerLook(this.viewer, row, this.cells.get(row))) : undefined,
      reference: this.reference,
      before: (row) => {
        const at = this.selection.find(row);
        return at > 0 ? this.selection.at(at - 1) : -1;
      },
      value: (row, field) => this.cells.text(row, field),
      withGaps: (row, info) => this.withGaps(row, info),
      mark: look.mark,
    };
  }

  private withGaps(row: number, info: string): string {
    return this.filter.trim() === '' ? info : this.gaps.around(row, info);
  }

  draw(area: Area, look: PacketLook): void {
    const { rows } = this.viewer;
    const columns = this.choice.columns(rows, this.columnLook(look)).filter((c) => this.isOfUse(c.id, area.width));
    const body = area.part(0, 1, area.width, area.height - 1);
    this.list.fitTo(body.height);
    const bar = this.list.length > body.height ? 1 : 0;
    const inSight = Array.from({ length: Math.min(body.height, this.list.length - this.list.top) }, (_, y) =>
      this.rowAt(this.list.top + y),
    ).filter((row) => row >= 0);
    this.cells.set(this.choice.fields, this.kind === 'outer');
    this.cells.want(inSight);
    const laid = layOut(columns, area.width - bar, (c) =>
      c.id === 'info' ? c.min : inSight.reduce((n, r) => Math.max(n, c.text(r).length), c.title.length),
    );
    this.laid = laid;
    area.restyle(0, 0, area.width, look.theme.head);
    for (const { column, x, width } of laid) area.text(x, 0, fit(column.title, width, column.align), look.theme.head);
    this.limitSideways(laid, inSight);
    this.list.draw(
      body,
      look,
      (line, i) => this.drawLine(line, i, laid, look),
      look.found === undefined ? undefined : (line, i) => this.markFound(line, this.rowAt(i), look),
    );
  }

  /** No further to the side than the longest Info in sight. */
  private limitSideways(laid: readonly Laid<number>[], inSight: readonly number[]): void {
    const info = laid.find((l) => l.column.id === 'info');
    const longest = info === undefined ? 0 : inSight.reduce((n, r) => Math.max(n, info.column.text(r).length), 0);
    this.list.sideways = Math.max(0, Math.min(this.list.sideways, longest - (info?.width ?? 0)));
  }

  private isOfUse(id: string, width: number): boolean {
    if (id === 'length') return width >= LENGTH_FROM && this.kind !== 'outer';
    if (id === 'direction') return this.viewer.status.tunnels.length > 0;
    return id !== 'tunnel' || (this.scope.tunnels?.length !== 1 && this.viewer.status.tunnels.length > 1);
  }

  private drawLine(line: Area, i: number, laid: readonly Laid<number>[], look: PacketLook): void {
    const gap = this.gapAt(i);
    if (gap === undefined) this.drawRow(line, this.rowAt(i), laid, look);
    else {
      line.rule(0, look.theme.warn, gap);
      line.text(0, 0, SIGNS.warn, look.theme.warn);
    }
  }

  private drawRow(line: Area, row: number, laid: readonly Laid<number>[], look: PacketLook): void {
    const style = look.styleOf(row);
    for (const l of laid) line.text(l.x, 0, this.shown(l, row), l.column.style?.(row) ?? style);
  }

  /** What stands in a cell. */
  private shown({ column, width }: Laid<number>, row: number): string {
    const text = valueIn(column, row, width);
    return cellText(column, column.id === 'info' ? text.slice(this.list.sideways) : text, width);
  }

  private markFound(line: Area, row: number, look: PacketLook): void {
    if (row < 0) return;
    for (const l of this.laid) markFound(line, l.x, 0, this.shown(l, row), look);
  }

  /** Our own columns, as they are at first. */
  get ours(): readonly Column<number>[] {
    return packetColumns(this.viewer.rows, PLAIN_LOOK);
  }

  /** Cells that a column has now. */
  widthOf(id: string): number {
    return this.laid.find((l) => l.column.id === id)?.width ?? 8;
  }

  /** The rows as lines of text. */
  plain(time: TimeFormat): string[] {
    const { length } = this.list;
    const rows = Array.from({ length: Math.min(length, PLAIN.lines) }, (_, i) => this.rowAt(i));
    this.cells.set(this.choice.fields, this.kind === 'outer');
    this.cells.want(rows.slice(0, PLAIN.fields).filter((row) => row >= 0));
    const lines = rows.map((r, i) => (r < 0 ? (this.gapAt(i) ?? '') : this.lineOf(r, time)));
    return length > PLAIN.lines ? [...lines, `and ${count(length - PLAIN.lines)} more: / filters`] : lines;
  }

  /** All packets with their columns as CSV; values of fields are read for it. */
  async csv(time: TimeFormat): Promise<string> {
    const rows = Array.from({ length: this.count }, (_, i) => this.at(i));
    const values = await valuesOf(this.viewer, rows, this.choice.fields, this.kind === 'outer');
    const look: ColumnLook = {
      ...PLAIN_LOOK,
      time,
      reference: this.reference,
      outer: this.kind === 'outer' ? (r) => outerLook(this.viewer, r, values.get(r)) : undefined,
      withGaps: (r, info) => this.gaps.around(r, info),
      value: (r, field) => values.get(r)?.texts[this.choice.fields.indexOf(field)] ?? '',
    };
    return csvOf(this.choice.columns(this.viewer.rows, look), rows);
  }

  /** A row as one line of text. */
  lineOf(row: number, time: TimeFormat): string {
    const { rows } = this.viewer;
    const look: ColumnLook = {
      ...PLAIN_LOOK,
      time,
      reference: this.reference,
      withGaps: (r, info) => this.withGaps(r, info),
      value: (r, field) => this.cells.text(r, field),
    };
    return this.choice
      .columns(rows, look)
      .filter((c) => c.id !== 'sign' && c.id !== 'tunnel')
      .map((c) => c.text(row))
      .join('  ');
  }
}
