import { No, type Peek, u16, u16le, type View, Yes } from 'fttscope/kit';
import { FABRIC_PATH } from '../numbers.js';
import { fromRows, named } from './named.js';

/**
 * Protocols of links and networks that are only named: found by EtherType, LLC, PPP protocol, IP protocol number, or the
 * link type of the capture.
 */
const LOOP_REPLY = 1;
const PROTOCOL_REJECT = 8;
/** LINKTYPE_PPP. */
const PPP = 9;

/** Octets of FabricPath's tag, and LINKTYPE_ETHERNET. */
const FABRIC_PATH_TAG = 2;
const ETHERNET = 1;

/** Both link types of ARCNET, and where the protocol stands behind the addresses. */
const ARCNETS = [
  { proto: 'arcnet', link: 129, at: 4, hasExceptions: false },
  { proto: 'arcnet.bsd', link: 7, at: 2, hasExceptions: true },
];
/** Its protocols: of RFC 1051, behind which nothing more stands, and of RFC 1201; what BACnet runs in. */
const ARCNET_SIMPLE: ReadonlySet<number> = new Set([0xf0, 0xf1]);
const ARCNET_ETHERTYPES: ReadonlyMap<number, number> = new Map([
  ...([
    [0xf0, 0x0800],
    [0xf1, 0x0806],
  ] as const),
  ...([
    [0xd4, 0x0800],
    [0xd5, 0x0806],
    [0xc4, 0x86dd],
  ] as const),
]);
const ARCNET_LLC = 0xcd;
/** A split flag and a number; an exception repeats the protocol and them (Linux hides that). RFC 1201 §2.1 */
const ARCNET_SPLIT = 3;
const ARCNET_EXCEPTION = 0xff;

/** Where the payload stands behind the protocol at `at`. */
function arcnetPayload(buf: Uint8Array, at: number, hasExceptions: boolean): number {
  if (ARCNET_SIMPLE.has(buf[at]) || buf[at] === ARCNET_LLC) return at + 1;
  return at + 1 + ARCNET_SPLIT + (hasExceptions && buf[at + 1] === ARCNET_EXCEPTION ? 1 + ARCNET_SPLIT : 0);
}

/** Subtype of Slow Protocols. */
const LACP = 1;

/** Data and repaired data of PGM, and where the length of options stands. RFC 3208 §8, §9.1 */
const ODATA = 4;
const RDATA = 5;
const PGM_DATA = 24;

/** Where the data of a PGM packet starts, or -1. */
function pgmData({ buf, off, end }: View): number {
  if (end - off < PGM_DATA || (buf[off + 4] !== ODATA && buf[off + 4] !== RDATA)) return -1;
  const at = off + PGM_DATA;
  if ((buf[off + 5] & 1) === 0) return at;
  return end - at < 4 ? -1 : at + u16(buf, at + 2);
}

/** Where the PPP frame of a data message of L2TP version 2 starts, or -1. RFC 2661 §3.1 */
function l2tpPayload({ buf, off, end }: View | Peek): number {
  const flags = end - off >= 6 ? u16(buf, off) : 0;
  if ((flags & 0x800f) !== 2) return -1; // a control message, or another version
  const fixed = off + 6 + ((flags & 0x4000) !== 0 ? 2 : 0) + ((flags & 0x0800) !== 0 ? 4 : 0);
  if ((flags & 0x0200) === 0) return fixed;
  return fixed + 2 <= end ? fixed + 2 + u16(buf, fixed) : -1;
}

/** Function of a loopback message that names who is next, and its octets. */
const LOOP_FORWARD = 2;
const LOOP_HOP = 8;

/** Where the data behind the skip count and the functions start, or -1; the last function is mostly a reply with a number. */
function loopData({ buf, off, end }: View): number {
  let at = off + 2;
  while (at + LOOP_HOP <= end && u16le(buf, at) === LOOP_FORWARD) at += LOOP_HOP;
  if (at + 2 > end) return -1;
  return u16le(buf, at) === LOOP_REPLY ? at + 4 : at + 2;
}

