import {
  type Cipher,
  type CipherCCMTypes,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type Decipher,
} from 'node:crypto';
import { ContentType, RECORD_HEADER, Version } from '../../dissectors/tls/numbers.js';
import { put16, put32, u8, u16, words } from '../kit/index.js';
import { block as gfBlock, ghash, multiply } from './ghash.js';
import { Rc4 } from './rc4.js';
import type { TlsRecord } from './record.js';
import { nextTrafficSecret, type SideKeys, sameOctets, trafficKeys } from './schedule.js';
import { Secret } from './secret.js';
import type { Openable } from './suites.js';

/** Who gave the key: a source of key logs, an earlier session, or a file with the handshake. */
export type Served = 'option' | 'dsb' | 'sidecar' | 'environment' | 'rsa' | 'resumption' | 'endpoint';

/** Keys of the records of TLS 1.3, in the order in which a direction goes through them. */
export type Stage = 'early' | 'handshake' | 'application';

/** What the keys of an epoch were agreed on under. */
export interface EpochOptions {
  readonly version: number;
  /** Absent where nobody had to: a suite without encryption. */
  readonly served?: Served;
  /** RFC 7366 */
  readonly encryptThenMac?: boolean;
  /** RFC 6066 §7 */
  readonly truncatedHmac?: boolean;
  readonly stage?: Stage;
  /** TLS 1.3: the traffic secret, and how many KeyUpdates led to it. */
  readonly secret?: Secret;
  readonly generation?: number;
}

/** From here on one cipher object per record, with its tag, costs no more than a share in a batch. */
const LARGE: Readonly<Record<Openable['opening'], number>> = {
  gcm: 8192,
  ccm: 8192,
  chacha: 2048,
  cbc: 1 << 20,
  rc4: 1 << 20,
  null: 1 << 20,
  'gcm-own': 1 << 20,
};

const ALL_ZERO = words`The decrypted record holds nothing but padding, which TLS 1.3 forbids.`; // RFC 8446 §5.4

/**
 * The records of one direction between two changes of key: what opens them and the number of the next one.
 * {@link open} is the careful way, one record with its tag or MAC; batches are `bulk.ts`.
 */
export class Epoch {
  readonly version: number;
  readonly tls13: boolean;
  readonly served: Served | undefined;
  readonly stage: Stage;
  readonly generation: number;
  readonly encryptThenMac: boolean;
  readonly macLength: number;
  /** Octets of explicit nonce or IV at the start of a record. */
  readonly explicit: number;
  /** Octets of tag at the end. */
  readonly tag: number;
  /** Octets of a record from which on it is opened by itself. */
  readonly large: number;
  /** Records need the octets of the record before them: no batches, no joining late. */
  readonly chained: boolean;
  readonly key: Secret;
  readonly mac: Secret;
  /** Octets of the nonce that come from the key schedule: not secret, and of no use without the key. */
  readonly #fixed: Uint8Array;
  readonly secret: Secret | undefined;
  /** Number of the next record. */
  sequence = 0;
  /** A tag or MAC was right under this key: it is the key. */
  proven = false;
  private lastBlock = new Uint8Array(0);
  private readonly stream: Rc4 | undefined;
  private forward: Cipher | undefined;
  private backward: Decipher | undefined;

  constructor(
    readonly how: Openable,
    keys: SideKeys,
    options: EpochOptions,
  ) {
    const { suite } = how;
    this.version = options.version;
    this.tls13 = options.version >= Version.Tls13;
    this.served = options.served;
    this.stage = options.stage ?? 'application';
    this.generation = options.generation ?? 0;
    this.encryptThenMac = how.opening === 'cbc' && options.encryptThenMac === true;
    this.macLength = options.truncatedHmac === true && suite.macLength > 10 ? 10 : suite.macLength;
    this.chained = how.opening === 'rc4' || (how.opening === 'cbc' && options.version < Version.Tls11); // RFC 2246 §6.2.3
    this.explicit = this.chained ? 0 : suite.recordIv;
    this.tag = suite.tagLength;
    this.large = LARGE[how.opening];
    this.key = new Secret(keys.key);
    this.#fixed = keys.iv;
    this.mac = new Secret(keys.mac);
    this.secret = options.secret;
    if (how.opening === 'rc4') this.stream = Rc4.of(keys.key);
    else if (this.chained) this.lastBlock = keys.iv.slice();
  }

