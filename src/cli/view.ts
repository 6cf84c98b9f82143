import type { MessagePort } from 'node:worker_threads';
import { CaptureError } from '../capture/errors.js';
import type { GrowingReader } from '../capture/growing.js';
import type { Registry } from '../engine/registry.js';
import { compile, FilterError } from '../filter/index.js';
import type { ToScreens } from '../viewer/messages.js';
import { RemoteViewer } from '../viewer/remote.js';
import { serve } from '../viewer/serve.js';
import type { Viewer } from '../viewer/viewer.js';
import { closeGaps, settled, takeEngine } from './engine-thread.js';
import { UserError } from './errors.js';
import type { ReadOptions } from './options.js';
import { Viewing } from './viewing.js';

/** What the thread of the engine is told. */
export interface ViewOrder {
  readonly captures: readonly string[];
  readonly options: ReadOptions;
  /** The capture that grows, instead of those named. */
  readonly growing?: GrowingReader;
}

/** The thread of the engine: opens the captures and answers what the screens ask. */
export async function view(port: MessagePort, { captures, options, growing }: ViewOrder): Promise<void> {
  closeGaps();
  try {
    await serve(await Viewing.of(captures, options, growing), port);
  } catch (e) {
    if (!(e instanceof CaptureError || e instanceof UserError)) throw e;
    const message: ToScreens = { type: 'refused', message: e.message, ...(e.hint !== undefined && { hint: e.hint }) };
    port.postMessage(message);
    port.close();
  }
}

/** Starts the thread of the engine. `registry` has the rules of decode-as, and serves to check filters. */
export async function openViewer(order: ViewOrder, registry: Registry): Promise<Viewer> {
  const worker = takeEngine();
  worker.postMessage(order);
  const viewer = await RemoteViewer.open(worker, (text) => {
    try {
      compile(text, registry, 'at the end');
      return null;
    } catch (e) {
      if (e instanceof FilterError) return e;
      throw e;
    }
  });
  settled();
  return viewer;
}
