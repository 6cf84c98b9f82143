/** The thread of the engine behind the screens. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadBundle } from './load.js';

await loadBundle().view(parentPort!, workerData);
