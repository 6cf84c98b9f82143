import { isChallenge } from '../../dissectors/sip/status.js';
import { isoSecond, type Own, ofNumber, oneOf, ours, quoted, tenths, words } from '../kit/index.js';
import { ANSWER_MS, awaited, EMERGENCY } from './answer-time.js';
import type { Call } from './call.js';
import { refusesToReplace } from './call-failure.js';
import type { Findings, Ref, Remark } from './findings.js';
import { judgeFeatures } from './judge-call.js';
import { partOf } from './judge-flow.js';
import { later, type Moment, millis, type Seen } from './moment.js';
import type { Registration } from './registration.js';
import { CONTACT_EVENTS } from './standard-words.js';

const refOf = (kind: Ref['kind'], e: { readonly id: number }, tunnels: Iterable<number>): Ref[] => [
  { kind, id: e.id },
  ...[...tunnels].map((id): Ref => ({ kind: 'tunnel', id })),
];

/**
 * @param until when something of it could be heard: its tunnel may end before
 * @param beside the same phone has a tunnel that works: what it tried without one is no more than a note
 */
export function judgeRegistration(r: Registration, until: Moment, beside: boolean, findings: Findings): void {
  const refs = refOf('registration', r, r.tunnel === 0 ? [] : [r.tunnel]);
  const at = r.statusAt ?? r.start;
  const raise = (code: string, when = at, remark: Remark = {}): void =>
    findings.raise(code, when, refs, beside ? { ...remark, severity: 'note' } : remark);
  judgeAuthentication(r, at, raise);
  if (r.isUnagreed) raise('sip.security-refused', at, { detail: ours`The answer was ${r.status}.` });
  if (r.security.mismatch) raise('sip.security-mismatch');
  if (r.security.disjoint && !r.isUnagreed)
    raise('sip.security-disjoint', at, r.state === 'registered' ? { severity: 'note' } : {});
  if (r.unsecured !== null) judgeUnsecured(r, r.unsecured, raise);
  if (r.tunnel !== 0) judgeContact(r, raise);
  const isOpen = r.state === 'failed' || r.state === 'in-progress';
  // Who does not hear the answer sends the request again, and takes up no challenge.
  const isDeaf = r.unheard.judge('REGISTER', 'an answer to it', (when, remark) =>
    raise('sip.answer-unheard', when, { ...remark, ...(!isOpen && { severity: 'warn' }) }),
  );
  const unanswered = isOpen ? r.unanswered(until) : unhealed(r) ? r.silent(until) : undefined;
  const recovered: Remark = r.state === 'failed' && r.isRecovered ? { severity: 'warn' } : {};
  if (unanswered !== undefined)
    raise('sip.register-timeout', unanswered.at, {
      ...recovered,
      ...r.awaited(unanswered, until, unanswered.reached ? ours`The P-CSCF said that it tries, and nothing more.` : ''),
    });
  else if (r.retransmittedAt !== null && !isDeaf) {
    const detail = ours`${r.retransmissions} were sent again, the first after ${tenths(r.againMs / 1000)} s: T1 is 2 s in IMS, and 0.5 s elsewhere.`;
    raise('sip.register-retransmitted', r.retransmittedAt, {
      detail,
      ...(r.retransmissions < 2 && { severity: 'note' }),
    });
  }
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
  if (r.refreshedLate !== null) {
    const { at, granted, over } = r.refreshedLate;
    const detail = ours`${ranOut(granted, over)}, and the refresh came ${inSeconds(millis(over, at))} s after that.`;
    raise('sip.registration-expired', at, { detail });
  }
  if (r.state === 'expired' && r.heir === null && !isLeft && r.registered !== null && r.lapsed(until)) {
    const granted = r.expiresSeconds ?? 0;
    const over = later(r.registered, granted);
    const after = ours`no refresh came in the ${inSeconds(millis(over, until))} s after that`;
    raise('sip.registration-expired', r.registered, {
      detail: ours`${ranOut(granted, over)}, and ${r.isRecovered ? 'the UE registered anew after that' : after}.`,
    });
  }
  if (r.revoked !== null) judgeRevoked(r, r.revoked, raise);
  if (r.tardy !== null)
    raise('sip.refresh-late', r.tardy.at, {
      detail: ours`It came ${Math.round(r.tardy.ms / 1000)} s after it was due.`,
    });
  if (r.brief !== null)
    raise('sip.interval-brief', r.brief.at, {
      ...(r.brief.least !== undefined && { detail: ours`The network wants ${r.brief.least} s at least.` }),
      ...(r.state === 'registered' && { severity: 'note' }),
      ...(isTooBrief(r) && { severity: 'error' }),
    });
  if (r.astray !== null) raise('sip.outside-association', r.astray);
  if (r.translated !== null)
    raise('sip.nat-transport', r.translated.at, {
      detail: words`The Via names ${quoted('host', r.translated.via)}, and the packet came from ${quoted('address', r.source)}.`,
    });
  const refused = r.state === 'failed' || (r.isDoubtful && r.status > 0) ? { at, status: r.status } : r.unrefreshed;
  if (
    isTooBrief(r) ||
    isDisjoint(r) ||
    refused === null ||
    (isDeaf && isChallenge(refused.status)) ||
    r.isCutOff ||
    r.isLooping ||
    unanswered !== undefined ||
    r.isUnagreed ||
    isGivenUp(r)
  )
    return;
  // What was refused as a refresh, and came about as a registration of its own, did no harm.
  judgeRefusal(r, refused, (code, detail) =>
    raise(code, refused.at, {
      detail,
      ...recovered,
      ...(r.heir !== null && { severity: 'note' }),
      ...(r.isDoubtful && { confidence: 'possible' }),
    }),
  );
}

