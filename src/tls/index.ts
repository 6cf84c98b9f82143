/**
 * TLS decryption.
 *
 *     const keys = new KeyLog();                        lines of key logs, added at any time
 *     const cache = new SessionCache();                 what sessions know of each other
 *     const decryptor = new Decryptor({ verifyAll });   opens records of all sessions in batches
 *     const session = new TlsSession({ keys, cache, decryptor });      one for each TCP connection
 *
 *     const r = session.record(direction, buf, off, end, frame);       for each record, in the order of the capture
 *     session.tear(direction, hole); session.gap(direction, octets);   where octets are missing
 *     decryptor.flush();                                               once per chunk of frames
 *     r.status, r.plain                                                what is in it, until the next flush
 *     session.verdict(direction)                                       how far it came, in words
 *
 * All state hangs off these objects. Key material leaves them as bytes for ciphers alone, never as text.
 */
export { type KnownHandshake, SessionCache } from './cache.js';
export { Decryptor, type DecryptorOptions } from './decryptor.js';
export type { Served } from './epoch.js';
export type { Hole } from './hole.js';
export {
  type BadKeyLine,
  KEY_LABELS,
  type KeyLabel,
  KeyLog,
  type KeyLogLine,
  type KeySource,
  type KeyUse,
} from './keylog.js';
export type { Resumed } from './negotiation.js';
export { type Span, TlsRecord } from './record.js';
export type { FinishedSeen, TlsAlert, TlsServices } from './services.js';
export { TlsSession } from './session.js';
export type { DirectionVerdict } from './verdict.js';
