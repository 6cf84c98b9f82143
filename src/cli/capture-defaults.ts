import type { CaptureInterface } from '../live/capture-source.js';
import type { CaptureCommandOptions } from './commands/capture.js';

/** Largest frame that libpcap delivers. */
export const SNAPLEN = 262_144;
/** Buffer of the kernel. */
export const BUFFER_MIB = 32;

/** Options of a capture that nothing more is said of than where. */
export const captureOn = (
  interfaces: readonly CaptureInterface[],
  keylog?: readonly string[],
): CaptureCommandOptions => ({
  interface: [...interfaces],
  snaplen: SNAPLEN,
  bufferSize: BUFFER_MIB,
  promiscuous: true,
  backend: 'auto',
  ...(keylog && { keylog: [...keylog] }),
});
