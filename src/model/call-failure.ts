import { ofNumber, oneOf, ours, type Words, words } from '../kit/index.js';
import type { CallFailure } from './entities.js';
import { namedBy, textsOf } from './refusal.js';
import { parameterOf } from './sip-event.js';
import { ALTERNATIVES, phraseOf } from './standard-words.js';

/** What final responses to an INVITE mean to somebody who wanted to phone. RFC 3261 §21, TS 24.229 §5.1.3.1 */
const WORDS: Readonly<Record<number, string>> = {
  380: 'The network asks for another service: an emergency call in another access, mostly',
  400: 'The request was not understood',
  401: 'The network asked for credentials, and no call with them followed',
  402: 'The call has to be paid for',
  403: 'The network forbids the call',
  404: 'Nobody has this number or address',
  405: 'The request is not allowed there',
  406: 'Nothing that the other side can produce is accepted',
  407: 'A proxy asked for credentials, and no call with them followed',
  408: 'The callee did not answer in time',
  410: 'The number or address is no longer in use',
  413: 'The request is too large',
  415: 'The other side does not know the kind of session description',
  416: 'The other side does not know the kind of address',
  420: 'A demanded extension is not supported',
  421: 'The other side demands an extension',
  422: 'The session timer is too short',
  433: 'Anonymous calls are not accepted',
  480: 'The callee is not available at the moment',
  481: 'The other side does not know the dialog',
  482: 'The request went in a circle',
  483: 'The request went over too many hops',
  484: 'The number is not complete',
  485: 'The address is ambiguous',
  486: 'The callee is busy',
  487: 'The call was ended before it was answered',
  488: 'The other side does not accept the media that were offered',
  493: 'The other side cannot decrypt the request',
  494: 'A security agreement is demanded',
  500: 'A server failed',
  501: 'A server does not support this',
  502: 'A server got an answer from another that it could not use',
  503: 'The network is overloaded or out of service',
  504: 'A server did not get an answer in time',
  505: 'The version of SIP is not supported',
  513: 'The message is too large',
  580: 'The resources that the call needs are not there',
  600: 'The callee is busy everywhere',
  603: 'The callee declined',
  604: 'Nobody anywhere has this number or address',
  606: 'The callee does not accept the media that were offered',
};

/** The same to an INVITE that is to take the place of another call. RFC 3891 §3 */
const REPLACING: Readonly<Record<number, string>> = {
  481: 'The call that it was to replace is not known there',
  486: 'The call that it was to replace is no longer one that rings',
  603: 'The call that it was to replace is over',
};

/** The same to an INVITE with credentials. */
const AUTHORIZED: Readonly<Record<number, string>> = {
  401: 'The network did not take the credentials, or wants others',
  407: 'A proxy did not take the credentials, or wants others',
};

/** The same from a UE that is called, which speaks for itself, and not for a network. */
const OF_UE: Readonly<Record<number, string>> = {
  403: 'The UE does not take the call',
  404: 'The UE does not know whom the call is for',
  408: 'The UE did not answer in time',
  481: 'The UE does not know the dialog',
  500: 'The UE failed',
  501: 'The UE does not support this',
  503: 'The UE is out of service, or overloaded',
};

/** Whether a status refuses to replace a call, rather than to take one. */
export const refusesToReplace = (status: number): boolean => REPLACING[status] !== undefined;

const meaningOf = (status: number): string =>
  WORDS[status] ??
  (status < 400
    ? 'The call was sent on to another address'
    : status < 500
      ? 'The request was refused'
      : status < 600
        ? 'A server failed'
        : 'The call was refused everywhere');

/** What a final response to such an INVITE means. */
function meaningTo(more: Explanations): (status: number) => string {
  const known = more.replacing ? REPLACING : more.byUe ? OF_UE : more.authorized ? AUTHORIZED : {};
  return (status) => known[status] ?? meaningOf(status);
}

/** Why a call failed, before that is told. */
export type Failure = Omit<CallFailure, 'reason'> & { readonly reason: Words };

/** What a response says beside its status. */
export interface Explanations {
  /** Reason headers. RFC 3326 */
  readonly reason: readonly string[];
  readonly warning: string | undefined;
  readonly retryAfter: number | undefined;
  /** The request had Replaces. */
  readonly replacing: boolean;
  /** The request had credentials. */
  readonly authorized: boolean;
  /** It comes from a UE that is called. */
  readonly byUe: boolean;
  /** What it names as not supported, or demands: option tags, and types of bodies. */
  readonly named?: string | undefined;
  /** The least session interval that it takes. */
  readonly leastSeconds?: number | undefined;
  /** Its body, where that counts. */
  readonly body?: string;
}

/** What the XML of a 380 asks for: TS 24.229 §7.6.2. */
function alternativeOf(body: string): CallFailure['alternative'] {
  const inside = (name: string): string | undefined =>
    new RegExp(`<(?:\\w+:)?${name}[^>]*>\\s*([^<]{1,200}?)\\s*</`, 'i').exec(body)?.[1];
  const type = inside('type');
  if (type === undefined) return undefined;
  const action =
    inside('action') ?? (/<(?:\w+:)?emergency-registration\b/i.test(body) ? 'emergency-registration' : undefined);
  return { type, ...(action !== undefined && { action }) };
}

/** What it asks for, in a sentence. */
const wanted = ({ type, action }: NonNullable<CallFailure['alternative']>): Words =>
  words` It asks for ${oneOf(type, ALTERNATIVES)}${action === undefined ? '' : words`, by ${oneOf(action, ALTERNATIVES)}`}.`;

/** The same of a 380 that wants the UE to register anew. TS 24.229 §5.1.3.1 */
const REGISTER_ANEW = 'The network does not serve the UE any more, and asks it to register anew';

/** A status with its reason phrase, which may be any text. */
function withPhrase(status: number, phrase: string): Words | number {
  const p = phrase.trimEnd();
  return p === '' ? status : words`${status} ${phraseOf(p, status)}`;
}

/** Why a call failed, in words. */
export function callFailure(status: number, phrase: string, more: Explanations): Failure {
  const q850 = more.reason.find((r) => /^\s*Q\.850\b/i.test(r));
  const cause = Number(q850 === undefined ? Number.NaN : parameterOf(q850, 'cause'));
  const said = textsOf(more.reason, more.warning);
  const alternative = alternativeOf(more.body ?? '');
  const least = more.leastSeconds === undefined ? '' : ours` It wants ${more.leastSeconds} s at least.`;
  const asked = alternative === undefined ? '' : wanted(alternative);
  const meaning = alternative?.type === 'restoration' ? ours`${REGISTER_ANEW}` : ofNumber(status, meaningTo(more));
  return {
    status,
    reason: words`${meaning} (${withPhrase(status, phrase)})${said}.${least}${namedBy(status, more.named)}${asked}`,
    ...(Number.isInteger(cause) && { q850: cause }),
    ...(more.retryAfter !== undefined && { retryAfterSeconds: more.retryAfter }),
    ...(alternative !== undefined && { alternative }),
  };
}
