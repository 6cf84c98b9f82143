import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

/** Megabytes of young objects; most die at once, so that more room would only be held. */
const YOUNG_MB = 12;

const start = (): Worker =>
  new Worker(new URL('./viewer-worker.cjs', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });

let waiting: Worker | undefined;

/** Lets the thread of the engine start while the screens are still being loaded. */
export function prepareEngine(): void {
  waiting ??= start();
  waiting.unref(); // nobody may want it
}

/** The thread that waits for an order, or a new one. */
export function takeEngine(): Worker {
  const worker = waiting ?? start();
  waiting = undefined;
  worker.ref();
  room(2);
  return worker;
}

/** What a reading needs of room for young objects it has now: what is held beyond it would only be held. */
export const settled = (): void => room(1);

/** By how much the room for young objects grows when many of them live on. */
const room = (times: number): void => setFlagsFromString(`--semi-space-growth-factor=${times}`);

/**
 * Has collections close some gaps each time. What a reading keeps lies between what it does not: without it half of the
 * memory held would be gaps.
 */
export const closeGaps = (): void => setFlagsFromString('--optimize-for-size');
