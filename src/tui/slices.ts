/** Milliseconds of work between two breaths: keys and paint come in between. */
const SLICE_MS = 8;

/**
 * Runs long work over rows in slices, so that nobody waits for it. The work yields now and then; when it has ended `done`
 * gets what it returned, or undefined where the capture is read anew meanwhile. Returns how to give it up.
 */
export function inSlices<T>(
  rows: { readonly cleared: number },
  work: Generator<void, T>,
  done: (result: T | undefined) => void,
): () => void {
  let cancelled = false;
  const { cleared } = rows;
  const slice = (): void => {
    if (cancelled) return;
    if (rows.cleared !== cleared) {
      done(undefined);
      return;
    }
    const until = performance.now() + SLICE_MS;
    for (;;) {
      const step = work.next();
      if (step.done === true) {
        done(step.value);
        return;
      }
      if (performance.now() >= until) break;
    }
    setImmediate(slice);
  };
  setImmediate(slice);
  return () => {
    cancelled = true;
  };
}
