import type { Row } from '../engine/row.js';
import { difference, hex, printable } from '../kit/index.js';
import { endpoints } from './columns.js';
import { isRepeated } from './layers.js';
import { decimalSeconds, isoTime, nodeLabel } from './value.js';

/** Formats of the time column, by tshark's letters. */
export type TimeFormat = 'r' | 'a' | 'ad' | 'adoy' | 'e' | 'd' | 'dd' | 'u' | 'ud' | 'udoy';

/** Seconds with six places, which a person can read; the other formats have all nine. */
const short = (seconds: number, nanos: number): string => decimalSeconds(seconds, nanos).slice(0, -3);
/** Date and time of day in UTC, `minutes` west of it. */
const day = (row: Row, minutes = 0): string =>
  isoTime(row.seconds - 60 * minutes, row.nanos)
    .replace('T', ' ')
    .slice(0, -4);
/** The same where the user is; a year that no Date knows has no summer time, and is shown in UTC. */
const local = (row: Row): string => day(row, new Date(row.seconds * 1000).getTimezoneOffset() || 0);
const timeOfDay = (text: string): string => text.slice(text.indexOf(' ') + 1);

/** The date as year and day of the year. */
function dayOfYear(text: string): string {
  const [date, clock] = text.split(' ');
  const year = date.slice(0, -6);
  const [month, dayOfMonth] = date.slice(-5).split('-').map(Number);
  const same = 2000 + (Number(year) % 400); // it has as many days, and a Date knows it
  const days = (Date.UTC(same, month - 1, dayOfMonth) - Date.UTC(same, 0)) / 86_400_000;
  return `${year}/${String(days + 1).padStart(3, '0')} ${clock}`;
}

/** The same in hours, minutes and seconds, as tshark's `-u hms`. */
function clock(seconds: number, nanos: number): string {
  const text = short(seconds, nanos);
  const whole = Math.floor(Math.abs(Number.parseFloat(text)));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (n: number): string => String(n).padStart(2);
  const rest = `${two(whole % 60)}${text.slice(text.indexOf('.'))}s`;
  const sign = text.startsWith('-') ? '- ' : '';
  return `${sign}${hours > 0 ? `${hours}h ${two(minutes)}m ` : minutes > 0 ? `${minutes}m ` : ''}${rest}`;
}

const TIMES: Readonly<Record<Exclude<TimeFormat, 'r' | 'd' | 'dd'>, (row: Row) => string>> = {
  a: (row) => timeOfDay(local(row)),
  ad: local,
  adoy: (row) => dayOfYear(local(row)),
  e: (row) => short(row.seconds, row.nanos),
  u: (row) => timeOfDay(day(row)),
  ud: (row) => day(row),
  udoy: (row) => dayOfYear(day(row)),
};
/** Whether a word is one that `-t` takes. */
export const isTimeFormat = (s: string): s is TimeFormat => /^(?:r|d|dd)$/.test(s) || Object.hasOwn(TIMES, s);

/** Makes the time column of rows that are shown one after the other. @param hms spans in hours, minutes and seconds */
export function timeColumn(format: TimeFormat, hms = false): (row: Row) => string {
  const span = hms ? clock : short;
  if (format === 'r') return (row) => span(...row.relative);
  if (format === 'd') return (row) => span(...row.delta);
  if (format !== 'dd') return TIMES[format];
  let last: readonly [number, number] | undefined;
  return ({ seconds, nanos }) => {
    const [s, n] = last === undefined ? [0, 0] : difference(seconds, nanos, last[0], last[1]);
    last = [seconds, nanos];
    return span(s, n);
  };
}

/**
 * One line a row, in the manner of tshark's: number, time, tunnel and direction (`-` outside of tunnels), addresses,
 * protocol, length, Info. Text from packets is made harmless for a terminal. Without `arrows`, directions are words.
 */
