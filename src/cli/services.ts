import type { EspKeys } from '../crypto/esp-keys.js';
import { Decryptor, type KeyLog, SessionCache, type TlsServices } from '../tls/index.js';

/** For sessions on the wire, and for those inside tunnels. */
export interface Services {
  readonly tls: TlsServices;
  readonly innerTls: TlsServices;
  readonly esp: EspKeys | undefined;
}

/** What TLS sessions of a capture share: one set for those on the wire, one for those inside tunnels; and keys of ESP. */
export function tlsServices(
  keys: KeyLog,
  verifyAll: boolean,
  esp?: EspKeys,
  cache: SessionCache = new SessionCache(),
): Services {
  return {
    tls: { keys, cache, decryptor: new Decryptor({ verifyAll }) },
    innerTls: { keys, cache, decryptor: new Decryptor({ verifyAll }) },
    esp,
  };
}
