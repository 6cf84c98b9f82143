import { defineDissector, type Field, fields, nameOf, need, type Peek, type Tree, u16, type View } from 'fttscope/kit';
import { addTrailer, PADDING, payloadLength } from './ethernet.js';
import { ETHERTYPES, HARDWARE_TYPES } from './numbers.js';

/**
 * Linux cooked capture, LINKTYPE_LINUX_SLL (www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html):
 *
 *     +-----------------+--------------------+------------------+-------------+--------------+
 *     | Packet type (2) | Hardware type (2)  | Addr. length (2) | Address (8) | Protocol (2) |
 *     +-----------------+--------------------+------------------+-------------+--------------+
 */
const HEADER = 16;
const MIN_TYPE = 0x0600;
/** Hardware types below which the protocol field is that of GRE. */
const GRE = [778, 823];

const PACKET_TYPES = {
  0: 'Unicast to us',
  1: 'Broadcast',
  2: 'Multicast',
  3: 'Unicast to another host',
  4: 'Sent by us',
};
const LINUX_TYPES = {
  1: 'Raw 802.3',
  3: 'Ethernet',
  4: '802.2 LLC',
  7: 'PPP (HDLC)',
  12: 'CAN',
  13: 'CAN FD',
  23: 'IrDA LAP',
  245: 'ISI',
  246: 'IEEE 802.15.4',
};

/** Also the fields of version 2, whose header holds the same facts in another order. */
export const SLL = fields({
  sll: { name: 'sll', label: 'Linux cooked-mode capture', type: 'protocol' },
  pkttype: { name: 'sll.pkttype', label: 'Packet type', type: 'u16', values: PACKET_TYPES },
  hatype: { name: 'sll.hatype', label: 'Link-layer address type', type: 'u16', values: HARDWARE_TYPES },
  halen: { name: 'sll.halen', label: 'Link-layer address length', type: 'u16' },
  eth: { name: 'sll.src.eth', label: 'Source', type: 'ether' },
  ipv4: { name: 'sll.src.ipv4', label: 'Source', type: 'ipv4' },
  other: { name: 'sll.src.other', label: 'Source', type: 'bytes' },
  unused: { name: 'sll.unused', label: 'Unused', type: 'bytes' },
  ltype: { name: 'sll.ltype', label: 'Protocol', type: 'u16', base: 'hex', values: LINUX_TYPES },
  gretype: { name: 'sll.gretype', label: 'Protocol', type: 'u16', base: 'hex', values: ETHERTYPES },
  etype: { name: 'sll.etype', label: 'Protocol', type: 'u16', base: 'hex', values: ETHERTYPES },
  trailer: { name: 'sll.trailer', label: 'Trailer', type: 'bytes' },
  ifindex: { name: 'sll.ifindex', label: 'Interface index', type: 'u32' },
});

/** The eight octets of the address field, of which `length` are used. */
export function sllAddress(t: Tree, off: number, length: number): void {
  const n = Math.min(length, 8);
  if (n === 6) t.bytes(SLL.eth, off, 6);
  else if (n === 4) t.bytes(SLL.ipv4, off, 4);
  else if (n > 0) t.bytes(SLL.other, off, n);
  if (n < 8) t.bytes(SLL.unused, off + n, 8 - n);
}

/** Octets behind the payload, where its protocol says how long that is. */
export function sllTrailer(t: Tree, v: View, body: number, protocol: number): void {
  const n = payloadLength(v.buf, protocol, body, v.end);
  if (n >= 0) addTrailer(t, v, body + n, SLL.trailer, false);
}

/** Which field the protocol number is. */
export function sllProtocol(hatype: number, protocol: number): Field {
  if (GRE.includes(hatype)) return SLL.gretype;
  return protocol < MIN_TYPE ? SLL.ltype : SLL.etype;
}

/** Table in which the protocol number is looked up: an interface of GRE has its numbers, which are EtherTypes, too. */
export const sllTable = (hatype: number, protocol: number): string =>
  protocol < MIN_TYPE ? 'sll.ltype' : hatype === GRE[0] || hatype === GRE[1] ? 'gre.proto' : 'ethertype';

/** The Info column of both versions of the header; `protocolAt` is where it has the protocol. */
export const sllSummary = (v: View, protocolAt: number): string =>
  v.length < HEADER
    ? 'Header cut short'
    : `Linux cooked capture, ${nameOf(ETHERTYPES, u16(v.buf, v.off + protocolAt), 'Unknown protocol')}`;

export const sll = defineDissector({
  proto: 'sll',
  title: 'Linux cooked-mode capture',
  short: 'SLL',
  spec: 'LINKTYPE_LINUX_SLL',
  fields: { ...SLL, ...PADDING },
  on: { link: [113] },
  tables: ['ethertype', 'sll.ltype', 'gre.proto'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    p.key = u16(p.buf, p.off + 14);
    p.table = sllTable(u16(p.buf, p.off + 2), p.key);
    p.off += HEADER;
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const protocol = u16(buf, off + 14);
    t.open(SLL.sll, off, HEADER, 'Linux cooked capture v1');
    t.num(SLL.pkttype, off, 2, u16(buf, off));
    t.num(SLL.hatype, off + 2, 2, u16(buf, off + 2));
    t.num(SLL.halen, off + 4, 2, u16(buf, off + 4));
    sllAddress(t, off + 6, u16(buf, off + 4));
    t.num(sllProtocol(u16(buf, off + 2), protocol), off + 14, 2, protocol);
    sllTrailer(t, v, off + HEADER, protocol);
    t.pop();
    cx.next(sllTable(u16(buf, off + 2), protocol), protocol, v.sub(off + HEADER));
  },

  summary: (v) => sllSummary(v, 14),
});