export function summaryLine(row: Row, timeOf: (row: Row) => string = timeColumn('r'), arrows = true): string {
  const [src, dst] = endpoints(row);
  const d = row.dissection;
  const time = timeOf(row).padStart(10);
  const [up, down] = arrows ? ['↑', '↓'] : ['-up', '-down'];
  const where = row.tunnel === null ? '-' : `T${row.tunnel.id}${row.direction === 'up' ? up : down}`;
  const length = String(row.inner > 0 ? row.packetLength : row.frameLength).padStart(4);
  const addresses = `${src.padStart(12)} → ${dst.padEnd(12)}`;
  const line = `${row.id.padStart(row.severalFiles ? 8 : 6)} ${time} ${where.padEnd(arrows ? 3 : 7)} ${addresses} ${d.protocol().padEnd(5)} ${length} `;
  return `${(line + printable(d.info())).trimEnd()}\n`;
}

/** Titles of {@link summary}, as tshark has them. */
export const SUMMARY_TITLES = ['No.', 'Time', 'Source', 'Destination', 'Protocol', 'Length', 'Info'];

/** What tshark's columns say of a row. */
export function summary(row: Row, timeOf: (row: Row) => string): string[] {
  const { dissection } = row;
  const length = row.inner > 0 ? row.packetLength : row.frameLength;
  return [row.id, timeOf(row), ...endpoints(row), dissection.protocol(), String(length), dissection.info()];
}

/** The columns of a row with tabs between them, and an arrow between the addresses, as `tshark -T tabs`. */
export function tabsLine(row: Row, timeOf: (row: Row) => string): string {
  const [id, time, source, ...rest] = summary(row, timeOf).map(printable);
  return `${[id.padStart(5), time.padStart(10), source.padStart(12), '→', rest[0].padEnd(12), ...rest.slice(1)].join('\t')}\n`;
}

const SIGNS = { error: 'x', warn: '!', note: 'i', chat: '.', comment: '.' } as const;

/**
 * The whole tree of a row, four blanks a level, each expert item under the node it belongs to.
 * @param only layers of which more than their first line is shown; null: all
 */
export function treeText(row: Row, only: ReadonlySet<string> | null = null): string {
  const t = row.dissection.tree;
  let s = '';
  let next = 0;
  let whole = true;
  const { experts } = t;
  for (let i = 0; i < t.length; i++) {
    const isLayer = t.depth(i) === 0;
    if (isLayer) whole = only === null || only.has(t.field(i).name);
    if (!isLayer && !whole) {
      while (next < experts.length && experts[next].node <= i) next++;
      continue;
    }
    if (t.field(i).hidden !== true && !isRepeated(t, i))
      s += `${'    '.repeat(t.depth(i))}${printable(nodeLabel(t, i))}\n`;
    for (; next < experts.length && experts[next].node <= i; next++) {
      const e = experts[next];
      const clause = e.expert.clause === undefined ? '' : ` (${e.expert.clause})`;
      s += `${'    '.repeat(t.depth(i) + 1)}[${SIGNS[e.expert.severity]} ${printable(e.message)}${clause}]\n`;
    }
  }
  return `${s}\n`;
}

/** The octets behind a row: one block a source, sixteen octets a line, as tshark's `-x`. */
export function octetsText(row: Row): string {
  const t = row.dissection.tree;
  let s = '';
  for (const source of t.sources.slice(0, t.sourceCount)) {
    if (t.sourceCount > 1) s += `${source.name} (${source.end - source.start} octets):\n`;
    for (let off = source.start; off < source.end; off += 16) {
      const n = Math.min(16, source.end - off);
      let text = '';
      for (let i = off; i < off + n; i++) {
        const c = source.buf[i];
        text += c >= 32 && c < 127 ? String.fromCharCode(c) : '.';
      }
      s += `${(off - source.start).toString(16).padStart(4, '0')}  ${hex(source.buf, off, n, ' ').padEnd(48)} ${text}\n`;
    }
    s += '\n';
  }
  return s;
}
