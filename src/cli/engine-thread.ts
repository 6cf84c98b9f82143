import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { setFlags } from './load.js';

/** Megabytes of young objects; most die at once, so that more room would only be held. */
const YOUNG_MB = 12;

function start(): Worker {
  setFlags(); // an engine before this one has changed them
  return new Worker(new URL('./viewer-worker.cjs', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}

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
  return worker;
}

/** What a reading needs of room for young objects it has now: what is held beyond it would only be held. */
export const settled = (): void => setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Has collections close some gaps each time. What a reading keeps lies between what it does not: without it half of the
 * memory held would be gaps.
 */
export const closeGaps = (): void => setFlagsFromString('--optimize-for-size');
