import type { SipMessage } from '../../dissectors/sip/index.js';
import { append } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { SubscriberSecrets } from './aka.js';
import { IMS_ANSWER_MS } from './answer-time.js';
import { Bindings } from './bindings.js';
import { Call } from './call.js';
import type { ClockSteps } from './clock.js';
import { EarlyAnswers } from './early-answers.js';
import type { MessageEntity } from './entities.js';
import type { Content } from './events.js';
import {
  type Exchange,
  follow,
  followState,
  messageExchange,
  type Subscription,
  subscriptionExchange,
} from './exchanges.js';
import { Live } from './live.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';
import { Registration } from './registration.js';
import { SipEvent, SipKnown } from './sip-event.js';

/** RFC 3261 §18.1.1: longer requests want a transport with congestion control. */
const MOST_UDP = 1300;

/**
 * Whether a MESSAGE is another one of the same Call-ID and CSeq, as of programs that make them up: it comes long after
 * anybody sends one again, or from another UE.
 */
const isRepeated = ({ entity: m, end }: Exchange<MessageEntity>, at: Arrival, e: SipEvent): boolean =>
  e.isRequest &&
  (millis(end, at) > IMS_ANSWER_MS ||
    (at.up && at.tunnel !== 0 && m.direction === 'up' && m.tunnel !== at.tunnel && m.status !== undefined));

/** What could be seen of something. */
export interface Sight {
  /** The files in which a tunnel, or what began outside of them, was seen. */
  files(tunnel: number, start: Seen): ReadonlySet<number>;
  /** When the capture that these files are part of ended. */
  end(files: Iterable<number>): Moment;
  /** Until when anything of what runs in these tunnels, or began outside of them, could be heard. */
  heard(tunnels: Iterable<number>, start: Seen): Moment;
}

/** The SIP of a capture: registrations, calls, messages, subscriptions, over every transport and tunnel. */
export class Signalling {
  readonly registrations: Registration[] = [];
  readonly calls = new Live<Call>();
  readonly messages: Exchange<MessageEntity>[] = [];
  readonly subscriptions: Subscription[] = [];
  /** First request over UDP that is too long for it, by tunnel. */
  readonly tooLong = new Map<number, Seen>();
  private readonly bindings: Bindings;
  private readonly known = new SipKnown();
  private readonly early = new EarlyAnswers(this.known);
  private readonly callsById = new Map<string, Call>();
  /** By the TCP connection inside a tunnel: the call whose INVITE it carried last. */
  private readonly byConnection = new Map<string, Call>();
  private readonly registrationsByKey = new Map<string, Registration>();
  private readonly registrationsByTunnel = new Map<number, Registration[]>();
  private readonly registrationsByName = new Map<string, Registration>();
  private readonly messagesById = new Map<string, Exchange<MessageEntity>>();
  private readonly subscriptionsById = new Map<string, Subscription>();

  /**
   * @param reached is told of what does not fit
   * @param secrets keys of subscribers, where there are any
   */
  constructor(
    private readonly reached: ReachedLimits,
    private readonly secrets?: SubscriberSecrets,
  ) {
    this.bindings = new Bindings(reached);
  }

  /** Takes what came on a port of SIP; returns the message, undefined for a keep-alive. */
  take(at: Arrival, c: Content, read?: SipMessage): SipEvent | undefined {
    const e = SipEvent.of(c, this.known, read);
    if (e === undefined) return undefined;
    if (!c.stream && e.isRequest && e.octets > MOST_UDP && !this.tooLong.has(at.tunnel))
      this.tooLong.set(at.tunnel, at.seen());
    if (c.end < c.wireEnd && e.callId === '') return e; // nobody knows which dialog it is of
    const { method } = e;
    if (method === 'REGISTER') this.register(at, e);
    else if (method === 'MESSAGE') this.message(at, e);
    else if (method === 'NOTIFY' && this.callsById.has(e.callId))
      this.dialog(at, e); // RFC 3515 §2.4.6
    else if (method === 'SUBSCRIBE' || method === 'NOTIFY' || method === 'PUBLISH') this.subscription(at, e);
    else this.dialog(at, e);
    return e;
  }

