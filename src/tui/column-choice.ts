import type { Rows } from '../viewer/rows.js';
import { type ColumnLook, fieldColumn, packetColumns } from './packet-columns.js';
import type { ColumnSetting } from './settings.js';
import type { Column } from './table.js';

/** Columns that always are: without the number nobody knows a packet. */
const ALWAYS = 'number';
/** Cells that a column has at least and at most. */
const WIDTH = { least: 3, most: 120 };

const NAMES: Readonly<Record<string, string>> = {
  sign: 'sign of what was noticed',
  direction: 'direction',
  tunnel: 'tunnel',
};

/** A column: one of ours, or a field. */
export interface ChosenColumn {
  /** Id of one of ours, or a field as filters name it. */
  readonly id: string;
  readonly field: boolean;
  hidden: boolean;
  /** Undefined: the usual one. */
  title: string | undefined;
  width: number | undefined;
}

/** The columns of the packet list in their order, as the user wants them. */
export class ColumnChoice {
  readonly list: ChosenColumn[];
  private readonly usual: readonly string[];

  /** @param settings columns that are listed; none: the usual ones */
  constructor(rows: Rows, look: ColumnLook, settings: readonly ColumnSetting[]) {
    this.usual = packetColumns(rows, look).map((c) => c.id);
    const listed = settings.map(chosen).filter((c) => c.field || this.usual.includes(c.id));
    const ids = new Set(listed.map((c) => c.id));
    // One of ours that is not listed is there to be turned on, where it would stand.
    const others = this.usual.filter((id) => !ids.has(id));
    this.list = listed;
    for (const id of others) {
      const before = this.list.findIndex((c) => this.usual.indexOf(c.id) > this.usual.indexOf(id));
      const hidden = settings.length > 0 && id !== ALWAYS;
      const column = { id, field: false, hidden, title: undefined, width: undefined };
      this.list.splice(before < 0 ? this.list.length : before, 0, column);
    }
  }

  /** The expressions of the fields that are shown. */
  get fields(): readonly string[] {
    return this.list.filter((c) => c.field && !c.hidden).map((c) => c.id);
  }

  /** What a column is called in the list of columns. */
  nameOf(c: ChosenColumn, ours: readonly Column<number>[]): string {
    return c.title ?? (c.field ? c.id : (NAMES[c.id] ?? ours.find((o) => o.id === c.id)?.title ?? c.id));
  }

  has(id: string): boolean {
    return this.list.some((c) => c.id === id);
  }

  /** Adds a field before the Info column; false: it is there already. */
  add(field: string, title: string | undefined): boolean {
    if (this.has(field)) return false;
    const info = this.list.findIndex((c) => c.id === 'info');
    const column = { id: field, field: true, hidden: false, title, width: undefined };
    this.list.splice(info < 0 ? this.list.length : info, 0, column);
    return true;
  }

  /** Takes a field away, or hides one of ours. */
  remove(i: number): void {
    if (this.list[i].field) this.list.splice(i, 1);
    else this.hide(i, true);
  }

  hide(i: number, hidden: boolean): void {
    if (this.list[i].id !== ALWAYS) this.list[i].hidden = hidden;
  }

  /** Moves a column by a place; returns where it is then. */
  move(i: number, by: 1 | -1): number {
    const to = i + by;
    if (to < 0 || to >= this.list.length) return i;
    [this.list[i], this.list[to]] = [this.list[to], this.list[i]];
    return to;
  }

  /** Makes a column wider or narrower than `now`. */
  widen(i: number, now: number, by: number): void {
    this.list[i].width = Math.max(WIDTH.least, Math.min(WIDTH.most, (this.list[i].width ?? now) + by));
  }

  /** As the settings keep it; what is as usual is not named. */
  get settings(): ColumnSetting[] {
    const plain = (c: ChosenColumn, i: number): boolean =>
      !c.hidden && c.title === undefined && c.width === undefined && c.id === this.usual[i];
    if (this.list.length === this.usual.length && this.list.every(plain)) return [];
    return this.list
      .filter((c) => c.field || !c.hidden)
      .map(({ id, field, hidden, title, width }) => ({
        ...(field ? { field: id } : { column: id }),
        ...(title !== undefined && { title }),
        ...(width !== undefined && { width }),
        ...(hidden && { hidden }),
      }));
  }

  /** The columns that are shown, to be laid out. */
  columns(rows: Rows, look: ColumnLook): Column<number>[] {
    const ours = new Map(packetColumns(rows, look).map((c) => [c.id, c]));
    return this.list
      .filter((c) => !c.hidden)
      .map((c) => {
        const column = c.field ? fieldColumn(c.id, look) : ours.get(c.id)!;
        const { title = column.title, width } = c;
        return { ...column, title, ...(width !== undefined && { min: width, max: width }) };
      });
  }
}

const chosen = ({ column, field, hidden, title, width }: ColumnSetting): ChosenColumn => ({
  id: field ?? column ?? '',
  field: field !== undefined,
  hidden: hidden === true,
  title,
  width: width === undefined ? undefined : Math.max(WIDTH.least, Math.min(WIDTH.most, Math.round(width))),
});
