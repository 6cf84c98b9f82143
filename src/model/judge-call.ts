import { joined, type Own, ours, quoted, words } from '../kit/index.js';
import { ANSWER_MS, awaited, EMERGENCY, inSeconds } from './answer-time.js';
import type { Call } from './call.js';
import { refusesToReplace } from './call-failure.js';
import type { Findings, Ref, Remark } from './findings.js';
import { partOf } from './judge-flow.js';
import { type Moment, millis, type Seen } from './moment.js';

/** TS 24.229 §7.7: T1 of the UE; a proxy says 100 within 200 ms (RFC 3261 §17.2.1), one way there and one back. */
const TRYING_MS = 2000;
/** Nobody waits so long for a sign of the other side; ITU-T E.721 wants it after 11 s at most for 95 % of calls abroad. */
const PROGRESS_MS = 20_000;
/** RFC 4028 §10: a side gives up so long before the interval is over, or a third of it. */
const MARGIN_S = 32;
/** RFC 3262 §3: a reliable response is sent again after T1. */
const RELIABLE_MS = 2000;

/** What a request within a call is, in a sentence. */
const REQUEST: Readonly<Record<string, Own>> = {
  INVITE: ours`an INVITE`,
  UPDATE: ours`an UPDATE`,
  OPTIONS: ours`an OPTIONS`,
  REFER: ours`a REFER`,
};

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

/**
 * Judges a call: why it failed, how it ended, and what happened within it.
 * @param registered until when the UE was, as far as is known: asked where a call was refused
 * @param tripMs through its tunnels and back, 0 where that is not known
 */
