import { LIMITS } from '../limits.js';
import type { Address } from './address.js';
import { type Clock, Timer } from './clock.js';
import { TokenBucket } from './ip-packet.js';
import { TcpReceiver, WINDOW } from './tcp-receiver.js';
import { ACK, FIN, mssOf, mssOption, PSH, plus, RST, SYN, spaceOf, type TcpSegment } from './tcp-segment.js';
import { TcpSender } from './tcp-sender.js';

/** RFC 9293 §3.3.2 */
export type TcpConnectionState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

/** Where a connection ends. */
export interface TcpEnd {
  readonly address: Address;
  readonly port: number;
}

/** Who uses a connection. */
export interface TcpUser {
  /** The connection is there. */
  onOpen?(connection: TcpConnection): void;
  /** Octets in order. They are valid during the call. */
  onData(octets: Uint8Array): void;
  /** The peer sends nothing more. */
  onEnd(): void;
  /** It is over. `why`: in words, unless both sides ended it. */
  onClose(why: string | undefined): void;
}

/** What a connection needs of its host. */
export interface TcpContext {
  clock: Clock;
  /** Octets of the largest segment that fits the link, and of the largest that fits the path to the peer. */
  mss: number;
  pathMss: number;
  emit(segment: Omit<TcpSegment, 'srcport' | 'dstport' | 'urgent'>): void;
  /** It is over and may be forgotten. */
  done(): void;
}

/** Twice as long as a segment may be under way: half a minute each, as kernels have it. RFC 9293 §3.4.2 */
const TIME_WAIT = 60_000;
/** How long a peer that is heard no more may leave its direction open after ours has ended; as kernels have it. */
const FIN_WAIT = 60_000;
/** How long an acknowledgement waits for an answer that takes it along; as kernels have it. RFC 9293 §3.8.6.3: below 500 */
const ACK_DELAY = 40;
const NONE = new Uint8Array(0);
const SENDING: ReadonlySet<TcpConnectionState> = new Set(['syn-sent', 'syn-received', 'established', 'close-wait']);

/**
 * One end of a TCP connection: a machine that is told segments. Nothing is kept from whoever uses it, so its window is always
 * open. No urgent data, no options but the segment size: a window without a scale holds all of a message of SIP. RFC 9293 §3.10
 */
export class TcpConnection {
  state: TcpConnectionState;
  private readonly sender: TcpSender;
  private readonly receiver = new TcpReceiver();
  /** The end of TIME-WAIT, or of FIN-WAIT-2. */
  private readonly waits: Timer;
  /** The acknowledgement of the last segment. */
  private readonly delayed: Timer;
  /** What was acknowledged last. */
  private told = 0;
  private readonly corrections = new TokenBucket(10, 10);
  private readonly inbox: (Uint8Array | 'end')[] = [];
  private isHandingOver = false;

  /** @param syn the segment that opens it, from the peer; undefined: this end opens it */
  constructor(
    readonly local: TcpEnd,
    readonly remote: TcpEnd,
    private readonly cx: TcpContext,
    private readonly user: TcpUser,
    iss: number,
    syn?: TcpSegment,
  ) {
    this.waits = new Timer(cx.clock);
    this.delayed = new Timer(cx.clock);
    this.sender = new TcpSender(iss, {
      clock: cx.clock,
      emit: (seq, payload, flags) => this.emit(seq, payload, flags),
      giveUp: () => this.over('no answer'),
    });
    this.state = syn === undefined ? 'syn-sent' : 'syn-received';
    if (syn !== undefined) this.synchronise(syn);
  }

  /** Sends the SYN, or the answer to that of the peer; everything may come during the call. */
  open(): void {
    this.sender.open();
  }

  /** Octets are sent, or wait to be. False where the connection takes none any more. */
  send(octets: Uint8Array): boolean {
    if (!SENDING.has(this.state)) return false;
    if (this.sender.waiting + octets.length > LIMITS.tcpSendOctets) {
      this.abort('more waits to be sent than there is room for');
      return false;
    }
    this.sender.send(octets);
    return true;
  }

