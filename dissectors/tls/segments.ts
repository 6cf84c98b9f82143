import type { Pdu, Tree, View } from 'fttscope/kit';
import { F } from './fields.js';
import type { TlsRecordNote } from './note.js';

/** The parts of the plain text that are parts of messages: of one that ends in this record, and of one that goes on. */
export function segmentData(t: Tree, plain: View, { messages, left = 0 }: TlsRecordNote): void {
  const parts = messages?.[0]?.segments;
  const before = t.enter(plain.source);
  const depth = t.level;
  if (parts !== undefined) part(t, plain.off, Math.min(parts[parts.length - 1].len, plain.length));
  if (left > 0) part(t, plain.end - left, left);
  t.leave(before, depth);
}

function part(t: Tree, off: number, length: number): void {
  t.bytes(F.segmentData, off, length);
  if (t.labels) t.label(`TLS segment data (${length} bytes)`);
}

/** The records that brought the parts of a message, by their frames. */
export function reassembled(t: Tree, off: number, { segments, view }: Pdu): void {
  if (segments === undefined) return;
  t.open(F.segments, off, 0);
  if (t.labels) {
    const list = segments.map((s) => ` #${s.frame}(${s.len})`).join(',');
    t.label(`${segments.length} Reassembled TLS segments (${view.length} bytes):${list}`);
  }
  for (const s of segments) {
    t.num(F.segment, off, 0, s.frame);
    if (t.labels) t.label(`Frame: ${s.frame}, payload: ${s.off}-${s.off + s.len - 1} (${s.len} bytes)`);
  }
  t.num(F.segmentCount, off, 0, segments.length);
  t.num(F.reassembledLength, off, 0, view.length);
  if (t.wanted(F.reassembledData)) t.bytes(F.reassembledData, off, 0, view.buf.subarray(view.off, view.end));
  t.pop();
}
