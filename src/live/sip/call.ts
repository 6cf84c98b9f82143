import { headerOf, headersOf, type SipRepresentation, sipRequest } from '../../../dissectors/sip/index.js';
import { utf8Text } from '../../kit/index.js';
import type { Cancel } from '../clock.js';
import { integer } from '../random.js';
import type { Dialog } from './dialog.js';
import { Exchange, type ExchangeHandler, type Wallet } from './exchange.js';
import { listOf, parseCSeq } from './header-text.js';
import type { IncomingRequest, SipLayer } from './layer.js';
import { RepeatedAnswer } from './repeated-answer.js';
import type { MediaDirection, MediaSession, NegotiatedMedia } from './sdp.js';
import { SessionTimer, tooBrief } from './session-timer.js';
import { statusOf } from './transaction.js';
import type { SipPeer } from './transport.js';

/** How far a call is, from our side. */
export type CallState = 'calling' | 'incoming' | 'ringing' | 'confirmed' | 'ended';

/** What happens in a call. */
export type CallEvent =
  | { type: 'progress'; status: number; reliable: boolean }
  | { type: 'answered' }
  /** What is agreed on changed: also by hold and resume of either side. */
  | { type: 'media'; media: NegotiatedMedia }
  /** A digit by INFO. */
  | { type: 'digit'; signal: string; milliseconds: number }
  /** A request of ours within the call was refused. */
  | { type: 'refused'; method: string; status: number }
  | { type: 'ended'; by: 'local' | 'remote' | 'failure'; status?: number; reason?: string };

/** What a call needs of its user agent. */
export interface CallContext {
  layer: SipLayer;
  peer: SipPeer;
  wallet: Wallet;
  /** Our Contact, with its parameters. */
  contact(): string;
  userAgent: string;
  /** Seconds of the session timer to ask for. RFC 4028 */
  sessionExpires: number | undefined;
  /** Serves a MESSAGE, which belongs to its user, not to the call. RFC 3428 §7 */
  messaged(request: IncomingRequest): void;
  /** The call is over and may be forgotten. */
  closed(call: Call): void;
}

/** Methods that calls take. RFC 3261 §20.5 */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS, MESSAGE';
/** Extensions of calls; 100rel where it may be used. */
export const SUPPORTED = '100rel, precondition, timer';
const SDP = 'application/sdp';

/** A call, from either side, once there is a dialog: hold, UPDATE, INFO, BYE. RFC 3261 §13 to §15, RFC 3311, RFC 4028 */
export abstract class Call {
  state: CallState;
  dialog: Dialog | undefined;
  onEvent: (event: CallEvent) => void = () => undefined;
  /** Told what our BYE was answered with; 408 where nothing came. */
  onFarewell: (status: number) => void = () => undefined;
  private readonly answers = new Map<number, RepeatedAnswer>();
  /** An offer of ours that waits for its answer. RFC 3264 §4 */
  protected offering = false;
  protected readonly timer: SessionTimer;
  private readonly acks = new Map<number, SipRepresentation>();
  /** Whether the peer says that it takes UPDATE. */
  private takesUpdate = false;
  private cancelReserve: Cancel | undefined;
  /** What waits for the ACK of our 2xx. */
  private afterAck: (() => void) | undefined;

  constructor(
    protected readonly cx: CallContext,
    readonly session: MediaSession,
    state: CallState,
  ) {
    this.state = state;
    this.timer = new SessionTimer({
      clock: cx.layer.clock,
      wanted: cx.sessionExpires,
      refresh: () => this.refresh(),
      expired: () => {
        this.bye();
        this.end({ type: 'ended', by: 'failure', status: 408, reason: 'session timer' }); // RFC 4028 §10
      },
    });
  }

  get media(): NegotiatedMedia | undefined {
    return this.session.media;
  }

  abstract get callId(): string;

  /** Ends the call, however far it got. */
  abstract hangUp(): void;

  /** Ends without a word to anybody. */
  abandon(): void {
    this.state = 'ended';
    this.timer.stop();
    this.cancelReserve?.();
    for (const a of this.answers.values()) a.stop();
    this.answers.clear();
  }

