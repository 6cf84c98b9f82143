import type { Area } from './cells.js';
import { csvOf } from './csv.js';
import type { CommandId } from './keymap.js';
import type { Table } from './table.js';
import type { Desk, Dialog, MouseAt } from './view.js';

/** What a window with a table shows, and what keys do there. */
export interface TableDialogParts<T> {
  readonly title: string;
  readonly table: Table<T>;
  /** What Enter does with a line; absent: it closes the window. */
  readonly open?: (item: T) => void;
  /** The filter that finds a line, for `a`. */
  readonly filter?: (item: T) => string | undefined;
  readonly width?: number;
  /** Shown where there are no lines. */
  readonly empty: string;
}

/** A window with a table that can be sorted, copied as CSV, and filtered by. */
export class TableDialog<T> implements Dialog {
  readonly title: string;
  readonly width: number;
  readonly height: number;

  constructor(
    private readonly desk: Desk,
    private readonly parts: TableDialogParts<T>,
  ) {
    this.title = parts.title;
    this.width = parts.width ?? 90;
    this.height = Math.max(4, parts.table.items.length + 3);
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const { table, empty } = this.parts;
    if (table.items.length === 0) area.text(0, 0, empty, theme.text);
    else table.draw(area, { theme, focus });
  }

  offers(): readonly CommandId[] {
    const { open, filter } = this.parts;
    return [
      ...(open === undefined ? [] : ['open' as const]),
      ...(filter === undefined ? [] : ['filter-apply' as const]),
      'sort',
      'copy',
      'back',
    ];
  }

  run(command: CommandId): boolean {
    const { table, open, title } = this.parts;
    switch (command) {
      case 'open':
        this.desk.close(this);
        if (open !== undefined && table.current !== undefined) open(table.current);
        return true;
      case 'filter-apply':
        return this.apply();
      case 'sort':
        this.desk.say(`${title} ${table.sortNext()}`);
        return true;
      case 'copy':
        this.desk.copy(csvOf(table.columns, table.items), `${title} as CSV`);
        return true;
      default:
        return table.run(command);
    }
  }

  private apply(): boolean {
    const { table, filter } = this.parts;
    const text = table.current === undefined ? undefined : filter?.(table.current);
    if (text === undefined) return false;
    this.desk.close(this);
    this.desk.perform('filter', text);
    return true;
  }

  mouse(at: MouseAt): boolean {
    if (this.parts.table.mouse(at)) this.run('open');
    return true;
  }
}
