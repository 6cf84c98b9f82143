import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { type Field, fieldCount } from '../kit/index.js';
import { COLUMNS } from '../report/columns.js';
import { FIELDS_DEFAULTS, type FieldColumn, type FieldsOptions, FieldsWriter } from '../report/fields.js';
import { NdjsonWriter } from '../report/ndjson.js';
import { isTimeFormat, octetsText, summaryLine, treeText } from '../report/text.js';
import { Exit, UserError } from './errors.js';
import type { ReadOptions } from './options.js';
import { suggest } from './suggest.js';

/** How rows are printed, and what that needs of the dissection. */
export interface RowPrinter {
  /** Fields that it prints; null: all. */
  readonly fields: readonly Field[] | null;
  readonly labels: boolean;
  readonly experts: boolean;
  /** Whether it prints the Info column or the protocol stack. */
  readonly info: boolean;
  readonly analyseTcp: boolean;
  head(): string;
  row(row: Row): string;
  tail(): string;
}

const nothing = (): string => '';

/** The printer that the options ask for. @throws UserError for an unknown format or field */
export function rowPrinter(o: ReadOptions, registry: Registry): RowPrinter {
  const format = o.format ?? (o.tree ? 'tree' : o.field !== undefined ? 'fields' : 'text');
  const octets = o.octets === true ? octetsText : nothing;
  const time = o.t ?? 'r';
  if (!isTimeFormat(time))
    throw new UserError(`-t ${time}: not a time format`, Exit.usage, 'formats: r, a, ad, d, e, u, ud');
  switch (format) {
    case 'fields':
      return fieldsPrinter(o, registry);
    case 'ndjson':
      return ndjsonPrinter(o, registry);
    case 'tree':
      return {
        fields: null,
        labels: true,
        experts: true,
        info: true,
        analyseTcp: true,
        head: nothing,
        row: (row) => treeText(row) + octets(row),
        tail: nothing,
      };
    case 'text':
      return {
        fields: o.octets === true ? null : summaryFields(registry),
        labels: false,
        experts: false,
        info: true,
        analyseTcp: true,
        head: nothing,
        row: (row) => (o.octets === true ? `${summaryLine(row, time)}\n${octets(row)}` : summaryLine(row, time)),
        tail: nothing,
      };
    default:
      throw new UserError(`-T ${format}: unknown format`, Exit.usage, 'formats: text, tree, fields, ndjson');
  }
}

/** Fields that the columns of a summary line read from the tree. */
const summaryFields = (registry: Registry): Field[] =>
  ['eth.src', 'eth.dst', 'sll.src.eth'].flatMap((name) => [...registry.byName(name)]);

function ndjsonPrinter(o: ReadOptions, registry: Registry): RowPrinter {
  const writer = new NdjsonWriter();
  const columns = (o.field ?? []).map((name) => column(registry, name));
  return {
    fields: o.field === undefined ? null : columns.flatMap((c) => [...c.fields]),
    labels: false,
    experts: true,
    info: true,
    analyseTcp: true,
    head: nothing,
    row: (row) => writer.row(row),
    tail: nothing,
  };
}

function fieldsPrinter(o: ReadOptions, registry: Registry): RowPrinter {
  if (o.field === undefined)
    throw new UserError('-T fields wants -e', Exit.usage, 'for example -e frame.number -e sip.Method');
  const columns = o.field.map((name) => column(registry, name));
  const writer = new FieldsWriter(columns, settings(o.E ?? []), fieldCount());
  const fields = columns.flatMap((c) => [...c.fields]);
  const info = columns.some((c) => c.name === '_ws.col.Info');
  return {
    fields: columns.some((c) => c.name.startsWith('_ws.col')) ? [...fields, ...summaryFields(registry)] : fields,
    labels: false,
    experts: fields.some((f) => f.name.startsWith('_ws.expert')),
    info: columns.some((c) => c.name.startsWith('_ws.col')),
    analyseTcp: info || fields.some((f) => f.name.startsWith('tcp.')),
    head: () => writer.head(),
    row: (row) => writer.row(row),
    tail: nothing,
  };
}

function column(registry: Registry, name: string): FieldColumn {
  const fields = registry.byName(name);
  if (fields.length === 0 && !(name in COLUMNS)) {
    const near = suggest(name, registry.names());
    throw new UserError(
      `-e ${name}: there is no such field`,
      Exit.usage,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }
  return { name, fields };
}

const SEPARATORS: Readonly<Record<string, string>> = { '/t': '\t', '/s': ' ', '\\t': '\t' };

function settings(list: readonly string[]): FieldsOptions {
  const out = { ...FIELDS_DEFAULTS } as { -readonly [K in keyof FieldsOptions]: FieldsOptions[K] };
  for (const item of list) {
    const at = item.indexOf('=');
    const name = at < 0 ? item : item.slice(0, at);
    const value = at < 0 ? '' : item.slice(at + 1);
    if (name === 'header') out.header = value === 'y';
    else if (name === 'separator') out.separator = SEPARATORS[value] ?? value;
    else if (name === 'aggregator') out.aggregator = SEPARATORS[value] ?? value;
    else if (name === 'occurrence' && (value === 'a' || value === 'f' || value === 'l')) out.occurrence = value;
    else if (name === 'quote' && (value === 'd' || value === 's' || value === 'n')) out.quote = value;
    else if (name !== 'bom') throw new UserError(`-E ${item}: not a setting of -T fields`, Exit.usage);
  }
  return out;
}