export function judgeCall(
  c: Call,
  end: Moment,
  registered: () => Moment | undefined,
  tripMs: number,
  findings: Findings,
): void {
  const refs: Ref[] = [{ kind: 'call', id: c.id }, ...[...c.tunnels].map((id): Ref => ({ kind: 'tunnel', id }))];
  judgeFailure(c, refs, registered, findings);
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
  if (c.vainBye !== null && !c.isMutual)
    findings.raise('call.end-unanswered', c.vainBye, refs, {
      detail: ours`The answer to the BYE was 408: a proxy waited for the other side in vain.`,
      ...(c.tunnels.size === 0 && { severity: 'note', confidence: 'possible' }),
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
  // Where answers stand before what they answer nobody knows which description is an offer.
  const isMixed = [...c.tunnels].some((id) => findings.has('capture.order', id));
  if (c.misfit !== null && !isMixed)
    findings.raise('sdp.answer-misfit', c.misfit.at, refs, {
      detail: c.misfit.how,
      ...(c.misfit.isIdle && { severity: 'note' }),
    });
  if (c.unmeasured !== null) findings.raise('sdp.no-bandwidth', c.unmeasured, refs);
  judgeFeatures(c, refs, end, findings);
  judgeAcknowledgments(c, refs, end, tripMs, findings);
}

/** Why a call failed. */
function judgeFailure(c: Call, refs: readonly Ref[], registered: () => Moment | undefined, findings: Findings): void {
  if (c.failure === undefined || c.state !== 'failed') return;
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

/** Whether each answer to the INVITE was heard, and acknowledged. */
function judgeAcknowledgments(c: Call, refs: readonly Ref[], end: Moment, tripMs: number, findings: Findings): void {
  const { unacked } = c;
  if (unacked !== undefined && millis(unacked, end) >= ANSWER_MS)
    findings.raise('call.no-ack', unacked, refs, {
      detail: ours`Several answered the call, and the answer of one of them was not acknowledged: it was to be, and ended at once.`,
    });
  const isDeaf = c.unheard.judge('INVITE', 'an answer to it', tripMs, (when, remark) =>
    findings.raise('sip.answer-unheard', when, refs, { ...remark, ...(c.acked && { severity: 'warn' }) }),
  );
  c.unheardAck.judge('the answer to INVITE', 'its ACK', tripMs, (when, remark) =>
    findings.raise('call.no-ack', when, refs, remark),
  );
  if (isDeaf || c.answer === null || c.acked || millis(c.answer, c.end ?? end) < ANSWER_MS) return;
  findings.raise('call.no-ack', c.answer, refs, c.end === null ? awaited(c.answer, end, 0) : {});
}

/**
 * Judges what of a call goes beyond its set-up, and its end.
 * @param end until when something of it could be heard
 */
function judgeFeatures(c: Call, refs: readonly Ref[], end: Moment, findings: Findings): void {
  const raise = (code: string, at: Seen, remark: Remark = {}): void => findings.raise(code, at, refs, remark);
  const { features: f } = c;
  if (c.slowest !== null && c.slowest.ms > TRYING_MS)
    raise('call.slow-trying', c.slowest.at, { detail: ours`It came after ${Math.round(c.slowest.ms)} ms.` });
  judgeProgress(c, end, raise);
  const over = c.answer ?? c.end;
  const lost = f.unacknowledged.find(
    (r) => r.repeated || r.refused !== undefined || millis(r.at, r.over ?? over ?? end) > RELIABLE_MS,
  );
  if (lost !== undefined && c.cancel === null)
    raise('call.no-prack', lost.at, lost.refused === undefined ? {} : { detail: ours`The PRACK got ${lost.refused}.` });
  judgePreconditions(c, end, raise);
  judgeTransfers(c, end, raise);
  if (c.release?.isFailure === true && (c.state === 'ended' || c.state === 'cancelled'))
    raise('call.released', c.end ?? c.start, { detail: c.release.reason });
  const silent = f.unanswered(c.end ?? end);
  if (silent !== undefined)
    raise('call.request-unanswered', silent.at, {
      ...(c.end === null
        ? awaited(silent.at, end, silent.againMs, ours`It is ${REQUEST[silent.method]}${again(silent)}.`)
        : { detail: ours`It is ${REQUEST[silent.method]}${again(silent)}.` }),
    });
  const goodbye = f.unheeded(end);
  if (goodbye !== undefined)
    raise('call.end-unanswered', goodbye.at, {
      ...awaited(
        goodbye.at,
        end,
        goodbye.againMs,
        ours`It is the ${goodbye.method === 'BYE' ? 'BYE' : 'CANCEL'} of the ${goodbye.by}${again(goodbye)}.`,
      ),
      // Outside of tunnels the answer may go another way.
      ...(c.tunnels.size === 0 && { severity: 'note', confidence: 'possible' }),
    });
  judgeTimer(c, end, raise);
  // RFC 3261 §9.1: an answer and the CANCEL may pass each other; who does not want it any more says BYE then.
  if (c.cancel !== null && c.answer !== null && c.releasedBy !== 'caller') {
    const ms = millis(c.answer, c.end ?? end);
    const passed = Math.round(millis(c.cancel, c.answer));
    const first =
      passed >= 0
        ? ours`The answer came ${passed} ms after the CANCEL`
        : ours`The CANCEL came ${-passed} ms after the answer`;
    if (ms >= PROGRESS_MS)
      raise('call.not-ended', c.answer, {
        detail: ours`${first}, and no BYE in the ${Math.round(ms / 1000)} s after that.`,
        rows: [c.cancel.row],
      });
  }
}

/** Whether parties that were to be transferred were, and whether anybody was told. @param end of what could be heard */
function judgeTransfers(c: Call, end: Moment, raise: (code: string, at: Seen, remark?: Remark) => void): void {
  const { transfers } = c.features;
  for (const { at, entry } of transfers.list) {
    const result = entry.progress ?? entry.status;
    if (result === undefined || result < 300) continue;
    const detail = words`The transfer to ${quoted('uri', entry.target)} got ${result}.`;
    raise('call.transfer-failed', at, { detail });
  }
  // Who hangs up before does not want to know.
  const untold = transfers.untold(c.end ?? end);
  if (untold === undefined) return;
  const { entry, at, told, isClosed } = untold;
  const since = Math.round(millis(told ?? untold.accepted ?? at, c.end ?? end) / 1000);
  const last = entry.progress === undefined ? '' : ours`, which said ${entry.progress}`;
  const how =
    told === null
      ? ours`No NOTIFY came in ${since} s.`
      : isClosed
        ? ours`The last NOTIFY${last}, ended the subscription.`
        : ours`None came in the ${since} s after the last NOTIFY${last}.`;
  raise('call.transfer-unknown', at, {
    detail: words`It was to ${quoted('uri', entry.target)}. ${how}`,
    ...(isClosed && { severity: 'note' }),
    ...(told !== null && { rows: [told.row] }),
  });
}

/** How often a request was sent, where it was more than once. */
const again = ({
  at,
  last,
  times,
}: {
  readonly at: Moment;
  readonly last: Moment;
  readonly times: number;
}): Own | '' => (times === 1 ? '' : ours`, sent ${times} times in ${Math.round(millis(at, last) / 1000)} s`);

/** Whether more than 100 came of a call, until somebody gave it up. */
function judgeProgress(c: Call, end: Moment, raise: (code: string, at: Seen, remark?: Remark) => void): void {
  if (c.trying === null || c.progress !== null || c.answer !== null || c.acked || c.failure !== undefined) return;
  const ms = millis(c.inviteAt, c.cancel ?? c.end ?? end);
  if (ms < PROGRESS_MS) return;
  const until = c.cancel === null ? '' : ' The caller gave it up then.';
  raise('call.no-progress', c.inviteAt, { detail: ours`Nothing came for ${Math.round(ms / 1000)} s.${until}` });
}

/** Whether both sides waited for resources that did not come, until the call failed, or for longer than anybody waits. */
function judgePreconditions(c: Call, end: Moment, raise: (code: string, at: Seen, remark?: Remark) => void): void {
  const { quality } = c.features;
  // Who was refused at once did not get as far as that.
  const isSpoken = c.session.descriptions.some((d) => !d.byCaller);
  if (quality === undefined || quality.met || !isSpoken || c.answer !== null) return;
  const ms = millis(c.inviteAt, c.cancel ?? c.end ?? end);
  const isRefused = c.end !== null && c.cancel === null;
  if (!isRefused && (c.ringing !== null || ms < PROGRESS_MS)) return;
  const sides = quality.lacking.map((side) => ours`the ${side}${partOf(c, side)}`);
  const whose = sides.length === 0 ? '' : words`The resources of ${joined(sides, ' and ')} are missing.`;
  const until = c.cancel === null ? '' : ' The caller gave the call up then.';
  const waited = isRefused ? '' : ours`Nobody was told of the call in ${Math.round(ms / 1000)} s.${until} `;
  raise('call.preconditions', quality.at, { detail: words`${waited}${whose}` });
}

function judgeTimer(c: Call, end: Moment, raise: (code: string, at: Seen, remark?: Remark) => void): void {
  const { timer, refreshed, unrefreshed, refreshing } = c.features;
  if (timer === undefined || refreshed === undefined) return;
  const ms = c.features.since(c.end ?? end);
  const least = (timer.seconds - Math.min(MARGIN_S, timer.seconds / 3)) * 1000;
  if (ms < (c.end === null ? timer.seconds * 1000 : least)) return;
  // Where the call ends at once behind the request there was no time for an answer.
  const isSilent = refreshing !== undefined && millis(refreshing.at, c.end ?? end) >= TRYING_MS;
  const tried = isSilent
    ? ours` The last try, ${REQUEST[refreshing.method]} of the ${refreshing.by}${again(refreshing)}, was not answered.`
    : unrefreshed === undefined
      ? ''
      : ours` The last try got ${unrefreshed}.`;
  raise('call.session-expired', c.end ?? refreshed, {
    detail: ours`The interval is ${timer.seconds} s, and ${Math.round(ms / 1000)} s passed without a refresh.${tried}`,
    lasted: { from: refreshed, to: c.end ?? end, leastMs: c.end === null ? timer.seconds * 1000 : least },
    ...(isSilent && { rows: [refreshing.at.row] }),
    ...(c.end !== null && { confidence: 'likely' }),
  });
}
