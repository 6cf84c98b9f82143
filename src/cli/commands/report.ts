import { setFlagsFromString } from 'node:v8';
import { SessionTap } from '../../engine/session-tap.js';
import { CATALOGUE } from '../../model/catalogue.js';
import type { KnownFindings } from '../../model/findings.js';
import { isBefore } from '../../model/moment.js';
import { SessionModel } from '../../model/session-model.js';
import { ascii } from '../../report/ascii.js';
import { compare, compareJson, compareMarkdown, compareText } from '../../report/compare.js';
import { noDialog } from '../../report/dialogs.js';
import { Pseudonyms } from '../../report/redact.js';
import {
  knownFindings,
  type Report,
  type ReportParts,
  reaching,
  redactedReportOf,
  reportOf,
} from '../../report/report.js';
import { reportHtml } from '../../report/report-html.js';
import { type ListName, RECORDS, writeRecords, writeReport } from '../../report/report-json.js';
import { reportMarkdown } from '../../report/report-markdown.js';
import { reportSchema } from '../../report/report-schema.js';
import { ReportShelf } from '../../report/report-shelf.js';
import { courseOf, isOutside, type Step, stepsOf } from '../../report/steps.js';
import type { TextBytes } from '../../report/text-bytes.js';
import { contentsOf } from '../contents.js';
import { Exit, UserError } from '../errors.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { type Outcome, Reading } from '../reading.js';
import { suggest } from '../suggest.js';
import { tell, UTF8 } from '../tell.js';
import { timesOf } from '../times.js';
import { version } from '../version.js';
import { tunnelTest } from '../which-tunnel.js';
import { smallYoung } from '../young.js';

/** Cells of a line where standard output is no terminal. */
const USUAL_WIDTH = 100;

/** Options of `report` beside those of every command that reads captures. */
export interface ReportOptions extends ReadOptions {
  schema?: boolean;
  markdown?: boolean;
  html?: boolean;
  records?: string[];
  redact?: boolean;
  compare?: boolean;
  json?: boolean;
  baseline?: string;
  mute?: string[];
}

/** `fttscope report`: tells what happened in captures, as JSON or Markdown. Returns the exit code. */
export async function report(captures: readonly string[], o: ReportOptions): Promise<number> {
  if (o.schema === true) {
    write([`${JSON.stringify(reportSchema(Object.keys(CATALOGUE)), null, 2)}\n`]);
    return Exit.done;
  }
  if ([o.json, o.markdown, o.html].filter((asked) => asked === true).length > 1)
    throw new UserError('only one of --json, --markdown and --html');
  if (o.compare === true) return compared(captures, o);
  const print = writer(o);
  const known = o.baseline === undefined ? undefined : baseline(o.baseline);
  const { reading, outcome, told, shelf } = await make(captures, o, known);
  print(told);
  shelf.close();
  return reading.code(outcome, isFailed(told, o));
}

/** A report, and how the captures were read for it; its lists may wait on the shelf. */
interface Made {
  readonly reading: Reading;
  readonly outcome: Outcome;
  readonly told: Report;
  readonly shelf: ReportShelf;
}

