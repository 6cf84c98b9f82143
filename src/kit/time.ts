/** Seconds of 400 years, after which the Gregorian calendar begins anew. */
const CYCLE = 146_097 * 86_400;

/**
 * A second since the epoch in UTC, as ISO 8601 writes it: `2026-03-01T10:20:30`. A capture may name years that a Date does
 * not know; one that has not four digits has a sign and six or more.
 */
export function isoSecond(seconds: number): string {
  const cycles = Math.floor(seconds / CYCLE);
  const same = new Date((seconds - cycles * CYCLE) * 1000);
  const year = same.getUTCFullYear() + 400 * cycles;
  const digits = year >= 0 && year <= 9999 ? 4 : 6;
  const sign = digits === 4 ? '' : year < 0 ? '-' : '+';
  return `${sign}${String(Math.abs(year)).padStart(digits, '0')}${same.toISOString().slice(4, -5)}`;
}

/** `[seconds, nanoseconds]` from one time to another; both have the same sign. */
export function difference(seconds: number, nanos: number, sinceSeconds: number, sinceNanos: number): [number, number] {
  let s = seconds - sinceSeconds;
  let n = nanos - sinceNanos;
  if (s > 0 && n < 0) {
    s--;
    n += 1e9;
  } else if (s < 0 && n > 0) {
    s++;
    n -= 1e9;
  }
  return [s, n];
}
