import { ACK, FIN, RST, SYN } from '../../dissectors/tcp/fields.js';
import { TcpNote } from '../../dissectors/tcp/note.js';
import { Peek } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import { type PendingPool, type StreamConsumer, TcpStream } from '../stream/tcp.js';
import { TcpAnalysis, windowScale } from '../stream/tcp-analysis.js';
import type { Connection } from '../tunnel/connection.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { Packet } from './packet.js';
import { FlowState, type Scope } from './scope.js';

/** Who makes what a connection needs only once it is needed. */
export interface TcpOwner {
  /** The first octets came. */
  connection(state: TcpState): Connection;
  /** All octets of both directions were passed on. */
  finished(state: TcpState): void;
}

/** A SYN to which nothing was said yet. Most connections of a scan are no more than this. */
class Opening {
  private readonly seq: number;
  private readonly window: number;
  private readonly shift: number;

  constructor(
    p: Peek,
    readonly frame: number,
    readonly seconds: number,
    readonly nanos: number,
  ) {
    this.seq = p.seq | 0;
    this.window = p.window;
    this.shift = windowScale(p.buf, p.header + TCP_HEADER, p.off);
  }

  /** The segment again, as far as streams and their analysis look at it. */
  peek(): Peek {
    const p = new Peek();
    const scaled = this.shift >= 0;
    p.buf = new Uint8Array(TCP_HEADER + 4);
    if (scaled) p.buf.set([3, 3, this.shift], TCP_HEADER); // RFC 7323 §2.2
    p.off = p.end = p.wireEnd = scaled ? p.buf.length : TCP_HEADER;
    p.flags = SYN;
    p.seq = this.seq >>> 0;
    p.window = this.window;
    return p;
  }
}

const TCP_HEADER = 20;

/** Whether a segment is nothing but a SYN; it may offer ECN (RFC 3168 §6.1.1). */
const isBareSyn = (p: Peek): boolean => (p.flags & (FIN | SYN | RST | ACK)) === SYN && p.off === p.wireEnd;

/** Bits of {@link TcpState.seen}: of side 0, side 1 has the next one. */
const OPENED = 1;
const FINISHED = 4;
const BOTH_FINISHED = 12;
const RESET = 16;
/** The last message came in several segments. */
const SPANNED = 32;

/** What hangs on a TCP flow. What costs more than a few words is made when there is a use for it. */
export class TcpState extends FlowState implements StreamConsumer {
  /** All that was seen, until there is a {@link tcp}. */
  opening: Opening | null = null;
  tcp: TcpStream | null = null;
  /** What its octets are; null before the first, and after the last. */
  connection: Connection | null = null;
  tunnel: Tunnel | null = null;
  /** The side whose SYN was no answer; -1: not seen. */
  private client: -1 | 0 | 1 = -1;
  private seen = 0;

  constructor(
    readonly flow: Flow,
    readonly scope: Scope,
    /** The endpoints had a connection before this one. */
    readonly reused: boolean,
    private readonly owner: TcpOwner,
    /** What it costs with what the model of a report keeps of it, in octets. */
    private readonly upkeep: number,
  ) {
    super();
  }

  override get cost(): number {
    return super.cost + this.upkeep;
  }

  /** Whether all octets up to the FIN of both sides were passed on, or either side sent an RST. */
  get over(): boolean {
    return (this.seen & RESET) !== 0 || (this.seen & BOTH_FINISHED) === BOTH_FINISHED;
  }

  /** The port that was connected to; 0: no SYN was seen. */
  get server(): number {
    if (this.client < 0) return 0;
    return this.client === 0 ? this.flow.bPort : this.flow.aPort;
  }

  private opened(side: 0 | 1, answers: boolean): void {
    this.seen |= OPENED << side;
    if (this.client < 0) this.client = (answers ? 1 - side : side) as 0 | 1;
    this.connection?.opened(side, answers);
  }

