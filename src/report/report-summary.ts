import { millis } from '../model/moment.js';
import type { Lists } from './report-select.js';

const WORST = 10;

/** How often each state occurs; every state is named. */
function byState<S extends string>(states: readonly S[], list: Iterable<{ readonly state: S }>): object {
  const out = Object.fromEntries(states.map((s) => [s, 0])) as Record<S, number>;
  for (const { state } of list) out[state]++;
  return { byState: out };
}

/** How values are distributed; undefined where there are none. */
function distribution(values: readonly (number | undefined)[]): object | undefined {
  const sorted = values.filter((v) => v !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  // The nearest rank: the smallest value that so many of a hundred do not exceed.
  const at = (percent: number): number => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  return { count: sorted.length, p50: at(50), p90: at(90), p99: at(99), max: sorted[sorted.length - 1] };
}

/** The first look at a report: counts by state, the worst findings, and how values are distributed. */
export function summaryOf({ tunnels, registrations, calls, media, findings }: Lists): object {
  const flowed = mediaFacts(media);
  const { packets, lost } = flowed;
  // Calls may be many, and are asked for once.
  const told = calls.map(({ state, pddMs, setupMs }) => ({ state, pddMs, setupMs }));
  const severities = { error: 0, warn: 0, note: 0 };
  for (const f of findings) severities[f.severity]++;
  return {
    tunnels: byState(['established', 'failed', 'partial', 'other'], tunnels),
    registrations: byState(['registered', 'failed', 'in-progress', 'expired', 'deregistered'], registrations),
    calls: byState(['established', 'failed', 'cancelled', 'ringing', 'in-progress', 'ended'], told),
    media: {
      streams: flowed.streams,
      packets: packets + flowed.duplicates,
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
    pddMs: distribution(told.map((c) => c.pddMs)),
    setupMs: distribution(told.map((c) => c.setupMs)),
    lostPercent: distribution(flowed.lostPercent),
    jitterMs: distribution(flowed.jitterMs),
  };
}

/** What a summary says of media: their packets, duplicates aside, those lost, and each stream's share and jitter. */
function mediaFacts(media: Lists['media']): {
  streams: number;
  packets: number;
  duplicates: number;
  lost: number;
  lostPercent: number[];
  jitterMs: (number | undefined)[];
} {
  const out = {
    streams: 0,
    packets: 0,
    duplicates: 0,
    lost: 0,
    lostPercent: [] as number[],
    jitterMs: [] as (number | undefined)[],
  };
  for (const m of media) {
    if (m.copyOf !== undefined) continue; // what was seen behind the EFTF too counts once
    out.streams++;
    out.packets += m.packets - m.duplicates;
    out.duplicates += m.duplicates;
    out.lost += m.lost;
    out.lostPercent.push(m.lostPercent);
    out.jitterMs.push(m.jitterMs?.mean);
  }
  return out;
}
