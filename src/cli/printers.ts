import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import type { Field } from '../kit/index.js';
import { ascii } from '../report/ascii.js';
import { COLUMNS } from '../report/columns.js';
import { FIELDS_DEFAULTS, type FieldColumn, type FieldsOptions, FieldsWriter } from '../report/fields.js';
import type { LayerFilter } from '../report/layers.js';
import { isTimeFormat, octetsText, summaryLine, tabsLine, timeColumn, treeText } from '../report/text.js';
import type { TextBytes } from '../report/text-bytes.js';
import { Exit, UserError } from './errors.js';
import { FORMATS, type Format, type ReadOptions, type ScreenOptions, TIMES } from './options.js';
import { suggest } from './suggest.js';
import { tell, UTF8 } from './tell.js';
import { version } from './version.js';

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
  print(row: Row, out: TextBytes): void;
  tail(): string;
}

/** What writes rows of a format. */
interface Writer {
  head?(): string;
  print?(row: Row, out: TextBytes): void;
  row?(row: Row): string;
  tail?(): string;
}

/** Writes everything of a row. */
const EVERYTHING = { fields: null, labels: false, experts: true, info: true, analyseTcp: true } as const;
const nothing = (): string => '';

/** Formats that print the fields of `-e`. */
const PRINTS_FIELDS: readonly Format[] = ['fields', 'json', 'ndjson', 'ek', 'pdml'];

/** The format that the options ask for. @throws UserError for an unknown one */
export function formatOf(o: ReadOptions): Format {
  const format =
    o.format ?? (o.tree === true || o.O !== undefined ? 'tree' : o.field !== undefined ? 'fields' : 'text');
  if ((FORMATS as readonly string[]).includes(format)) return format as Format;
  throw new UserError(`-T ${format}: unknown format`, Exit.usage, `formats: ${FORMATS.join(', ')}`);
}

/** Prints nothing: rows are only counted, or written to a file. */
export const NO_PRINTER: RowPrinter = {
  fields: [],
  labels: false,
  experts: false,
  info: false,
  analyseTcp: false,
  head: nothing,
  print: () => undefined,
  tail: nothing,
};

/** The printer that the options ask for. @throws UserError for an unknown format or field */
export async function rowPrinter(
  o: ScreenOptions,
  registry: Registry,
  captures: readonly string[],
): Promise<RowPrinter> {
  const format = formatOf(o);
  const columns = o.field?.map((name) => column(registry, name)) ?? null;
  if (columns !== null && !PRINTS_FIELDS.includes(format))
    throw new UserError(`-e is for -T ${PRINTS_FIELDS.join(', ')}; this is -T ${format}`);
  const fieldsOptions = settings(o.E ?? []);
  switch (format) {
    case 'text':
      return textPrinter(o, registry);
    case 'tabs':
    case 'psml': {
      const timeOf = timesOf(o);
      const { PsmlWriter } = await import('../report/psml.js');
      const needs = { ...EVERYTHING, fields: summaryFields(registry), experts: false };
      if (format === 'psml') return printer(needs, new PsmlWriter(`fttscope/${version()}`, timeOf));
      return printer(needs, { row: terminal((r) => tabsLine(r, timeOf)) });
    }
    case 'tree': {
      const only = layersOf(o.O, registry);
      const row = (r: Row): string => treeText(r, only) + (o.octets === true ? octetsText(r) : '');
      return printer({ ...EVERYTHING, labels: true }, { row: terminal(row) });
    }
    case 'fields':
      if (columns === null)
        throw new UserError('-T fields wants -e', Exit.usage, 'for example -e frame.number -e sip.Method');
      return printer(needs(columns, registry), new FieldsWriter(columns, fieldsOptions));
    case 'ndjson': {
      const { NdjsonWriter } = await import('../report/ndjson.js');
      const writer = new NdjsonWriter();
      const fields = fieldsOf(columns) ?? layerFields(o, registry);
      return printer({ ...EVERYTHING, fields }, { print: (row, out) => writer.print(row, out) });
    }
    case 'json': {
      const { JsonWriter } = await import('../report/json.js');
      return printer(needs(columns, registry), new JsonWriter(columns, layerFilter(o, registry)));
    }
    case 'ek': {
      const { EkWriter } = await import('../report/ek.js');
      return printer(needs(columns, registry), new EkWriter(columns, layerFilter(o, registry)));
    }
    case 'pdml': {
      const { PdmlWriter } = await import('../report/pdml.js');
      const writer = new PdmlWriter(columns, layerFilter(o, registry), `fttscope/${version()}`, captures.join(' '));
      return printer({ ...needs(columns, registry), labels: true }, writer);
    }
  }
}

