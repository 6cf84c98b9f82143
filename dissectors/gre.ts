import {
  checksum,
  defineDissector,
  experts,
  fields,
  hexNumber,
  nameOf,
  need,
  type Peek,
  put16,
  put32,
  type Tree,
  u8,
  u16,
  u32,
  type View,
} from 'fttscope/kit';
import { CHECKSUM_STATUS, ETHERTYPES } from './numbers.js';

/**
 * Generic Routing Encapsulation, RFC 2784 with the key and sequence number of RFC 2890, the routing of RFC 1701, and
 * version 1, in which PPTP carries PPP (RFC 2637 §4.1):
 *
 *     0               1               2               3
 *     +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
 *     |C|R|K|S|s|Recur|A| Flags | Ver |         Protocol Type         |
 *     +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
 *     |  C or R: Checksum             |         Offset                |
 *     |  K: Key                (version 1: payload length and call)   |
 *     |  S: Sequence Number                                           |
 *     |  A, version 1: Acknowledgment Number                          |
 *     |  R: Routing
 */
const HEADER = 4;
const PROTOCOL = 47;
const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACK = 0x0080;
const VERSION = 7;
const KEEP_ALIVE = 0;
const WCCP = 0x883e;
const PPP = 0x880b;
const ERSPAN = 0x88be;
/** The key of ERSPAN without a sequence number, which is type I: its frame follows at once. */
const ERSPAN_I = 0x188be;
/** Octets of a source route entry before its addresses. RFC 1701. */
const SRE = 4;

const TYPES: Readonly<Record<number, string>> = {
  ...ETHERTYPES,
  0: 'Possible GRE keepalive packet',
  254: 'OSI',
  8192: 'CDP (Cisco)',
  8193: 'NHRP',
  8939: 'ERSPAN III',
  25944: 'Transparent Ethernet bridging',
  34827: 'PPP',
  34878: 'WCCP',
  35006: 'ERSPAN',
  35081: 'CiscoMetaData',
};
const VERSIONS = { 0: 'GRE', 1: 'Enhanced GRE' };

