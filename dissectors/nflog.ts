import {
  defineDissector,
  type Field,
  fields,
  find,
  i32,
  nameOf,
  need,
  type Peek,
  padded,
  type Tree,
  u8,
  u16,
  u16le,
  u32,
  utf8Text,
  type View,
} from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * What netfilter's NFLOG target logs, LINKTYPE_NFLOG (www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html): attributes, of which
 * one is the packet.
 *
 *     +--------+-------------+-----------------+ +------------+----------+- - - - -+- - - - - - - -+
 *     | Family | Version (1) | Resource id (2) | | Length (2) | Type (2) |  value  | pad to 4      | …
 *     +--------+-------------+-----------------+ +------------+----------+- - - - -+- - - - - - - -+
 *
 * Lengths and types are in the byte order of the machine that captured; values are in network order.
 */
const HEADER = 4;
const ATTRIBUTE = 4;
const TYPE = 0x7fff;
const AF_INET = 2;
const AF_INET6 = 10;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const FAMILIES: Readonly<Record<number, string>> = { [AF_INET]: 'IPv4', [AF_INET6]: 'IPv6' };
const PACKET_HEADER = 1;
const TIMESTAMP = 3;
const PAYLOAD = 9;
const PREFIX = 10;
/** Types above are none of netfilter's: the byte order was guessed wrong. */
const LAST_TYPE = 0xff;
const TYPES: Readonly<Record<number, string>> = {
  0: 'NFULA_UNSPEC',
  1: 'NFULA_PACKET_HDR',
  2: 'NFULA_MARK',
  3: 'NFULA_TIMESTAMP',
  4: 'NFULA_IFINDEX_INDEV',
  5: 'NFULA_IFINDEX_OUTDEV',
  6: 'NFULA_IFINDEX_PHYSINDEV',
  7: 'NFULA_IFINDEX_PHYSOUTDEV',
  8: 'NFULA_HWADDR',
  9: 'NFULA_PAYLOAD',
  10: 'NFULA_PREFIX',
  11: 'NFULA_UID',
  12: 'NFULA_SEQ',
  13: 'NFULA_SEQ_GLOBAL',
  14: 'NFULA_GID',
  15: 'NFULA_HWTYPE',
  16: 'NFULA_HWHEADER',
  17: 'NFULA_HWLEN',
};
const HOOKS = { 0: 'PRE_ROUTING', 1: 'LOCAL_IN', 2: 'FORWARD', 3: 'LOCAL_OUT', 4: 'POST_ROUTING' };

const F = fields({
  nflog: { name: 'nflog', label: 'Linux Netfilter NFLOG', type: 'protocol' },
  family: { name: 'nflog.family', label: 'Family', type: 'u8', values: FAMILIES },
  version: { name: 'nflog.version', label: 'Version', type: 'u8' },
  resource: { name: 'nflog.res_id', label: 'Resource id', type: 'u16' },
  tlv: { name: 'nflog.tlv', label: 'TLV', type: 'bytes' },
  length: { name: 'nflog.tlv_length', label: 'Length', type: 'u16', unit: 'octets' },
  type: { name: 'nflog.tlv_type', label: 'Type', type: 'u16', mask: TYPE, values: TYPES },
  protocol: { name: 'nflog.protocol', label: 'HW protocol', type: 'u16', base: 'hex', values: ETHERTYPES },
  hook: { name: 'nflog.hook', label: 'Netfilter hook', type: 'u8', values: HOOKS },
  indev: { name: 'nflog.ifindex_indev', label: 'IFINDEX_INDEV', type: 'u32' },
  outdev: { name: 'nflog.ifindex_outdev', label: 'IFINDEX_OUTDEV', type: 'u32' },
  physindev: { name: 'nflog.ifindex_physindev', label: 'IFINDEX_PHYSINDEV', type: 'u32' },
  physoutdev: { name: 'nflog.ifindex_physoutdev', label: 'IFINDEX_PHYSOUTDEV', type: 'u32' },
  prefix: { name: 'nflog.prefix', label: 'Prefix', type: 'string' },
  uid: { name: 'nflog.uid', label: 'UID', type: 'i32' },
  gid: { name: 'nflog.gid', label: 'GID', type: 'i32' },
  timestamp: { name: 'nflog.timestamp', label: 'Timestamp', type: 'time' },
  value: { name: 'nflog.tlv_value', label: 'Value', type: 'bytes' },
});
/** Attributes that are a number of four octets. */
const NUMBERS: Readonly<Record<number, Field>> = {
  4: F.indev,
  5: F.outdev,
  6: F.physindev,
  7: F.physoutdev,
  11: F.uid,
  14: F.gid,
};

