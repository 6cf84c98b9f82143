import type { Row } from '../engine/row.js';
import { type Field, fieldCount } from '../kit/index.js';
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

/** Gathers the values of chosen columns of a row. */
export class Columns {
  /** Columns by field id. */
  private readonly columnsOf: (number[] | undefined)[];
  /** Of each column, its values in the row. */
  readonly values: string[][];

  constructor(readonly columns: readonly FieldColumn[]) {
    this.columnsOf = new Array(fieldCount()).fill(undefined);
    this.values = columns.map(() => []);
    for (let i = 0; i < columns.length; i++) for (const f of columns[i].fields) (this.columnsOf[f.id] ??= []).push(i);
  }

  collect(row: Row): void {
    const { tree } = row.dissection;
    const { values, columns } = this;
    for (let i = 0; i < values.length; i++) {
      values[i].length = 0;
      if (columns[i].fields.length > 0) continue;
      const text = columnText(row, columns[i].name);
      if (text !== '') values[i].push(text);
    }
    for (let i = 0; i < tree.length; i++) {
      const list = this.columnsOf[tree.field[i].id];
      if (list === undefined) continue;
      const text = fieldText(tree, i);
      for (const c of list) values[c].push(text);
    }
  }
}

/** Writes chosen fields of each row, one line a row, as `tshark -T fields` does. */
export class FieldsWriter {
  private readonly columns: Columns;
  private readonly quoteMark: string;

  constructor(
    columns: readonly FieldColumn[],
    private readonly options: FieldsOptions,
  ) {
    this.columns = new Columns(columns);
    this.quoteMark = options.quote === 'd' ? '"' : options.quote === 's' ? "'" : '';
  }

  head(): string {
    const names = this.columns.columns.map((c) => c.name);
    return this.options.header ? `${names.join(this.options.separator)}\n` : '';
  }

  row(row: Row): string {
    const { columns, options, quoteMark } = this;
    columns.collect(row);
    let s = '';
    for (let i = 0; i < columns.values.length; i++) {
      const value = this.value(columns.values[i]);
      if (i > 0) s += options.separator;
      s += value === '' ? value : quoteMark + value + quoteMark;
    }
    return `${s}\n`;
  }

  private value(values: readonly string[]): string {
    const n = values.length;
    if (n === 0) return '';
    const { occurrence, aggregator } = this.options;
    if (n === 1 || occurrence === 'f') return oneLine(values[0]);
    return oneLine(occurrence === 'l' ? values[n - 1] : values.join(aggregator));
  }
}

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A value on one line: tabs and line ends as `\t`, `\n`, `\r`, which is how tshark writes them, other controls as
 * `\033`, which is how it shows them.
 */
function oneLine(s: string): string {
  if (!UNSAFE.test(s)) return s;
  return s.replace(new RegExp(UNSAFE, 'g'), (c) => {
    const code = c.charCodeAt(0);
    if (code > 0xff) return `\\u${code.toString(16).toUpperCase()}`;
    return SHORT[c] ?? `\\${code.toString(8).padStart(3, '0')}`;
  });
}
