import { No, type Probe, startsWith, u8, u16, u32, type View, Yes } from 'fttscope/kit';
import { fromRows, named } from './named.js';
import { sflow } from './sflow.js';

/** Protocols above UDP and TCP that are only named: found by port, with a look at their first octets where that helps. */
const OPENING_BRACE = 0x7b;
const TFTP = 69;
const TFTP_DATA = 3;
const EAP_MESSAGE = 79;
const BACNET_NETWORK = 0x80;
const ADWIN_LENGTHS: ReadonlySet<number> = new Set([22, 52, 92, 96, 100, 104, 432]);

/** Google's QUIC before IETF's: connection and version in the first packets, behind flags that say that they are there. */
function googleQuic(b: Uint8Array, off: number, end: number, known?: boolean): Probe {
  if (known === true) return Yes;
  if (end - off < 14) return No;
  if ((b[off] & 0x89) === 0x09) return startsWith(b, off + 9, end, 'Q0') ? Yes : No;
  return (b[off] & 0xc0) === 0xc0 && startsWith(b, off + 1, end, 'Q046') ? Yes : No;
}

const WIREGUARD_LENGTHS = [0, 148, 92, 64];

/** WireGuard §5.4: a type, three octets of zeros, and the length of the type; data has at least its header and tag. */
function wireGuard(b: Uint8Array, off: number, end: number): Probe {
  const n = end - off;
  if (n < 32 || u16(b, off + 1) !== 0 || b[off + 3] !== 0) return No;
  const type = u8(b, off);
  return (type >= 1 && type <= 3 && n === WIREGUARD_LENGTHS[type]) || type === 4 ? Yes : No;
}

/** Where the value of the first RADIUS attribute of a type starts, or -1. RFC 2865 §5 */
function attribute({ buf, off, end }: View, type: number): number {
  for (let at = off + 20; at + 2 < end && buf[at + 1] >= 2; at += buf[at + 1]) if (buf[at] === type) return at + 2;
  return -1;
}

/** A query, an answer, an error, or whatever begins with the address of who asked. BEP 5, BEP 42 */
const BIT_TORRENT = ['d1:ad', 'd1:rd', 'd1:el', 'd2:ip'];
const bitTorrent = (b: Uint8Array, off: number, end: number): Probe =>
  BIT_TORRENT.some((start) => startsWith(b, off, end, start)) ? Yes : No;

/** Octets of a frame before the payload: Ethernet, IPv4 and UDP. */
const PLAIN_HEADERS = 42;

/** Wireshark takes datagrams of these lengths that Ethernet broadcasts for it, whatever is in them. */
function adwin(b: Uint8Array, off: number, end: number): Probe {
  if (!ADWIN_LENGTHS.has(end - off) || off < PLAIN_HEADERS || u16(b, off - 30) !== 0x0800) return No;
  return u16(b, off - 42) === 0xffff && u32(b, off - 40) === 0xffffffff ? Yes : No;
}

/** Whether a message starts with one of these versions, in two octets. */
const version =
  (...known: readonly number[]) =>
  (b: Uint8Array, off: number, n: number): boolean =>
    n >= 2 && known.includes(u16(b, off));

/** Version 0, an opcode and a state; or a TLV of version 2. RFC 2281 §5.1 */
const hsrp = (b: Uint8Array, off: number, n: number): boolean =>
  n >= 3 && (b[off] === 0 ? b[off + 1] <= 3 && b[off + 2] <= 16 : b[off] <= 4 && b[off + 1] <= n);

/** A packet of MPEG transport streams, and what it begins with. ISO/IEC 13818-1 §2.4.3.2 */
const TS_PACKET = 188;
const TS_SYNC = 0x47;
function transportStream(b: Uint8Array, off: number, n: number): boolean {
  if (n % TS_PACKET !== 0) return false;
  for (let at = off; at < off + n; at += TS_PACKET) if (b[at] !== TS_SYNC) return false;
  return true;
}