  /** The call with this Call-ID; of several that of a tunnel, and else the last. */
  call(callId: string, tunnel: number): Call | undefined {
    const last = this.callsById.get(callId);
    if (last?.older === undefined) return last;
    for (let c: Call | undefined = last; c !== undefined; c = c.older)
      if (tunnel === 0 ? c.tunnels.size === 0 : c.tunnels.has(tunnel)) return c;
    return last;
  }

  /** The registrations in a tunnel. */
  registrationsIn(tunnel: number): readonly Registration[] {
    return this.registrationsByTunnel.get(tunnel) ?? [];
  }

  /** Whether a call has this Call-ID. */
  has(callId: string): boolean {
    return this.callsById.has(callId);
  }

  /** A call is followed no longer: what is still heard of it is nothing new. */
  forget(call: Call): void {
    this.calls.remove(call);
    if (this.byConnection.get(call.carrier) === call) this.byConnection.delete(call.carrier);
    const last = this.callsById.get(call.callId);
    if (last === call) {
      if (call.older === undefined) this.callsById.delete(call.callId);
      else this.callsById.set(call.callId, call.older);
      return;
    }
    for (let c = last; c !== undefined; c = c.older) if (c.older === call) c.older = call.older;
  }

  private register(at: Arrival, e: SipEvent): void {
    const { callId } = e;
    const aor = e.to.uri;
    const key = `${at.tunnel} ${callId} ${aor}`;
    let r = this.registrationsByKey.get(key) ?? this.sameElsewhere(at, e, key);
    if (e.isRequest && r?.isRepeated(at, e) === true) r = undefined;
    if (r !== undefined && r.tunnel !== 0 && at.tunnel === 0) return; // seen behind the EFTF once more
    if (r === undefined) {
      if (!e.isRequest) this.early.keep(at, e);
      if (!e.isRequest || !this.room(this.registrations.length)) return;
      const { reached, secrets } = this;
      const id = this.registrations.length + 1;
      const name = `${callId} ${aor}`;
      const isAnother = this.registrationsByName.has(name);
      r = new Registration(id, at.tunnel, aor, callId, at, e.content.from, reached, secrets, isAnother);
      this.registrations.push(r);
      if (at.tunnel !== 0) append(this.registrationsByTunnel, at.tunnel, r);
      this.registrationsByKey.set(key, r);
      this.registrationsByName.set(name, r);
    }
    if (!e.isRequest) this.answered(r, at, e);
    else {
      r.request(at, e);
      const early = this.early.answerTo(at, e);
      if (early !== undefined) this.answered(r, early.at, early.event);
    }
  }

  private answered(r: Registration, at: Arrival, e: SipEvent): void {
    if (!r.hasAsked(e)) this.early.keep(at, e);
    const accepted = r.response(at, e);
    if (accepted !== undefined) this.bindings.accepted(r, accepted);
  }

  /** The registration that this one is, seen in the tunnel and behind it: it belongs to the tunnel. */
  private sameElsewhere(at: Arrival, e: SipEvent, key: string): Registration | undefined {
    const name = `${e.callId} ${e.to.uri}`;
    const r = this.registrationsByName.get(name);
    const client = e.isRequest ? e.content.from : e.content.to;
    if (r === undefined || r.source !== client || (r.tunnel !== 0 && at.tunnel !== 0)) return undefined;
    if (r.tunnel === 0) {
      r.tunnel = at.tunnel;
      append(this.registrationsByTunnel, at.tunnel, r);
      this.registrationsByKey.set(key, r);
    }
    return r;
  }

  private room(kept: number): boolean {
    if (kept < LIMITS.dialogs) return true;
    this.reached.capped('dialogs');
    return false;
  }