  /** Keys of a TLS 1.3 traffic secret. */
  static of13(how: Openable, secret: Secret, stage: Stage, served: Served | undefined, generation = 0): Epoch {
    const keys = trafficKeys(how.hash, secret.octets, how.suite.keyLength);
    const options = { version: Version.Tls13, stage, secret, generation };
    return new Epoch(how, keys, served === undefined ? options : { ...options, served });
  }

  /** The keys after a KeyUpdate. RFC 8446 §7.2 */
  next(): Epoch {
    const secret = new Secret(nextTrafficSecret(this.how.hash, this.secret!.octets));
    return Epoch.of13(this.how, secret, this.stage, this.served, this.generation + 1);
  }

  /** The fewest octets that a record of one octet of content has, its header included. */
  get leastRecord(): number {
    const { suite } = this.how;
    if (this.how.opening === 'cbc') return RECORD_HEADER + this.explicit + suite.blockLength;
    return RECORD_HEADER + this.explicit + this.tag + this.macLength + (this.tls13 ? 2 : 1);
  }

  /** The block cipher, encrypting single blocks; it lives as long as the key. */
  get ecb(): Cipher {
    this.forward ??= createCipheriv(`${this.how.block}-ecb`, this.key.octets, null).setAutoPadding(false);
    return this.forward;
  }
  /** The same, decrypting. */
  get ecbInverse(): Decipher {
    this.backward ??= createDecipheriv(`${this.how.block}-ecb`, this.key.octets, null).setAutoPadding(false);
    return this.backward;
  }

  /**
   * Opens a record as number `sequence` and checks its tag or MAC. Returns whether that was right: then the record is
   * `open`, or `failed` for its content. Otherwise it is left as it was.
   */
  open(r: TlsRecord, sequence: number): boolean {
    const right = OPEN[this.how.opening](this, r, sequence);
    if (right) r.sequence = sequence;
    return right;
  }

  /** Passes by a record: its last block is the next IV, or the keystream goes on behind it. */
  pass(r: TlsRecord): void {
    if (!this.chained) return;
    if (this.stream !== undefined) {
      for (let n = u16(r.buf, r.off + 3); n > 0; n--) this.stream.next();
      return;
    }
    const n = this.how.suite.blockLength;
    const at = r.end - (this.encryptThenMac ? this.macLength : 0);
    if (at - n >= r.off + RECORD_HEADER) this.lastBlock = r.buf.slice(at - n, at);
  }

  /** The keystream of the record that is next, without taking it. */
  peekStream(n: number): Uint8Array {
    const stream = this.stream!.clone();
    return Uint8Array.from({ length: n }, () => stream.next());
  }

  /** IV of a CBC record. */
  cbcIv(r: TlsRecord): Uint8Array {
    if (this.chained) return this.lastBlock;
    return r.buf.subarray(r.off + RECORD_HEADER, r.off + RECORD_HEADER + this.explicit);
  }

  /** Writes the nonce of record number `sequence` to twelve octets of `out`. */
  nonce(r: TlsRecord, sequence: number, out: Uint8Array, at: number): void {
    const fixed = this.#fixed;
    if (this.explicit > 0) {
      // RFC 5288 §3: salt from the key block, the rest from the record
      for (let i = 0; i < 4; i++) out[at + i] = fixed[i];
      for (let i = 4, o = r.off + RECORD_HEADER - 4; i < 12; i++) out[at + i] = r.buf[o + i];
      return;
    }
    // RFC 8446 §5.3, RFC 7905 §2: the number, padded to the left, is added to the IV
    for (let i = 0; i < 12; i++) out[at + i] = fixed[i];
    if (sequence > 0xffff_ffff) {
      const high = Math.floor(sequence / 0x1_0000_0000);
      for (let i = 0; i < 4; i++) out[at + 4 + i] ^= high >>> (24 - 8 * i);
    }
    out[at + 8] ^= sequence >>> 24;
    out[at + 9] ^= sequence >>> 16;
    out[at + 10] ^= sequence >>> 8;
    out[at + 11] ^= sequence;
  }
}

