import { latin1, No, startsWith, u16, u32, type View, Yes } from 'fttscope/kit';
import { fromRows, named } from './named.js';

/** Protocols that Wireshark finds by a port, some of them with a look at the first octets, and that are only named. */

/** Verbs of MGCP; those that begin with an X are of somebody's own. RFC 3435 §3.2.1.1 */
const MGCP_VERB = /^(?:EPCF|CRCX|MDCX|DLCX|RQNT|NTFY|AUEP|AUCX|RSIP|MESG|X[A-Z]{3})[ \t]/i;
const MGCP_CODE = /^\d{3}[ \t]/;

/** A verb or the three digits of an answer, and what ends the word. RFC 3435 §3.1 */
function mgcp(b: Uint8Array, off: number, n: number): boolean {
  const word = latin1(b, off, off + Math.min(n, 5));
  return MGCP_VERB.test(word) || MGCP_CODE.test(word);
}

const OICQ_COMMANDS: ReadonlySet<number> = new Set([
  ...[1, 2, 4, 5, 6, 9, 10, 11, 13, 18, 22, 23, 24, 26, 28, 29, 33, 34, 38, 39, 41, 48, 49, 60, 61, 62, 88, 92],
  ...[98, 101, 103, 128, 129, 181],
]);
const oicq = (b: Uint8Array, off: number, n: number): boolean =>
  n >= 5 && b[off] === 2 && OICQ_COMMANDS.has(u16(b, off + 3));

/** Packet types of Rx, and where one stands. */
const RX_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 13]);
const RX_HEADER = 28;
const RX_TYPE = 20;
const RX_DATA = 1;

/** A message of PANA says how long it is, in whole words, and is of four types. RFC 5191 §6.2, §7 */
const PANA_TYPES = 4;
function pana(b: Uint8Array, off: number, n: number): boolean {
  if (n < 16 || u16(b, off) !== 0 || u16(b, off + 2) !== n || n % 4 !== 0) return false;
  return (u16(b, off + 4) & 0x03ff) === 0 && u16(b, off + 6) >= 1 && u16(b, off + 6) <= PANA_TYPES;
}

/** Message types of GTP', the charging protocol. TS 32.295 §6.2.1 */
const CHARGING: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 240, 241]);
const gtpPrime = (b: Uint8Array, off: number, n: number): boolean =>
  n >= 6 && b[off] >> 5 <= 2 && (b[off] & 0x10) === 0 && CHARGING.has(b[off + 1]);

const IAX_FULL = 0x8000;
const IAX_VOICE = 2;
const IAX_VIDEO = 3;

/** Where voice or video starts in a frame of IAX2, or -1: small frames hold nothing else. RFC 5456 §8.1.1, §8.1.2 */
function iaxMedia({ buf, off, length }: View): number {
  const call = length < 4 ? 0 : u16(buf, off);
  if (call === 0) return -1;
  if ((call & IAX_FULL) === 0) return off + 4;
  const isMedia = length > 12 && (buf[off + 10] === IAX_VOICE || buf[off + 10] === IAX_VIDEO);
  return isMedia ? off + 12 : -1;
}

const TLS_PORTS = [
  ...[324, 443, 465, 636, 802, 853, 993, 995, 1300, 2221, 2443, 3249, 3250, 3251, 3252, 3496, 5061, 5671, 5684, 5868],
  ...[8883, 11207, 19999, 27017],
];

function isPrintable(b: Uint8Array, off: number, end: number): boolean {
  for (let i = off; i < end; i++) if (b[i] < 0x20 || b[i] > 0x7e) return false;
  return true;
}