type Needs = Pick<RowPrinter, 'fields' | 'labels' | 'experts' | 'info' | 'analyseTcp'>;

const printer = (n: Needs, w: Writer): RowPrinter => ({
  ...n,
  head: w.head === undefined ? nothing : () => w.head!(),
  print: w.print === undefined ? (row, out) => out.any(w.row!(row)) : (row, out) => w.print!(row, out),
  tail: w.tail === undefined ? nothing : () => w.tail!(),
});

/** Text for people, in signs that their terminal has. */
const terminal = (row: (row: Row) => string): ((row: Row) => string) => (UTF8 ? row : (r) => ascii(row(r)));

/** The time column that `-t` and `-u` ask for. */
function timesOf({ t = 'r', u = 's' }: ReadOptions): (row: Row) => string {
  if (!isTimeFormat(t)) throw new UserError(`-t ${t}: not a time format`, Exit.usage, `formats: ${TIMES.join(', ')}`);
  if (u !== 's' && u !== 'hms')
    throw new UserError(
      `-u ${u}: not a form of seconds`,
      Exit.usage,
      's for seconds, hms for hours, minutes and seconds',
    );
  return timeColumn(t, u === 'hms');
}

/** Layers that `-O` names, all of which there are. */
function layersOf(names: string | undefined, registry: Registry): ReadonlySet<string> | null {
  if (names === undefined) return null;
  const only = names.split(/[\s,]+/).filter((name) => name !== '');
  const known = [...registry.protocols()];
  for (const name of only) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    const meant = near === undefined ? 'fttscope fields lists them' : `did you mean ${near}?`;
    throw new UserError(`-O ${name}: there is no such protocol`, Exit.usage, meant);
  }
  return new Set(only);
}

async function textPrinter(o: ScreenOptions, registry: Registry): Promise<RowPrinter> {
  const octets = o.octets === true;
  const timeOf = timesOf(o);
  const line = terminal((r) => summaryLine(r, timeOf, UTF8));
  const inColour = isColoured(o) ? (await import('./line-colours.js')).lineColours(o) : null;
  const shown = inColour === null ? line : (r: Row): string => inColour(line(r), r);
  const row = octets ? (r: Row): string => `${shown(r)}\n${octetsText(r)}` : shown;
  const fields = octets ? null : summaryFields(registry);
  return printer({ ...EVERYTHING, fields, experts: inColour !== null }, { row });
}

/** Whether rows are to have colours: lines have only a foreground, and nobody knows on what ground they stand. */
const isColoured = ({ color }: ScreenOptions): boolean => color === 'always';

/** Fields that the columns of a summary line read from the tree. */
const summaryFields = (registry: Registry): Field[] =>
  ['eth.src', 'eth.dst', 'sll.src.eth'].flatMap((name) => [...registry.byName(name)]);

const fieldsOf = (columns: readonly FieldColumn[] | null): Field[] | null =>
  columns === null ? null : columns.flatMap((c) => [...c.fields]);

/** What columns need of the dissection; without columns, everything. */
function needs(columns: readonly FieldColumn[] | null, registry: Registry): Needs {
  const fields = fieldsOf(columns);
  if (columns === null || fields === null) return EVERYTHING;
  // What is said of a layer may be made of any of its fields.
  if (fields.some((f) => f.type === 'protocol')) return { ...EVERYTHING, labels: true };
  const info = columns.some((c) => c.name.startsWith('_ws.col'));
  return {
    fields: info ? [...fields, ...summaryFields(registry)] : fields,
    labels: false,
    experts: fields.some((f) => f.name.startsWith('_ws.expert') || f.name === 'finding.code'),
    info,
    analyseTcp: info || fields.some((f) => f.name.startsWith('tcp.')),
  };
}

