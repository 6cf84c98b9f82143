import { table } from '../kit/index.js';
import type { Chart } from './charts.js';
import type { StreamOverTime, Traffic } from './series.js';
import type { Story } from './told.js';
import { count, duration, octets, trimmed } from './words.js';

/** A number behind a chart. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  /** The display filter that finds what it counts. */
  readonly filter?: string;
}

/** A chart of the statistics, with the numbers behind it. */
export interface Panel6 {
  readonly id: 'rates' | 'protocols' | 'codes' | 'overhead' | 'jitter' | 'octets';
  readonly title: string;
  /** What blessed-contrib draws; absent: bars that lie, one for each number. */
  readonly chart?: Chart;
  readonly figures: readonly Figure[];
  /** Said where there are no numbers. */
  readonly empty: string;
}

/** Report keys of protocols are stacks: the last layer names what a packet is. */
const FILTER_NAMES = table<string>({ 'sip/sdp': 'sip', 'rtp event': 'rtpevent', icmpv6: 'icmpv6' });

/** The display filter for what stands in the protocol column; undefined: there is none of that name. */
function filterOfProtocol(name: string): string | undefined {
  const lower = name.toLowerCase();
  const known = FILTER_NAMES[lower];
  if (known !== undefined) return known;
  if (/^(tls|ssl)v/.test(lower)) return 'tls';
  return /^[a-z][a-z0-9]*$/.test(lower) ? lower : undefined;
}

/** Rates over time: packets in a second, up and down. */
export function ratesPanel(t: Traffic): Panel6 {
  const perSecond = (list: readonly number[]): number[] => list.map((n) => n / t.span);
  const labels = t.up.map((_, i) => trimmed(t.start + i * t.span, t.span < 1 ? 1 : 0));
  const what = t.outer ? 'frames/s' : 'inner packets/s';
  const figures = t.up.map((up, i) => {
    const from = t.start + i * t.span;
    return {
      name: `${trimmed(from, 3)} s`,
      value: up + t.down[i],
      text: `up ${count(up)}, down ${count(t.down[i])}, ${octets(t.octetsUp[i] + t.octetsDown[i])}`,
      filter: `frame.time_relative >= ${trimmed(from, 6)} && frame.time_relative < ${trimmed(from + t.span, 6)}`,
    };
  });
  const series = [
    { name: 'up', values: perSecond(t.up) },
    { name: 'down', values: perSecond(t.down) },
  ];
  return {
    id: 'rates',
    title: `${what}, ${duration(t.span * 1000)} each`,
    chart: { kind: 'line', series, labels },
    figures: t.packets === 0 ? [] : figures,
    empty: 'no packets',
  };
}

/** Octets in a second, as two sparklines. */
export function octetsPanel(t: Traffic): Panel6 {
  const rate = (list: readonly number[]): string => `${octets(Math.max(0, ...list) / t.span)}/s at most`;
  const figures = t.octetsUp.map((up, i) => ({
    name: `${trimmed(t.start + i * t.span, 3)} s`,
    value: up + t.octetsDown[i],
    text: `up ${octets(up)}, down ${octets(t.octetsDown[i])}`,
  }));
  return {
    id: 'octets',
    title: 'octets',
    chart: {
      kind: 'sparkline',
      titles: [`up ${rate(t.octetsUp)}`, `down ${rate(t.octetsDown)}`],
      values: [t.octetsUp, t.octetsDown],
    },
    figures: t.octets === 0 ? [] : figures,
    empty: 'no packets',
  };
}

/** Packets by protocol. */
export function protocolsPanel(t: Traffic): Panel6 {
  const figures = t.protocols.map(({ name, packets, octets: n }) => {
    const filter = filterOfProtocol(name);
    const share = t.packets === 0 ? 0 : (100 * packets) / t.packets;
    const text = `${count(packets)}  ${trimmed(share, 1)} %  ${octets(n)}`;
    return { name, value: packets, text, ...(filter !== undefined && { filter }) };
  });
  return { id: 'protocols', title: 'protocols', figures, empty: 'no packets' };
}

