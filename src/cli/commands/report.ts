import { readFileSync } from 'node:fs';
import { LineFile } from '../../capture/line-file.js';
import { SessionTap } from '../../engine/session-tap.js';
import { CATALOGUE } from '../../model/catalogue.js';
import { SessionModel } from '../../model/session-model.js';
import { knownFindings, type Report, reaches, reportOf } from '../../report/report.js';
import { reportHtml } from '../../report/report-html.js';
import { type ListName, RECORDS, reportJson, reportRecords } from '../../report/report-json.js';
import { reportMarkdown } from '../../report/report-markdown.js';
import { reportSchema } from '../../report/report-schema.js';
import { Exit, UserError } from '../errors.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { Reading } from '../reading.js';
import { suggest } from '../suggest.js';
import { version } from '../version.js';

/** Options of `report` beside those of every command that reads captures. */
export interface ReportOptions extends ReadOptions {
  schema?: boolean;
  markdown?: boolean;
  html?: boolean;
  records?: string[];
  baseline?: string;
  mute?: string[];
}

/** `fttscope report`: tells what happened in captures, as JSON or Markdown. Returns the exit code. */
export async function report(captures: readonly string[], o: ReportOptions): Promise<number> {
  if (o.schema === true) {
    write([`${JSON.stringify(reportSchema(Object.keys(CATALOGUE)), null, 2)}\n`]);
    return Exit.done;
  }
  const reading = new Reading(captures, o);
  const print = writer(o);
  const known = o.baseline === undefined ? undefined : baseline(o.baseline);
  const shelf = new LineFile();
  const silent = muted(o.mute ?? []);
  refuse(o);
  await reading.prepare();
  const { esp, subscribers } = reading.keys;
  esp.growing = true; // challenges may carry keys
  const model = new SessionModel(silent, subscribers, shelf);
  const tap = new SessionTap(model, reading.registry, reading.names.length > 1);
  const wanted = { rows: 'none', fields: [], analyseTcp: true, duplicates: true, heuristicRtp: true, tap } as const;
  const outcome = await reading.run(wanted, () => undefined);
  tap.finish();
  const told = reportOf(model, {
    generator: { name: 'fttscope', version: version() },
    options: reportOptions(o),
    files: outcome.files,
    damage: outcome.damage,
    limits: outcome.limits,
    tap,
    ...(known !== undefined && { known }),
    choice: { tunnel: o.tunnel, user: o.user, callId: o.callId },
  });
  write(print(told));
  shelf.close();
  return reading.code(outcome, o.failOn !== undefined && reaches(told.findings, o.failOn));
}

/** How the report is to be written. @throws UserError for a list that there is not */
function writer(o: ReportOptions): (told: Report) => Iterable<string> {
  const asked = [o.html === true, o.markdown === true, o.records !== undefined].filter((x) => x).length;
  if (asked > 1) throw new UserError('only one of --html, --markdown and --records');
  if (o.html === true) return reportHtml;
  if (o.markdown === true) return reportMarkdown;
  if (o.records === undefined) return (told) => reportJson(told.members);
  const lists = recordLists(o.records);
  return (told) => reportRecords(told.members, lists);
}

function recordLists(values: readonly string[]): ListName[] {
  const known = Object.keys(RECORDS) as ListName[];
  const out = new Set<ListName>();
  for (const name of values.flatMap((v) => v.split(','))) {
    if (name === 'all') for (const n of known) out.add(n);
    else if (Object.hasOwn(RECORDS, name)) out.add(name as ListName);
    else {
      const near = suggest(name, known);
      const hint = `${near === undefined ? '' : `did you mean ${near}? `}There are ${known.join(', ')}, and all`;
      throw new UserError(`--records ${name}: there are no such records`, Exit.usage, hint);
    }
  }
  return [...out];
}

/** The options that a report depends on. */
export const reportOptions = (o: ReportOptions): Record<string, unknown> => ({
  heuristicRtp: true,
  verifyAll: o.verifyAll === true,
  autoKeys: o.autoKeys,
  muted: o.mute ?? [],
  tunnel: o.tunnel,
  user: o.user,
  callId: o.callId,
});

function write(pieces: Iterable<string>): void {
  const out = new Output();
  for (const piece of pieces) out.write(piece);
  out.flush();
}

/** Findings of an earlier report. @throws UserError where it cannot be read or is none */
function baseline(path: string): Set<string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    throw new UserError(`${path}: the baseline cannot be read (${(e as NodeJS.ErrnoException).code})`, Exit.input);
  }
  try {
    return knownFindings(text);
  } catch {
    throw new UserError(`${path}: not a report`, Exit.input, 'a baseline is what fttscope report printed before');
  }
}

/** The codes that a mute list means; `dhcp.*` means all that begin so. @throws UserError for a code that there is not */
function muted(patterns: readonly string[]): Set<string> {
  const codes = Object.keys(CATALOGUE);
  const out = new Set<string>();
  for (const pattern of patterns.flatMap((p) => p.split(','))) {
    const found = codes.filter((c) => (pattern.endsWith('*') ? c.startsWith(pattern.slice(0, -1)) : c === pattern));
    if (found.length === 0) throw new UserError(`--mute ${pattern}: there is no such finding`);
    for (const c of found) out.add(c);
  }
  return out;
}

/** Options of rows that a report does not know. @throws UserError */
function refuse(o: ReportOptions): void {
  for (const name of ['filter', 'from', 'to'] as const)
    if (o[name] !== undefined)
      throw new UserError(
        `--${name} is for rows`,
        Exit.usage,
        'a report is chosen from with --tunnel, --user, --call-id',
      );
}
