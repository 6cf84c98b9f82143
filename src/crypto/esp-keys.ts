import { type CipherGCMTypes, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import type { OpenedEsp } from '../../dissectors/esp.js';
import { ip4, ip6, table, u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';

/** SPI and sequence number. RFC 4303 §2. */
const HEADER = 8;
/** Pad Length and Next Header. */
const TRAILER = 2;

/** How a payload is opened. */
interface Cipher {
  /** Name for Node, by octets of the key; empty: the payload is not encrypted. */
  readonly names: Readonly<Record<number, string>>;
  /** Octets of a block, and of the initialization vector before the payload. RFC 2451 §3, RFC 3602 §3. */
  readonly block: number;
  /** AES-GCM (RFC 4106): octets of its tag, which stands where the check value does; 0: as long as the check value. */
  readonly tag?: number;
}

/** How an integrity check value is made. */
interface Check {
  /** '': what it is made with is not known, so that it is passed over; `gmac`: RFC 4543. */
  readonly hash: string;
  /** Octets. */
  readonly length: number;
}

/** The key of GCM is followed by a salt; the packet bears the rest of the nonce. RFC 4106 §3.1, §8.1 */
const SALT = 4;
const EXPLICIT = 8;
const TAG = 16;
const GCM = { 20: 'aes-128-gcm', 28: 'aes-192-gcm', 36: 'aes-256-gcm' } as const;
const GMAC = 'gmac';

/** By the names that Wireshark's table has, and for GMAC, which it does not have, by such a one. */
const CIPHERS = table<Cipher>({
  NULL: { names: {}, block: 0 },
  'TripleDES-CBC [RFC2451]': { names: { 24: 'des-ede3-cbc' }, block: 8 },
  'AES-CBC [RFC3602]': { names: { 16: 'aes-128-cbc', 24: 'aes-192-cbc', 32: 'aes-256-cbc' }, block: 16 },
  'AES-GCM [RFC4106]': { names: GCM, block: EXPLICIT, tag: 0 },
  'AES-GCM with 8 octet ICV [RFC4106]': { names: GCM, block: EXPLICIT, tag: 8 },
  'AES-GCM with 12 octet ICV [RFC4106]': { names: GCM, block: EXPLICIT, tag: 12 },
  'AES-GCM with 16 octet ICV [RFC4106]': { names: GCM, block: EXPLICIT, tag: 16 },
});
const CHECKS = table<Check>({
  NULL: { hash: '', length: 0 },
  'HMAC-MD5-96 [RFC2403]': { hash: 'md5', length: 12 },
  'HMAC-SHA-1-96 [RFC2404]': { hash: 'sha1', length: 12 },
  'HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]': { hash: 'sha256', length: 12 },
  'HMAC-SHA-256-128 [RFC4868]': { hash: 'sha256', length: 16 },
  'HMAC-SHA-384-192 [RFC4868]': { hash: 'sha384', length: 24 },
  'HMAC-SHA-512-256 [RFC4868]': { hash: 'sha512', length: 32 },
  'AES-GMAC [RFC4543]': { hash: GMAC, length: TAG },
  'ANY 64 bit authentication [no checking]': { hash: '', length: 8 },
  'ANY 96 bit authentication [no checking]': { hash: '', length: 12 },
  'ANY 128 bit authentication [no checking]': { hash: '', length: 16 },
  'ANY 192 bit authentication [no checking]': { hash: '', length: 24 },
  'ANY 256 bit authentication [no checking]': { hash: '', length: 32 },
});

/** A security association: which packets it opens, and how. */
interface Association {
  readonly version: 4 | 6;
  /** Addresses as text; `*`: any. */
  readonly source: string;
  readonly destination: string;
  /** Undefined: any. */
  readonly spi: number | undefined;
  /** '': not encrypted. */
  readonly cipher: string;
  readonly block: number;
  readonly key: Uint8Array;
  readonly check: Check;
  readonly checkKey: Uint8Array;
  /** Octets of the tag of GCM, 0 for other ciphers. */
  readonly tag: number;
}

/** Where the addresses of a packet stand: 4 or 16 octets each. */
export interface EspEnds {
  readonly net: 0 | 4 | 6;
  readonly addresses: Uint8Array;
  readonly src: number;
  readonly dst: number;
}

/**
 * Keys of ESP as tshark takes them: lines of its table `esp_sa`, each with eight texts in quotes, which are protocol,
 * source, destination, SPI, encryption, its key, authentication, its key.
 */
export class EspKeys {
  /** Of the table: the first that fits serves. */
  private readonly associations: Association[] = [];
  /** Learnt while packets are read, by SPI and addresses: they go before the table, and the oldest make room. */
  private readonly learnt = new Map<string, Association>();
  /** How many made room. */
  dropped = 0;

  get length(): number {
    return this.associations.length + this.learnt.size;
  }

  /** Whether a text is such a table: its first line that is no comment begins like one. */
  static looksLike(text: string): boolean {
    return /^(?:\s*(?:#.*)?[\r\n])*\s*"IPv[46]"\s*,/.test(text);
  }

  /** Whether keys may still come while packets are read. */
  growing = false;

  /** Takes a line in that was found while packets are read, about one SPI and two addresses: the latest holds. */
  learn(line: string): void {
    const made = association(cellsOf(line));
    if (typeof made === 'string') return;
    const key = `${made.spi} ${made.source} ${made.destination}`;
    this.learnt.delete(key);
    this.learnt.set(key, made);
    if (this.learnt.size <= LIMITS.espAssociations) return;
    this.learnt.delete(this.learnt.keys().next().value!);
    this.dropped++;
  }

  /** Takes the lines of a table in. Returns what is wrong with those that are of no use. */
  add(text: string): string[] {
    const wrong: string[] = [];
    for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const made = association(cellsOf(line));
      if (typeof made === 'string') wrong.push(`line ${i + 1}: ${made}`);
      else this.associations.push(made);
    }
    return wrong;
  }

  /** Opens the packet `[off, end)`; undefined where no key fits its addresses and SPI, or it cannot be opened. */
  open(ends: EspEnds, b: Uint8Array, off: number, end: number): OpenedEsp | undefined {
    if (end - off < HEADER || ends.net === 0) return undefined;
    const text = ends.net === 4 ? ip4 : ip6;
    const spi = u32(b, off);
    const source = text(ends.addresses, ends.src);
    const destination = text(ends.addresses, ends.dst);
    const a =
      this.learnt.get(`${spi} ${source} ${destination}`) ??
      this.associations.find(
        (x) =>
          x.version === ends.net &&
          (x.spi === undefined || x.spi === spi) &&
          (x.source === '*' || x.source === source) &&
          (x.destination === '*' || x.destination === destination),
      );
    return a && opened(a, b, off, end);
  }
}

/** The texts in quotes of a line. */
const cellsOf = (line: string): string[] => [...line.matchAll(/"([^"]*)"/g)].map((m) => m[1]);

/** A line of the table, or what is wrong with it. */
function association(cells: readonly string[]): Association | string {
  if (cells.length !== 8) return `${cells.length} texts in quotes, not 8`;
  const [protocol, source, destination, spi, encryption, keyText, authentication, checkKeyText] = cells;
  const cipher = CIPHERS[encryption];
  const check = CHECKS[authentication];
  const key = octets(keyText);
  if (protocol !== 'IPv4' && protocol !== 'IPv6') return `unknown protocol ${protocol}`;
  if (cipher === undefined) return `encryption ${encryption} is not supported`;
  if (check === undefined) return `authentication ${authentication} is not supported`;
  const name = cipher.block === 0 ? '' : cipher.names[key.length];
  if (name === undefined) return `a key of ${key.length} octets does not fit ${encryption}`;
  const checkKey = octets(checkKeyText);
  const gmac = check.hash === GMAC;
  if (gmac && (cipher.block > 0 || !(checkKey.length in GCM)))
    return `a key of ${checkKey.length} octets does not fit ${authentication} with ${encryption}`;
  if (!/^(\*|0x[0-9a-f]{1,8}|\d{1,10})$/i.test(spi)) return `the SPI ${spi} is no number`;
  return {
    version: protocol === 'IPv4' ? 4 : 6,
    source: source.toLowerCase(),
    destination: destination.toLowerCase(),
    spi: spi === '*' ? undefined : Number(spi),
    cipher: name,
    block: gmac ? EXPLICIT : cipher.block,
    key,
    check,
    checkKey,
    tag: cipher.tag === undefined ? 0 : cipher.tag || check.length || TAG,
  };
}

/** A key: hexadecimal after 0x, else its characters. */
function octets(text: string): Uint8Array {
  const digits = /^0x((?:[0-9a-f]{2})*)$/i.exec(text)?.[1];
  return digits === undefined ? Buffer.from(text, 'latin1') : Buffer.from(digits, 'hex');
}

function opened(a: Association, b: Uint8Array, off: number, end: number): OpenedEsp | undefined {
  const icv = a.tag > 0 ? a.tag : a.check.length;
  const stop = end - icv;
  const start = off + HEADER + a.block;
  const length = stop - start;
  const chained = a.cipher.endsWith('-cbc');
  if (length < TRAILER || (chained && length % a.block !== 0)) return undefined;
  const sealed = a.tag > 0 ? unlock(a.cipher, a.key, b, off, stop, end) : undefined;
  const bytes = sealed === undefined ? plain(a, b, start, stop) : sealed.bytes;
  const pad = bytes[length - TRAILER];
  if (pad > length - TRAILER) return undefined;
  return {
    bytes,
    payload: length - TRAILER - pad,
    next: bytes[length - 1],
    icv,
    good: sealed?.good ?? (a.check.hash !== '' && fits(a, b, off, stop, end)),
  };
}

/**
 * Opens what AES-GCM protects: the nonce is the salt and the explicit part, header and sequence number are authenticated
 * too (RFC 4106 §4, §5). What does not fit its tag is opened all the same, and said to be wrong.
 * @param covered octets from `off` on that are authenticated alone: 8 for GCM, all of them for GMAC (RFC 4543 §3.3)
 */
function unlock(
  cipher: string,
  key: Uint8Array,
  b: Uint8Array,
  off: number,
  stop: number,
  end: number,
  covered = HEADER,
): { readonly bytes: Uint8Array; readonly good: boolean } {
  const nonce = Buffer.concat([key.subarray(key.length - SALT), b.subarray(off + HEADER, off + HEADER + EXPLICIT)]);
  const options = { authTagLength: end - stop };
  const d = createDecipheriv(cipher as CipherGCMTypes, key.subarray(0, key.length - SALT), nonce, options)
    .setAAD(b.subarray(off, off + covered))
    .setAuthTag(b.subarray(stop, end));
  const bytes = new Uint8Array(covered === HEADER ? d.update(b.subarray(off + HEADER + EXPLICIT, stop)) : []);
  try {
    d.final();
  } catch {
    return { bytes, good: false };
  }
  return { bytes, good: true };
}

function plain(a: Association, b: Uint8Array, start: number, stop: number): Uint8Array {
  if (a.cipher === '') return b.slice(start, stop);
  const d = createDecipheriv(a.cipher, a.key, b.subarray(start - a.block, start)).setAutoPadding(false);
  return new Uint8Array(Buffer.concat([d.update(b.subarray(start, stop)), d.final()]));
}

/** Whether the check value over header and payload is right. RFC 4303 §2.8. */
function fits(a: Association, b: Uint8Array, off: number, stop: number, end: number): boolean {
  if (a.check.hash === GMAC) {
    const name = GCM[a.checkKey.length as keyof typeof GCM];
    return unlock(name, a.checkKey, b, off, stop, end, stop - off).good;
  }
  const value = createHmac(a.check.hash, a.checkKey).update(b.subarray(off, stop)).digest();
  return timingSafeEqual(value.subarray(0, a.check.length), b.subarray(stop, end));
}