/** Octets of the tag of MACsec, and of the secure channel that it may name; of the check behind what it secures. */
const MACSEC_TAG = 6;
const MACSEC_CHANNEL = 8;
const MACSEC_CHECK = 16;
/** Flags of the tag: version, secure channel, and that what follows is encrypted, or changed. */
const MACSEC_VERSION = 0x80;
const MACSEC_HAS_CHANNEL = 0x20;
const MACSEC_HIDES = 0x0c;

/** Where what MACsec secures starts, or -1. IEEE 802.1AE §9.3 */
function macSecured({ buf, off, end, wireEnd }: View | Peek): number {
  if (end - off < MACSEC_TAG || (buf[off] & MACSEC_VERSION) !== 0) return -1;
  const at = off + MACSEC_TAG + ((buf[off] & MACSEC_HAS_CHANNEL) !== 0 ? MACSEC_CHANNEL : 0);
  return at + 2 > end || at + 2 + MACSEC_CHECK > wireEnd ? -1 : at;
}

/** Where it ends: before the check, or after as few octets as the tag says, where the link wanted padding. §9.7 */
function securedEnd({ buf, off, wireEnd }: View | Peek, at: number): number {
  const few = buf[off + 1] & 0x3f;
  return few >= 2 ? Math.min(at + few, wireEnd - MACSEC_CHECK) : wireEnd - MACSEC_CHECK;
}
/** Frame identifiers of PROFINET: of what is sent on and on, of discovery, and of precise time. IEC 61158-6-10 §4.2.2 */
const PROFINET: readonly (readonly [number, number, string])[] = [
  [0x8000, 0xfdff, 'pn_io'],
  [0xfefc, 0xfeff, 'pn_dcp'],
  [0xff00, 0xff43, 'pn_ptcp'],
];
const PROFINET_STATUS = 4;

/** Octets of the long header of DDP, the last of which says what it carries. Inside AppleTalk §4 */
const DDP_HEADER = 13;
const DDP_TYPES = new Map([
  [1, 'rtmp'],
  [2, 'nbp'],
  [5, 'rtmp'],
  [6, 'zip'],
]);

const isPlain = ({ buf, off }: View | Peek): boolean => (buf[off] & MACSEC_HIDES) === 0;