/** How the network asked who the UE is, and what it was told. */
function judgeAuthentication(
  r: Registration,
  at: Seen,
  raise: (code: string, when: Seen, remark?: Remark) => void,
): void {
  const a = r.authentication;
  if (r.isLooping) raise('sip.register-loop', at, { detail: ours`${a.challenges} challenges came in a row.` });
  if (a.falseChallenge !== null) raise('sip.aka-mac', a.falseChallenge);
  if (a.refusedChallenge !== null)
    raise('sip.aka-refused', a.refusedChallenge, r.state === 'registered' ? { severity: 'warn' } : {});
  if (a.falseResponse !== null) raise('sip.aka-response', a.falseResponse);
  if (a.leak !== null && r.tunnel !== 0) raise('sip.aka-leak', a.leak);
  if (a.resynchronisations > 0)
    raise('sip.aka-resync', r.start, {
      severity: a.resynchronisations > 1 ? 'error' : 'note',
      ...(a.resynchronisations > 1 && {
        detail: ours`It was asked for ${a.resynchronisations} times: it did not help.`,
      }),
    });
}

/** What of a registration that was not refreshed in time is known by the clock. */
const ranOut = (granted: number, over: Moment): Own =>
  ours`It was granted for ${granted} s and ran out at ${ofNumber(over.seconds, isoSecond)}Z`;

/** Short times to a tenth of a second. */
const inSeconds = (ms: number): Own => ofNumber(ms / 1000, (s) => s.toFixed(s < 10 ? 1 : 0));

/** Whether the UE did with a challenge without Security-Server what TS 24.229 §5.1.1.5.1 has it do: nothing. */
const isGivenUp = (r: Registration): boolean => r.state === 'failed' && r.status === 401 && r.unsecured !== null;

/** Whether a UE that was to ask for a longer interval gave up, and one that has no mechanism of those that are offered. */
const isTooBrief = (r: Registration): boolean => r.state === 'failed' && r.status === 423;
const isDisjoint = (r: Registration): boolean => r.state === 'failed' && r.status === 401 && r.security.disjoint;

/** What a UE is to do when the network has ended its registration, by how it did. RFC 3680 §5.3.1, TS 24.229 §5.1.1.7 */
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
  raise: (code: string, when: Seen, remark?: Remark) => void,
): void {
  raise('sip.registration-ended', at, {
    detail: words`The network says ${event === '' ? 'terminated' : oneOf(event, CONTACT_EVENTS)}${AFTERWARDS.get(event) ?? ''}.`,
    ...((state !== 'deregistered' || isRecovered) && { severity: 'note' }),
  });
}

function judgeUnsecured(
  r: Registration,
  { at, inForce }: NonNullable<Registration['unsecured']>,
  raise: (code: string, when: Seen, remark?: Remark) => void,
): void {
  if (isGivenUp(r)) raise('sip.no-security-server', at, { severity: 'error' });
  else if (inForce)
    raise('sip.no-security-server', at, { detail: ours`The associations of the last registration were in force.` });
  else raise('sip.no-security-server', at, { severity: 'note' });
}