  /** Puts the peer on hold, by re-INVITE or UPDATE. RFC 3264 §8.4 */
  hold(method: 'INVITE' | 'UPDATE' = 'INVITE'): void {
    this.change('sendonly', method);
  }

  resume(method: 'INVITE' | 'UPDATE' = 'INVITE'): void {
    this.change('sendrecv', method);
  }

  /**
   * Offers the session again with another direction. No effect without a dialog, or while an offer is under way. An INVITE
   * waits for the ACK of the one before, and has no effect before there is an answer. RFC 3261 §14.1
   */
  change(direction: MediaDirection, method: 'INVITE' | 'UPDATE'): void {
    if (!this.dialog || this.offering || this.state === 'ended') return;
    if (method === 'INVITE' && this.state !== 'confirmed') return;
    if (method === 'INVITE' && this.answers.size > 0) {
      this.onceAcknowledged(() => this.change(direction, method));
      return;
    }
    this.session.wanted = direction;
    this.offering = true;
    const body = { type: SDP, octets: this.session.offer() };
    this.within(method, this.refreshing(), body, {
      onResponse: (response, request) => this.changed(method, direction, response, request),
      onTimeout: () => {
        this.offering = false;
        this.refused(method, 408);
      },
    });
  }

  /** Headers of a re-INVITE or UPDATE: it refreshes the session too. RFC 4028 §7.4 */
  private refreshing(): [string, string][] {
    const timer = this.state === 'confirmed' ? this.timer.ask() : [];
    return [['Contact', this.cx.contact()], ['Allow', ALLOW], ['Supported', SUPPORTED], ...timer];
  }

  /** Refreshes the session: by UPDATE without an offer where the peer takes it. RFC 4028 §7.4 */
  private refresh(): void {
    if (!this.takesUpdate) {
      this.change(this.session.wanted, 'INVITE');
      return;
    }
    this.within('UPDATE', this.refreshing(), undefined, {
      onResponse: (response) => {
        const status = statusOf(response);
        if (status >= 200 && status < 300) this.timer.answered(response);
        else if (status === 422 && this.timer.lengthen(response)) this.refresh();
        else if (status >= 300) this.refused('UPDATE', status);
      },
      onTimeout: () => this.refused('UPDATE', 408),
    });
  }

  /** A digit by INFO, as user agents without RFC 4733 send it. RFC 6086 */
  sendInfoDigit(signal: string, milliseconds = 160): void {
    const octets = new TextEncoder().encode(`Signal=${signal}\r\nDuration=${milliseconds}\r\n`);
    this.within('INFO', [], { type: 'application/dtmf-relay', octets }, this.reporting('INFO'));
  }

  /** Notes what the peer says about itself. */
  protected note(message: SipRepresentation): void {
    const allowed = headersOf(message, 'Allow');
    if (allowed.length > 0) this.takesUpdate = listOf(allowed).includes('UPDATE');
  }

  /** Begins to reserve what media need, once the peer speaks of preconditions. RFC 3312 §5 */
  protected reserve(): void {
    const { reservation } = this.session;
    if (!reservation?.active || reservation.own || this.cancelReserve || this.state === 'ended') return;
    this.cancelReserve = this.cx.layer.clock.after(reservation.options.reserveMs, () => {
      reservation.own = true;
      this.reserved();
    });
  }

  /** Our resources are there: the peer is told where it does not know. RFC 3312 §7 */
  protected reserved(): void {
    const { reservation } = this.session;
    const waited = this.initiated || reservation?.asked === true;
    if (reservation?.news && waited) this.change(this.session.wanted, 'UPDATE');
  }

  /** Takes a request of the peer within the dialog. */
  handle(request: IncomingRequest): void {
    const cseq = parseCSeq(headerOf(request.message, 'CSeq'))?.number ?? 0;
    if (request.method === 'ACK') {
      this.acknowledged(cseq, request.message);
      return;
    }
    const { dialog } = this;
    if (dialog && cseq < dialog.remoteCSeq) {
      this.cx.layer.respond(request, 500); // RFC 3261 §12.2.2: out of order
      return;
    }
    if (dialog) dialog.remoteCSeq = cseq;
    this.serve(request, cseq);
  }

