/** How long tests wait for what is to happen: long, for a machine that has much else to do. */
export const PATIENCE_MS = 120_000;

/**
 * Waits until something is so. @throws Error that says `what` did not happen
 * @param every milliseconds between two looks
 */
export async function until(so: () => boolean, what: () => string = () => String(so), every = 5): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!so()) {
    if (performance.now() > end) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