/** Wake-on-LAN: six octets of ones, then sixteen times the address of who is to wake. */
const WOL_SYNC = 6;
const WOL_ADDRESSES = 16;
function wakeOnLan(b: Uint8Array, off: number, n: number): boolean {
  const first = off + WOL_SYNC;
  if (n < WOL_SYNC * (1 + WOL_ADDRESSES)) return false;
  for (let at = off; at < first; at++) if (b[at] !== 0xff) return false;
  for (let i = 0; i < WOL_SYNC * (WOL_ADDRESSES - 1); i++) if (b[first + WOL_SYNC + i] !== b[first + i]) return false;
  return true;
}

/** Versions 4 and 5 of UFTP, which are layers of their own. */
const UFTP_VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x40, 'uftp4'],
  [0x50, 'uftp5'],
]);

/** Classes of messages: ASF, IPMI, OEM. */
const RMCP_CLASSES: ReadonlySet<number> = new Set([6, 7, 8]);

/** Where the APDU of a BACnet/IP message starts, or -1. ASHRAE 135 Annex J and §6.2. */
function npduAt(v: View): number {
  if (v.length < 4 || v.buf[v.off] !== 0x81) return -1;
  const kind = u8(v.buf, v.off + 1);
  if (kind === 4) return v.off + 10;
  return kind === 10 || kind === 11 || kind === 9 ? v.off + 4 : -1;
}

