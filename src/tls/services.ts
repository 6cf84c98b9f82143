import type { SessionCache } from './cache.js';
import type { Decryptor } from './decryptor.js';
import type { KeyLog } from './keylog.js';

/** What sessions share, and what they notice. */

/** What the sessions of a capture share. */
export interface TlsServices {
  readonly keys: KeyLog;
  readonly cache: SessionCache;
  readonly decryptor: Decryptor;
}

/** An alert that could be read. RFC 8446 §6 */
export interface TlsAlert {
  readonly frame: number;
  readonly direction: 0 | 1;
  /** 1 warning, 2 fatal. */
  readonly level: number;
  /** 0 is close_notify. */
  readonly description: number;
  /** Whether it came under the protection of a key. */
  readonly protected: boolean;
}

/** A Finished message that was seen. */
export interface FinishedSeen {
  readonly frame: number;
  /** Whether its verify_data was computed and fits; undefined where messages or keys for that are missing. */
  readonly valid: boolean | undefined;
}
