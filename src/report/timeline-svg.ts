import { isChallenge } from '../../dissectors/sip/status.js';
import { counted } from '../kit/index.js';
import type { TunnelEntity } from '../model/entities.js';
import { type Moment, millis } from '../model/moment.js';
import { escaped } from './markup.js';
import type { Lists } from './report-select.js';
import { moreWords } from './report-words.js';
import { fit } from './width.js';

const WIDTH = 900;
const LEFT = 110;
const RIGHT = 20;
const LANE = 20;
const TICKS = 6;
/** Entries of a lane that are drawn. */
const MOST = 400;

/** What is drawn in a lane: a span, or a moment where `end` is absent. */
interface Mark {
  readonly start: Moment;
  readonly end?: Moment | undefined;
  readonly text: string;
  readonly colour: string;
}

const GREY = '#868e96';
const GREEN = '#2b8a3e';
const BLUE = '#1971c2';
const VIOLET = '#6a3d9a';
const RED = '#c92a2a';
const AMBER = '#e67700';

/** The life of a tunnel on an axis of time: what ran in it, lane by lane. */
export function timelineSvg(lists: Lists, t: TunnelEntity): string {
  const lanes = lanesOf(lists, t).filter(([, marks]) => marks.length > 0);
  const all = lanes.flatMap(([, marks]) => marks.flatMap((m) => [m.start, m.end ?? m.start]));
  const ends = all.map((m) => millis(t.opened, m));
  const from = ends.reduce((a, b) => Math.min(a, b), 0);
  const to = ends.reduce((a, b) => Math.max(a, b), from + 1);
  const x = (m: Moment): number =>
    Math.round((LEFT + ((millis(t.opened, m) - from) / (to - from)) * (WIDTH - LEFT - RIGHT)) * 10) / 10;
  const height = LANE * lanes.length + 30;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="11">`,
    `<title>Tunnel ${t.id} over time</title>`,
  ];
  for (let i = 0; i <= TICKS; i++) parts.push(tick(from, to, i, height));
  for (const [k, [name, marks]] of lanes.entries()) {
    const y = LANE * k + 6;
    parts.push(`<text x="${LEFT - 8}" y="${y + 11}" text-anchor="end" fill="#333333">${escaped(name)}</text>`);
    for (const m of marks.slice(0, MOST)) parts.push(drawn(m, x, y));
    const rest = moreWords(marks.length, MOST);
    if (rest !== '') parts.push(`<text x="${WIDTH}" y="${y + 11}" text-anchor="end" fill="#555555">${rest}</text>`);
  }
  parts.push('</svg>\n');
  return parts.join('\n');
}

function tick(from: number, to: number, i: number, height: number): string {
  const x = LEFT + ((WIDTH - LEFT - RIGHT) * i) / TICKS;
  const seconds = (from + ((to - from) * i) / TICKS) / 1000;
  const anchor = i === TICKS ? 'end' : 'middle';
  return (
    `<path d="M${Math.round(x)} 2V${height - 20}" stroke="#dee2e6"/>` +
    `<text x="${Math.round(x)}" y="${height - 6}" text-anchor="${anchor}" fill="#555555">${seconds.toFixed(to - from < 20_000 ? 2 : 0)} s</text>`
  );
}

function drawn(m: Mark, x: (m: Moment) => number, y: number): string {
  const a = x(m.start);
  const tip = `<title>${escaped(m.text)}</title>`;
  if (m.end === undefined) return `<circle cx="${a}" cy="${y + 7}" r="4" fill="${m.colour}">${tip}</circle>`;
  const width = Math.max(2, Math.round((x(m.end) - a) * 10) / 10);
  const label = fit(m.text, Math.floor((width - 6) / 6.2));
  const text = label.length < 3 ? '' : `<text x="${a + 4}" y="${y + 11}" fill="#ffffff">${escaped(label)}</text>`;
  return `<g>${tip}<rect x="${a}" y="${y}" width="${width}" height="14" rx="2" fill="${m.colour}"/>${text}</g>`;
}

function lanesOf(lists: Lists, t: TunnelEntity): [name: string, marks: Mark[]][] {
  const addressing = lists.addressing.filter((a) => a.tunnel === t.id);
  const end = t.closed;
  return [
    ['connection', connection(t)],
    [
      'addressing',
      addressing.flatMap((a) =>
        [...a.dhcp.exchanges, ...a.dhcpv6.exchanges, a.slaac].flatMap((e) =>
          e.messages.map((m): Mark => ({ start: m.at, text: m.type, colour: m.type === 'NAK' ? RED : VIOLET })),
        ),
      ),
    ],
    [
      'registration',
      lists.registrations
        .filter((r) => r.tunnel === t.id)
        .flatMap((r) =>
          r.transactions.map((x): Mark => {
            const bad = x.status === undefined || (x.status >= 400 && !isChallenge(x.status));
            return { start: x.at, text: `${r.aor}: ${x.status ?? 'no answer'}`, colour: bad ? RED : BLUE };
          }),
        ),
    ],
    [
      'calls',
      lists.calls
        .filter((c) => c.tunnels.includes(t.id))
        .map((c): Mark => {
          const colour = c.state === 'failed' ? RED : c.state === 'cancelled' ? GREY : GREEN;
          return { start: c.start, end: c.end ?? end ?? c.start, text: `call ${c.id} ${c.state} ${c.toUri}`, colour };
        }),
    ],
    ['media up', media(lists, t, 'up')],
    ['media down', media(lists, t, 'down')],
    ['TCP stalls', t.tcp.stalls.map((s): Mark => ({ start: s.at, text: `${Math.round(s.ms)} ms`, colour: RED }))],
  ];
}

const media = (lists: Lists, t: TunnelEntity, direction: 'up' | 'down'): Mark[] =>
  lists.media
    .filter((m) => m.tunnel === t.id && m.direction === direction)
    .map((m) => {
      const text = `${m.codec ?? 'RTP'} ${counted(m.packets, 'packet')}, ${m.lost} lost`;
      return { start: m.start, end: m.end, text, colour: m.lost > 0 ? AMBER : BLUE };
    });

function connection(t: TunnelEntity): Mark[] {
  const stop = t.closed ?? t.steps[t.steps.length - 1]?.at ?? t.established ?? t.opened;
  const failed = t.state === 'failed';
  const setup: Mark[] =
    t.established === undefined ? [] : [{ start: t.opened, end: t.established, text: 'handshake', colour: GREY }];
  const body: Mark = {
    start: t.established ?? t.opened,
    end: stop,
    text: failed ? (t.failure?.cause ?? 'failed') : `${t.state}, ${t.release.how.replace('_', ' ')} by ${t.release.by}`,
    colour: failed ? RED : GREEN,
  };
  return [...setup, body];
}
