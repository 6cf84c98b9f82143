import { headerOf, headersOf, type SipRepresentation, sipRequest, sipResponse } from '../../../dissectors/sip/index.js';
import { type Clock, Timer } from '../clock.js';
import { parseCSeq } from './header-text.js';
import type { SipPeer, SipTimers } from './transport.js';

/*
 * The four transaction machines of RFC 3261 §17, with the states that RFC 6026 adds for 2xx responses to INVITE.
 * Timers have the letters of the RFC's table 4.
 */

/** What a transaction needs of its layer. */
export interface TransactionContext {
  clock: Clock;
  timers: SipTimers;
  reliable: boolean;
  send(message: SipRepresentation, peer: SipPeer): void;
  /** The transaction is over. */
  done(): void;
}

/** Whoever waits for responses. */
export interface ResponseHandler {
  /** Each response, provisional and final; for INVITE also further 2xx (forks, repetitions). */
  onResponse(response: SipRepresentation): void;
  /** Timer B or F: nobody answered. RFC 3261 §8.1.3.1: as if a 408 had come */
  onTimeout(): void;
  /** The transport could not carry the request; without it, that is as if a 503 had come. */
  onFailure?(): void;
}

/** The status code of a response; 0 of a request. */
export const statusOf = (m: SipRepresentation): number => ('status' in m.start ? m.start.status : 0);
/** The method of a request; '' of a response. */
export const methodOf = (m: SipRepresentation): string => ('method' in m.start ? m.start.method : '');

/** A request of ours, until it is answered for good. RFC 3261 §17.1 */
export interface ClientTransaction {
  readonly request: SipRepresentation;
  readonly peer: SipPeer;
  readonly state: string;
  /** Sends the request; the answer may come during the call. */
  start(): void;
  receive(response: SipRepresentation): void;
  /** The transport could not carry it: if it was not answered, as if a 503 had come. RFC 3261 §8.1.3.1, §17.1.4 */
  fail(why: string): void;
  /** Forgets it, without telling anybody. */
  stop(): void;
}

/** What all four have: their timers, and an end. */
abstract class Transaction<State extends string> {
  state: State | 'terminated';
  /** Repeats what was sent last, after ever longer times. */
  protected readonly resend: Timer;
  protected readonly end: Timer;
  protected interval: number;

  constructor(
    protected readonly cx: TransactionContext,
    readonly request: SipRepresentation,
    readonly peer: SipPeer,
    first: State,
  ) {
    this.state = first;
    this.resend = new Timer(cx.clock);
    this.end = new Timer(cx.clock);
    this.interval = cx.timers.t1;
  }

  stop(): void {
    this.terminate();
  }

  protected terminate(): void {
    if (this.state === 'terminated') return;
    this.state = 'terminated';
    this.resend.stop();
    this.end.stop();
    this.cx.done();
  }
}

/** Sends a request until it is answered or 64 T1 are over. */
abstract class Client<State extends string> extends Transaction<State> implements ClientTransaction {
  constructor(
    cx: TransactionContext,
    request: SipRepresentation,
    peer: SipPeer,
    first: State,
    protected readonly handler: ResponseHandler,
  ) {
    super(cx, request, peer, first);
  }

  start(): void {
    const { reliable, timers } = this.cx;
    if (!reliable) this.resend.set(this.interval, () => this.repeat()); // timers A, E
    this.end.set(64 * timers.t1, () => this.giveUp()); // timers B, F
    this.cx.send(this.request, this.peer);
  }

  abstract receive(response: SipRepresentation): void;

  fail(why: string): void {
    const state: string = this.state;
    if (state === 'completed' || state === 'accepted' || state === 'terminated') return;
    this.terminate();
    // Who has said that it takes care of the request is not asked again another way.
    if (this.handler.onFailure && state !== 'proceeding') this.handler.onFailure();
    else this.handler.onResponse(sipResponse(this.request, 503, `Connection: ${why}`));
  }

  /** How long to wait after the next repetition. */
  protected abstract longer(): number;

  private repeat(): void {
    this.cx.send(this.request, this.peer);
    this.interval = this.longer();
    this.resend.set(this.interval, () => this.repeat());
  }

  private giveUp(): void {
    this.terminate();
    this.handler.onTimeout();
  }
}

/** INVITE client: Calling, Proceeding, Completed, Accepted, Terminated. RFC 3261 §17.1.1, RFC 6026 §7.2 */
export class InviteClient extends Client<'calling' | 'proceeding' | 'completed' | 'accepted'> {
  private ack: SipRepresentation | undefined;

  constructor(cx: TransactionContext, request: SipRepresentation, peer: SipPeer, handler: ResponseHandler) {
    super(cx, request, peer, 'calling', handler);
  }

  receive(response: SipRepresentation): void {
    const status = statusOf(response);
    if (this.state === 'calling' || this.state === 'proceeding') {
      this.resend.stop();
      if (status < 200) {
        this.state = 'proceeding';
        this.end.stop();
      } else if (status < 300) {
        this.state = 'accepted';
        this.end.set(64 * this.cx.timers.t1, () => this.terminate()); // timer M
      } else {
        this.state = 'completed';
        this.ack = ackFor(this.request, response);
        this.cx.send(this.ack, this.peer);
        this.end.set(this.cx.reliable ? 0 : this.cx.timers.d, () => this.terminate()); // timer D
      }
      this.handler.onResponse(response);
    } else if (this.state === 'completed' && status >= 300) this.cx.send(this.ack!, this.peer);
    else if (this.state === 'accepted' && status >= 200 && status < 300) this.handler.onResponse(response);
  }

  protected longer(): number {
    return 2 * this.interval;
  }
}

