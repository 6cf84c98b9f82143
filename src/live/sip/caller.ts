import { headerOf, headersOf, type SipRepresentation } from '../../../dissectors/sip/index.js';
import { LIMITS } from '../../limits.js';
import type { Cancel } from '../clock.js';
import { hexDigits, integer } from '../random.js';
import { ALLOW, Call, type CallContext } from './call.js';
import { Dialog } from './dialog.js';
import { Exchange } from './exchange.js';
import { listOf, parseCSeq, tagOf } from './header-text.js';
import type { MediaSession } from './sdp.js';
import { cancelFor, statusOf } from './transaction.js';

/** Whom a call goes to, and what its INVITE asks for. */
export interface CallOptions {
  /** Who is called. */
  uri: string;
  /** Our identity. */
  from: string;
  /** Route and identity headers of a first request. */
  headers: readonly (readonly [string, string])[];
  /** Whether provisional responses must be reliable, may be, or are not asked to be. RFC 3262 */
  reliable?: 'required' | 'supported' | 'none';
}

/** Somebody who was found: where a proxy forks, there are several, each with a dialog and a session of its own. RFC 3261 §12.1 */
interface Leg {
  readonly dialog: Dialog;
  rseq: number;
  /** The answer to our offer, in the first response that had one. */
  answer?: Uint8Array;
}

/** A call that we make. RFC 3261 §9.1, §13.2, RFC 3262 §4 */
export class OutgoingCall extends Call {
  readonly callId: string;
  private readonly localTag: string;
  private cseq: number;
  private exchange: Exchange | undefined;
  private readonly early = new Map<string, Leg>();
  /** The request that a provisional response came to: no CANCEL of another. RFC 3261 §9.1 */
  private heard: SipRepresentation | undefined;
  /** The leg whose answer the session has. */
  private described: Leg | undefined;
  private cancelling = false;
  private accepted = false;
  /** Ends the wait for what a CANCEL brings. */
  private patience: Cancel | undefined;
  /** PRACKs that wait for an answer. */
  private unconfirmed = 0;

  constructor(
    cx: CallContext,
    session: MediaSession,
    private readonly options: CallOptions,
  ) {
    super(cx, session, 'calling');
    const { random } = cx.layer;
    this.callId = hexDigits(random, 32);
    this.localTag = hexDigits(random, 8);
    this.cseq = integer(random, 1, 10_000);
  }

  protected get initiated(): boolean {
    return true;
  }

  start(): void {
    const { uri, from, reliable = 'supported' } = this.options;
    const { layer, peer, wallet, userAgent } = this.cx;
    const extensions = [
      ...(reliable === 'supported' ? ['100rel'] : []),
      ...(this.session.reservation?.options.offered ? ['precondition'] : []),
      'timer',
    ];
    const headers: [string, string][] = [
      ['From', `<${from}>;tag=${this.localTag}`],
      ['To', `<${uri}>`],
      ['Call-ID', this.callId],
      ['Contact', this.cx.contact()],
      ...this.options.headers.map(([n, v]): [string, string] => [n, v]),
      ['Allow', ALLOW],
      ['Supported', extensions.join(', ')],
      ...this.timer.ask(),
      ...(reliable === 'required' ? [['Require', '100rel'] as [string, string]] : []),
      ['User-Agent', userAgent],
    ];
    this.offering = true;
    const body = { type: 'application/sdp', octets: this.session.offer() };
    const plan = { method: 'INVITE', uri, peer, headers, body, nextCSeq: () => ++this.cseq };
    this.exchange = new Exchange(layer, plan, wallet, {
      onResponse: (response, request) => this.answered(response, request),
      onTimeout: () => this.end({ type: 'ended', by: 'failure', status: 408, reason: 'no answer' }),
    });
    this.exchange.start();
  }

  hangUp(): void {
    if (this.state === 'ended' || this.cancelling) return;
    if (this.state === 'confirmed') {
      this.bye();
      this.end({ type: 'ended', by: 'local' });
      return;
    }
    this.cancelling = true;
    if (this.heard !== undefined && this.heard === this.exchange?.request) this.cancel();
  }

  override abandon(): void {
    super.abandon();
    this.patience?.();
  }

  /** RFC 3261 §9.1: the request as it was, with the branch of the INVITE, and to where that went. */
  private cancel(): void {
    const invite = this.exchange?.transaction;
    if (!invite) return;
    const nothing = { onResponse: () => undefined, onTimeout: () => undefined };
    this.cx.layer.client(cancelFor(invite.request), invite.peer, nothing).start();
    // RFC 3261 §9.1: a peer of RFC 2543 may never answer the INVITE
    this.patience = this.cx.layer.clock.after(64 * this.cx.layer.timers.t1, () => {
      if (this.state === 'ended' || this.state === 'confirmed') return;
      this.exchange?.stop();
      this.end({ type: 'ended', by: 'local', status: 487 });
    });
  }

