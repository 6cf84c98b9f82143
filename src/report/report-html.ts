import { counted } from '../kit/index.js';
import type { CallEntity, FindingEntity, TunnelEntity } from '../model/entities.js';
import type { Series } from '../model/series.js';
import { callLadder } from './ladder-flows.js';
import { ladderSvg } from './ladder-svg.js';
import { escaped } from './markup.js';
import type { Report } from './report.js';
import type { Lists } from './report-select.js';
import { CALL_COLUMNS, type Column, MEDIA_COLUMNS, MESSAGE_COLUMNS, REGISTRATION_COLUMNS } from './report-tables.js';
import {
  aboutOf,
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
export function* reportHtml(report: Report): Generator<string> {
  const { generator, capture } = report;
  const title = `What happened: ${capture.files.map((f) => f.name).join(', ')}`;
  yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n`;
  yield `<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${escaped(title)}</title>\n`;
  yield `<style>${STYLE}</style>\n</head>\n<body>\n<h1>What happened</h1>\n`;
  yield* overview(report);
  yield* problems(report);
  yield* tunnels(report);
  yield* listed('Registrations', report.registrations, REGISTRATION_COLUMNS);
  yield* calls(report);
  yield* listed('Messages', report.messages, MESSAGE_COLUMNS);
  yield* listed('Media', report.media, MEDIA_COLUMNS);
  if (report.media.some((m) => m.skipped !== undefined)) yield `<p>${SKIPPED}</p>\n`;
  yield `<p class="small">Made by ${escaped(`${generator.name} ${generator.version}`)}. Times are UTC.</p>\n</body>\n</html>\n`;
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

/** The heading of a part, which links lead to. */
const heading = (title: string): string => `<h2 id="${title.toLowerCase()}">${title}</h2>\n`;

/** A part that is one table: its heading, and the entries where there are any. */
function* listed<T>(title: string, list: Series<T>, columns: readonly Column<T>[]): Generator<string> {
  if (list.length === 0) return;
  yield heading(title);
  yield* table(
    columns.map((c) => c.head),
    list.map((entry) => columns.map((c) => cellOf(c, entry))),
  );
}

function cellOf<T>({ text, target, isBad }: Column<T>, entry: T): Cell {
  const said = text(entry);
  if (target !== undefined) return { markup: `<a href="#${target(entry)}">${escaped(said)}</a>` };
  return isBad?.(entry) === true ? { markup: `<span class="bad">${escaped(said)}</span>` } : said;
}

function* overview(report: Report): Generator<string> {
  yield '<ul>\n';
  for (const f of report.capture.files) yield `<li><code>${escaped(f.name)}</code>: ${escaped(fileWords(f))}</li>\n`;
  for (const line of stateLines(report)) yield `<li>${escaped(line)}</li>\n`;
  const { streams, packets, lost } = report.summary.media;
  yield `<li>${counted(streams, 'media stream')}: ${counted(packets, 'packet')}, ${lost} lost</li>\n`;
  const unread = unreadWords(report);
  if (unread !== '') yield `<li>${unread}</li>\n`;
  for (const l of report.limits) yield `<li class="bad">${escaped(limitWords(l))}</li>\n`;
  yield '</ul>\n';
}

function* problems(report: Report): Generator<string> {
  const { findings } = report;
  const told = findings.filter((f) => f.severity !== 'note');
  yield heading('Findings');
  const notes = findings.filter((f) => f.severity === 'note');
  if (told.length === 0) yield `<p>${cleanWords(report, notes)}</p>\n`;
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
  yield heading('Tunnels');
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
  const { envelopes: e, steps, tcp } = t;
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

function* calls(lists: Lists): Generator<string> {
  const list = lists.calls;
  yield* listed('Calls', list, CALL_COLUMNS);
  // Where there are too many, those that failed are drawn first.
  const drawn = [...list].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_PICTURES);
  for (const c of drawn.sort((a, b) => a.id - b.id)) {
    yield `<h3 id="call-${c.id}">Call ${c.id}, <code>${escaped(c.callId)}</code></h3>\n`;
    if (c.failure !== undefined) yield `<p class="bad">${escaped(c.failure.reason)}</p>\n`;
    yield `<div class="picture">${ladderSvg(callLadder(lists, c, MOST_ARROWS))}</div>\n`;
  }
  if (list.length > MOST_PICTURES) yield `<p>Not drawn: ${counted(list.length - MOST_PICTURES, 'call')}.</p>\n`;
}

const rank = (c: CallEntity): number => (isBad(c) ? 0 : 1);
