import type { Row } from '../engine/row.js';
import { type Field, fieldCount, Held, type Tree } from '../kit/index.js';
import { columnText } from './columns.js';
import type { TextBytes } from './text-bytes.js';
import { chosenText } from './value.js';

/** A column of `-T fields`: fields of that name, or a column of the packet list. */
export interface FieldColumn {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** How `-T fields` writes columns: tshark's `-E`. */
export interface FieldsOptions {
  readonly header: boolean;
  /** A byte order mark before everything. */
  readonly bom: boolean;
  readonly separator: string;
  /** Between several values of a column. */
  readonly aggregator: string;
  /** `a` all values, `f` the first, `l` the last. */
  readonly occurrence: 'a' | 'f' | 'l';
  /** `d` double, `s` single, `n` no quotes. */
  readonly quote: 'd' | 's' | 'n';
}

/** What holds without `-E`. */
export const FIELDS_DEFAULTS: FieldsOptions = {
  header: false,
  bom: false,
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
      const list = this.columnsOf[tree.field(i).id];
      if (list === undefined) continue;
      const text = chosenText(tree, i);
      for (const c of list) values[c].push(text);
    }
  }
}

/** Writes chosen fields of each row, one line a row, as `tshark -T fields` does. */
export class FieldsWriter {
  /** By column and field id: how a field of the column is written; 0 for others. */
  private readonly takes: readonly Uint8Array[];
  private readonly quoteMark: string;
  /** {@link FieldsOptions.separator} and {@link FieldsOptions.aggregator} as octets, where each is one of ASCII; else -1. */
  private readonly separator: number;
  private readonly aggregator: number;

  constructor(
    private readonly columns: readonly FieldColumn[],
    private readonly options: FieldsOptions,
  ) {
    this.takes = columns.map((c) => {
      const takes = new Uint8Array(fieldCount());
      for (const f of c.fields) takes[f.id] = wayOf(f);
      return takes;
    });
    this.quoteMark = options.quote === 'd' ? '"' : options.quote === 's' ? "'" : '';
    this.separator = octetOf(options.separator);
    this.aggregator = octetOf(options.aggregator);
  }

  head(): string {
    const { header, bom, separator } = this.options;
    const names = this.columns.map((c) => c.name).join(separator);
    return `${bom ? '\ufeff' : ''}${header ? `${names}\n` : ''}`;
  }

  print(row: Row, out: TextBytes): void {
    const { columns, options, quoteMark } = this;
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) {
        if (this.separator >= 0) out.octet(this.separator);
        else out.any(options.separator);
      }
      const start = out.size;
      if (quoteMark !== '') out.ascii(quoteMark);
      const from = out.size;
      if (columns[i].fields.length === 0) out.any(oneLine(columnText(row, columns[i].name)));
      else this.values(row.dissection.tree, this.takes[i], out);
      if (quoteMark === '') continue;
      if (out.size === from) out.truncate(start);
      else out.ascii(quoteMark);
    }
    out.octet(LINE_END);
  }

  /** The values of a column: those that the settings ask for. */
  private values(t: Tree, takes: Uint8Array, out: TextBytes): void {
    const { occurrence, aggregator } = this.options;
    let last = -1;
    let first = true;
    for (let i = 0, n = t.length; i < n; i++) {
      const way = takes[t.field(i).id];
      if (way === 0) continue;
      last = i;
      if (occurrence === 'l') continue;
      if (!first) {
        if (this.aggregator >= 0) out.octet(this.aggregator);
        else out.any(aggregator);
      }
      first = false;
      value(t, i, way, out);
      if (occurrence === 'f') return;
    }
    if (occurrence === 'l' && last >= 0) value(t, last, takes[t.field(last).id], out);
  }
}

const LINE_END = 10;
const octetOf = (s: string): number => (s.length === 1 && s.charCodeAt(0) < 128 ? s.charCodeAt(0) : -1);

/** Ways to write the values of a field: what it holds may still ask for {@link chosenText}. */
const Way = { Text: 1, Decimal: 2, Quad: 3 } as const;

function wayOf({ type, base }: Field): number {
  if (type === 'ipv4') return Way.Quad;
  return type !== 'bool' && (base === undefined || base === 'dec' || base === 'dec_hex') ? Way.Decimal : Way.Text;
}

/** The value of a node as {@link chosenText} says, on one line; the common kinds without a string. */
function value(t: Tree, i: number, way: number, out: TextBytes): void {
  if (way === Way.Decimal && t.held(i) === Held.Number) out.number(t.number[i]);
  else if (way === Way.Quad && t.held(i) === Held.Octets && isWhole(t, i, 4))
    out.dotted(t.sources[t.source(i)].buf, t.off[i]);
  else out.any(oneLine(chosenText(t, i)));
}

/** Whether node `i` has `n` octets, all of them there. */
function isWhole(t: Tree, i: number, n: number): boolean {
  const s = t.sources[t.source(i)];
  return t.len[i] === n && t.off[i] >= s.start && t.off[i] + n <= s.end;
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
