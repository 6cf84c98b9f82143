import { join } from 'node:path';
import { Viewing } from '../../src/cli/viewing.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { ROOT } from '../support/corpus.js';

/** A capture, read to its end in the thread of the test. */
export async function viewerOn(...paths: readonly string[]): Promise<CaptureViewer> {
  const viewer = await CaptureViewer.open(await Viewing.of(paths, { autoKeys: true }));
  while (!viewer.status.done) await new Promise((done) => setImmediate(done));
  return viewer;
}

/** A sample, by its name. */
export const sample = (name: string): string => join(ROOT, 'samples', name);
