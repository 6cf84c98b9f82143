import { PROXY_AUTHENTICATION_REQUIRED, TOO_MANY_REQUESTS } from '../../dissectors/http/status.js';
import { joined, ours, quoted, words } from '../kit/index.js';
import type { Call } from './call.js';
import type { TunnelEntity } from './entities.js';
import type { Findings } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, type Moment, millis, type Seen } from './moment.js';
import { subscriberName } from './subscriber.js';

/** So many tunnels of one address, each opened when the one before was gone, within so short a time, are a storm. */
const STORM = 5;
const STORM_MS = 60_000;
/** Pauses are the same that differ by no more than this. */
const SAME = 1.25;

/**
 * Judges tunnels together: those of one address, many at once or one after the other without end, and what certificates
 * the same names show.
 */
export function judgeCrowd(
  tunnels: readonly TunnelEntity[],
  calls: Iterable<Call>,
  /** Tunnels whose UE took its registration back. */
  left: ReadonlySet<number>,
  findings: Findings,
): void {
  const byAddress = new Map<string, TunnelEntity[]>();
  for (const t of tunnels) {
    const carries = t.envelopes.up.total + t.envelopes.down.total > 0;
    if (t.state === 'other' || (!carries && t.state !== 'failed')) continue;
    const list = byAddress.get(`${t.ue.address} ${t.eftf.address}`) ?? [];
    byAddress.set(`${t.ue.address} ${t.eftf.address}`, list);
    list.push(t);
  }
  judgeIssuers(tunnels, findings);
  judgeMoves(
    tunnels,
    [...calls].filter((c) => c.tunnels.size > 1),
    findings,
  );
  judgeOutages(tunnels, findings);
  for (const list of byAddress.values()) {
    list.sort((a, b) => millis(b.opened, a.opened));
    judgeTogether(list, findings);
    judgeStorm(list, left, findings);
    judgeTimeout(list, findings);
    judgeChallenges(list, findings);
  }
}

/** So many tunnels of one EFTF, of several addresses, that end within so short a time have one reason. */
const TOGETHER = { tunnels: 3, ms: 5000 } as const;

/** Tunnels of one EFTF that did not end one by one: none of them was released by its UE. */
function judgeOutages(tunnels: readonly TunnelEntity[], findings: Findings): void {
  const byEftf = new Map<string, { readonly t: TunnelEntity; readonly at: Moment }[]>();
  for (const t of tunnels) {
    const { at, by, how } = t.release;
    if (t.state !== 'established' || at === undefined || (by === 'ue' && how !== 'rst')) continue;
    const list = byEftf.get(t.eftf.address) ?? [];
    byEftf.set(t.eftf.address, list);
    list.push({ t, at });
  }
  for (const [address, list] of byEftf) {
    list.sort((a, b) => millis(b.at, a.at));
    let [from, to] = [0, 0];
    for (let first = 0, i = 0; i < list.length; i++) {
      while (millis(list[first].at, list[i].at) > TOGETHER.ms) first++;
      if (i + 1 - first > to - from) [from, to] = [first, i + 1];
    }
    const run = list.slice(from, to);
    const last = run[run.length - 1];
    if (run.length < TOGETHER.tunnels || new Set(run.map(({ t }) => t.ue.address)).size < TOGETHER.tunnels) continue;
    const stayed = tunnels.filter(
      (t) => t.eftf.address === address && t.state === 'established' && isUpAfter(t, run[0].at, last.at),
    ).length;
    if (run.length <= stayed) continue; // where there are many, some end at any time
    const others = stayed === 0 ? 'None was left.' : ours`${stayed} of the same EFTF went on.`;
    findings.raise(
      'tunnel.outage',
      { ...run[0].at, row: run[0].t.release.row ?? '' },
      run.slice(0, 8).map(({ t }) => tunnelRef(t)),
      {
        detail: ours`${run.length} tunnels ended within ${Math.round(millis(run[0].at, last.at))} ms. ${others}`,
        rows: run.map(({ t }) => t.release.row ?? ''),
      },
    );
  }
}

/** Whether a tunnel was up at a time, and still was at another. */
const isUpAfter = (t: TunnelEntity, from: Moment, to: Moment): boolean =>
  isBefore(t.opened, from) && (t.closed === undefined || isBefore(to, t.closed));