  private answered(response: SipRepresentation, request: SipRepresentation): void {
    const status = statusOf(response);
    this.note(response);
    if (status < 200) this.provisional(response, request, status);
    else if (status < 300) this.success(response, request);
    else if (status === 422 && !this.cancelling && this.timer.lengthen(response)) {
      this.start(); // RFC 4028 §7.3
    } else {
      const reason = 'reason' in response.start ? response.start.reason : '';
      const by = this.cancelling && status === 487 ? 'local' : 'failure';
      this.end({ type: 'ended', by, status, reason });
    }
  }

  private provisional(response: SipRepresentation, request: SipRepresentation, status: number): void {
    if (this.state === 'ended') return;
    if (this.heard !== request) {
      this.heard = request;
      if (this.cancelling) this.cancel();
    }
    const tag = tagOf(headerOf(response, 'To'));
    if (status === 100 || tag === undefined) return;
    const known = this.early.get(tag);
    const dialog = known?.dialog ?? Dialog.ofResponse(request, response);
    if (!dialog || (!known && this.early.size >= LIMITS.sipForks)) return;
    const leg: Leg = known ?? { dialog, rseq: 0 };
    this.early.set(tag, leg);
    this.dialog ??= dialog;
    const rseq = Number(headerOf(response, 'RSeq') ?? Number.NaN);
    const reliable = listOf(headersOf(response, 'Require')).includes('100rel') && rseq > 0;
    if (reliable) {
      if (leg.rseq !== 0 && rseq !== leg.rseq + 1) return; // RFC 3262 §4: again, or out of order
      leg.rseq = rseq;
    }
    this.state = 'ringing';
    this.take(response, leg);
    this.onEvent({ type: 'progress', status, reliable });
    if (reliable) this.confirm(rseq, request, dialog);
  }

  /** RFC 3262 §4 */
  private confirm(rseq: number, invite: SipRepresentation, dialog: Dialog): void {
    const number = parseCSeq(headerOf(invite, 'CSeq'))?.number ?? 0;
    this.unconfirmed++;
    const { onResponse, onTimeout } = this.reporting('PRACK');
    const handler = {
      onTimeout,
      onResponse: (response: SipRepresentation, request: SipRepresentation) => {
        if (statusOf(response) >= 200) this.unconfirmed--;
        onResponse(response, request);
        this.reserved();
      },
    };
    this.within('PRACK', [['RAck', `${rseq} ${number} INVITE`]], undefined, handler, dialog);
  }

  /** RFC 3311 §5.1: no other offer before the PRACK is answered. */
  protected override reserved(): void {
    if (this.unconfirmed === 0) super.reserved();
  }

  /** Nobody knows of our PRACK: who rings is told to stop. */
  protected override refused(method: string, status: number): void {
    if (this.state === 'ringing' && (status === 481 || status === 408)) this.cancel();
    super.refused(method, status);
  }

  private success(response: SipRepresentation, request: SipRepresentation): void {
    const tag = tagOf(headerOf(response, 'To')) ?? '';
    if (this.accepted && tag === this.dialog?.remoteTag) {
      this.acknowledge(response, this.dialog); // again: the ACK was lost
      return;
    }
    const leg = this.early.get(tag);
    const dialog = leg?.dialog ?? Dialog.ofResponse(request, response);
    if (!dialog) return;
    dialog.refresh(response);
    const chosen: Leg = leg ?? { dialog, rseq: 0 };
    const another = this.accepted || this.state === 'ended';
    if (!another) this.dialog = dialog;
    if (!another && !this.cancelling) this.state = 'confirmed';
    this.accepted = true;
    this.acknowledge(response, dialog);
    if (another) {
      this.bye(dialog); // another branch of a fork answered too: RFC 3261 §13.2.2.4
      return;
    }
    if (this.cancelling) {
      this.bye(); // RFC 3261 §15: answered before the CANCEL arrived
      this.end({ type: 'ended', by: 'local' });
      return;
    }
    this.timer.answered(response);
    this.offering ||= this.described !== chosen; // what another branch of a fork agreed on is over
    this.take(response, chosen);
    if (this.offering) {
      this.bye();
      this.end({ type: 'ended', by: 'failure', reason: 'no usable answer' });
      return;
    }
    this.onEvent({ type: 'answered' });
  }

  /** The answer to our offer: in the first response of a leg that carries it. RFC 3261 §13.2.1 */
  private take(response: SipRepresentation, leg: Leg): void {
    if (response.body.length > 0) leg.answer ??= response.body;
    if (!this.offering || leg.answer === undefined || !this.session.accept(leg.answer)) return;
    this.offering = false;
    this.described = leg;
    this.reserve();
    this.agreed();
  }
}