/** Reads captures and makes the report of them. */
async function make(captures: readonly string[], o: ReportOptions, known?: KnownFindings): Promise<Made> {
  const between = settle();
  const reading = new Reading(captures, o);
  const shelf = new ReportShelf();
  const silent = muted(o.mute ?? []);
  const isMeant = o.tunnel === undefined ? undefined : tunnelTest(o.tunnel);
  const times = timesOf(o.from, o.to);
  refuse(o);
  await reading.prepare();
  const { esp, subscribers } = reading.keys;
  esp.growing = true; // challenges may carry keys
  const model = new SessionModel(silent, subscribers, shelf);
  const names = o.redact === true ? new Pseudonyms() : undefined;
  if (names !== undefined) model.tell = names.tell;
  model.issuers = o.eftfIssuer ?? [];
  const tap = new SessionTap(model, reading.registry, reading.names.length > 1);
  const wanted = { rows: 'none', fields: [], analyseTcp: true, duplicates: true, heuristicRtp: true, tap } as const;
  const outcome = await reading.run(wanted, () => undefined, between);
  tap.finish();
  const starts = [...tap.files.values()].map((f) => f.start);
  const start = starts.reduce((a, b) => (isBefore(b, a) ? b : a), starts[0] ?? { seconds: 0, nanos: 0 });
  const tunnels = isMeant && new Set(outcome.tunnels.filter(isMeant).map((t) => t.id));
  const parts: ReportParts = {
    generator: { name: 'fttscope', version: version() },
    options: reportOptions(o),
    files: outcome.files,
    damage: outcome.damage,
    limits: outcome.limits,
    tap,
    ...(known !== undefined && { known }),
    choice: { tunnels, user: o.user, callId: o.callId, ...times(start) },
  };
  const told = names === undefined ? reportOf(model, parts) : redactedReportOf(model, parts, names);
  // With pseudonyms the report alone tells of tunnels.
  if (o.requireDecrypt === true && o.redact !== true) reading.tellTunnels(outcome, false);
  else reading.tellNoTunnel(outcome.tunnels);
  if (o.quiet !== true && lacksDialog(told, o)) tell(`fttscope: ${noDialog(o)}`);
  return { reading, outcome, told, shelf };
}

/** Whether no SIP is of the user, or of the Call-ID, that was asked for. */
function lacksDialog(
  { registrations, calls, messages, subscriptions }: Report,
  { user, callId }: ReportOptions,
): boolean {
  const asked = user !== undefined || callId !== undefined;
  return asked && [registrations, calls, messages, subscriptions].every((list) => list.length === 0);
}

/**
 * Settles how V8 compiles and collects. Each collection closes more of the gaps in memory: what a report keeps lies
 * between what it does not, and after hours of calls that were put away half of the memory would be gaps. And less is
 * compiled into one: much of a report runs some thousand times, which does not pay for more. (Nothing is marked in steps
 * here: steps that begin while gaps are to be closed, and end in one go, leave V8 without room for young objects for good.)
 * Returns what is to be called between chunks.
 */
function settle(): () => void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=400');
  return smallYoung();
}

/** Codes of findings that are named; the others are in the report. */
const NAMED = 5;

/** Whether a finding is as bad as `--fail-on` has it; says so, for the report may go where nobody looks. */
function isFailed({ findings }: Report, { failOn, quiet }: ReportOptions, name = ''): boolean {
  if (failOn === undefined) return false;
  const bad = reaching(findings, failOn);
  if (bad.length === 0) return false;
  const codes = [...new Set(bad.map((f) => f.code))];
  const count = `${bad.length} ${bad.length === 1 ? 'finding' : 'findings'}`;
  const named = `${codes.slice(0, NAMED).join(', ')}${codes.length > NAMED ? ` and ${codes.length - NAMED} more` : ''}`;
  const severity = failOn === 'error' ? failOn : `${failOn} or worse`;
  if (quiet !== true) tell(`fttscope: ${name === '' ? '' : `${name}: `}${count} of severity ${severity}: ${named}`);
  return true;
}

/** Exit codes of a capture that was read, in the order in which they count before those of signals. */
const WORST = [Exit.input, Exit.undecrypted, Exit.failOn];

