import { createHash, createHmac } from 'node:crypto';
import type { Vector } from './milenage.js';

/** What a response of the Digest scheme is made of (RFC 7616 §3.4); all as written in the header, without its quotes. */
export interface DigestInput {
  /** `algorithm`; absent: MD5. */
  readonly algorithm?: string;
  readonly username: string;
  readonly realm: string;
  /** For AKA what {@link akaPassword} gives; empty in a resynchronisation (RFC 3310 §3.4). */
  readonly password: string | Uint8Array;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** `auth` or `auth-int`; absent: as RFC 2069 had it. */
  readonly qop?: string;
  readonly nc?: string;
  readonly cnonce?: string;
  /** Body of the message, for `auth-int`. */
  readonly body?: Uint8Array;
}

/** Names for Node of the hashes of RFC 7616 §6.1. */
const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

interface Algorithm {
  readonly hash: string;
  /** `-sess`: A1 is hashed with the nonces. */
  readonly session: boolean;
  /** Version of AKA, 0: a password. */
  readonly aka: 0 | 1 | 2;
}

/** An `algorithm` of Digest, also `AKAv1-MD5` (RFC 3310) and `AKAv2-MD5` (RFC 4169); undefined where it is unknown. */
export function digestAlgorithm(name = 'MD5'): Algorithm | undefined {
  const m = /^(?:AKAv([12])-)?(.+?)(-sess)?$/i.exec(name.trim());
  const hash = m === null ? undefined : HASHES[m[2].toUpperCase()];
  if (m === null || hash === undefined) return undefined;
  return { hash, session: m[3] !== undefined, aka: m[1] === '1' ? 1 : m[1] === '2' ? 2 : 0 };
}

/**
 * The password of an AKA challenge: RES for version 1 (RFC 3310 §3.3); for version 2 the base64 text of a keyed hash with
 * RES, IK and CK (RFC 4169 §2.1). Undefined where `algorithm` is no AKA.
 */
export function akaPassword(algorithm: string, { res, ik, ck }: Omit<Vector, 'ak'>): Uint8Array | undefined {
  const a = digestAlgorithm(algorithm);
  if (a === undefined || a.aka === 0) return undefined;
  if (a.aka === 1) return res;
  const key = Buffer.concat([res, ik, ck]);
  return Buffer.from(createHmac(a.hash, key).update('http-digest-akav2-password').digest('base64'), 'latin1');
}

/** The `response` of a request (RFC 7616 §3.4.1), in lower case; undefined where the algorithm or the qop is unknown. */
export function digestResponse(d: DigestInput): string | undefined {
  const a = digestAlgorithm(d.algorithm);
  if (a === undefined || (d.qop !== undefined && d.qop !== 'auth' && d.qop !== 'auth-int')) return undefined;
  const hash = (...parts: (string | Uint8Array)[]): string => {
    const h = createHash(a.hash);
    for (const [i, p] of parts.entries()) h.update(i === 0 ? '' : ':').update(p);
    return h.digest('hex');
  };
  const { nonce, qop, nc = '', cnonce = '' } = d;
  const secret = hash(d.username, d.realm, d.password);
  const a1 = a.session ? hash(secret, nonce, cnonce) : secret;
  const a2 = qop === 'auth-int' ? hash(d.method, d.uri, hash(d.body ?? '')) : hash(d.method, d.uri);
  return qop === undefined ? hash(a1, nonce, a2) : hash(a1, nonce, nc, cnonce, qop, a2);
}
