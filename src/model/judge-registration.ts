import { isChallenge } from '../../dissectors/sip/status.js';
import { isoSecond, type Own, ofNumber, oneOf, ours, quoted, tenths, type Words, words } from '../kit/index.js';
import { awaited, inSeconds } from './answer-time.js';
import type { Findings, Ref, Remark } from './findings.js';
import { later, type Moment, millis, type Seen } from './moment.js';
import { LATE_MS, type Refused, type Registration } from './registration.js';
import { CONTACT_EVENTS } from './standard-words.js';

/** Raises a finding about the registration, by default where its last answer came. */
type Raise = (code: string, when?: Seen, remark?: Remark) => void;

/**
 * Judges a registration: how the UE and the network came to trust each other, whether it came about, and how long it lasted.
 * @param until when something of it could be heard: its tunnel may end before
 * @param beside the same phone has a tunnel that works: what it tried without one is no more than a note
 * @param tripMs through its tunnel and back, 0 where that is not known
 */
export function judgeRegistration(
  r: Registration,
  until: Moment,
  beside: boolean,
  tripMs: number,
  findings: Findings,
): void {
  const refs: Ref[] = [{ kind: 'registration', id: r.id }];
  if (r.tunnel !== 0) refs.push({ kind: 'tunnel', id: r.tunnel });
  const last = r.statusAt ?? r.start;
  const raise: Raise = (code, when = last, remark = {}) =>
    findings.raise(code, when, refs, beside ? { ...remark, severity: 'note' } : remark);
  judgeAuthentication(r, last, raise);
  judgeSecurity(r, last, raise);
  if (r.tunnel !== 0) judgeContact(r, raise);
  const isOpen = r.state === 'failed' || r.state === 'in-progress';
  // Who does not hear the answer sends the request again, and takes up no challenge.
  const isDeaf = r.unheard.judge('REGISTER', 'an answer to it', tripMs, (when, remark) =>
    raise('sip.answer-unheard', when, { ...remark, ...(!isOpen && { severity: 'warn' }) }),
  );
  const unanswered = isOpen ? r.unanswered(until) : unhealed(r) ? r.silent(until) : undefined;
  const recovered: Remark = r.state === 'failed' && r.isRecovered ? { severity: 'warn' } : {};
  if (unanswered !== undefined)
    raise('sip.register-timeout', unanswered.at, {
      ...recovered,
      ...r.awaited(unanswered, until, unanswered.reached ? ours`The P-CSCF said that it tries, and nothing more.` : ''),
    });
  else if (!isDeaf) judgeRepetition(r, raise);
  const farewell = unhealed(r) ? r.farewell(until) : undefined;
  if (farewell?.unanswered)
    raise('sip.register-timeout', farewell.at, {
      severity: 'warn',
      ...awaited(
        farewell.at,
        until,
        r.againMs,
        ours`It was to end the registration: until that runs out the network takes the UE for reachable.`,
      ),
    });
  // A UE whose refresh was refused, or not answered, did refresh in time; one whose tunnel is gone, or that leaves, need not.
  const isLeft = farewell !== undefined || r.unrefreshed !== null || unanswered !== undefined;
  judgeExpiry(r, isLeft ? null : until, raise);
  if (r.revoked !== null) judgeRevoked(r, r.revoked, raise);
  judgeInterval(r, raise);
  judgeWay(r, raise);
  const refused =
    r.state === 'failed' || (r.isDoubtful && r.status > 0)
      ? { at: last, status: r.status, said: r.said }
      : r.unrefreshed;
  const isToldElsewhere =
    isTooBrief(r) ||
    isDisjoint(r) ||
    r.isCutOff ||
    r.isLooping ||
    unanswered !== undefined ||
    r.isUnagreed ||
    isGivenUp(r);
  if (refused === null || isToldElsewhere || (isDeaf && isChallenge(refused.status))) return;
  // What was refused as a refresh, and came about as a registration of its own, did no harm.
  judgeRefusal(r, refused, (code, detail, confidence) =>
    raise(code, refused.at, {
      detail,
      ...(confidence !== undefined && { confidence }),
      ...recovered,
      ...(r.heir !== null && { severity: 'note' }),
      ...(r.isDoubtful && { confidence: 'possible' }),
    }),
  );
}