  /**
   * Takes the segment that `p` describes, in `packet`; `note`, if given, gets what the analysis says about it. Returns
   * false where it is the SYN of another connection between the endpoints.
   */
  segment(direction: 0 | 1, p: Peek, packet: Packet, note: TcpNote | null, pool: PendingPool): boolean {
    const { frame, seconds, nanos } = packet;
    if ((p.flags & SYN) !== 0) {
      if (this.isElsewhere(direction, p, packet)) return false;
      this.opened(direction, (p.flags & ACK) !== 0);
      if (this.tcp === null && this.opening === null && isBareSyn(p)) {
        if (note !== null) new TcpAnalysis(this.reused).segment(direction, p, frame, seconds, nanos, note);
        this.opening = new Opening(p, frame, seconds, nanos);
        return true;
      }
    }
    const tcp = this.tcp ?? this.follow(note !== null, pool);
    const taken = tcp.segment(direction, p, frame, seconds, nanos, note);
    if (this.probed) {
      this.probed = false;
      if (note !== null) note.overlaps = true;
    }
    return taken;
  }

  /** The segment at hand is a keep-alive, whose octet lies in a message of several segments. */
  private probed = false;

  /**
   * Whether a SYN is that of the same connection once more, as another file has it: that goes on from none that were read
   * before, but was captured at another place, or with another clock. Who has sent data does not repeat its SYN.
   */
  private isElsewhere(direction: 0 | 1, p: Peek, { iface: { file } }: Packet): boolean {
    if (this.file === 0) this.file = file;
    return file !== this.file && (p.flags & ACK) === 0 && this.tcp?.hasPassed(direction) === true;
  }
  /** The file of its first SYN; 0: none was seen. */
  private file = 0;

  /** More is seen than a SYN. */
  private follow(analysed: boolean, pool: PendingPool): TcpStream {
    const tcp = new TcpStream(this, pool, this.reused);
    this.tcp = tcp;
    const { opening } = this;
    if (opening === null) return tcp;
    this.opening = null;
    const { frame, seconds, nanos } = opening;
    tcp.segment(0, opening.peek(), frame, seconds, nanos, analysed ? new TcpNote() : null);
    return tcp;
  }

  data(side: 0 | 1, buf: Uint8Array, off: number, end: number, frame: number, shown: boolean, cut: number): void {
    (this.connection ?? this.connect()).data(side, buf, off, end, frame, shown, cut);
  }

  ahead(side: 0 | 1, buf: Uint8Array, off: number, end: number, at: number, beyond: number, last: boolean): number {
    return (this.connection ?? this.connect()).ahead(side, buf, off, end, at, beyond, last);
  }

  probe(side: 0 | 1, buf: Uint8Array, off: number): void {
    if ((this.seen & (SPANNED << side)) === 0) this.connection?.probe(side, buf, off);
    else this.probed = true;
  }

  again(side: 0 | 1, buf: Uint8Array, off: number, end: number): void {
    this.connection?.again(side, buf, off, end);
  }

  /** Whether octets that are sent again may be shown again. */
  get repeats(): boolean {
    return this.connection?.repeats === true;
  }

  /** `side` completed a message: one of several segments, or in a single one. */
  completed(side: 0 | 1, spanned: boolean): void {
    if (spanned) this.seen |= SPANNED << side;
    else this.seen &= ~(SPANNED << side);
  }

  gap(side: 0 | 1, octets: number, cut: boolean): void {
    (this.connection ?? this.connect()).gap(side, octets, cut);
  }

  close(side: 0 | 1, how: 'fin' | 'rst'): void {
    this.connection?.close(side, how);
    this.seen |= how === 'rst' ? RESET : FINISHED << side;
    // What was under way when a connection was reset may follow.
    if (how === 'fin' && (this.seen & BOTH_FINISHED) === BOTH_FINISHED) this.owner.finished(this);
  }

  private connect(): Connection {
    const made = this.owner.connection(this);
    this.connection = made;
    for (const side of [0, 1] as const)
      if ((this.seen & (OPENED << side)) !== 0) made.opened(side, side !== this.client);
    return made;
  }
}
