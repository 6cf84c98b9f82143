import { headerOf, headersOf, type SipRepresentation } from '../../../dissectors/sip/index.js';
import { utf8Text } from '../../kit/index.js';
import { LIMITS } from '../../limits.js';
import type { Address } from '../address.js';
import { hexDigits, integer, octets } from '../random.js';
import { ALLOW, type Call, type CallContext, type CallEvent, SUPPORTED } from './call.js';
import { IncomingCall } from './callee.js';
import { OutgoingCall } from './caller.js';
import type { Identity } from './credentials.js';
import { Exchange, type Wallet } from './exchange.js';
import { listOf, parseNameAddress, tagOf } from './header-text.js';
import { KeepAlive, type KeepAliveEvent, keepAliveAnswer } from './keep-alive.js';
import type { IncomingRequest, SipLayer } from './layer.js';
import { Registration, type RegistrationEvent } from './registration.js';
import { type PreconditionOptions, Reservation } from './reservation.js';
import { CODECS, type CodecName, MediaSession } from './sdp.js';
import { tooBrief } from './session-timer.js';
import { statusOf } from './transaction.js';
import { isReliable, type SipPeer, samePeer } from './transport.js';

/** What happens at a user agent. */
export type UserAgentEvent =
  | { type: 'registration'; event: RegistrationEvent }
  | { type: 'incoming'; call: IncomingCall }
  | { type: 'call'; call: Call; event: CallEvent }
  | { type: 'message'; from: string; contentType: string; text: string }
  /** What came was not served. */
  | { type: 'refused'; why: string }
  | { type: 'keep-alive'; event: KeepAliveEvent; seenAs?: string };

/** Who the user agent is, and whom it speaks to. */
export interface UserAgentOptions {
  layer: SipLayer;
  identity: Identity;
  /** Public identity: `sip:alice@ims.example`. */
  impu: string;
  domain: string;
  /** P-CSCF: everything is sent there. */
  peer: SipPeer;
  /** Where RTP of a new call is received; asked for once a call. */
  mediaPort(): { address: Address; port: number };
  codecs?: readonly CodecName[];
  instance?: string;
  expires?: number;
  /** Seconds of the session timer that calls of ours ask for; 0 for none. RFC 4028 */
  sessionExpires?: number;
  /** Without it calls of ours have no preconditions, and our resources are there at once. */
  preconditions?: PreconditionOptions;
  userAgent?: string;
  onEvent(event: UserAgentEvent): void;
}

/** TS 24.229 §5.1.3.1, and what RFC 4028 §4 recommends. */
const SESSION_EXPIRES = 1800;
const AT_ONCE: PreconditionOptions = { offered: false, reserveMs: 0 };

/** Extensions that we can be required to support. */
const KNOWN = ['100rel', 'precondition', 'sec-agree', 'timer'];

/** The answer to a request outside of calls; 408 where none came. */
export type Outcome = (status: number, response?: SipRepresentation) => void;

/** A SIP user agent of an IMS subscriber. RFC 3261, TS 24.229 §5.1 */
export class UserAgent {
  readonly registration: Registration;
  readonly calls = new Set<Call>();
  private readonly wallet: Wallet;
  private readonly layer: SipLayer;
  private readonly keepAlive: KeepAlive;
  private readonly userAgent: string;
  private readonly byInvite = new Map<unknown, IncomingCall>();

  constructor(private readonly options: UserAgentOptions) {
    const { layer, identity, impu, domain, peer, expires } = options;
    this.layer = layer;
    this.wallet = { identity, challenge: undefined };
    this.userAgent = options.userAgent ?? 'fttscope';
    const instance = options.instance ?? `urn:uuid:${uuid(octets(layer.random, 16))}`;
    const contactUser = /^sips?:([^@;]+)@/.exec(impu)?.[1] ?? 'ue';
    this.registration = new Registration({
      layer,
      peer,
      wallet: this.wallet,
      impu,
      domain,
      contactUser,
      instance,
      userAgent: this.userAgent,
      ...(expires ? { expires } : {}),
      onEvent: (event) => this.onRegistration(event),
    });
    this.keepAlive = new KeepAlive({
      clock: layer.clock,
      random: layer.random,
      stream: isReliable(peer),
      send: (b) => layer.sendOctets(b, peer),
      onEvent: (event, seenAs) => this.onKeepAlive(event, seenAs),
    });
    layer.onFull = (most) =>
      options.onEvent({ type: 'refused', why: `requests: ${most} wait for their end, further ones are dropped` });
    layer.onLost = (lost, why) => {
      if (samePeer(lost, peer)) this.registration.lost(why);
    };
    layer.onRequest = (request) => this.incoming(request);
    layer.onOther = (b, from) => this.other(b, from);
  }

