import type { Row } from '../engine/row.js';
import { addressText, ip4, ip6, type Tree, table } from '../kit/index.js';
import { decimalSeconds, fieldText } from './value.js';

/** Fields that name the ends of a row which has no network layer. */
export const LINK_FIELDS = ['eth.src', 'eth.dst', 'sll.src.eth'] as const;

/**
 * Source and destination of a row: the innermost network layer's addresses; of an envelope that carries no packet those
 * of its tunnel; else those of the link.
 */
export function endpoints(row: Row): readonly [string, string] {
  const { net } = row.dissection;
  if (net.buf.length > 0) {
    return net.version === 4
      ? [ip4(net.buf, net.src), ip4(net.buf, net.dst)]
      : [ip6(net.buf, net.src), ip6(net.buf, net.dst)];
  }
  if (row.inner > 0 && row.tunnel !== null) {
    const { ends, ue } = row.tunnel;
    const [a, b] = [addressText(ends[ue].address), addressText(ends[ue === 0 ? 1 : 0].address)];
    return row.direction === 'down' ? [b, a] : [a, b];
  }
  const { tree } = row.dissection;
  return [named(tree, 'eth.src', 'sll.src.eth'), named(tree, 'eth.dst', 'sll.src.eth')];
}

function named(t: Tree, ...names: string[]): string {
  for (let i = 0; i < t.length; i++) if (names.includes(t.field(i).name)) return fieldText(t, i);
  return '';
}

/** The columns of the packet list by their `_ws.col.` names. */
export const COLUMNS = table<(row: Row) => string>({
  '_ws.col.No.': (row) => row.id,
  '_ws.col.Number': (row) => row.id,
  '_ws.col.Time': (row) => decimalSeconds(...row.relative),
  '_ws.col.Source': (row) => endpoints(row)[0],
  '_ws.col.Destination': (row) => endpoints(row)[1],
  '_ws.col.Protocol': (row) => row.dissection.protocol(),
  '_ws.col.Length': (row) => String(row.inner > 0 ? row.packetLength : row.frameLength),
  '_ws.col.Info': (row) => row.dissection.info(),
  '_ws.col.protocol': (row) => row.dissection.protocol(),
  '_ws.col.info': (row) => row.dissection.info(),
  'frame.row': (row) => row.id,
});

/** Text of a column, empty for an unknown name. */
export const columnText = (row: Row, name: string): string => COLUMNS[name]?.(row) ?? '';