  protected serve(request: IncomingRequest, cseq: number): void {
    switch (request.method) {
      case 'BYE':
        this.cx.layer.respond(request, 200);
        this.end({ type: 'ended', by: 'remote' });
        break;
      case 'INVITE':
      case 'UPDATE':
        this.offered(request, cseq);
        break;
      case 'INFO':
        this.cx.layer.respond(request, 200);
        this.digit(request.message);
        break;
      case 'MESSAGE':
        this.cx.messaged(request);
        break;
      case 'OPTIONS':
        this.cx.layer.respond(request, 200, [['Allow', ALLOW]]);
        break;
      default:
        this.cx.layer.respond(request, 405, [['Allow', ALLOW]]);
    }
  }

  /** A 2xx to an INVITE of ours came again: its ACK was lost. RFC 3261 §13.2.2.4 */
  protected acknowledge(response: SipRepresentation, dialog: Dialog): void {
    const number = parseCSeq(headerOf(response, 'CSeq'))?.number ?? dialog.localCSeq;
    const known = this.acks.get(number);
    const { layer, peer } = this.cx;
    const ack =
      known ??
      sipRequest('ACK', dialog.target, [
        ['Via', layer.via(peer)],
        ['Max-Forwards', '70'],
        ...dialog.headers(),
        ['CSeq', `${number} ACK`],
      ]);
    this.acks.set(number, ack);
    layer.send(ack, peer);
  }

  /** Sends a request within the dialog. */
  protected within(
    method: string,
    headers: readonly [string, string][],
    body: { type: string; octets: Uint8Array } | undefined,
    handler: ExchangeHandler,
    dialog = this.dialog,
  ): void {
    if (!dialog) return;
    const { layer, peer, wallet, userAgent } = this.cx;
    const all: [string, string][] = [...dialog.headers(), ['User-Agent', userAgent], ...headers];
    const plan = { method, uri: dialog.target, peer, headers: all, nextCSeq: () => ++dialog.localCSeq };
    new Exchange(layer, body ? { ...plan, body } : plan, wallet, handler).start();
  }

  protected bye(dialog = this.dialog): void {
    const answered = (response: SipRepresentation): void => {
      if (statusOf(response) >= 200) this.onFarewell(statusOf(response));
    };
    this.within('BYE', [], undefined, { onResponse: answered, onTimeout: () => this.onFarewell(408) }, dialog);
  }

  protected end(event: CallEvent & { type: 'ended' }): void {
    if (this.state === 'ended') return;
    this.abandon();
    this.onEvent(event);
    this.cx.closed(this);
  }

  /** Answers an INVITE with 200 until the ACK comes; without it the call ends. RFC 3261 §13.3.1.4 */
  protected answerInvite(
    request: IncomingRequest,
    cseq: number,
    octets: Uint8Array | undefined,
    making: readonly [string, string][],
  ): void {
    const headers: [string, string][] = [
      ...making,
      ['Contact', this.cx.contact()],
      ['Allow', ALLOW],
      ['Supported', SUPPORTED],
      ...this.timer.answer(request.message),
    ];
    const body = octets && { type: SDP, octets };
    const send = () => this.cx.layer.respond(request, 200, headers, body);
    const giveUp = () => {
      this.answers.delete(cseq);
      this.bye();
      this.end({ type: 'ended', by: 'failure', status: 408, reason: 'no ACK' });
    };
    const answer = new RepeatedAnswer(this.cx.layer, send, giveUp);
    this.answers.set(cseq, answer);
    answer.start();
  }

  /** The peer's ACK: it may carry the answer to an offer of ours. */
  protected acknowledged(cseq: number, ack: SipRepresentation): void {
    const answer = this.answers.get(cseq);
    answer?.stop();
    this.answers.delete(cseq);
    if (answer && this.offering && ack.body.length > 0) {
      this.offering = false;
      if (this.session.accept(ack.body)) this.agreed();
      else this.hangUp();
    }
    if (this.answers.size > 0) return;
    const { afterAck } = this;
    this.afterAck = undefined;
    afterAck?.();
  }

  /** Does something at once, or where our 2xx waits for its ACK, then. */
  protected onceAcknowledged(act: () => void): void {
    if (this.answers.size === 0) act();
    else this.afterAck = act;
  }

