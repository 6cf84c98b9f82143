import { ACK, FIN, PSH, RST, SYN } from '../../dissectors/tcp/fields.js';
import { Item, SCALE_NONE, SCALE_UNKNOWN, Seen, type TcpNote } from '../../dissectors/tcp/note.js';
import { MAX_SHIFT } from '../../dissectors/tcp/values.js';
import { ahead, type Peek, u32 } from '../kit/index.js';
import { Ledger } from './ledger.js';
import { UnackedList } from './unacked.js';

/*
 * What Wireshark calls TCP analysis, after the rules of its User's Guide ("TCP Analysis"), with the preferences of
 * version 4.0. One pass: each segment is judged by what came before it.
 *
 * Sequence numbers are raw; 0 stands for "not known yet", as it does there.
 */

const CONTROL = FIN | SYN | RST;

const WINDOW_SCALE = 3;
const FAST_OPEN = 34;
const SACK = 5;
/** A header with timestamps and padding has 32 octets; SACK blocks make it longer. */
const SHORT_HEADER = 28;

/** A retransmission within 20 ms of the duplicate acknowledgments that asked for it is a fast one. */
const FAST_NANOS = 20e6;
/** Segments nearer than this are out of order where the initial RTT is not known. */
const REORDER_NANOS = 3e6;
/** More octets than this are not in flight: the numbers are not of one window. */
const MOST_IN_FLIGHT = 2e9;

/** What is known of one direction. */
class Side {
  base = 0;
  based = false;
  /** Highest sequence number sent, plus one; when and in which frame. */
  next = 0;
  nextTime = 0;
  nextFrame = 0;
  /** End of what was sent without a hole: an acknowledgment beyond it acknowledges what was not captured. */
  unbroken = 0;
  /** An acknowledgment beyond all that was seen was noticed. */
  missed = false;
  lastAck = 0;
  lastAckTime = 0;
  window = -1;
  scale: number = SCALE_UNKNOWN;
  duplicateAcks = 0;
  /** Frame of the last acknowledgment that was not a duplicate. */
  freshAck = 0;
  /** Items of the last segment. */
  lastItems = 0;
  pushBytes = 0;
  pushed = false;
  flightKnown = true;
  /** Octets in the SACK blocks of the last acknowledgment of the other side (RFC 2018). */
  sacked = 0;
  /** Segments that the other side has not acknowledged. */
  readonly unacked: UnackedList;

  constructor(ledger: Ledger) {
    this.unacked = new UnackedList(ledger);
  }
}

/** What an analysis costs, room for many segments aside. */
const ANALYSIS_COST = 1300;

/** The analysis of one connection. */
export class TcpAnalysis {
  private readonly sides: readonly [Side, Side];
  private completeness = 0;
  private first = true;
  /** Time of the first segment; times below are nanoseconds since then. */
  private seconds = 0;
  private nanos = 0;
  private lastTime = 0;
  private synSeen = false;
  /** A SYN came with data and a cookie. RFC 7413 §4.2 */
  private fastOpen = false;
  private synTime = 0;
  private initialRtt = 0;
  /** The direction that sent the first FIN; -1: none yet. */
  private closer = -1;

  /**
   * @param reused the endpoints had a connection before this one
   * @param ledger counts what is kept
   */
  constructor(
    private reused: boolean,
    private readonly ledger: Ledger = new Ledger(),
  ) {
    this.sides = [new Side(ledger), new Side(ledger)];
    ledger.octets += ANALYSIS_COST;
  }

  /** Nobody follows the connection any longer. */
  release(): void {
    this.ledger.octets -= ANALYSIS_COST;
    for (const side of this.sides) side.unacked.release();
  }

