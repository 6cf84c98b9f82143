import { type Ciphers, fromHex, u8 } from 'fttscope/kit';
import { draftOf, type LongHeader, T050, T051, V2 } from './header.js';

/*
 * Initial packets are protected with keys that anyone can make from the version and the first Destination Connection ID
 * of the client: RFC 9001 §5.2. A mask over the first octet and the packet number hides these: §5.4.
 */

/** RFC 9001 §5.2, RFC 9369 §3.3.1, and drafts of RFC 9001. */
const SALT = fromHex('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
const SALT_V2 = fromHex('0dede3def700a6db819381be6e269dcbf9bd2ed9');
const SALT_29 = fromHex('afbfec289993d24c9e9786f19c6111e04390a899');
const SALT_23 = fromHex('c3eef712c72ebb5a11a7d2432bb46365bef9f502');
const SALT_22 = fromHex('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a');
/** Of Google's versions, as Chromium has them. */
const SALT_T050 = fromHex('7ff579e5acd072915580304c43a2367c60488310');
const SALT_T051 = fromHex('7a4edef4e7ccee5fa4506c19124fc8ccda6e033d');

const SECRET = 32;
const KEY = 16;
const IV = 12;
const TAG = 16;
/** Octets of the sample, and how far from the start of the packet number it lies. RFC 9001 §5.4.2. */
const SAMPLE = 16;
const SAMPLE_AT = 4;

/** What one side protects its Initial packets with. */
interface SideKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly hp: Uint8Array;
}

/** RFC 9001 §5.2 */
export interface InitialKeys {
  readonly client: SideKeys;
  readonly server: SideKeys;
}

/** A packet whose protection was taken off. */
export interface OpenedPacket {
  /** The packet number as it stands there, and its octets. */
  readonly number: number;
  readonly numberLength: number;
  /** The first octet without its mask. */
  readonly first: number;
  readonly payload: Uint8Array;
}

function saltOf(version: number): Uint8Array {
  if (version === V2) return SALT_V2;
  if (version === T050) return SALT_T050;
  if (version === T051) return SALT_T051;
  const draft = draftOf(version);
  if (draft === 0 || draft > 32) return SALT;
  if (draft >= 29) return SALT_29;
  return draft >= 23 ? SALT_23 : SALT_22;
}

/** HKDF-Expand-Label of RFC 8446 §7.1 with SHA-256, for at most 32 octets. */
function expand(c: Ciphers, secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = `tls13 ${label}`;
  const info = new Uint8Array(3 + name.length + 2);
  info[1] = length;
  info[2] = name.length;
  for (let i = 0; i < name.length; i++) info[3 + i] = name.charCodeAt(i);
  info[info.length - 1] = 1; // the counter of HKDF, behind an empty context
  return c.hmacSha256(secret, info).subarray(0, length);
}

function sideKeys(c: Ciphers, initial: Uint8Array, side: string, version: number): SideKeys {
  const secret = expand(c, initial, side, SECRET);
  const quic = version === V2 ? 'quicv2' : 'quic'; // RFC 9369 §3.3.2
  return {
    key: expand(c, secret, `${quic} key`, KEY),
    iv: expand(c, secret, `${quic} iv`, IV),
    hp: expand(c, secret, `${quic} hp`, KEY),
  };
}

/** The keys that follow from a connection ID. RFC 9001 §5.2. */
export function initialKeys(c: Ciphers, version: number, dcid: Uint8Array, salt = saltOf(version)): InitialKeys {
  const initial = c.hmacSha256(salt, dcid);
  return {
    client: sideKeys(c, initial, 'client in', version),
    server: sideKeys(c, initial, 'server in', version),
  };
}

/** Takes the protection off the packet at `off`; undefined where the keys do not fit. RFC 9001 §5.3, §5.4. */
export function openPacket(
  c: Ciphers,
  keys: SideKeys,
  b: Uint8Array,
  off: number,
  h: LongHeader,
): OpenedPacket | undefined {
  const sample = h.rest + SAMPLE_AT;
  if (sample + SAMPLE > h.end) return undefined;
  const mask = c.aesBlock(keys.hp, b.subarray(sample, sample + SAMPLE));
  const first = u8(b, off) ^ (u8(mask, 0) & 0x0f);
  const numberLength = (first & 3) + 1;
  const body = h.rest + numberLength;
  const head = b.slice(off, body);
  head[0] = first;
  const nonce = keys.iv.slice();
  let number = 0;
  for (let i = 0; i < numberLength; i++) {
    const octet = u8(b, h.rest + i) ^ u8(mask, 1 + i);
    head[h.rest - off + i] = octet;
    nonce[IV - numberLength + i] = u8(nonce, IV - numberLength + i) ^ octet;
    number = number * 256 + octet;
  }
  if (body + TAG > h.end) return undefined;
  const payload = c.aesGcmOpen(keys.key, nonce, head, b.subarray(body, h.end - TAG), b.subarray(h.end - TAG, h.end));
  return payload === undefined ? undefined : { number, numberLength, first, payload };
}

/**
 * The keys of a client whose version is there to be refused (RFC 9000 §15): that of another version, which its first packet
 * tells.
 */
export function reservedKeys(c: Ciphers, b: Uint8Array, off: number, h: LongHeader): InitialKeys {
  const dcid = b.subarray(h.dcid, h.dcid + h.dcidLength);
  const all = [SALT, SALT_29, SALT_23].map((salt) => initialKeys(c, h.version, dcid, salt));
  return all.find((keys) => openPacket(c, keys.client, b, off, h) !== undefined) ?? all[0];
}