/** `-j` or `-J`, whose names are divided by blanks or commas. */
function layerFilter(o: ReadOptions, registry: Registry): LayerFilter | null {
  const text = o.J ?? o.j;
  if (text === undefined) return null;
  const names = new Set(text.split(/[\s,]+/).filter((name) => name !== ''));
  // Only said: tshark has protocols that are not here, and a script that names them is of use all the same.
  if (o.quiet !== true) for (const name of names) tellUnknown(o.J === undefined ? '-j' : '-J', name, registry);
  return { names, whole: o.J !== undefined };
}

/** Says where a name is that of no layer and of no field. */
function tellUnknown(option: string, name: string, registry: Registry): void {
  const known = [...registry.protocols(), ...registry.names()];
  if (known.includes(name) || name === 'text' || name.startsWith('_ws.')) return;
  const near = suggest(name, known);
  tell(`fttscope: ${option} ${name}: there is no such protocol${near === undefined ? '' : `; did you mean ${near}?`}`);
}

/** Fields of the layers that `-j` or `-J` names, where rows have no tree; null: of all. */
function layerFields(o: ReadOptions, registry: Registry): Field[] | null {
  const filter = layerFilter(o, registry);
  if (filter === null) return null;
  const isOf = (name: string): boolean => [...filter.names].some((n) => name === n || name.startsWith(`${n}.`));
  return [...registry.names()].filter(isOf).flatMap((name) => [...registry.byName(name)]);
}

function column(registry: Registry, name: string): FieldColumn {
  const fields = registry.byName(name);
  if (fields.length === 0 && !(name in COLUMNS)) {
    // Filters know `inner.ip.src` and `ip.src#2`; a column has the values of all layers, outermost first.
    const plain = name.replace(/^(?:inner|outer)\.|#\d+$/, '');
    const near = suggest(plain, registry.names());
    const layers = plain !== name && registry.byName(plain).length > 0;
    throw new UserError(
      `-e ${name}: there is no such field`,
      Exit.usage,
      layers
        ? `that is for filters; -e ${plain} has the values of all layers, -E occurrence=f the outermost, =l the innermost`
        : near === undefined
          ? undefined
          : `did you mean ${near}?`,
    );
  }
  return { name, fields: name in COLUMNS ? [] : fields };
}

/** What stands for a sign that shells make hard to write. */
const SEPARATORS: Readonly<Record<string, string>> = { '/t': '\t', '/s': ' ', '\\t': '\t' };

/** The sign that divides fields or values: as in tshark the first of several, and what follows a slash is an escape. */
function signOf(value: string): string {
  const known = SEPARATORS[value.slice(0, 2)];
  return known ?? (value.startsWith('/') ? '\\' : (value.match(/^./su)?.[0] ?? ''));
}

const FIELDS_SETTINGS =
  'settings: header=y|n, bom=y|n, separator=/t|/s|SIGN, aggregator=,|/s|SIGN, occurrence=f|l|a, quote=d|s|n';

function settings(list: readonly string[]): FieldsOptions {
  const out = { ...FIELDS_DEFAULTS } as { -readonly [K in keyof FieldsOptions]: FieldsOptions[K] };
  for (const item of list) {
    const at = item.indexOf('=');
    const name = at < 0 ? item : item.slice(0, at);
    const value = at < 0 ? '' : item.slice(at + 1);
    if (name === 'header' && (value === 'y' || value === 'n')) out.header = value === 'y';
    else if (name === 'bom' && (value === 'y' || value === 'n')) out.bom = value === 'y';
    else if (name === 'separator' && value !== '') out.separator = signOf(value);
    else if (name === 'aggregator' && value !== '') out.aggregator = signOf(value);
    else if (name === 'occurrence' && (value === 'a' || value === 'f' || value === 'l')) out.occurrence = value;
    else if (name === 'quote' && (value === 'd' || value === 's' || value === 'n')) out.quote = value;
    else throw new UserError(`-E ${item}: not a setting of -T fields`, Exit.usage, FIELDS_SETTINGS);
  }
  return out;
}
