import { type Dissector, indexOf, latin1, No, type Probe, startsWith, u8, u16, u32, u32le, Yes } from 'fttscope/kit';
import { berLength } from './ber.js';
import { type Named, named } from './named.js';
import { framed } from './streams.js';

/** More protocols above TCP that are only named, by the length that their messages begin with. */

/** Protocol, title, short name, specification, ports, octets that say a length, and how long the message is then. */
type FramedRow = readonly [string, string, string, string, readonly number[], number, Length];
type Length = (b: Uint8Array, off: number) => number;

/** The length stands at the start, and does not count itself. */
const counted: Length = (b, o) => 4 + u32(b, o);

const ROWS: readonly FramedRow[] = [
  ['slsk', 'SoulSeek Protocol', 'SoulSeek', 'none', [2234, 2240, 5534], 4, (b, o) => 4 + u32le(b, o)],
  ['synergy', 'Synergy', 'Synergy', 'none', [24800], 4, counted],
  ['winsrepl', 'WINS (Windows Internet Name Service) Replication', 'WINS-Replication', 'MS-WINSRA', [42], 4, counted],
  ['tacplus', 'TACACS+', 'TACACS+', 'RFC 8907 §4.1', [49], 12, (b, o) => 12 + u32(b, o + 8)],
  ['cops', 'Common Open Policy Service', 'COPS', 'RFC 2748 §2.1', [2126, 3288, 3918], 8, (b, o) => u32(b, o + 4)],
  [
    ...(['pcep', 'Path Computation Element communication Protocol', 'PCEP', 'RFC 5440 §6.1', [4189], 4] as const),
    (b, o) => u16(b, o + 2),
  ],
  ['9p', 'Plan 9', '9P', 'none', [564], 4, (b, o) => u32le(b, o)],
  ['uma', 'Unlicensed Mobile Access', 'UMA', 'TS 43.318', [14001], 2, (b, o) => 2 + u16(b, o)],
  ['rpkirtr', 'RPKI-Router Protocol', 'RPKI-Router Protocol', 'RFC 8210 §5', [323], 8, (b, o) => u32(b, o + 4)],
  ['ancp', 'Access Node Control Protocol', 'ANCP', 'RFC 6320 §3.2', [6068], 4, (b, o) => 4 + u16(b, o + 2)],
  ['ams', 'AMS', 'AMS', 'none', [48898], 6, (b, o) => 6 + u32le(b, o + 2)],
  ['gadu-gadu', 'Gadu-Gadu Protocol', 'Gadu-Gadu', 'none', [8074], 8, (b, o) => 8 + u32le(b, o + 4)],
];

/** RFC 2741 §6.1: a flag says in which order the octets of numbers stand. */
const AGENTX_HEADER = 20;
const AGENTX_NETWORK_ORDER = 0x10;

const HART_IP = 5094;

/** ISO 13400-2 §8: diagnostic messages carry UDS behind two addresses. */
const DOIP_DIAGNOSTIC = 0x8001;
const DOIP_HEADER = 8;

/** Commands of a session that carry AFP. */
const DSI_HEADER = 16;
const DSI_COMMANDS: ReadonlySet<number> = new Set([2, 6]);

/** Four hexadecimal digits are the length of a line of Git; less than four stand for themselves. */
function gitLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 4) return 0;
  const digits = latin1(b, off, off + 4);
  return /^[0-9a-f]{4}$/i.test(digits) ? Math.max(4, Number.parseInt(digits, 16)) : end - off;
}

/** Wireshark shows XML when a segment ends with the end of a tag. */
const GREATER = 0x3e;
const xmppLength = (b: Uint8Array, off: number, end: number): number => (b[end - 1] === GREATER ? end - off : 0);

