/** What fttscope makes of a capture that was built. */

import { Readable } from 'node:stream';
import type { Pass } from '../../src/engine/pass.js';
import type { Row } from '../../src/engine/row.js';
import { forSource, type RowsOptions } from '../support/rows.js';
import { openStream } from '../support/stream.js';
import { mark } from './expect.js';

/** A row, with what stays of it. */
export interface Seen {
  readonly id: string;
  readonly frame: number;
  readonly tunnel: number;
  readonly direction: 'up' | 'down' | null;
  /** See {@link mark}; '' for an outer row. */
  readonly envelope: string;
  readonly protocols: string;
  readonly findings: readonly string[];
}

export interface Read {
  readonly rows: Seen[];
  /** The rows of envelopes. */
  readonly inner: Seen[];
  readonly pass: Pass;
}

/** Reads octets of a capture file. */
export async function read(octets: Uint8Array, o: RowsOptions = {}, also?: (row: Row) => void): Promise<Read> {
  const rows: Seen[] = [];
  const source = await openStream(Readable.from([octets], { objectMode: false }), 'built');
  const pass = await forSource(source, o, (row) => {
    const v = row.content?.view;
    rows.push({
      id: row.id,
      frame: row.frame,
      tunnel: row.tunnel?.id ?? 0,
      direction: row.direction,
      envelope: v === undefined ? '' : mark(v.buf.subarray(v.off, v.end)),
      protocols: row.dissection.protocols.join(':'),
      findings: row.codes(),
    });
    also?.(row);
  });
  return { rows, inner: rows.filter((r) => r.envelope !== ''), pass };
}