/** Protocols over UDP, or over UDP and TCP alike. */
export const transport = [
  sflow,
  ...fromRows([
    ['nbns', 'NetBIOS Name Service', 'NBNS', 'RFC 1002 §4.2', { 'udp.port': [137] }],
    ['syslog', 'Syslog message', 'Syslog', 'RFC 5424', { 'udp.port': [514] }],
    ['rip', 'Routing Information Protocol', 'RIP', 'RFC 2453', { 'udp.port': [520] }],
    ['ripng', 'RIPng', 'RIPng', 'RFC 2080', { 'udp.port': [521] }],
    ['hsrp', 'Cisco Hot Standby Router Protocol', 'HSRP', 'RFC 2281', { 'udp.port': [1985, 2029] }, hsrp],
    [
      'cflow',
      'Cisco NetFlow/IPFIX',
      'CFLOW',
      'RFC 3954, RFC 7011',
      { 'udp.port': [2055, 4739, 9996] },
      version(1, 5, 7, 8, 9, 10),
    ],
    [
      ...(['bfd', 'Bidirectional Forwarding Detection Control Message', 'BFD Control', 'RFC 5880'] as const),
      { 'udp.port': [3784, 4784, 6784, 7784], 'pwach.channel_type': [7, 34, 35] },
    ],
    [
      'bjnp',
      'Canon BJNP',
      'BJNP',
      'none',
      { 'udp.port': [8611, 8612, 8613, 8614] },
      (b, o) => b[o] >= 0x20 && b[o] < 0x7f,
    ],
    ['pfcp', 'Packet Forwarding Control Protocol', 'PFCP', 'TS 29.244', { 'udp.port': [8805] }],
    ['srvloc', 'Service Location Protocol', 'SRVLOC', 'RFC 2608', { 'udp.port': [427] }],
    ['coap', 'Constrained Application Protocol', 'CoAP', 'RFC 7252', { 'udp.port': [5683] }],
    ['babel', 'Babel Routing Protocol', 'Babel', 'RFC 8966', { 'udp.port': [6696] }, (b, o) => b[o] === 42],
    ['lisp', 'Locator/ID Separation Protocol', 'LISP', 'RFC 9301', { 'udp.port': [4342] }],
    ['mpls-echo', 'Multiprotocol Label Switching Echo', 'MPLS ECHO', 'RFC 8029', { 'udp.port': [3503] }, version(1)],
    [
      'portcontrol',
      'Port Control Protocol',
      'Port Control',
      'RFC 6887',
      { 'udp.port': [5350, 5351] },
      (b, o) => b[o] <= 2,
    ],
    [
      'rmcp',
      'Remote Management Control Protocol',
      'RMCP',
      'IPMI',
      { 'udp.port': [623] },
      (b, o, n) => n >= 4 && RMCP_CLASSES.has(b[o + 3] & 31),
    ],
    ['rsp', 'RMCP Security-extensions Protocol', 'RSP', 'IPMI', { 'udp.port': [664] }],
    ['xdmcp', 'X Display Manager Control Protocol', 'XDMCP', 'none', { 'udp.port': [177] }, version(1)],
    ['collectd', 'collectd network data', 'collectd', 'none', { 'udp.port': [25826] }],
    [
      'olsr',
      'Optimized Link State Routing Protocol',
      'OLSR',
      'RFC 3626',
      { 'udp.port': [698] },
      (b, o, n) => n >= 4 && u16(b, o) <= n,
    ],
    [
      'aodv',
      'Ad hoc On-demand Distance Vector Routing Protocol',
      'AODV',
      'RFC 3561',
      { 'udp.port': [654] },
      (b, o) => (b[o] >= 1 && b[o] <= 4) || (b[o] >= 16 && b[o] <= 19),
    ],
    ['tsp', 'Time Synchronization Protocol', 'TSP', 'none', { 'udp.port': [525] }],
    ['lmp', 'Link Management Protocol (LMP)', 'LMP', 'RFC 4204', { 'udp.port': [701] }],
    ['lwres', 'Light Weight DNS RESolver (BIND9)', 'LWRES', 'none', { 'udp.port': [921] }],
    ['mndp', 'Mikrotik Neighbor Discovery Protocol', 'MNDP', 'none', { 'udp.port': [5678] }, (_, __, n) => n >= 8],
    ['uftp4', 'UDP based FTP w/ multicast V4', 'UFTP4', 'none', {}],
    ['uftp5', 'UDP based FTP w/ multicast V5', 'UFTP5', 'none', {}],
    ['omron', 'OMRON FINS Protocol', 'OMRON', 'none', { 'udp.port': [9600] }, (b, o, n) => n >= 10 && b[o + 1] === 0],
    ['bacapp', 'Building Automation and Control Network APDU', 'BACapp', 'ASHRAE 135 §20', {}],
    ['telnet', 'Telnet', 'TELNET', 'RFC 854', { 'tcp.name': [23] }],
    ['imap', 'Internet Message Access Protocol', 'IMAP', 'RFC 9051', { 'tcp.name': [143], 'tls.name': [993] }],
    ['vnc', 'Virtual Network Computing', 'VNC', 'RFC 6143', { 'tcp.name': [5500, 5501, 5900, 5901] }],
    ['irc', 'Internet Relay Chat', 'IRC', 'RFC 2812', { 'tcp.name': [6667, 57000] }],
    ['nntp', 'Network News Transfer Protocol', 'NNTP', 'RFC 3977', { 'tcp.name': [119] }],
    ['rsh', 'Remote Shell', 'RSH', 'none', { 'tcp.name': [514] }],
    ['resp', 'REdis Serialization Protocol', 'RESP', 'none', { 'tcp.name': [6379] }],
    ['socks', 'Socks Protocol', 'Socks', 'RFC 1928', { 'tcp.name': [1080] }],
    [
      'tivoconnect',
      'TiVoConnect Discovery Protocol',
      'TiVoConnect',
      'none',
      { 'udp.port': [2190], 'tcp.name': [2190] },
    ],
    ['mp2t', 'ISO/IEC 13818-1', 'MP2T', 'ISO/IEC 13818-1', { 'udp.heuristic': ['mp2t'] }, transportStream],
    ['proxy', 'PROXY Protocol', 'PROXY', 'none', {}],
    ['gnutella', 'Gnutella Protocol', 'GNUTELLA', 'none', { 'tcp.name': [6346] }],
  ]),
  named({
    ...{ proto: 'wol.datagram', layer: 'wol', title: 'Wake On LAN', short: 'WOL', spec: 'none' },
    on: { 'udp.heuristic': ['wol'] },
    probe: (b, off, end) => (wakeOnLan(b, off, end - off) ? Yes : No),
  }),
  named({
    ...{ proto: 'uftp', title: 'UDP based FTP w/ multicast', short: 'UFTP', spec: 'none' },
    on: { 'udp.port': [1044] },
    calls: [...UFTP_VERSIONS.values()],
    probe: (b, off, end) => (end > off && UFTP_VERSIONS.has(b[off]) ? Yes : No),
    inner: (v, cx) => cx.call(UFTP_VERSIONS.get(v.buf[v.off])!, v),
  }),
  named({
    ...{ proto: 'bgp', title: 'Border Gateway Protocol', short: 'BGP', spec: 'RFC 4271 §4.1' },
    on: { 'tcp.port': [179] },
    pduLength: (_, off, end) => end - off,
  }),
  named({
    ...{ proto: 'tftp', title: 'Trivial File Transfer Protocol', short: 'TFTP', spec: 'RFC 1350' },
    on: { 'udp.port': [TFTP] },
    /** The answer comes from another port than was asked. RFC 1350 §4 */
    track(_, cx) {
      const { version, buf, src } = cx.net;
      if (cx.dport === TFTP) cx.expect(buf.slice(src, src + (version === 4 ? 4 : 16)), cx.sport, 'tftp');
    },
    inner(v, cx) {
      if (v.length > 4 && u16(v.buf, v.off) === TFTP_DATA) cx.data(v.sub(v.off + 4));
    },
  }),
  named({
    proto: 'radius',
    title: 'RADIUS Protocol',
    short: 'RADIUS',
    spec: 'RFC 2865 §3',
    on: { 'udp.port': [1645, 1646, 1700, 1812, 1813, 3799] },
    /** A length that is that of a message, and no more than there is. */
    probe: (b, off, end) => (end - off >= 20 && u16(b, off + 2) >= 20 && off + u16(b, off + 2) <= end ? Yes : No),
    calls: ['eap'],
    inner(v, cx) {
      const at = attribute(v, EAP_MESSAGE);
      if (at >= 0) cx.call('eap', v.sub(at));
    },
  }),
  named({
    proto: 'db-lsp-disc',
    title: 'Dropbox LAN sync Discovery Protocol',
    short: 'DB-LSP-DISC',
    spec: 'none',
    on: { 'udp.port': [17500] },
    tables: ['media_type'],
    inner(v, cx) {
      if (v.length > 0 && v.buf[v.off] === OPENING_BRACE) cx.next('media_type', 'application/json', v);
    },
  }),
  named({
    proto: 'bvlc',
    title: 'BACnet Virtual Link Control',
    short: 'BVLC',
    spec: 'ASHRAE 135 Annex J',
    on: { 'udp.port': [47808] },
    calls: ['bacnet'],
    inner(v, cx) {
      const at = npduAt(v);
      if (at >= 0 && at < v.end) cx.call('bacnet', v.sub(at));
    },
  }),
  named({
    proto: 'bacnet',
    title: 'Building Automation and Control Network NPDU',
    short: 'BACnet',
    spec: 'ASHRAE 135 §6',
    on: { 'llc.dsap': [0x82] },
    calls: ['bacapp'],
    inner(v, cx) {
      if (v.length > 2 && (u8(v.buf, v.off + 1) & BACNET_NETWORK) === 0) cx.call('bacapp', v.sub(v.off + 2));
    },
  }),
  named({
    ...{ proto: 'wg', title: 'WireGuard Protocol', short: 'WireGuard', spec: 'WireGuard §5.4' },
    on: { 'udp.heuristic': ['wg'] },
    probe: wireGuard,
  }),
  named({
    ...{ proto: 'gquic', title: 'GQUIC (Google Quick UDP Internet Connections)', short: 'GQUIC', spec: 'none' },
    on: { 'udp.heuristic': ['gquic'] },
    probe: googleQuic,
  }),
  named({
    proto: 'bt-dht',
    title: 'BitTorrent DHT Protocol',
    short: 'BT-DHT',
    spec: 'BEP 5',
    on: { 'udp.heuristic': ['bt-dht'] },
    probe: bitTorrent,
  }),
  named({
    proto: 'adwin_config',
    title: 'ADwin configuration protocol',
    short: 'ADwin Config',
    spec: 'none',
    on: { 'udp.heuristic': ['adwin_config'] },
    probe: adwin,
  }),
];
