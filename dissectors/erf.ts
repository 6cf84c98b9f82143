import {
  type Ctx,
  defineDissector,
  fields,
  nameOf,
  need,
  type Peek,
  type Tree,
  u8,
  u16,
  u64le,
  View,
} from 'fttscope/kit';

/**
 * Extensible Record Format of Endace's capture cards and probes, LINKTYPE_ERF (Endace, "ERF types reference guide"). The
 * timestamp is little-endian, in units of 2^-32 s:
 *
 *     +---------------+----------+-----------+-------------------+------------------+-----------------+
 *     | Timestamp (8) | Type (1) | Flags (1) | Record length (2) | Loss counter (2) | Wire length (2) |
 *     +---------------+----------+-----------+-------------------+------------------+-----------------+
 *
 * While the highest bit of the type is set, an extension header of eight octets follows, which begins with the next type.
 * Before an Ethernet frame, which has its check sequence, stand two octets that align it: Offset (1), Padding (1).
 */
const HEADER = 16;
const EXTENSION = 8;
const HAS_EXTENSION = 0x80;
const TYPE = 0x7f;
const PAD = 2;
const IPV4 = 22;
const IPV6 = 23;
const ETHERNET: ReadonlySet<number> = new Set([2, 11, 16, 20]);
/** LINKTYPE_ETHERNET, LINKTYPE_IPV4 and LINKTYPE_IPV6. */
const LINK = { ethernet: 1, ipv4: 228, ipv6: 229 } as const;

const TYPES = {
  0: 'LEGACY',
  1: 'HDLC_POS',
  2: 'ETH',
  3: 'ATM',
  4: 'AAL5',
  5: 'MC_HDLC',
  6: 'MC_RAW',
  7: 'MC_ATM',
  8: 'MC_RAW_CHANNEL',
  9: 'MC_AAL5',
  10: 'COLOR_HDLC_POS',
  11: 'COLOR_ETH',
  12: 'MC_AAL2',
  13: 'IP_COUNTER',
  14: 'TCP_FLOW_COUNTER',
  15: 'DSM_COLOR_HDLC_POS',
  16: 'DSM_COLOR_ETH',
  17: 'COLOR_MC_HDLC_POS',
  18: 'AAL2',
  19: 'COLOR_HASH_POS',
  20: 'COLOR_HASH_ETH',
  21: 'INFINIBAND',
  22: 'IPV4',
  23: 'IPV6',
  24: 'RAW_LINK',
  25: 'INFINIBAND_LINK',
  27: 'META',
  28: 'OMNI-PATH_SNC',
  29: 'OMNI-PATH',
  48: 'PAD',
};

const F = fields({
  erf: { name: 'erf', label: 'Extensible Record Format', type: 'protocol' },
  timestamp: { name: 'erf.ts', label: 'Timestamp', type: 'u64', base: 'hex' },
  types: { name: 'erf.types', label: 'Record type', type: 'u8', base: 'hex' },
  type: { name: 'erf.types.type', label: 'Type', type: 'u8', mask: 0x7f, values: TYPES },
  extended: { name: 'erf.types.ext_header', label: 'Extension header present', type: 'u8', mask: 0x80 },
  flags: { name: 'erf.flags', label: 'Flags', type: 'u8', base: 'hex' },
  capture: { name: 'erf.flags.cap', label: 'Capture interface', type: 'u8', mask: 0x03 },
  varying: { name: 'erf.flags.vlen', label: 'Varying record length', type: 'u8', mask: 0x04 },
  truncated: { name: 'erf.flags.trunc', label: 'Truncated', type: 'u8', mask: 0x08 },
  receiveError: { name: 'erf.flags.rxe', label: 'RX error', type: 'u8', mask: 0x10 },
  streamError: { name: 'erf.flags.dse', label: 'DS error', type: 'u8', mask: 0x20 },
  reserved: { name: 'erf.flags.res', label: 'Reserved', type: 'u8', base: 'hex', mask: 0xc0 },
  length: { name: 'erf.rlen', label: 'Record length', type: 'u16', unit: 'octets' },
  lost: { name: 'erf.lctr', label: 'Loss counter', type: 'u16' },
  wireLength: { name: 'erf.wlen', label: 'Wire length', type: 'u16', unit: 'octets' },
  extension: { name: 'erf.ehdr.types', label: 'Extension Header', type: 'u8' },
  pad: { name: 'erf.eth', label: 'Ethernet pad', type: 'none' },
  padOffset: { name: 'erf.eth.off', label: 'Offset', type: 'u8' },
  padding: { name: 'erf.eth.pad', label: 'Padding', type: 'u8', base: 'hex' },
});

