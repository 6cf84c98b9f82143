import { Header, headerId } from '../../dissectors/sip/index.js';
import { isChallenge } from '../../dissectors/sip/status.js';
import { RP_CAUSES } from '../../dissectors/sms/values.js';
import { ofNumber, oneOf, ours, UNTOLD, type Words, words } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { ANSWER_MS, awaited } from './answer-time.js';
import type { MessageEntity, SmsEntry, SubscriptionEntity } from './entities.js';
import type { Findings, Ref, Remark } from './findings.js';
import { type Arrival, isBefore, later, type Moment, millis, type Seen } from './moment.js';
import { refusalOf } from './refusal.js';
import type { SipEvent } from './sip-event.js';
import { EVENTS } from './standard-words.js';
import { uid } from './uid.js';

const SUBSCRIPTION_STATE = headerId('Subscription-State');
/** Timer TR1N of TS 24.011 §10: so long the network waits for the report of an RP-DATA. */
const REPORT_MS = 40_000;

/** A MESSAGE or a subscription as it goes on. */
export interface Exchange<E> {
  readonly entity: E;
  readonly start: Seen;
  /** Of its answer. */
  answered: Seen | null;
  /** The status of an answer that refuses it, and what that says beside it. */
  said: Words;
  end: Seen;
}

/** A subscription, and how long it was granted. */
export interface Subscription extends Exchange<SubscriptionEntity> {
  /** What the last answer or NOTIFY granted: from when on, and for how many seconds. RFC 6665 §4.1.3 */
  granted: { readonly at: Seen; readonly seconds: number } | null;
  /** The last SUBSCRIBE that asks for more of it. */
  asked: Seen | null;
  /** When it ended: a SUBSCRIBE ended it (Expires 0), or the notifier did. */
  ended: Seen | null;
  /** Its notifier ended it for want of a refresh. RFC 6665 §4.1.3 */
  isTimedOut: boolean;
}

/** RPDUs by their message type indicator: odd ones come from the network. TS 24.011 §8.2.2 */
const RP = ['RP-DATA', 'RP-DATA', 'RP-ACK', 'RP-ACK', 'RP-ERROR', 'RP-ERROR', 'RP-SMMA'] as const;
const ERROR = 4;

/** What a body of `application/vnd.3gpp.sms` is (TS 24.341 §5.3.1): kind, reference, cause of an RP-ERROR. */
function shortMessage(e: SipEvent): SmsEntry | undefined {
  const b = e.body;
  const name = b.length < 2 ? undefined : RP[b[0] & 7];
  if (e.mediaType !== 'application/vnd.3gpp.sms' || name === undefined) return undefined;
  const error = (b[0] & 6) === ERROR && b.length >= 4;
  return { rp: name, reference: b[1], ...(error && { cause: b[3] & 0x7f }) };
}

/** What a MESSAGE begins. RFC 3428 */
export function messageExchange(id: number, at: Arrival, e: SipEvent): Exchange<MessageEntity> {
  const start = at.seen();
  const sms = shortMessage(e);
  return {
    start,
    end: start,
    answered: null,
    said: UNTOLD,
    entity: {
      id,
      uid: uid('message', e.callId, e.cseq),
      ...(at.tunnel !== 0 && { tunnel: at.tunnel, direction: at.up ? ('up' as const) : ('down' as const) }),
      callId: e.callId,
      start,
      fromUri: e.from.uri,
      toUri: e.to.uri,
      ...(e.mediaType !== '' && { contentType: e.mediaType }),
      ...(sms !== undefined && { sms }),
      rows: [],
    },
  };
}

/** What a SUBSCRIBE begins. RFC 6665 §4.1 */
export function subscriptionExchange(id: number, at: Arrival, e: SipEvent): Subscription {
  const event = e.text(Header.Event)?.split(';')[0].trim();
  const start = at.seen();
  return {
    start,
    end: start,
    answered: null,
    said: UNTOLD,
    granted: null,
    asked: null,
    ended: null,
    isTimedOut: false,
    entity: {
      id,
      uid: uid('subscription', e.callId),
      ...(at.tunnel !== 0 && { tunnel: at.tunnel }),
      callId: e.callId,
      start,
      method: e.method === 'NOTIFY' || e.method === 'PUBLISH' ? e.method : 'SUBSCRIBE',
      ...(event !== undefined && { event }),
      fromUri: e.from.uri,
      toUri: e.to.uri,
      rows: [],
    },
  };
}

/** Lists the row; a response to something else than a NOTIFY says how it went. */
export function follow(
  x: Exchange<MessageEntity | SubscriptionEntity>,
  at: Arrival,
  e: SipEvent,
  reached: ReachedLimits,
): void {
  const { entity } = x;
  x.end = at.seen();
  if (entity.rows.length < LIMITS.exchangeMessages) entity.rows.push(at.row);
  else reached.capped('exchangeMessages');
  if (e.isRequest || e.status < 200 || e.method === 'NOTIFY') return;
  entity.status = e.status;
  entity.responseRow = at.row;
  if (e.status >= 300) x.said = refusalOf(e);
  x.answered ??= x.end;
}

