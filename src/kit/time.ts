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
