/** Makes inputs smaller that show a finding: ddmin on the list of parts, then on the octets of each. */

import { concat } from 'fttscope/kit';
import type { Input } from './input.js';

/** Whether an input still shows the finding. */
export type Shows = (o: Input) => Promise<boolean>;

/** Removes ranges of `n` items, ever smaller ones, as long as the finding shows; `trials` is what it may cost. */
async function ddmin<T>(list: T[], make: (list: T[]) => Input, shows: Shows, budget: { trials: number }): Promise<T[]> {
  let now = list;
  for (let size = Math.ceil(now.length / 2); size >= 1 && budget.trials > 0; ) {
    let removed = false;
    for (let from = 0; from < now.length && budget.trials > 0; ) {
      const less = [...now.slice(0, from), ...now.slice(from + size)];
      budget.trials--;
      if (less.length > 0 && (await shows(make(less)))) {
        now = less;
        removed = true;
      } else from += size;
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
    if (size === 1 && now.length > 4096) break;
  }
  return now;
}

/** The smallest input that was found to show the finding. */
export async function minimise(o: Input, shows: Shows, trials: number): Promise<Input> {
  const budget = { trials };
  let parts = await ddmin([...o.parts], (list) => ({ ...o, parts: list }), shows, budget);
  for (let i = 0; i < parts.length; i++) {
    const with_ = (b: Uint8Array): Uint8Array[] => parts.map((part, k) => (k === i ? b : part));
    const octets = [...parts[i]!].map((x) => Uint8Array.of(x));
    const less = await ddmin(octets, (list) => ({ ...o, parts: with_(concat(list)) }), shows, budget);
    parts = with_(concat(less));
  }
  return { ...o, parts };
}
