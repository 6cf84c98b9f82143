import { editDistance } from '../filter/edit-distance.js';

/**
 * The name nearest to a mistyped one: the same in other letter case first, then by edits, at most one in three letters;
 * undefined if none is near.
 */
export function suggest(typed: string, names: Iterable<string>): string | undefined {
  const lower = typed.toLowerCase();
  let best: string | undefined;
  const most = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
  let least = most + 1;
  for (const name of names) {
    const n = name.toLowerCase();
    if (n === lower) return name;
    const d = editDistance(lower, n, most);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}
