import {
  type Ctx,
  defineDissector,
  experts,
  fields,
  hexNumber,
  ip6,
  nameOf,
  need,
  type Peek,
  put16,
  put32,
  type Tree,
  u8,
  u16,
  u32,
  View,
} from 'fttscope/kit';
import { DSCP, dsText, ECN, IP_PROTOCOLS, TCP } from './numbers.js';

/**
 * Internet Protocol version 6, RFC 8200 §3:
 *
 *     0               1               2               3
 *     +-------+---------------+---------------------------------------+
 *     |Version| Traffic Class |              Flow Label               |
 *     +-------+---------------+-------+---------------+---------------+
 *     |        Payload Length         |  Next Header  |   Hop Limit   |
 *     +-------------------------------+---------------+---------------+
 *     |                   Source Address (16)                         |
 *     +---------------------------------------------------------------+
 *     |                   Destination Address (16)                    |
 *     +---------------------------------------------------------------+
 *
 * Extension headers are layers of their own: ipv6-extensions.ts.
 */
const HEADER = 40;
const HOP_BY_HOP = 0;
const NO_NEXT = 59;
const JUMBO = 0xc2;

const F = fields({
  ipv6: { name: 'ipv6', label: 'Internet Protocol Version 6', type: 'protocol' },
  version: { name: 'ipv6.version', label: 'Version', at: [0, 1], type: 'u8', mask: 0xf0 },
  ipVersion: { name: 'ip.version', label: 'IP version', at: [0, 1], type: 'u8', mask: 0xf0 },
  tclass: { name: 'ipv6.tclass', label: 'Traffic Class', at: [0, 4], type: 'u32', base: 'hex', mask: 0x0ff00000 },
  dscp: {
    name: 'ipv6.tclass.dscp',
    label: 'Differentiated Services Codepoint',
    at: [0, 4],
    type: 'u32',
    mask: 0x0fc00000,
    values: DSCP,
  },
  ecn: {
    name: 'ipv6.tclass.ecn',
    label: 'Explicit Congestion Notification',
    at: [0, 4],
    type: 'u32',
    mask: 0x00300000,
    values: ECN,
  },
  flow: { name: 'ipv6.flow', label: 'Flow Label', at: [1, 3], type: 'u24', base: 'hex', mask: 0x0fffff },
  plen: { name: 'ipv6.plen', label: 'Payload Length', at: [4, 2], type: 'u16' },
  nxt: { name: 'ipv6.nxt', label: 'Next Header', at: [6, 1], type: 'u8', values: IP_PROTOCOLS },
  hlim: { name: 'ipv6.hlim', label: 'Hop Limit', at: [7, 1], type: 'u8' },
  src: {
    name: 'ipv6.src',
    label: 'Source Address',
    at: [8, 16],
    type: 'ipv6',
    aliases: ['ipv6.addr', 'ipv6.host', 'ipv6.src_host'],
  },
  dst: {
    name: 'ipv6.dst',
    label: 'Destination Address',
    at: [24, 16],
    type: 'ipv6',
    aliases: ['ipv6.addr', 'ipv6.host', 'ipv6.dst_host'],
  },
  srcMac: { name: 'ipv6.src_slaac_mac', label: 'Source SLAAC MAC', type: 'ether', aliases: ['ipv6.slaac_mac'] },
  dstMac: { name: 'ipv6.dst_slaac_mac', label: 'Destination SLAAC MAC', type: 'ether', aliases: ['ipv6.slaac_mac'] },
  src6to4: {
    name: 'ipv6.src_6to4_gw_ipv4',
    label: 'Source 6to4 Gateway IPv4',
    type: 'ipv4',
    aliases: ['ipv6.6to4_gw_ipv4'],
  },
  dst6to4: {
    name: 'ipv6.dst_6to4_gw_ipv4',
    label: 'Destination 6to4 Gateway IPv4',
    type: 'ipv4',
    aliases: ['ipv6.6to4_gw_ipv4'],
  },
  srcServer: {
    name: 'ipv6.src_ts_ipv4',
    label: 'Source Teredo Server IPv4',
    type: 'ipv4',
    aliases: ['ipv6.ts_ipv4'],
  },
  srcPort: { name: 'ipv6.src_tc_port', label: 'Source Teredo Port', type: 'u16', aliases: ['ipv6.tc_port'] },
  srcClient: {
    name: 'ipv6.src_tc_ipv4',
    label: 'Source Teredo Client IPv4',
    type: 'ipv4',
    aliases: ['ipv6.tc_ipv4'],
  },
  dstServer: {
    name: 'ipv6.dst_ts_ipv4',
    label: 'Destination Teredo Server IPv4',
    type: 'ipv4',
    aliases: ['ipv6.ts_ipv4'],
  },
  dstPort: { name: 'ipv6.dst_tc_port', label: 'Destination Teredo Port', type: 'u16', aliases: ['ipv6.tc_port'] },
  dstClient: {
    name: 'ipv6.dst_tc_ipv4',
    label: 'Destination Teredo Client IPv4',
    type: 'ipv4',
    aliases: ['ipv6.tc_ipv4'],
  },
  srcEmbedded: {
    name: 'ipv6.src_embed_ipv4',
    label: 'Source Embedded IPv4',
    type: 'ipv4',
    aliases: ['ipv6.embed_ipv4'],
  },
  dstEmbedded: {
    name: 'ipv6.dst_embed_ipv4',
    label: 'Destination Embedded IPv4',
    type: 'ipv4',
    aliases: ['ipv6.embed_ipv4'],
  },
});