  register(): void {
    this.registration.register();
  }

  deregister(): void {
    this.keepAlive.stop();
    this.registration.deregister();
  }

  /** Calls somebody. Listen to its `onEvent`, or to ours. @throws RangeError without an address or ports for media */
  call(uri: string, reliable?: 'required' | 'supported' | 'none'): OutgoingCall {
    const from = this.options.impu;
    const options = { uri, from, headers: this.firstHeaders(), ...(reliable ? { reliable } : {}) };
    const call = new OutgoingCall(this.context(), this.session(), options);
    this.adopt(call);
    call.start();
    return call;
  }

  /** RFC 3428 */
  message(uri: string, text: string, outcome: Outcome = () => undefined): void {
    this.outside('MESSAGE', uri, outcome, { type: 'text/plain;charset=UTF-8', octets: new TextEncoder().encode(text) });
  }

  /** RFC 3261 §11 */
  queryOptions(uri: string, outcome: Outcome): void {
    this.outside('OPTIONS', uri, outcome);
  }

  /** Ends calls without a word, and sends nothing any more. */
  stop(): void {
    for (const call of this.calls) call.abandon();
    this.calls.clear();
    this.keepAlive.stop();
    this.registration.stop();
    this.layer.close();
  }

  /** Keep-alives of the flow that were answered. */
  get keptAlive(): number {
    return this.keepAlive.answered;
  }

  private outside(method: string, uri: string, outcome: Outcome, body?: { type: string; octets: Uint8Array }): void {
    const { random } = this.layer;
    let cseq = integer(random, 1, 10_000);
    const headers: [string, string][] = [
      ['From', `<${this.options.impu}>;tag=${hexDigits(random, 8)}`],
      ['To', `<${uri}>`],
      ['Call-ID', hexDigits(random, 32)],
      ...this.firstHeaders(),
      ['User-Agent', this.userAgent],
      ...(method === 'OPTIONS' ? [['Accept', 'application/sdp'] as [string, string]] : []),
    ];
    const plan = { method, uri, peer: this.options.peer, headers, nextCSeq: () => ++cseq, ...(body ? { body } : {}) };
    const exchange = new Exchange(this.layer, plan, this.wallet, {
      onResponse: (response) => {
        if (statusOf(response) >= 200) outcome(statusOf(response), response);
      },
      onTimeout: () => outcome(408),
    });
    exchange.start();
  }

  /** Route and identity of a request that begins something. TS 24.229 §5.1.2A.1.1 */
  private firstHeaders(): [string, string][] {
    const routes = this.registration.serviceRoute.map((r): [string, string] => ['Route', r]);
    return [...routes, ['P-Preferred-Identity', `<${this.options.impu}>`]];
  }

  private sessionOrNone(): MediaSession | undefined {
    try {
      return this.session();
    } catch (e) {
      if (e instanceof RangeError) return undefined; // no address, or no ports
      throw e;
    }
  }

  private session(): MediaSession {
    const codecs = (this.options.codecs ?? ['PCMU', 'PCMA']).map((name) => CODECS[name]);
    const reservation = new Reservation(this.options.preconditions ?? AT_ONCE);
    return new MediaSession(this.options.mediaPort(), codecs, this.layer.random, reservation);
  }

  private context(): CallContext {
    return {
      layer: this.layer,
      peer: this.options.peer,
      wallet: this.wallet,
      contact: () => this.registration.contactHeader(),
      userAgent: this.userAgent,
      sessionExpires: this.options.sessionExpires === 0 ? undefined : (this.options.sessionExpires ?? SESSION_EXPIRES),
      messaged: (request) => this.messaged(request),
      closed: (call) => {
        this.calls.delete(call);
        if (call instanceof IncomingCall) this.byInvite.delete(call.invite.transaction);
      },
    };
  }

