import { printable } from '../kit/index.js';
import type { CallEntity, FindingEntity, MediaEntity, RegistrationEntity, TunnelEntity } from '../model/entities.js';
import { type Moment, millis } from '../model/moment.js';
import type { Report } from './report.js';
import { isoTime } from './value.js';

/** Entries of a table, and messages of a call, that are shown; the rest is counted. */
const MOST_ENTRIES = 200;
const MOST_MESSAGES = 60;

/** Text from a packet, so that it can be nothing but text in Markdown. */
const plain = (s: string): string => printable(s).replace(/[\\`*_[\]<>|&]/g, (c) => `&#${c.charCodeAt(0)};`);

const number = (n: number | undefined, unit = ''): string =>
  n === undefined ? '' : `${Math.round(n * 10) / 10}${unit}`;
const clock = (m: Moment | undefined): string => (m === undefined ? '' : isoTime(m.seconds, m.nanos).slice(11, 23));
const place = (p: { readonly address: string; readonly port: number }): string =>
  p.address.includes(':') ? `[${p.address}]:${p.port}` : `${p.address}:${p.port}`;

function* table(head: readonly string[], rows: readonly (readonly string[])[]): Generator<string> {
  if (rows.length === 0) return;
  yield `| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n`;
  for (const r of rows.slice(0, MOST_ENTRIES)) yield `| ${r.join(' | ')} |\n`;
  if (rows.length > MOST_ENTRIES) yield `\n… and ${rows.length - MOST_ENTRIES} more\n`;
  yield '\n';
}

/** The report for people: findings first, then what they are about. */
export function* reportMarkdown({ members, findings }: Report): Generator<string> {
  const list = <T>(name: string): readonly T[] => members[name] as readonly T[];
  yield '# What happened\n\n';
  yield* overview(members);
  yield* problems(findings);
  yield* tunnels(list<TunnelEntity>('tunnels'));
  yield* registrations(list<RegistrationEntity>('registrations'));
  yield* calls(list<CallEntity>('calls'));
  yield* media(list<MediaEntity>('media'));
}

interface Overview {
  readonly [name: string]: { readonly byState: Readonly<Record<string, number>> };
}

function* overview(members: Report['members']): Generator<string> {
  const { files } = members.capture as { files: { name: string; frames: number; start?: Moment; end?: Moment }[] };
  for (const f of files) {
    const span = f.start !== undefined && f.end !== undefined ? `, ${number(millis(f.start, f.end) / 1000, ' s')}` : '';
    const from = f.start === undefined ? '' : `, from ${isoTime(f.start.seconds, f.start.nanos).slice(0, 19)}Z`;
    yield `- ${plain(f.name)}: ${f.frames} frames${from}${span}\n`;
  }
  const summary = members.summary as unknown as Overview;
  for (const name of ['tunnels', 'registrations', 'calls']) {
    const states = Object.entries(summary[name].byState).filter(([, n]) => n > 0);
    const total = states.reduce((n, [, k]) => n + k, 0);
    yield `- ${total} ${total === 1 ? name.slice(0, -1) : name}${states.length === 0 ? '' : `: ${states.map(([s, n]) => `${n} ${s}`).join(', ')}`}\n`;
  }
  yield '\n';
}

const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);

function* problems(findings: readonly FindingEntity[]): Generator<string> {
  const told = findings.filter((f) => f.severity !== 'note');
  yield told.length === 0 ? '## Findings\n\nNothing is wrong.\n\n' : '## Findings\n\n';
  for (const f of told) {
    const where = f.refs.map((r) => `${r.kind} ${r.id}`).join(', ');
    const rows = f.rows.slice(0, 5).join(', ');
    const sure = f.confidence === 'certain' ? '' : `, ${f.confidence}`;
    yield `### ${f.severity}: ${f.title}\n\n`;
    yield `\`${f.code}\`${sure}${where === '' ? '' : `, ${where}`}, ${times(f.count)} from row ${rows}`;
    yield `${f.clause === undefined ? '' : ` (${f.clause})`}\n\n`;
    yield `${plain(f.meaning)}\n\n**Next:** ${plain(f.next)}\n\n`;
  }
  const notes = findings.filter((f) => f.severity === 'note');
  if (notes.length === 0) return;
  yield '### Notes\n\n';
  for (const f of notes.slice(0, MOST_ENTRIES)) yield `- \`${f.code}\` ${f.title}: ${plain(f.meaning)}\n`;
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
      `${plain(t.eftf.name ?? place(t.eftf))}${t.proxy === undefined ? '' : ` by way of ${place(t.proxy)}`}`,
      t.failure === undefined ? t.state : `${t.state}: ${plain(t.failure.cause)}`,
      t.tls === undefined
        ? ''
        : `${t.tls.version ?? ''} ${t.tls.decryption.up.verdict}/${t.tls.decryption.down.verdict}`,
      String(t.envelopes.up.total),
      String(t.envelopes.down.total),
      clock(t.opened),
      `${t.release.by} ${t.release.how}`,
      plain(t.subscriber?.impu[0] ?? ''),
    ]),
  );
}

function* registrations(list: readonly RegistrationEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '## Registrations\n\n';
  yield* table(
    ['', 'user', 'state', 'answers', 'expires', 'at'],
    list.map((r) => [
      String(r.id),
      plain(r.aor),
      `${r.state}${r.emergency ? ' (emergency)' : ''}`,
      r.transactions.map((t) => t.status ?? 'none').join(', '),
      number(r.expiresSeconds, ' s'),
      clock(r.start),
    ]),
  );
}

function* calls(list: readonly CallEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '## Calls\n\n';
  yield* table(
    ['', 'from', 'to', 'state', 'rings after', 'answered after', 'lasted', 'at', 'why'],
    list.map((c) => [
      String(c.id),
      plain(c.fromUri),
      plain(c.toUri),
      `${c.state}${c.emergency ? ' (emergency)' : ''}`,
      number(c.pddMs, ' ms'),
      number(c.setupMs, ' ms'),
      number(c.durationMs === undefined ? undefined : c.durationMs / 1000, ' s'),
      clock(c.start),
      plain(c.failure?.reason ?? ''),
    ]),
  );
  for (const c of list.filter((x) => x.state === 'failed').slice(0, MOST_ENTRIES)) {
    yield `### Call ${c.id}, ${plain(c.callId)}\n\n`;
    yield* table(
      ['row', 'at', '', 'message', 'again'],
      c.messages
        .slice(0, MOST_MESSAGES)
        .map((m) => [
          m.row,
          number(millis(c.start, m.at), ' ms'),
          m.direction === undefined ? '' : m.direction === 'up' ? '→' : '←',
          plain(
            `${m.status === undefined ? m.method : `${m.status} ${m.reason ?? ''} (${m.method})`}${m.sdp ? ` with SDP ${m.sdp}` : ''}`,
          ),
          m.retransmissions === 0 ? '' : String(m.retransmissions),
        ]),
    );
  }
}

function* media(list: readonly MediaEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '## Media\n\n';
  yield* table(
    ['', 'call', 'from', 'to', 'codec', 'packets', 'lost', 'jitter', 'MOS (estimate)'],
    list.map((m) => [
      String(m.id),
      String(m.call ?? ''),
      place(m.source),
      place(m.destination),
      plain(m.codec ?? `type ${m.payloadType}`),
      String(m.packets),
      `${m.lost} (${number(m.lostPercent, ' %')})`,
      m.jitterMs === undefined ? '' : number(m.jitterMs.mean, ' ms'),
      number(m.mos?.value),
    ]),
  );
}
