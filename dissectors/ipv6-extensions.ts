import {
  type Ctx,
  type Dissector,
  defineDissector,
  experts,
  fields,
  hexNumber,
  nameOf,
  need,
  type Peek,
  type Tree,
  u8,
  u16,
  u32,
  View,
} from 'fttscope/kit';
import { type FragmentNote, reassembly } from './ip-reassembly.js';
import { E as OptionExperts, F as OptionFields, options } from './ipv6-options.js';
import { IP_PROTOCOLS } from './numbers.js';

/**
 * Extension headers of IPv6, RFC 8200 §4. Those with options and the routing header share their first octets:
 *
 *     +-----------------+------------------+----------- - - -
 *     | Next Header (1) | Hdr Ext Len (1)  |  (Hdr Ext Len + 1) * 8 octets in all
 *     +-----------------+------------------+----------- - - -
 *
 * The fragment header always has eight octets:
 *
 *     +-----------------+---------------+---------------------+-----+---+
 *     | Next Header (1) | Reserved (1)  | Fragment Offset (13)| Res | M |
 *     +-----------------+---------------+---------------------+-----+---+
 *     |                         Identification                          |
 *     +-----------------------------------------------------------------+
 */
const FRAGMENT_HEADER = 8;
const OFFSET = 0xfff8;
const MORE = 1;
const NO_NEXT = 59;

const HOP = fields({
  layer: { name: 'ipv6.hopopts', label: 'IPv6 Hop-by-Hop Option', type: 'protocol' },
  nxt: { name: 'ipv6.hopopts.nxt', label: 'Next Header', type: 'u8', values: IP_PROTOCOLS },
  len: { name: 'ipv6.hopopts.len', label: 'Length', type: 'u8' },
  octets: { name: 'ipv6.hopopts.len_oct', label: 'Length', type: 'u16', unit: 'octets' },
});
const DST = fields({
  layer: { name: 'ipv6.dstopts', label: 'Destination Options for IPv6', type: 'protocol' },
  nxt: { name: 'ipv6.dstopts.nxt', label: 'Next Header', type: 'u8', values: IP_PROTOCOLS },
  len: { name: 'ipv6.dstopts.len', label: 'Length', type: 'u8' },
  octets: { name: 'ipv6.dstopts.len_oct', label: 'Length', type: 'u16', unit: 'octets' },
});

const ROUTING_TYPES: Readonly<Record<number, string>> = {
  0: 'Source Route',
  1: 'Nimrod',
  2: 'Type 2 Routing',
  3: 'RPL Source Route',
  4: 'Segment Routing',
  5: 'Compact Routing Header 16',
  6: 'Compact Routing Header 32',
  253: 'Experiment 1',
  254: 'Experiment 2',
};
const RT = fields({
  layer: { name: 'ipv6.routing', label: 'Routing Header for IPv6', type: 'protocol' },
  nxt: { name: 'ipv6.routing.nxt', label: 'Next Header', type: 'u8', values: IP_PROTOCOLS },
  len: { name: 'ipv6.routing.len', label: 'Length', type: 'u8' },
  octets: { name: 'ipv6.routing.len_oct', label: 'Length', type: 'u16', unit: 'octets' },
  type: { name: 'ipv6.routing.type', label: 'Type', type: 'u8', values: ROUTING_TYPES },
  left: { name: 'ipv6.routing.segleft', label: 'Segments Left', type: 'u8' },
  unknown: { name: 'ipv6.routing.unknown_data', label: 'Type-Specific Data', type: 'bytes' },
  srcReserved: { name: 'ipv6.routing.src.reserved', label: 'Reserved', type: 'bytes' },
  srcAddress: { name: 'ipv6.routing.src.addr', label: 'Address', type: 'ipv6', aliases: ['ipv6.addr', 'ipv6.host'] },
  mipReserved: { name: 'ipv6.routing.mipv6.reserved', label: 'Reserved', type: 'bytes' },
  home: {
    name: 'ipv6.routing.mipv6.home_address',
    label: 'Home Address',
    type: 'ipv6',
    aliases: ['ipv6.addr', 'ipv6.host'],
  },
  lastEntry: { name: 'ipv6.routing.srh.last_entry', label: 'Last Entry', type: 'u8' },
  flags: { name: 'ipv6.routing.srh.flags', label: 'Flags', type: 'u8', base: 'hex' },
  tag: { name: 'ipv6.routing.srh.tag', label: 'Tag', type: 'bytes' },
  segment: { name: 'ipv6.routing.srh.addr', label: 'Address', type: 'ipv6', aliases: ['ipv6.addr', 'ipv6.host'] },
});