/** Sequence number, type, version and length: what MACs and tags below TLS 1.3 cover first. RFC 5246 §6.2.3 */
export function pseudoHeader12(r: TlsRecord, sequence: number, length: number): Uint8Array {
  const h = new Uint8Array(13);
  put32(h, 0, Math.floor(sequence / 0x1_0000_0000));
  put32(h, 4, sequence >>> 0);
  h[8] = r.type;
  put16(h, 9, r.version);
  put16(h, 11, length);
  return h;
}

const additional = (e: Epoch, r: TlsRecord, sequence: number, length: number): Uint8Array =>
  e.tls13 ? r.buf.subarray(r.off, r.off + RECORD_HEADER) : pseudoHeader12(r, sequence, length); // RFC 8446 §5.2

/**
 * Where the content type of an inner plain text stands: the last octet that is not zero (RFC 8446 §5.2); -1 if there is
 * none or it is no type that may be protected.
 */
export function innerType(b: Uint8Array, off: number, end: number): number {
  let i = end - 1;
  while (i >= off && b[i] === 0) i--;
  if (i < off) return -1;
  const type = b[i];
  return type >= ContentType.Alert && type <= ContentType.ApplicationData ? i : -1;
}

/** Takes content whose tag was right. */
function accept(e: Epoch, r: TlsRecord, buf: Uint8Array): true {
  if (!e.tls13) {
    r.opened(buf, 0, buf.length, r.type, true);
    return true;
  }
  const at = innerType(buf, 0, buf.length);
  if (at >= 0) {
    r.opened(buf, 0, at, buf[at], true);
    return true;
  }
  const blank = buf.every((v) => v === 0);
  r.closed('failed', blank ? ALL_ZERO : words`The decrypted record has a content type that TLS 1.3 does not know.`);
  r.verified = true;
  return true;
}

const AEAD_NAME: Readonly<Record<string, (block: string) => string>> = {
  gcm: (block) => `${block}-gcm`,
  ccm: (block) => `${block}-ccm`,
  chacha: () => 'chacha20-poly1305',
};

function openAead(e: Epoch, r: TlsRecord, sequence: number): boolean {
  const off = r.off + RECORD_HEADER + e.explicit;
  const end = r.end - e.tag;
  if (end < off) return false;
  const nonce = new Uint8Array(12);
  e.nonce(r, sequence, nonce, 0);
  const name = AEAD_NAME[e.how.opening](e.how.block) as CipherGCMTypes & CipherCCMTypes;
  const decipher = createDecipheriv(name, e.key.octets, nonce, { authTagLength: e.tag });
  decipher.setAuthTag(r.buf.subarray(end, r.end));
  decipher.setAAD(additional(e, r, sequence, end - off), { plaintextLength: end - off });
  let plain: Uint8Array;
  try {
    plain = decipher.update(r.buf.subarray(off, end));
    decipher.final();
  } catch {
    return false;
  }
  return accept(e, r, plain);
}

/** Hash subkey of GCM as an integer. SP 800-38D §7.1 */
export const hashKey = (e: Epoch): bigint => gfBlock(e.ecb.update(new Uint8Array(16)), 0, 16);

/** The block that is added to GHASH to make the tag: the cipher of the counter block 1. */
export function tagMask(e: Epoch, r: TlsRecord, sequence: number): bigint {
  const counter = new Uint8Array(16);
  e.nonce(r, sequence, counter, 0);
  counter[15] = 1;
  return gfBlock(e.ecb.update(counter), 0, 16);
}