  /** Ends this direction, after what waits to be sent. RFC 9293 §3.10.4 */
  close(): void {
    if (this.state === 'syn-sent') this.over(undefined);
    else if (this.state === 'established' || this.state === 'syn-received') this.leave('fin-wait-1');
    else if (this.state === 'close-wait') this.leave('last-ack');
  }

  /** Ends it at once, with a RST. RFC 9293 §3.10.5 */
  abort(why: string): void {
    if (this.state !== 'syn-sent' && this.state !== 'time-wait' && this.state !== 'closed')
      this.emit(this.sender.nxt, NONE, RST);
    this.over(why);
  }

  /** Forgets it, without telling anybody but the peer. */
  forget(): void {
    const says = this.state === 'established' || this.state === 'close-wait';
    this.stop();
    if (says) this.emit(this.sender.nxt, NONE, FIN);
  }

  /** An ICMP error says that the SYN did not arrive. RFC 1122 §4.2.3.9: what is open is not ended by that */
  unreachable(): void {
    if (this.state === 'syn-sent') this.over('unreachable');
  }

  /**
   * An ICMP error says that the path takes no segments of more than `mss` octets; one about a segment that is under way is
   * believed. RFC 5927 §4.1, RFC 8201 §5.2
   */
  tooBig(seq: number, mss: number): void {
    this.sender.fit(seq, mss);
  }

  /** Takes a segment of the peer. RFC 9293 §3.10.7 */
  receive(s: TcpSegment): void {
    if (this.state === 'syn-sent') {
      this.answered(s);
      return;
    }
    if (!this.receiver.accepts(s.seq, spaceOf(s))) {
      if ((s.flags & RST) === 0) this.correct();
      if (this.state === 'time-wait' && (s.flags & FIN) !== 0) this.linger();
      return;
    }
    if ((s.flags & RST) !== 0) {
      if (s.seq === this.receiver.nxt) this.over('reset by the peer');
      else this.correct(); // RFC 5961 §3.2
      return;
    }
    if ((s.flags & SYN) !== 0) {
      this.correct(); // RFC 5961 §4.2
      return;
    }
    if ((s.flags & ACK) !== 0 && this.acknowledged(s)) this.content(s);
  }

  /** What comes before the connection is there. RFC 9293 §3.10.7.3 */
  private answered(s: TcpSegment): void {
    const isAck = (s.flags & ACK) !== 0;
    if (isAck && !this.sender.acknowledges(s.ack)) {
      if ((s.flags & RST) === 0) this.refuse(s.ack);
      return;
    }
    if ((s.flags & RST) !== 0) {
      if (isAck) this.over('refused');
      return;
    }
    if ((s.flags & SYN) === 0) return;
    this.synchronise(s);
    if (!isAck) {
      this.state = 'syn-received'; // both opened it. RFC 9293 §3.5
      this.emit(this.sender.una, NONE, SYN);
      return;
    }
    this.state = 'established';
    this.user.onOpen?.(this);
    this.sender.acknowledged(s.seq, s.ack, s.window, false);
    if (this.told !== this.receiver.nxt) this.acknowledge(); // what waited to be sent has said it
    this.content({ ...s, seq: plus(s.seq, 1) });
  }

  private synchronise(syn: TcpSegment): void {
    this.receiver.nxt = plus(syn.seq, 1);
    this.sender.mss = Math.min(this.cx.pathMss, mssOf(syn) ?? this.sender.mss);
  }

  /** False where nothing else of the segment is looked at. RFC 9293 §3.10.7.4, fifth */
  private acknowledged(s: TcpSegment): boolean {
    if (this.state === 'syn-received' && !this.sender.acknowledges(s.ack)) {
      this.refuse(s.ack);
      return false;
    }
    const bare = s.payload.length === 0 && (s.flags & FIN) === 0;
    if (!this.sender.acknowledged(s.seq, s.ack, s.window, bare)) {
      this.correct();
      return false;
    }
    if (this.state === 'syn-received') {
      this.state = 'established';
      this.user.onOpen?.(this);
    }
    if (this.sender.finished) {
      if (this.state === 'fin-wait-1') {
        this.state = 'fin-wait-2';
        this.waitForEnd();
      } else if (this.state === 'closing') this.linger();
      else if (this.state === 'last-ack') this.over(undefined);
    }
    return this.state !== 'closed';
  }

