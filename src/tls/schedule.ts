import { createHmac, timingSafeEqual } from 'node:crypto';
import { concat, put16, u8 } from '../kit/index.js';

/** Key schedules: TLS 1.0 to 1.2 (RFC 2246 §5, RFC 5246 §5, §6.3, §8.1, RFC 7627) and TLS 1.3 (RFC 8446 §7). */

/** Hash of a PRF or of HKDF, by node's name; `md5-sha1` is the pair that TLS 1.0 and 1.1 take. */
export type ScheduleHash = 'sha256' | 'sha384' | 'sha512' | 'sm3' | 'md5-sha1';

const ascii = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** P_hash of RFC 5246 §5. */
function pHash(hash: string, secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let a: Uint8Array = seed;
  for (let at = 0; at < length; ) {
    a = createHmac(hash, secret).update(a).digest();
    const block = createHmac(hash, secret).update(a).update(seed).digest();
    out.set(block.subarray(0, Math.min(block.length, length - at)), at);
    at += block.length;
  }
  return out;
}

/** PRF(secret, label, seed), `length` octets of it. */
export function prf(
  hash: ScheduleHash,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  const labelled = concat([ascii(label), seed]);
  if (hash !== 'md5-sha1') return pHash(hash, secret, labelled, length);
  const half = (secret.length + 1) >> 1; // RFC 2246 §5: the halves share an octet where the length is odd
  const out = pHash('md5', secret.subarray(0, half), labelled, length);
  const other = pHash('sha1', secret.subarray(secret.length - half), labelled, length);
  for (let i = 0; i < length; i++) out[i] = u8(out, i) ^ u8(other, i);
  return out;
}

/** RFC 5246 §8.1 */
export const masterSecret = (
  hash: ScheduleHash,
  preMaster: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): Uint8Array => prf(hash, preMaster, 'master secret', concat([clientRandom, serverRandom]), 48);

/** RFC 7627 §4; `sessionHash` covers the handshake up to ClientKeyExchange. */
export const extendedMasterSecret = (hash: ScheduleHash, preMaster: Uint8Array, sessionHash: Uint8Array): Uint8Array =>
  prf(hash, preMaster, 'extended master secret', sessionHash, 48);

/** What one side protects its records with. */
export interface SideKeys {
  readonly mac: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** The key block of RFC 5246 §6.3, cut up: first the client's keys, then the server's. */
export function keyBlock(
  hash: ScheduleHash,
  master: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
  lengths: { mac: number; key: number; iv: number },
): [SideKeys, SideKeys] {
  const { mac, key, iv } = lengths;
  const block = prf(hash, master, 'key expansion', concat([serverRandom, clientRandom]), 2 * (mac + key + iv));
  let at = 0;
  const take = (n: number): Uint8Array => block.slice(at, (at += n));
  const macs = [take(mac), take(mac)];
  const keys = [take(key), take(key)];
  const ivs = [take(iv), take(iv)];
  return [
    { mac: macs[0], key: keys[0], iv: ivs[0] },
    { mac: macs[1], key: keys[1], iv: ivs[1] },
  ];
}

/** HKDF-Expand-Label of RFC 8446 §7.1. */
export function hkdfExpandLabel(
  hash: ScheduleHash,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const name = ascii(`tls13 ${label}`);
  const info = new Uint8Array(4 + name.length + context.length);
  put16(info, 0, length);
  info[2] = name.length;
  info.set(name, 3);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  const out = new Uint8Array(length);
  let block = new Uint8Array(0);
  for (let at = 0, i = 1; at < length; at += block.length, i++) {
    block = createHmac(hash, secret).update(block).update(info).update(Uint8Array.of(i)).digest(); // RFC 5869 §2.3
    out.set(block.subarray(0, Math.min(block.length, length - at)), at);
  }
  return out;
}

const NOTHING = new Uint8Array(0);

/** Key and IV that a traffic secret stands for. RFC 8446 §7.3 */
export const trafficKeys = (hash: ScheduleHash, secret: Uint8Array, keyLength: number): SideKeys => ({
  mac: NOTHING,
  key: hkdfExpandLabel(hash, secret, 'key', NOTHING, keyLength),
  iv: hkdfExpandLabel(hash, secret, 'iv', NOTHING, 12),
});

/** The traffic secret after a KeyUpdate. RFC 8446 §7.2 */
export const nextTrafficSecret = (hash: ScheduleHash, secret: Uint8Array): Uint8Array =>
  hkdfExpandLabel(hash, secret, 'traffic upd', NOTHING, secret.length);

/** verify_data of a Finished below TLS 1.3; `sender` 0 is the client. RFC 5246 §7.4.9 */
export const finished12 = (hash: ScheduleHash, master: Uint8Array, sender: 0 | 1, transcript: Uint8Array): Uint8Array =>
  prf(hash, master, sender === 0 ? 'client finished' : 'server finished', transcript, 12);

/** verify_data of a Finished in TLS 1.3, from the sender's handshake traffic secret. RFC 8446 §4.4.4 */
export const finished13 = (hash: ScheduleHash, secret: Uint8Array, transcript: Uint8Array): Uint8Array =>
  createHmac(hash, hkdfExpandLabel(hash, secret, 'finished', NOTHING, secret.length))
    .update(transcript)
    .digest();

/** Whether two values are equal, without telling where they differ. */
export const sameOctets = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