/** A proxy asks who somebody is, and closes; with the next connection the UE says it. RFC 9110 §11.7.1 */
const ANSWERED_MS = 30_000;

function judgeChallenges(list: readonly TunnelEntity[], findings: Findings): void {
  /** Of each proxy, the next connection that got through. */
  const next = new Map<string, TunnelEntity>();
  for (const t of list.toReversed()) {
    if (t.proxy === undefined) continue;
    const { address, status } = t.proxy;
    const answer = next.get(address);
    if (t.state === 'established') next.set(address, t);
    if (answer === undefined) continue;
    if (status === TOO_MANY_REQUESTS) findings.amend('proxy.rate-limited', t.id, { severity: 'warn' });
    if (status !== PROXY_AUTHENTICATION_REQUIRED || millis(t.opened, answer.opened) > ANSWERED_MS) continue;
    for (const code of ['proxy.authentication', 'proxy.credentials']) findings.temper(code, t.id);
  }
}

/** So soon after a tunnel was gone its UE has another one. */
const MOVE_MS = 60_000;

/** Whose tunnels are: where nobody says so, those in which a call of somebody goes on are the same side's. */
function subscribers(tunnels: readonly TunnelEntity[], calls: readonly Call[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const t of tunnels) {
    const name = subscriberName(t);
    if (name !== undefined) names.set(t.id, name);
  }
  for (const c of calls)
    for (const id of c.tunnels) {
      const same = names.has(id) ? undefined : [...c.tunnels].find((x) => names.has(x) && c.isOneIn(x, id));
      if (same !== undefined) names.set(id, names.get(same)!);
    }
  return names;
}

/**
 * The same UE with a tunnel from one address, and then from another.
 * @param calls those that were in several tunnels
 */
function judgeMoves(tunnels: readonly TunnelEntity[], calls: readonly Call[], findings: Findings): void {
  const names = subscribers(tunnels, calls);
  const last = new Map<string, TunnelEntity>();
  for (const t of tunnels.toSorted((a, b) => millis(b.opened, a.opened))) {
    const who = names.get(t.id);
    if (who === undefined || t.state !== 'established') continue;
    const before = last.get(who);
    last.set(who, t);
    if (before === undefined || before.ue.address === t.ue.address) continue;
    const gone = before.closed !== undefined && !isBefore(t.opened, before.closed);
    if (gone && millis(before.closed!, t.opened) > MOVE_MS) continue;
    const how = gone ? 'had ended before' : 'was still there';
    const saved = calls
      .filter(({ tunnels: x }) => x.has(before.id) && x.has(t.id))
      .filter((c) => c.isOneIn(before.id, t.id));
    const went = saved.length === 0 ? '' : ours` Call ${saved[0].id} went on in tunnel ${t.id}.`;
    findings.raise('tunnel.moved', seen(t), [tunnelRef(t), tunnelRef(before)], {
      detail: words`It was ${quoted('address', before.ue.address)}, and is ${quoted('address', t.ue.address)}; tunnel ${before.id} ${how}.${went}`,
    });
    // What was left behind goes silent: nothing was lost by that.
    if (saved.length > 0) findings.amend('tunnel.dead', before.id, { severity: 'warn' });
  }
}

/** The same EFTF with certificates of several issuers: something on the way makes its own. */
function judgeIssuers(tunnels: readonly TunnelEntity[], findings: Findings): void {
  const first = new Map<string, TunnelEntity>();
  for (const t of tunnels) {
    const issuer = t.tls?.certificate?.issuer;
    const name = t.tls?.sni?.toLowerCase();
    if (issuer === undefined || name === undefined || t.state === 'other') continue;
    const known = first.get(name);
    if (known === undefined) first.set(name, t);
    else if (known.tls!.certificate!.issuer !== issuer)
      findings.raise('tls.other-issuer', seen(t), [tunnelRef(t), tunnelRef(known)], {
        detail: words`${quoted('host', name)} has a certificate of ${quoted('issuer', issuer)} here, and one of ${quoted('issuer', known.tls!.certificate!.issuer)} in tunnel ${known.id}.`,
      });
  }
}

