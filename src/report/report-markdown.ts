import { counted } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import type { FindingEntity, MediaEntity, MessageEntity, RegistrationEntity, TunnelEntity } from '../model/entities.js';
import type { Series } from '../model/series.js';
import { isCutOff } from '../model/tally.js';
import { callLadder } from './ladder-flows.js';
import { ladderPage } from './ladder-text.js';
import { asMarkdown } from './markup.js';
import type { Report } from './report.js';
import type { Lists } from './report-select.js';
import {
  alike,
  cadenceWords,
  callWords,
  cleanWords,
  clock,
  delay,
  type FileWords,
  fileWords,
  limitWords,
  lostText,
  messageWords,
  moreWords,
  number,
  place,
  registrationWords,
  releaseWords,
  SKIPPED,
  type States,
  statesWords,
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

/** The report for people: findings first, then what they are about. */
export function* reportMarkdown({ members, findings }: Report): Generator<string> {
  const list = <T>(name: string): readonly T[] => members[name] as readonly T[];
  yield '# What happened\n\n';
  yield* overview(members, findings);
  yield* problems(findings);
  yield* tunnels(list<TunnelEntity>('tunnels'));
  yield* registrations(list<RegistrationEntity>('registrations'));
  yield* calls(members as unknown as Lists);
  yield* messages(list<MessageEntity>('messages'));
  yield* media(list<MediaEntity>('media'));
}

interface Overview {
  readonly [name: string]: States;
}

function* overview(members: Report['members'], findings: Series<FindingEntity>): Generator<string> {
  const { files } = members.capture as { files: FileWords[] };
  for (const f of files) yield `- ${asMarkdown(f.name)}: ${fileWords(f)}\n`;
  const summary = members.summary as unknown as Overview;
  for (const name of ['tunnel', 'registration', 'call']) yield `- ${statesWords(name, summary[`${name}s`])}\n`;
  const unread = unreadWords(findings, (members.tunnels as readonly TunnelEntity[]).length);
  if (unread !== '') yield `- ${unread}\n`;
  for (const l of members.limits as readonly LimitReached[]) yield `- ${limitWords(l)}\n`;
  yield '\n';
}

function* problems(findings: Series<FindingEntity>): Generator<string> {
  const worse = findings.filter((f) => f.severity !== 'note');
  const notes = findings.filter((f) => f.severity === 'note');
  yield '## Findings\n\n';
  if (worse.length === 0) yield `${cleanWords(notes)}\n\n`;
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

function* registrations(list: readonly RegistrationEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '## Registrations\n\n';
  yield* table(
    ['', 'user', 'state', 'answers', 'expires', 'at'],
    list.map((r) => [
      String(r.id),
      asMarkdown(r.aor),
      registrationWords(r),
      r.transactions.map((t) => t.status ?? 'none').join(', '),
      number(r.expiresSeconds, ' s'),
      clock(r.start),
    ]),
  );
}

function* calls(lists: Lists): Generator<string> {
  const list = lists.calls;
  if (list.length === 0) return;
  yield '## Calls\n\n';
  yield* table(
    ['', 'from', 'to', 'state', 'rings after', 'answered after', 'lasted', 'at', 'why'],
    list.map((c) => [
      String(c.id),
      asMarkdown(c.fromUri),
      asMarkdown(c.toUri),
      callWords(c),
      delay(c.pddMs),
      delay(c.setupMs),
      number(c.durationMs === undefined ? undefined : c.durationMs / 1000, ' s'),
      clock(c.start),
      asMarkdown(c.failure?.reason ?? c.release?.reason ?? ''),
    ]),
  );
  const failed = list.filter((x) => x.state === 'failed' || isCutOff(x));
  for (const c of failed.slice(0, MOST_ENTRIES)) {
    yield `### Call ${c.id}, ${asMarkdown(c.callId)}\n\n`;
    // A line of the flow begins with a blank or with our own words, so that none of them can end the block.
    yield `~~~~text\n${ladderPage(callLadder(lists, c, MOST_MESSAGES), { width: WIDTH })}~~~~\n\n`;
  }
  if (failed.length > MOST_ENTRIES)
    yield `Not drawn: ${counted(failed.length - MOST_ENTRIES, 'more call')} that failed.\n\n`;
}

function* messages(list: readonly MessageEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '## Messages\n\n';
  yield* table(
    ['', 'from', 'to', 'what', 'answer', 'at'],
    list.map((m) => [
      String(m.id),
      asMarkdown(m.fromUri),
      asMarkdown(m.toUri),
      asMarkdown(messageWords(m)),
      String(m.status ?? 'none'),
      clock(m.start),
    ]),
  );
}

function* media(list: Series<MediaEntity>): Generator<string> {
  if (list.length === 0) return;
  yield '## Media\n\n';
  yield* table(
    ['', 'call', 'from', 'to', 'codec', 'packets', 'lost', 'jitter', 'MOS (estimate)'],
    list.map((m) => [
      String(m.id),
      String(m.call ?? ''),
      place(m.source),
      place(m.destination),
      asMarkdown(m.codec ?? `type ${m.payloadType}`),
      String(m.packets),
      lostText(m),
      m.jitterMs === undefined ? '' : number(m.jitterMs.mean, ' ms'),
      number(m.mos?.value),
    ]),
  );
  if (list.some((m) => m.skipped !== undefined)) yield `${SKIPPED}\n\n`;
}
