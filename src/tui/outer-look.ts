import { Direction } from '../viewer/rows.js';
import type { RowValues, Viewer } from '../viewer/viewer.js';
import type { OuterLook } from './packet-columns.js';

/**
 * What the frame around an inner packet is: until its values are known, what there is to know from its tunnel; undefined:
 * the row is a frame itself.
 */
export function outerLook(viewer: Viewer, row: number, values: RowValues | undefined): OuterLook | undefined {
  const { rows, status } = viewer;
  if (rows.inner(row) === 0) return undefined;
  const t = status.tunnels.find((g) => g.id === rows.tunnel(row));
  const [ue, eftf] = [bare(t?.ue), bare(t?.eftf)];
  const up = rows.direction(row) !== Direction.down;
  const look = values?.frame;
  const more = rows.envelopes(row) - 1;
  const carries = `carries ${rows.protocol(row)}: ${rows.info(row)}${more > 0 ? ` and ${more} more` : ''}`;
  return {
    id: rows.id(row).replace(/\.\d+$/, ''),
    source: look?.source ?? (up ? ue : eftf),
    destination: look?.destination ?? (up ? eftf : ue),
    protocol: look?.protocol ?? (t?.keys === 'clear' ? 'TCP' : 'TLS'),
    info: look === undefined ? carries : `${look.info}   ${carries}`,
  };
}

/** Works out once what is asked for several times of a row. */
export function once<V>(of: (row: number) => V): (row: number) => V {
  const known = new Map<number, V>();
  return (row) => {
    if (!known.has(row)) known.set(row, of(row));
    return known.get(row)!;
  };
}

/** An address without its port. */
const bare = (end: string | undefined): string => (end ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
