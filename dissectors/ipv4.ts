import {
  badChecksum,
  type Ctx,
  checksum,
  type Dissector,
  defineDissector,
  experts,
  fields,
  hexNumber,
  ip4,
  nameOf,
  need,
  type Peek,
  padded,
  put16,
  type Tree,
  u8,
  u16,
  u32,
  View,
} from 'fttscope/kit';
import { type FragmentNote, reassembly } from './ip-reassembly.js';
import { destination, E as OptionExperts, F as OptionFields, H as OptionHeadings, options } from './ipv4-options.js';
import { CHECKSUM_STATUS, DSCP, dsText, ECN, IP_PROTOCOLS, SET } from './numbers.js';

/**
 * Internet Protocol version 4, RFC 791 §3.1:
 *
 *     0               1               2               3
 *     +-------+-------+---------------+-------------------------------+
 *     |Version|  IHL  |  DS field     |          Total Length         |
 *     +-------+-------+---------------+-----+-------------------------+
 *     |         Identification        |Flags|     Fragment Offset     |
 *     +---------------+---------------+-----+-------------------------+
 *     |  Time to Live |    Protocol   |        Header Checksum        |
 *     +---------------+---------------+-------------------------------+
 *     |                        Source Address                         |
 *     +---------------------------------------------------------------+
 *     |                      Destination Address                      |
 *     +---------------------------------------------------------------+
 *     |                    Options, padded to 32 bits                 |
 *     +- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -+
 */
const HEADER = 20;
const MORE = 0x2000;
const OFFSET = 0x1fff;
const IGMP = 2;
const PIM = 103;
const OSPF = 89;
/** A TTL below this is worth a look where the destination is a single host. */
const LOW_TTL = 5;

const F = fields({
  ip: { name: 'ip', label: 'Internet Protocol Version 4', type: 'protocol' },
  version: { name: 'ip.version', label: 'Version', at: [0, 1], type: 'u8', mask: 0xf0 },
  hdrLen: { name: 'ip.hdr_len', label: 'Header Length', type: 'u8', unit: 'octets' },
  ds: { name: 'ip.dsfield', label: 'Differentiated Services Field', at: [1, 1], type: 'u8', base: 'hex' },
  dscp: {
    name: 'ip.dsfield.dscp',
    label: 'Differentiated Services Codepoint',
    at: [1, 1],
    type: 'u8',
    mask: 0xfc,
    values: DSCP,
  },
  ecn: {
    name: 'ip.dsfield.ecn',
    label: 'Explicit Congestion Notification',
    at: [1, 1],
    type: 'u8',
    mask: 0x03,
    values: ECN,
  },
  len: { name: 'ip.len', label: 'Total Length', at: [2, 2], type: 'u16' },
  id: { name: 'ip.id', label: 'Identification', at: [4, 2], type: 'u16', base: 'hex_dec' },
  flags: { name: 'ip.flags', label: 'Flags', at: [6, 1], type: 'u8', base: 'hex', mask: 0xe0 },
  rb: { name: 'ip.flags.rb', label: 'Reserved bit', at: [6, 1], type: 'bool', mask: 0x80, values: SET },
  df: { name: 'ip.flags.df', label: "Don't fragment", at: [6, 1], type: 'bool', mask: 0x40, values: SET },
  mf: { name: 'ip.flags.mf', label: 'More fragments', at: [6, 1], type: 'bool', mask: 0x20, values: SET },
  offset: { name: 'ip.frag_offset', label: 'Fragment Offset', at: [6, 2], type: 'u16', mask: OFFSET },
  ttl: { name: 'ip.ttl', label: 'Time to Live', at: [8, 1], type: 'u8' },
  proto: { name: 'ip.proto', label: 'Protocol', at: [9, 1], type: 'u8', values: IP_PROTOCOLS },
  checksum: { name: 'ip.checksum', label: 'Header Checksum', at: [10, 2], type: 'u16', base: 'hex' },
  status: { name: 'ip.checksum.status', label: 'Header checksum status', type: 'u8', values: CHECKSUM_STATUS },
  src: {
    name: 'ip.src',
    label: 'Source Address',
    at: [12, 4],
    type: 'ipv4',
    aliases: ['ip.addr', 'ip.host', 'ip.src_host'],
  },
  dst: {
    name: 'ip.dst',
    label: 'Destination Address',
    at: [16, 4],
    type: 'ipv4',
    aliases: ['ip.addr', 'ip.host', 'ip.dst_host'],
  },
  fragments: { name: 'ip.fragments', label: 'IPv4 Fragments', type: 'bytes' },
  fragment: { name: 'ip.fragment', label: 'Frame', type: 'frame' },
  overlap: { name: 'ip.fragment.overlap', label: 'Fragment overlap', type: 'bool' },
  conflict: {
    name: 'ip.fragment.overlap.conflict',
    label: 'Conflicting data in fragment overlap',
    type: 'bool',
  },
  count: { name: 'ip.fragment.count', label: 'Fragment count', type: 'u32' },
  reassembledLength: { name: 'ip.reassembled.length', label: 'Reassembled IPv4 length', type: 'u32' },
  reassembledData: { name: 'ip.reassembled.data', label: 'Reassembled IPv4 data', type: 'bytes' },
});

