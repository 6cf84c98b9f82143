import type { SessionModel } from '../model/session-model.js';

/** How often each state occurs, states in the order given, each of them named. */
export function byState<S extends string>(
  states: readonly S[],
  list: Iterable<{ readonly state: S }>,
): Record<S, number> {
  const out = Object.fromEntries(states.map((s) => [s, 0])) as Record<S, number>;
  for (const { state } of list) out[state]++;
  return out;
}

/** The first look at a report: counts by state, the worst findings, and how values are distributed. */
export function summaryOf(model: SessionModel): object {
  return {
    tunnels: { byState: byState(['established', 'failed', 'partial', 'other'], model.tunnels) },
  };
}
