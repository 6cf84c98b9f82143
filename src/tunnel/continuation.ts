import { type AnyDissector, indexOf, type Pdu } from '../kit/index.js';

/** Octets in an HTTP connection that begin no message: the rest of a body whose start is missing, as for tshark. */

const LF = 10;
/** Octets that say whether more of a line may follow. */
const START_OF_LINE = 16;

/** Whether octets that begin no message of HTTP are no start of a line either: they hold the end of one, or are no text. */
export function isWhole(b: Uint8Array, off: number, end: number): boolean {
  if (indexOf(b, LF, off, end) >= 0) return true;
  for (let i = off; i < end && i < off + START_OF_LINE; i++) if (b[i] < 32 || b[i] > 126) return true;
  return false;
}

/** The layer around octets that begin no message of a protocol and are its all the same. */
export const goingOn = (dissector: AnyDissector): Pdu['around'] => ({ dissector, note: undefined });