/**
 * Finds certificates of issuers that nobody expects.
 * @param expected distinguished names, or the value of one part of them such as the common name
 */
export function judgeIssuer(tunnels: readonly TunnelEntity[], expected: readonly string[], findings: Findings): void {
  if (expected.length === 0) return;
  const known = new Set(expected.map((name) => name.trim().toLowerCase()));
  const wanted = expected.map((name) => quoted('issuer', name));
  for (const t of tunnels) {
    const issuer = t.tls?.certificate?.issuer;
    if (issuer === undefined || t.state === 'other' || namesIn(issuer).some((name) => known.has(name))) continue;
    const carries = t.envelopes.up.total + t.envelopes.down.total > 0;
    findings.raise('tls.unexpected-issuer', seen(t), [tunnelRef(t)], {
      detail: words`Its issuer is ${quoted('issuer', issuer)}; expected is ${joined(wanted, ' or ')}.`,
      confidence: carries ? 'likely' : 'possible',
    });
  }
}

/** A distinguished name as a whole, and the value of each part, in lower case. */
function namesIn(name: string): string[] {
  const all = name.toLowerCase();
  return [all, ...all.split(', ').map((part) => part.slice(part.indexOf('=') + 1))];
}

const seen = (t: TunnelEntity): Seen => ({ ...t.opened, row: (t.opened as Seen).row });

/** Whether `b` was opened while `a` was up. */
const isWithin = (a: TunnelEntity, b: TunnelEntity): boolean => a.closed === undefined || isBefore(b.opened, a.closed);

function judgeTogether(list: readonly TunnelEntity[], findings: Findings): void {
  for (const [i, t] of list.entries()) {
    const beside = list.slice(Math.max(0, i - 16), i).filter((x) => isWithin(x, t) && x.state === 'established');
    if (beside.length === 0 || t.state !== 'established') continue;
    const same = t.subscriber?.impi !== undefined && beside.some((x) => x.subscriber?.impi === t.subscriber?.impi);
    const detail = same ? ours`The same subscriber uses them.` : ours`Several UEs behind one NAT look like this too.`;
    findings.raise('tunnel.several', seen(t), [tunnelRef(t), ...beside.slice(0, 4).map(tunnelRef)], { detail });
  }
}

/** Tunnels that were cut after pauses of about the same length: a timer does that. */
function judgeTimeout(list: readonly TunnelEntity[], findings: Findings): void {
  const cut = list.filter((t) => findings.has('tunnel.idle-cut', t.id) && t.release.idleBeforeMs !== undefined);
  const pauses = cut.map((t) => t.release.idleBeforeMs!);
  if (cut.length < 2 || Math.max(...pauses) > SAME * Math.min(...pauses)) return;
  findings.raise(
    'tunnel.idle-timeout',
    { ...cut[0].release.at!, row: cut[0].release.row ?? '' },
    cut.slice(0, 8).map(tunnelRef),
    {
      detail: ours`${cut.length} tunnels were cut after ${Math.round(Math.min(...pauses) / 1000)} to ${Math.round(Math.max(...pauses) / 1000)} s.`,
    },
  );
}

/** A tunnel that its UE had no more need of is no reason to come back, and none to wait. */
function judgeStorm(list: readonly TunnelEntity[], left: ReadonlySet<number>, findings: Findings): void {
  let first = 0;
  let most: readonly [from: number, to: number] = [0, 0];
  for (const [i, t] of list.entries()) {
    if (i > 0 && (isWithin(list[i - 1], t) || left.has(list[i - 1].id))) first = i;
    while (millis(list[first].opened, t.opened) > STORM_MS) first++;
    if (i + 1 - first > most[1] - most[0]) most = [first, i + 1];
  }
  const run = list.slice(...most);
  if (run.length < STORM) return;
  const sure = run.every((x) => x.tls?.resumed || x.subscriber?.impi !== undefined);
  findings.raise('tunnel.storm', seen(run[0]), run.slice(0, 8).map(tunnelRef), {
    detail: ours`${run.length} tunnels were opened within ${Math.round(millis(run[0].opened, run[run.length - 1].opened) / 1000)} s.`,
    ...(!sure && { confidence: 'possible' }),
  });
}
