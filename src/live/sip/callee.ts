import { headerOf, headersOf } from '../../../dissectors/sip/index.js';
import type { Cancel } from '../clock.js';
import { hexDigits, integer } from '../random.js';
import { Call, type CallContext } from './call.js';
import { Dialog } from './dialog.js';
import { listOf, parseCSeq, parseNameAddress, tagOf } from './header-text.js';
import type { IncomingRequest } from './layer.js';
import type { MediaSession } from './sdp.js';

/** A call that somebody makes to us. RFC 3261 §13.3, RFC 3262 §3, RFC 3312 §5.2 */
export class IncomingCall extends Call {
  readonly callId: string;
  /** Who calls. */
  readonly from: string;
  private readonly toTag: [string, string];
  /** What responses carry that make the dialog. RFC 3261 §12.1.1 */
  private readonly making: [string, string][];
  private readonly cseq: number;
  private rseq: number;
  /** A reliable provisional response that waits for its PRACK. */
  private unconfirmed: { rseq: number; described: boolean; cancel: Cancel } | undefined;
  /** What is to be done once nothing is waited for. */
  private ringing = false;
  private answering = false;
  private description: Uint8Array | undefined;
  /** Whether the caller has confirmed our description: the final answer goes without it. RFC 3261 §13.2.1 */
  private delivered = false;

  constructor(
    cx: CallContext,
    session: MediaSession,
    readonly invite: IncomingRequest,
  ) {
    super(cx, session, 'incoming');
    const { random } = cx.layer;
    const tag = hexDigits(random, 8);
    this.toTag = ['To', `${headerOf(invite.message, 'To')};tag=${tag}`];
    const routes = headersOf(invite.message, 'Record-Route').map((v): [string, string] => ['Record-Route', v]);
    this.making = [this.toTag, ...routes];
    this.dialog = Dialog.ofRequest(invite.message, tag);
    this.callId = this.dialog.callId;
    this.from = parseNameAddress(this.dialog.remoteName)?.uri ?? '';
    this.cseq = parseCSeq(headerOf(invite.message, 'CSeq'))?.number ?? 0;
    this.rseq = integer(random, 1, 100_000);
    this.note(invite.message);
    if (invite.transaction) invite.transaction.onNoAck = () => this.end({ type: 'ended', by: 'failure', status: 408 });
  }

  protected get initiated(): boolean {
    return false;
  }

  /** Whether the caller takes, or wants, reliable provisional responses. */
  private get reliable(): boolean {
    const tags = [...headersOf(this.invite.message, 'Supported'), ...headersOf(this.invite.message, 'Require')];
    return listOf(tags).includes('100rel');
  }

  /** Whether resources of either side are not there yet: nobody may be alerted. RFC 3312 §6 */
  private get blocked(): boolean {
    if (!this.reliable || this.invite.message.body.length === 0) return false;
    return this.describe() !== undefined && this.session.reservation?.waiting === true;
  }

  /**
   * Says that it rings (180), or what it plays meanwhile (183 with a session). Reliably where the caller can; where
   * resources are missing, a 183 goes first.
   */
  ring(status: 180 | 183 = 180): void {
    if (this.state === 'ended' || this.state === 'confirmed') return;
    if (status === 180 && this.blocked) {
      this.ringing = true;
      if (!this.delivered && !this.unconfirmed) this.say(183);
    } else if (!this.unconfirmed) this.say(status);
  }

  private say(status: 180 | 183): void {
    this.state = 'ringing';
    const headers: [string, string][] = [...this.making, ['Contact', this.cx.contact()]];
    const octets = status === 183 ? this.describe() : undefined;
    const body = octets && { type: 'application/sdp', octets };
    if (!this.reliable) {
      this.cx.layer.respond(this.invite, status, headers, body);
      return;
    }
    const rseq = ++this.rseq;
    const full: [string, string][] = [...headers, ['Require', '100rel'], ['RSeq', String(rseq)]];
    this.unconfirmed = { rseq, described: body !== undefined, cancel: () => undefined };
    this.repeat(this.cx.layer.timers.t1, this.cx.layer.clock.now(), () =>
      this.cx.layer.respond(this.invite, status, full, body),
    );
  }