/** What became of the offer to protect SIP. RFC 3329, TS 33.203 annex H */
function judgeSecurity(r: Registration, at: Seen, raise: Raise): void {
  if (r.isUnagreed) raise('sip.security-refused', at, { detail: words`The answer was ${r.said}` });
  if (r.security.mismatch) raise('sip.security-mismatch');
  if (r.security.disjoint && !r.isUnagreed)
    raise('sip.security-disjoint', at, r.state === 'registered' ? { severity: 'note' } : {});
  if (r.unsecured !== null) judgeUnsecured(r, r.unsecured, raise);
}

function judgeRepetition(r: Registration, raise: Raise): void {
  if (r.retransmittedAt === null) return;
  raise('sip.register-retransmitted', r.retransmittedAt, {
    detail: ours`${r.retransmissions} were sent again, the first after ${tenths(r.againMs / 1000)} s: T1 is 2 s in IMS, and 0.5 s elsewhere.`,
    ...(r.retransmissions < 2 && { severity: 'note' }),
  });
}

/** Time is granted in whole seconds: whoever refreshes within one of the end may only count them differently. RFC 3261 §20.19 */
const COUNTED_MS = 1000;

/** A registration that ran out. @param until when a refresh could be heard; null where none is to come */
function judgeExpiry(r: Registration, until: Moment | null, raise: Raise): void {
  if (r.refreshedLate !== null) {
    const { at, granted, over } = r.refreshedLate;
    const ms = millis(over, at);
    const detail = ours`${ranOut(granted, over)}, and the refresh came ${inSeconds(ms)} s after that.`;
    const lasted = { from: later(over, -granted), to: at, leastMs: 1000 * granted };
    raise('sip.registration-expired', at, { detail, lasted, ...(ms < COUNTED_MS && { severity: 'note' }) });
  }
  if (until === null || r.state !== 'expired' || r.heir !== null || r.registered === null || !r.lapsed(until)) return;
  const granted = r.expiresSeconds ?? 0;
  const over = later(r.registered, granted);
  const after = ours`no refresh came in the ${inSeconds(millis(over, until))} s after that`;
  raise('sip.registration-expired', r.registered, {
    detail: ours`${ranOut(granted, over)}, and ${r.isRecovered ? 'the UE registered anew after that' : after}.`,
    lasted: { from: r.registered, to: until, leastMs: 1000 * granted },
  });
}

/** When a refresh came, and whether the network takes such an interval. TS 24.229 §5.1.1.4, RFC 3261 §10.3 */
function judgeInterval(r: Registration, raise: Raise): void {
  if (r.tardy !== null)
    raise('sip.refresh-late', r.tardy.at, {
      detail: ours`It came ${Math.round(r.tardy.ms / 1000)} s after it was due.`,
      lasted: { from: later(r.tardy.at, -r.tardy.ms / 1000), to: r.tardy.at, leastMs: LATE_MS },
    });
  if (r.brief !== null)
    raise('sip.interval-brief', r.brief.at, {
      ...(r.brief.least !== undefined && { detail: ours`The network wants ${r.brief.least} s at least.` }),
      ...(r.state === 'registered' && { severity: 'note' }),
      ...(isTooBrief(r) && { severity: 'error' }),
    });
}

/** Requests that did not go the way that was agreed on, or that something on the way has changed. */
function judgeWay(r: Registration, raise: Raise): void {
  if (r.astray !== null) raise('sip.outside-association', r.astray);
  if (r.translated !== null)
    raise('sip.nat-transport', r.translated.at, {
      detail: words`The Via names ${quoted('host', r.translated.via)}, and the packet came from ${quoted('address', r.source)}.`,
    });
}

/** How the network asked who the UE is, and what it was told. */
function judgeAuthentication(r: Registration, at: Seen, raise: Raise): void {
  const a = r.authentication;
  if (r.isLooping) raise('sip.register-loop', at, { detail: ours`${a.challenges} challenges came in a row.` });
  if (a.falseChallenge !== null) raise('sip.aka-mac', a.falseChallenge);
  if (a.refusedChallenge !== null)
    raise('sip.aka-refused', a.refusedChallenge, r.state === 'registered' ? { severity: 'warn' } : {});
  if (a.falseResponse !== null) raise('sip.aka-response', a.falseResponse);
  if (a.leak !== null && r.tunnel !== 0) raise('sip.aka-leak', a.leak);
  if (a.resynchronisations > 0)
    raise('sip.aka-resync', r.start, {
      severity: a.mostInARow < 2 ? 'note' : r.state === 'failed' || r.state === 'in-progress' ? 'error' : 'warn',
      ...(a.mostInARow > 1 && {
        detail: ours`It was asked for ${a.mostInARow} times in a row: the first did not help.`,
      }),
    });
}

