import type { TunnelEntity } from '../model/entities.js';
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

/** All that is known of a tunnel, a line each. */
export function tunnelCard(r: TunnelRow, story: Story | undefined, status: ViewerStatus): string[] {
  const out: string[] = [];
  const line = (name: string, value: string | number | undefined): void => {
    if (value !== undefined && value !== '') out.push(`${fit(name, NAME)}${value}`);
  };
  const t = r.entity;
  line('UE', r.ue);
  line('EFTF', r.eftf);
  line('keys', `${r.keys}${r.why === undefined ? '' : `. ${r.why}`}`);
  if (t === undefined || story === undefined) return [...out, '', 'more when the capture has been read'];
  if (!story.whole) line('so far', untilThen(story));
  line('EFTF address', place(t.eftf));
  if (t.proxy !== undefined)
    line('proxy', `${place(t.proxy)}, target ${t.proxy.target}, status ${t.proxy.status ?? 'none'}`);
  line('state', t.failure === undefined ? t.state : `${t.state} at ${t.failure.stage}: ${t.failure.cause}`);
  line('access type', t.accessType);
  line('opened', `${date(t.opened)} (${clock(t.opened)})`);
  line('steps', stepsText(t, story));
  line('end', endText(t, story, status));
  for (const [i, l] of legLines(t, story).entries()) line(i === 0 ? 'captured' : '', l);
  line('longest silence', ms(t.idleMaxMs));
  out.push('');
  if (t.tls !== undefined) {
    const { tls } = t;
    line('TLS', [tls.version, tls.cipher].filter(Boolean).join('  '));
    if (tls.resumed)
      line(
        '  resumes',
        tls.resumedFrom === undefined ? 'a session that is not known' : `that of tunnel ${tls.resumedFrom}`,
      );
    line('server name', tls.sni);
    line('certificate', tls.certificate?.subject);
    line('  issued by', tls.certificate?.issuer);
    if (tls.certificate?.notAfter !== undefined) line('  valid until', date(tls.certificate.notAfter));
    for (const d of ['up', 'down'] as const) {
      const v = tls.decryption[d];
      line(
        `records ${d}`,
        `${v.decrypted} of ${v.records} opened, ${v.verified} tags checked${v.source === undefined ? '' : `, keys: ${v.source}`}`,
      );
    }
    for (const a of tls.alerts.slice(0, 5)) line('alert', `${a.level} ${a.name} ${a.direction} in row ${a.row}`);
    out.push('');
  }
  for (const d of ['up', 'down'] as const) {
    const e = t.envelopes[d];
    const odd = `${e.unknown > 0 ? `, ${count(e.unknown)} of unknown type` : ''}${e.invalid > 0 ? `, ${count(e.invalid)} invalid` : ''}`;
    line(
      `envelopes ${d}`,
      `${count(e.total)} (${count(e.ip4)} IPv4, ${count(e.ip6)} IPv6${odd}), ${octetsText(e.bytes)}`,
    );
  }
  line('overhead', t.overhead === undefined ? undefined : `${t.overhead.toFixed(2)} outer octets for each inner one`);
  line('inner addresses', t.addresses.join('  '));
  line('P-CSCF', t.pcscf && `${t.pcscf.address}${t.pcscf.source === 'unknown' ? '' : ` (by ${t.pcscf.source})`}`);
  line('user', t.subscriber?.impu.join('  '));
  line('user agent', t.subscriber?.userAgent);
  out.push('');
  const { rttMs, retransmissions, outOfOrder, lostSegments, stalls } = t.tcp;
  line(
    'outer TCP',
    `round trip ${rttMs === undefined ? 'unknown' : ms(rttMs)}, ${count(retransmissions)} sent again, ${count(outOfOrder)} out of order, ${count(lostSegments)} lost, ${plural(stalls.length, 'stall')}`,
  );
  for (const id of t.findings.slice(0, 12)) {
    const f = story.findings.find((x) => x.id === id);
    if (f !== undefined) line('finding', `${SIGNS[f.severity]} ${f.title}`);
  }
  return out;
}
