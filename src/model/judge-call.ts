import { joined, type Own, ours, quoted, words } from '../kit/index.js';
import { awaited } from './answer-time.js';
import type { Call } from './call.js';
import type { Findings, Ref, Remark } from './findings.js';
import { partOf } from './judge-flow.js';
import { type Moment, millis, type Seen } from './moment.js';

/** TS 24.229 §7.7: T1 of the UE; a proxy says 100 within 200 ms (RFC 3261 §16.2), one way there and one back. */
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

/**
 * Judges what of a call goes beyond its set-up, and its end.
 * @param end until when something of it could be heard
 */
export function judgeFeatures(c: Call, refs: readonly Ref[], end: Moment, findings: Findings): void {
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
    if (ms >= PROGRESS_MS)
      raise('call.not-ended', c.answer, {
        detail: ours`The answer came ${Math.round(millis(c.cancel, c.answer))} ms after the CANCEL, and no BYE in the ${Math.round(ms / 1000)} s after that.`,
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
  const { timer, refreshed, unrefreshed } = c.features;
  if (timer === undefined || refreshed === undefined) return;
  const ms = c.features.since(c.end ?? end);
  const least = (timer.seconds - Math.min(MARGIN_S, timer.seconds / 3)) * 1000;
  if (ms < (c.end === null ? timer.seconds * 1000 : least)) return;
  const tried = unrefreshed === undefined ? '' : ours` The last try got ${unrefreshed}.`;
  raise('call.session-expired', c.end ?? refreshed, {
    detail: ours`The interval is ${timer.seconds} s, and ${Math.round(ms / 1000)} s passed without a refresh.${tried}`,
    ...(c.end !== null && { confidence: 'likely' }),
  });
}
