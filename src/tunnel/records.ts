import { ContentType, HandshakeType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { u16 } from '../kit/index.js';
import { LIMITS } from '../limits.js';

/** Octets of the TLS record whose header stands at `off`, header included; -1: it is not a record header. */
export function recordLength(b: Uint8Array, off: number): number {
  const type = b[off];
  if (type < 20 || type > 24 || b[off + 1] !== 3 || b[off + 2] > 4) return -1;
  const n = u16(b, off + 3);
  return n > LIMITS.tlsRecordOctets ? -1 : RECORD_HEADER + n; // RFC 5246 §6.2.3: at most 2^14 + 2048
}

/** Whether a record begins with a ServerHello, which tells the version of the connection. */
export const saysVersion = (b: Uint8Array, off: number, end: number): boolean =>
  b[off] === ContentType.Handshake && end - off > RECORD_HEADER && b[off + RECORD_HEADER] === HandshakeType.ServerHello;

/** Whether octets may begin with a TLS record. */
export const isRecord = (b: Uint8Array, off: number, end: number): boolean =>
  end - off >= RECORD_HEADER && recordLength(b, off) >= 0;

/** Octets at the start of a segment by which tshark tells text from TLS. */
const START_OF_TEXT = 4;

/** Whether a segment begins with text, and so not with a record. */
export function isText(b: Uint8Array, off: number, end: number): boolean {
  for (let i = off; i < off + START_OF_TEXT; i++) if (i >= end || b[i] < 0x20 || b[i] > 0x7e) return false;
  return true;
}

/**
 * Whether a whole ClientHello starts a record at `off`, or the start of one that does not contradict itself: strict, as
 * any octets may stand there. RFC 8446 §4.1.2.
 */
export function isClientHello(b: Uint8Array, off: number, end: number): boolean {
  if (end - off < 44 || b[off] !== ContentType.Handshake) return false;
  const record = recordLength(b, off);
  if (record < 0 || b[off + 5] !== HandshakeType.ClientHello) return false;
  const message = (b[off + 6] << 16) | u16(b, off + 7);
  if (message < 41 || message > 0xffff || b[off + 9] !== 3 || b[off + 10] > 4) return false;
  // A message that fits into the record fills it: a ClientHello waits for its answer.
  return b[off + 43] <= 32 && message + 9 >= record;
}

/** Whether a ServerHello starts a record at `off`. RFC 8446 §4.1.3 */
export function isServerHello(b: Uint8Array, off: number, end: number): boolean {
  if (
    end - off < 44 ||
    b[off] !== ContentType.Handshake ||
    recordLength(b, off) < 0 ||
    b[off + 5] !== HandshakeType.ServerHello
  )
    return false;
  const message = (b[off + 6] << 16) | u16(b, off + 7);
  return message >= 38 && message <= 0xffff && b[off + 9] === 3 && b[off + 10] <= 4 && b[off + 43] <= 32;
}

/** Whether octets start with a record that is no more of a handshake, and a ClientHello waits before them. */
export const followsHello = (waiting: OctetRange, b: Uint8Array, off: number, end: number): boolean =>
  b[off] !== ContentType.Handshake && isRecord(b, off, end) && isClientHello(waiting.buf, waiting.off, waiting.end);

interface OctetRange {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly end: number;
}