/** Whether a registration that was accepted is followed no further by another one, or by its end. */
const unhealed = (r: Registration): boolean =>
  r.heir === null && r.registered !== null && (r.state === 'registered' || r.state === 'expired');

function judgeRefusal(
  r: Registration,
  { status }: { readonly status: number },
  raise: (code: string, detail: Own) => void,
): void {
  const refresh = r.registered === null ? '' : ' to the refresh';
  const detail = ours`The answer${refresh} was ${status}.${r.emergency ? ' It was to be an emergency registration.' : ''}`;
  const isAnswered = r.registered === null && r.authentication.challenges > 0;
  const why = isAnswered ? ours` It came for the answer to a challenge: password, K or OPc may be wrong, too.` : '';
  if (status === 403) raise('sip.register-forbidden', ours`${detail}${why}`);
  else if (status === 305 || status === 504) raise('sip.restoration', detail);
  else if (r.retryAfter !== undefined)
    raise('sip.register-overload', ours`${detail} It may try again after ${r.retryAfter} s.`);
  else if (isChallenge(status))
    raise(
      'sip.register-failed',
      ours`${r.authentication.isRejected ? 'The network did not take the credentials' : 'The UE did not answer the challenge'}.`,
    );
  else raise('sip.register-failed', detail);
}

/** What a UE in a tunnel, which counts as one behind a NAT, says of itself (TS 24.229 §K.2.1.2.2.1). */
function judgeContact(r: Registration, raise: (code: string, when: Seen, remark?: Remark) => void): void {
  if (!r.hasInstance && r.contact !== undefined) raise('sip.no-instance', r.start);
  if (r.foreignContact !== undefined)
    raise('sip.contact-address', r.start, {
      detail: words`It is ${quoted('uri', r.foreignContact)}, and the packet came from ${quoted('address', r.source)}.`,
    });
}

const BUSY: ReadonlySet<number> = new Set([486, 487, 600, 603]);
const UNAVAILABLE: ReadonlySet<number> = new Set([404, 408, 410, 480, 484, 604]);
const FORBIDDEN: ReadonlySet<number> = new Set([401, 402, 403, 407, 433]);
const NOT_ACCEPTABLE: ReadonlySet<number> = new Set([415, 488, 580, 606]);

/** Anonymity Disallowed: the user of a UE that says so wants to know who calls. RFC 5079 */
const ANONYMOUS = 433;

/** What a UE that is called may say as well as a network. */
const OWN: ReadonlySet<number> = new Set([408, 480, 487, ...NOT_ACCEPTABLE]);

/** The finding for a final status; 0: there was none, of the UE where that was called. */
function codeOf(status: number, terminated: boolean): string {
  if (status === 0) return terminated ? 'call.ue-silent' : 'call.no-answer';
  if (BUSY.has(status) || (terminated && status === ANONYMOUS)) return 'call.busy';
  if (terminated && status >= 400 && !OWN.has(status)) return 'call.ue-refused';
  if (UNAVAILABLE.has(status)) return 'call.unavailable';
  if (FORBIDDEN.has(status)) return 'call.forbidden';
  if (NOT_ACCEPTABLE.has(status)) return 'call.not-acceptable';
  if (status === 380) return 'call.emergency-redirected';
  if (status < 400) return 'call.redirected';
  if (status === 503) return 'call.overload';
  return status >= 500 && status < 600 ? 'call.server-failure' : 'call.failed';
}

/** What an S-CSCF or P-CSCF answers to who is not registered, among others. TS 24.229 §5.2.6.3, §5.4.3.2 */
const UNREGISTERED: ReadonlySet<number> = new Set([401, 403, 404, 480]);

/** What had become of the tunnel of a call before one side no longer knew it. */
const orphanage = ({ orphaned }: Call, at: Moment): Own | '' =>
  orphaned === null
    ? ''
    : ours` Tunnel ${orphaned.tunnel}, in which the call was, had ended ${inSeconds(millis(orphaned.at, at))} s before.`;

const IN_EMERGENCY = ours` It was an emergency call.`;
/** What is said of a call that may have been refused for that. */
const UNKNOWN = ours` The capture shows no registration of the UE.`;