const F = fields({
  gre: { name: 'gre', label: 'Generic Routing Encapsulation', type: 'protocol' },
  word: { name: 'gre.flags_and_version', label: 'Flags and Version', type: 'u16', base: 'hex' },
  hasChecksum: { name: 'gre.flags.checksum', label: 'Checksum Bit', type: 'bool', mask: CHECKSUM },
  hasRouting: { name: 'gre.flags.routing', label: 'Routing Bit', type: 'bool', mask: ROUTING },
  hasKey: { name: 'gre.flags.key', label: 'Key Bit', type: 'bool', mask: KEY },
  hasSequence: { name: 'gre.flags.sequence_number', label: 'Sequence Number Bit', type: 'bool', mask: SEQUENCE },
  strict: { name: 'gre.flags.strict_source_route', label: 'Strict Source Route Bit', type: 'bool', mask: 0x0800 },
  recursion: { name: 'gre.flags.recursion_control', label: 'Recursion control', type: 'u16', mask: 0x0700 },
  hasAck: { name: 'gre.flags.ack', label: 'Acknowledgment', type: 'bool', mask: ACK },
  reserved: { name: 'gre.flags.reserved', label: 'Flags (Reserved)', type: 'u16', mask: 0x00f8 },
  version: { name: 'gre.flags.version', label: 'Version', type: 'u16', mask: VERSION, values: VERSIONS },
  proto: { name: 'gre.proto', label: 'Protocol Type', type: 'u16', base: 'hex', values: TYPES },
  checksum: { name: 'gre.checksum', label: 'Checksum', type: 'u16', base: 'hex' },
  status: { name: 'gre.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  offset: { name: 'gre.offset', label: 'Offset', type: 'u16' },
  key: { name: 'gre.key', label: 'Key', type: 'u32', base: 'hex' },
  payloadLength: { name: 'gre.key.payload_length', label: 'Payload Length', type: 'u16' },
  callId: { name: 'gre.key.call_id', label: 'Call ID', type: 'u16' },
  sequence: { name: 'gre.sequence_number', label: 'Sequence Number', type: 'u32' },
  ack: { name: 'gre.ack_number', label: 'Acknowledgment Number', type: 'u32' },
  routing: { name: 'gre.routing', label: 'Routing', type: 'none' },
  family: { name: 'gre.routing.address_family', label: 'Address Family', type: 'u16' },
  sreOffset: { name: 'gre.routing.sre_offset', label: 'SRE Offset', type: 'u8' },
  sreLength: { name: 'gre.routing.src_length', label: 'SRE Length', type: 'u8' },
  information: { name: 'gre.routing.information', label: 'Routing Information', type: 'bytes' },
});

const E = experts({
  badChecksum: {
    code: 'gre.bad-checksum',
    severity: 'warn',
    message: 'Incorrect GRE Checksum',
    clause: 'RFC 2784 §2.5',
  },
});

/** A packet; `flags` is the first word, which also says which of the optional parts are there (0 and empty if not). */
export interface GrePacket {
  flags: number;
  protocol: number;
  offset: number;
  key: number;
  sequence: number;
  ack: number;
  /** Source route entries of RFC 1701, with the last, empty one. */
  routing: Uint8Array;
  payload: Uint8Array;
}

/** Octets before the routing: what the flags announce. */
function fixedLength(word: number): number {
  let n = HEADER;
  if ((word & (CHECKSUM | ROUTING)) !== 0) n += 4;
  if ((word & KEY) !== 0) n += 4;
  if ((word & SEQUENCE) !== 0) n += 4;
  if ((word & ACK) !== 0 && (word & VERSION) === 1) n += 4;
  return n;
}

/** Where the source route that starts at `at` ends: behind its entry without addresses; -1 if it does not. RFC 1701. */
function routeEnd(b: Uint8Array, at: number, end: number): number {
  let o = at;
  while (o + SRE <= end) {
    const n = b[o + 3];
    o += SRE + n;
    if (n === 0) return o;
  }
  return -1;
}

/** A redirected packet has four octets of WCCP 2 before it, which cannot be mistaken for IP. */
const redirected = (b: Uint8Array, o: number, end: number) => o < end && (b[o] & 0xf0) !== 0x40;

function flags(t: Tree, off: number, word: number): void {
  t.num(F.word, off, 2, word);
  t.push();
  for (const f of [F.hasChecksum, F.hasRouting, F.hasKey, F.hasSequence, F.strict, F.recursion])
    t.bits(f, off, 2, word);
  if ((word & VERSION) === 1) t.bits(F.hasAck, off, 2, word);
  t.num(F.reserved, off, 2, (word >> 3) & ((word & VERSION) === 1 ? 15 : 31));
  t.bits(F.version, off, 2, word);
  t.pop();
}

/** Shows the optional parts up to the routing; returns where they end. */
function optional(t: Tree, v: View, word: number): number {
  const { buf, off } = v;
  let at = off + HEADER;
  need(v, fixedLength(word));
  if ((word & (CHECKSUM | ROUTING)) !== 0) {
    t.num(F.checksum, at, 2, u16(buf, at));
    if ((word & CHECKSUM) !== 0) {
      const whole = v.end === v.wireEnd;
      const good = whole && checksum(buf, off, v.end) === 0;
      t.num(F.status, at, 0, good ? 1 : whole ? 0 : 2);
      if (whole && !good) t.expert(E.badChecksum);
    }
    t.num(F.offset, at + 2, 2, u16(buf, at + 2));
    at += 4;
  }
  if ((word & KEY) !== 0) {
    // RFC 2637 §4.1: of PPP it is two other things.
    if ((word & VERSION) === 1 && u16(buf, off + 2) === PPP) {
      t.num(F.payloadLength, at, 2, u16(buf, at));
      t.num(F.callId, at + 2, 2, u16(buf, at + 2));
    } else t.num(F.key, at, 4, u32(buf, at));
    at += 4;
  }
  if ((word & SEQUENCE) !== 0) {
    t.num(F.sequence, at, 4, u32(buf, at));
    at += 4;
  }
  if ((word & ACK) !== 0 && (word & VERSION) === 1) {
    t.num(F.ack, at, 4, u32(buf, at));
    at += 4;
  }
  return at;
}

function route(t: Tree, v: View, start: number): number {
  const { buf } = v;
  let o = start;
  for (;;) {
    need(v, SRE, o);
    const n = u8(buf, o + 3);
    t.none(F.routing, o, SRE + n);
    t.push();
    t.num(F.family, o, 2, u16(buf, o));
    t.num(F.sreOffset, o + 2, 1, u8(buf, o + 2));
    t.num(F.sreLength, o + 3, 1, n);
    need(v, SRE + n, o);
    if (n > 0) t.bytes(F.information, o + SRE, n);
    t.pop();
    o += SRE + n;
    if (n === 0) return o;
  }
}

export const gre = defineDissector<GrePacket>({
  proto: 'gre',
  title: 'Generic Routing Encapsulation',
  short: 'GRE',
  spec: 'RFC 2784, RFC 2890, RFC 2637',
  fields: F,
  experts: E,
  on: { 'ip.proto': [PROTOCOL], 'udp.port': [4754] },
  tables: ['gre.proto'],

  peek(p: Peek) {
    const { buf, off, end } = p;
    if (end - off < HEADER) return p.stop();
    const word = u16(buf, off);
    let at = off + fixedLength(word);
    if ((word & ROUTING) !== 0) at = routeEnd(buf, at, end);
    if (at < 0 || at >= end) return p.stop();
    p.key = u16(buf, off + 2);
    if (p.key === KEEP_ALIVE) return p.stop();
    if (p.key === ERSPAN && (word & SEQUENCE) === 0) p.key = ERSPAN_I;
    if (p.key === WCCP && redirected(buf, at, end)) at += 4;
    p.table = 'gre.proto';
    p.off = Math.min(at, end);
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const word = u16(buf, off);
    const type = u16(buf, off + 2);
    t.open(F.gre, off, Math.min(v.length, fixedLength(word)));
    if (t.labels) t.label(`Generic Routing Encapsulation (${nameOf(TYPES, type, hexNumber(type, 4))})`);
    flags(t, off, word);
    t.num(F.proto, off + 2, 2, type);
    let at = optional(t, v, word);
    if ((word & ROUTING) !== 0) at = route(t, v, at);
    t.pop();
    if (type === WCCP && redirected(buf, at, v.end)) at += 4;
    const key = type === ERSPAN && (word & SEQUENCE) === 0 ? ERSPAN_I : type;
    if (at < v.end && type !== KEEP_ALIVE) cx.next('gre.proto', key, v.sub(at));
  },

  summary(v) {
    if (v.length < HEADER) return 'Header cut short';
    const type = u16(v.buf, v.off + 2);
    return `Encapsulated ${nameOf(TYPES, type, hexNumber(type, 4))}`;
  },

  codec: {
    parse(b, o, end) {
      const word = u16(b, o);
      const r: GrePacket = {
        ...{ flags: word, protocol: u16(b, o + 2), offset: 0, key: 0, sequence: 0, ack: 0 },
        ...{ routing: new Uint8Array(0), payload: new Uint8Array(0) },
      };
      let at = o + HEADER;
      if ((word & (CHECKSUM | ROUTING)) !== 0) {
        r.offset = u16(b, at + 2);
        at += 4;
      }
      if ((word & KEY) !== 0) {
        r.key = u32(b, at);
        at += 4;
      }
      if ((word & SEQUENCE) !== 0) {
        r.sequence = u32(b, at);
        at += 4;
      }
      if ((word & ACK) !== 0 && (word & VERSION) === 1) {
        r.ack = u32(b, at);
        at += 4;
      }
      if ((word & ROUTING) !== 0) {
        const stop = routeEnd(b, at, end);
        r.routing = b.slice(at, stop < 0 ? end : stop);
        at += r.routing.length;
      }
      r.payload = b.slice(at, end);
      return r;
    },
    size: (r) => fixedLength(r.flags) + r.routing.length + r.payload.length,
    emit(r, b, o) {
      put16(b, o, r.flags);
      put16(b, o + 2, r.protocol);
      let at = o + HEADER;
      if ((r.flags & (CHECKSUM | ROUTING)) !== 0) {
        put16(b, at, 0);
        put16(b, at + 2, r.offset);
        at += 4;
      }
      if ((r.flags & KEY) !== 0) {
        put32(b, at, r.key);
        at += 4;
      }
      if ((r.flags & SEQUENCE) !== 0) {
        put32(b, at, r.sequence);
        at += 4;
      }
      if ((r.flags & ACK) !== 0 && (r.flags & VERSION) === 1) {
        put32(b, at, r.ack);
        at += 4;
      }
      b.set(r.routing, at);
      b.set(r.payload, at + r.routing.length);
      const n = at + r.routing.length + r.payload.length - o;
      if ((r.flags & CHECKSUM) !== 0) put16(b, o + HEADER, checksum(b, o, o + n)); // RFC 2784 §2.5
      return n;
    },
  },
});