const E = experts({
  badVersion: { code: 'ip.bad-version', severity: 'error', message: 'Bogus IPv4 version', clause: 'RFC 791 §3.1' },
  badHeaderLength: { code: 'ip.bad-header-length', severity: 'error', message: 'Bogus IP header length' },
  badLength: { code: 'ip.bad-length', severity: 'error', message: 'Bogus IP length' },
  badChecksum: { code: 'ip.bad-checksum', severity: 'error', message: 'Bad checksum', clause: 'RFC 791 §3.1' },
  localTtl: { code: 'ip.local-group-ttl', severity: 'note', message: 'Time To Live', clause: 'RFC 5771 §4' },
  lowTtl: { code: 'ip.low-ttl', severity: 'note', message: 'Time To Live' },
});

export type { FragmentNote, FragmentPart } from './ip-reassembly.js';

/** A packet; `offset` counts octets. `options` are the octets between header and payload, padding included. */
export interface Ipv4Packet {
  ds: number;
  id: number;
  /** The three flag bits as they stand in the first octet: 0x40 don't fragment, 0x20 more fragments. */
  flags: number;
  offset: number;
  ttl: number;
  protocol: number;
  src: Uint8Array;
  dst: Uint8Array;
  options: Uint8Array;
  payload: Uint8Array;
}

const headerLength = (b: Uint8Array, o: number) => (b[o] & 15) << 2;
const totalLength = (b: Uint8Array, o: number) => u16(b, o + 2);
const fragmentWord = (b: Uint8Array, o: number) => u16(b, o + 6);
const ttlOf = (b: Uint8Array, o: number) => u8(b, o + 8);
const protocolOf = (b: Uint8Array, o: number) => u8(b, o + 9);

/** TTL that a group of 224.0.0.0/24 is reached with, or -1 where any will do. */
function localGroupTtl(group: number): number {
  switch (group) {
    case 0xe0000012: // RFC 5798 §5.1.1.3: VRRP
    case 0xe0000066: // GLBP
    case 0xe00000fb: // RFC 6762 §11: multicast DNS
      return 255;
    case 0xe00000fc: // RFC 4795 §2.5: LLMNR
      return -1;
    default:
      return 1; // RFC 5771 §4
  }
}

function ttl(t: Tree, { buf: b, off: o, length: captured }: View): void {
  const n = ttlOf(b, o);
  t.num(F.ttl, o + 8, 1, n);
  if (!t.wantsExperts || captured < HEADER) return;
  const dst = u32(b, o + 16);
  if (dst >>> 8 === 0xe00000) {
    const want = protocolOf(b, o) === IGMP ? 1 : localGroupTtl(dst); // RFC 3376 §4
    if (want >= 0 && n !== want)
      t.expert(
        E.localTtl,
        `"Time To Live" != ${want} for a packet sent to the Local Network Control Block (see RFC 3171)`,
      );
  } else if (n < LOW_TTL && dst >>> 28 !== 14 && protocolOf(b, o) !== PIM && protocolOf(b, o) !== OSPF)
    t.expert(E.lowTtl, `"Time To Live" only ${n}`);
}

function flags(t: Tree, b: Uint8Array, o: number): void {
  const word = fragmentWord(b, o);
  const bits = u8(b, o + 6);
  t.bits(F.flags, o + 6, 1, bits);
  t.push();
  t.bits(F.rb, o + 6, 1, bits);
  t.bits(F.df, o + 6, 1, bits);
  t.bits(F.mf, o + 6, 1, bits);
  t.pop();
  t.bits(F.offset, o + 6, 2, word);
  if (t.labels) t.label(`Fragment Offset: ${(word & OFFSET) << 3}`);
}

/** A zero that does not verify is left to the network interface, which fills it in behind the capture point. */
function headerChecksum(t: Tree, v: View, cx: Ctx, n: number): void {
  const { buf, off } = v;
  const stored = u16(buf, off + 10);
  t.num(F.checksum, off + 10, 2, stored);
  if (!t.wanted(F.status) && !t.wantsExperts) return;
  const isVerified = cx.verifies('ip') && v.length >= n;
  const good = isVerified && checksum(buf, off, off + n) === 0;
  const bad = isVerified && !good && stored !== 0;
  t.num(F.status, off + 10, 0, good ? 1 : bad ? 0 : 2);
  if (bad) t.expert(E.badChecksum, badChecksum(stored, checksum(buf, off, off + n)));
}

