import { append, type Own, ofNumber, ours, words } from '../kit/index.js';
import { ANSWER_MS } from './answer-time.js';
import type { Call } from './call.js';
import type { IsShaky } from './capture-quality.js';
import type { TunnelEntity } from './entities.js';
import type { Ref, Remark } from './findings.js';
import { judgeLeases, judgeReaddressing } from './judge-readdress.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, type Moment, millis, type Seen } from './moment.js';
import type { Registration } from './registration.js';
import type { SessionModel } from './session-model.js';

/** A tunnel that nobody needs any more is to be released (TS 24.322 §4.1). */
const KEPT_MS = 60_000;
/** Where these are known of a tunnel nobody can tell what was under way when it ended. */
const UNSURE = ['capture.one-sided', 'capture.order'] as const;
/** Calls that one finding names. */
const MOST_CALLS = 8;
/** What ended a tunnel is worse where something ended with it. */
const ENDINGS = ['tunnel.reset', 'tls.fatal-alert'] as const;

/** Whether there were no keys for what one of the sides said. */
function isHalfRead({ tls, envelopes: { up, down } }: TunnelEntity): boolean {
  const d = tls?.decryption;
  return (
    d !== undefined && ((up.total === 0 && d.up.verdict !== 'full') || (down.total === 0 && d.down.verdict !== 'full'))
  );
}

/** How a tunnel ended, to stand behind `when`. */
function ending({ proxy, release: { how, by } }: TunnelEntity): Own {
  // Behind a proxy TLS ends at the EFTF, and the connection at the proxy.
  const eftf = proxy === undefined || how === 'close_notify' ? 'the EFTF' : 'the proxy';
  const who = by === 'ue' ? 'the UE' : by === 'eftf' ? eftf : 'something on the way';
  if (how === 'close_notify') return ours`${who} released the tunnel`;
  if (how === 'fin') return ours`${who} closed the connection`;
  if (how === 'rst' && by !== 'middlebox') return ours`a reset came that bears the address of ${who}`;
  return how === 'rst' ? ours`something on the way reset the connection` : ours`nothing came back any more`;
}

/** Judges which tunnels ended in the middle of something: that ends then, too, and waits for no answer any more. */
export function judgeReleases(m: SessionModel, isShaky: IsShaky): void {
  const calls = byTunnel(m.signalling.calls, (c) => c.tunnels);
  const registrations = byTunnel(m.signalling.registrations, (r) => [r.tunnel]);
  const users = new Map<string, Registration[]>();
  for (const r of m.signalling.registrations) if (r.registered !== null) append(users, r.aor, r);
  for (const t of m.tunnels) {
    const inside = m.insides.get(t.id);
    if (inside !== undefined && t.state !== 'other') {
      const own = calls.get(t.id) ?? [];
      judgeLeases(t, inside, own, t.release.at ?? m.endOf(t), m.findings);
      judgeReaddressing(t, inside, own, registrations.get(t.id) ?? [], m.findings);
    }
    const { at, row = '' } = t.release;
    if (at === undefined || t.state !== 'established') continue;
    const when: Seen = { ...at, row };
    // What was not captured, or stands elsewhere, may have ended it before.
    if (UNSURE.some((code) => m.findings.has(code, t.id)) || isHalfRead(t) || m.clock.wentBack(t.legs)) continue;
    const isSure = !isShaky(t.id, 'tunnel.closed-in-call', 'sight');
    const own = registrations.get(t.id) ?? [];
    const cut = (calls.get(t.id) ?? []).filter((c) => isCut(m, c, t, when));
    const byUe = t.release.by === 'ue' && t.release.how !== 'rst';
    const waiting = own.filter((r) => r.isWaiting(when, byUe));
    for (const c of calls.get(t.id) ?? [])
      if (c.lost !== null && isBefore(when, c.lost.at) && !isBefore(when, c.start))
        c.orphaned = { tunnel: t.id, at: when };
    if (cut.length > 0) judgeCalls(m, t, when, cut, isSure);
    for (const r of waiting) judgeWaiting(m, t, when, r, users.get(r.aor) ?? [], isSure);
    if (isSure) for (const r of own) if (!waiting.includes(r)) r.close(when);
    if (cut.length > 0 || waiting.some((r) => r.registered === null))
      for (const code of ENDINGS) m.findings.amend(code, t.id, { severity: 'error' });
    if (cut.length + waiting.length > 0) continue;
    const held = own.findLast((r) => isHeld(r, when));
    if (held !== undefined) m.findings.raise('tunnel.closed-registered', when, refs(t, 'registration', [held]));
  }
}

const refs = (t: TunnelEntity, kind: Ref['kind'], all: readonly { readonly id: number }[]): Ref[] => [
  tunnelRef(t),
  ...all.slice(0, MOST_CALLS).map(({ id }): Ref => ({ kind, id })),
];