  private dialog(at: Arrival, e: SipEvent): void {
    const { callId } = e;
    let call = this.call(callId, at.tunnel);
    // RFC 3261 §8.1.1.4: no two calls have one; some phones do not mind.
    const isAnother = call !== undefined && ((call.isOver && call.isForeign(e)) || call.isRepeated(at, e));
    if (call === undefined || isAnother) {
      // What is seen of a call that began before the capture is its own affair until it invites again.
      if (!e.isRequest || e.method !== 'INVITE' || !this.room(this.calls.size)) return;
      call = new Call(this.calls.total + 1, callId, at, e, this.reached, this.callsById.get(callId));
      this.calls.add(call);
      this.callsById.set(callId, call);
    }
    const before = call.answer;
    call.take(at, e);
    if (e.isRequest && e.method === 'INVITE' && e.content.stream && at.tunnel !== 0) this.carried(at, e.content, call);
    if (before === null && call.answer !== null) this.replaced(call);
  }

  /** Notes on which connection an INVITE was sent: an answer to it comes there, or not at all once that is gone. */
  private carried({ tunnel }: Arrival, c: Content, call: Call): void {
    const { byConnection } = this;
    if (byConnection.get(call.carrier) === call) byConnection.delete(call.carrier);
    if (byConnection.size >= LIMITS.transactions) {
      this.reached.capped('transactions');
      byConnection.delete(byConnection.keys().next().value!);
    }
    call.carrier = `${tunnel} ${c.from} ${c.sport} ${c.to} ${c.dport}`;
    byConnection.set(call.carrier, call);
  }

  /** A connection inside a tunnel was reset, by either side. RFC 3261 §8.1.3.1 */
  reset(at: Arrival, { from, sport, to, dport }: Content): void {
    const sent = this.byConnection.get(`${at.tunnel} ${from} ${sport} ${to} ${dport}`);
    const met = this.byConnection.get(`${at.tunnel} ${to} ${dport} ${from} ${sport}`);
    (sent ?? met)?.cutShort(at.seen(), at.up);
  }

  /** A call that is answered takes the place of another, which is ended next. RFC 3891 §3 */
  private replaced({ callId, features }: Call): void {
    const { replaces } = features;
    const other = replaces === undefined || replaces === callId ? undefined : this.callsById.get(replaces);
    if (other !== undefined) other.features.replacedBy = callId;
  }

  private message(at: Arrival, e: SipEvent): void {
    const key = `${e.callId} ${e.cseq}`;
    let m = this.messagesById.get(key);
    if (m === undefined || isRepeated(m, at, e)) {
      if (!e.isRequest || !this.room(this.messages.length)) return;
      m = messageExchange(this.messages.length + 1, at, e);
      this.messages.push(m);
      this.messagesById.set(key, m);
    }
    follow(m, at, e, this.reached);
  }

  private subscription(at: Arrival, e: SipEvent): void {
    const { callId } = e;
    let s = this.subscriptionsById.get(callId);
    if (s === undefined) {
      if (!e.isRequest || !this.room(this.subscriptions.length)) return;
      s = subscriptionExchange(this.subscriptions.length + 1, at, e);
      this.subscriptions.push(s);
      this.subscriptionsById.set(callId, s);
    }
    follow(s, at, e, this.reached);
    followState(s, e);
    if (e.method === 'NOTIFY') this.bindings.notified(e, at);
  }

  /** @param sight until when anything of what began somewhere could be heard */
  finish(sight: Sight, clock: ClockSteps): void {
    const heard = (r: Registration): Moment => sight.heard([r.tunnel], r.start);
    for (const r of this.registrations) {
      const files = sight.files(r.tunnel, r.start);
      r.finish(sight.end(files), heard(r), clock, files);
    }
    this.bindings.finish(this.registrations, heard);
    for (const c of this.calls) c.finish(sight.heard(c.tunnels, c.start));
  }
}
