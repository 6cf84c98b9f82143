import { counted } from '../kit/index.js';
import type { TunnelEntity } from '../model/entities.js';
import type { Series } from '../model/series.js';
import { callLadder } from './ladder-flows.js';
import { ladderPage } from './ladder-text.js';
import { asMarkdown } from './markup.js';
import type { Report } from './report.js';
import type { Lists } from './report-select.js';
import { CALL_COLUMNS, type Column, MEDIA_COLUMNS, MESSAGE_COLUMNS, REGISTRATION_COLUMNS } from './report-tables.js';
import {
  alike,
  cadenceWords,
  cleanWords,
  clock,
  fileWords,
  isBad,
  limitWords,
  moreWords,
  place,
  releaseWords,
  SKIPPED,
  stateLines,
  stateWords,
  tlsWords,
  unreadWords,
  where,
} from './report-words.js';

/** Entries of a table, and messages of a call, that are shown; the rest is counted. */
const MOST_ENTRIES = 200;
const MOST_MESSAGES = 60;
/** Cells of a line of a call flow. */
const WIDTH = 100;

function* table(head: readonly string[], rows: readonly (readonly string[])[]): Generator<string> {
  if (rows.length === 0) return;
  yield `| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n`;
  for (const r of rows.slice(0, MOST_ENTRIES)) yield `| ${r.join(' | ')} |\n`;
  yield* more(rows.length);
  yield '\n';
}

/** What follows the entries that are shown of a list. */
function* more(length: number): Generator<string> {
  const rest = moreWords(length, MOST_ENTRIES);
  if (rest !== '') yield `\n${rest}\n`;
}

/** A part that is one table: its heading, and the entries where there are any. */
function* listed<T>(title: string, list: Series<T>, columns: readonly Column<T>[]): Generator<string> {
  if (list.length === 0) return;
  yield `## ${title}\n\n`;
  const shown = columns.filter((c) => c.isWide !== true);
  yield* table(
    shown.map((c) => c.head),
    list.map((entry) => shown.map(({ text, isTheirs }) => (isTheirs === true ? asMarkdown(text(entry)) : text(entry)))),
  );
}

/** The report for people: findings first, then what they are about. */
export function* reportMarkdown(report: Report): Generator<string> {
  yield '# What happened\n\n';
  yield* overview(report);
  yield* problems(report);
  yield* tunnels(report.tunnels);
  yield* listed('Registrations', report.registrations, REGISTRATION_COLUMNS);
  yield* calls(report);
  yield* listed('Messages', report.messages, MESSAGE_COLUMNS);
  yield* listed('Media', report.media, MEDIA_COLUMNS);
  if (report.media.some((m) => m.skipped !== undefined)) yield `${SKIPPED}\n\n`;
}

function* overview(report: Report): Generator<string> {
  for (const f of report.capture.files) yield `- ${asMarkdown(f.name)}: ${fileWords(f)}\n`;
  for (const line of stateLines(report)) yield `- ${line}\n`;
  const unread = unreadWords(report);
  if (unread !== '') yield `- ${unread}\n`;
  for (const l of report.limits) yield `- ${limitWords(l)}\n`;
  yield '\n';
}

function* problems(report: Report): Generator<string> {
  const { findings } = report;
  const worse = findings.filter((f) => f.severity !== 'note');
  const notes = findings.filter((f) => f.severity === 'note');
  yield '## Findings\n\n';
  if (worse.length === 0) yield `${cleanWords(report, notes)}\n\n`;
  for (const f of worse) {
    yield `### ${f.severity}: ${f.title}\n\n`;
    yield `\`${f.code}\`, ${where(f)}${f.clause === undefined ? '' : ` (${f.clause})`}\n\n`;
    yield `${asMarkdown(f.meaning)}\n\n**Next:** ${asMarkdown(f.next)}\n\n`;
  }
  if (notes.length === 0) return;
  yield '### Notes\n\n';
  const told = alike(notes);
  for (const { note: f, about } of told.slice(0, MOST_ENTRIES))
    yield `- \`${f.code}\`${about === '' ? '' : ` (${about})`} ${f.title}: ${asMarkdown(f.meaning)}\n`;
  yield* more(told.length);
  yield '\n';
}

function* tunnels(list: readonly TunnelEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '## Tunnels\n\n';
  yield* table(
    ['', 'UE', 'EFTF', 'state', 'TLS', 'up', 'down', 'opened', 'ended by', 'subscriber'],
    list.map((t) => [
      String(t.id),
      place(t.ue),
      `${asMarkdown(t.eftf.name ?? place(t.eftf))}${t.proxy === undefined ? '' : ` by way of ${place(t.proxy)}`}`,
      asMarkdown(stateWords(t)),
      tlsWords(t),
      String(t.envelopes.up.total),
      String(t.envelopes.down.total),
      clock(t.opened),
      releaseWords(t),
      asMarkdown(t.subscriber?.impu[0] ?? ''),
    ]),
  );
  const shut = list.flatMap(({ id, cadence }) =>
    cadence?.steady === undefined ? [] : [`- Tunnel ${id} from outside: ${cadenceWords(cadence)}\n`],
  );
  if (shut.length === 0) return;
  yield* shut.slice(0, MOST_ENTRIES);
  yield* more(shut.length);
  yield '\n';
}

function* calls(lists: Lists): Generator<string> {
  yield* listed('Calls', lists.calls, CALL_COLUMNS);
  const failed = lists.calls.filter(isBad);
  for (const c of failed.slice(0, MOST_ENTRIES)) {
    yield `### Call ${c.id}, ${asMarkdown(c.callId)}\n\n`;
    // A line of the flow begins with a blank or with our own words, so that none of them can end the block.
    yield `~~~~text\n${ladderPage(callLadder(lists, c, MOST_MESSAGES), { width: WIDTH })}~~~~\n\n`;
  }
  if (failed.length > MOST_ENTRIES)
    yield `Not drawn: ${counted(failed.length - MOST_ENTRIES, 'more call')} that failed.\n\n`;
}
