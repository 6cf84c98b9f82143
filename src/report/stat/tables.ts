import { printable } from '../../kit/index.js';
import type { CallEntity, TunnelEntity } from '../../model/entities.js';
import { jsonOf } from '../report-json.js';
import { callWords, clock, innerAddress, number, place } from '../report-words.js';
import { cells, fit, padEnd } from '../width.js';

/** Tables of our own statistics, made from the model of a report. */

/** Cells between columns. */
const GAP = '  ';
/** Cells that a column keeps. */
const LEAST = 6;

/** Columns as wide as what stands in them; where a line is too long, those that may (`soft`) give way, the widest first. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  soft: readonly number[],
  width: number,
): string {
  const widths = head.map((h, i) => Math.max(cells(h), ...rows.map((r) => cells(r[i]))));
  const total = (): number => widths.reduce((a, b) => a + b, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    const widest = soft.reduce((a, b) => (widths[b] > widths[a] ? b : a));
    if (widths[widest] <= LEAST) break;
    widths[widest]--;
  }
  const line = (r: readonly string[]): string =>
    fit(
      r
        .map((c, i) => padEnd(c, widths[i]))
        .join(GAP)
        .trimEnd(),
      width,
    );
  return `${[line(head), ...rows.map(line)].join('\n')}\n`;
}

/** `fttims,tunnels`: a line a tunnel. */
export function tunnelTable(tunnels: readonly TunnelEntity[], width: number): string {
  const rows = tunnels.map((t) => [
    String(t.id),
    place(t.ue),
    printable(t.eftf.name ?? place(t.eftf)),
    t.failure === undefined ? t.state : `${t.state} (${t.failure.stage})`,
    t.tls?.version ?? '-',
    verdict(t),
    `${t.envelopes.up.total}/${t.envelopes.down.total}`,
    innerAddress(t) ?? '',
    clock(t.opened).slice(0, 8),
    `${t.release.how} ${t.release.by === 'unknown' ? '' : t.release.by}`.trim(),
  ]);
  const head = ['#', 'UE', 'EFTF', 'state', 'TLS', 'keys', 'up/down', 'inner IP', 'opened', 'end'];
  return `Tunnels: ${tunnels.length}\n${table(head, rows, [2, 3, 9], width)}`;
}

/** How much of both directions was decrypted; `-` where there is nothing to decrypt. */
function verdict({ tls }: TunnelEntity): string {
  if (tls === undefined) return '-';
  const { up, down } = tls.decryption;
  if (up.records + down.records === 0) return '-';
  return up.verdict === down.verdict ? up.verdict : `${up.verdict}/${down.verdict}`;
}

/** `fttims,calls`: a line a call. */
export function callTable(calls: readonly CallEntity[], width: number): string {
  const rows = calls.map((c) => [
    String(c.id),
    c.tunnels.join(','),
    printable(c.fromUri),
    printable(c.toUri),
    callWords(c),
    number(c.pddMs),
    number(c.setupMs),
    number(c.durationMs === undefined ? undefined : c.durationMs / 1000),
    clock(c.start).slice(0, 8),
    printable(c.failure?.reason ?? ''),
  ]);
  const head = ['#', 'tunnel', 'from', 'to', 'state', 'PDD ms', 'setup ms', 'lasted s', 'at', 'why'];
  return `Calls: ${calls.length}\n${table(head, rows, [2, 3, 9], width)}`;
}

/** The same as values. */
export const entitiesJson = (asked: string, name: 'tunnels' | 'calls', list: readonly object[]): object => ({
  statistic: asked,
  [name]: list.map(jsonOf),
});
