import { setFlagsFromString } from 'node:v8';
import type { Row } from '../../engine/row.js';
import type { Field } from '../../kit/index.js';
import { Exit, UserError } from '../errors.js';
import { FrameFile } from '../frame-file.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { formatOf, NO_PRINTER, type RowPrinter, rowPrinter } from '../printers.js';
import { Reading, type Wanted } from '../reading.js';
import { Selection } from '../selection.js';
import type { Statistics } from '../statistics.js';
import { tell } from '../tell.js';

/** `fttscope read`: prints the rows of captures, and what is counted over them. Returns the exit code. */
export async function read(captures: readonly string[], o: ReadOptions): Promise<number> {
  if (o.z?.includes('help') === true) return listStatistics();
  const reading = new Reading(captures, o);
  const printing = (o.write === undefined || o.P === true) && !(o.z !== undefined && o.quiet === true);
  const printer = printing ? await rowPrinter(o, reading.registry, reading.names) : NO_PRINTER;
  const selection = await Selection.of(o, reading.registry);
  if (o.twoPass !== true) refuse(printer.fields ?? []);
  const statistics = await statisticsOf(o, reading);
  const rank = o.failOn === undefined ? undefined : await severity();
  if (printing && o.write === '-') throw new UserError('-w - and -P both write to standard output');
  await reading.prepare();
  if (printer.fields === null) settle();
  const asked = [...(printer.fields ?? []), ...selection.fields];
  const hindsight = o.twoPass === true ? await reading.hindsight(asked) : undefined;
  const frames = o.write === undefined ? null : new FrameFile(o.write, reading.inputs);
  const out = new Output();
  let worst = 0;
  let seen = 0;
  let taken = 0;
  const wanted = { ...wantedBy(o, printer, selection, statistics), hindsight };
  const give = (row: Row): void => {
    seen++;
    if (!selection.chooses(row)) return;
    statistics?.take(row);
    if (!selection.matches(row)) return;
    taken++;
    if (rank !== undefined) worst = Math.max(worst, rank(row));
    if (printing) {
      printer.print(row, out.text);
      out.settle();
    }
    frames?.take(row);
    if (o.l) out.flush();
  };
  try {
    if (printing) out.write(printer.head());
    const outcome = await reading.run(wanted, give, () => out.flush());
    if (printing) out.write(printer.tail());
    if (statistics !== null) out.write(formatOf(o) === 'json' ? statistics.json() : statistics.text());
    out.flush();
    frames?.end();
    reading.tellTunnels(outcome, formatOf(o) === 'text');
    reading.tellLimits([...selection.limits, ...(statistics?.limits ?? [])]);
    if (selection.lacks !== undefined && o.quiet !== true) tell(`fttscope: ${selection.lacks}`);
    if (taken === 0 && o.quiet !== true && process.stderr.isTTY) tell(`0 of ${seen} rows`);
    return reading.code(outcome, o.failOn !== undefined && worst >= SEVERITIES.indexOf(o.failOn));
  } catch (e) {
    out.flush();
    throw e;
  }
}

/** What is to be known of rows: whatever printer, filters or statistics want. */
const wantedBy = (
  o: ReadOptions,
  printer: RowPrinter,
  selection: Selection,
  statistics: Statistics | null,
): Wanted => ({
  rows: o.rows ?? 'both',
  fields: fieldsOf(printer.fields, selection.fields, statistics?.fields ?? []),
  labels: printer.labels,
  experts: printer.experts || o.failOn !== undefined || statistics?.experts === true,
  info: printer.info || statistics?.info === true,
  analyseTcp: printer.analyseTcp || selection.analyseTcp || statistics?.analyseTcp === true,
  contents: statistics !== null,
  ...(statistics?.tap !== undefined && { tap: statistics.tap, duplicates: true }),
});

/**
 * Settles how V8 compiles where all fields are printed: hundreds of functions run often enough to be compiled, and less of
 * one in the other takes a third of that away.
 */
const settle = (): void => setFlagsFromString('--max-inlined-bytecode-size-cumulative=100');

/** `-z help`: what there is to count. */
async function listStatistics(): Promise<number> {
  const { STATISTICS } = await import('../../report/stat/index.js');
  const out = new Output();
  out.write(`${STATISTICS.join('\n')}\n`);
  out.flush();
  return Exit.done;
}

/** What `-z` asks for; null where it is not given. @throws UserError for what makes no sense */
async function statisticsOf(o: ReadOptions, reading: Reading): Promise<Statistics | null> {
  if (o.z === undefined) return null;
  if (formatOf(o) === 'json' && o.quiet !== true)
    throw new UserError('-z with -T json wants -q', Exit.usage, 'rows and statistics together would be no JSON');
  const { Statistics } = await import('../statistics.js');
  return new Statistics(o.z, reading.registry, reading.names.length > 1);
}

/** Fields that anybody wants; null: all. */
const fieldsOf = (printed: readonly Field[] | null, ...more: readonly (readonly Field[])[]): Field[] | null =>
  printed === null ? null : [...printed, ...more.flat()];

/** @throws UserError for a field that no row has when it is read */
function refuse(fields: readonly Field[]): void {
  const field = fields.find((f) => f.atEnd === true);
  if (field === undefined) return;
  throw new UserError(
    `-e ${field.name}: it is known only when all of the capture was read`,
    Exit.usage,
    'with -2 it is read twice',
  );
}

const SEVERITIES = ['chat', 'note', 'warn', 'error'];

/** Tells the worst of what was noticed about a row, as a place in {@link SEVERITIES}. */
async function severity(): Promise<(row: Row) => number> {
  const { CATALOGUE } = await import('../../model/catalogue.js');
  return ({ findings, dissection }) => {
    let worst = 0;
    for (const code of findings) worst = Math.max(worst, SEVERITIES.indexOf(CATALOGUE[code]?.severity ?? 'note'));
    for (const e of dissection.tree.experts) worst = Math.max(worst, SEVERITIES.indexOf(e.expert.severity));
    return worst;
  };
}