/** The ACK of a final response other than 2xx. RFC 3261 §17.1.1.3 */
function ackFor(invite: SipRepresentation, response: SipRepresentation): SipRepresentation {
  return likeInvite('ACK', invite, headerOf(response, 'To') ?? headerOf(invite, 'To') ?? '');
}

/** The CANCEL of an INVITE. RFC 3261 §9.1 */
export const cancelFor = (invite: SipRepresentation): SipRepresentation =>
  likeInvite('CANCEL', invite, headerOf(invite, 'To') ?? '');

/** A request with target, branch, dialog, number and routes of an INVITE. */
function likeInvite(method: 'ACK' | 'CANCEL', invite: SipRepresentation, to: string): SipRepresentation {
  const one = (name: string): [string, string] => [name, headerOf(invite, name) ?? ''];
  const { uri } = invite.start as { uri: string };
  return sipRequest(method, uri, [
    one('Via'),
    ['Max-Forwards', '70'],
    one('From'),
    ['To', to],
    one('Call-ID'),
    ['CSeq', `${parseCSeq(headerOf(invite, 'CSeq'))?.number ?? 0} ${method}`],
    ...headersOf(invite, 'Route').map((v): [string, string] => ['Route', v]),
  ]);
}

/** Non-INVITE client: Trying, Proceeding, Completed, Terminated. RFC 3261 §17.1.2 */
export class NonInviteClient extends Client<'trying' | 'proceeding' | 'completed'> {
  constructor(cx: TransactionContext, request: SipRepresentation, peer: SipPeer, handler: ResponseHandler) {
    super(cx, request, peer, 'trying', handler);
  }

  receive(response: SipRepresentation): void {
    if (this.state !== 'trying' && this.state !== 'proceeding') return;
    if (statusOf(response) < 200) this.state = 'proceeding';
    else {
      this.state = 'completed';
      this.resend.stop();
      this.end.set(this.cx.reliable ? 0 : this.cx.timers.t4, () => this.terminate()); // timer K
    }
    this.handler.onResponse(response);
  }

  protected longer(): number {
    const { t2 } = this.cx.timers;
    return this.state === 'proceeding' ? t2 : Math.min(2 * this.interval, t2);
  }
}

/** A request of the peer, until our answer has arrived for certain. RFC 3261 §17.2 */
export interface ServerTransaction {
  readonly request: SipRepresentation;
  readonly peer: SipPeer;
  readonly state: string;
  /** The request came again, or (INVITE) its ACK. */
  receive(request: SipRepresentation): void;
  respond(response: SipRepresentation): void;
  /** Told when no ACK came for a final response. */
  onNoAck?: () => void;
  stop(): void;
}

/** INVITE server: Proceeding, Completed, Confirmed, Accepted, Terminated. RFC 3261 §17.2.1, RFC 6026 §7.1 */
export class InviteServer
  extends Transaction<'proceeding' | 'completed' | 'confirmed' | 'accepted'>
  implements ServerTransaction
{
  onNoAck?: () => void;
  private last: SipRepresentation | undefined;

  constructor(cx: TransactionContext, request: SipRepresentation, peer: SipPeer) {
    super(cx, request, peer, 'proceeding');
  }

  receive(request: SipRepresentation): void {
    if (methodOf(request) === 'ACK') {
      if (this.state !== 'completed') return;
      this.state = 'confirmed';
      this.resend.stop();
      this.end.set(this.cx.reliable ? 0 : this.cx.timers.t4, () => this.terminate()); // timer I
    } else if (this.last && (this.state === 'proceeding' || this.state === 'completed')) {
      this.cx.send(this.last, this.peer);
    }
  }

  respond(response: SipRepresentation): void {
    const status = statusOf(response);
    if (this.state === 'accepted' && status >= 200 && status < 300) this.cx.send(response, this.peer); // RFC 6026 §7.1
    if (this.state !== 'proceeding') return;
    this.last = response;
    this.cx.send(response, this.peer);
    if (status < 200) return;
    if (status < 300) {
      this.state = 'accepted';
      this.end.set(64 * this.cx.timers.t1, () => this.terminate()); // timer L
    } else {
      this.state = 'completed';
      if (!this.cx.reliable) this.resend.set(this.interval, () => this.repeat()); // timer G
      this.end.set(64 * this.cx.timers.t1, () => this.giveUp()); // timer H
    }
  }

  private repeat(): void {
    this.cx.send(this.last!, this.peer);
    this.interval = Math.min(2 * this.interval, this.cx.timers.t2);
    this.resend.set(this.interval, () => this.repeat());
  }

  private giveUp(): void {
    this.terminate();
    this.onNoAck?.();
  }
}

/** Non-INVITE server: Trying, Proceeding, Completed, Terminated. RFC 3261 §17.2.2 */
export class NonInviteServer extends Transaction<'trying' | 'proceeding' | 'completed'> implements ServerTransaction {
  private last: SipRepresentation | undefined;

  constructor(cx: TransactionContext, request: SipRepresentation, peer: SipPeer) {
    super(cx, request, peer, 'trying');
  }

  receive(_request: SipRepresentation): void {
    if (this.last) this.cx.send(this.last, this.peer);
  }

  respond(response: SipRepresentation): void {
    if (this.state !== 'trying' && this.state !== 'proceeding') return;
    this.last = response;
    this.cx.send(response, this.peer);
    if (statusOf(response) < 200) this.state = 'proceeding';
    else {
      this.state = 'completed';
      this.end.set(this.cx.reliable ? 0 : 64 * this.cx.timers.t1, () => this.terminate()); // timer J
    }
  }
}
