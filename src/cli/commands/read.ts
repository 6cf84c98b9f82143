import type { Row } from '../../engine/row.js';
import { UserError } from '../errors.js';
import { FrameFile } from '../frame-file.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { formatOf, rowPrinter } from '../printers.js';
import { Reading } from '../reading.js';
import { Selection } from '../selection.js';
import { tell } from '../tell.js';

/** `fttscope read`: prints the rows of captures. Returns the exit code. */
export async function read(captures: readonly string[], o: ReadOptions): Promise<number> {
  const reading = new Reading(captures, o);
  const printer = await rowPrinter(o, reading.registry, reading.names);
  const selection = await Selection.of(o, reading.registry);
  const printing = o.write === undefined || o.P === true;
  if (printing && o.write === '-') throw new UserError('-w - and -P both write to standard output');
  await reading.prepare();
  const frames = o.write === undefined ? null : new FrameFile(o.write, reading.names);
  const out = new Output();
  let worst = 0;
  let seen = 0;
  let taken = 0;
  const wanted = {
    rows: o.rows ?? 'both',
    fields: printer.fields === null ? null : [...printer.fields, ...selection.fields],
    labels: printer.labels,
    experts: printer.experts || o.failOn !== undefined,
    info: printer.info,
    analyseTcp: printer.analyseTcp || selection.analyseTcp,
  };
  const give = (row: Row): void => {
    seen++;
    if (!selection.takes(row)) return;
    taken++;
    if (o.failOn !== undefined) worst = Math.max(worst, severity(row));
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
    out.flush();
    frames?.end();
    reading.tellTunnels(outcome, formatOf(o) === 'text');
    if (taken === 0 && o.quiet !== true && process.stderr.isTTY) tell(`0 of ${seen} rows`);
    return reading.code(outcome, o.failOn !== undefined && worst >= SEVERITIES.indexOf(o.failOn));
  } catch (e) {
    out.flush();
    throw e;
  }
}

const SEVERITIES = ['chat', 'note', 'warn', 'error'];

/** The worst of what was noticed about a row. */
function severity(row: Row): number {
  let worst = row.findings.length > 0 ? 1 : 0;
  for (const e of row.dissection.tree.experts) worst = Math.max(worst, SEVERITIES.indexOf(e.expert.severity));
  return worst;
}