  /** Judges the segment that `p` describes, and writes what there is to say into `note`. */
  segment(direction: 0 | 1, p: Peek, frame: number, seconds: number, nanos: number, note: TcpNote): void {
    const side = this.sides[direction];
    const peer = this.sides[direction === 0 ? 1 : 0];
    const { seq, ack, flags } = p;
    const length = lengthOf(p);
    if (this.first) {
      this.seconds = seconds;
      this.nanos = nanos;
    }
    const time = (seconds - this.seconds) * 1e9 + (nanos - this.nanos);
    note.timeRelative = time;
    note.timeDelta = time - this.lastTime;
    this.lastTime = time;
    this.complete(flags, length, note);
    let items = 0;
    if (this.reused) {
      items = Item.ReusedPorts;
      this.reused = false;
    }
    if ((flags & SYN) !== 0) items |= this.open(side, peer, p, time);
    else if ((flags & ACK) !== 0 && this.initialRtt === 0 && this.synSeen) this.initialRtt = time - this.synTime;
    if (!side.based) {
      side.based = true;
      side.base = (flags & SYN) !== 0 ? seq : (seq - 1) >>> 0;
    }
    if (!peer.based && (flags & ACK) !== 0) {
      peer.based = true;
      peer.base = (ack - 1) >>> 0;
    }
    note.base = side.base;
    note.peerBase = peer.base;
    note.windowScale = side.scale;
    note.answersFastOpen = this.fastOpen;
    if ((flags & FIN) !== 0) {
      if (this.closer < 0) this.closer = direction;
      note.passiveClose = this.closer !== direction;
    }
    items = this.window(side, peer, p, items);
    if ((items & Item.DuplicateAck) !== 0) {
      note.duplicateAck = ++side.duplicateAcks;
      note.duplicateAckFrame = side.freshAck;
    } else if (ack !== side.lastAck) {
      side.freshAck = frame;
      side.duplicateAcks = 0;
      side.missed = false;
    }
    if ((flags & ACK) !== 0 && peer.unbroken !== 0 && ahead(ack, peer.unbroken) > 0)
      items |= acknowledgeHole(peer, note);
    if ((length > 0 || (flags & (SYN | FIN)) !== 0) && (items & Item.KeepAlive) === 0)
      items = this.repeated(side, peer, p, time, items, note);
    this.remember(side, p, frame, time, items);
    if ((flags & ACK) !== 0) {
      peer.flightKnown = true;
      peer.sacked = p.off - p.header > SHORT_HEADER ? sackedOctets(p.buf, p.header + 20, p.off) : 0;
    }
    peer.unacked.acknowledge(ack, time, note);
    this.flight(side, p, frame, time, note);
    note.items = items;
    side.lastItems = items;
    if (items !== 0 || note.acksFrame >= 0 || note.bytesInFlight >= 0) note.analysed = true;
    note.initialRtt = this.initialRtt;
  }

  /** `tcp.completeness` of the frame is what came before it; that a SYN opens the connection is known at once. */
  private complete(flags: number, length: number, note: TcpNote): void {
    note.completeness = this.completeness;
    const opening = (flags & (SYN | ACK)) === SYN;
    if (this.first) {
      this.first = false;
      if (!opening) return;
      this.completeness = length > 0 ? Seen.Syn | Seen.Data : Seen.Syn;
      if (this.reused) this.completeness = note.completeness = Seen.Syn;
      return;
    }
    if ((flags & ACK) !== 0) {
      if ((flags & SYN) !== 0) this.completeness |= Seen.SynAck;
      else this.completeness |= length > 0 ? Seen.Data : Seen.Ack;
      if ((flags & FIN) !== 0) this.completeness |= Seen.Fin;
    }
    if ((flags & RST) !== 0) this.completeness |= Seen.Rst;
  }

  /** A SYN. One that answers, with another sequence number than the direction had, starts it anew. */
  private open(side: Side, peer: Side, p: Peek, time: number): number {
    const answer = (p.flags & ACK) !== 0;
    this.scale(side, peer, p, answer);
    if (!answer) {
      if (lengthOf(p) > 0 && hasCookie(p.buf, p.header + 20, p.off)) this.fastOpen = true;
      this.synSeen = true;
      this.synTime = time;
      return 0;
    }
    if (!side.based || side.base === p.seq) return 0;
    side.base = p.seq;
    return Item.ReusedPorts;
  }

  /** RFC 7323 §2.2: both sides must offer window scaling in their SYN. */
  private scale(side: Side, peer: Side, p: Peek, answer: boolean): void {
    const shift = windowScale(p.buf, p.header + 20, p.off);
    if (shift !== SCALE_NONE) side.scale = answer && peer.scale === SCALE_NONE ? SCALE_NONE : shift;
    else if (side.scale === SCALE_UNKNOWN) side.scale = peer.scale = SCALE_NONE;
  }

  /** What the length, the window and the acknowledgment say before it is asked whether the segment is a repetition. */
  private window(side: Side, peer: Side, p: Peek, given: number): number {
    const { seq, ack, flags, window } = p;
    const length = lengthOf(p);
    let items = given;
    const plain = (flags & CONTROL) === 0;
    const expected = seq === side.next;
    if (length === 1 && expected && peer.window === 0) return items | Item.ZeroWindowProbe;
    if (window === 0 && plain) items |= Item.ZeroWindow;
    if (side.next !== 0 && ahead(seq, side.next) > 0 && (flags & RST) === 0) {
      items |= Item.LostSegment;
      side.flightKnown = false; // until the other side acknowledges something
    }
    if (!plain) return items;
    if (length <= 1 && seq === (side.next - 1) >>> 0) items |= Item.KeepAlive;
    if (length > 0) {
      const limit = peer.lastAck + (peer.scale > 0 ? peer.window * (1 << peer.scale) : peer.window);
      if (peer.window >= 0 && peer.scale !== SCALE_UNKNOWN && ahead(seq + length, limit) === 0)
        items |= Item.WindowFull;
      return items;
    }
    if (!expected || ack !== side.lastAck) return items;
    if (window === 0) {
      if (side.window === 0 && (peer.lastItems & Item.ZeroWindowProbe) !== 0) items |= Item.ZeroWindowProbeAck;
    } else if (window !== side.window) items |= Item.WindowUpdate;
    else if ((peer.lastItems & Item.KeepAlive) !== 0) items |= Item.KeepAliveAck;
    else if (side.next !== 0 && side.lastAck !== 0) items |= Item.DuplicateAck;
    return items;
  }