  /** Media may flow, as soon as our resources are there. */
  protected agreed(): void {
    const { media, reservation } = this.session;
    if (media && !(reservation?.active && !reservation.own)) this.onEvent({ type: 'media', media });
  }

  protected refused(method: string, status: number): void {
    this.onEvent({ type: 'refused', method, status });
    if (status !== 481 && status !== 408) return;
    // RFC 3261 §12.2.1.2, RFC 4028 §10: the peer knows nothing of the call any more, or is gone; what is on the way hears BYE
    if (this.state === 'confirmed' && this.answers.size === 0) this.bye();
    this.end({ type: 'ended', by: 'failure', status });
  }

  protected reporting(method: string): ExchangeHandler {
    return {
      onResponse: (response) => {
        if (statusOf(response) >= 300) this.refused(method, statusOf(response));
      },
      onTimeout: () => this.refused(method, 408),
    };
  }

  private changed(
    method: 'INVITE' | 'UPDATE',
    direction: MediaDirection,
    response: SipRepresentation,
    request: SipRepresentation,
  ): void {
    const status = statusOf(response);
    if (status < 200 || !this.dialog) return;
    if (status < 300) {
      if (method === 'INVITE') this.acknowledge(response, this.dialog);
      if (!this.offering) return; // the same 2xx again
      this.offering = false;
      this.dialog.refresh(response);
      this.note(response);
      if (this.state === 'confirmed') this.timer.answered(response);
      if (this.session.accept(response.body)) this.agreed();
      return;
    }
    this.offering = false;
    if (status === 422 && this.timer.lengthen(response)) {
      this.change(direction, method);
      return;
    }
    if (status === 491) {
      // RFC 3261 §14.1: the one who chose the Call-ID waits longer
      const { clock, random } = this.cx.layer;
      const ours = headerOf(request, 'Call-ID') === this.callId && this.initiated;
      clock.after(ours ? 2100 + 1900 * random.next() : 2000 * random.next(), () => this.change(direction, method));
      return;
    }
    this.refused(method, status);
  }

  /** Whether this side began the call. */
  protected abstract get initiated(): boolean;

  /** A new offer of the peer, by re-INVITE or UPDATE; none in a re-INVITE asks for ours. RFC 3261 §14.2, RFC 3311 §5.2 */
  private offered(request: IncomingRequest, cseq: number): void {
    const { layer } = this.cx;
    const has = request.message.body.length > 0;
    const refreshes = !has && request.method === 'UPDATE';
    const brief = tooBrief(request.message);
    const isSecond = request.method === 'INVITE' && this.state !== 'confirmed';
    if (isSecond && !this.initiated) {
      layer.respond(request, 500, [['Retry-After', String(integer(layer.random, 0, 10))]]); // RFC 3261 §14.2
      return;
    }
    if (brief !== undefined || isSecond || (this.offering && !refreshes)) {
      layer.respond(request, brief ? 422 : 491, brief);
      return;
    }
    this.dialog?.refresh(request.message);
    this.note(request.message);
    if (refreshes) {
      layer.respond(request, 200, this.updated(request));
      return;
    }
    const octets = has ? this.session.answer(request.message.body) : this.session.offer();
    if (octets === undefined) {
      layer.respond(request, 488);
      return;
    }
    if (!has) this.offering = true;
    if (request.method === 'INVITE') this.answerInvite(request, cseq, octets, []);
    else layer.respond(request, 200, this.updated(request), { type: SDP, octets });
    if (has && (this.initiated || this.state === 'confirmed')) this.agreed();
    this.reserved();
  }

  /** Headers of a 200 to UPDATE. */
  private updated(request: IncomingRequest): [string, string][] {
    const timer = this.state === 'confirmed' ? this.timer.answer(request.message) : [];
    return [['Contact', this.cx.contact()], ['Allow', ALLOW], ['Supported', SUPPORTED], ...timer];
  }

  private digit(message: SipRepresentation): void {
    const text = utf8Text(message.body, 0, message.body.length);
    const signal = /^\s*Signal\s*=\s*(\S)/im.exec(text)?.[1];
    const milliseconds = Number(/^\s*Duration\s*=\s*(\d{1,5})/im.exec(text)?.[1] ?? 0);
    if (signal) this.onEvent({ type: 'digit', signal, milliseconds });
  }
}