const E = experts({
  badVersion: {
    code: 'ipv6.bad-version',
    severity: 'error',
    malformed: true,
    message: 'Bogus IPv6 version',
    clause: 'RFC 8200 §3',
  },
  headerLength: {
    code: 'ipv6.header-length',
    severity: 'error',
    malformed: true,
    message: 'IPv6 header must be exactly 40 bytes',
    clause: 'RFC 8200 §3',
  },
  badLength: {
    code: 'ipv6.bad-length',
    severity: 'warn',
    message: 'IPv6 payload length exceeds framing length',
  },
  zeroLength: {
    code: 'ipv6.zero-length',
    severity: 'chat',
    message: 'IPv6 payload length equals 0 (maybe because of "TCP segmentation offload" (TSO))',
  },
  noJumbo: {
    code: 'ipv6.jumbo-missing',
    severity: 'error',
    message: 'IPv6 payload length equals 0 and Hop-By-Hop present and Jumbo Payload option missing',
    clause: 'RFC 2675 §3',
  },
});

/** A packet; extension headers are the first octets of its payload. */
export interface Ipv6Packet {
  tclass: number;
  flow: number;
  next: number;
  hlim: number;
  src: Uint8Array;
  dst: Uint8Array;
  payload: Uint8Array;
}

const payloadOctets = (b: Uint8Array, o: number) => u16(b, o + 4);
const nextHeader = (b: Uint8Array, o: number) => u8(b, o + 6);

/** The jumbo payload length in the hop-by-hop header at `o`, or 0 if there is none. RFC 2675 §2. */
function jumboLength(b: Uint8Array, o: number, end: number): number {
  if (o + 8 > end) return 0;
  const stop = Math.min(end, o + 8 + 8 * b[o + 1]);
  for (let i = o + 2; i + 1 < stop; ) {
    if (b[i] === JUMBO) return i + 6 <= stop ? u32(b, i + 2) : 0;
    i += b[i] === 0 ? 1 : 2 + b[i + 1];
  }
  return 0;
}

/**
 * Octets of the payload as the packet at `off` states them. 0 stands for a jumbogram, or for a TCP segment that the
 * interface will cut (then everything up to `wireEnd`).
 */
function statedLength(b: Uint8Array, off: number, end: number, wireEnd: number): number {
  const n = payloadOctets(b, off);
  if (n > 0) return n;
  if (nextHeader(b, off) === HOP_BY_HOP) return jumboLength(b, off + HEADER, end); // RFC 2675 §3
  return nextHeader(b, off) === TCP ? wireEnd - off - HEADER : 0;
}

