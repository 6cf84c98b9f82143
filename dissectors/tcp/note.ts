import type { Pdu } from 'fttscope/kit';

/** What the analysis of sequence numbers may say of a segment; bits of {@link TcpNote.items}. */
export const Item = {
  Retransmission: 1 << 0,
  FastRetransmission: 1 << 1,
  SpuriousRetransmission: 1 << 2,
  OutOfOrder: 1 << 3,
  ReusedPorts: 1 << 4,
  LostSegment: 1 << 5,
  AckLostSegment: 1 << 6,
  WindowUpdate: 1 << 7,
  WindowFull: 1 << 8,
  KeepAlive: 1 << 9,
  KeepAliveAck: 1 << 10,
  DuplicateAck: 1 << 11,
  ZeroWindowProbe: 1 << 12,
  ZeroWindow: 1 << 13,
  ZeroWindowProbeAck: 1 << 14,
} as const;

/** What was seen of a connection; bits of {@link TcpNote.completeness}, as in `tcp.completeness`. */
export const Seen = { Syn: 1, SynAck: 2, Ack: 4, Data: 8, Fin: 16, Rst: 32 } as const;

/** {@link TcpNote.windowScale} where the shift is not known, and where the connection does not scale. */
export const SCALE_UNKNOWN = -1;
export const SCALE_NONE = -2;

const NO_PDUS: readonly Pdu[] = [];

/**
 * What the index pass knows about a segment and the dissector shows. Times are in nanoseconds; numbers of frames and
 * octets are -1 where there is nothing to say.
 */
export class TcpNote {
  /** Number of the connection, from 0. */
  stream = 0;
  /** Sequence numbers that are shown as 0, of this direction and of the other. */
  base = 0;
  peerBase = 0;
  /** {@link Seen} so far. */
  completeness = 0;
  windowScale: number = SCALE_UNKNOWN;
  /** Since the first frame of the connection, and since the one before. */
  timeRelative = 0;
  timeDelta = 0;
  /** Whether the analysis has anything to say of this segment. */
  analysed = false;
  /** {@link Item} bits. */
  items = 0;
  /** Its octets may be padding of the frame; those of the one before it were: what {@link items} say of it is not so. */
  mayBePadding = false;
  followsPadding = false;
  /** Of a FIN: the other side had sent its own before. */
  passiveClose = false;
  /** Its octet lies in a message that came in several segments and is whole. */
  overlaps = false;
  /** Of a SYN+ACK: a SYN came with data and a cookie. */
  answersFastOpen = false;
  duplicateAck = 0;
  duplicateAckFrame = -1;
  acksFrame = -1;
  ackRtt = 0;
  /** 0: not known. */
  initialRtt = 0;
  bytesInFlight = -1;
  pushBytesSent = -1;
  rto = 0;
  rtoFrame = -1;
  /** Messages that are whole in this segment. */
  pdus: readonly Pdu[] = NO_PDUS;
  /** Short name of the protocol whose message goes on in a later segment; '' if none does. */
  pending = '';
  /** Octets at the end of this segment that belong to it; -1: not known, all that no message took. */
  pendingOctets = -1;
}