const allCodes = ({ seen }: Story): Map<number, number> =>
  new Map(Array.from(seen.get('sip.Status-Code') ?? [], ([code, times]) => [Number(code), times]));

function codesIn(story: Story, tunnels: readonly number[]): Map<number, number> {
  const codes = new Map<number, number>();
  const add = (status: number | undefined): void => {
    if (status !== undefined) codes.set(status, (codes.get(status) ?? 0) + 1);
  };
  const isHere = (t: number | undefined): boolean => t !== undefined && tunnels.includes(t);
  for (const c of story.calls) if (c.tunnels.some(isHere)) for (const m of c.messages) add(m.status);
  for (const r of story.registrations) if (isHere(r.tunnel)) for (const t of r.transactions) add(t.status);
  for (const m of [...story.messages, ...story.subscriptions]) if (isHere(m.tunnel)) add(m.status);
  return codes;
}

/** Final and provisional answers of SIP by class; the numbers are by code. */
export function codesPanel(story: Story, tunnels?: readonly number[]): Panel6 {
  const codes = tunnels === undefined ? allCodes(story) : codesIn(story, tunnels);
  const sorted = [...codes].sort((a, b) => a[0] - b[0]);
  const classes = [1, 2, 3, 4, 5, 6].map((n) => ({
    title: `${n}xx`,
    value: sorted.reduce((sum, [code, times]) => sum + (Math.floor(code / 100) === n ? times : 0), 0),
  }));
  const seen = classes.filter((c) => c.value > 0);
  return {
    id: 'codes',
    title: 'SIP answers',
    ...(seen.length > 0 && {
      chart: { kind: 'bar', titles: seen.map((c) => c.title), values: seen.map((c) => c.value) },
    }),
    figures: sorted.map(([code, n]) => ({
      name: String(code),
      value: n,
      text: count(n),
      filter: `sip.Status-Code == ${code}`,
    })),
    empty: 'no SIP answers',
  };
}

/** Outer octets for each inner octet, by tunnel. */
export function overheadPanel(story: Story, tunnels?: readonly number[]): Panel6 {
  const figures = story.tunnels
    .filter((t) => t.overhead !== undefined && (tunnels === undefined || tunnels.includes(t.id)))
    .map((t) => ({
      name: `tunnel ${t.id}`,
      value: t.overhead ?? 0,
      text: `${trimmed(t.overhead ?? 0, 2)} outer/inner`,
      filter: `tunnel.id == ${t.id}`,
    }));
  return { id: 'overhead', title: 'tunnel overhead', figures, empty: 'no tunnel was read' };
}

/** How unevenly streams came: the worst ones over time. */
export function jitterPanel(
  story: Story,
  over: ReadonlyMap<string, StreamOverTime>,
  tunnels?: readonly number[],
): Panel6 {
  const media = story.media
    .filter((m) => m.jitterMs !== undefined)
    .filter((m) => tunnels === undefined || (m.tunnel !== undefined && tunnels.includes(m.tunnel)))
    .sort((a, b) => (b.jitterMs?.max ?? 0) - (a.jitterMs?.max ?? 0));
  const shown = media.filter((m) => over.has(m.uid)).slice(0, 2);
  const figures = media.map((m) => ({
    name: `stream ${m.id} ${m.direction ?? ''}`.trim(),
    value: m.jitterMs?.max ?? 0,
    text: `mean ${duration(m.jitterMs?.mean ?? 0)}, at most ${duration(m.jitterMs?.max ?? 0)}`,
    filter: `rtp.ssrc == ${m.ssrc}`,
  }));
  const titles = shown.map((m) => `stream ${m.id} ${m.direction ?? ''} ≤${duration(m.jitterMs?.max ?? 0)}`);
  return {
    id: 'jitter',
    title: 'jitter',
    ...(shown.length > 0 && {
      chart: { kind: 'sparkline', titles, values: shown.map((m) => over.get(m.uid)?.jitter ?? []) },
    }),
    figures,
    empty: 'no media',
  };
}