  private adopt(call: Call): void {
    this.calls.add(call);
    call.onEvent = (event) => this.options.onEvent({ type: 'call', call, event });
  }

  private incoming(request: IncomingRequest): void {
    const { message, method } = request;
    if (method === 'CANCEL') {
      this.cancelled(request); // within a dialog, too: that of a re-INVITE
      return;
    }
    const unknown = listOf(headersOf(message, 'Require')).filter((t) => !KNOWN.includes(t));
    if (unknown.length > 0 && method !== 'ACK') {
      this.layer.respond(request, 420, [['Unsupported', unknown.join(', ')]]); // RFC 3261 §8.2.2.3
      return;
    }
    if (tagOf(headerOf(message, 'To')) !== undefined) {
      const call = [...this.calls].find((c) => c.dialog?.owns(message));
      if (call) call.handle(request);
      else if (method !== 'ACK') this.layer.respond(request, 481); // RFC 3261 §12.2.2
      return;
    }
    if (method === 'INVITE') this.invited(request);
    else if (method === 'OPTIONS')
      this.layer.respond(request, 200, [
        ['Allow', ALLOW],
        ['Supported', SUPPORTED],
      ]);
    else if (method === 'MESSAGE') this.messaged(request);
    else if (method === 'BYE' || method === 'PRACK' || method === 'UPDATE') this.layer.respond(request, 481);
    else if (method !== 'ACK') this.layer.respond(request, 405, [['Allow', ALLOW]]);
  }

  private invited(request: IncomingRequest): void {
    if ([...this.calls].some((c) => c instanceof IncomingCall && c.isOf(request))) {
      this.layer.respond(request, 482); // RFC 3261 §8.2.2.2: it came by another way already
      return;
    }
    const brief = tooBrief(request.message);
    if (brief !== undefined) {
      this.layer.respond(request, 422, brief);
      return;
    }
    const isFull = this.calls.size >= LIMITS.sipCalls;
    const session = isFull ? undefined : this.sessionOrNone();
    if (session === undefined) {
      this.layer.respond(request, 486);
      const from = parseNameAddress(headerOf(request.message, 'From') ?? '')?.uri ?? 'somebody';
      const why = isFull ? `there are ${LIMITS.sipCalls} calls` : 'there is no address or port for its media';
      this.options.onEvent({ type: 'refused', why: `call from ${from}: ${why}` });
      return;
    }
    this.layer.respond(request, 100);
    const call = new IncomingCall(this.context(), session, request);
    this.adopt(call);
    this.byInvite.set(request.transaction, call);
    this.options.onEvent({ type: 'incoming', call });
  }

  private cancelled(request: IncomingRequest): void {
    const invite = this.layer.cancelled(request);
    this.layer.respond(request, invite ? 200 : 481);
    this.byInvite.get(invite)?.cancelled();
  }

  private messaged(request: IncomingRequest): void {
    this.layer.respond(request, 200);
    const { body } = request.message;
    this.options.onEvent({
      type: 'message',
      from: parseNameAddress(headerOf(request.message, 'From') ?? '')?.uri ?? '',
      contentType: headerOf(request.message, 'Content-Type') ?? '',
      text: utf8Text(body, 0, body.length),
    });
  }

  private onRegistration(event: RegistrationEvent): void {
    if (event.type === 'registered') this.keepAlive.start(event.keepSeconds);
    if (event.type === 'failed' || event.type === 'deregistered') this.keepAlive.stop();
    this.options.onEvent({ type: 'registration', event });
  }

  /** RFC 5626 §4.4.1, §4.4.2: with the flow gone, or its address, the registration is made anew, and over another connection. */
  private onKeepAlive(event: KeepAliveEvent, seenAs?: string): void {
    this.options.onEvent({ type: 'keep-alive', event, ...(seenAs !== undefined && { seenAs }) });
    if (event === 'failed') this.layer.drop(this.options.peer, 'a keep-alive was not answered');
    if (event !== 'answered') this.registration.register();
  }

  private other(b: Uint8Array, from: SipPeer): void {
    if (this.keepAlive.receive(b)) return;
    const answer = keepAliveAnswer(b, from);
    if (answer) this.layer.sendOctets(answer, from);
  }
}

/** RFC 9562 §5.4, version 4. */
function uuid(b: Uint8Array): string {
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const h = Buffer.from(b).toString('hex');
  return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join('-');
}
