import type { Row } from '../engine/row.js';
import { hex, printable } from '../kit/index.js';
import { endpoints } from './columns.js';
import { decimalSeconds, isoTime, nodeLabel } from './value.js';

/** Formats of the time column, by tshark's letters. */
export type TimeFormat = 'r' | 'a' | 'ad' | 'e' | 'd' | 'u' | 'ud';

const clock = (row: Row, from: number): string => isoTime(row.seconds, row.nanos).replace('T', ' ').slice(from, -1);
const TIMES: Readonly<Record<TimeFormat, (row: Row) => string>> = {
  r: (row) => decimalSeconds(...row.relative),
  // Local time, as tshark; the zone's offset is a whole number of minutes.
  a: (row) => local(row).slice(11),
  ad: (row) => local(row),
  e: (row) => decimalSeconds(row.seconds, row.nanos),
  d: (row) => decimalSeconds(...row.delta),
  u: (row) => clock(row, 11),
  ud: (row) => clock(row, 0),
};
export const isTimeFormat = (s: string): s is TimeFormat => s in TIMES;

function local(row: Row): string {
  const minutes = new Date(row.seconds * 1000).getTimezoneOffset();
  return isoTime(row.seconds - 60 * minutes, row.nanos)
    .replace('T', ' ')
    .slice(0, -1);
}

/**
 * One line a row, as tshark's summary lines: number, time, tunnel and direction, addresses, protocol, length, Info.
 * Text from packets is made harmless for a terminal.
 */
export function summaryLine(row: Row, format: TimeFormat = 'r'): string {
  const [src, dst] = endpoints(row);
  const d = row.dissection;
  const time = TIMES[format](row);
  const where = row.tunnel === null ? '' : `T${row.tunnel.id} ${row.direction === 'up' ? '↑' : '↓'} `;
  const length = row.inner > 0 ? row.packetLength : row.frameLength;
  return `${row.id.padStart(7)} ${time.padStart(13)} ${where}${src.padStart(13)} → ${dst.padEnd(13)} ${d.protocol()} ${length} ${printable(d.info())}\n`;
}

const SIGNS = { error: 'x', warn: '!', note: 'i', chat: '.' } as const;

/** The whole tree of a row, two blanks a level, each expert item under the node it belongs to. */
export function treeText(row: Row): string {
  const t = row.dissection.tree;
  let s = '';
  let next = 0;
  const { experts } = t;
  for (let i = 0; i < t.length; i++) {
    s += `${'    '.repeat(t.depth[i])}${printable(nodeLabel(t, i))}\n`;
    for (; next < experts.length && experts[next].node <= i; next++) {
      const e = experts[next];
      const clause = e.expert.clause === undefined ? '' : ` (${e.expert.clause})`;
      s += `${'    '.repeat(t.depth[i] + 1)}[${SIGNS[e.expert.severity]} ${printable(e.message)}${clause}]\n`;
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