/**
 * What an address tells by itself: the universal MAC address in a modified EUI-64 (RFC 4291 §2.5.1; as in Wireshark not a
 * local one, which may be random), a 6to4 or NAT64 address.
 */
function derived(t: Tree, b: Uint8Array, o: number, source: boolean): void {
  if (b[o] === 0xff) return;
  const universal = (b[o + 8] & 2) !== 0;
  if (universal && b[o + 11] === 0xff && b[o + 12] === 0xfe && t.wanted(source ? F.srcMac : F.dstMac)) {
    const mac = new Uint8Array([b[o + 8] ^ 2, b[o + 9], b[o + 10], b[o + 13], b[o + 14], b[o + 15]]);
    t.bytes(source ? F.srcMac : F.dstMac, o + 8, 8, mac);
  }
  if (u16(b, o) === 0x2002) t.bytes(source ? F.src6to4 : F.dst6to4, o + 2, 4); // RFC 3056 §2
  if (u32(b, o) === 0x20010000) {
    // RFC 4380 §4: server, flags, and the client's port and address with all bits turned over
    t.bytes(source ? F.srcServer : F.dstServer, o + 4, 4);
    t.num(source ? F.srcPort : F.dstPort, o + 10, 2, u16(b, o + 10) ^ 0xffff);
    const client = b.slice(o + 12, o + 16).map((octet) => octet ^ 0xff);
    t.bytes(source ? F.srcClient : F.dstClient, o + 12, 4, client);
  }
  // RFC 6052 §2.1: the well-known prefix 64:ff9b::/96
  if (u32(b, o) === 0x0064ff9b && u32(b, o + 4) === 0 && u32(b, o + 8) === 0)
    t.bytes(source ? F.srcEmbedded : F.dstEmbedded, o + 12, 4);
}

function version(t: Tree, b: Uint8Array, o: number): void {
  t.bits(F.version, o, 1, u8(b, o));
  t.push();
  t.bits(F.ipVersion, o, 1, u8(b, o));
  t.pop();
}

function firstWord(t: Tree, b: Uint8Array, o: number): void {
  const word = u32(b, o);
  version(t, b, o);
  t.bits(F.tclass, o, 4, word);
  if (t.labels) t.label(`Traffic Class: ${hexNumber((word >>> 20) & 255, 2)} (${dsText((word >>> 20) & 255)})`);
  t.push();
  t.bits(F.dscp, o, 4, word);
  t.bits(F.ecn, o, 4, word);
  t.pop();
  t.bits(F.flow, o + 1, 3, word);
}

/** What there is of a header that is not all there. @throws Short */
function cutHeader(v: View, t: Tree): never {
  const { buf, off, length } = v;
  if (length > 0) {
    t.open(F.ipv6, off, length);
    if (length >= 4) firstWord(t, buf, off);
    else version(t, buf, off);
    if (v.end === v.wireEnd) t.expert(E.headerLength);
    if (length >= 6) t.num(F.plen, off + 4, 2, payloadOctets(buf, off));
    if (length >= 7) t.num(F.nxt, off + 6, 1, nextHeader(buf, off));
    if (length >= 8) t.num(F.hlim, off + 7, 1, u8(buf, off + 7));
    if (length >= 24) t.bytes(F.src, off + 8, 16);
  }
  need(v, HEADER);
  throw new Error('unreachable');
}

function lengthItem(t: Tree, v: View, stated: number, cx: Ctx): void {
  const { buf, off } = v;
  const n = payloadOctets(buf, off);
  t.num(F.plen, off + 4, 2, n);
  if (n === 0) {
    if (nextHeader(buf, off) === HOP_BY_HOP) {
      if (stated === 0) t.expert(E.noJumbo);
    } else if (nextHeader(buf, off) !== NO_NEXT) t.expert(E.zeroLength);
  } else if (off + HEADER + n > v.wireEnd && !cx.quoted)
    t.expert(E.badLength, `${E.badLength.message} (${v.wireEnd - off - HEADER} bytes)`);
}

