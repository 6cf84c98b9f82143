import type { Readable } from 'node:stream';
import { StreamInput } from '../../src/capture/input.js';
import { type OpenOptions, openAlone } from '../../src/capture/open.js';
import type { Capture } from '../../src/capture/source.js';

/** Opens a capture that arrives on a stream, as one on standard input or in a named pipe does. */
export const openStream = (stream: Readable, name: string, options?: OpenOptions): Promise<Capture> =>
  openAlone(name, { input: new StreamInput(name, stream) }, options);