const FR = fields({
  layer: { name: 'ipv6.fraghdr', label: 'Fragment Header for IPv6', type: 'protocol' },
  nxt: { name: 'ipv6.fraghdr.nxt', label: 'Next header', type: 'u8', values: IP_PROTOCOLS },
  reservedOctet: { name: 'ipv6.fraghdr.reserved_octet', label: 'Reserved octet', type: 'u8', base: 'hex' },
  offset: { name: 'ipv6.fraghdr.offset', label: 'Offset', type: 'u16', mask: OFFSET },
  reservedBits: { name: 'ipv6.fraghdr.reserved_bits', label: 'Reserved bits', type: 'u16', mask: 0x0006 },
  more: {
    name: 'ipv6.fraghdr.more',
    label: 'More Fragments',
    type: 'bool',
    mask: MORE,
    values: { 0: 'No', 1: 'Yes' },
  },
  ident: { name: 'ipv6.fraghdr.ident', label: 'Identification', type: 'u32', base: 'hex' },
  fragments: { name: 'ipv6.fragments', label: 'IPv6 Fragments', type: 'none' },
  fragment: { name: 'ipv6.fragment', label: 'Frame', type: 'frame' },
  overlap: { name: 'ipv6.fragment.overlap', label: 'Fragment overlap', type: 'bool' },
  conflict: {
    name: 'ipv6.fragment.overlap.conflict',
    label: 'Conflicting data in fragment overlap',
    type: 'bool',
  },
  count: { name: 'ipv6.fragment.count', label: 'Fragment count', type: 'u32' },
  reassembledLength: { name: 'ipv6.reassembled.length', label: 'Reassembled IPv6 length', type: 'u32' },
  reassembledData: { name: 'ipv6.reassembled.data', label: 'Reassembled IPv6 data', type: 'bytes' },
});

const E = experts({
  notFirst: {
    code: 'ipv6.hop-by-hop-not-first',
    severity: 'warn',
    message: 'IPv6 Hop-by-Hop extension header must appear immediately after IPv6 header',
    clause: 'RFC 8200 §4.1',
  },
  deprecated: {
    code: 'ipv6.deprecated-routing',
    severity: 'note',
    message: 'Routing header type is deprecated',
    clause: 'RFC 5095 §3',
  },
  undecodedRoute: {
    code: 'ipv6.undecoded-routing-type',
    severity: 'note',
    message: 'Undecoded IPv6 routing header field',
  },
  segmentsLeft: {
    code: 'ipv6.segments-left',
    severity: 'error',
    message: 'IPv6 Routing Header segments left field must not exceed address count',
  },
  jumboFragment: {
    code: 'ipv6.jumbo-fragment',
    severity: 'error',
    message: 'Jumbo Payload option cannot be used with a fragment header',
    clause: 'RFC 2675 §3',
  },
});

/** Octets of a header whose length field counts units of eight beyond the first. RFC 8200 §4.3. */
const size = (b: Uint8Array, o: number) => 8 * (b[o + 1] + 1);

function peek(p: Peek): void {
  const { buf, off } = p;
  if (p.end - off < 8 || off + size(buf, off) > p.end) {
    p.stop();
    return;
  }
  p.table = 'ip.proto';
  p.key = buf[off];
  p.off = off + size(buf, off);
}

/** The Info column where nothing follows that has its own. */
const summary = (v: View, name: string) =>
  v.length > 0 && u8(v.buf, v.off) === NO_NEXT ? 'IPv6 no next header' : name;

/** Next header and length of the header at `v`; returns the view of the header alone. */
function start(v: View, t: Tree, f: typeof HOP | typeof DST | typeof RT): View {
  need(v, 2);
  const { buf, off } = v;
  const n = size(buf, off);
  const name = f === RT && v.length > 2 ? ` (${nameOf(ROUTING_TYPES, buf[off + 2])})` : '';
  t.open(f.layer, off, n, t.labels ? f.layer.label + name : undefined);
  t.num(f.nxt, off, 1, u8(buf, off));
  t.num(f.len, off + 1, 1, u8(buf, off + 1));
  t.num(f.octets, off + 1, 1, n);
  return v.sub(off, off + n);
}