/** What else messages say of a subscription: RFC 6665 §4.1, §8.2.3. */
export function followState(x: Subscription, e: SipEvent): void {
  const { entity } = x;
  followTime(x, e);
  if (e.method === 'SUBSCRIBE') entity.method = 'SUBSCRIBE';
  if (e.status === 481 && e.method !== 'PUBLISH') entity.state = 'terminated';
  if (e.method === 'NOTIFY' && e.isRequest) {
    entity.notifications = (entity.notifications ?? 0) + 1;
    const state = e.text(SUBSCRIPTION_STATE);
    const m = /^\s*([\w-]+)/.exec(state ?? '');
    if (m !== null) entity.state = m[1].toLowerCase();
    const reason = /;\s*reason\s*=\s*([\w-]+)/i.exec(state ?? '')?.[1];
    if (reason !== undefined) entity.reason = reason;
    else delete entity.reason;
  } else if (!e.isRequest && e.status >= 200 && e.status < 300 && e.method !== 'NOTIFY') {
    const seconds = e.seconds(Header.Expires);
    if (seconds !== undefined) entity.expiresSeconds = seconds;
  }
}

/** How long it lasts. Whoever asks for nothing (Expires 0) wants its end. RFC 6665 §4.1.2.3 */
function followTime(x: Subscription, e: SipEvent): void {
  const at = x.end;
  if (e.method === 'SUBSCRIBE' && e.isRequest) {
    if (e.seconds(Header.Expires) === 0) x.ended ??= at;
    else {
      x.asked = at;
      x.ended = null;
    }
  } else if (e.method === 'SUBSCRIBE' && e.status >= 200 && e.status < 300) {
    const seconds = e.seconds(Header.Expires);
    if (seconds !== undefined) x.granted = { at, seconds };
  } else if (e.method === 'SUBSCRIBE' && e.status === 481) x.ended ??= at;
  else if (e.method === 'NOTIFY' && e.isRequest) {
    const state = e.text(SUBSCRIPTION_STATE) ?? '';
    const seconds = /;\s*expires\s*=\s*(\d{1,10})/i.exec(state)?.[1];
    if (/^\s*terminated\b/i.test(state)) {
      x.isTimedOut = x.ended === null && /;\s*reason\s*=\s*timeout\b/i.test(state);
      x.ended ??= at;
    } else if (seconds !== undefined) x.granted = { at, seconds: Number(seconds) };
  }
}

type Until = (tunnel: number | undefined, start: Seen) => Moment;

/** Nothing is broken where nobody is there, or does not want it. */
const ABSENT: ReadonlySet<number> = new Set([404, 410, 480, 486, 600, 603, 604]);

const refsOf = ({ tunnel }: { readonly tunnel?: number }): Ref[] =>
  tunnel === undefined ? [] : [{ kind: 'tunnel', id: tunnel }];

/**
 * The RP-DATA whose report came: RP-ACK or RP-ERROR from the other side, of the same reference, which later ones take up
 * again. TS 24.011 §7.3.1
 */
function reportedOf(all: readonly Exchange<MessageEntity>[]): Set<MessageEntity> {
  const waiting = new Map<string, MessageEntity>();
  const reported = new Set<MessageEntity>();
  for (const { entity: m } of all) {
    const { sms, tunnel, direction } = m;
    if (sms === undefined || sms.rp === 'RP-SMMA') continue;
    const from = sms.rp === 'RP-DATA' ? direction : direction === 'up' ? 'down' : 'up';
    const key = `${tunnel} ${from} ${sms.reference}`;
    const data = waiting.get(key);
    if (sms.rp === 'RP-DATA') waiting.set(key, m);
    else if (data !== undefined) reported.add(data);
  }
  return reported;
}

/**
 * Judges messages; `all` are in the order in which they came.
 * @param until when anything of what runs in a tunnel, or outside of them, could be heard
 */
export function judgeMessages(all: readonly Exchange<MessageEntity>[], until: Until, findings: Findings): void {
  const reported = reportedOf(all);
  for (const x of all) {
    const { entity: m } = x;
    const end = until(m.tunnel, x.start);
    const raise = (code: string, detail: Words, remark: Remark = {}): void =>
      findings.raise(code, x.answered ?? x.start, refsOf(m), { detail, ...remark });
    if (m.status !== undefined && m.status >= 400 && !isChallenge(m.status))
      raise('message.failed', words`The answer was ${x.said}`, ABSENT.has(m.status) ? { severity: 'note' } : {});
    if (x.answered === null && millis(x.start, end) >= ANSWER_MS) {
      const which = m.direction === 'down' ? ours`It went to the UE.` : ours`It came from the UE.`;
      findings.raise('message.no-answer', x.start, refsOf(m), awaited(x.start, end, 0, which));
    }
    if (m.sms?.cause !== undefined) {
      const name = ofNumber(m.sms.cause, (n) => (RP_CAUSES[n] === undefined ? '' : `: ${RP_CAUSES[n]}`));
      raise('sms.error', words`The cause is ${m.sms.cause}${name}.`);
    }
    if (m.sms?.rp !== 'RP-DATA' || m.direction === undefined || m.status === undefined || m.status >= 300) continue;
    if (!reported.has(m) && millis(x.start, end) >= REPORT_MS)
      raise('sms.no-report', words`The reference is ${m.sms.reference}.`);
  }
}

