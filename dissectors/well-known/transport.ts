import { type Ctx, indexOf, No, type Probe, startsWith, u8, u16, u32, type View, Yes } from 'fttscope/kit';
import { fromRows, named } from './named.js';

/** Protocols above UDP and TCP that are only named: found by port, with a look at their first octets where that helps. */
const MAILSLOTS = ['\\MAILSLOT\\BROWSE', '\\MAILSLOT\\LANMAN'];
const BACNET_NETWORK = 0x80;
const NFS = 100_003;
const ADWIN_LENGTHS: ReadonlySet<number> = new Set([22, 52, 92, 96, 100, 104, 432]);

/** Whether the text stands somewhere in the range. */
function holds(b: Uint8Array, off: number, end: number, text: string): boolean {
  const first = text.charCodeAt(0);
  for (let at = indexOf(b, first, off, end); at >= 0; at = indexOf(b, first, at + 1, end))
    if (startsWith(b, at, end, text)) return true;
  return false;
}

/** Where the SMB message of a NetBIOS datagram or session starts, or -1. */
function smbAt(v: View): number {
  for (let at = indexOf(v.buf, 0xff, v.off, v.end); at >= 0; at = indexOf(v.buf, 0xff, at + 1, v.end))
    if (startsWith(v.buf, at + 1, v.end, 'SMB')) return at;
  return -1;
}

function smb(v: View, cx: Ctx): void {
  const at = smbAt(v);
  if (at >= 0) cx.call('smb', v.sub(at));
}

/** ONC RPC calls, RFC 5531 §9: message type 0 and version 2. */
const rpc = (b: Uint8Array, off: number, end: number): Probe =>
  end - off >= 24 && u32(b, off + 4) === 0 && u32(b, off + 8) === 2 && u32(b, off + 12) >>> 16 === NFS >>> 16
    ? Yes
    : No;

const bitTorrent = (b: Uint8Array, off: number, end: number): Probe =>
  startsWith(b, off, end, 'd1:ad2:id20:') || startsWith(b, off, end, 'd1:rd2:id20:') ? Yes : No;

/** A sequence in BER whose length is there, RFC 4511 §4.1.1. */
const ber = (b: Uint8Array, off: number, end: number): Probe => (end - off > 6 && b[off] === 0x30 ? Yes : No);

/** Octets of a frame before the payload: Ethernet, IPv4 and UDP. */
const PLAIN_HEADERS = 42;

/** Wireshark takes datagrams of these lengths that Ethernet broadcasts for it, whatever is in them. */
function adwin(b: Uint8Array, off: number, end: number): Probe {
  if (!ADWIN_LENGTHS.has(end - off) || off < PLAIN_HEADERS || u16(b, off - 30) !== 0x0800) return No;
  return u16(b, off - 42) === 0xffff && u32(b, off - 40) === 0xffffffff ? Yes : No;
}

/** Where the APDU of a BACnet/IP message starts, or -1. ASHRAE 135 Annex J and §6.2. */
function npduAt(v: View): number {
  if (v.length < 4 || v.buf[v.off] !== 0x81) return -1;
  const kind = u8(v.buf, v.off + 1);
  if (kind === 4) return v.off + 10;
  return kind === 10 || kind === 11 || kind === 9 ? v.off + 4 : -1;
}

