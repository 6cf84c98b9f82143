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

const TIMES: Readonly<Record<Exclude<TimeFormat, 'dd'>, (row: Row) => string>> = {
  r: (row) => short(...row.relative),
  a: (row) => timeOfDay(local(row)),
  ad: local,
  adoy: (row) => dayOfYear(local(row)),
  e: (row) => short(row.seconds, row.nanos),
  d: (row) => short(...row.delta),
  u: (row) => timeOfDay(day(row)),
  ud: (row) => day(row),
  udoy: (row) => dayOfYear(day(row)),
};
export const isTimeFormat = (s: string): s is TimeFormat => s === 'dd' || Object.hasOwn(TIMES, s);

/** Makes the time column of rows that are shown one after the other. */
export function timeColumn(format: TimeFormat): (row: Row) => string {
  if (format !== 'dd') return TIMES[format];
  let last: readonly [number, number] | undefined;
  return ({ seconds, nanos }) => {
    const [s, n] = last === undefined ? [0, 0] : difference(seconds, nanos, last[0], last[1]);
    last = [seconds, nanos];
    return short(s, n);
  };
}

/**
 * One line a row, in the manner of tshark's: number, time, tunnel and direction (`-` outside of tunnels), addresses,
 * protocol, length, Info. Text from packets is made harmless for a terminal. Without `arrows`, directions are words.
 */
export function summaryLine(row: Row, timeOf: (row: Row) => string = TIMES.r, arrows = true): string {
  const [src, dst] = endpoints(row);
  const d = row.dissection;
  const time = timeOf(row).padStart(10);
  const [up, down] = arrows ? ['↑', '↓'] : ['-up', '-down'];
  const where = row.tunnel === null ? '-' : `T${row.tunnel.id}${row.direction === 'up' ? up : down}`;
  const length = String(row.inner > 0 ? row.packetLength : row.frameLength).padStart(4);
  const addresses = `${src.padStart(12)} → ${dst.padEnd(12)}`;
  const line = `${row.id.padStart(6)} ${time} ${where.padEnd(arrows ? 3 : 7)} ${addresses} ${d.protocol().padEnd(5)} ${length} `;
  return `${(line + printable(d.info())).trimEnd()}\n`;
}

const SIGNS = { error: 'x', warn: '!', note: 'i', chat: '.' } as const;

/** The whole tree of a row, two blanks a level, each expert item under the node it belongs to. */
export function treeText(row: Row): string {
  const t = row.dissection.tree;
  let s = '';
  let next = 0;
  const { experts } = t;
  for (let i = 0; i < t.length; i++) {
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
