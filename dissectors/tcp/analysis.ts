import { type Expert, experts, type Field, fields, type Tree } from 'fttscope/kit';
import { Item, type TcpNote } from './note.js';

/* What the index pass found out about the order, the repetition and the timing of segments: `tcp.analysis`. */

export const F = fields({
  timeRelative: {
    name: 'tcp.time_relative',
    label: 'Time since first frame in this TCP stream',
    type: 'duration',
    unit: 'seconds',
  },
  timeDelta: {
    name: 'tcp.time_delta',
    label: 'Time since previous frame in this TCP stream',
    type: 'duration',
    unit: 'seconds',
  },
  analysis: { name: 'tcp.analysis', label: 'SEQ/ACK analysis', type: 'none' },
  acksFrame: { name: 'tcp.analysis.acks_frame', label: 'This is an ACK to the segment in frame', type: 'frame' },
  ackRtt: {
    name: 'tcp.analysis.ack_rtt',
    label: 'The RTT to ACK the segment was',
    type: 'duration',
    unit: 'seconds',
  },
  initialRtt: { name: 'tcp.analysis.initial_rtt', label: 'iRTT', type: 'duration', unit: 'seconds' },
  inFlight: { name: 'tcp.analysis.bytes_in_flight', label: 'Bytes in flight', type: 'u32' },
  pushBytes: { name: 'tcp.analysis.push_bytes_sent', label: 'Bytes sent since last PSH flag', type: 'u32' },
  flags: { name: 'tcp.analysis.flags', label: 'TCP Analysis Flags', type: 'none' },
  rto: { name: 'tcp.analysis.rto', label: 'The RTO for this segment was', type: 'duration', unit: 'seconds' },
  rtoFrame: { name: 'tcp.analysis.rto_frame', label: 'RTO based on delta from frame', type: 'frame' },
  duplicateNumber: { name: 'tcp.analysis.duplicate_ack_num', label: 'Duplicate ACK #', type: 'u32' },
  duplicateFrame: {
    name: 'tcp.analysis.duplicate_ack_frame',
    label: 'Duplicate to the ACK in frame',
    type: 'frame',
  },
});

/** One of {@link Item}: its field, its expert item, and the prefix in the Info column. */
interface ItemDef {
  readonly item: number;
  readonly field: Field;
  readonly expert: Expert;
  readonly prefix: string;
}

const item = (bit: number, name: string, severity: Expert['severity'], message: string, prefix: string): ItemDef => ({
  item: bit,
  field: fields({ it: { name: `tcp.analysis.${name}`, label: message, type: 'none' } }).it,
  expert: experts({ it: { code: `tcp.${name.replaceAll('_', '-')}`, severity, message } }).it,
  prefix,
});

/** In the order in which Wireshark lists them; the prefixes stand in the opposite order. */
const ITEMS: readonly ItemDef[] = [
  item(
    Item.ReusedPorts,
    'reused_ports',
    'note',
    'A new tcp session is started with the same ports as an earlier session in this trace',
    'TCP Port numbers reused',
  ),
  item(
    Item.FastRetransmission,
    'fast_retransmission',
    'note',
    'This frame is a (suspected) fast retransmission',
    'TCP Fast Retransmission',
  ),
  item(
    Item.SpuriousRetransmission,
    'spurious_retransmission',
    'note',
    'This frame is a (suspected) spurious retransmission',
    'TCP Spurious Retransmission',
  ),
  item(
    Item.Retransmission,
    'retransmission',
    'note',
    'This frame is a (suspected) retransmission',
    'TCP Retransmission',
  ),
  item(Item.OutOfOrder, 'out_of_order', 'warn', 'This frame is a (suspected) out-of-order segment', 'TCP Out-Of-Order'),
  item(
    Item.LostSegment,
    'lost_segment',
    'warn',
    'Previous segment(s) not captured (common at capture start)',
    'TCP Previous segment not captured',
  ),
  item(
    Item.AckLostSegment,
    'ack_lost_segment',
    'warn',
    "ACKed segment that wasn't captured (common at capture start)",
    'TCP ACKed unseen segment',
  ),
  item(Item.WindowUpdate, 'window_update', 'chat', 'TCP window update', 'TCP Window Update'),
  item(
    Item.WindowFull,
    'window_full',
    'warn',
    'TCP window specified by the receiver is now completely full',
    'TCP Window Full',
  ),
  item(Item.KeepAlive, 'keep_alive', 'note', 'TCP keep-alive segment', 'TCP Keep-Alive'),
  item(Item.KeepAliveAck, 'keep_alive_ack', 'note', 'ACK to a TCP keep-alive segment', 'TCP Keep-Alive ACK'),
  item(Item.DuplicateAck, 'duplicate_ack', 'note', 'Duplicate ACK', 'TCP Dup ACK'),
  item(Item.ZeroWindowProbe, 'zero_window_probe', 'note', 'TCP Zero Window Probe', 'TCP ZeroWindowProbe'),
  item(Item.ZeroWindow, 'zero_window', 'warn', 'TCP Zero Window segment', 'TCP ZeroWindow'),
  item(
    Item.ZeroWindowProbeAck,
    'zero_window_probe_ack',
    'note',
    'ACK to a TCP Zero Window Probe',
    'TCP ZeroWindowProbeAck',
  ),
];

