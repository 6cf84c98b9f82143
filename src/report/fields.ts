import type { Row } from '../engine/row.js';
import { type Field, Held, type Tree } from '../kit/index.js';
import { columnText } from './columns.js';
import { fieldText } from './value.js';

/** A column of `-T fields`: fields of that name, or a column of the packet list. */
export interface FieldColumn {
  readonly name: string;
  readonly fields: readonly Field[];
}

export interface FieldsOptions {
  readonly header: boolean;
  readonly separator: string;
  /** Between several values of a column. */
  readonly aggregator: string;
  /** `a` all values, `f` the first, `l` the last. */
  readonly occurrence: 'a' | 'f' | 'l';
  /** `d` double, `s` single, `n` no quotes. */
  readonly quote: 'd' | 's' | 'n';
}

export const FIELDS_DEFAULTS: FieldsOptions = {
  header: false,
  separator: '\t',
  aggregator: ',',
  occurrence: 'a',
  quote: 'n',
};

/** Writes chosen fields of each row, one line a row, as `tshark -T fields` does. */
export class FieldsWriter {
  /** Columns by field id. */
  private readonly columnsOf: (number[] | undefined)[];
  private readonly values: string[];
  private readonly quoteMark: string;

  constructor(
    private readonly columns: readonly FieldColumn[],
    private readonly options: FieldsOptions,
    fieldTotal: number,
  ) {
    this.columnsOf = new Array(fieldTotal).fill(undefined);
    this.values = new Array(columns.length).fill('');
    this.quoteMark = options.quote === 'd' ? '"' : options.quote === 's' ? "'" : '';
    for (let i = 0; i < columns.length; i++) for (const f of columns[i].fields) (this.columnsOf[f.id] ??= []).push(i);
  }

  head(): string {
    return this.options.header ? `${this.columns.map((c) => c.name).join(this.options.separator)}\n` : '';
  }

  row(row: Row): string {
    const { tree } = row.dissection;
    const { values } = this;
    for (let i = 0; i < values.length; i++) values[i] = '';
    for (let i = 0; i < tree.length; i++) {
      const list = this.columnsOf[tree.field[i].id];
      if (list !== undefined) for (const c of list) this.add(c, valueText(tree, i));
    }
    let s = '';
    for (let i = 0; i < values.length; i++) {
      const value = this.quoted(this.value(row, i));
      s += i === 0 ? value : this.options.separator + value;
    }
    return `${s}\n`;
  }

  private add(column: number, text: string): void {
    const before = this.values[column];
    if (before === '' || this.options.occurrence === 'l') this.values[column] = text;
    else if (this.options.occurrence === 'a') this.values[column] = before + this.options.aggregator + text;
  }

  private value(row: Row, i: number): string {
    const c = this.columns[i];
    return c.fields.length === 0 ? escaped(columnText(row, c.name)) : this.values[i];
  }

  private quoted(s: string): string {
    return this.quoteMark === '' || s === '' ? s : this.quoteMark + s + this.quoteMark;
  }
}

const UNSAFE = /[\n\r\t\\]/;

/** A value on one line: a tab or line end inside text is written as tshark does. */
function valueText(t: Tree, i: number): string {
  const s = fieldText(t, i);
  return (t.held[i] === Held.Text || t.held[i] === Held.Made) && UNSAFE.test(s) ? escaped(s) : s;
}

const escaped = (s: string): string =>
  s.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
