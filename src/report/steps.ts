import { isChallenge } from '../../dissectors/sip/status.js';
import type { CallEntity, FindingEntity, MediaEntity, RegistrationEntity, TunnelEntity } from '../model/entities.js';
import { isBefore, type Moment, millis } from '../model/moment.js';
import { lossOf } from '../model/quality.js';
import type { Series } from '../model/series.js';
import { isCutOff } from '../model/tally.js';
import type { Lists } from './report-select.js';
import { moreWords, number } from './report-words.js';

/** Findings that are named. */
const MOST_CODES = 5;

/** One step on the way from the first segment to the end of a call, in a capture. */
export interface Step {
  readonly name: string;
  /** How it went, in words that do not depend on addresses and times. */
  readonly outcome: string;
  /** What of that counts, where it is less: not the words of a reason phrase, nor how much was lost. */
  readonly counts?: string | undefined;
  readonly failed?: boolean | undefined;
  /** Since the step before it began, or how long it took. */
  readonly ms?: number | undefined;
  readonly row?: string | undefined;
}

/** What of a capture is compared: a tunnel, and a registration and a call in it, or outside of tunnels. */
export interface Course {
  readonly tunnel: TunnelEntity | undefined;
  readonly registration: RegistrationEntity | undefined;
  readonly call: CallEntity | undefined;
  /** Which that are, where there are others. */
  readonly words: string;
}

/** Whether SIP was captured, and no tunnel: behind the EFTF, or of a phone that needs none. */
export const isOutside = ({ tunnels, registrations, calls }: Lists): boolean =>
  tunnels.every((t) => t.state === 'other') && registrations.length + calls.length > 0;

const isFailed = (r: RegistrationEntity): boolean => r.state === 'failed' || r.state === 'expired';

/** Of the calls, or the registrations, in one tunnel, or outside of all: the one to be shown, and what it is worth. */
interface Chosen {
  count: number;
  id: number;
  cost: number;
}

/** How bad something is that failed by itself; findings about it are less. */
const FAILED = 3;
/** Stands for the outside of tunnels. */
const NONE = 0;

/**
 * Chooses what is compared: of a good capture the way that led furthest without harm, of a bad one what went worst; among
 * equals the first.
 */
export function courseOf(lists: Lists, side: 'good' | 'bad'): Course {
  const harm = harms(lists.findings);
  const sign = side === 'good' ? 1 : -1;
  const calls = chosen(lists.calls, (c) => [
    sign * (c.state === 'failed' || isCutOff(c) ? FAILED : harm('call', c.id)),
    c.tunnels.length === 0 ? [NONE] : c.tunnels,
  ]);
  const registrations = chosen(lists.registrations, (r) => [
    sign * (isFailed(r) ? FAILED : harm('registration', r.id)),
    [r.tunnel ?? NONE],
  ]);
  const own = lists.tunnels.filter((x) => x.state !== 'other' || x.envelopes.up.total > 0);
  const cost = (t: TunnelEntity): number => {
    const [c, r] = [calls.get(t.id)?.cost, registrations.get(t.id)?.cost];
    const self = t.state === 'failed' || t.failure !== undefined ? FAILED + 1 : harm('tunnel', t.id);
    if (side === 'bad') return -Math.max(self, -(c ?? 0), -(r ?? 0));
    // No call, or none that came about, is worse than what is said of one.
    const reached = c !== undefined && c < FAILED ? 0 : r !== undefined && r < FAILED ? 1 : 2;
    return 10 * reached + self;
  };
  const tunnel = least(own, cost);
  const at = tunnel?.id ?? NONE;
  const [call, registration] = [calls.get(at), registrations.get(at)];
  const words = [
    own.length < 2 || tunnel === undefined ? '' : `tunnel ${tunnel.id}`,
    registration === undefined || registration.count < 2 ? '' : `registration ${registration.id}`,
    call === undefined || call.count < 2 ? '' : `call ${call.id}`,
  ];
  return {
    tunnel,
    registration: registration && lists.registrations.find((r) => r.id === registration.id),
    call: call && lists.calls.find((c) => c.id === call.id),
    words: words.filter((w) => w !== '').join(', '),
  };
}

/** By tunnel the first that costs least. @param of what one costs, and the tunnels that it is in */
function chosen<T extends { readonly id: number }>(
  all: Iterable<T>,
  of: (x: T) => [cost: number, tunnels: readonly number[]],
): Map<number, Chosen> {
  const byTunnel = new Map<number, Chosen>();
  for (const x of all) {
    const [cost, tunnels] = of(x);
    for (const tunnel of tunnels) {
      const known = byTunnel.get(tunnel);
      if (known === undefined) byTunnel.set(tunnel, { count: 1, id: x.id, cost });
      else {
        known.count++;
        if (cost < known.cost) Object.assign(known, { id: x.id, cost });
      }
    }
  }
  return byTunnel;
}