function byTunnel<T>(all: Iterable<T>, tunnels: (x: T) => Iterable<number>): Map<number, T[]> {
  const lists = new Map<number, T[]>();
  for (const x of all) for (const id of tunnels(x)) append(lists, id, x);
  return lists;
}

/** Whether the end of a tunnel left a call without its way: it was on, and went on in no other tunnel of the UE. */
function isCut(m: SessionModel, c: Call, t: TunnelEntity, when: Seen): boolean {
  // What was not answered for long before has another reason.
  if (c.state === 'failed' || c.isRefused || c.isUnheard(when, ANSWER_MS) || (c.end !== null && !isBefore(when, c.end)))
    return false;
  if (c.cancel !== null && !isBefore(when, c.cancel)) return false;
  return ![...c.tunnels].some((id) => id !== t.id && c.isOneIn(t.id, id) && isThereAfter(m.tunnel(id), when));
}

/** Whether a tunnel ended later, or was there when the capture ended. */
const isThereAfter = (t: TunnelEntity | undefined, when: Moment): boolean =>
  t !== undefined && (t.release.at === undefined || isBefore(when, t.release.at));

function judgeCalls(m: SessionModel, t: TunnelEntity, when: Seen, cut: readonly Call[], isSure: boolean): void {
  const [first] = cut;
  const how = ending(t);
  const others = cut.length === 1 ? '' : ours` So it was with ${cut.length - 1} more.`;
  // Of each the end may be in what is missing: that explains more than a tunnel which somebody let go of.
  const isHidden = cut.every((c) => t.gaps.some(({ at }) => !isBefore(at, c.last)));
  m.findings.raise('tunnel.closed-in-call', when, refs(t, 'call', cut), {
    detail: ours`${course(first, when)} when ${how}.${others}`,
    ...(isHidden && t.release.how !== 'silent' && { severity: 'warn' }),
  });
  for (const c of cut) {
    c.cutOff(
      when,
      words`The tunnel ended ${wasUp(c) ? 'during the call' : 'before the call was answered'}: ${how}.`,
      isSure,
    );
  }
}

const lasting = (ms: number): string => (Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Whether it was answered; of an answer that the capture lacks the ACK tells, or the BYE. */
const wasUp = (c: Call): boolean => c.answer !== null || c.state === 'established' || c.state === 'ended';

/** How far a call had come. */
function course(c: Call, when: Moment): Own {
  const since = (from: Moment): Own => ofNumber(millis(from, when), lasting);
  const what = c.emergency ? ours`Emergency call ${c.id}` : ours`Call ${c.id}`;
  if (wasUp(c) && c.answer === null) return ours`${what} was up`;
  if (c.answer !== null) return ours`${what} had been up for ${since(c.answer)}`;
  const stood = c.ringing === null ? 'had not been answered' : 'was ringing';
  return ours`${what} ${stood}, ${since(c.inviteAt)} after its INVITE,`;
}

/** @param all of the same user that came about */
function judgeWaiting(
  m: SessionModel,
  t: TunnelEntity,
  when: Seen,
  r: Registration,
  all: readonly Registration[],
  isSure: boolean,
): void {
  const isRefresh = r.registered !== null;
  const isMended = all.some((x) => x !== r && isBefore(when, x.registered!));
  const what = isRefresh ? 'A refresh of the registration' : 'The registration';
  const mended = isMended ? ' The user was registered again later.' : '';
  const remark: Remark = {
    detail: ours`${what} was under way when ${ending(t)}.${mended}`,
    ...((isRefresh || isMended) && { severity: 'warn' }),
  };
  m.findings.raise('tunnel.closed-registering', when, refs(t, 'registration', [r]), remark);
  if (isSure) r.cutOff(when);
}

/** Whether the network took the UE for registered at a time. */
function isHeld(r: Registration, when: Moment): boolean {
  const inForce = r.state === 'expired' ? r.inForceUntil : undefined;
  return r.state === 'registered' || (inForce !== undefined && isBefore(when, inForce));
}

/** Judges tunnels that stayed long after the last registration in them had ended. */
export function judgeKept(m: SessionModel): void {
  const registrations = byTunnel(m.signalling.registrations, (r) => [r.tunnel]);
  for (const t of m.tunnels) {
    const own = registrations.get(t.id) ?? [];
    const last = own.at(-1);
    if (last?.end == null || own.some((r) => r.state !== 'deregistered')) continue;
    const ms = millis(last.end, t.release.at ?? m.endOf(t));
    if (ms < KEPT_MS) continue;
    const detail = ours`It stayed for ${Math.round(ms / 1000)} s after that.`;
    m.findings.raise('tunnel.kept', last.end, refs(t, 'registration', [last]), { detail });
  }
}
