import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { setFlags, YOUNG_MB } from './load.js';

function start(): Worker {
  setFlags(); // an engine before this one has changed them
  return new Worker(new URL('./viewer-worker.cjs', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 3 * YOUNG_MB }, // V8 counts a third for large ones
  });
}

let waiting: Worker | undefined;

/** Starts the thread of the engine while the rest is still being loaded; nobody may want it. */
export function startEarly(): Worker {
  const worker = start();
  worker.unref();
  return worker;
}

/** Takes a thread that was started before this was loaded. */
export function adoptEngine(worker: Worker): void {
  waiting = worker;
}

/** Lets the thread of the engine start while the screens are still being loaded. */
export function prepareEngine(): void {
  waiting ??= startEarly();
}

/** The thread that waits for an order, or a new one. */
export function takeEngine(): Worker {
  const worker = waiting ?? start();
  waiting = undefined;
  worker.ref();
  return worker;
}

/** The room for young objects that the main thread has when it has started is enough: more would only be held. */
export const settled = (): void => setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Has collections come sooner, and close some gaps each time. What a reading keeps lies between what it does not:
 * without it half of the memory held would be gaps.
 */
export function closeGaps(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--heap-growing-percent=15');
}

/** Has collections come sooner still: a report leaves much, on top of all that was kept. */
export const closeMoreGaps = (): void => setFlagsFromString('--heap-growing-percent=10');

/** Has all be collected that is not in use. */
export function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}
