import {
  defineDissector,
  experts,
  fields,
  need,
  type Peek,
  padded,
  type Tree,
  u8,
  u16,
  u24,
  type View,
} from 'fttscope/kit';

/**
 * Network Service Header, RFC 8300 §2: the way of a packet through the services of a network, such as those behind a packet
 * gateway.
 *
 *     0               1               2               3
 *     +---+-+-+-----------+-----------+-------+-------+---------------+
 *     |Ver|O|U|    TTL    |   Length  |U U U U|MD Type| Next Protocol |
 *     |          Service Path Identifier              | Service Index |
 *     |  MD type 1: four context headers of 4; MD type 2: metadata of any length
 */
const HEADER = 8;
const CONTEXT = 4;
const FIXED = 1;
const LENGTH = 0x3f;
const MD_TYPES = { 0: 'Reserved', 1: 'Fixed-length context headers', 2: 'Variable-length context headers' };
const PROTOCOLS = { 1: 'IPv4', 2: 'IPv6', 3: 'Ethernet', 4: 'NSH', 5: 'MPLS' };
/** EtherTypes of the protocols that may follow. RFC 8300 §9.1.6 */
const ETHERTYPES: Readonly<Record<number, number>> = { 1: 0x0800, 2: 0x86dd, 3: 0x6558, 4: 0x894f, 5: 0x8847 };

const F = fields({
  nsh: { name: 'nsh', label: 'Network Service Header', type: 'protocol' },
  version: { name: 'nsh.version', label: 'Version', type: 'u16', base: 'dec_hex', mask: 0xc000 },
  oam: { name: 'nsh.Obit', label: 'O Bit', type: 'u16', mask: 0x2000 },
  critical: { name: 'nsh.CBit', label: 'C Bit', type: 'u16', mask: 0x1000 },
  ttl: { name: 'nsh.ttl', label: 'Time to live', type: 'u16', base: 'hex', mask: 0x0fc0 },
  length: { name: 'nsh.length', label: 'Length', type: 'u16', base: 'dec_hex', mask: LENGTH },
  mdType: { name: 'nsh.mdtype', label: 'MD Type', type: 'u8', base: 'dec_hex', values: MD_TYPES },
  next: { name: 'nsh.nextproto', label: 'Next Protocol', type: 'u8', base: 'dec_hex', values: PROTOCOLS },
  spi: { name: 'nsh.spi', label: 'SPI', type: 'u24', base: 'dec_hex' },
  si: { name: 'nsh.si', label: 'SI', type: 'u8', base: 'dec_hex' },
  context: { name: 'nsh.contextheader', label: 'Context Header', type: 'bytes' },
  metadataClass: { name: 'nsh.metadataclass', label: 'TLV Class', type: 'u16', base: 'dec_hex' },
  metadataType: { name: 'nsh.metadatatype', label: 'Type', type: 'u8', base: 'dec_hex' },
  unassigned: { name: 'nsh.metadataunassignedbit', label: 'Unassigned Bit', type: 'u8', base: 'hex', mask: 0x80 },
  metadataLength: { name: 'nsh.metadatalen', label: 'Length', type: 'u8', base: 'hex', mask: 0x7f },
  metadata: { name: 'nsh.metadata', label: 'Variable Metadata', type: 'bytes' },
});

const E = experts({
  length: {
    code: 'nsh.bad-length',
    severity: 'error',
    malformed: true,
    message: 'Invalid total length',
    clause: 'RFC 8300 §2.2',
  },
});

const headerLength = (b: Uint8Array, off: number): number => 4 * (u16(b, off) & LENGTH);

/** Metadata of any length, each padded to four octets. RFC 8300 §2.5.1 */
function variable(t: Tree, { buf }: View, off: number, end: number): void {
  for (let at = off; at + CONTEXT <= end; ) {
    const n = u8(buf, at + 3) & 0x7f;
    t.num(F.metadataClass, at, 2, u16(buf, at));
    t.num(F.metadataType, at + 2, 1, u8(buf, at + 2));
    t.bits(F.unassigned, at + 3, 1, u8(buf, at + 3));
    t.bits(F.metadataLength, at + 3, 1, u8(buf, at + 3));
    at += CONTEXT;
    if (n > 0) t.bytes(F.metadata, at, Math.min(n, end - at));
    at += padded(n);
  }
}

export const nsh = defineDissector({
  proto: 'nsh',
  title: 'Network Service Header',
  short: 'NSH',
  spec: 'RFC 8300',
  fields: F,
  experts: E,
  on: { ethertype: [0x894f], 'gre.proto': [0x894f], 'vxlan.next_proto': [4] },
  tables: ['ethertype.bare'],

  peek(p: Peek) {
    const n = p.end - p.off < HEADER ? 0 : headerLength(p.buf, p.off);
    if (n < HEADER || p.off + n > p.end) return p.stop();
    p.table = 'ethertype.bare';
    p.key = ETHERTYPES[u8(p.buf, p.off + 3)] ?? 0;
    p.off += n;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.nsh, off, v.length < HEADER ? v.length : Math.min(v.length, headerLength(buf, off)));
    need(v, 4);
    for (const f of [F.version, F.oam, F.critical, F.ttl, F.length]) t.bits(f, off, 2, u16(buf, off));
    const n = headerLength(buf, off);
    if (n < HEADER) t.expert(E.length); // RFC 8300 §2.2
    t.num(F.mdType, off + 2, 1, u8(buf, off + 2));
    t.num(F.next, off + 3, 1, u8(buf, off + 3));
    need(v, HEADER);
    t.num(F.spi, off + 4, 3, u24(buf, off + 4));
    t.num(F.si, off + 7, 1, u8(buf, off + 7));
    need(v, n);
    if (u8(buf, off + 2) === FIXED)
      for (let at = off + HEADER; at + CONTEXT <= off + n; at += CONTEXT) t.bytes(F.context, at, CONTEXT);
    else variable(t, v, off + HEADER, off + n);
    t.pop();
    if (n >= HEADER) cx.next('ethertype.bare', ETHERTYPES[u8(buf, off + 3)] ?? 0, v.sub(off + n));
  },

  summary: ({ buf, off, length }) =>
    length < HEADER ? 'Header cut short' : `Service path ${u24(buf, off + 4)}, index ${u8(buf, off + 7)}`,
});