/** The octets after the header. A quoted packet goes on where the quotation ends, as if a snaplen had cut it. */
function payloadOf(v: View, stated: number, quoted: boolean): View {
  const end = v.off + HEADER + stated;
  const body = v.sub(v.off + HEADER, end);
  return quoted && end > v.wireEnd ? new View(v.source, body.off, body.end, end) : body;
}

export const ipv6 = defineDissector<Ipv6Packet>({
  proto: 'ipv6',
  title: 'Internet Protocol Version 6',
  short: 'IPv6',
  spec: 'RFC 8200',
  fields: F,
  experts: E,
  on: {
    link: [229],
    ethertype: [0x86dd],
    'chdlc.protocol': [0x86dd],
    'ip.version': [6],
    'ip.proto': [41],
    'ppp.protocol': [0x57],
    'gre.proto': [0x86dd],
    'vxlan.next_proto': [2],
    'pwach.channel_type': [87],
  },
  tables: ['ip.proto'],

  plain(b, off, end, wireEnd) {
    if (end - off < HEADER || b[off] >> 4 !== 6) return false;
    const n = u16(b, off + 4);
    return n > 0 && off + HEADER + n <= wireEnd;
  },

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER || buf[off] >> 4 !== 6) return p.stop();
    const end = off + HEADER + statedLength(buf, off, p.end, p.wireEnd);
    if (end < p.wireEnd) p.wireEnd = end;
    if (p.end > p.wireEnd) p.end = p.wireEnd;
    p.net = 6;
    p.src = off + 8;
    p.dst = off + 24;
    p.fragment = false;
    p.table = 'ip.proto';
    p.key = nextHeader(buf, off);
    p.off = off + HEADER;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    const isBogus = v.length > 0 && u8(buf, off) >> 4 !== 6;
    if (v.length < HEADER && !isBogus) cutHeader(v, t);
    const stated = isBogus ? 0 : statedLength(buf, off, v.end, v.wireEnd);
    t.open(F.ipv6, off, Math.min(v.length, HEADER));
    if (isBogus) {
      version(t, buf, off);
      t.expert(E.badVersion);
      t.pop();
      return cx.data(v, true);
    }
    if (t.labels) t.label(`Internet Protocol Version 6, Src: ${ip6(buf, off + 8)}, Dst: ${ip6(buf, off + 24)}`);
    firstWord(t, buf, off);
    lengthItem(t, v, stated, cx);
    t.num(F.nxt, off + 6, 1, nextHeader(buf, off));
    t.num(F.hlim, off + 7, 1, u8(buf, off + 7));
    t.bytes(F.src, off + 8, 16);
    t.bytes(F.dst, off + 24, 16);
    derived(t, buf, off + 8, true);
    derived(t, buf, off + 24, false);
    t.pop();
    cx.net = { version: 6, buf, src: off + 8, dst: off + 24 };
    cx.next('ip.proto', nextHeader(buf, off), payloadOf(v, stated, cx.quoted));
  },

  summary({ buf, off, length }) {
    if (length < HEADER) return 'Header cut short';
    const next = nextHeader(buf, off);
    return next === NO_NEXT ? 'IPv6 no next header' : `${nameOf(IP_PROTOCOLS, next)} (${next})`;
  },

  codec: {
    parse: (b, o, end) => ({
      tclass: (u32(b, o) >>> 20) & 255,
      flow: u32(b, o) & 0xfffff,
      next: nextHeader(b, o),
      hlim: u8(b, o + 7),
      src: b.slice(o + 8, o + 24),
      dst: b.slice(o + 24, o + HEADER),
      payload: b.slice(o + HEADER, Math.min(end, o + HEADER + statedLength(b, o, end, end))),
    }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o) {
      put32(b, o, 0x60000000 | (r.tclass << 20) | r.flow);
      put16(b, o + 4, r.payload.length > 0xffff ? 0 : r.payload.length); // RFC 2675 §3: 0 in a jumbogram
      b[o + 6] = r.next;
      b[o + 7] = r.hlim;
      b.set(r.src, o + 8);
      b.set(r.dst, o + 24);
      b.set(r.payload, o + HEADER);
      return HEADER + r.payload.length;
    },
  },
});
