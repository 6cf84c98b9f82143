/** The thread of the engine behind the screens. It loads what it needs while its order is on the way. */
import { parentPort } from 'node:worker_threads';
import { loadBundle } from './load.js';

void loadBundle().view(parentPort!);