/** BEP 3: the handshake, then messages behind their length. What is neither is shown as far as it goes. */
const HANDSHAKE = '\x13BitTorrent protocol';
const HANDSHAKE_OCTETS = 68;
const LARGEST_PIECE = 0x20000;
const LAST_TYPE = 23;
function bitTorrentLength(b: Uint8Array, off: number, end: number): number {
  if (startsWith(b, off, end, HANDSHAKE)) return HANDSHAKE_OCTETS;
  if (end - off < 4) return 0;
  const n = u32(b, off);
  if (n === 0) return 4;
  if (end - off < 5) return 0;
  return n <= LARGEST_PIECE && b[off + 4] <= LAST_TYPE ? 4 + n : end - off;
}

/** The networks of Bitcoin, by the first octets of their messages. */
const BITCOIN_NETWORKS: ReadonlySet<number> = new Set([0xf9beb4d9, 0x0b110907, 0xfabfb5da]);
const BITCOIN_HEADER = 24;
const bitcoin = (b: Uint8Array, off: number, end: number): Probe =>
  end - off >= 4 && BITCOIN_NETWORKS.has(u32(b, off)) ? Yes : No;

/** A request for an association, of version 1. DICOM PS3.8 §9.3.2 */
const dicom = (b: Uint8Array, off: number, end: number): Probe =>
  end - off >= 10 && b[off] === 1 && u16(b, off + 6) === 1 && 6 + u32(b, off + 2) >= end - off ? Yes : No;

/** The signatures of NetWare Core Protocol over IP, request and reply; without one a segment goes on with a packet. */
const NCP_SIGNATURES: ReadonlySet<number> = new Set([0x446d6454, 0x744e6350]);
const NCP_HEADER = 8;
const NCP_SIGNED = 0x80000000;
function ncpLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < NCP_HEADER) return 0;
  if (!NCP_SIGNATURES.has(u32(b, off))) return end - off;
  return Math.max(NCP_HEADER, u32(b, off + 4) % NCP_SIGNED);
}

/** Octets of the PDUs of LDP that are whole: one layer holds all that are in a segment. */
const ldpPdu = framed(4, (b, o) => (u16(b, o) === 1 ? 4 + u16(b, o + 2) : -1));
function ldpLength(b: Uint8Array, off: number, end: number): number {
  const first = ldpPdu(b, off, end);
  let next = off + first;
  for (let n = first; n > 0 && next < end; next += n) {
    n = ldpPdu(b, next, end);
    if (n <= 0 || next + n > end) break;
  }
  return first <= 0 ? first : next - off;
}

/** What the first message of OpenWire holds behind its length and its type. */
const OPEN_WIRE = 'ActiveMQ';

/** RFC 2608 §8, and version 1, whose length is shorter. RFC 2165 §4.2 */
const SRVLOC_HEADER = 5;

/** The second length of a DRDA message is that of what follows its first six octets. */
const DRDA_MAGIC = 0xd0;
const drda = (b: Uint8Array, off: number, end: number): Probe =>
  end - off >= 10 && b[off + 2] === DRDA_MAGIC && u16(b, off) === u16(b, off + 6) + 6 ? Yes : No;

/**
 * FIX: the second field, of tag 9, counts the octets between it and the checksum, which has seven. What begins otherwise goes
 * on with a message, for Wireshark.
 */
const FIX = '8=FIX';
const SOH = 1;
const FIX_CHECKSUM = 7;
function fixLength(b: Uint8Array, off: number, end: number): number {
  if (!startsWith(b, off, end, FIX)) return end - off;
  const first = indexOf(b, SOH, off, end);
  const second = first < 0 ? -1 : indexOf(b, SOH, first + 1, end);
  if (second < 0) return 0;
  const length = /^9=(\d{1,7})$/.exec(latin1(b, first + 1, second));
  return length === null ? end - off : second + 1 - off + Number(length[1]) + FIX_CHECKSUM;
}

const JDWP_HANDSHAKE = 'JDWP-Handshake';

/** A protocol that is known by how a stream begins, and whose octets are its from then on. */
const known = (proto: string, title: string, short: string, spec: string, start: string): Dissector =>
  named({
    ...{ proto: `${proto}.stream`, layer: proto, title, short, spec },
    probe: (b, off, end, isKnown) => (isKnown || startsWith(b, off, end, start) ? Yes : No),
    pduLength: (_, off, end) => end - off,
  });

