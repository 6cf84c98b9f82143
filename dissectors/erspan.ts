import {
  defineDissector,
  fields,
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

/**
 * Encapsulated Remote Switched Port Analyzer, draft-foschiano-erspan-03 §4: a mirrored frame behind GRE. Type II, and
 * type III, whose last octet says whether a platform specific part follows:
 *
 *     +-------+-----------------------+-----+---+-+-------------------+
 *     |  Ver  |         VLAN          | COS |BSO|T|     Session ID    |
 *     +-------+-----------------------+-----+---+-+-------------------+
 *     |  II:  Reserved (12)           |        Index (20)             |
 *     |  III: Timestamp                                               |
 *     |  Security Group Tag           |P|   FT    |   Hw ID   |D|Gra|O|
 *     +- - - - - - - - - - - - - - - -+- - - - - - - - - - - - - - - -+
 *     |  O: Platf ID (6) and platform specific information (58)
 */
const TYPE_II = 1;
const TYPE_III = 2;
const HEADER_II = 8;
const HEADER_III = 12;
const PLATFORM = 8;
const ETHERNET = 0;
const IP = 2;
const VERSIONS = { 1: 'Type II', 2: 'Type III' };
const FRAME_TYPES = { 0: 'Ethernet', 2: 'IP' };
const DIRECTIONS = { 0: 'Incoming', 1: 'Outgoing' };
const GRANULARITIES = { 0: '100 microseconds', 1: '100 nanoseconds', 2: 'IEEE 1588', 3: 'User configurable' };

const F = fields({
  erspan: { name: 'erspan', label: 'Encapsulated Remote Switch Packet ANalysis', type: 'protocol' },
  version: { name: 'erspan.version', label: 'Version', type: 'u16', mask: 0xf000, values: VERSIONS },
  vlan: { name: 'erspan.vlan', label: 'Vlan', type: 'u16', mask: 0x0fff },
  cos: { name: 'erspan.cos', label: 'COS', type: 'u16', mask: 0xe000 },
  encap: { name: 'erspan.encap', label: 'Encap', type: 'u16', mask: 0x1800 },
  bso: { name: 'erspan.bso', label: 'Bad/Short/Oversized', type: 'u16', mask: 0x1800 },
  truncated: { name: 'erspan.truncated', label: 'Truncated', type: 'u16', mask: 0x0400 },
  session: { name: 'erspan.spanid', label: 'SpanID', type: 'u16', mask: 0x03ff },
  reserved: { name: 'erspan.reserved', label: 'Reserved', type: 'u32', mask: 0xfff00000 },
  index: { name: 'erspan.index', label: 'Index', type: 'u32', mask: 0x000fffff },
  timestamp: { name: 'erspan.timestamp', label: 'Timestamp', type: 'u32' },
  sgt: { name: 'erspan.sgt', label: 'Security Group Tag', type: 'u16' },
  p: { name: 'erspan.p', label: 'Has Ethernet PDU', type: 'u16', mask: 0x8000 },
  ft: { name: 'erspan.ft', label: 'Frame Type', type: 'u16', mask: 0x7c00, values: FRAME_TYPES },
  hw: { name: 'erspan.hw', label: 'Hardware ID', type: 'u16', mask: 0x03f0 },
  direction: { name: 'erspan.direction', label: 'Direction', type: 'bool', mask: 0x0008, values: DIRECTIONS },
  gra: { name: 'erspan.gra', label: 'Timestamp granularity', type: 'u16', mask: 0x0006, values: GRANULARITIES },
  o: { name: 'erspan.o', label: 'Optional Sub headers', type: 'u16', mask: 0x0001 },
  platform: { name: 'erspan.platid', label: 'Platform ID', type: 'u32', mask: 0xfc000000 },
});

/** A mirrored frame and the words before it. `words` are those after the first: one of type II, two of type III. */
export interface ErspanPacket {
  version: number;
  vlan: number;
  /** COS, BSO, truncated and session: the second half of the first word. */
  bits: number;
  words: number[];
  /** The eight octets of a platform, or none. */
  platform: Uint8Array;
  payload: Uint8Array;
}

const versionOf = (b: Uint8Array, o: number) => u8(b, o) >> 4;
const frameType = (b: Uint8Array, o: number) => (u16(b, o + 10) >> 10) & 31;

/** Octets before the mirrored frame; 0 where the version is none. `o` has 12 octets at least if it is type III. */
function headerLength(b: Uint8Array, o: number): number {
  if (versionOf(b, o) === TYPE_II) return HEADER_II;
  if (versionOf(b, o) !== TYPE_III) return 0;
  return HEADER_III + ((u16(b, o + 10) & 1) === 1 ? PLATFORM : 0);
}

function typeThree(t: Tree, v: View): void {
  const { buf, off } = v;
  t.num(F.timestamp, off + 4, 4, u32(buf, off + 4));
  t.num(F.sgt, off + 8, 2, u16(buf, off + 8));
  const bits = u16(buf, off + 10);
  for (const f of [F.p, F.ft, F.hw, F.direction, F.gra, F.o]) t.bits(f, off + 10, 2, bits);
  if ((bits & 1) === 0) return;
  need(v, HEADER_III + PLATFORM);
  t.bits(F.platform, off + HEADER_III, 4, u32(buf, off + HEADER_III));
}

export const erspan = defineDissector<ErspanPacket>({
  proto: 'erspan',
  title: 'Encapsulated Remote Switch Packet ANalysis',
  short: 'ERSPAN',
  spec: 'draft-foschiano-erspan-03',
  fields: F,
  on: { 'gre.proto': [0x88be, 0x22eb] },
  tables: ['ethertype.bare', 'ip.version'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER_II) return p.stop();
    const three = versionOf(buf, off) === TYPE_III;
    if (three && p.end - off < HEADER_III) return p.stop();
    const n = headerLength(buf, off);
    if (n === 0 || p.end - off <= n) return p.stop();
    const type = three ? frameType(buf, off) : ETHERNET;
    p.off = off + n;
    p.table = type === ETHERNET ? 'ethertype.bare' : type === IP ? 'ip.version' : '';
    p.key = type === ETHERNET ? 0x6558 : buf[p.off] >> 4;
  },

  dissect(v, t, cx) {
    need(v, 2);
    const { buf, off } = v;
    const version = versionOf(buf, off);
    t.open(F.erspan, off, Math.min(v.length, version === TYPE_III ? HEADER_III : HEADER_II));
    t.bits(F.version, off, 2, u16(buf, off));
    if (version !== TYPE_II && version !== TYPE_III) {
      t.pop();
      return cx.data(v.sub(off + 2));
    }
    need(v, version === TYPE_III ? HEADER_III : HEADER_II);
    t.bits(F.vlan, off, 2, u16(buf, off));
    const bits = u16(buf, off + 2);
    for (const f of [F.cos, version === TYPE_III ? F.bso : F.encap, F.truncated, F.session])
      t.bits(f, off + 2, 2, bits);
    if (version === TYPE_II) {
      t.bits(F.reserved, off + 4, 4, u32(buf, off + 4));
      t.bits(F.index, off + 4, 4, u32(buf, off + 4));
    } else typeThree(t, v);
    t.pop();
    const body = v.sub(off + headerLength(buf, off));
    if (body.length === 0) return;
    const type = version === TYPE_III ? frameType(buf, off) : ETHERNET;
    if (type === ETHERNET) cx.next('ethertype.bare', 0x6558, body);
    else if (type === IP) cx.next('ip.version', buf[body.off] >> 4, body);
    else cx.data(body);
  },

  summary(v) {
    return v.length < 4 ? 'Header cut short' : `Session ${u16(v.buf, v.off + 2) & 0x3ff}`;
  },

  codec: {
    parse(b, o, end) {
      const version = versionOf(b, o);
      const words = version === TYPE_III ? [u32(b, o + 4), u32(b, o + 8)] : [u32(b, o + 4)];
      const fixed = 4 + 4 * words.length;
      const n = headerLength(b, o);
      return {
        version,
        vlan: u16(b, o) & 0xfff,
        bits: u16(b, o + 2),
        words,
        platform: b.slice(o + fixed, o + Math.max(fixed, n)),
        payload: b.slice(o + Math.max(fixed, n), end),
      };
    },
    size: (r) => 4 + 4 * r.words.length + r.platform.length + r.payload.length,
    emit(r, b, o) {
      put16(b, o, (r.version << 12) | r.vlan);
      put16(b, o + 2, r.bits);
      let at = o + 4;
      for (const word of r.words) {
        put32(b, at, word);
        at += 4;
      }
      b.set(r.platform, at);
      b.set(r.payload, at + r.platform.length);
      return at + r.platform.length + r.payload.length - o;
    },
  },
});

/** Type I, which has no header: known by a GRE header without a sequence number. */
export const erspanOne = defineDissector({
  proto: 'erspan.1',
  layer: 'erspan',
  title: 'Encapsulated Remote Switch Packet ANalysis',
  short: 'ERSPAN',
  spec: 'draft-foschiano-erspan-03 §4.1',
  fields: F,
  on: { 'gre.proto': [0x188be] },
  tables: ['ethertype.bare'],
  peek(p: Peek) {
    p.table = 'ethertype.bare';
    p.key = 0x6558;
  },
  dissect(v, t, cx) {
    t.none(F.erspan, v.off, 0);
    cx.next('ethertype.bare', 0x6558, v);
  },
});
