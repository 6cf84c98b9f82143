/** Edits (insert, delete, replace) between two words, not counted beyond `most`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

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
    const d = distance(lower, n, most);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}