/** The same protocol on its own port, and where its first octets say it. */
function both(n: Named & { probe: NonNullable<Named['probe']> }, ...ports: readonly number[]): Dissector[] {
  const { probe, ...rest } = n;
  return [named({ ...rest, on: { 'tcp.port': ports } }), named({ ...n, proto: `${n.proto}.stream`, layer: n.proto })];
}

/** Protocols of streams whose messages begin with their length. */
export const framedStreams = [
  ...ROWS.map(([proto, title, short, spec, ports, header, length]) =>
    named({ ...{ proto, title, short, spec }, on: { 'tcp.port': ports }, pduLength: framed(header, length) }),
  ),
  named({
    ...{ proto: 'omron.stream', layer: 'omron', title: 'OMRON FINS Protocol', short: 'OMRON', spec: 'none' },
    on: { 'tcp.port': [9600] },
    pduLength: framed(8, (b, o) => 8 + u32(b, o + 4)),
  }),
  named({
    ...{ proto: 'agentx', title: 'AgentX', short: 'AgentX', spec: 'RFC 2741 §6.1' },
    on: { 'tcp.port': [705] },
    pduLength: framed(AGENTX_HEADER, (b, o) => {
      const at = o + AGENTX_HEADER - 4;
      return AGENTX_HEADER + ((u8(b, o + 2) & AGENTX_NETWORK_ORDER) !== 0 ? u32(b, at) : u32le(b, at));
    }),
  }),
  named({
    ...{ proto: 'kpasswd', title: 'MS Kpasswd', short: 'Kpasswd', spec: 'RFC 3244' },
    on: { 'udp.port': [464], 'tcp.port': [464] },
    pduLength: framed(4, counted),
  }),
  named({
    ...{ proto: 'hart_ip', title: 'HART_IP Protocol', short: 'HART_IP', spec: 'IEC 62591' },
    on: { 'tcp.port': [HART_IP] },
    pduLength: framed(8, (b, o) => u16(b, o + 6)),
  }),
  named({
    ...{ proto: 'hart_ip.datagram', layer: 'hart_ip', title: 'HART_IP Protocol', short: 'HART_IP', spec: 'IEC 62591' },
    on: { 'udp.port': [HART_IP] },
    probe: (b, off, end) => (end - off >= 8 && (b[off] === 1 || b[off] === 2) ? Yes : No),
    /** A server may answer from a port of the session's own. */
    track(_, cx) {
      const { version, buf, src } = cx.net;
      if (cx.dport === HART_IP) cx.expect(buf.slice(src, src + (version === 4 ? 4 : 16)), cx.sport, 'hart_ip.datagram');
    },
  }),
  named({
    ...{ proto: 'c1222.stream', layer: 'c1222', title: 'ANSI C12.22', short: 'C12.22', spec: 'ANSI C12.22' },
    on: { 'tcp.port': [1153] },
    pduLength: berLength,
  }),
  named({
    ...{ proto: 'doip', title: 'DoIP (ISO13400) Protocol', short: 'DoIP', spec: 'ISO 13400-2' },
    on: { 'udp.port': [13400], 'tcp.port': [13400] },
    calls: ['uds'],
    pduLength: framed(DOIP_HEADER, (b, o) => DOIP_HEADER + u32(b, o + 4)),
    inner(v, cx) {
      if (v.length > DOIP_HEADER + 4 && u16(v.buf, v.off + 2) === DOIP_DIAGNOSTIC)
        cx.call('uds', v.sub(v.off + DOIP_HEADER + 4));
    },
  }),
  named({ proto: 'uds', title: 'Unified Diagnostic Services', short: 'UDS', spec: 'ISO 14229' }),
  named({
    ...{ proto: 'dsi', title: 'Data Stream Interface', short: 'DSI', spec: 'none' },
    on: { 'tcp.port': [548] },
    calls: ['afp'],
    pduLength: framed(DSI_HEADER, (b, o) => DSI_HEADER + u32(b, o + 8)),
    inner(v, cx) {
      if (v.length > DSI_HEADER && DSI_COMMANDS.has(v.buf[v.off + 1])) cx.call('afp', v.sub(v.off + DSI_HEADER));
    },
  }),
  named({ proto: 'afp', title: 'Apple Filing Protocol', short: 'AFP', spec: 'none' }),
  named({
    ...{ proto: 'git', title: 'Git Smart Protocol', short: 'GIT', spec: 'gitprotocol-common' },
    on: { 'tcp.port': [9418] },
    pduLength: gitLength,
  }),
  named({
    ...{ proto: 'jdwp', title: 'Java Debug Wire Protocol', short: 'JDWP', spec: 'none' },
    on: { 'tcp.port': [9009] },
    pduLength: framed(11, (b, o) => (startsWith(b, o, b.length, JDWP_HANDSHAKE) ? JDWP_HANDSHAKE.length : u32(b, o))),
  }),
  named({
    ...{ proto: 'xmpp', title: 'XMPP Protocol', short: 'XMPP', spec: 'RFC 6120' },
    on: { 'tcp.port': [5222] },
    calls: ['xml'],
    pduLength: xmppLength,
    inner: (v, cx) => void cx.call('xml', v),
  }),
  ...both(
    {
      ...{ proto: 'bittorrent', title: 'BitTorrent', short: 'BitTorrent', spec: 'BEP 3' },
      probe: (b, off, end) => (startsWith(b, off, end, HANDSHAKE) ? Yes : No),
      pduLength: bitTorrentLength,
    },
    ...[6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889],
  ),
  ...both(
    {
      ...{ proto: 'dicom', title: 'DICOM', short: 'DICOM', spec: 'DICOM PS3.8 §9.3' },
      probe: dicom,
      pduLength: framed(6, (b, o) => 6 + u32(b, o + 2)),
    },
    104,
  ),
  named({
    ...{ proto: 'bitcoin', title: 'Bitcoin protocol', short: 'Bitcoin', spec: 'none' },
    probe: bitcoin,
    pduLength: framed(BITCOIN_HEADER, (b, o) => BITCOIN_HEADER + u32le(b, o + 16)),
  }),
  named({
    ...{ proto: 'ncp.stream', layer: 'ncp', title: 'NetWare Core Protocol', short: 'NCP', spec: 'none' },
    on: { 'tcp.port': [524] },
    pduLength: ncpLength,
  }),
  named({
    ...{ proto: 'ldp.stream', layer: '', title: 'Label Distribution Protocol', short: 'LDP', spec: 'RFC 5036 §3.1' },
    on: { 'tcp.port': [646] },
    calls: ['ldp'],
    pduLength: ldpLength,
    inner: (v, cx) => void cx.call('ldp', v),
  }),
  named({
    ...{ proto: 'openwire', title: 'OpenWire', short: 'OpenWire', spec: 'OpenWire 2' },
    probe: (b, off, end) => (startsWith(b, off + 5, end, OPEN_WIRE) ? Yes : No),
    pduLength: framed(5, counted),
  }),
  named({
    ...{ proto: 'srvloc.stream', layer: 'srvloc', title: 'Service Location Protocol', short: 'SRVLOC' },
    ...{ spec: 'RFC 2608 §8', on: { 'tcp.port': [427] } },
    pduLength: framed(SRVLOC_HEADER, (b, o) => (u8(b, o) === 2 ? u32(b, o + 1) & 0xffffff : u16(b, o + 2))),
  }),
  named({
    ...{ proto: 'drda', title: 'DRDA', short: 'DRDA', spec: 'DRDA volume 3' },
    probe: drda,
    pduLength: framed(10, (b, o) => u16(b, o)),
  }),
  named({
    ...{ proto: 'fix', title: 'Financial Information eXchange Protocol', short: 'FIX', spec: 'FIX 4.4' },
    probe: (b, off, end) => (startsWith(b, off, end, FIX) ? Yes : No),
    pduLength: fixLength,
  }),
  known('vnc', 'Virtual Network Computing', 'VNC', 'RFC 6143', 'RFB 00'),
];