/** Protocols beside and above IP. */
export const network = [
  ...fromRows([
    ['lldp', 'Link Layer Discovery Protocol', 'LLDP', 'IEEE 802.1AB', { ethertype: [0x88cc] }],
    ['eapol', '802.1X Authentication', 'EAPOL', 'IEEE 802.1X', { ethertype: [0x888e, 0x88c7] }],
    ['lacp', 'Link Aggregation Control Protocol', 'LACP', 'IEEE 802.1AX §6.4', {}],
    [
      ...(['ptp', 'Precision Time Protocol (IEEE1588)', 'PTP', 'IEEE 1588'] as const),
      { ethertype: [0x88f7], 'udp.port': [319, 320] },
    ],
    ['ipx', 'Internetwork Packet eXchange', 'IPX', 'none', { ethertype: [0x8137], 'llc.dsap': [0xe0] }],
    ['aarp', 'Appletalk Address Resolution Protocol', 'AARP', 'none', { ethertype: [0x80f3] }],
    ['aoe', 'ATAoverEthernet', 'AOE', 'none', { ethertype: [0x88a2] }],
    ['dec_dna', 'DEC DNA Routing Protocol', 'DEC DNA', 'none', { ethertype: [0x6003] }],
    ['tipc', 'Transparent Inter Process Communication(TIPC)', 'TIPC', 'none', { ethertype: [0x88ca] }],
    ['realtek', 'Realtek Layer 2 Protocols', 'Realtek', 'none', { ethertype: [0x8899] }],
    ['wol', 'Wake On LAN', 'WOL', 'none', { ethertype: [0x0842] }],
    ['nhrp', 'NBMA Next Hop Resolution Protocol', 'NHRP', 'RFC 2332', { 'gre.proto': [0x2001], 'ip.proto': [54] }],
    ['goose', 'GOOSE', 'GOOSE', 'IEC 61850-8-1', { ethertype: [0x88b8] }],
    ['msnlb', 'MS Network Load Balancing', 'MS NLB', 'none', { ethertype: [0x886f] }],
    ['ans', 'Intel ANS probe', 'Intel ANS probe', 'none', { ethertype: [0x886d] }],
    ['lltd', 'Link Layer Topology Discovery', 'LLTD', 'none', { ethertype: [0x88d9] }],
    ['homeplug', 'HomePlug protocol', 'HomePlug', 'HomePlug 1.0', { ethertype: [0x887b] }],
    ['homeplug-av', 'HomePlug AV protocol', 'HomePlug AV', 'HomePlug AV', { ethertype: [0x88e1] }],
    ['lat', 'Local Area Transport', 'LAT', 'none', { ethertype: [0x6004] }],
    ['ieee1905', '1905.1a', 'ieee1905', 'IEEE 1905.1', { ethertype: [0x893a] }],
    ['mrp-mvrp', 'Multiple VLAN Registration Protocol', 'MRP-MVRP', 'IEEE 802.1Q §11', { ethertype: [0x88f5] }],
    ['mrp-mmrp', 'Multiple MAC Registration Protocol', 'MRP-MMRP', 'IEEE 802.1Q §10', { ethertype: [0x88f6] }],
    ['netbios', 'NetBIOS', 'NetBIOS', 'IBM SC30-3587', { 'llc.dsap': [0xf0] }],
    ['ndp', 'Nortel Networks / SynOptics Network Management Protocol', 'NDP', 'none', { 'llc.nortel_pid': [417, 418] }],
    ['macc', 'MAC Control', 'MACC', 'IEEE 802.3 §31', { ethertype: [0x8808] }],
    ['cfm', 'CFM EOAM 802.1ag/ITU Protocol', 'CFM', 'IEEE 802.1ag', { ethertype: [0x8902] }],
    [
      ...(['cdp', 'Cisco Discovery Protocol', 'CDP', 'none'] as const),
      { 'llc.cisco_pid': [0x2000], 'gre.proto': [0x2000], 'chdlc.protocol': [0x2000] },
    ],
    ['vtp', 'VLAN Trunking Protocol', 'VTP', 'none', { 'llc.cisco_pid': [0x2003] }],
    ['dtp', 'Dynamic Trunk Protocol', 'DTP', 'none', { 'llc.cisco_pid': [0x2004] }],
    [
      ...(['udld', 'Unidirectional Link Detection', 'UDLD', 'RFC 5171'] as const),
      { 'llc.cisco_pid': [0x0111], 'chdlc.protocol': [0x0111] },
    ],
    ['pagp', 'Port Aggregation Protocol', 'PAGP', 'none', { 'llc.cisco_pid': [0x0104] }],
    ['chap', 'PPP Challenge Handshake Authentication Protocol', 'PPP CHAP', 'RFC 1994', { 'ppp.protocol': [0xc223] }],
    ['eap', 'Extensible Authentication Protocol', 'EAP', 'RFC 3748', { 'ppp.protocol': [0xc227] }],
    ['ipcp', 'PPP IP Control Protocol', 'PPP IPCP', 'RFC 1332', { 'ppp.protocol': [0x8021] }],
    ['ipv6cp', 'PPP IPv6 Control Protocol', 'PPP IPV6CP', 'RFC 5072', { 'ppp.protocol': [0x8057] }],
    ['ccp', 'PPP Compression Control Protocol', 'PPP CCP', 'RFC 1962', { 'ppp.protocol': [0x80fd] }],
    ['mplscp', 'PPP MPLS Control Protocol', 'PPP MPLSCP', 'RFC 3032', { 'ppp.protocol': [0x8281] }],
    ['comp_data', 'PPP Compressed Datagram', 'PPP Comp', 'RFC 1962', { 'ppp.protocol': [0xfd] }],
    ['mp', 'PPP Multilink Protocol', 'PPP MP', 'RFC 1990', { 'ppp.protocol': [0x3d] }],
    ['ospf', 'Open Shortest Path First', 'OSPF', 'RFC 2328, RFC 5340', { 'ip.proto': [89] }],
    ['eigrp', 'Enhanced Interior Gateway Routing Protocol', 'EIGRP', 'RFC 7868', { 'ip.proto': [88] }],
    ['igrp', 'Cisco Interior Gateway Routing Protocol', 'IGRP', 'none', { 'ip.proto': [9] }],
    ['rsvp', 'Resource ReserVation Protocol (RSVP)', 'RSVP', 'RFC 2205', { 'ip.proto': [46], 'udp.port': [3455] }],
    ['vrrp', 'Virtual Router Redundancy Protocol', 'VRRP', 'RFC 5798', { 'ip.proto': [112] }],
    ['udplite', 'Lightweight User Datagram Protocol', 'UDP-Lite', 'RFC 3828', { 'ip.proto': [136] }],
    ['ipcomp', 'IP Payload Compression', 'IPComp', 'RFC 3173', { 'ip.proto': [108] }],
    ['hip', 'Host Identity Protocol', 'HIP', 'RFC 7401', { 'ip.proto': [139] }],
    ['mipv6', 'Mobile IPv6', 'MIPv6', 'RFC 6275 §6.1', { 'ip.proto': [62, 135], 'udp.port': [5436] }],
    ['esis', 'ISO 9542 ESIS Routeing Information Exchange Protocol', 'ESIS', 'ISO 9542', { 'osi.nlpid': [0x82] }],
    ['clnp', 'ISO 8473/X.233 CLNP ConnectionLess Network Protocol', 'CLNP', 'ISO 8473', { 'osi.nlpid': [0x81] }],
    ['isis.hello', 'ISIS HELLO', 'ISIS HELLO', 'ISO 10589 §9.5', { 'isis.type': ['hello'] }],
    [
      ...(['isis.csnp', 'ISO 10589 ISIS Complete Sequence Numbers Protocol Data Unit', 'ISIS CSNP'] as const),
      ...(['ISO 10589 §9.10', { 'isis.type': ['csnp'] }] as const),
    ],
    [
      ...(['isis.psnp', 'ISO 10589 ISIS Partial Sequence Numbers Protocol Data Unit', 'ISIS PSNP'] as const),
      ...(['ISO 10589 §9.12', { 'isis.type': ['psnp'] }] as const),
    ],
    ['netlink-route', 'Linux rtnetlink (route netlink) protocol', 'rtnetlink', 'RFC 3549', { 'netlink.protocol': [0] }],
  ]),
  named({
    ...{ proto: 'ddp', title: 'Datagram Delivery Protocol', short: 'DDP', spec: 'Inside AppleTalk §4' },
    on: { 'llc.apple_pid': [0x809b] },
    calls: [...DDP_TYPES.values()],
    inner(v, cx) {
      if (v.length <= DDP_HEADER) return;
      const inside = v.sub(v.off + DDP_HEADER);
      const proto = DDP_TYPES.get(v.buf[inside.off - 1]);
      if (proto === undefined) cx.data(inside);
      else cx.call(proto, inside);
    },
  }),
  ...fromRows([
    ['rtmp', 'Routing Table Maintenance Protocol', 'RTMP', 'Inside AppleTalk §5', {}],
    ['nbp', 'Name Binding Protocol', 'NBP', 'Inside AppleTalk §7', {}],
    ['zip', 'Zone Information Protocol', 'ZIP', 'Inside AppleTalk §8', {}],
  ]),
  named({
    ...{ proto: 'pn_rt', title: 'PROFINET Real-Time Protocol', short: 'PN-RT', spec: 'IEC 61158-6-10 §4' },
    on: { ethertype: [0x8892] },
    calls: PROFINET.map(([, , proto]) => proto),
    inner(v, cx) {
      if (v.length < 2) return;
      const id = u16(v.buf, v.off);
      const proto = PROFINET.find(([from, to]) => id >= from && id <= to)?.[2];
      const inside = v.sub(v.off + 2, proto === 'pn_io' ? v.end - PROFINET_STATUS : v.end);
      if (proto === undefined) cx.data(inside);
      else if (inside.length > 0) cx.call(proto, inside);
    },
  }),
  ...fromRows([
    ['pn_io', 'PROFINET IO', 'PNIO', 'IEC 61158-6-10 §4.7', {}],
    ['pn_dcp', 'PROFINET DCP', 'PN-DCP', 'IEC 61158-6-10 §4.3', {}],
    ['pn_ptcp', 'PROFINET PTCP', 'PN-PTCP', 'IEC 61158-6-10 §4.6', {}],
  ]),
  named({
    ...{ proto: 'slow', title: 'Slow Protocols', short: '802.3 Slow protocols', spec: 'IEEE 802.3 §57A' },
    on: { ethertype: [0x8809] },
    calls: ['lacp'],
    inner(v, cx) {
      if (v.buf[v.off] === LACP) cx.call('lacp', v);
    },
  }),
  named({
    ...{ proto: 'cfp', title: 'Cisco FabricPath', short: 'CFP', spec: 'none' },
    on: { ethertype: [FABRIC_PATH] },
    tables: ['link'],
    /** Behind tag and time to live stands a frame. Its check sequence, which is often not captured, ends up as trailer. */
    peek(p) {
      p.off += FABRIC_PATH_TAG;
      p.table = 'link';
      p.key = ETHERNET;
      if (p.off >= p.end) p.stop();
    },
    inner(v, cx) {
      if (v.length > FABRIC_PATH_TAG) cx.next('link', ETHERNET, v.sub(v.off + FABRIC_PATH_TAG));
    },
  }),
  named({
    ...{ proto: 'dccp', title: 'Datagram Congestion Control Protocol', short: 'DCCP', spec: 'RFC 4340 §5.1' },
    on: { 'ip.proto': [33] },
    inner(v, cx) {
      const at = v.length < 12 ? v.end : v.off + 4 * v.buf[v.off + 4];
      if (at > v.off && at < v.end) cx.data(v.sub(at));
    },
  }),
  ...ARCNETS.map(({ proto, link, at, hasExceptions }) =>
    named({
      ...{ proto, layer: 'arcnet', title: 'ARCNET', short: 'ARCNET', spec: 'RFC 1201 §2, RFC 1051' },
      on: { link: [link] },
      tables: ['ethertype.bare'],
      calls: ['llc'],
      peek(p) {
        const etherType = p.end > p.off + at ? ARCNET_ETHERTYPES.get(p.buf[p.off + at]) : undefined;
        const behind = etherType === undefined ? p.end : arcnetPayload(p.buf, p.off + at, hasExceptions);
        if (behind >= p.end) return p.stop();
        p.off = behind;
        p.table = 'ethertype.bare';
        p.key = etherType!;
      },
      inner(v, cx) {
        if (v.length <= at + 1) return;
        const protocol = v.buf[v.off + at];
        const etherType = ARCNET_ETHERTYPES.get(protocol);
        const payload = v.sub(Math.min(v.end, arcnetPayload(v.buf, v.off + at, hasExceptions)));
        if (etherType !== undefined) cx.next('ethertype.bare', etherType, payload);
        else if (protocol === ARCNET_LLC) cx.call('llc', payload);
        else cx.data(payload);
      },
    }),
  ),
  named({
    ...{ proto: 'pgm', title: 'Pragmatic General Multicast', short: 'PGM', spec: 'RFC 3208 §8' },
    on: { 'ip.proto': [113] },
    inner(v, cx) {
      const at = pgmData(v);
      if (at > 0 && at < v.end) cx.data(v.sub(at));
    },
  }),
  named({
    proto: 'lcp',
    title: 'PPP Link Control Protocol',
    short: 'PPP LCP',
    spec: 'RFC 1661',
    on: { 'ppp.protocol': [0xc021] },
    tables: ['ppp.protocol'],
    /** RFC 1661 §5.7: a Protocol-Reject quotes a packet behind the number of its protocol. */
    inner(v, cx) {
      const { buf, off } = v;
      if (v.length <= 6 || buf[off] !== PROTOCOL_REJECT) return;
      const { quoted } = cx;
      cx.quoted = true;
      cx.next('ppp.protocol', u16(buf, off + 4), v.sub(off + 6, off + u16(buf, off + 2)));
      cx.quoted = quoted;
    },
  }),
  named({
    proto: 'l2tp',
    title: 'Layer 2 Tunneling Protocol',
    short: 'L2TP',
    spec: 'RFC 2661, RFC 3931',
    on: { 'ip.proto': [115], 'udp.port': [1701] },
    tables: ['link'],
    /** Above UDP a version says it. */
    probe: (b, off, end) => (end - off >= 2 && ((b[off + 1] & 15) === 2 || (b[off + 1] & 15) === 3) ? Yes : No),
    peek(p) {
      const at = l2tpPayload(p);
      if (at < 0 || at >= p.end) return p.stop();
      p.off = at;
      p.table = 'link';
      p.key = PPP;
    },
    inner(v, cx) {
      const at = l2tpPayload(v);
      if (at > v.off && at < v.end) cx.next('link', PPP, v.sub(at));
    },
  }),
  named({
    proto: 'loop',
    title: 'Configuration Test Protocol (loopback)',
    short: 'LOOP',
    spec: 'DIX Ethernet V2 §8',
    on: { ethertype: [0x9000] },
    inner(v, cx) {
      const at = loopData(v);
      if (at > 0 && at < v.end) cx.data(v.sub(at));
    },
  }),
  named({
    proto: 'macsec',
    title: '802.1AE Security tag',
    short: 'MACsec',
    spec: 'IEEE 802.1AE §9.3',
    on: { ethertype: [0x88e5] },
    tables: ['ethertype'],
    peek(p) {
      const at = macSecured(p);
      if (at < 0 || !isPlain(p)) return p.stop();
      p.table = 'ethertype';
      p.key = u16(p.buf, at);
      p.wireEnd = securedEnd(p, at);
      p.end = Math.min(p.end, p.wireEnd);
      p.off = at + 2;
    },
    inner(v, cx) {
      const at = macSecured(v);
      if (at < 0) {
        cx.data(v, true); // another version, or what is too short for it
        return;
      }
      const end = securedEnd(v, at);
      if (isPlain(v)) cx.next('ethertype', u16(v.buf, at), v.sub(at + 2, end));
      else cx.data(v.sub(at, end));
    },
  }),
  named({
    proto: 'osi',
    title: 'OSI',
    short: 'OSI',
    spec: 'ISO 9577',
    on: {
      'llc.dsap': [20, 254],
      'gre.proto': [254],
      'ppp.protocol': [35],
      'ip.proto': [80],
      'chdlc.protocol': [0xfefe],
    },
    tables: ['osi.nlpid'],
    inner(v, cx) {
      if (v.length > 0) cx.next('osi.nlpid', v.buf[v.off], v);
    },
  }),
  named({
    proto: 'netlink',
    title: 'Linux netlink protocol',
    short: 'NETLINK',
    spec: 'LINKTYPE_NETLINK',
    on: { link: [253] },
    tables: ['netlink.protocol'],
    /** The cooked header of the link type has the family in its last two octets. */
    inner(v, cx) {
      if (v.length > 16 && cx.takes('netlink.protocol', u16(v.buf, v.off + 14)))
        cx.next('netlink.protocol', u16(v.buf, v.off + 14), v.sub(v.off + 16));
    },
  }),
];