/** The fields of {@link ITEMS}, for the dissector's list. */
export const ITEM_FIELDS: Readonly<Record<string, Field>> = Object.fromEntries(
  ITEMS.map((d) => [d.field.name, d.field]),
);
export const ITEM_EXPERTS: Readonly<Record<string, Expert>> = Object.fromEntries(
  ITEMS.map((d) => [d.expert.code, d.expert]),
);

/** A time in nanoseconds; one before the epoch of its kind is negative in both parts. */
function duration(t: Tree, f: Field, off: number, nanos: number): void {
  if (!t.wanted(f)) return;
  const seconds = Math.trunc(nanos / 1e9);
  t.time(f, off, 0, seconds, nanos - seconds * 1e9);
}

/** Times of the segment in its connection. */
export function times(t: Tree, off: number, note: TcpNote): void {
  duration(t, F.timeRelative, off, note.timeRelative);
  duration(t, F.timeDelta, off, note.timeDelta);
}

/** The subtree of the analysis, if there is anything to say. */
export function analysis(t: Tree, off: number, note: TcpNote): void {
  if (!note.analysed) return;
  t.open(F.analysis, off, 0);
  if (note.acksFrame >= 0) {
    t.num(F.acksFrame, off, 0, note.acksFrame);
    if (note.ackRtt !== 0) duration(t, F.ackRtt, off, note.ackRtt);
  }
  if (note.initialRtt !== 0) duration(t, F.initialRtt, off, note.initialRtt);
  if (note.bytesInFlight >= 0) t.num(F.inFlight, off, 0, note.bytesInFlight);
  if (note.pushBytesSent >= 0) t.num(F.pushBytes, off, 0, note.pushBytesSent);
  if (note.items !== 0) items(t, off, note);
  t.pop();
}

function items(t: Tree, off: number, note: TcpNote): void {
  t.open(F.flags, off, 0);
  for (const d of ITEMS) {
    if ((note.items & d.item) === 0) continue;
    t.none(d.field, off, 0);
    if (!t.wantsExperts) continue;
    if (d.item === Item.DuplicateAck) t.expert(d.expert, `${d.expert.message} (#${note.duplicateAck})`);
    else t.expert(d.expert);
  }
  if (note.rtoFrame >= 0 && note.rto !== 0) {
    duration(t, F.rto, off, note.rto);
    t.num(F.rtoFrame, off, 0, note.rtoFrame);
  }
  t.pop();
  if ((note.items & Item.DuplicateAck) === 0) return;
  t.num(F.duplicateNumber, off, 0, note.duplicateAck);
  t.num(F.duplicateFrame, off, 0, note.duplicateAckFrame);
}

/** "[TCP Retransmission] " and the like, before the rest of the Info column. */
export function prefixes(note: TcpNote): string {
  let text = '';
  const special = Item.FastRetransmission | Item.SpuriousRetransmission;
  for (const d of ITEMS) {
    if ((note.items & d.item) === 0) continue;
    if (d.item === Item.Retransmission && (note.items & special) !== 0) continue;
    const number = d.item === Item.DuplicateAck ? ` ${note.duplicateAckFrame}#${note.duplicateAck}` : '';
    text = `[${d.prefix}${number}] ${text}`;
  }
  return text;
}
