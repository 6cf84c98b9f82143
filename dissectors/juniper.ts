import {
  defineDissector,
  experts,
  type Field,
  fields,
  nameOf,
  need,
  type Peek,
  type Tree,
  u8,
  u16,
  u24,
  u32le,
  type View,
} from 'fttscope/kit';

/**
 * What Juniper's routers capture on Ethernet interfaces, LINKTYPE_JUNIPER_ETHER (Juniper, "Display of additional captured
 * information"; extensions are in the byte order of the router's little-endian engine):
 *
 *     +-----------------+-----------+ +------------+----------+------------+- - - -+ +----------------------+
 *     | Magic "MGC" (3) | Flags (1) | | Length (2) | Type (1) | Length (1) | value | | Protocol (4), little |  packet
 *     +-----------------+-----------+ +------------+----------+------------+- - - -+ +----------------------+
 *                                      flag 80: extensions                            flag 02: in place of a link header
 */
const HEADER = 4;
const MAGIC = 0x4d4743;
const NO_LINK = 0x02;
const EXTENDED = 0x80;
const ETHER = 204;
const PAYLOADS: Readonly<Record<number, string>> = { 2: 'IP', 5: 'MPLS', 6: 'IP6', [ETHER]: 'Ethernet' };
/** EtherTypes of the payloads. */
const ETHERTYPES: Readonly<Record<number, number>> = { 2: 0x0800, 5: 0x8847, 6: 0x86dd, [ETHER]: 0x6558 };
const DIRECTIONS = { 0: 'Out', 1: 'In' };
const PRESENCE = { 0: 'Present', 1: 'Absent' };

const F = fields({
  juniper: { name: 'juniper', label: 'Juniper Ethernet', type: 'protocol' },
  magic: { name: 'juniper.magic-number', label: 'Magic Number', type: 'u24', base: 'hex' },
  direction: { name: 'juniper.direction', label: 'Direction', type: 'u8', base: 'hex', mask: 1, values: DIRECTIONS },
  link: {
    name: 'juniper.l2hdr',
    label: 'L2 header presence',
    type: 'u8',
    base: 'hex',
    mask: NO_LINK,
    values: PRESENCE,
  },
  extensions: { name: 'juniper.ext_total_len', label: 'Extension(s) Total length', type: 'u16', unit: 'octets' },
  payload: { name: 'juniper.payload_type', label: 'Payload Type', type: 'u16', values: PAYLOADS },
  ifd: { name: 'juniper.ext.ifd', label: 'Device Interface Index', type: 'u32' },
  media: { name: 'juniper.ext.ifmt', label: 'Device Media Type', type: 'u16' },
  ifl: { name: 'juniper.ext.ifl', label: 'Logical Interface Index', type: 'u32' },
  unit: { name: 'juniper.ext.unit', label: 'Logical Unit Number', type: 'u32' },
  encapsulation: { name: 'juniper.ext.ifle', label: 'Logical Interface Encapsulation', type: 'u16' },
  ttpMedia: { name: 'juniper.ext.ttp_ifmt', label: 'TTP derived Device Media Type', type: 'u16' },
  ttpEncapsulation: {
    name: 'juniper.ext.ttp_ifle',
    label: 'TTP derived Logical Interface Encapsulation',
    type: 'u16',
  },
});
/** Extensions that are a number, by type. */
const EXTENSIONS: Readonly<Record<number, Field>> = {
  1: F.ifd,
  3: F.media,
  4: F.ifl,
  5: F.unit,
  6: F.encapsulation,
  7: F.ttpMedia,
  8: F.ttpEncapsulation,
};

const E = experts({
  magic: { code: 'juniper.no-magic-number', severity: 'warn', message: 'No Magic-Number found!' },
});

/** Where the packet or the number of its protocol starts; -1: behind what was captured, or no such header. */
function headerEnd(b: Uint8Array, off: number, end: number): number {
  if (end - off < HEADER || u24(b, off) !== MAGIC) return -1;
  if ((b[off + 3] & EXTENDED) === 0) return off + HEADER;
  const at = off + HEADER + 2;
  return at <= end && at + u16(b, at - 2) <= end ? at + u16(b, at - 2) : -1;
}

/** A number of `n` octets, the least significant first. */
function little(b: Uint8Array, off: number, n: number): number {
  let out = 0;
  for (let i = n - 1; i >= 0; i--) out = out * 256 + b[off + i];
  return out;
}

function extensions(t: Tree, { buf }: View, off: number, end: number): void {
  for (let at = off; at + 2 <= end; ) {
    const n = u8(buf, at + 1);
    const f = EXTENSIONS[u8(buf, at)];
    if (n === 0 || at + 2 + n > end) return;
    if (f !== undefined && n <= 4) t.num(f, at + 2, n, little(buf, at + 2, n));
    at += 2 + n;
  }
}

export const juniper = defineDissector({
  proto: 'juniper',
  title: 'Juniper Ethernet',
  short: 'Juniper',
  spec: 'LINKTYPE_JUNIPER_ETHER',
  fields: F,
  experts: E,
  on: { link: [178] },
  tables: ['ethertype.bare'],

  peek(p: Peek) {
    const { buf, off, end } = p;
    const at = headerEnd(buf, off, end);
    if (at < 0) return p.stop();
    const bare = (buf[off + 3] & NO_LINK) !== 0;
    if (bare && at + 4 > end) return p.stop();
    p.off = bare ? at + 4 : at;
    p.table = 'ethertype.bare';
    p.key = ETHERTYPES[bare ? u32le(buf, at) : ETHER] ?? 0;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.juniper, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    t.num(F.magic, off, 3, u24(buf, off));
    if (u24(buf, off) !== MAGIC) {
      t.expert(E.magic);
      t.pop();
      return cx.data(v);
    }
    const flags = u8(buf, off + 3);
    t.bits(F.direction, off + 3, 1, flags);
    t.bits(F.link, off + 3, 1, flags);
    let at = off + HEADER;
    if ((flags & EXTENDED) !== 0) {
      need(v, 2, at);
      const n = u16(buf, at);
      t.num(F.extensions, at, 2, n);
      t.push();
      extensions(t, v, at + 2, Math.min(at + 2 + n, v.end));
      t.pop();
      need(v, 2 + n, at);
      at += 2 + n;
    }
    let payload = ETHER;
    if ((flags & NO_LINK) !== 0) {
      need(v, 4, at);
      payload = u32le(buf, at);
      at += 4;
    }
    t.num(F.payload, at, 0, payload);
    t.pop();
    cx.next('ethertype.bare', ETHERTYPES[payload] ?? 0, v.sub(at));
  },

  summary: ({ buf, off, length }) => (length < HEADER ? 'Header cut short' : nameOf(DIRECTIONS, u8(buf, off + 3) & 1)),
});