function least<T>(all: readonly T[], cost: (x: T) => number): T | undefined {
  const costs = all.map(cost);
  return all[costs.indexOf(Math.min(...costs))];
}

/** How bad the worst finding about a thing is: 0 for a note, or none. */
function harms(findings: Series<FindingEntity>): (kind: string, id: number) => number {
  const worst = new Map<string, number>();
  for (const { severity, refs } of findings)
    for (const { kind, id } of refs) {
      const key = `${kind} ${id}`;
      worst.set(key, Math.max(worst.get(key) ?? 0, ['note', 'warn', 'error'].indexOf(severity)));
    }
  return (kind, id) => worst.get(`${kind} ${id}`) ?? 0;
}

/**
 * What happened step by step.
 * @param outside what tunnels alone show is left out: the other capture has none
 */
export function stepsOf(lists: Lists, { tunnel: t, registration, call }: Course, outside: boolean): Step[] {
  const requests = registration === undefined ? [] : registering(registration);
  const shown = outside ? undefined : t;
  return [
    ...(shown === undefined ? [] : connection(shown)),
    ...(shown === undefined ? [] : addressing(lists, shown)),
    ...requests.filter((s) => !isAfter(s, call)).map(stepOf),
    ...(call === undefined ? [] : calling(lists, call, outside)),
    ...requests.filter((s) => isAfter(s, call)).map(stepOf),
    ...(registration === undefined
      ? []
      : [{ name: 'registration', outcome: registration.state, failed: isFailed(registration) }]),
    ...(shown === undefined ? [] : [release(shown)]),
    problems(lists),
  ];
}

