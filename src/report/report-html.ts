import { counted } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import type {
  CallEntity,
  FindingEntity,
  MediaEntity,
  MessageEntity,
  RegistrationEntity,
  TunnelEntity,
} from '../model/entities.js';
import type { Series } from '../model/series.js';
import { isCutOff } from '../model/tally.js';
import { callLadder } from './ladder-flows.js';
import { ladderSvg } from './ladder-svg.js';
import { escaped } from './markup.js';
import type { Report } from './report.js';
import type { Lists } from './report-select.js';
import {
  aboutOf,
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
import { timelineSvg } from './timeline-svg.js';

/** Rows of a table, and pictures, that are shown; the rest is counted. */
const MOST_ENTRIES = 500;
const MOST_PICTURES = 100;
const MOST_ARROWS = 200;

const STYLE = `
body { font: 14px/1.45 system-ui, sans-serif; color: #212529; background: #fff; margin: 2em auto; max-width: 1100px; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.25em; border-bottom: 1px solid #ced4da; margin-top: 2em; } h3 { font-size: 1.05em; margin: 1.4em 0 .3em; }
table { border-collapse: collapse; margin: .6em 0; } th, td { text-align: left; vertical-align: top; padding: .2em .7em .2em 0; border-bottom: 1px solid #e9ecef; overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; } td.n { text-align: right; white-space: nowrap; } code { font-size: .92em; color: #495057; overflow-wrap: anywhere; }
.finding { border-left: 4px solid #868e96; padding: .2em 0 .2em .9em; margin: .9em 0; break-inside: avoid; } .finding p { margin: .25em 0; }
.error { border-color: #c92a2a; } .warn { border-color: #e67700; } .tag { font-weight: 600; } .error .tag { color: #c92a2a; } .warn .tag { color: #b35c00; }
.bad { color: #c92a2a; } .picture { overflow-x: auto; } svg { max-width: 100%; height: auto; } .small { color: #555; font-size: .92em; }
@media print { body { margin: 0; max-width: none; font-size: 10.5pt; } a { color: inherit; text-decoration: none; } h2, h3 { break-after: avoid; } tr, .picture { break-inside: avoid; } }
`;

/** The report as one page: no scripts, nothing from elsewhere, all that came from packets escaped. */
export function* reportHtml({ members, findings }: Report): Generator<string> {
  const lists = members as unknown as Lists;
  const { files } = members.capture as { files: FileWords[] };
  const title = `What happened: ${files.map((f) => f.name).join(', ')}`;
  yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n`;
  yield `<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${escaped(title)}</title>\n`;
  yield `<style>${STYLE}</style>\n</head>\n<body>\n<h1>What happened</h1>\n`;
  yield* overview(members, files, findings);
  yield* problems(findings);
  yield* tunnels(lists);
  yield* registrations(lists.registrations);
  yield* calls(lists);
  yield* messages(lists.messages);
  yield* media(lists.media);
  const { name, version } = members.generator as { name: string; version: string };
  yield `<p class="small">Made by ${escaped(`${name} ${version}`)}. Times are UTC. MOS values are estimates.</p>\n</body>\n</html>\n`;
}

/** A cell: text, or markup that is escaped already. */
type Cell = string | { readonly markup: string };

const cell = (c: Cell): string => {
  if (typeof c !== 'string') return `<td>${c.markup}</td>`;
  return `<td${/^-?[\d.]+( (ms|s|%))?$/.test(c) ? ' class="n"' : ''}>${escaped(c)}</td>`;
};

function* table(head: readonly string[], rows: readonly (readonly Cell[])[]): Generator<string> {
  if (rows.length === 0) return;
  yield '<table>\n';
  if (head.length > 0) yield `<tr>${head.map((h) => `<th>${escaped(h)}</th>`).join('')}</tr>\n`;
  for (const r of rows.slice(0, MOST_ENTRIES)) yield `<tr>${r.map(cell).join('')}</tr>\n`;
  yield '</table>\n';
  yield* more(rows.length);
}

/** What follows the entries that are shown of a list. */
function* more(length: number): Generator<string> {
  const rest = moreWords(length, MOST_ENTRIES);
  if (rest !== '') yield `<p>${rest}</p>\n`;
}

interface Summary {
  readonly [name: string]: States;
}

interface MediaSummary {
  readonly streams: number;
  readonly packets: number;
  readonly lost: number;
}

function* overview(
  members: Report['members'],
  files: readonly FileWords[],
  findings: Series<FindingEntity>,
): Generator<string> {
  yield '<ul>\n';
  for (const f of files) yield `<li><code>${escaped(f.name)}</code>: ${escaped(fileWords(f))}</li>\n`;
  const summary = members.summary as unknown as Summary;
  for (const name of ['tunnel', 'registration', 'call'])
    yield `<li>${escaped(statesWords(name, summary[`${name}s`]))}</li>\n`;
  const { streams, packets, lost } = (members.summary as { media: MediaSummary }).media;
  yield `<li>${counted(streams, 'media stream')}: ${counted(packets, 'packet')}, ${lost} lost</li>\n`;
  const unread = unreadWords(findings, (members.tunnels as readonly TunnelEntity[]).length);
  if (unread !== '') yield `<li>${unread}</li>\n`;
  for (const l of members.limits as readonly LimitReached[]) yield `<li class="bad">${escaped(limitWords(l))}</li>\n`;
  yield '</ul>\n';
}

function* problems(findings: Series<FindingEntity>): Generator<string> {
  const told = findings.filter((f) => f.severity !== 'note');
  yield '<h2 id="findings">Findings</h2>\n';
  const notes = findings.filter((f) => f.severity === 'note');
  if (told.length === 0) yield `<p>${cleanWords(notes)}</p>\n`;
  for (const f of told.slice(0, MOST_ENTRIES)) {
    yield `<div class="finding ${f.severity}" id="finding-${f.id}">\n`;
    yield `<p><span class="tag">${f.severity}: ${escaped(f.title)}</span></p>\n<p>${escaped(f.meaning)}</p>\n`;
    yield `<p><b>Next:</b> ${escaped(f.next)}</p>\n<p class="small"><code>${escaped(f.code)}</code> `;
    yield `${aboutOf(f).map(reference).join(' ')} ${escaped(where({ ...f, refs: [] }))}`;
    yield `${f.clause === undefined ? '' : ` (${escaped(f.clause)})`}</p>\n</div>\n`;
  }
  yield* more(told.length);
  if (notes.length === 0) return;
  yield '<h3>Notes</h3>\n';
  yield* table(
    ['code', 'about', 'what', 'meaning'],
    notes.map((f) => [f.code, { markup: aboutOf(f).map(reference).join(' ') }, f.title, f.meaning]),
  );
}

/** A link to what a finding is about, where this page has it. */
const reference = ({ kind, id }: FindingEntity['refs'][0]): string =>
  kind === 'tunnel' || kind === 'call' ? `<a href="#${kind}-${id}">${kind} ${id}</a>` : `${kind} ${id}`;

function* tunnels(lists: Lists): Generator<string> {
  if (lists.tunnels.length === 0) return;
  yield '<h2 id="tunnels">Tunnels</h2>\n';
  for (const t of lists.tunnels.slice(0, MOST_PICTURES)) {
    yield `<h3 id="tunnel-${t.id}">Tunnel ${t.id}: ${escaped(t.subscriber?.impu[0] ?? place(t.ue))}</h3>\n`;
    yield* table([], tunnelFacts(lists, t));
    yield `<div class="picture">${timelineSvg(lists, t)}</div>\n`;
  }
  const rest = lists.tunnels.slice(MOST_PICTURES);
  yield* table(
    ['', 'UE', 'EFTF', 'state'],
    rest.map((t) => [String(t.id), place(t.ue), t.eftf.name ?? place(t.eftf), t.state]),
  );
}

function tunnelFacts(lists: Lists, t: TunnelEntity): Cell[][] {
  const { envelopes: e, tcp } = t;
  const { steps } = t;
  const proxy =
    t.proxy === undefined ? '' : ` by way of the proxy ${place(t.proxy)} (${t.proxy.status ?? 'no answer'})`;
  const addressing = lists.addressing.find((a) => a.tunnel === t.id);
  const dhcp = addressing?.dhcp.exchanges.map((x) => x.outcome).join(', ') ?? '';
  const state = stateWords(t);
  const facts: readonly (readonly [string, string])[] = [
    ['from', place(t.ue)],
    ['to', `${t.eftf.name === undefined ? '' : `${t.eftf.name}, `}${place(t.eftf)}${proxy}`],
    ['state', t.other === undefined ? state : `${state}, ${t.other}`],
    ['opened', `${clock(t.opened)}${steps.length > 0 ? ` (row ${steps[0].row})` : ''}`],
    ['ended', `${releaseWords(t)} ${clock(t.closed)}`],
    ['TLS', [tlsWords(t), t.tls?.cipher, t.tls?.decryption.up.reason].filter((s) => s !== undefined).join('; ')],
    ['from outside', t.cadence === undefined ? '' : cadenceWords(t.cadence)],
    ['envelopes', `${e.up.total} up, ${e.down.total} down`],
    ['addresses', t.addresses.join(', ')],
    ['DHCP', dhcp],
    [
      'P-CSCF',
      t.pcscf === undefined ? '' : `${t.pcscf.address}${t.pcscf.source === 'unknown' ? '' : ` (${t.pcscf.source})`}`,
    ],
    ['TCP', `${counted(tcp.retransmissions, 'retransmission')}, ${counted(tcp.stalls.length, 'stall')}`],
    ['user agent', t.subscriber?.userAgent ?? ''],
  ];
  return facts
    .filter(([, v]) => v !== '')
    .map(([k, v]) => [{ markup: `<b>${escaped(k)}</b>` }, { markup: escaped(v) }]);
}

function* registrations(list: readonly RegistrationEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '<h2 id="registrations">Registrations</h2>\n';
  yield* table(
    ['', 'user', 'state', 'answers', 'expires', 'at'],
    list.map((r) => [
      String(r.id),
      r.aor,
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
  yield '<h2 id="calls">Calls</h2>\n';
  yield* table(
    ['', 'from', 'to', 'state', 'rings after', 'answered after', 'lasted', 'at', 'why'],
    list.map((c) => [
      { markup: `<a href="#call-${c.id}">${c.id}</a>` },
      c.fromUri,
      c.toUri,
      c.state === 'failed' || isCutOff(c) ? { markup: `<span class="bad">${callWords(c)}</span>` } : callWords(c),
      delay(c.pddMs),
      delay(c.setupMs),
      number(c.durationMs === undefined ? undefined : c.durationMs / 1000, ' s'),
      clock(c.start),
      c.failure?.reason ?? c.release?.reason ?? '',
    ]),
  );
  // Where there are too many, those that failed are drawn first.
  const drawn = [...list].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_PICTURES);
  for (const c of drawn.sort((a, b) => a.id - b.id)) {
    yield `<h3 id="call-${c.id}">Call ${c.id}, <code>${escaped(c.callId)}</code></h3>\n`;
    if (c.failure !== undefined) yield `<p class="bad">${escaped(c.failure.reason)}</p>\n`;
    yield `<div class="picture">${ladderSvg(callLadder(lists, c, MOST_ARROWS))}</div>\n`;
  }
  if (list.length > MOST_PICTURES) yield `<p>Not drawn: ${counted(list.length - MOST_PICTURES, 'call')}.</p>\n`;
}

const rank = (c: CallEntity): number => (c.state === 'failed' || isCutOff(c) ? 0 : 1);

function* messages(list: readonly MessageEntity[]): Generator<string> {
  if (list.length === 0) return;
  yield '<h2 id="messages">Messages</h2>\n';
  yield* table(
    ['', 'from', 'to', 'what', 'answer', 'at'],
    list.map((m) => [String(m.id), m.fromUri, m.toUri, messageWords(m), String(m.status ?? 'none'), clock(m.start)]),
  );
}

function* media(list: Series<MediaEntity>): Generator<string> {
  if (list.length === 0) return;
  yield '<h2 id="media">Media</h2>\n';
  yield* table(
    ['', 'call', 'from', 'to', 'codec', 'packets', 'lost', 'jitter', 'worst jitter', 'longest burst', 'MOS'],
    list.map((m) => [
      String(m.id),
      String(m.call ?? ''),
      place(m.source),
      place(m.destination),
      m.codec ?? `type ${m.payloadType}`,
      String(m.packets),
      lostText(m),
      number(m.jitterMs?.mean, ' ms'),
      number(m.jitterMs?.max, ' ms'),
      String(m.bursts.longest),
      number(m.mos?.value),
    ]),
  );
  if (list.some((m) => m.skipped !== undefined)) yield `<p>${SKIPPED}</p>\n`;
}