/**
 * From here on the packet counts as sent from or to another address, as a home address option (RFC 6275 §6.3) or a
 * routing header (RFC 8200 §8.1) has it: the checksums of upper layers are made with it. The offsets are in `b`.
 */
function replaceAddress(cx: Ctx, b: Uint8Array, src: number, dst: number): void {
  const { net } = cx;
  if (net.version !== 6 || net.src < 8) return;
  const header = net.buf.slice(net.src - 8, net.dst + 16);
  if (header.length !== 40) return;
  if (src > 0) header.set(b.subarray(src, src + 16), 8);
  if (dst > 0) header.set(b.subarray(dst, dst + 16), 24);
  cx.net = { version: 6, buf: header, src: 8, dst: 24 };
}

export const hopByHop = defineDissector({
  proto: 'ipv6.hopopts',
  title: 'IPv6 Hop-by-Hop Option',
  short: 'IPv6',
  spec: 'RFC 8200 §4.3',
  fields: { ...HOP, ...OptionFields },
  experts: { ...E, ...OptionExperts },
  on: { 'ip.proto': [0] },
  tables: ['ip.proto'],
  peek,
  dissect(v, t, cx) {
    const h = start(v, t, HOP);
    if (cx.net.buf === v.buf && v.off !== cx.net.dst + 16) t.expert(E.notFirst);
    options(t, v, v.off + 2, h.wireEnd, cx, true);
    need(v, size(v.buf, v.off));
    t.pop();
    cx.next('ip.proto', u8(v.buf, v.off), v.sub(h.wireEnd));
  },
  summary: (v) => summary(v, 'IPv6 hop-by-hop options'),
});

export const destinationOptions = defineDissector({
  proto: 'ipv6.dstopts',
  title: 'Destination Options for IPv6',
  short: 'IPv6',
  spec: 'RFC 8200 §4.6',
  fields: { ...DST, ...OptionFields },
  experts: OptionExperts,
  on: { 'ip.proto': [60] },
  tables: ['ip.proto'],
  peek,
  dissect(v, t, cx) {
    const h = start(v, t, DST);
    const home = options(t, v, v.off + 2, h.wireEnd, cx, false);
    need(v, size(v.buf, v.off));
    t.pop();
    if (home > 0) replaceAddress(cx, v.buf, home, 0);
    cx.next('ip.proto', u8(v.buf, v.off), v.sub(h.wireEnd));
  },
  summary: (v) => summary(v, 'IPv6 destination options'),
});

/** Addresses of a type 0 routing header; returns the offset of the last, or 0. RFC 2460 §4.4. */
function sourceRoute(t: Tree, h: View): number {
  const { buf, off } = h;
  need(h, 4, off + 4);
  t.bytes(RT.srcReserved, off + 4, 4);
  let last = 0;
  for (let o = off + 8; o + 16 <= h.wireEnd; o += 16) {
    need(h, 16, o);
    t.bytes(RT.srcAddress, o, 16);
    last = o;
  }
  const count = (h.wireEnd - off - 8) >> 4;
  if (u8(buf, off + 3) > count) {
    const what = `IPv6 Type 0 Routing Header segments left field must not exceed address count (${count})`;
    t.expert(E.segmentsLeft, what);
  }
  return last;
}

/** Segment list of RFC 8754 §2; its first entry is the last segment of the path. Returns its offset, or 0. */
function segments(t: Tree, h: View): number {
  const { buf, off } = h;
  need(h, 4, off + 4);
  const last = u8(buf, off + 4);
  t.num(RT.lastEntry, off + 4, 1, last);
  t.num(RT.flags, off + 5, 1, u8(buf, off + 5));
  t.bytes(RT.tag, off + 6, 2);
  if (u8(buf, off + 3) > last) t.expert(E.segmentsLeft);
  let o = off + 8;
  for (let i = 0; i <= last; i++, o += 16) {
    need(h, 16, o);
    t.bytes(RT.segment, o, 16);
  }
  return o > off + 8 ? off + 8 : 0;
}