  /** Whether the segment sends again what was sent, and how it came to that. */
  private repeated(side: Side, peer: Side, p: Peek, time: number, items: number, note: TcpNote): number {
    const { seq } = p;
    const length = lengthOf(p);
    let back = side.next !== 0 && ahead(seq, side.next) < 0;
    if (length > 1 && (side.next - 1) >>> 0 === seq) back = false; // the octet before was a probe
    if (length > 0 && peer.lastAck !== 0 && ahead(seq + length, peer.lastAck) <= 0)
      return items | Item.SpuriousRetransmission | Item.Retransmission;
    if (!back) return items;
    if ((peer.duplicateAcks >= 2 || peer.missed) && peer.lastAck === seq && time - peer.lastAckTime < FAST_NANOS)
      return items | Item.FastRetransmission | Item.Retransmission;
    const near = this.initialRtt > 0 ? this.initialRtt : REORDER_NANOS;
    const since = time - side.nextTime;
    if (since >= 0 && since < near && side.next !== nextOf(p)) return items | Item.OutOfOrder;
    const eldest = !side.unacked.empty;
    note.rto = time - (eldest ? side.unacked.eldestTime : side.nextTime);
    note.rtoFrame = eldest ? side.unacked.eldestFrame : side.nextFrame;
    return items | Item.Retransmission;
  }

  private remember(side: Side, p: Peek, frame: number, time: number, items: number): void {
    const { seq } = p;
    const next = nextOf(p);
    if ((items & Item.ZeroWindowProbe) === 0) {
      if (side.next === 0 || ahead(next, side.next) > 0) {
        side.next = next;
        side.nextFrame = frame;
        side.nextTime = time;
      }
      if (side.unbroken === 0 || seq === side.unbroken) side.unbroken = side.next;
    }
    side.window = p.window;
    side.lastAck = p.ack;
    side.lastAckTime = time;
  }

  private flight(side: Side, p: Peek, frame: number, time: number, note: TcpNote): void {
    const { flags } = p;
    const length = lengthOf(p);
    if (length === 0 && (flags & (SYN | FIN)) === 0) return;
    side.unacked.add(p.seq, nextOf(p), frame, time);
    if (length === 0 || !side.flightKnown) return;
    if (side.pushed) side.pushBytes = 0;
    side.pushBytes += length;
    side.pushed = (flags & PSH) !== 0;
    const octets = side.unacked.flight(side.base) - side.sacked - ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    if (octets <= 0 || octets > MOST_IN_FLIGHT) return;
    note.bytesInFlight = octets;
    note.pushBytesSent = side.pushBytes;
  }
}

/** Octets that a segment carries. */
const lengthOf = (p: Peek): number => p.wireEnd - p.off;

/** The sequence number behind a segment. */
const nextOf = (p: Peek): number => (p.seq + lengthOf(p) + ((p.flags & (SYN | FIN)) !== 0 ? 1 : 0)) >>> 0;

/** Offset of the option `kind` in `[off, end)`, whole; -1 if it is not there. */
function findOption(b: Uint8Array, off: number, end: number, kind: number): number {
  for (let i = off; i < end && b[i] !== 0; ) {
    if (b[i] === 1) {
      i++;
      continue;
    }
    if (i + 1 >= end || b[i + 1] < 2 || i + b[i + 1] > end) return -1;
    if (b[i] === kind) return i;
    i += b[i + 1];
  }
  return -1;
}

/** Shift count of the window scale option in `[off, end)`; {@link SCALE_NONE} if it is not there. */
export function windowScale(b: Uint8Array, off: number, end: number): number {
  const i = findOption(b, off, end, WINDOW_SCALE);
  return i >= 0 && b[i + 1] === 3 ? Math.min(b[i + 2], MAX_SHIFT) : SCALE_NONE;
}

/** Whether the options in `[off, end)` have a Fast Open cookie, of four octets or more. RFC 7413 §4.1.1 */
function hasCookie(b: Uint8Array, off: number, end: number): boolean {
  const i = findOption(b, off, end, FAST_OPEN);
  return i >= 0 && b[i + 1] >= 6;
}

/** What it says that octets of `peer` are acknowledged which stand behind a hole: what filled that was not captured. */
function acknowledgeHole(peer: Side, note: TcpNote): number {
  const known = peer.unbroken === peer.next;
  const items = known && (peer.missed || peer.duplicateAcks > 0) ? 0 : Item.AckLostSegment;
  if (known) {
    peer.missed = true;
    peer.duplicateAcks = 0;
    note.analysed = true;
  }
  peer.unbroken = peer.next;
  return items;
}

/** Octets in the SACK blocks of `[off, end)`, those that report duplicates (RFC 2883) included. */
function sackedOctets(b: Uint8Array, off: number, end: number): number {
  const option = findOption(b, off, end, SACK);
  if (option < 0) return 0;
  let octets = 0;
  for (let i = option + 2, stop = option + b[option + 1]; i + 8 <= stop; i += 8)
    octets += ahead(u32(b, i + 4), u32(b, i));
  return octets;
}
