/** Milliseconds after which long work lets others in, and the most of them where others take longer. */
const SLICE_MS = 12;
const MOST_MS = 60;

/** Lets others in. */
export const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Lets others in from time to time. Who reads a capture takes longer than a slice for each part of it: beside that, work
 * that gave way after each slice would stand still until all is read.
 */
export class Slices {
  private until = performance.now() + SLICE_MS;

  async between(): Promise<void> {
    const began = performance.now();
    if (began < this.until) return;
    await breath();
    const now = performance.now();
    this.until = now + Math.min(MOST_MS, Math.max(SLICE_MS, now - began));
  }
}