/** Where the packet ends on the wire by its own account; a length of 0 is a segment that was not cut yet. */
function packetEnd(v: View): number {
  const n = totalLength(v.buf, v.off);
  return n === 0 ? v.wireEnd : v.off + n;
}

/** The octets after the header. A quoted packet goes on where the quotation ends, as if a snaplen had cut it. */
function payloadOf(v: View, n: number, quoted: boolean): View {
  const end = packetEnd(v);
  const body = v.sub(v.off + n, Math.max(v.off + n, end));
  return quoted && end > v.wireEnd ? new View(v.source, body.off, body.end, end) : body;
}

/** Hands on what the datagram carries; a part of one that is not complete is shown as data. */
function payload(v: View, t: Tree, cx: Ctx, body: View): void {
  const proto = protocolOf(v.buf, v.off);
  const word = fragmentWord(v.buf, v.off);
  if ((word & (MORE | OFFSET)) === 0) {
    cx.next('ip.proto', proto, body);
    return;
  }
  const note = cx.note<FragmentNote>(ipv4, v);
  if (note?.bytes !== undefined) {
    reassembly(t, F, v.off, note);
    cx.next('ip.proto', proto, View.of(note.bytes, 'Reassembled IPv4'));
    return;
  }
  // A first part that was cut will never be part of a whole datagram: it shows its headers.
  if ((word & OFFSET) === 0 && packetEnd(v) > body.end) cx.next('ip.proto', proto, body);
  else cx.data(body);
}

function length(t: Tree, v: View, n: number, quoted: boolean): void {
  const stated = totalLength(v.buf, v.off);
  t.num(F.len, v.off + 2, 2, stated === 0 ? v.wireLength : stated);
  if (stated === 0) {
    if (t.labels)
      t.label(`Total Length: ${v.wireLength} octets (reported as 0, presumed to be because of segmentation offload)`);
  } else if (stated < n) t.expert(E.badLength, `Bogus IP length (${stated}, must be at least ${n})`);
  else if (stated > v.wireLength && !quoted)
    t.expert(E.badLength, `IPv4 total length exceeds packet length (${v.wireLength} bytes)`);
}

