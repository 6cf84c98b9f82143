import { u16 } from '../kit/index.js';
import { LIMITS } from '../limits.js';

/** Octets of a TLS record header. */
export const RECORD_HEADER = 5;

/** Octets of the TLS record whose header stands at `off`, header included; -1: it is not a record header. */
export function recordLength(b: Uint8Array, off: number): number {
  const type = b[off];
  if (type < 20 || type > 24 || b[off + 1] !== 3 || b[off + 2] > 4) return -1;
  const n = u16(b, off + 3);
  return n > LIMITS.tlsRecordOctets ? -1 : RECORD_HEADER + n; // RFC 5246 §6.2.3: at most 2^14 + 2048
}
