import {
  defineDissector,
  fields,
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

/**
 * Virtual eXtensible Local Area Network, RFC 7348 §5, with the group policy of draft-smith-vxlan-group-policy, and its
 * generic protocol extension (draft-ietf-nvo3-vxlan-gpe), which names what follows in its fourth octet:
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------------------------+
 *     |G|R R R|I|R R R|R|D|R R|A|R R R|        Group Policy ID        |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------------------------+
 *     |           VXLAN Network Identifier (VNI)      |   Reserved    |
 *     +-----------------------------------------------+---------------+
 */
const HEADER = 8;
const BRIDGED = 0x6558;
const NEXT_PROTOCOLS = { 1: 'IPv4', 2: 'IPv6', 3: 'Ethernet', 4: 'Network Service Header', 5: 'MPLS' };

const F = fields({
  vxlan: { name: 'vxlan', label: 'Virtual eXtensible Local Area Network', type: 'protocol' },
  flags: { name: 'vxlan.flags', label: 'Flags', type: 'u16', base: 'hex' },
  g: { name: 'vxlan.flag_g', label: 'GBP Extension', type: 'bool', mask: 0x8000 },
  i: { name: 'vxlan.flag_i', label: 'VXLAN Network ID (VNI)', type: 'bool', mask: 0x0800 },
  d: { name: 'vxlan.flag_d', label: "Don't Learn", type: 'bool', mask: 0x0040 },
  a: { name: 'vxlan.flag_a', label: 'Policy Applied', type: 'bool', mask: 0x0008 },
  reserved: { name: 'vxlan.flags_reserved', label: 'Reserved(R)', type: 'u16', base: 'hex', mask: 0x77b7 },
  gbp: { name: 'vxlan.gbp', label: 'Group Policy ID', type: 'u16' },
  vni: { name: 'vxlan.vni', label: 'VXLAN Network Identifier (VNI)', type: 'u24' },
  reserved8: { name: 'vxlan.reserved8', label: 'Reserved', type: 'u8' },
  reserved16: { name: 'vxlan.reserved_16', label: 'Reserved', type: 'u16', base: 'hex' },
});

const G = fields({
  gpe: { name: 'vxlan_gpe', label: 'Virtual eXtensible Local Area Network', type: 'protocol' },
  version: { name: 'vxlan.ver', label: 'Version', type: 'u8', mask: 0x30 },
  instance: { name: 'vxlan.i_bit', label: 'Instance', type: 'u8', mask: 0x08 },
  nextBit: { name: 'vxlan.p_bit', label: 'Next Protocol Bit', type: 'u8', mask: 0x04 },
  oam: { name: 'vxlan.o_bit', label: 'OAM bit', type: 'u8', mask: 0x01 },
  next: { name: 'vxlan.next_proto', label: 'Next Protocol', type: 'u8', values: NEXT_PROTOCOLS },
});

/** A frame in a segment. `flags` and `policy` are the two halves of the first word. */
export interface VxlanPacket {
  flags: number;
  policy: number;
  vni: number;
  payload: Uint8Array;
}

function identifier(t: Tree, v: View): void {
  t.num(F.vni, v.off + 4, 3, u24(v.buf, v.off + 4));
  t.num(F.reserved8, v.off + 7, 1, u8(v.buf, v.off + 7));
}

const summary = (v: View) => (v.length < HEADER ? 'Header cut short' : `VNI ${u24(v.buf, v.off + 4)}`);

export const vxlan = defineDissector<VxlanPacket>({
  proto: 'vxlan',
  title: 'Virtual eXtensible Local Area Network',
  short: 'VXLAN',
  spec: 'RFC 7348',
  fields: F,
  on: { 'udp.port': [4789] },
  tables: ['ethertype.bare'],

  peek(p: Peek) {
    if (p.end - p.off <= HEADER) return p.stop();
    p.off += HEADER;
    p.table = 'ethertype.bare';
    p.key = BRIDGED;
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const flags = u16(buf, off);
    t.open(F.vxlan, off, HEADER);
    t.num(F.flags, off, 2, flags);
    t.push();
    for (const f of [F.g, F.i, F.d, F.a, F.reserved]) t.bits(f, off, 2, flags);
    t.pop();
    t.num(F.gbp, off + 2, 2, u16(buf, off + 2));
    identifier(t, v);
    t.pop();
    cx.next('ethertype.bare', BRIDGED, v.sub(off + HEADER));
  },

  summary,

  codec: {
    parse: (b, o, end) => ({
      flags: u16(b, o),
      policy: u16(b, o + 2),
      vni: u24(b, o + 4),
      payload: b.slice(o + HEADER, end),
    }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o) {
      put16(b, o, r.flags);
      put16(b, o + 2, r.policy);
      put24(b, o + 4, r.vni);
      b[o + 7] = 0;
      b.set(r.payload, o + HEADER);
      return HEADER + r.payload.length;
    },
  },
});

export const vxlanGpe = defineDissector({
  proto: 'vxlan_gpe',
  layer: '',
  title: 'Virtual eXtensible Local Area Network',
  short: 'VXLAN-GPE',
  spec: 'draft-ietf-nvo3-vxlan-gpe',
  fields: { ...G, flags: F.flags, reserved16: F.reserved16, vni: F.vni, reserved8: F.reserved8 },
  on: { 'udp.port': [4790] },
  tables: ['vxlan.next_proto'],

  peek(p: Peek) {
    if (p.end - p.off <= HEADER) return p.stop();
    p.key = p.buf[p.off + 3];
    p.off += HEADER;
    p.table = 'vxlan.next_proto';
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const flags = u8(buf, off);
    t.open(G.gpe, off, HEADER);
    t.num(F.flags, off, 1, flags);
    t.push();
    for (const f of [G.version, G.instance, G.nextBit, G.oam]) t.bits(f, off, 1, flags);
    t.pop();
    t.num(F.reserved16, off + 1, 2, u16(buf, off + 1));
    t.num(G.next, off + 3, 1, u8(buf, off + 3));
    identifier(t, v);
    t.pop();
    if (v.length > HEADER) cx.next('vxlan.next_proto', u8(buf, off + 3), v.sub(off + HEADER));
  },

  summary,
});
