import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import type { OpenedEsp } from '../../dissectors/esp.js';
import { ip4, ip6, u32 } from '../kit/index.js';

/** Associations that are kept where they are learnt while packets are read. */
const MOST_LEARNT = 4096;
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
}

/** How an integrity check value is made. */
interface Check {
  /** '': what it is made with is not known, so that it is passed over. */
  readonly hash: string;
  /** Octets. */
  readonly length: number;
}

/** By the names that Wireshark's table has. */
const CIPHERS: Readonly<Record<string, Cipher>> = {
  NULL: { names: {}, block: 0 },
  'TripleDES-CBC [RFC2451]': { names: { 24: 'des-ede3-cbc' }, block: 8 },
  'AES-CBC [RFC3602]': { names: { 16: 'aes-128-cbc', 24: 'aes-192-cbc', 32: 'aes-256-cbc' }, block: 16 },
};
const CHECKS: Readonly<Record<string, Check>> = {
  NULL: { hash: '', length: 0 },
  'HMAC-MD5-96 [RFC2403]': { hash: 'md5', length: 12 },
  'HMAC-SHA-1-96 [RFC2404]': { hash: 'sha1', length: 12 },
  'HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]': { hash: 'sha256', length: 12 },
  'HMAC-SHA-256-128 [RFC4868]': { hash: 'sha256', length: 16 },
  'HMAC-SHA-384-192 [RFC4868]': { hash: 'sha384', length: 24 },
  'HMAC-SHA-512-256 [RFC4868]': { hash: 'sha512', length: 32 },
  'ANY 64 bit authentication [no checking]': { hash: '', length: 8 },
  'ANY 96 bit authentication [no checking]': { hash: '', length: 12 },
  'ANY 128 bit authentication [no checking]': { hash: '', length: 16 },
  'ANY 192 bit authentication [no checking]': { hash: '', length: 24 },
  'ANY 256 bit authentication [no checking]': { hash: '', length: 32 },
};

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
  private readonly associations: Association[] = [];

  get length(): number {
    return this.associations.length;
  }

  /** Whether a text is such a table: its first line that is no comment begins like one. */
  static looksLike(text: string): boolean {
    return /^(?:\s*(?:#.*)?[\r\n])*\s*"IPv[46]"\s*,/.test(text);
  }

  /** Whether keys may still come while packets are read. */
  growing = false;

  /** Takes a line in that was found while packets are read: the latest comes first. */
  learn(line: string): void {
    const made = association([...line.matchAll(/"([^"]*)"/g)].map((m) => m[1]));
    if (typeof made === 'string') return;
    this.associations.unshift(made);
    if (this.associations.length > MOST_LEARNT) this.associations.pop();
  }

  /** Takes the lines of a table in. Returns what is wrong with those that are of no use. */
  add(text: string): string[] {
    const wrong: string[] = [];
    for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const made = association([...line.matchAll(/"([^"]*)"/g)].map((m) => m[1]));
      if (typeof made === 'string') wrong.push(`line ${i + 1}: ${made}`);
      else this.associations.push(made);
    }
    return wrong;
  }

  /** Opens the packet `[off, end)`; undefined where no key fits its addresses and SPI, or it cannot be opened. */
  open(ends: EspEnds, b: Uint8Array, off: number, end: number): OpenedEsp | undefined {
    if (end - off < HEADER || ends.net === 0) return undefined;
    const spi = u32(b, off);
    let source: string | undefined;
    let destination = '';
    for (const a of this.associations) {
      if (a.version !== ends.net || (a.spi !== undefined && a.spi !== spi)) continue;
      const text = ends.net === 4 ? ip4 : ip6;
      if (source === undefined) {
        source = text(ends.addresses, ends.src);
        destination = text(ends.addresses, ends.dst);
      }
      if (a.source !== '*' && a.source !== source) continue;
      if (a.destination === '*' || a.destination === destination) return opened(a, b, off, end);
    }
    return undefined;
  }
}

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
  if (!/^(\*|0x[0-9a-f]{1,8}|\d{1,10})$/i.test(spi)) return `the SPI ${spi} is no number`;
  return {
    version: protocol === 'IPv4' ? 4 : 6,
    source: source.toLowerCase(),
    destination: destination.toLowerCase(),
    spi: spi === '*' ? undefined : Number(spi),
    cipher: name,
    block: cipher.block,
    key,
    check,
    checkKey: octets(checkKeyText),
  };
}

/** A key: hexadecimal after 0x, else its characters. */
function octets(text: string): Uint8Array {
  const digits = /^0x((?:[0-9a-f]{2})*)$/i.exec(text)?.[1];
  return digits === undefined ? Buffer.from(text, 'latin1') : Buffer.from(digits, 'hex');
}

function opened(a: Association, b: Uint8Array, off: number, end: number): OpenedEsp | undefined {
  const stop = end - a.check.length;
  const start = off + HEADER + a.block;
  const length = stop - start;
  if (length < TRAILER || (a.block > 0 && length % a.block !== 0)) return undefined;
  const bytes = plain(a, b, start, stop);
  const pad = bytes[length - TRAILER];
  if (pad > length - TRAILER) return undefined;
  return {
    bytes,
    payload: length - TRAILER - pad,
    next: bytes[length - 1],
    icv: a.check.length,
    good: a.check.hash !== '' && fits(a, b, off, stop, end),
  };
}

function plain(a: Association, b: Uint8Array, start: number, stop: number): Uint8Array {
  if (a.block === 0) return b.slice(start, stop);
  const d = createDecipheriv(a.cipher, a.key, b.subarray(start - a.block, start)).setAutoPadding(false);
  return new Uint8Array(Buffer.concat([d.update(b.subarray(start, stop)), d.final()]));
}

/** Whether the check value over header and payload is right. RFC 4303 §2.8. */
function fits(a: Association, b: Uint8Array, off: number, stop: number, end: number): boolean {
  const value = createHmac(a.check.hash, a.checkKey).update(b.subarray(off, stop)).digest();
  return timingSafeEqual(value.subarray(0, a.check.length), b.subarray(stop, end));
}
