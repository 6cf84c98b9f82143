import { constants, createPrivateKey, type KeyObject, privateDecrypt } from 'node:crypto';
import { Secret } from './secret.js';

/** Octets of a pre-master secret: client_version(2), random(46). RFC 5246 §7.4.7.1 */
const PRE_MASTER = 48;

/**
 * Private keys of servers. They open sessions below TLS 1.3 whose key exchange is RSA, and only those: with (EC)DHE the
 * key signs and hides nothing.
 */
export class RsaKeys {
  readonly #keys: KeyObject[] = [];

  /** How many there are. */
  get length(): number {
    return this.#keys.length;
  }

  /** Takes a private key in PEM; returns why it is of no use, or undefined. */
  add(pem: string): string | undefined {
    let key: KeyObject;
    try {
      key = createPrivateKey(pem);
    } catch {
      return 'it cannot be read as an unencrypted private key';
    }
    if (key.asymmetricKeyType !== 'rsa')
      return `it is of type ${key.asymmetricKeyType}, and only RSA keys open sessions`;
    this.#keys.push(key);
    return undefined;
  }

  /** The pre-master secret that a ClientKeyExchange carries, if one of the keys opens it. */
  preMaster(encrypted: Uint8Array): Secret | undefined {
    for (const key of this.#keys) {
      if ((key.asymmetricKeyDetails?.modulusLength ?? 0) !== encrypted.length * 8) continue;
      const block = raise(key, encrypted);
      if (block === undefined || block[0] !== 0 || block[1] !== 2) continue; // RFC 8017 §7.2.2
      const start = block.length - PRE_MASTER;
      if (block.indexOf(0, 2) === start - 1) return new Secret(Uint8Array.from(block.subarray(start)));
    }
    return undefined;
  }
}

/** RSA without taking the padding off, which node leaves to OpenSSL and OpenSSL hides when it is wrong. */
function raise(key: KeyObject, encrypted: Uint8Array): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted);
  } catch {
    return undefined;
  }
}