  /** Octets and FIN of a segment. RFC 9293 §3.10.7.4, seventh and eighth */
  private content(s: TcpSegment): void {
    const fin = (s.flags & FIN) !== 0;
    if (s.payload.length === 0 && !fin) return;
    const { ended, nxt, hasGap } = this.receiver;
    this.inbox.push(...this.receiver.take(s.seq, s.payload, fin));
    const ends = this.receiver.ended && !ended;
    if (ends) {
      this.inbox.push('end');
      if (this.state === 'established') this.state = 'close-wait';
      else if (this.state === 'fin-wait-1') this.state = 'closing';
      else if (this.state === 'fin-wait-2') this.linger();
    } else if (this.state === 'fin-wait-2') this.waitForEnd();
    this.handOver();
    if (this.state === 'closed') return;
    // RFC 5681 §4.2: what came too early, or again, or fills a gap is told of at once.
    if (this.receiver.nxt === nxt || hasGap) this.acknowledge();
    else if (this.told !== this.receiver.nxt) this.acknowledgeSoon(s); // what was answered at once has done so
  }

  /**
   * Acknowledges the last segment of what the peer had to say a moment later, as its answer may come; at once every second
   * one, and those behind which a peer may hold back the rest until then (RFC 9293 §3.7.4). RFC 5681 §4.2
   */
  private acknowledgeSoon(s: TcpSegment): void {
    const isLast = (s.flags & PSH) !== 0 && (s.flags & FIN) === 0;
    if (isLast && !this.delayed.running) this.delayed.set(ACK_DELAY, () => this.acknowledge());
    else this.acknowledge();
  }

  /** Gives whoever uses the connection what is in order, one after the other also where answers come during the call. */
  private handOver(): void {
    if (this.isHandingOver) return;
    this.isHandingOver = true;
    for (let next = this.inbox.shift(); next !== undefined; next = this.inbox.shift()) {
      if (this.state === 'closed') break;
      if (next === 'end') this.user.onEnd();
      else this.user.onData(next);
    }
    this.isHandingOver = false;
  }

  private leave(state: 'fin-wait-1' | 'last-ack'): void {
    this.state = state;
    this.sender.end();
  }

  /** Forgets a peer that neither ends nor says anything. */
  private waitForEnd(): void {
    this.waits.set(FIN_WAIT, () => this.over('the peer did not end its side'));
  }

  private linger(): void {
    this.state = 'time-wait';
    this.sender.stop();
    this.waits.set(TIME_WAIT, () => this.over(undefined));
  }

  private acknowledge(): void {
    this.emit(this.sender.nxt, NONE, 0);
  }

  /** Answers what acknowledges what was never sent, before there is a connection. RFC 9293 §3.5.2 */
  private refuse(seq: number): void {
    this.cx.emit({ seq, ack: 0, flags: RST, window: 0, options: NONE, payload: NONE });
  }

  /** Tells a peer that sent what does not fit how far we are; not for ever, as it may answer in the same way. RFC 5961 §7 */
  private correct(): void {
    if (this.corrections.take(this.cx.clock.now())) this.acknowledge();
  }

  private emit(seq: number, payload: Uint8Array, flags: number): void {
    const isFirst = this.state === 'syn-sent';
    const options = (flags & SYN) !== 0 ? mssOption(this.cx.mss) : NONE;
    const ack = isFirst ? 0 : this.receiver.nxt;
    this.told = ack;
    this.delayed.stop();
    this.cx.emit({ seq, ack, flags: isFirst ? flags : flags | ACK, window: WINDOW, options, payload });
  }

  private over(why: string | undefined): void {
    if (this.state === 'closed') return;
    this.stop();
    this.user.onClose(why);
  }

  private stop(): void {
    this.state = 'closed';
    this.sender.stop();
    this.waits.stop();
    this.delayed.stop();
    this.cx.done();
  }
}