/** @param registered until when the UE was, as far as is known: asked where a call was refused */
export function judgeCall(c: Call, end: Moment, registered: () => Moment | undefined, findings: Findings): void {
  const refs = refOf('call', c, c.tunnels);
  if (c.failure !== undefined && c.state === 'failed') {
    const { status = 0, reason, retryAfterSeconds } = c.failure;
    const again = retryAfterSeconds === undefined ? '' : ours` It may be tried again after ${retryAfterSeconds} s.`;
    const replacing = c.features.replaces !== undefined && refusesToReplace(status);
    const known = status === 380 && c.restoration !== null ? 504 : status;
    const usual = replacing ? 'call.not-replaced' : codeOf(known, c.direction === 'terminated');
    const isElsewhere = usual === 'call.emergency-redirected' || usual === 'call.redirected';
    // Whoever is busy, or does not want to: in an emergency somebody takes the call.
    const code = c.emergency && usual === 'call.busy' ? 'call.failed' : usual;
    const isSuspect = c.direction === 'originated' && !c.emergency && UNREGISTERED.has(status);
    const until = isSuspect ? registered() : undefined;
    const ago = until === undefined ? 0 : millis(until, c.start);
    const ended = ago > 0 ? ours` The registration of the UE had ended ${Math.round(ago / 1000)} s before.` : '';
    const past = isSuspect && until === undefined && c.tunnels.size > 0 ? UNKNOWN : ended;
    findings.raise(code, c.failedAt ?? c.start, refs, {
      detail: words`${reason}${again}${past}${c.emergency && !isElsewhere ? IN_EMERGENCY : ''}`,
      ...(c.emergency && !isElsewhere && { severity: 'error' }),
    });
  }
  if (c.circle !== null && c.answer === null) findings.raise('call.redirect-loop', c.circle, refs);
  if (c.isUnheard(end, c.emergency ? EMERGENCY.inviteMs : ANSWER_MS))
    findings.raise(codeOf(0, c.direction === 'terminated'), c.inviteAt, refs, awaited(c.inviteAt, end, c.againMs));
  if (c.lost !== null)
    findings.raise('call.dialog-lost', c.lost.at, refs, {
      detail: ours`The answer was ${c.lost.status}.${orphanage(c, c.lost.at)}`,
    });
  else if (c.unknownBye !== null && !c.isMutual)
    findings.raise('call.dialog-lost', c.unknownBye, refs, {
      detail: ours`The answer to the BYE was 481.${orphanage(c, c.unknownBye)}`,
      severity: 'note',
    });
  if (c.refusedBye !== null && !c.isMutual) {
    const { at, status } = c.refusedBye;
    findings.raise('call.end-refused', at, refs, { detail: ours`The answer to the BYE was ${status}.` });
  }
  if (c.restoration !== null)
    findings.raise('sip.restoration', c.restoration, refs, c.state === 'failed' ? {} : { severity: 'warn' });
  if (c.serviceError !== null) {
    const { at, code, by } = c.serviceError;
    findings.raise('call.ussd-error', at, refs, { detail: ours`The ${by}${partOf(c, by)} says error-code ${code}.` });
  }
  if (c.misfit !== null) findings.raise('sdp.answer-misfit', c.misfit.at, refs, { detail: c.misfit.how });
  if (c.unmeasured !== null) findings.raise('sdp.no-bandwidth', c.unmeasured, refs);
  judgeFeatures(c, refs, end, findings);
  const { unacked } = c;
  if (unacked !== undefined && millis(unacked, end) >= ANSWER_MS)
    findings.raise('call.no-ack', unacked, refs, {
      detail: ours`Several answered the call, and the answer of one of them was not acknowledged: it was to be, and ended at once.`,
    });
  const isDeaf = c.unheard.judge('INVITE', 'an answer to it', (when, remark) =>
    findings.raise('sip.answer-unheard', when, refs, { ...remark, ...(c.acked && { severity: 'warn' }) }),
  );
  c.unheardAck.judge('the answer to INVITE', 'its ACK', (when, remark) =>
    findings.raise('call.no-ack', when, refs, remark),
  );
  if (isDeaf || c.answer === null || c.acked || millis(c.answer, c.end ?? end) < ANSWER_MS) return;
  findings.raise('call.no-ack', c.answer, refs, c.end === null ? awaited(c.answer, end, 0) : {});
}
