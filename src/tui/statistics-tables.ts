import type { ProtocolCounts } from '../model/entities.js';
import type { Story } from '../viewer/story.js';
import type { Party } from './series.js';
import type { Figure, Panel6 } from './statistics-panels.js';
import type { Column } from './table.js';
import { cells, RIGHT } from './table.js';
import { count, duration, octets, trimmed } from './words.js';

const total = (p: Party): number => p.octetsAb + p.octetsBa;

/** Columns of conversations (`b` is the other end), or of endpoints. */
export function partyColumns(what: 'conversations' | 'endpoints'): Column<Party>[] {
  const pair = what === 'conversations';
  const [sent, got] = pair ? ['a→b', 'b→a'] : ['sent', 'got'];
  return [
    { id: 'a', title: pair ? 'a' : 'address', ...cells(15, 39, 1), middle: true, text: (p) => p.a, key: (p) => p.a },
    ...(pair
      ? [
          {
            id: 'b',
            title: 'b',
            ...cells(15, 39, 1),
            middle: true as const,
            text: (p: Party) => p.b,
            key: (p: Party) => p.b,
          },
        ]
      : []),
    {
      id: 'packets',
      title: 'packets',
      ...cells(7, 10, 2),
      ...RIGHT,
      text: (p) => count(p.packetsAb + p.packetsBa),
      key: (p) => p.packetsAb + p.packetsBa,
    },
    { id: 'octets', title: 'octets', ...cells(7, 9, 2), ...RIGHT, text: (p) => octets(total(p)), key: total },
    {
      id: 'packets-ab',
      title: `pk ${sent}`,
      ...cells(7, 10, 4),
      ...RIGHT,
      text: (p) => count(p.packetsAb),
      key: (p) => p.packetsAb,
    },
    {
      id: 'packets-ba',
      title: `pk ${got}`,
      ...cells(7, 10, 4),
      ...RIGHT,
      text: (p) => count(p.packetsBa),
      key: (p) => p.packetsBa,
    },
    {
      id: 'octets-ab',
      title: `oct ${sent}`,
      ...cells(8, 9, 5),
      ...RIGHT,
      text: (p) => octets(p.octetsAb),
      key: (p) => p.octetsAb,
    },
    {
      id: 'octets-ba',
      title: `oct ${got}`,
      ...cells(8, 9, 5),
      ...RIGHT,
      text: (p) => octets(p.octetsBa),
      key: (p) => p.octetsBa,
    },
    { id: 'first', title: 'first', ...cells(8, 11, 6), ...RIGHT, text: (p) => p.first.toFixed(3), key: (p) => p.first },
    {
      id: 'duration',
      title: 'duration',
      ...cells(8, 10, 6),
      ...RIGHT,
      text: (p) => duration((p.last - p.first) * 1000),
      key: (p) => p.last - p.first,
    },
  ];
}

/** The filter that finds a conversation or an end. */
export function partyFilter({ a, b }: Party): string | undefined {
  const one = (address: string): string | undefined => {
    const layer = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address) ? 'eth' : address.includes(':') ? 'ipv6' : 'ip';
    return /^[0-9a-fA-F.:]+$/.test(address) ? `${layer}.addr == ${address}` : undefined;
  };
  const first = one(a);
  const second = b === '' ? '' : one(b);
  if (first === undefined || second === undefined) return undefined;
  return second === '' ? first : `${first} && ${second}`;
}

/** A layer, or a stack of layers, and what was in it. */
export interface LayerLine {
  readonly depth: number;
  readonly name: string;
  rows: number;
  bytes: number;
}

/** The stacks of a whole capture, or of some of its tunnels. */
export function protocolsOf(story: Story, tunnels: readonly number[] | undefined): Story['protocols'] {
  if (tunnels === undefined) return story.protocols;
  const all: ProtocolCounts = {};
  for (const t of story.tunnels)
    if (tunnels.includes(t.id))
      for (const [stack, { rows, bytes }] of Object.entries(t.protocols)) {
        all[stack] ??= { rows: 0, bytes: 0 };
        all[stack].rows += rows;
        all[stack].bytes += bytes;
      }
  return all;
}

/** The stacks of a report as a tree: each layer with what was in it and in those above. */
export function layerTree(protocols: Story['protocols']): LayerLine[] {
  const all = new Map<string, LayerLine>();
  for (const [stack, { rows, bytes }] of Object.entries(protocols)) {
    const names = stack.split(':');
    for (let depth = 0; depth < names.length; depth++) {
      const key = names.slice(0, depth + 1).join(':');
      const line = all.get(key) ?? { depth, name: names[depth], rows: 0, bytes: 0 };
      line.rows += rows;
      line.bytes += bytes;
      all.set(key, line);
    }
  }
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

/** Columns of the protocol hierarchy; `all` says how many rows are the hundred percent. */
export function layerColumns(all: () => number): Column<LayerLine>[] {
  const share = (l: LayerLine): number => (all() === 0 ? 0 : (100 * l.rows) / all());
  return [
    { id: 'layer', title: 'layer', ...cells(18, 40, 1), text: (l) => `${'  '.repeat(l.depth)}${l.name}` },
    { id: 'packets', title: 'packets', ...cells(8, 11, 1), ...RIGHT, text: (l) => count(l.rows), key: (l) => l.rows },
    { id: 'share', title: '%', ...cells(5, 6, 2), ...RIGHT, text: (l) => trimmed(share(l), 1), key: share },
    { id: 'octets', title: 'octets', ...cells(8, 10, 2), ...RIGHT, text: (l) => octets(l.bytes), key: (l) => l.bytes },
  ];
}

/** The numbers behind a chart. */
export const figureColumns = (panel: Panel6): Column<Figure>[] => [
  { id: 'name', title: panel.id === 'codes' ? 'code' : 'what', ...cells(10, 24, 1), text: (f) => f.name },
  {
    id: 'number',
    title: 'number',
    ...cells(8, 12, 1),
    ...RIGHT,
    text: (f) => trimmed(f.value, 3),
    key: (f) => f.value,
  },
  { id: 'details', title: 'in words', ...cells(20, 80, 1), grow: true, text: (f) => f.text },
];
