/** The thread that makes and checks inputs. It may hang or run out of memory: the one that started it sees that. */

import { parentPort, workerData } from 'node:worker_threads';
import { checkLayer } from './check-layer.js';
import { checkFile, checkFrames } from './check-rows.js';
import { checkText } from './check-text.js';
import { Generator } from './generate.js';
import { asFinding, Finding, type Input } from './input.js';
import type { Layers, SeedCapture } from './seeds.js';
import type { Handshake } from './wire.js';

/** What a worker is told at its start. */
export interface Task {
  readonly seed: number;
  /** The first input; inputs are every `step`th from there on. */
  readonly from: number;
  readonly captures: readonly SeedCapture[];
  readonly layers: Layers;
  readonly handshake: Handshake;
  /** The number of the input at hand, for whoever watches. */
  readonly progress: SharedArrayBuffer;
  /** Nothing is made: inputs come as messages. */
  readonly trials: boolean;
}

/** What a worker tells. */
export interface Found {
  readonly n: number;
  readonly input: Input;
  /** Null: nothing is wrong with it. */
  readonly sign: string | null;
  readonly message: string;
}

/** Octets by which memory may grow over one input, and in all. */
const GROWTH = 400 << 20;
const RESIDENT = 1800 << 20;

async function check(o: Input, h: Handshake): Promise<void> {
  const before = process.memoryUsage.rss();
  if (o.kind === 'layer') checkLayer(o);
  else if (o.kind === 'file') await checkFile(o);
  else if (o.kind === 'frames' || o.kind === 'tunnel' || o.kind === 'stream') await checkFrames(o, h);
  else checkText(o);
  const after = process.memoryUsage.rss();
  if (after - before > GROWTH || after > RESIDENT)
    throw new Finding(`memory ${o.kind}`, `${before >> 20} MiB before, ${after >> 20} MiB after`);
}

async function verdict(n: number, o: Input, h: Handshake): Promise<Found> {
  try {
    await check(o, h);
    return { n, input: o, sign: null, message: '' };
  } catch (e) {
    const { sign, message } = asFinding(e);
    return { n, input: o, sign, message };
  }
}

const port = parentPort!;
const task = workerData as Task;
const progress = new Int32Array(task.progress);

async function run(): Promise<void> {
  const generator = new Generator(task.seed, task.captures, task.layers);
  for (let n = task.from; ; n++) {
    Atomics.store(progress, 0, n);
    const found = await verdict(n, await generator.make(n), task.handshake);
    if (found.sign !== null) port.postMessage(found);
    if (n % 64 === 0) await new Promise((done) => setImmediate(done));
  }
}

if (task.trials)
  port.on('message', (o: Input) => {
    void verdict(0, o, task.handshake).then((found) => port.postMessage(found));
  });
else void run();