const typeOf = (b: Uint8Array, o: number): number => b[o + 8] & TYPE;

/** Octets of header and extension headers; more than there are where one is cut. */
function headerLength(b: Uint8Array, off: number, end: number): number {
  let n = HEADER;
  if ((b[off + 8] & HAS_EXTENSION) === 0) return n;
  do n += EXTENSION;
  while (off + n <= end && (b[off + n - EXTENSION] & HAS_EXTENSION) !== 0);
  return n;
}

/** The link type of what a record holds, or -1 where it is no packet. */
function linkOf(type: number): number {
  if (ETHERNET.has(type)) return LINK.ethernet;
  if (type === IPV4) return LINK.ipv4;
  return type === IPV6 ? LINK.ipv6 : -1;
}

/** Where the packet starts. */
const bodyOf = (b: Uint8Array, off: number, end: number): number =>
  off + headerLength(b, off, end) + (ETHERNET.has(typeOf(b, off)) ? PAD : 0);

export const erf = defineDissector({
  proto: 'erf',
  title: 'Extensible Record Format',
  short: 'ERF',
  spec: 'LINKTYPE_ERF',
  fields: F,
  on: { link: [197] },
  tables: ['link'],

  peek(p: Peek) {
    const { buf, off, end } = p;
    if (end - off < HEADER) return p.stop();
    const at = bodyOf(buf, off, end);
    const link = linkOf(typeOf(buf, off));
    if (at > end || link < 0) return p.stop();
    p.off = at;
    p.table = 'link';
    p.key = link;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.erf, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    header(v, t);
    const type = typeOf(buf, off);
    const n = headerLength(buf, off, v.end);
    need(v, n);
    for (let at = off + HEADER; at < off + n; at += EXTENSION) t.num(F.extension, at, 1, u8(buf, at) & TYPE);
    if (ETHERNET.has(type)) padding(v, t, off + n);
    t.pop();
    packet(v, bodyOf(buf, off, v.end), linkOf(type), cx);
  },

  summary: (v) => (v.length < HEADER ? 'Header cut short' : `${nameOf(TYPES, typeOf(v.buf, v.off))} record`),
});

function header({ buf, off }: View, t: Tree): void {
  t.big(F.timestamp, off, 8, u64le(buf, off));
  t.num(F.types, off + 8, 1, u8(buf, off + 8));
  t.push();
  t.bits(F.type, off + 8, 1, u8(buf, off + 8));
  t.bits(F.extended, off + 8, 1, u8(buf, off + 8));
  t.pop();
  const flags = u8(buf, off + 9);
  t.num(F.flags, off + 9, 1, flags);
  t.push();
  for (const f of [F.capture, F.varying, F.truncated, F.receiveError, F.streamError, F.reserved])
    t.bits(f, off + 9, 1, flags);
  t.pop();
  t.num(F.length, off + 10, 2, u16(buf, off + 10));
  t.num(F.lost, off + 12, 2, u16(buf, off + 12));
  t.num(F.wireLength, off + 14, 2, u16(buf, off + 14));
}

function padding(v: View, t: Tree, at: number): void {
  need(v, PAD, at);
  t.open(F.pad, at, PAD);
  t.num(F.padOffset, at, 1, u8(v.buf, at));
  t.num(F.padding, at + 1, 1, u8(v.buf, at + 1));
  t.pop();
}

/** What the record holds stands alone: behind an Ethernet frame is its check sequence, as where it was captured itself. */
function packet({ buf, end, wireEnd, source }: View, at: number, link: number, cx: Ctx): void {
  const body = new View({ name: source.name, buf, start: at, end }, at, end, wireEnd);
  if (link < 0) cx.data(body);
  else cx.next('link', link, body);
}