/**
 * Judges subscriptions and publications: those that were refused, and those that nothing came of.
 * @param until when anything of what runs in a tunnel, or outside of them, could be heard
 */
export function judgeSubscriptions(
  all: readonly Exchange<SubscriptionEntity>[],
  until: Until,
  findings: Findings,
): void {
  const accepted = new Map<string, number>();
  for (const [i, { entity }] of all.entries())
    if (entity.status !== undefined && entity.status < 300) accepted.set(kindOf(entity), i);
  for (const [i, x] of all.entries()) {
    const { status, method, event = '', notifications, tunnel } = x.entity;
    const end = until(tunnel, x.start);
    const which = event === '' ? ours`for something` : words`for ${oneOf(event, EVENTS)}`;
    // Outside of tunnels a NOTIFY may go another way.
    const isUrgent = event === 'reg' && method === 'SUBSCRIBE' && x.entity.tunnel !== undefined;
    const mild = isUrgent ? {} : ({ severity: 'note' } as const);
    if (method !== 'NOTIFY' && x.answered === null && millis(x.start, end) >= ANSWER_MS)
      findings.raise('subscription.no-answer', x.start, refsOf(x.entity), {
        ...awaited(x.start, end, 0, words`The ${method === 'PUBLISH' ? 'PUBLISH' : 'SUBSCRIBE'} was ${which}.`),
        ...mild,
      });
    const isAccepted = method === 'SUBSCRIBE' && x.answered !== null && status !== undefined && status < 300;
    if (isAccepted && notifications === undefined && millis(x.answered!, end) >= ANSWER_MS)
      findings.raise('subscription.no-notify', x.answered!, refsOf(x.entity), {
        ...awaited(x.answered!, end, 0, words`The subscription was ${which}.`), // timer N, RFC 6665 §4.1.2.4
        ...mild,
      });
    if (status === undefined || status < 400 || isChallenge(status)) continue;
    if (method === 'PUBLISH') {
      const detail = words`The answer was ${x.said}`;
      findings.raise('publication.failed', x.answered ?? x.start, refsOf(x.entity), { detail });
    } else
      findings.raise('subscription.failed', x.answered ?? x.start, refsOf(x.entity), {
        detail: words`The answer to ${event === '' ? 'the request' : words`the one for ${oneOf(event, EVENTS)}`} was ${x.said}`,
        // A later one takes its place, as where the network no longer knows the first. RFC 6665 §4.1.2.2
        ...((event !== 'reg' || (accepted.get(kindOf(x.entity)) ?? -1) > i) && { severity: 'note' }),
      });
  }
}

/** Subscriptions of one kind take the place of each other. */
const kindOf = ({ tunnel, event, method }: SubscriptionEntity): string => `${tunnel} ${method} ${event}`;

/**
 * Judges subscriptions that ran out although they were wanted.
 * @param until when those of a tunnel were wanted, and something could be heard of them
 */
export function judgeLapses(
  all: readonly Subscription[],
  until: (tunnel: number, start: Seen) => Moment,
  findings: Findings,
): void {
  const last = new Map<string, Subscription>();
  for (const x of all) if (x.granted !== null) last.set(kindOf(x.entity), x);
  for (const x of all) {
    const { method, tunnel, event = '' } = x.entity;
    const { start, granted, asked, ended, isTimedOut } = x;
    // One that was asked for again elsewhere goes on there.
    if (tunnel === undefined || method !== 'SUBSCRIBE' || granted === null || last.get(kindOf(x.entity)) !== x)
      continue;
    const lapse = later(granted.at, granted.seconds);
    if ((ended !== null && !isTimedOut) || millis(lapse, until(tunnel, start)) < ANSWER_MS) continue;
    const which = event === '' ? ours`something` : oneOf(event, EVENTS);
    const tried = asked !== null && isBefore(granted.at, asked) ? ' A refresh was sent, and not accepted.' : '';
    findings.raise('subscription.expired', granted.at, refsOf(x.entity), {
      detail: words`The one for ${which} was granted for ${granted.seconds} s from then on.${tried}`,
      lasted: { from: granted.at, to: until(tunnel, start), leastMs: granted.seconds * 1000 },
      ...(event !== 'reg' && { severity: 'note' }),
    });
  }
}
