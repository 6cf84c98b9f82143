import {
  defineDissector,
  fields,
  hexNumber,
  Malformed,
  nameOf,
  need,
  type Peek,
  put16,
  put24,
  type Tree,
  u8,
  u16,
  u24,
  type View,
} from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * Generic Network Virtualization Encapsulation, RFC 8926 §3.4, and its options, §3.5:
 *
 *     +---+-----------+-+-+-----------+-------------------------------+
 *     |Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
 *     +---+-----------+-+-+-----------+---------------+---------------+
 *     |        Virtual Network Identifier (VNI)       |    Reserved   |
 *     +-----------------------------------------------+---------------+
 *     |  options: Class (16) | Type (8) | R R R Length (5) | data
 */
const HEADER = 8;
const OPTION = 4;

const F = fields({
  geneve: { name: 'geneve', label: 'Generic Network Virtualization Encapsulation', type: 'protocol' },
  version: { name: 'geneve.version', label: 'Version', type: 'u8' },
  length: { name: 'geneve.option.length', label: 'Length', type: 'u8', unit: 'octets' },
  flags: { name: 'geneve.flags', label: 'Flags', type: 'u8', base: 'hex' },
  oam: {
    name: 'geneve.flags.oam',
    label: 'Operations, Administration and Management Frame',
    type: 'bool',
    mask: 0x80,
  },
  critical: { name: 'geneve.flags.critical', label: 'Critical Options Present', type: 'bool', mask: 0x40 },
  reservedBits: { name: 'geneve.flags.reserved', label: 'Reserved', type: 'bool', mask: 0x3f },
  proto: { name: 'geneve.proto_type', label: 'Protocol Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  vni: { name: 'geneve.vni', label: 'Virtual Network Identifier (VNI)', type: 'u24', base: 'hex_dec' },
  reserved: { name: 'geneve.reserved', label: 'Reserved', type: 'u8', base: 'hex' },
  options: { name: 'geneve.options', label: 'Geneve Options', type: 'bytes' },
  option: { name: 'geneve.option', label: 'Option', type: 'bytes' },
  optionClass: { name: 'geneve.option.class', label: 'Class', type: 'u16', base: 'hex' },
  optionType: { name: 'geneve.option.type', label: 'Type', type: 'u8', base: 'hex' },
  optionCritical: { name: 'geneve.option.type.critical', label: 'Critical Option', type: 'bool', mask: 0x80 },
  optionFlags: { name: 'geneve.option.flags', label: 'Flags', type: 'u8', base: 'hex' },
  optionReserved: { name: 'geneve.option.flags.reserved', label: 'Reserved', type: 'bool', mask: 0xe0 },
  optionLength: { name: 'geneve.option.length', label: 'Length', type: 'u8', unit: 'octets' },
  optionData: { name: 'geneve.option.unknown.data', label: 'Unknown Option Data', type: 'bytes' },
});

/** A packet in a virtual network. */
export interface GenevePacket {
  /** O and C, and the reserved bits. */
  flags: number;
  protocol: number;
  vni: number;
  /** Whole words. */
  options: Uint8Array;
  payload: Uint8Array;
}

/** Octets of header and options. */
const headerLength = (b: Uint8Array, o: number) => HEADER + 4 * (b[o] & 0x3f);

function options(t: Tree, v: View): void {
  const { buf } = v;
  t.bytes(F.options, v.off, v.wireLength);
  t.push();
  for (let o = v.off; o < v.wireEnd; ) {
    need(v, OPTION, o);
    const n = OPTION + 4 * (u8(buf, o + 3) & 0x1f);
    if (o + n > v.wireEnd) throw new Malformed('an option is longer than the options');
    t.bytes(F.option, o, n);
    t.push();
    t.num(F.optionClass, o, 2, u16(buf, o));
    t.num(F.optionType, o + 2, 1, u8(buf, o + 2));
    t.push();
    t.bits(F.optionCritical, o + 2, 1, u8(buf, o + 2));
    t.pop();
    t.num(F.optionFlags, o + 3, 1, u8(buf, o + 3) >> 5);
    t.push();
    t.num(F.optionReserved, o + 3, 1, u8(buf, o + 3) >> 5 === 0 ? 0 : 1);
    t.pop();
    t.num(F.optionLength, o + 3, 1, n);
    need(v, n, o);
    if (n > OPTION) t.bytes(F.optionData, o + OPTION, n - OPTION);
    t.pop();
    o += n;
  }
  t.pop();
}

export const geneve = defineDissector<GenevePacket>({
  proto: 'geneve',
  title: 'Generic Network Virtualization Encapsulation',
  short: 'Geneve',
  spec: 'RFC 8926',
  fields: F,
  on: { 'udp.port': [6081] },
  tables: ['ethertype.bare'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER || buf[off] >> 6 !== 0) return p.stop();
    if (off + headerLength(buf, off) >= p.end) return p.stop();
    p.off = off + headerLength(buf, off);
    p.table = 'ethertype.bare';
    p.key = u16(buf, off + 2);
  },

  dissect(v, t, cx) {
    need(v, 1);
    const { buf, off } = v;
    const n = headerLength(buf, off);
    t.open(F.geneve, off, n);
    t.num(F.version, off, 1, u8(buf, off) >> 6);
    if (u8(buf, off) >> 6 !== 0) return t.pop(); // RFC 8926 §3.4: packets of another version are dropped
    t.num(F.length, off, 1, n - HEADER);
    need(v, HEADER);
    const flags = u8(buf, off + 1);
    t.num(F.flags, off + 1, 1, flags);
    t.push();
    t.bits(F.oam, off + 1, 1, flags);
    t.bits(F.critical, off + 1, 1, flags);
    t.num(F.reservedBits, off + 1, 1, (flags & 0x3f) === 0 ? 0 : 1);
    t.pop();
    t.num(F.proto, off + 2, 2, u16(buf, off + 2));
    t.num(F.vni, off + 4, 3, u24(buf, off + 4));
    t.num(F.reserved, off + 7, 1, u8(buf, off + 7));
    if (n > HEADER) options(t, v.sub(off + HEADER, off + n));
    t.pop();
    need(v, n);
    if (v.length > n) cx.next('ethertype.bare', u16(buf, off + 2), v.sub(off + n));
  },

  summary(v) {
    if (v.length < HEADER) return 'Header cut short';
    const type = u16(v.buf, v.off + 2);
    return `Encapsulated ${nameOf(ETHERTYPES, type, hexNumber(type, 4))}, VNI ${u24(v.buf, v.off + 4)}`;
  },

  codec: {
    parse(b, o, end) {
      const n = headerLength(b, o);
      return {
        flags: u8(b, o + 1),
        protocol: u16(b, o + 2),
        vni: u24(b, o + 4),
        options: b.slice(o + HEADER, o + n),
        payload: b.slice(o + n, end),
      };
    },
    size: (r) => HEADER + r.options.length + r.payload.length,
    emit(r, b, o) {
      b[o] = r.options.length >> 2;
      b[o + 1] = r.flags;
      put16(b, o + 2, r.protocol);
      put24(b, o + 4, r.vni);
      b[o + 7] = 0;
      b.set(r.options, o + HEADER);
      b.set(r.payload, o + HEADER + r.options.length);
      return HEADER + r.options.length + r.payload.length;
    },
  },
});
