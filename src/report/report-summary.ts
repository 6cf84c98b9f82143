import type { RegistrationEntity, Severity } from '../model/entities.js';
import { millis } from '../model/moment.js';
import { REGISTRATION_STATES, TUNNEL_STATES } from '../model/states.js';
import { CallTally, MediaTally, type Tallies } from '../model/tally.js';
import type { Lists } from './report-select.js';

/** Findings that are named. */
const WORST = 10;

/** How often each state occurs. */
export interface States {
  readonly byState: Readonly<Record<string, number>>;
  /** Of those that are established. */
  readonly cutOff?: number;
}

/** How values are distributed: percentiles by nearest rank. */
export interface Distribution {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The first look at a report. */
export interface ReportSummary {
  readonly tunnels: States;
  readonly registrations: States;
  readonly calls: States;
  readonly media: {
    readonly streams: number;
    readonly packets: number;
    readonly lost: number;
    readonly lostPercent: number;
  };
  readonly findings: { readonly bySeverity: Readonly<Record<Severity, number>> };
  /** Ids of the worst findings. */
  readonly worst: readonly number[];
  readonly handshakeMs?: Distribution | undefined;
  readonly pddMs?: Distribution | undefined;
  readonly setupMs?: Distribution | undefined;
  readonly lostPercent?: Distribution | undefined;
  readonly jitterMs?: Distribution | undefined;
}

/** How often each state occurs; every state is named. */
function byState<S extends string>(states: readonly S[], list: Iterable<{ readonly state: S }>): States {
  const out = Object.fromEntries(states.map((s) => [s, 0])) as Record<S, number>;
  for (const { state } of list) out[state]++;
  return { byState: out };
}

/** Registrations without those that went on as another one of the list: they are one binding. */
function bindingsOf(list: readonly RegistrationEntity[]): RegistrationEntity[] {
  const listed = new Set(list.map((r) => r.id));
  return list.filter((r) => r.continuedBy === undefined || !listed.has(r.continuedBy));
}

/** How values are distributed; undefined where there are none. */
function distribution(values: readonly (number | undefined)[]): Distribution | undefined {
  const sorted = Float64Array.from(values.filter((v) => v !== undefined)).sort();
  if (sorted.length === 0) return undefined;
  // The nearest rank: the smallest value that so many of a hundred do not exceed.
  const at = (percent: number): number => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  return { count: sorted.length, p50: at(50), p90: at(90), p99: at(99), max: sorted[sorted.length - 1] };
}

/** Counts the calls and media of lists. */
export function talliesOf(lists: Lists): Tallies {
  const tallies = { calls: new CallTally(), media: new MediaTally() };
  for (const c of lists.calls) tallies.calls.add(c);
  for (const m of lists.media) tallies.media.add(m);
  return tallies;
}

/** Counts by state, the worst findings, and how values are distributed. */
export function summaryOf({ tunnels, registrations, findings }: Lists, { calls, media }: Tallies): ReportSummary {
  const { streams, packets, duplicates, lost } = media;
  const severities = { error: 0, warn: 0, note: 0 };
  for (const f of findings) severities[f.severity]++;
  return {
    tunnels: byState(TUNNEL_STATES, tunnels),
    registrations: byState(REGISTRATION_STATES, bindingsOf(registrations)),
    calls: { byState: calls.byState, ...(calls.cutOff > 0 && { cutOff: calls.cutOff }) },
    media: {
      streams,
      packets: packets + duplicates,
      lost,
      lostPercent: packets + lost === 0 ? 0 : (100 * lost) / (packets + lost),
    },
    findings: { bySeverity: severities },
    worst: findings
      .filter((f) => f.severity !== 'note')
      .map((f) => f.id)
      .slice(0, WORST),
    handshakeMs: distribution(
      tunnels.map((t) => (t.established === undefined ? undefined : millis(t.opened, t.established))),
    ),
    pddMs: distribution(calls.pddMs),
    setupMs: distribution(calls.setupMs),
    lostPercent: distribution(media.lostPercent),
    jitterMs: distribution(media.jitterMs),
  };
}
