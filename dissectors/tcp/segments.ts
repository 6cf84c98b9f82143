import type { Ctx, Pdu, Tree, View } from 'fttscope/kit';
import { F } from './fields.js';
import { Item, type TcpNote } from './note.js';

/** Octets of the header of a record, RFC 8446 §5.1. */
const TLS_HEADER = 5;

/** The frames that brought the parts of a message. */
export function reassembled(t: Tree, v: View, pdu: Pdu): void {
  const { segments, view } = pdu;
  if (segments === undefined) return;
  const { off } = v;
  const last = segments[segments.length - 1];
  // Before the header of a record was whole, Wireshark asked for a segment, not for octets.
  const length = pdu.dissector.proto === 'tls' && last.off < TLS_HEADER ? last.off + v.length : view.length;
  t.open(F.segments, off, 0);
  if (t.labels) {
    const list = segments.map((s) => ` #${s.frame}(${s.len})`).join(',');
    t.label(`${segments.length} Reassembled TCP Segments (${length} bytes):${list}`);
  }
  for (const s of segments) {
    t.num(F.segment, off, 0, s.frame);
    if (t.labels) t.label(`Frame: ${s.frame}, payload: ${s.off}-${s.off + s.len - 1} (${s.len} bytes)`);
  }
  t.num(F.count, off, 0, segments.length);
  t.num(F.reassembledLength, off, 0, length);
  if (t.wanted(F.reassembledData)) t.bytes(F.reassembledData, off, 0, view.buf.subarray(view.off, view.end));
  t.pop();
}

/** The parts of the payload that are parts of messages: of one that ends here, of one that goes on, or sent again. */
export function segmentData(t: Tree, v: View, cx: Ctx, note: TcpNote): void {
  const { items, pdus } = note;
  if ((items & Item.Retransmission) !== 0 && (items & Item.SpuriousRetransmission) === 0 && pdus.length === 0) {
    t.bytes(F.segmentData, v.off, v.length);
    if (t.labels) t.label(`Retransmitted TCP segment data (${v.length} bytes)`);
    return;
  }
  for (const { segments } of pdus) {
    const last = segments?.[segments.length - 1];
    if (last !== undefined && last.frame === cx.frame) t.bytes(F.segmentData, v.off, Math.min(last.len, v.length));
  }
  if (note.pending === '') return;
  const octets = note.pendingOctets < 0 ? v.length : Math.min(note.pendingOctets, v.length);
  if (note.pendingOctets >= 0 || pdus.length === 0) t.bytes(F.segmentData, v.end - octets, octets);
}