/** Whether the attributes make sense with their lengths and types in that order: the first that is not 0 says so. */
function makesSense(b: Uint8Array, start: number, end: number, read: typeof u16): boolean {
  for (let at = start; end - at > ATTRIBUTE; at += padded(read(b, at))) {
    const type = read(b, at + 2) & TYPE;
    if (read(b, at) < ATTRIBUTE || type > LAST_TYPE) return false;
    if (type !== 0) return true;
  }
  return false;
}

/** Reads lengths and types, in the byte order that the attributes show. */
const order = (b: Uint8Array, start: number, end: number): typeof u16 =>
  makesSense(b, start, end, u16le) || !makesSense(b, start, end, u16) ? u16le : u16;

function text(t: Tree, { buf }: View, off: number, n: number): void {
  const end = find(buf, 0, off, off + n);
  t.text(F.prefix, off, n, utf8Text(buf, off, end));
}

function value(t: Tree, v: View, type: number, off: number, n: number): void {
  const { buf } = v;
  const number = NUMBERS[type];
  if (number !== undefined && n === 4) t.num(number, off, 4, number.type === 'i32' ? i32(buf, off) : u32(buf, off));
  else if (type === PACKET_HEADER && n === 4) {
    t.num(F.protocol, off, 2, u16(buf, off));
    t.num(F.hook, off + 2, 1, u8(buf, off + 2));
  } else if (type === PREFIX && n >= 1) text(t, v, off, n);
  else if (type === TIMESTAMP && n === 16) {
    const seconds = u32(buf, off) * 2 ** 32 + u32(buf, off + 4);
    t.time(F.timestamp, off, 16, seconds, u32(buf, off + 12) * 1000);
  } else if (type !== PAYLOAD) t.bytes(F.value, off, n);
}

/** Where the packet of a log entry is, and its EtherType; `at` -1: there is none. One object serves all. */
const found = { at: -1, end: 0, protocol: 0 };

function packetIn(b: Uint8Array, off: number, end: number): typeof found {
  const read = order(b, off + HEADER, end);
  found.at = -1;
  found.protocol = 0;
  for (let at = off + HEADER; end - at >= ATTRIBUTE; at += padded(read(b, at))) {
    const n = read(b, at);
    if (n < ATTRIBUTE) {
      found.at = -1;
      break;
    }
    const type = read(b, at + 2) & TYPE;
    if (type === PACKET_HEADER && n === 2 * ATTRIBUTE && at + 6 <= end) found.protocol = u16(b, at + ATTRIBUTE);
    if (type !== PAYLOAD) continue;
    found.at = at + ATTRIBUTE;
    found.end = at + n;
  }
  const family = b[off];
  if (family === AF_INET) found.protocol = IPV4;
  if (family === AF_INET6) found.protocol = IPV6;
  return found;
}

export const nflog = defineDissector({
  proto: 'nflog',
  title: 'Linux Netfilter NFLOG',
  short: 'NFLOG',
  spec: 'LINKTYPE_NFLOG',
  fields: F,
  on: { link: [239] },
  tables: ['ethertype.bare'],

  peek(p: Peek) {
    const { buf, off, end } = p;
    if (end - off < HEADER) return p.stop();
    const { at, end: stop, protocol } = packetIn(buf, off, end);
    if (at < 0) return p.stop();
    p.off = Math.min(at, end);
    p.wireEnd = Math.min(p.wireEnd, stop);
    p.end = Math.min(end, p.wireEnd);
    p.table = 'ethertype.bare';
    p.key = protocol;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.nflog, off, v.length);
    need(v, HEADER);
    t.num(F.family, off, 1, u8(buf, off));
    t.num(F.version, off + 1, 1, u8(buf, off + 1));
    t.num(F.resource, off + 2, 2, u16(buf, off + 2));
    const read = order(buf, off + HEADER, v.end);
    for (let at = off + HEADER; v.end - at >= ATTRIBUTE; ) {
      const n = read(buf, at);
      if (n < ATTRIBUTE) return t.pop();
      const type = read(buf, at + 2) & TYPE;
      if (type !== PAYLOAD) need(v, n, at);
      t.bytes(F.tlv, at, n);
      if (t.labels) t.label(`TLV Type: ${nameOf(TYPES, type)} (${type}), Length: ${n}`);
      t.push();
      t.num(F.length, at, 2, n);
      t.num(F.type, at + 2, 2, type);
      value(t, v, type, at + ATTRIBUTE, n - ATTRIBUTE);
      t.pop();
      at += padded(n);
    }
    t.pop();
    const { at, end, protocol } = packetIn(buf, off, v.end);
    if (at >= 0) cx.next('ethertype.bare', protocol, v.sub(at, end));
  },

  summary: (v) => (v.length < HEADER ? 'Header cut short' : `Family ${nameOf(FAMILIES, u8(v.buf, v.off))}`),
});