/** `--compare GOOD BAD`: what happened in two captures, step by step. Returns the worse of both exit codes. */
async function compared(captures: readonly string[], o: ReportOptions): Promise<number> {
  const names = [...(o.read ?? []), ...captures];
  if (names.length !== 2)
    throw new UserError('--compare wants two captures', Exit.usage, 'fttscope report --compare GOOD BAD');
  if (o.html === true || o.records !== undefined)
    throw new UserError('--compare prints text, or with --markdown or --json');
  if (o.baseline !== undefined) throw new UserError('--compare and --baseline: what is new is the difference itself');
  const told: { readonly isOutside: boolean; readonly part: string; readonly steps: readonly Step[][] }[] = [];
  const codes: number[] = [];
  for (const [i, name] of names.entries()) {
    const { read: _, ...rest } = o;
    const { reading, outcome, told: report, shelf } = await make([name], rest);
    const course = courseOf(report, i === 0 ? 'good' : 'bad');
    const steps = [false, true].map((outside) => stepsOf(report, course, outside));
    told.push({ isOutside: isOutside(report), part: course.words, steps });
    shelf.close();
    codes.push(reading.code(outcome, isFailed(report, o, name)));
  }
  // Where one of them has no tunnel, what both can show is compared.
  const outside = Number(told.some((x) => x.isOutside));
  const [good, bad] = told.map(({ part, steps }, i) => ({
    name: o.redact === true ? `capture-${i + 1}` : names[i],
    part,
    steps: steps[outside],
  }));
  const result = compare(good, bad);
  const width = process.stdout.isTTY ? process.stdout.columns : USUAL_WIDTH;
  const text =
    o.json === true ? compareJson(result) : o.markdown === true ? compareMarkdown(result) : compareText(result, width);
  write([UTF8 || o.json === true || o.markdown === true ? text : ascii(text)]);
  return WORST.find((code) => codes.includes(code)) ?? Math.max(...codes);
}

/** How the report is to be written. @throws UserError for a list that there is not */
function writer(o: ReportOptions): (told: Report) => void {
  if (o.records !== undefined && (o.html === true || o.markdown === true))
    throw new UserError('only one of --html, --markdown and --records');
  if (o.html === true) return (told) => write(reportHtml(told));
  if (o.markdown === true) return (told) => write(reportMarkdown(told));
  if (o.records === undefined) return (told) => writeWith((out) => writeReport(out, told));
  const lists = recordLists(o.records);
  return (told) => writeWith((out) => writeRecords(out, told, lists));
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
  eftfIssuer: o.eftfIssuer,
  frames: o.count,
  decodeAs: o.decodeAs,
  redacted: o.redact,
  tunnel: o.tunnel,
  user: o.user,
  callId: o.callId,
  from: o.from,
  to: o.to,
});

function write(pieces: Iterable<string>): void {
  const out = new Output();
  for (const piece of pieces) out.write(piece);
  out.flush();
}

/** Has a report written, and passes it on as it grows. */
function writeWith(writing: (text: TextBytes) => Iterable<void>): void {
  const out = new Output();
  for (const _ of writing(out.text)) out.settle();
  out.flush();
}

/** Findings of an earlier report. @throws CaptureError where it cannot be read, UserError where it is none */
function baseline(path: string): KnownFindings {
  const text = contentsOf(path).toString('utf8');
  let known: KnownFindings | undefined;
  try {
    known = knownFindings(text);
  } catch {
    throw new UserError(`${path}: not a report`, Exit.input, 'a baseline is what fttscope report printed before');
  }
  if (known !== undefined) return known;
  const hint = 'what its findings are about has pseudonyms: keep the report without --redact as a baseline';
  throw new UserError(`${path}: a redacted report is no baseline`, Exit.input, hint);
}

/** The codes that a mute list means; `dhcp.*` means all that begin so. @throws UserError for a code that there is not */
function muted(patterns: readonly string[]): Set<string> {
  const codes = Object.keys(CATALOGUE);
  const out = new Set<string>();
  for (const pattern of patterns.flatMap((p) => p.split(','))) {
    const found = codes.filter((c) => (pattern.endsWith('*') ? c.startsWith(pattern.slice(0, -1)) : c === pattern));
    if (found.length === 0) {
      const near = suggest(pattern, codes);
      const hint =
        near === undefined
          ? 'codes stand in findings of a report; dhcp.* is all that begin so'
          : `did you mean ${near}?`;
      throw new UserError(`--mute ${pattern}: there is no such finding`, Exit.usage, hint);
    }
    for (const c of found) out.add(c);
  }
  return out;
}

/** Options of rows that a report does not know. @throws UserError */
function refuse(o: ReportOptions): void {
  if (o.filter !== undefined)
    throw new UserError(
      '--filter is for rows',
      Exit.usage,
      'a report is chosen from with --tunnel, --user, --call-id, --from, --to',
    );
}
