/** Rows that a built capture has to give. */

import { createHash } from 'node:crypto';
import { innerLength } from '../../dissectors/ftt-ims.js';
import type { Built } from './capture.js';
import type { Side } from './conversation.js';
import type { InnerTruth } from './truth.js';

/** A row of an envelope, as far as the layout of the capture says. */
export interface Expected {
  readonly id: string;
  readonly tunnel: number;
  readonly direction: 'up' | 'down';
  /** See {@link mark}. */
  readonly envelope: string;
}

/** Type, length and hash of an envelope: short enough to be read where a test fails. */
export function mark(b: Uint8Array): string {
  const hash = createHash('sha1').update(b).digest('hex').slice(0, 16);
  return `type ${b[0]}, ${b.length} octets, ${hash}`;
}

export const directionOf = (side: Side): 'up' | 'down' => (side === 0 ? 'up' : 'down');

/** The inner rows of a capture in which nothing is missing; tunnel n is the n-th connection. */
export function innerRows(built: Built): Expected[] {
  const byFrame = new Map<number, Expected[]>();
  built.truth.forEach((list, i) => {
    for (const { inner, frame } of list) {
      if (frame === 0 || !inner.envelope.row) continue;
      const rows = byFrame.get(frame) ?? [];
      byFrame.set(frame, rows);
      const id = `${frame}.${rows.length + 1}`;
      rows.push({ id, tunnel: i + 1, direction: directionOf(inner.side), envelope: mark(inner.envelope.octets) });
    }
  });
  return [...byFrame.keys()].sort((a, b) => a - b).flatMap((frame) => byFrame.get(frame)!);
}

/** The ids of all rows of such a capture: a frame without inner rows is a row itself. */
export function rowIds(built: Built): string[] {
  const ids: string[][] = built.frames.map(() => []);
  for (const { id } of innerRows(built)) ids[Number.parseInt(id, 10) - 1]!.push(id);
  return ids.flatMap((inner, i) => (inner.length > 0 ? inner : [`${i + 1}`]));
}

/** A type 1 envelope whose packet agrees about its length: framing is found again there. */
function anchors(t: InnerTruth): boolean {
  const b = t.inner.envelope.octets;
  return b[0] === 1 && innerLength(b, 3, b.length) === b.length - 3;
}

/**
 * Envelopes that can be read of a side although octets are missing: those whose records are all there, but after a hole
 * not before the first one at which framing is found again.
 */
export function survivors(truth: readonly InnerTruth[], side: Side): string[] {
  const out: string[] = [];
  let synced = true;
  let run = 0;
  for (const t of truth) {
    if (t.inner.side !== side) continue;
    if (t.run !== run || !t.captured) synced = false;
    run = t.run;
    if (!t.captured) continue;
    synced ||= anchors(t);
    if (synced) out.push(mark(t.inner.envelope.octets));
  }
  return out;
}
