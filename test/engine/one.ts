/** Captures of one connection, and what is always true of them. */

import assert from 'node:assert/strict';
import type { Row } from '../../src/engine/row.js';
import { type Built, CaptureBuilder, type CaptureOptions } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { type Conversation, down, envelope, type Step, up } from '../build/conversation.js';
import { type Expected, innerRows, rowIds, survivors } from '../build/expect.js';
import { at, ping, register, udp } from '../build/packets.js';
import { type Read, read } from '../build/read.js';
import type { TlsOptions } from '../build/tls.js';
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
export const readWith = (built: Built, o: RowsOptions = {}, also?: (row: Row) => void): Promise<Read> =>
  read(built.octets, { keylog: [built.keylog], ...o }, also);

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
  return r;
}

export const V13: TlsOptions = { version: 'TLSv1.3' };
export const V12: TlsOptions = { version: 'TLSv1.2' };

export const UE = at('10.0.0.2', 5060);
export const EFTF = at('10.0.0.1', 5060);
/** One envelope each way. */
export const SHORT: readonly Step[] = [
  up([envelope(udp(UE, EFTF, register(1)))]),
  down([envelope(ping(EFTF.address, UE.address, 1, 1, 40))]),
];

/** What of a side can be read is what is there. */
export function found(built: Built, r: Read, side: 0 | 1): string[] {
  const list = r.inner.filter((row) => row.direction === (side === 0 ? 'up' : 'down')).map((row) => row.envelope);
  assert.deepEqual(list, survivors(built.truth[0]!, side));
  return list;
}

export const verdicts = (r: Read) => ([0, 1] as const).map((side) => r.pass.index.tunnels[0]!.session!.verdict(side));
