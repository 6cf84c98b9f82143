import {
  defineDissector,
  hexNumber,
  Malformed,
  No,
  nameOf,
  need,
  put16,
  put32,
  type Tree,
  u8,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';
import { CERTIFICATE_EXPERTS } from '../tls/x509nodes.js';
import { attributeFields } from './attributes.js';
import { CERTIFICATE_FIELDS, certificate, certificateRequest } from './certificates.js';
import { F } from './fields.js';
import { association } from './proposals.js';
import { EXCHANGES } from './values.js';

/**
 * Internet Key Exchange, version 2 (RFC 7296 §3.1) and version 1 (RFC 2408 §3.1), which share the header; payloads
 * follow each other, each naming the next:
 *
 *     +---------------------------------------------------------------+
 *     |  Initiator SPI (8)                                            |
 *     |  Responder SPI (8)                                            |
 *     +---------------+-------+-------+---------------+---------------+
 *     |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
 *     +---------------+-------+-------+---------------+---------------+
 *     |                          Message ID                           |
 *     |                            Length                             |
 *     +---------------+-+-------------+-------------------------------+
 *     | Next Payload  |C|  Reserved   |         Payload Length        |  and the content of the payload
 */
const HEADER = 28;
const GENERIC = 4;
/** From here on a length of 32 bits has a sign, for Wireshark. */
const SIGN = 2 ** 31;
const ENCRYPTION = 1;
/** Payloads of version 1: RFC 2408 §3.1. */
const ASSOCIATION_1 = 1;
const KEY_EXCHANGE_1 = 4;
const CERTIFICATE_1 = 6;
const REQUEST_1 = 7;
const HASH_1 = 8;
const SIGNATURE_1 = 9;
const NONCE_1 = 10;
const NOTIFY_1 = 11;
const VENDOR_1 = 13;
/** RFC 3947 §3.2, and its drafts. */
const NAT_1: readonly number[] = [20, 130];
/** Of version 2: RFC 7296 §3.2. */
const ASSOCIATION = 33;
const KEY_EXCHANGE = 34;
const CERTIFICATE = 37;
const REQUEST = 38;
const NONCE = 40;
const NOTIFY = 41;
const VENDOR = 43;
/** Encrypted payloads: what follows is inside them. RFC 7296 §3.14, RFC 7383 §2.5. */
const FRAGMENT = 53;
const SEALED: readonly number[] = [46, FRAGMENT];

/** A payload; `flags` holds the critical bit. */
export interface IkePayload {
  type: number;
  flags: number;
  content: Uint8Array;
}

/** A message whose payloads can be told apart. */
export interface IkeMessage {
  /** Eight octets each. */
  ispi: Uint8Array;
  rspi: Uint8Array;
  version: number;
  exchange: number;
  flags: number;
  messageId: number;
  payloads: IkePayload[];
  /** What the last payload names: 0, or for an encrypted one the first inside it. */
  last: number;
}

const majorOf = (v: View) => u8(v.buf, v.off + 17) >> 4;

function flags(t: Tree, v: View): void {
  const at = v.off + 19;
  const bits = u8(v.buf, at);
  t.num(F.flags, at, 1, bits);
  t.push();
  const own = majorOf(v) >= 2 ? [F.initiator, F.higher, F.response] : [F.encryption, F.commit, F.authentication];
  for (const f of own) t.bits(f, at, 1, bits);
  t.pop();
}

/** RFC 7296 §3.10; in version 1 a domain of interpretation of four octets stands first (RFC 2408 §3.14). */
function notification(t: Tree, v: View, first: boolean): void {
  const off = first ? v.off + 4 : v.off;
  need(v, 4, off);
  if (first) t.num(F.notifyDoi, v.off, 4, u32(v.buf, v.off));
  const spi = u8(v.buf, off + 1);
  t.num(F.protocol, off, 1, u8(v.buf, off));
  t.num(F.spiSize, off + 1, 1, spi);
  t.num(F.notify, off + 2, 2, u16(v.buf, off + 2));
  if (spi > 0) t.bytes(F.spi, off + 4, spi);
  const at = off + 4 + spi;
  if (at <= v.end) t.bytes(F.notifyData, at, v.end - at);
}

/** Which of how many fragments of an encrypted message it is; the octets behind that are sealed. RFC 7383 §2.5 */
function fragment(t: Tree, v: View): void {
  need(v, 4);
  t.num(F.fragment, v.off, 2, u16(v.buf, v.off));
  t.num(F.fragments, v.off + 2, 2, u16(v.buf, v.off + 2));
}

function content(t: Tree, v: View, type: number): void {
  if (v.length === 0) return;
  if (type === NONCE || type === NONCE_1) t.bytes(F.nonce, v.off, v.length);
  else if (type === VENDOR || type === VENDOR_1) t.bytes(F.vendor, v.off, v.length);
  else if (type === FRAGMENT) fragment(t, v);
  else if (SEALED.includes(type)) t.none(F.encrypted, v.off, v.length);
  else if (type === ASSOCIATION || type === ASSOCIATION_1) association(t, v, type === ASSOCIATION_1);
  else if (type === NOTIFY || type === NOTIFY_1) notification(t, v, type === NOTIFY_1);
  else if (type === KEY_EXCHANGE && v.length > 4) {
    t.num(F.group, v.off, 2, u16(v.buf, v.off));
    t.bytes(F.reserved, v.off + 2, 2);
    t.bytes(F.key, v.off + 4, v.length - 4);
  } else if (type === KEY_EXCHANGE_1) t.bytes(F.key, v.off, v.length);
  else if (type === CERTIFICATE || type === CERTIFICATE_1) certificate(t, v, type === CERTIFICATE ? 2 : 1);
  else if (type === REQUEST || type === REQUEST_1) certificateRequest(t, v, type === REQUEST ? 2 : 1);
  else if (type === HASH_1) t.bytes(F.hash, v.off, v.length);
  else if (NAT_1.includes(type)) t.bytes(F.natHash, v.off, v.length);
  else if (type === SIGNATURE_1) t.bytes(F.signature, v.off, v.length);
  else t.bytes(F.data, v.off, v.length);
}

/** The chain of payloads in `v`, the first of which is of the type given. */
function payloads(t: Tree, v: View, first: number, version: number): void {
  const { buf } = v;
  let type = first;
  for (let at = v.off; type !== 0 && at < v.wireEnd; ) {
    t.num(F.payload, at, 0, type);
    t.push();
    need(v, GENERIC, at);
    const next = u8(buf, at);
    t.num(F.next, at, 1, next);
    if (version >= 2) {
      t.bits(F.critical, at + 1, 1, u8(buf, at + 1));
      t.bits(F.reserved7, at + 1, 1, u8(buf, at + 1));
    } else t.bytes(F.reserved, at + 1, 1);
    const n = u16(buf, at + 2);
    t.num(F.payloadLength, at + 2, 2, n);
    if (n < GENERIC) throw new Malformed('a payload is shorter than its header');
    content(t, v.sub(at + GENERIC, at + n), type);
    need(v, n, at);
    t.pop();
    at += n;
    type = SEALED.includes(type) ? 0 : next;
  }
}

export const isakmp = defineDissector<IkeMessage>({
  proto: 'isakmp',
  title: 'Internet Security Association and Key Management Protocol',
  short: 'ISAKMP',
  spec: 'RFC 7296, RFC 7383, RFC 2408',
  fields: { ...F, ...attributeFields, ...CERTIFICATE_FIELDS },
  experts: CERTIFICATE_EXPERTS,
  on: { 'udp.port': [500], udpencap: [500], 'ftt.envelope': ['ikev2'] },

  /** A length that has no room for the header is none of IKE, for Wireshark. */
  probe: (b, off, end) => (end - off >= HEADER && u32(b, off + 24) < HEADER ? No : Yes),

  dissect(v, t) {
    const { buf, off } = v;
    t.open(F.isakmp, off, v.length);
    need(v, HEADER);
    t.bytes(F.ispi, off, 8);
    t.bytes(F.rspi, off + 8, 8);
    t.num(F.next, off + 16, 1, u8(buf, off + 16));
    t.num(F.version, off + 17, 1, u8(buf, off + 17));
    t.push();
    t.bits(F.major, off + 17, 1, u8(buf, off + 17));
    t.bits(F.minor, off + 17, 1, u8(buf, off + 17));
    t.pop();
    t.num(F.exchange, off + 18, 1, u8(buf, off + 18));
    flags(t, v);
    t.num(F.messageId, off + 20, 4, u32(buf, off + 20));
    const n = u32(buf, off + 24);
    t.num(F.length, off + 24, 4, n);
    if (n < HEADER) throw new Malformed('the message is shorter than its header');
    const body = v.sub(off + HEADER, off + n);
    const sealed = majorOf(v) === 1 && (u8(buf, off + 19) & ENCRYPTION) !== 0;
    if (sealed && body.length > 0) t.none(F.encrypted, body.off, body.length);
    else payloads(t, body, u8(buf, off + 16), majorOf(v));
    t.pop();
    if (n > v.wireLength && n < SIGN) throw new Malformed('the message is longer than its datagram');
  },

  summary(v) {
    if (v.length < HEADER) return 'Header cut short';
    const exchange = nameOf(EXCHANGES, u8(v.buf, v.off + 18), `Exchange ${v.buf[v.off + 18]}`);
    const message = `${exchange} MID=${hexNumber(u32(v.buf, v.off + 20), 2).slice(2)}`;
    if (majorOf(v) < 2) return exchange;
    const from = (u8(v.buf, v.off + 19) & 8) === 0 ? 'Responder' : 'Initiator';
    return `${message} ${from} ${(u8(v.buf, v.off + 19) & 32) === 0 ? 'Request' : 'Response'}`;
  },

  codec: {
    parse(b, o, end) {
      const stop = Math.min(end, o + u32(b, o + 24));
      const list: IkePayload[] = [];
      let type = b[o + 16];
      for (let at = o + HEADER; type !== 0 && at + GENERIC <= stop; ) {
        const n = Math.max(GENERIC, u16(b, at + 2));
        list.push({ type, flags: b[at + 1], content: b.slice(at + GENERIC, Math.min(stop, at + n)) });
        const sealed = SEALED.includes(type);
        type = b[at];
        at += n;
        if (sealed) break;
      }
      return {
        ispi: b.slice(o, o + 8),
        rspi: b.slice(o + 8, o + 16),
        version: b[o + 17],
        exchange: b[o + 18],
        flags: b[o + 19],
        messageId: u32(b, o + 20),
        payloads: list,
        last: type,
      };
    },
    size: (r) => r.payloads.reduce((n, p) => n + GENERIC + p.content.length, HEADER),
    emit(r, b, o) {
      b.set(r.ispi, o);
      b.set(r.rspi, o + 8);
      b[o + 16] = r.payloads[0]?.type ?? r.last;
      b[o + 17] = r.version;
      b[o + 18] = r.exchange;
      b[o + 19] = r.flags;
      put32(b, o + 20, r.messageId);
      let at = o + HEADER;
      r.payloads.forEach((p, i) => {
        b[at] = r.payloads[i + 1]?.type ?? r.last;
        b[at + 1] = p.flags;
        put16(b, at + 2, GENERIC + p.content.length);
        b.set(p.content, at + GENERIC);
        at += GENERIC + p.content.length;
      });
      put32(b, o + 24, at - o);
      return at - o;
    },
  },
});