/** What of a registration that was not refreshed in time is known by the clock. */
const ranOut = (granted: number, over: Moment): Own =>
  ours`It was granted for ${granted} s and ran out at ${ofNumber(over.seconds, isoSecond)}Z`;

/** Whether the UE did with a challenge without Security-Server what TS 24.229 §5.1.1.5.1 has it do: nothing. */
const isGivenUp = (r: Registration): boolean => r.state === 'failed' && r.status === 401 && r.unsecured !== null;

/** Whether a UE that was to ask for a longer interval gave up, and one that has no mechanism of those that are offered. */
const isTooBrief = (r: Registration): boolean => r.state === 'failed' && r.status === 423;
const isDisjoint = (r: Registration): boolean => r.state === 'failed' && r.status === 401 && r.security.disjoint;

/** What a UE is to do when the network has ended its registration, by how it did. RFC 3680 §4.7.1, TS 24.229 §5.1.1.7 */
const AFTERWARDS: ReadonlyMap<string, Own> = new Map([
  ['deactivated', ours`: the UE is to register anew`],
  ['probation', ours`: the UE may register again after a while`],
  ['rejected', ours`: the UE may not register again by itself`],
  ['expired', ours`: it was not refreshed in time`],
  ['unregistered', ours`, as if the user had asked for that: no REGISTER of this UE did`],
]);

function judgeRevoked(
  { state, isRecovered }: Registration,
  { at, event }: NonNullable<Registration['revoked']>,
  raise: Raise,
): void {
  raise('sip.registration-ended', at, {
    detail: words`The network says ${event === '' ? 'terminated' : oneOf(event, CONTACT_EVENTS)}${AFTERWARDS.get(event) ?? ''}.`,
    ...((state !== 'deregistered' || isRecovered) && { severity: 'note' }),
  });
}

function judgeUnsecured(r: Registration, { at, inForce }: NonNullable<Registration['unsecured']>, raise: Raise): void {
  if (isGivenUp(r)) raise('sip.no-security-server', at, { severity: 'error' });
  else if (inForce)
    raise('sip.no-security-server', at, { detail: ours`The associations of the last registration were in force.` });
  else raise('sip.no-security-server', at, { severity: 'note' });
}

/** Whether a registration that was accepted is followed no further by another one, or by its end. */
const unhealed = (r: Registration): boolean =>
  r.heir === null && r.registered !== null && (r.state === 'registered' || r.state === 'expired');

/** What 504 says, whatever the reason. RFC 3261 §21.5.5 */
const TIMED_OUT = ours` A server behind the one that sent it did not answer in time.`;

function judgeRefusal(
  r: Registration,
  { status, said }: Refused,
  raise: (code: string, detail: Words, confidence?: Remark['confidence']) => void,
): void {
  const refresh = r.registered === null ? '' : ' to the refresh';
  const detail = words`The answer${refresh} was ${said}${r.emergency ? ' It was to be an emergency registration.' : ''}`;
  const { challenges } = r.authentication;
  const why =
    r.registered !== null || challenges === 0
      ? ''
      : r.isPestered
        ? ours` ${challenges} challenges came in a row before: password, K or OPc are wrong, most likely.`
        : ours` It came for the answer to a challenge: password, K or OPc may be wrong, too.`;
  if (status === 403) raise('sip.register-forbidden', words`${detail}${why}`);
  else if (status === 305) raise('sip.restoration', detail);
  else if (status === 504) raise('sip.restoration', words`${detail}${TIMED_OUT}`, 'possible');
  else if (r.retryAfter !== undefined)
    raise('sip.register-overload', words`${detail} It may try again after ${r.retryAfter} s.`);
  else if (isChallenge(status))
    raise(
      'sip.register-failed',
      words`${r.authentication.isRejected ? 'The network did not take the credentials' : 'The UE did not answer the challenge'}.`,
    );
  else raise('sip.register-failed', detail);
}

/** What a UE in a tunnel, which counts as one behind a NAT, says of itself (TS 24.229 §K.2.1.2.2.1). */
function judgeContact(r: Registration, raise: Raise): void {
  if (!r.hasInstance && r.contact !== undefined) raise('sip.no-instance', r.start);
  if (r.foreignContact !== undefined)
    raise('sip.contact-address', r.start, {
      detail: words`It is ${quoted('uri', r.foreignContact)}, and the packet came from ${quoted('address', r.source)}.`,
    });
}
