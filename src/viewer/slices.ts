/** Milliseconds after which long work lets others in. */
const SLICE_MS = 12;

/** Lets others in. */
export const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets others in from time to time. */
export class Slices {
  private until = performance.now() + SLICE_MS;

  async between(): Promise<void> {
    if (performance.now() < this.until) return;
    await breath();
    this.until = performance.now() + SLICE_MS;
  }
}
