import { type Cadence, CadenceWatch } from '../model/cadence.js';
import { Direction, type Rows } from '../viewer/rows.js';

/** Rows that are looked at between two breaths. */
const BREATH = 1 << 14;

/** Looks at the rows of a tunnel, also while they come. */
export function* cadenceOf(rows: Rows, tunnel: number): Generator<void, Cadence> {
  const watch = new CadenceWatch();
  for (let row = 0; row < rows.count; row++) {
    if (row % BREATH === 0) yield;
    if (rows.tunnel(row) !== tunnel || !rows.protocol(row).startsWith('TLS')) continue;
    watch.take(rows.relative(row), rows.direction(row) === Direction.up ? 0 : 1, rows.length(row));
  }
  return watch.end();
}