  /** Picks up; after the PRACK where one is awaited. */
  answer(): void {
    if (this.state === 'ended' || this.state === 'confirmed') return;
    this.answering = true;
    if (this.blocked) {
      this.ring();
      return;
    }
    if (this.unconfirmed) return; // RFC 3262 §3: not before what rings is confirmed
    const octets = this.describe();
    if (octets === undefined) {
      this.reject(488);
      return;
    }
    this.state = 'confirmed';
    this.answerInvite(this.invite, this.cseq, this.delivered ? undefined : octets, this.making);
    this.onEvent({ type: 'answered' });
    if (!this.offering) this.agreed();
  }

  /** Refuses, or stops ringing. */
  reject(status = 486): void {
    if (this.state === 'ended' || this.state === 'confirmed') return;
    this.forget();
    this.cx.layer.respond(this.invite, status, [this.toTag]);
    this.end({ type: 'ended', by: 'local', status });
  }

  /** Ends the call; once it was answered, not before the ACK: RFC 3261 §15. */
  hangUp(): void {
    if (this.state !== 'confirmed') {
      this.reject(603);
      return;
    }
    this.onceAcknowledged(() => {
      this.bye();
      this.end({ type: 'ended', by: 'local' });
    });
  }

  /** Whether a request is the INVITE of this call, or came from it by another way. RFC 3261 §8.2.2.2 */
  isOf({ message }: IncomingRequest): boolean {
    const { callId, cseq, dialog } = this;
    const number = parseCSeq(headerOf(message, 'CSeq'))?.number ?? 0;
    return (
      headerOf(message, 'Call-ID') === callId &&
      number === cseq &&
      tagOf(headerOf(message, 'From')) === dialog?.remoteTag
    );
  }

  /** The caller took the call back. RFC 3261 §9.2 */
  cancelled(): void {
    if (this.state === 'ended' || this.state === 'confirmed') return;
    this.forget();
    this.cx.layer.respond(this.invite, 487, [this.toTag]);
    this.end({ type: 'ended', by: 'remote', status: 487 });
  }

  override abandon(): void {
    super.abandon();
    this.forget();
  }

  protected override serve(request: IncomingRequest, cseq: number): void {
    if (request.method === 'PRACK') this.confirmed(request);
    else {
      // RFC 3261 §15.1.2: a BYE in an early dialog ends the INVITE too
      if (request.method === 'BYE' && this.state !== 'confirmed') {
        this.forget();
        this.cx.layer.respond(this.invite, 487, [this.toTag]);
      }
      super.serve(request, cseq);
    }
  }

  /** RFC 3262 §3 */
  private confirmed(request: IncomingRequest): void {
    const [rseq, cseq, method] = (headerOf(request.message, 'RAck') ?? '').trim().split(/\s+/);
    const pending = this.unconfirmed;
    if (!pending || Number(rseq) !== pending.rseq || Number(cseq) !== this.cseq || method !== 'INVITE') {
      this.cx.layer.respond(request, 481);
      return;
    }
    this.delivered ||= pending.described;
    this.forget();
    this.cx.layer.respond(request, 200);
    if (this.offering && request.message.body.length > 0 && this.session.accept(request.message.body)) {
      this.offering = false;
      this.agreed();
    }
    this.reserved();
  }

  /** Tells the caller of our resources, and goes on with what waited for them or for a PRACK. */
  protected override reserved(): void {
    if (this.unconfirmed || this.state === 'confirmed') return;
    super.reserved();
    if (this.blocked) return;
    if (this.ringing) {
      this.ringing = false;
      this.say(180);
    }
    if (this.answering) this.answer();
  }

  /** Our side of the session: the answer to the offer, or an offer where there is none. */
  private describe(): Uint8Array | undefined {
    if (this.description) return this.description;
    const { body } = this.invite.message;
    const octets = body.length > 0 ? this.session.answer(body) : this.session.offer();
    this.offering = body.length === 0;
    this.description = octets;
    this.reserve();
    return octets;
  }

  /** RFC 3262 §3: doubled times without a limit of T2, until 64 T1. */
  private repeat(wait: number, since: number, send: () => void): void {
    const { clock, timers } = this.cx.layer;
    if (!this.unconfirmed) return;
    this.unconfirmed.cancel = clock.after(wait, () => {
      if (clock.now() - since >= 64 * timers.t1) {
        this.forget();
        this.cx.layer.respond(this.invite, 504, [this.toTag]);
        this.end({ type: 'ended', by: 'failure', status: 504, reason: 'no PRACK' });
      } else this.repeat(2 * wait, since, send);
    });
    send();
  }

  private forget(): void {
    this.unconfirmed?.cancel();
    this.unconfirmed = undefined;
  }
}