/** Protocols that are known by their port alone. */
export const portsOnly = [
  ...fromRows([
    ['a21', 'A21 Protocol', 'A21', 'none', { 'udp.port': [23272] }],
    ['adp', 'Aruba Discovery Protocol', 'ADP', 'none', { 'udp.port': [8200] }],
    ['ajns', 'AllJoyn Name Service Protocol', 'AllJoyn NS', 'none', { 'udp.port': [9956], 'tcp.name': [9956] }],
    [
      ...(['asap', 'Aggregate Server Access Protocol', 'ASAP', 'RFC 5352'] as const),
      { 'udp.port': [3863], 'tcp.name': [3863], 'sctp.port': [3863], 'sctp.ppi': [11] },
    ],
    ['asterix', 'ASTERIX packet', 'ASTERIX', 'EUROCONTROL ASTERIX', { 'udp.port': [8600] }],
    ['auto_rp', 'Cisco Auto-RP', 'Auto-RP', 'none', { 'udp.port': [496] }],
    ['ax4000', 'AX/4000 Test Block', 'AX4000', 'none', { 'udp.port': [3357], 'tcp.name': [3357] }],
    ['beep', 'Blocks Extensible Exchange Protocol', 'BEEP', 'RFC 3080', { 'tcp.name': [10288] }],
    ['bfd_echo', 'Bidirectional Forwarding Detection Echo Packet', 'BFD Echo', 'RFC 5880', { 'udp.port': [3785] }],
    ['c1222', 'ANSI C12.22', 'C12.22', 'ANSI C12.22', { 'udp.port': [1153] }],
    [
      'capwap',
      'Control And Provisioning of Wireless Access Points - Control',
      'CAPWAP-CONTROL',
      'RFC 5415',
      { 'udp.port': [5246] },
    ],
    [
      'capwap.data',
      'Control And Provisioning of Wireless Access Points - Data',
      'CAPWAP-DATA',
      'none',
      { 'udp.port': [5247] },
    ],
    ['cbsp', '3GPP/GSM Cell Broadcast Service Protocol', 'cbsp', 'TS 48.049', { 'tcp.name': [48049] }],
    ['chargen', 'Character Generator Protocol', 'Chargen', 'RFC 864', { 'udp.port': [19], 'tcp.name': [19] }],
    ['cldap', 'Connectionless Lightweight Directory Access Protocol', 'CLDAP', 'RFC 1798', { 'udp.port': [389] }],
    ['distcc', 'Distcc Distributed Compiler', 'DISTCC', 'none', { 'tcp.name': [3632] }],
    ['icap', 'Internet Content Adaptation Protocol', 'ICAP', 'RFC 3507', { 'tcp.name': [1344] }],
    ['quake2', 'Quake II Network Protocol', 'QUAKE2', 'none', { 'udp.port': [27910] }],
    ['woww', 'World of Warcraft World', 'WOWW', 'none', { 'tcp.name': [8085] }],
    ['cvspserver', 'CVS pserver', 'cvspserver', 'none', { 'tcp.name': [2401] }],
    ['daytime', 'Daytime Protocol', 'DAYTIME', 'RFC 867', { 'udp.port': [13], 'tcp.name': [13] }],
    ['dis', 'Distributed Interactive Simulation', 'DIS', 'IEEE 1278', { 'udp.port': [3000] }, (_, __, n) => n >= 12],
    ['dlep', 'Dynamic Link Exchange Protocol', 'DLEP', 'RFC 8175', { 'udp.port': [854] }],
    ['dof', 'DOF Protocol Stack', 'DOF', 'none', { 'udp.port': [3567, 5567] }],
    ['dpnet', 'DirectPlay 8 protocol', 'DPNET', 'none', { 'udp.port': [6073] }],
    ['echo', 'Echo', 'ECHO', 'RFC 862', { 'udp.port': [7], 'tcp.name': [7] }],
    ['ecmp', 'ECMP', 'ECMP', 'none', { 'udp.port': [6160] }, (_, __, n) => n >= 6],
    ['elasticsearch', 'Elasticsearch', 'Elasticsearch', 'none', { 'udp.port': [54328], 'tcp.name': [9300] }],
    [
      ...(['enrp', 'Endpoint Handlespace Redundancy Protocol', 'ENRP', 'RFC 5353'] as const),
      { 'udp.port': [9901], 'sctp.port': [9901], 'sctp.ppi': [12] },
    ],
    ['exec', 'Remote Process Execution', 'EXEC', 'none', { 'tcp.name': [512] }],
    ['find', 'Find Identification of Network Devices', 'FIND', 'none', { 'udp.port': [1001] }],
    ['gearman', 'Gearman Protocol', 'Gearman', 'none', { 'tcp.name': [4730] }],
    ['gift', 'giFT Internet File Transfer', 'giFT', 'none', { 'tcp.name': [1213] }],
    ['gopher', 'Gopher', 'Gopher', 'RFC 1436', { 'tcp.name': [70] }],
    ['h248', 'H.248 MEGACO', 'H.248', 'ITU-T H.248.1', { 'udp.port': [2945], 'tcp.name': [2945] }],
    ['h501', 'H.501 Mobility', 'H.501', 'ITU-T H.501', { 'udp.port': [2099], 'tcp.name': [2099] }],
    ['hcrt', 'Hotline Command-Response Transaction protocol', 'HCrt', 'none', { 'udp.port': [47000] }],
    ['hicp', 'Host IP Configuration Protocol', 'HICP', 'none', { 'udp.port': [3250] }],
    ['hiqnet', 'Harman HiQnet', 'HiQnet', 'none', { 'udp.port': [3804] }],
    ['iapp', 'Inter-Access-Point Protocol', 'IAPP', 'IEEE 802.11F', { 'udp.port': [2313] }],
    ['icp', 'Internet Cache Protocol', 'ICP', 'RFC 2186', { 'udp.port': [3130] }],
    ['icq', 'ICQ Protocol', 'ICQ', 'none', { 'udp.port': [4000] }, (b, o, n) => n >= 2 && b[o] >= 2 && b[o] <= 5],
    ['idn', 'Ilda Digital Network Protocol', 'IDN', 'none', { 'udp.port': [7255] }],
    ['ipsictl', 'IPSICTL', 'IPSICTL', 'none', { 'tcp.name': [5010] }],
    ['ipvs', 'IP Virtual Services Sync Daemon', 'IPVS', 'none', { 'udp.port': [8848] }],
    ['isns', 'iSNS', 'iSNS', 'RFC 4171', { 'udp.port': [3205] }, (b, o, n) => n >= 12 && u16(b, o) === 1],
    ['kdp', 'Kontiki Delivery Protocol', 'KDP', 'none', { 'udp.port': [19948] }],
    ['kink', 'Kerberized Internet Negotiation of Key', 'KINK', 'RFC 4430', { 'udp.port': [910] }],
    ['kip', 'KNX/IP', 'KNX/IP', 'none', { 'udp.port': [3671] }],
    ['knet', 'kNet Protocol', 'KNET', 'none', { 'udp.port': [2345] }],
    [
      'lsd',
      'Local Service Discovery',
      'LSD',
      'BEP 14',
      { 'udp.heuristic': ['lsd'] },
      (b, o, n) => startsWith(b, o, o + n, 'BT-SEARCH * HTTP/'),
    ],
    ['manolito', 'Blubster/Piolet MANOLITO Protocol', 'Manolito', 'none', { 'udp.port': [41170] }],
    ['memcache', 'Memcache Protocol', 'MEMCACHE', 'none', { 'udp.port': [11211], 'tcp.name': [11211] }],
    ['mgcp', 'Media Gateway Control Protocol', 'MGCP', 'RFC 3435', { 'udp.port': [2427, 2727] }, mgcp],
    ['mih', 'Media-Independent Handover', 'MIH', 'IEEE 802.21', { 'udp.port': [4551], 'tcp.name': [4551] }],
    ['mikey', 'Multimedia Internet KEYing', 'MIKEY', 'RFC 3830', { 'udp.port': [2269], 'tcp.name': [2269] }],
    ['mint', 'Media Independent Network Transport', 'MINT', 'none', { 'udp.port': [24576, 24577] }],
    ['mip', 'Mobile IP', 'Mobile IP', 'RFC 5944', { 'udp.port': [434] }],
    ['msdp', 'Multicast Source Discovery Protocol', 'MSDP', 'RFC 3618', { 'tcp.name': [639] }],
    ['msnms', 'MSN Messenger Service', 'MSNMS', 'none', { 'tcp.name': [1863] }],
    ['msproxy', 'MS Proxy Protocol', 'MS Proxy', 'none', { 'udp.port': [1745] }],
    ['nano', 'Nano Cryptocurrency Protocol', 'Nano', 'none', { 'tcp.name': [7075] }],
    ['ncp', 'NetWare Core Protocol', 'NCP', 'none', { 'udp.port': [524] }],
    ['oicq', 'OICQ - IM software, popular in China', 'OICQ', 'none', { 'udp.port': [8000] }, oicq],
    ['pktc', 'PacketCable', 'PKTC', 'PacketCable', { 'udp.port': [1293] }],
    ['pktc.mtafqdn', 'PacketCable MTA FQDN', 'PKTC MTA FQDN', 'none', { 'udp.port': [2246] }],
    ['pmproxy', 'Performance Co-Pilot Proxy', 'PMPROXY', 'none', { 'tcp.name': [44322] }],
    ['raknet', 'RakNet game networking protocol', 'RakNet', 'none', { 'udp.port': [19132] }],
    [
      ...(['pana', 'Protocol for carrying Authentication for Network Access', 'PANA', 'RFC 5191 §6'] as const),
      ...([{ 'udp.heuristic': ['pana'] }, pana] as const),
    ],
    ['gtpprime', 'GTP Prime', "GTP'", 'TS 32.295', { 'udp.port': [3386] }, gtpPrime],
    ['rdt', 'Real Data Transport', 'RDT', 'none', { 'udp.port': [6970] }],
    ['rlogin', 'Rlogin Protocol', 'Rlogin', 'RFC 1282', { 'tcp.name': [513] }],
    ['rmi', 'Java RMI', 'RMI', 'none', { 'tcp.name': [1099] }],
    ['rsip', 'Realm Specific IP Protocol', 'RSIP', 'RFC 3103', { 'udp.port': [4555], 'tcp.name': [4555] }],
    ['rsync', 'RSYNC File Synchroniser', 'RSYNC', 'none', { 'tcp.name': [873] }],
    [
      'rtps',
      'Real-Time Publish-Subscribe Wire Protocol',
      'RTPS',
      'none',
      { 'udp.heuristic': ['rtps'] },
      (b, o, n) => n >= 8 && (startsWith(b, o, o + n, 'RTPS') || startsWith(b, o, o + n, 'RTPX')),
    ],
    ['tacacs', 'TACACS', 'TACACS', 'RFC 1492', { 'udp.port': [49] }],
    ['tetra', 'TETRA Protocol', 'TETRA', 'ETSI EN 300 392', { 'udp.port': [7074] }],
    ['tfp', 'Tinkerforge Protocol', 'TFP', 'none', { 'tcp.name': [4223] }],
    ['time', 'Time Protocol', 'TIME', 'RFC 868', { 'udp.port': [37], 'tcp.name': [37] }],
    ['tpm', 'TPM2.0 Protocol', 'TPM2.0', 'TPM 2.0', { 'tcp.name': [2321, 2322] }],
    ['ts2', 'Teamspeak2 Protocol', 'TeamSpeak2', 'none', { 'udp.port': [8767] }],
    ['tzsp', 'Tazmen Sniffer Protocol', 'TZSP', 'none', { 'udp.port': [37008] }],
    ['uaudp', 'UA/UDP Encapsulation Protocol', 'UAUDP', 'none', { 'udp.port': [32000, 32512] }],
    ['vrt', 'VITA 49 radio transport protocol', 'VITA 49', 'VITA 49', { 'udp.port': [4991] }],
    ['vuze-dht', 'Vuze DHT Protocol', 'Vuze-DHT', 'none', { 'udp.port': [11273] }],
    [
      'wccp',
      'Web Cache Communication Protocol',
      'WCCP',
      'none',
      { 'udp.port': [2048] },
      (b, o, n) => n >= 4 && u32(b, o) >= 7 && u32(b, o) <= 13,
    ],
    ['who', 'Who', 'WHO', 'none', { 'udp.port': [513] }],
    ['wlccp', 'Cisco Wireless LAN Context Control Protocol', 'WLCCP', 'none', { 'udp.port': [2887] }],
    ['wow', 'World of Warcraft', 'WOW', 'none', { 'tcp.name': [3724] }],
    ['wsp', 'Wireless Session Protocol', 'WSP', 'WAP-230-WSP', { 'udp.port': [2948, 9200] }],
    ['wtls', 'Wireless Transport Layer Security', 'WTLS', 'WAP-261-WTLS', { 'udp.port': [2949, 9202, 9203] }],
    ['wtp', 'Wireless Transaction Protocol', 'WTP', 'WAP-224-WTP', { 'udp.port': [9201] }],
    ['xyplex', 'Xyplex', 'XYPLEX', 'none', { 'udp.port': [173] }],
    ['zebra', 'Zebra Protocol', 'ZEBRA', 'none', { 'tcp.name': [2600] }],
  ]),
  // What is no record, on the ports of TLS: unless it begins with text, Wireshark says that something goes on.
  named({
    ...{ proto: 'tls.continuation', layer: 'tls', title: 'Transport Layer Security', short: 'TLS', spec: 'RFC 8446' },
    on: { 'tcp.name': TLS_PORTS },
    probe: (b, off, end) => (end - off > 4 && isPrintable(b, off, off + 4) ? No : Yes),
  }),
  named({
    ...{ proto: 'iax2', title: 'Inter-Asterisk eXchange v2', short: 'IAX2', spec: 'RFC 5456 §8.1' },
    on: { 'udp.port': [4569] },
    inner(v, cx) {
      const at = iaxMedia(v);
      if (at > 0 && at < v.end) cx.data(v.sub(at));
    },
  }),
  named({
    ...{ proto: 'rx', title: 'RX Protocol', short: 'RX', spec: 'none' },
    on: { 'udp.port': [7000, 7001, 7002, 7003, 7004, 7005, 7006, 7007, 7008, 7009, 7021] },
    calls: ['afs'],
    probe: (b, off, end) => (end - off >= RX_HEADER && RX_TYPES.has(b[off + RX_TYPE]) ? Yes : No),
    inner(v, cx) {
      if (v.length > RX_HEADER && v.buf[v.off + RX_TYPE] === RX_DATA) cx.call('afs', v.sub(v.off + RX_HEADER));
    },
  }),
  named({ proto: 'afs', title: 'Andrew File System (AFS)', short: 'AFS (RX)', spec: 'none' }),
];