const since = (from: Moment | undefined, to: Moment | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : millis(from, to);

function connection(t: TunnelEntity): Step[] {
  const at = (step: string): TunnelEntity['steps'][0] | undefined => t.steps.find((s) => s.step === step);
  const [syn, answer, connect, hello] = ['syn', 'syn-ack', 'connect', 'client-hello'].map(at);
  const steps: Step[] = [];
  if (syn !== undefined)
    steps.push({
      name: 'TCP',
      outcome: answer === undefined ? 'no answer' : 'connected',
      failed: answer === undefined,
      ms: t.tcp.rttMs,
      row: syn.row,
    });
  if (t.proxy !== undefined) {
    const { status, waitMs } = t.proxy;
    const outcome = status === undefined ? 'no answer' : String(status);
    const failed = status === undefined || status < 200 || status >= 300;
    steps.push({ name: 'CONNECT', outcome, failed, ms: waitMs, row: connect?.row });
  }
  if (t.transport === 'tls' && (hello !== undefined || t.tls !== undefined)) {
    const failed = t.failure?.stage === 'tls' ? `failed: ${t.failure.cause}` : undefined;
    const version = t.tls?.version ?? 'TLS';
    const outcome = failed ?? (t.state === 'partial' ? `${version}, not seen whole` : version);
    const ms = since(hello?.at, t.established);
    steps.push({ name: 'TLS', outcome, failed: failed !== undefined, ms, row: hello?.row });
    const { up, down } = t.tls?.decryption ?? {};
    if (up !== undefined && down !== undefined && up.records + down.records > 0)
      steps.push({ name: 'keys', outcome: `up ${up.verdict}, down ${down.verdict}` });
  }
  return steps;
}

const UNSERVED: ReadonlySet<string> = new Set(['refused', 'declined', 'unanswered']);

function addressing(lists: Lists, t: TunnelEntity): Step[] {
  const a = lists.addressing.find((x) => x.tunnel === t.id);
  const steps: Step[] = [];
  const [dhcp] = a?.dhcp.exchanges ?? [];
  const first = dhcp?.messages[0];
  if (dhcp !== undefined) {
    const last = dhcp.messages[dhcp.messages.length - 1];
    const failed = UNSERVED.has(dhcp.outcome);
    steps.push({ name: 'DHCP', outcome: dhcp.outcome, failed, ms: since(first?.at, last?.at), row: first?.row });
  }
  if (a !== undefined && a.slaac.rs + a.slaac.ra > 0) {
    const { ra, prefixes } = a.slaac;
    const outcome = ra === 0 ? 'no advertisement' : prefixes.length === 0 ? 'no prefix' : 'prefix';
    const failed = outcome !== 'prefix' && dhcp?.outcome !== 'bound';
    steps.push({ name: 'IPv6 router', outcome, failed, row: a.slaac.messages[0]?.row });
  }
  if (a !== undefined || t.pcscf !== undefined) {
    const source = t.pcscf?.source;
    const outcome = source === undefined ? 'not found' : source === 'unknown' ? 'found' : `by ${source}`;
    steps.push({ name: 'P-CSCF', outcome, failed: source === undefined });
  }
  return steps;
}

/** A step with the time at which it began. */
type Timed = Step & { readonly at: Moment };

/** How a request went, and what of that counts. */
const answered = (status: number | undefined, reason: string | undefined, none: string) =>
  status === undefined
    ? { outcome: none, failed: true }
    : {
        outcome: `${status} ${reason ?? ''}`.trim(),
        counts: String(status),
        failed: status >= 300 && !isChallenge(status),
      };

const registering = (r: RegistrationEntity): Timed[] =>
  r.transactions.slice(0, 4).map((x, i) => {
    const went = answered(x.status, x.reason, 'no answer');
    return { name: `REGISTER${i === 0 ? '' : ` ${i + 1}`}`, ...went, ms: x.ms, row: x.row, at: x.at };
  });

const stepOf = ({ at: _, ...step }: Timed): Step => step;

/** What a UE refreshes or ends when its call has begun has no part in how that came about. */
const isAfter = (s: Timed, call: CallEntity | undefined): boolean => call !== undefined && isBefore(call.start, s.at);

function calling(lists: Lists, c: CallEntity, outside: boolean): Step[] {
  const steps: Step[] = [];
  const final = c.messages.find((m) => m.method === 'INVITE' && (m.status ?? 0) >= 200 && !isChallenge(m.status));
  const progress = c.messages.find((m) => m.method === 'INVITE' && (m.status ?? 0) > 100 && (m.status ?? 0) < 200);
  if (progress !== undefined)
    steps.push({ name: 'INVITE, progress', outcome: String(progress.status), ms: c.pddMs, row: progress.row });
  const went = answered(final?.status, final?.reason, 'no final answer');
  const row = final?.row ?? c.messages[0]?.row;
  steps.push({ name: 'INVITE, answer', ...went, ms: since(c.start, final?.at), row });
  if (c.answer !== undefined) {
    const streams = lists.media.filter((m) => m.call === c.id);
    if (outside || c.tunnels.length === 0) steps.push(bothWays(speech('media', streams), streams));
    else
      for (const way of ['up', 'down'] as const)
        steps.push(
          speech(
            `media ${way}`,
            streams.filter((m) => (m.direction ?? 'up') === way),
          ),
        );
  }
  const by = c.releasedBy === undefined ? '' : ` by the ${c.releasedBy}`;
  const cut = isCutOff(c);
  const outcome = `${c.state}${cut ? ', cut off' : ''}${by}`;
  return [...steps, { name: 'call', outcome, failed: cut || c.state === 'failed', ms: c.durationMs }];
}

function speech(name: string, streams: readonly MediaEntity[]): Step {
  if (streams.length === 0) return { name, outcome: 'none', failed: true };
  const lost = Math.max(...streams.map((m) => lossOf(m).percent));
  const codecs = [...new Set(streams.map((m) => m.codec ?? `type ${m.payloadType}`))].join(', ');
  const isLossy = lost >= 1;
  return {
    name,
    outcome: `${codecs}${isLossy ? `, ${number(lost, ' %')} lost` : ''}`,
    counts: `${codecs}${isLossy ? ', lost' : ''}`,
  };
}

/** Where nobody knows which way is up a source alone that sends tells of media that flow one way. */
function bothWays(step: Step, streams: readonly MediaEntity[]): Step {
  if (new Set(streams.map((m) => m.source.address)).size !== 1) return step;
  const add = (s: string): string => `${s}, one way`;
  return { ...step, outcome: add(step.outcome), counts: add(step.counts ?? step.outcome), failed: true };
}

/** The worst findings, each code once. */
function problems({ findings }: Lists): Step {
  const codes = new Set(findings.filter((f) => f.severity !== 'note').map((f) => f.code));
  const told = [...codes].slice(0, MOST_CODES).join(', ');
  const rest = moreWords(codes.size, MOST_CODES);
  return { name: 'findings', outcome: codes.size === 0 ? 'none' : rest === '' ? told : `${told} ${rest}` };
}

const release = (t: TunnelEntity): Step => ({
  name: 'end',
  outcome: t.release.how === 'capture-end' ? 'still open' : `${t.release.how.replace('_', ' ')} by ${t.release.by}`,
  row: t.release.row,
});
