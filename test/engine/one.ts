/** Captures of one connection, and what is always true of them. */

import assert from 'node:assert/strict';
import { type Built, CaptureBuilder, type CaptureOptions } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import type { Conversation } from '../build/conversation.js';
import { type Expected, innerRows, rowIds } from '../build/expect.js';
import { at } from '../build/packets.js';
import { type Read, read } from '../build/read.js';
import type { RowsOptions } from '../support/rows.js';

export const ENDS = { client: at('192.0.2.10', 40_000), server: at('198.51.100.1', 443) };

interface Case extends Partial<ConnectionOptions> {
  readonly capture?: CaptureOptions;
}

/** A capture of one connection, between {@link ENDS} unless it says otherwise. */
export function one(c: Conversation, o: Case = {}): Built {
  const { capture, ...connection } = o;
  return new CaptureBuilder(capture).connection(c, { ...ENDS, ...connection }).build();
}

/** Reads it with its keys. */
export const readWith = (built: Built, o: RowsOptions = {}): Promise<Read> =>
  read(built.octets, { keylog: [built.keylog], ...o });

export const expectedOf = (r: Read): Expected[] =>
  r.inner.map(({ id, tunnel, direction, envelope }) => ({ id, tunnel, direction: direction!, envelope }));

/** Every envelope of the capture is a row of its own, and every other frame one row. */
export async function whole(built: Built, o: RowsOptions = {}): Promise<Read> {
  const r = await readWith(built, o);
  assert.deepEqual(expectedOf(r), innerRows(built));
  assert.deepEqual(
    r.rows.map((row) => row.id),
    rowIds(built),
  );
  assert.deepEqual([...r.pass.dissection.faults], []);
  return r;
}