/** GCM over a cipher that node has in ECB only (Camellia, SM4). */
function openGcmOwn(e: Epoch, r: TlsRecord, sequence: number): boolean {
  const off = r.off + RECORD_HEADER + e.explicit;
  const end = r.end - e.tag;
  if (end < off) return false;
  const h = hashKey(e);
  const aad = additional(e, r, sequence, end - off);
  const start = multiply(gfBlock(aad, 0, aad.length), h);
  const tag = ghash(h, start, aad.length, r.buf, off, end) ^ tagMask(e, r, sequence);
  if (tag !== gfBlock(r.buf, end, r.end)) return false;
  const counters = new Uint8Array((end - off + 15) & -16);
  for (let at = 0; at < counters.length; at += 16) {
    e.nonce(r, sequence, counters, at);
    put32(counters, at + 12, 2 + at / 16);
  }
  const plain = r.buf.slice(off, end);
  const stream = e.ecb.update(counters);
  for (let i = 0; i < plain.length; i++) plain[i] ^= stream[i];
  return accept(e, r, plain);
}

function macFits(e: Epoch, header: Uint8Array, b: Uint8Array, off: number, end: number, mac: Uint8Array): boolean {
  const hash = e.how.suite.mac;
  const right = createHmac(hash, e.mac.octets).update(header).update(b.subarray(off, end)).digest();
  return sameOctets(right.subarray(0, e.macLength), mac);
}

/**
 * Octets of padding at the end of a CBC record, its length octet included; -1 if they are not as they must be.
 * RFC 5246 §6.2.3.2
 */
export function cbcPadding(b: Uint8Array, off: number, end: number): number {
  if (end <= off) return -1;
  const n = b[end - 1];
  if (n + 1 > end - off) return -1;
  for (let i = end - 1 - n; i < end; i++) if (b[i] !== n) return -1;
  return n + 1;
}

function openCbc(e: Epoch, r: TlsRecord, sequence: number): boolean {
  const start = r.off + RECORD_HEADER;
  const end = r.end - (e.encryptThenMac ? e.macLength : 0);
  const off = start + e.explicit;
  const n = e.how.suite.blockLength;
  if (end - off < n || (end - off) % n !== 0) return false;
  if (e.encryptThenMac) {
    const header = pseudoHeader12(r, sequence, end - start); // RFC 7366 §3
    if (!macFits(e, header, r.buf, start, end, r.buf.subarray(end, r.end))) return false;
  }
  const decipher = createDecipheriv(`${e.how.block}-cbc`, e.key.octets, e.cbcIv(r)).setAutoPadding(false);
  const plain: Uint8Array = decipher.update(r.buf.subarray(off, end));
  const padding = cbcPadding(plain, 0, plain.length);
  if (padding < 0) return false;
  let content = plain.length - padding;
  if (!e.encryptThenMac) {
    content -= e.macLength;
    if (content < 0) return false;
    const mac = plain.subarray(content, content + e.macLength);
    if (!macFits(e, pseudoHeader12(r, sequence, content), plain, 0, content, mac)) return false;
  }
  r.opened(plain, 0, content, r.type, true);
  return true;
}

function openRc4(e: Epoch, r: TlsRecord, sequence: number): boolean {
  const off = r.off + RECORD_HEADER;
  const n = r.end - off - e.macLength;
  if (n < 0) return false;
  const plain = e.peekStream(r.end - off);
  for (let i = 0; i < plain.length; i++) plain[i] ^= u8(r.buf, off + i);
  if (!macFits(e, pseudoHeader12(r, sequence, n), plain, 0, n, plain.subarray(n))) return false;
  r.opened(plain, 0, n, r.type, true);
  return true;
}

function openNull(e: Epoch, r: TlsRecord, sequence: number): boolean {
  const off = r.off + RECORD_HEADER;
  const end = r.end - e.macLength;
  if (end < off) return false;
  const keyed = e.mac.length > 0;
  const header = pseudoHeader12(r, sequence, end - off);
  if (keyed && !macFits(e, header, r.buf, off, end, r.buf.subarray(end, r.end))) return false;
  r.opened(r.buf, off, end, r.type, keyed);
  return true;
}

const OPEN: Readonly<Record<Openable['opening'], (e: Epoch, r: TlsRecord, sequence: number) => boolean>> = {
  gcm: openAead,
  ccm: openAead,
  chacha: openAead,
  'gcm-own': openGcmOwn,
  cbc: openCbc,
  rc4: openRc4,
  null: openNull,
};