export const ipv4: Dissector<Ipv4Packet> = defineDissector<Ipv4Packet>({
  proto: 'ip',
  title: 'Internet Protocol Version 4',
  short: 'IPv4',
  spec: 'RFC 791',
  fields: { ...F, ...OptionFields, ...OptionHeadings },
  experts: { ...E, ...OptionExperts },
  on: {
    link: [228],
    ethertype: [0x0800],
    'chdlc.protocol': [0x0800],
    'ip.version': [4],
    'ip.proto': [4],
    'ppp.protocol': [0x21],
    'gre.proto': [0x0800, 0x883e],
    'vxlan.next_proto': [1],
    'pwach.channel_type': [33],
    'llc.dsap': [6],
  },
  tables: ['ip.proto'],

  plain(b, off, end, wireEnd) {
    if (end - off < HEADER || b[off] !== 0x45) return false;
    const total = totalLength(b, off);
    return total >= HEADER && off + total <= wireEnd && (fragmentWord(b, off) & (MORE | OFFSET)) === 0;
  },

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER) return p.stop();
    p.key = buf[off] >> 4;
    p.table = p.key === 6 ? 'ip.version' : '';
    const n = headerLength(buf, off);
    if (p.key !== 4 || n < HEADER || off + n > p.end) return;
    const total = totalLength(buf, off);
    if (total !== 0 && total < n) return;
    if (total !== 0 && off + total < p.wireEnd) p.wireEnd = off + total;
    if (p.end > p.wireEnd) p.end = p.wireEnd;
    p.net = 4;
    p.src = off + 12;
    p.dst = n === HEADER ? off + 16 : destination(buf, off, n);
    p.table = 'ip.proto';
    p.key = protocolOf(buf, off);
    p.off = off + n;
    const word = fragmentWord(buf, off);
    p.fragment = (word & (MORE | OFFSET)) !== 0;
    if (!p.fragment) return;
    if (off + total > p.wireEnd) {
      p.fragment = false; // a part that is not there whole cannot be used
      return (word & OFFSET) === 0 ? undefined : p.stop(); // the first shows its headers
    }
    p.fragmentId = u16(buf, off + 4);
    p.fragmentOffset = (word & OFFSET) << 3;
    p.moreFragments = (word & MORE) !== 0;
  },

  dissect(v, t, cx) {
    need(v, 1);
    const { buf, off } = v;
    const n = headerLength(buf, off);
    t.open(F.ip, off, Math.max(n, HEADER));
    if (t.labels && v.length >= HEADER)
      t.label(
        `Internet Protocol Version 4, Src: ${ip4(buf, off + 12)}, Dst: ${ip4(buf, v.length < n ? off + 16 : destination(buf, off, n))}`,
      );
    t.bits(F.version, off, 1, u8(buf, off));
    if (buf[off] >> 4 !== 4) {
      t.expert(E.badVersion);
      t.pop();
      return buf[off] >> 4 === 6 ? cx.next('ip.version', 6, v) : undefined;
    }
    t.num(F.hdrLen, off, 1, n);
    if (n < HEADER) {
      t.expert(E.badHeaderLength, `Bogus IP header length (${n}, must be at least ${HEADER})`);
      return t.pop();
    }
    need(v, 2);
    t.num(F.ds, off + 1, 1, u8(buf, off + 1));
    if (t.labels)
      t.label(`Differentiated Services Field: ${hexNumber(u8(buf, off + 1), 2)} (${dsText(u8(buf, off + 1))})`);
    t.push();
    t.bits(F.dscp, off + 1, 1, u8(buf, off + 1));
    t.bits(F.ecn, off + 1, 1, u8(buf, off + 1));
    t.pop();
    need(v, 4);
    length(t, v, n, cx.quoted);
    need(v, 6);
    t.num(F.id, off + 4, 2, u16(buf, off + 4));
    need(v, 8);
    flags(t, buf, off);
    need(v, 9);
    ttl(t, v);
    need(v, 10);
    t.num(F.proto, off + 9, 1, protocolOf(buf, off));
    need(v, 12);
    headerChecksum(t, v, cx, n);
    need(v, 16);
    t.bytes(F.src, off + 12, 4);
    need(v, HEADER);
    const dst = v.length < n ? off + 16 : destination(buf, off, n);
    t.bytes(dst === off + 16 ? F.dst : OptionFields.current, off + 16, 4);
    cx.net = { version: 4, buf, src: off + 12, dst };
    need(v, n);
    if (n > HEADER) options(t, v.sub(off + HEADER, off + n), F.dst);
    t.pop();
    if (totalLength(buf, off) !== 0 && totalLength(buf, off) < n) return;
    payload(v, t, cx, payloadOf(v, n, cx.quoted));
  },

  summary({ buf, off, length }) {
    if (length < HEADER) return 'Header cut short';
    const proto = protocolOf(buf, off);
    const word = fragmentWord(buf, off);
    const name = nameOf(IP_PROTOCOLS, proto);
    if ((word & (MORE | OFFSET)) === 0) return `${name} (${proto})`;
    const id = u16(buf, off + 4)
      .toString(16)
      .padStart(4, '0');
    return `Fragmented IP protocol (proto=${name} ${proto}, off=${(word & OFFSET) << 3}, ID=${id})`;
  },

  codec: {
    parse(b, o, end) {
      const n = Math.min(Math.max(headerLength(b, o), HEADER), end - o);
      const stop = Math.min(end, o + Math.max(n, totalLength(b, o)));
      return {
        ds: u8(b, o + 1),
        id: u16(b, o + 4),
        flags: u8(b, o + 6) & 0xe0,
        offset: (fragmentWord(b, o) & OFFSET) << 3,
        ttl: ttlOf(b, o),
        protocol: protocolOf(b, o),
        src: b.slice(o + 12, o + 16),
        dst: b.slice(o + 16, o + HEADER),
        options: b.slice(o + HEADER, o + n),
        payload: b.slice(o + n, stop),
      };
    },
    size: (r) => HEADER + padded(r.options.length) + r.payload.length, // RFC 791 §3.1
    emit(r, b, o) {
      const n = HEADER + padded(r.options.length);
      b[o] = 0x40 | (n >> 2);
      b[o + 1] = r.ds;
      put16(b, o + 2, n + r.payload.length);
      put16(b, o + 4, r.id);
      put16(b, o + 6, (r.flags << 8) | (r.offset >> 3));
      b[o + 8] = r.ttl;
      b[o + 9] = r.protocol;
      put16(b, o + 10, 0);
      b.set(r.src, o + 12);
      b.set(r.dst, o + 16);
      b.fill(0, o + HEADER, o + n);
      b.set(r.options, o + HEADER);
      put16(b, o + 10, checksum(b, o, o + n));
      b.set(r.payload, o + n);
      return n + r.payload.length;
    },
  },
});