/** The part that depends on the type; returns the offset of the final destination, or 0. */
function route(t: Tree, h: View): number {
  const { buf, off } = h;
  switch (u8(buf, off + 2)) {
    case 0:
      return sourceRoute(t, h);
    case 2: // RFC 6275 §6.4.1
      need(h, 20, off + 4);
      t.bytes(RT.mipReserved, off + 4, 4);
      t.bytes(RT.home, off + 8, 16);
      return off + 8;
    case 4:
      return segments(t, h);
    default:
      if (h.end > off + 4) t.bytes(RT.unknown, off + 4, h.end - off - 4);
      t.expert(E.undecodedRoute);
      return 0;
  }
}

export const routing = defineDissector({
  proto: 'ipv6.routing',
  title: 'Routing Header for IPv6',
  short: 'IPv6',
  spec: 'RFC 8200 §4.4',
  fields: RT,
  experts: E,
  on: { 'ip.proto': [43] },
  tables: ['ip.proto'],
  peek,
  dissect(v, t, cx) {
    const h = start(v, t, RT);
    const { buf, off } = v;
    need(v, 4);
    t.num(RT.type, off + 2, 1, u8(buf, off + 2));
    if (u8(buf, off + 2) === 0 && h.end === h.wireEnd) t.expert(E.deprecated);
    t.num(RT.left, off + 3, 1, u8(buf, off + 3));
    const final = route(t, h);
    need(v, size(buf, off));
    t.pop();
    if (final > 0 && u8(buf, off + 3) > 0) replaceAddress(cx, buf, 0, final); // RFC 8200 §8.1
    cx.next('ip.proto', u8(buf, off), v.sub(h.wireEnd));
  },
  summary: (v) => summary(v, 'IPv6 routing'),
});

const fragmentWord = (b: Uint8Array, o: number) => u16(b, o + 2);

export const fragmentHeader: Dissector = defineDissector({
  proto: 'ipv6.fraghdr',
  title: 'Fragment Header for IPv6',
  short: 'IPv6',
  spec: 'RFC 8200 §4.5',
  fields: FR,
  experts: E,
  on: { 'ip.proto': [44] },
  tables: ['ip.proto'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < FRAGMENT_HEADER) return p.stop();
    const word = fragmentWord(buf, off);
    p.table = 'ip.proto';
    p.key = buf[off];
    p.off = off + FRAGMENT_HEADER;
    p.fragment = (word & (OFFSET | MORE)) !== 0; // RFC 6946 §4: an atomic fragment is a whole packet
    if (!p.fragment) return;
    p.fragmentId = u32(buf, off + 4);
    p.fragmentOffset = word & OFFSET;
    p.moreFragments = (word & MORE) !== 0;
  },

  dissect(v, t, cx) {
    need(v, FRAGMENT_HEADER);
    const { buf, off } = v;
    const word = fragmentWord(buf, off);
    t.open(FR.layer, off, FRAGMENT_HEADER);
    t.num(FR.nxt, off, 1, u8(buf, off));
    t.num(FR.reservedOctet, off + 1, 1, u8(buf, off + 1));
    t.bits(FR.offset, off + 2, 2, word);
    t.bits(FR.reservedBits, off + 2, 2, word);
    t.bits(FR.more, off + 2, 2, word);
    t.num(FR.ident, off + 4, 4, u32(buf, off + 4));
    if (cx.net.src >= 8 && u16(cx.net.buf, cx.net.src - 4) === 0) t.expert(E.jumboFragment);
    t.pop();
    const body = v.sub(off + FRAGMENT_HEADER);
    if ((word & (OFFSET | MORE)) === 0) return cx.next('ip.proto', u8(buf, off), body);
    const note = cx.note<FragmentNote>(fragmentHeader, v);
    if (note?.bytes !== undefined) {
      reassembly(t, FR, off, note);
      return cx.next('ip.proto', note.protocol ?? u8(buf, off), View.of(note.bytes, 'Reassembled IPv6'));
    }
    // A first part that was cut will never be part of a whole datagram: it shows its headers.
    if ((word & OFFSET) === 0 && body.end < body.wireEnd) cx.next('ip.proto', u8(buf, off), body);
    else cx.data(body);
  },

  summary({ buf, off, length }) {
    if (length < FRAGMENT_HEADER) return 'Fragment header cut short';
    const word = fragmentWord(buf, off);
    const more = (word & MORE) === 0 ? 'n' : 'y';
    return `IPv6 fragment (off=${word & OFFSET} more=${more} ident=${hexNumber(u32(buf, off + 4), 8)} nxt=${buf[off]})`;
  },
});
