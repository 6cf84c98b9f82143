import type { TlsEntry, TunnelEntity } from '../model/entities.js';
import { clock, date, place } from '../report/report-words.js';
import type { ViewerStatus } from '../viewer/viewer.js';
import { fit } from './cells.js';
import { octetsText } from './chrome.js';
import { POINT_WORDS } from './file-card.js';
import { SIGNS } from './style.js';
import { type Story, untilThen } from './told.js';
import { endText, ms, stepsText, type TunnelRow } from './tunnel-rows.js';
import { count, plural } from './words.js';

/** Where the values begin. */
const NAME = 16;
/** Alerts and findings that are named. */
const MOST_ALERTS = 5;
const MOST_FINDINGS = 12;
const DIRECTIONS = ['up', 'down'] as const;

/** Where a tunnel was captured, if at more than one place: the file, the number that its rows have there, the clock. */
function legLines({ legs }: TunnelEntity, { capture }: Story): string[] {
  if (new Set(legs.map((l) => l.tunnel)).size < 2) return [];
  return legs.flatMap((l) => {
    const file = capture.files.find((f) => f.id === l.file);
    const where = file?.point === undefined ? '' : ` (${POINT_WORDS[file.point]})`;
    const lines = [
      `${l.file}: ${file?.name.replace(/^.*\//, '') ?? ''}${where}, rows of tunnel ${l.tunnel}, UE ${place(l.client)}`,
    ];
    const { clockOffsetMs: clock, delayMs: delay } = l;
    if (clock !== undefined && delay !== undefined)
      lines.push(
        `   clock ${ms(Math.abs(clock))} ${clock < 0 ? 'behind' : 'ahead of'} the first; from one to the other ` +
          `${ms(delay.up.mean)} up, ${ms(delay.down.mean)} down`,
      );
    return lines;
  });
}

/** Lines of a card: names with their values; what has none is left out. */
class Card {
  readonly lines: string[] = [];

  line(name: string, value: string | number | undefined): void {
    if (value !== undefined && value !== '') this.lines.push(`${fit(name, NAME)}${value}`);
  }

  gap(): void {
    this.lines.push('');
  }
}

/** All that is known of a tunnel, a line each. */
export function tunnelCard(r: TunnelRow, story: Story | undefined, status: ViewerStatus): string[] {
  const card = new Card();
  card.line('UE', r.ue);
  card.line('EFTF', r.eftf);
  card.line('keys', `${r.keys}${r.why === undefined ? '' : `. ${r.why}`}`);
  const t = r.entity;
  if (t === undefined || story === undefined) return [...card.lines, '', 'more when the capture has been read'];
  if (!story.whole) card.line('so far', untilThen(story));
  life(card, t, story, status);
  card.gap();
  if (t.tls !== undefined) {
    session(card, t.tls);
    card.gap();
  }
  inside(card, t);
  card.gap();
  outerTcp(card, t.tcp);
  for (const id of t.findings.slice(0, MOST_FINDINGS)) {
    const f = story.findings.find((x) => x.id === id);
    if (f !== undefined) card.line('finding', `${SIGNS[f.severity]} ${f.title}`);
  }
  return card.lines;
}

/** Where it leads, and its life from the first step to its end. */
function life(card: Card, t: TunnelEntity, story: Story, status: ViewerStatus): void {
  const { proxy, failure } = t;
  card.line('EFTF address', place(t.eftf));
  if (proxy !== undefined)
    card.line('proxy', `${place(proxy)}, target ${proxy.target}, status ${proxy.status ?? 'none'}`);
  card.line('state', failure === undefined ? t.state : `${t.state} at ${failure.stage}: ${failure.cause}`);
  card.line('access type', t.accessType);
  card.line('opened', `${date(t.opened)} (${clock(t.opened)})`);
  card.line('steps', stepsText(t, story));
  card.line('end', endText(t, story, status));
  for (const [i, l] of legLines(t, story).entries()) card.line(i === 0 ? 'captured' : '', l);
  card.line('longest silence', ms(t.idleMaxMs));
}

/** Its TLS, and how much of it was opened. */
function session(card: Card, tls: TlsEntry): void {
  const { certificate, resumedFrom } = tls;
  card.line('TLS', [tls.version, tls.cipher].filter(Boolean).join('  '));
  if (tls.resumed)
    card.line('  resumes', resumedFrom === undefined ? 'a session that is not known' : `that of tunnel ${resumedFrom}`);
  card.line('server name', tls.sni);
  card.line('certificate', certificate?.subject);
  card.line('  issued by', certificate?.issuer);
  if (certificate?.notAfter !== undefined) card.line('  valid until', date(certificate.notAfter));
  for (const d of DIRECTIONS) {
    const { decrypted, records, verified, source } = tls.decryption[d];
    const keys = source === undefined ? '' : `, keys: ${source}`;
    card.line(`records ${d}`, `${decrypted} of ${records} opened, ${verified} tags checked${keys}`);
  }
  for (const a of tls.alerts.slice(0, MOST_ALERTS))
    card.line('alert', `${a.level} ${a.name} ${a.direction} in row ${a.row}`);
}

/** What ran inside, and whose it is. */
function inside(card: Card, t: TunnelEntity): void {
  for (const d of DIRECTIONS) {
    const { total, ip4, ip6, unknown, invalid, bytes } = t.envelopes[d];
    const kinds = [`${count(ip4)} IPv4`, `${count(ip6)} IPv6`];
    if (unknown > 0) kinds.push(`${count(unknown)} of unknown type`);
    if (invalid > 0) kinds.push(`${count(invalid)} invalid`);
    card.line(`envelopes ${d}`, `${count(total)} (${kinds.join(', ')}), ${octetsText(bytes)}`);
  }
  if (t.overhead !== undefined) card.line('overhead', `${t.overhead.toFixed(2)} outer octets for each inner one`);
  card.line('inner addresses', t.addresses.join('  '));
  card.line('P-CSCF', t.pcscf && `${t.pcscf.address}${t.pcscf.source === 'unknown' ? '' : ` (by ${t.pcscf.source})`}`);
  card.line('user', t.subscriber?.impu.join('  '));
  card.line('user agent', t.subscriber?.userAgent);
}

function outerTcp(card: Card, { rttMs, retransmissions, outOfOrder, lostSegments, stalls }: TunnelEntity['tcp']): void {
  const said = [
    `round trip ${rttMs === undefined ? 'unknown' : ms(rttMs)}`,
    `${count(retransmissions)} sent again`,
    `${count(outOfOrder)} out of order`,
    `${count(lostSegments)} lost`,
    plural(stalls.length, 'stall'),
  ];
  card.line('outer TCP', said.join(', '));
}