export const transport = [
  ...fromRows([
    ['nbns', 'NetBIOS Name Service', 'NBNS', 'RFC 1002 §4.2', { 'udp.port': [137] }],
    ['snmp', 'Simple Network Management Protocol', 'SNMP', 'RFC 3416', { 'udp.port': [161, 162] }],
    ['syslog', 'Syslog message', 'Syslog', 'RFC 5424', { 'udp.port': [514] }],
    ['tftp', 'Trivial File Transfer Protocol', 'TFTP', 'RFC 1350', { 'udp.port': [69] }],
    ['rip', 'Routing Information Protocol', 'RIP', 'RFC 2453', { 'udp.port': [520] }],
    ['ripng', 'RIPng', 'RIPng', 'RFC 2080', { 'udp.port': [521] }],
    ['hsrp', 'Cisco Hot Standby Router Protocol', 'HSRP', 'RFC 2281', { 'udp.port': [1985, 2029] }],
    ['cflow', 'Cisco NetFlow/IPFIX', 'CFLOW', 'RFC 3954, RFC 7011', { 'udp.port': [2055, 4739, 9996] }],
    ['sflow', 'InMon sFlow', 'sFlow', 'RFC 3176', { 'udp.port': [6343] }],
    [
      ...(['bfd', 'Bidirectional Forwarding Detection Control Message', 'BFD Control', 'RFC 5880'] as const),
      { 'udp.port': [3784, 4784], 'pwach.channel_type': [7, 34, 35] },
    ],
    ['bjnp', 'Canon BJNP', 'BJNP', 'none', { 'udp.port': [8611, 8612, 8613, 8614] }],
    ['pfcp', 'Packet Forwarding Control Protocol', 'PFCP', 'TS 29.244', { 'udp.port': [8805] }],
    ['smb', 'SMB (Server Message Block Protocol)', 'SMB', 'MS-CIFS', {}],
    ['browser', 'Microsoft Windows Browser Protocol', 'BROWSER', 'MS-BRWS', {}],
    ['nfs', 'Network File System', 'NFS', 'RFC 1813', { 'rpc.program': [NFS] }],
    ['bacapp', 'Building Automation and Control Network APDU', 'BACapp', 'ASHRAE 135 §20', {}],
    ['ftp', 'File Transfer Protocol (FTP)', 'FTP', 'RFC 959', { 'tcp.name': [21] }],
    ['telnet', 'Telnet', 'TELNET', 'RFC 854', { 'tcp.name': [23] }],
    ['pop', 'Post Office Protocol', 'POP', 'RFC 1939', { 'tcp.name': [110], 'tls.name': [995] }],
    ['imap', 'Internet Message Access Protocol', 'IMAP', 'RFC 9051', { 'tcp.name': [143], 'tls.name': [993] }],
    ['mysql', 'MySQL Protocol', 'MySQL', 'none', { 'tcp.name': [3306] }],
  ]),
  named({
    proto: 'bgp',
    title: 'Border Gateway Protocol',
    short: 'BGP',
    spec: 'RFC 4271 §4.1',
    on: { 'tcp.name': [179] },
    /** A message starts with sixteen octets of ones. */
    probe: (b, off, end) =>
      end - off >= 19 && u32(b, off) === 0xffffffff && u32(b, off + 12) === 0xffffffff ? Yes : No,
  }),
  named({
    proto: 'radius',
    title: 'RADIUS Protocol',
    short: 'RADIUS',
    spec: 'RFC 2865 §3',
    on: { 'udp.port': [1645, 1646, 1812, 1813, 3799] },
    /** A length that is that of a message, and no more than there is. */
    probe: (b, off, end) => (end - off >= 20 && u16(b, off + 2) >= 20 && off + u16(b, off + 2) <= end ? Yes : No),
  }),
  named({
    proto: 'nbss',
    title: 'NetBIOS Session Service',
    short: 'NBSS',
    spec: 'RFC 1002 §4.3',
    on: { 'tcp.name': [139, 445] },
    /** A message: its type, and a length that the segment holds. */
    probe: (b, off, end) =>
      end - off >= 4 && (b[off] === 0 || (b[off] >= 0x81 && b[off] <= 0x85)) && off + 4 + u16(b, off + 2) <= end
        ? Yes
        : No,
    calls: ['smb'],
    inner: smb,
  }),
  named({
    proto: 'nbdgm',
    title: 'NetBIOS Datagram Service',
    short: 'NBDS',
    spec: 'RFC 1002 §4.4',
    on: { 'udp.port': [138] },
    calls: ['smb', 'browser'],
    inner(v, cx) {
      smb(v, cx);
      const at = smbAt(v);
      if (at >= 0 && MAILSLOTS.some((name) => holds(v.buf, at, v.end, name))) cx.call('browser', v.sub(at));
    },
  }),
  named({
    proto: 'db-lsp-disc',
    title: 'Dropbox LAN sync Discovery Protocol',
    short: 'DB-LSP-DISC',
    spec: 'none',
    on: { 'udp.port': [17500] },
    tables: ['media_type'],
    inner: (v, cx) => cx.next('media_type', 'application/json', v),
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
    calls: ['bacapp'],
    inner(v, cx) {
      if (v.length > 2 && (u8(v.buf, v.off + 1) & BACNET_NETWORK) === 0) cx.call('bacapp', v.sub(v.off + 2));
    },
  }),
  named({
    proto: 'rpc',
    title: 'Remote Procedure Call',
    short: 'RPC',
    spec: 'RFC 5531',
    on: { 'udp.port': [111], 'udp.heuristic': ['rpc'] },
    tables: ['rpc.program'],
    probe: rpc,
    inner(v, cx) {
      if (v.length >= 24 && cx.takes('rpc.program', u32(v.buf, v.off + 12)))
        cx.next('rpc.program', u32(v.buf, v.off + 12), v.sub(v.off + 24));
    },
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
  named({
    proto: 'ldap',
    title: 'Lightweight Directory Access Protocol',
    short: 'LDAP',
    spec: 'RFC 4511',
    on: { 'tcp.name': [389, 3268] },
    calls: ['ldap.message'],
    probe: ber,
    /** Wireshark lists the messages as a layer of the same name. */
    inner: (v, cx) => void cx.call('ldap.message', v),
  }),
  named({ proto: 'ldap.message', layer: 'ldap', title: 'LDAPMessage', short: 'LDAP', spec: 'RFC 4511 §4.1.1' }),
];
