import { type Ctx, No, type Probe, startsWith, u8, u16, u16le, u32, u32le, type View, Yes } from 'fttscope/kit';
import { proof } from './gss.js';
import { type Named, named } from './named.js';

/**
 * Protocols above TCP that are only named, whose messages say how long they are: a frame that completes none stays TCP's.
 */

/** How long a message is whose first `header` octets say it; a `length` less than those is that of no message. */
export const framed =
  (header: number, length: (b: Uint8Array, off: number) => number): NonNullable<Named['pduLength']> =>
  (b, off, end) => {
    if (end - off < header) return 0;
    const n = length(b, off);
    return n < header ? -1 : n;
  };

/** MQTT 5.0 §2.1: a type, and a length of one to four octets that have seven bits each. */
function mqttLength(b: Uint8Array, off: number, end: number): number {
  if (u8(b, off) >> 4 === 0) return -1;
  let n = 0;
  for (let i = 0; i < 4; i++) {
    const at = off + 1 + i;
    if (at >= end) return 0;
    n += (b[at] & 0x7f) * 2 ** (7 * i);
    if (b[at] < 0x80) return 2 + i + n;
  }
  return -1;
}

/** First octets of Kerberos 5: the tags of RFC 4120 §5, each of which may be constructed. */
const KERBEROS_TAGS: ReadonlySet<number> = new Set([
  ...[0x41, 0x42, 0x43, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x54, 0x55, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e],
]);

/** Version 4 and a message type, whose last bit says the order of octets. */
function isKerberos4(b: Uint8Array, off: number, end: number): boolean {
  if (end - off < 2 || b[off] !== 4) return false;
  const type = b[off + 1] >>> 1;
  return (type >= 1 && type <= 8) || type === 63;
}

/** Answers to a request for TLS: yes, or no. */
const AGREED = 0x53;
const REFUSED = 0x4e;

/** What the server says to a request for TLS has one octet, what begins a session no type. PostgreSQL §55.2, §55.7 */
function postgresLength(b: Uint8Array, off: number, end: number): number {
  if (end - off === 1 && (u8(b, off) === AGREED || u8(b, off) === REFUSED)) return 1;
  const at = u8(b, off) === 0 ? off : off + 1;
  if (end - at < 4) return 0;
  const n = u32(b, at);
  return n < 4 ? -1 : at - off + n;
}

/** IEEE 1815 §9.2: what follows the header is in blocks of up to 16 octets, each with a CRC. */
function dnp3Length(b: Uint8Array, off: number, end: number): number {
  if (end - off < 3) return 0;
  const n = b[off + 2];
  if (u16(b, off) !== 0x0564 || n < 5) return -1;
  return 5 + n + 2 * Math.ceil((n - 5) / 16);
}

/** A connection-oriented PDU, DCE 1.1 RPC §12.6: version, type, data representation, and length. */
function dcerpcProbe(b: Uint8Array, off: number, end: number): Probe {
  if (end - off < 16 || u8(b, off) !== 5 || b[off + 1] > 1 || b[off + 2] > 20) return No;
  const fits = (b[off + 4] & 0xee) === 0 && b[off + 5] <= 3 && u16(b, off + 6) === 0;
  return fits && dcerpcSize(b, off) >= 16 ? Yes : No;
}

const dcerpcSize = (b: Uint8Array, off: number): number =>
  (u8(b, off + 4) & 0x10) !== 0 ? u16le(b, off + 8) : u16(b, off + 8);

/** Octets of a PDU of DCE/RPC in a stream; 0: more are needed, -1: it is something else. DCE 1.1 RPC §12.6 */
export function dcerpcLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 16) return u8(b, off) === 5 ? 0 : -1;
  return dcerpcProbe(b, off, end) === Yes ? dcerpcSize(b, off) : -1;
}

/** Kinds of PDU that carry a proof of who binds, bind to auth3; and what it is made by. MS-RPCE §2.2.1.1.7 */
const BIND = 11;
const AUTH3 = 16;
const SPNEGO = 9;
const KERBEROS = 16;
const AUTH_HEADER = 8;
const WRAPPED = 0x0504;
/** A signature of NTLM, of version 1. MS-NLMP §2.2.2.9 */
const NTLM_SIGNATURE = 16;

/** Names the proof at the end of a PDU. DCE 1.1 RPC §13.2.6.1 */
function dcerpcProof(v: View, cx: Ctx): void {
  const { buf, off } = v;
  const octets = v.length < 16 ? 0 : (buf[off + 4] & 0x10) !== 0 ? u16le(buf, off + 10) : u16(buf, off + 10);
  const at = v.end - octets;
  if (octets === 0 || at - AUTH_HEADER < off + 16) return;
  const kind = buf[at - AUTH_HEADER];
  const token = v.sub(at);
  if (buf[off + 2] >= BIND && buf[off + 2] <= AUTH3) {
    if (kind === SPNEGO || kind === KERBEROS) proof(token, cx, false);
  } else if (kind === SPNEGO && token.length === NTLM_SIGNATURE && u32le(buf, at) === 1) cx.call('ntlmssp', token);
  else if (kind === SPNEGO || kind === KERBEROS) {
    const isWrapped = token.length > 1 && u16(buf, at) === WRAPPED;
    for (let i = isWrapped ? 2 : 1; i > 0; i--) cx.call(isWrapped ? 'spnego-krb5' : 'spnego', token);
  }
}

/** A connectionless PDU, DCE 1.1 RPC §12.5.1: version 4, type, flags and data representation. */
function dcerpcDatagram(b: Uint8Array, off: number, end: number): Probe {
  if (end - off < 80 || b[off] !== 4 || b[off + 1] > 10) return No;
  return (b[off + 2] & 0xc0) === 0 && (b[off + 3] & 0xfc) === 0 && (b[off + 4] & 0xee) === 0 && b[off + 5] <= 3
    ? Yes
    : No;
}

/** OpenFlow Switch §7.1, by version. */
const OPENFLOW = new Map([
  [1, 'openflow_v1'],
  [4, 'openflow_v4'],
  [5, 'openflow_v5'],
  [6, 'openflow_v6'],
]);

/** Length of three octets, and a number. */
const MYSQL_HEADER = 4;

/** Types of TNS packets; what stands in those of data, behind the flags, and how many octets say so. */
const TNS_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 19]);
const TNS_DATA = 6;
const TNS_HEADER = 10;
const SET_PROTOCOL = 1;
const FUNCTION_CALL = 3;
const NETWORK_SERVICES = 0xdeadbeef;

/** Where what Wireshark shows as data of a TNS packet starts, or -1. */
function tnsData({ buf, off, end }: View): number {
  const at = off + TNS_HEADER;
  if (end - at < 1 || buf[off + 4] !== TNS_DATA) return -1;
  if (end - at >= 4 && u32(buf, at) === NETWORK_SERVICES) return at;
  if (buf[at] === SET_PROTOCOL) return -1;
  return buf[at] === FUNCTION_CALL ? at + 2 : at + 1;
}
/** Octets before the data of a frame that carries some: its control field says so in its first bit. */
const IEC_CONTROL = 6;
const AMQP_HEADER = 'AMQP';

/** Protocols of streams, cut into messages and named. */
export const streams = [
  named({
    ...{ proto: 'mqtt', title: 'MQ Telemetry Transport Protocol', short: 'MQTT', spec: 'MQTT 5.0 §2' },
    on: { 'tcp.port': [1883] },
    pduLength: mqttLength,
  }),
  named({
    ...{ proto: 'pgsql', title: 'PostgreSQL', short: 'PGSQL', spec: 'PostgreSQL §55' },
    on: { 'tcp.port': [5432] },
    pduLength: postgresLength,
    // Wireshark waits for more than the one octet that says whether TLS follows.
    inner(v, cx) {
      if (v.length === 1) cx.data(v.sub(v.end), true);
    },
  }),
  named({
    ...{ proto: 'mbtcp', title: 'Modbus/TCP', short: 'Modbus/TCP', spec: 'Modbus TCP/IP §3.1.3' },
    on: { 'tcp.port': [502] },
    calls: ['modbus'],
    pduLength: framed(8, (b, o) => (u16(b, o + 2) === 0 ? 6 + u16(b, o + 4) : -1)),
    inner: (v, cx) => void cx.call('modbus', v.sub(v.off + 7)),
  }),
  named({ proto: 'modbus', title: 'Modbus', short: 'Modbus', spec: 'Modbus application protocol §4' }),
  named({
    ...{ proto: 'dnp3', title: 'Distributed Network Protocol 3.0', short: 'DNP 3.0', spec: 'IEEE 1815' },
    on: { 'tcp.port': [20000] },
    pduLength: dnp3Length,
  }),
  named({
    ...{ proto: 'dnp3.datagram', layer: 'dnp3', title: 'Distributed Network Protocol 3.0', short: 'DNP 3.0' },
    ...{ spec: 'IEEE 1815', on: { 'udp.port': [20000] } },
    probe: (b, off, end) => (end - off >= 10 && u16(b, off) === 0x0564 ? Yes : No),
  }),
  named({
    ...{ proto: 'dcerpc', title: 'Distributed Computing Environment / Remote Procedure Call (DCE/RPC)' },
    ...{ short: 'DCERPC', spec: 'DCE 1.1 RPC §12.6' },
    calls: ['spnego', 'spnego-krb5', 'ntlmssp'],
    probe: dcerpcProbe,
    pduLength: dcerpcLength,
    inner: dcerpcProof,
  }),
  named({
    ...{ proto: 'dcerpc.datagram', layer: 'dcerpc', short: 'DCERPC', spec: 'DCE 1.1 RPC §12.5' },
    title: 'Distributed Computing Environment / Remote Procedure Call (DCE/RPC)',
    on: { 'udp.heuristic': ['dcerpc'] },
    probe: dcerpcDatagram,
  }),
  named({
    ...{ proto: 'openflow', title: 'OpenFlow', short: 'OpenFlow', spec: 'OpenFlow Switch §7' },
    on: { 'tcp.port': [6633, 6653] },
    calls: [...OPENFLOW.values()],
    pduLength: framed(8, (b, o) => (OPENFLOW.has(u8(b, o)) ? u16(b, o + 2) : -1)),
    inner: (v, cx) => void cx.call(OPENFLOW.get(u8(v.buf, v.off)) ?? '', v),
  }),
  ...[...OPENFLOW].map(([version, proto]) =>
    named({ proto, title: `OpenFlow ${version}`, short: 'OpenFlow', spec: 'OpenFlow Switch §7' }),
  ),
  named({
    ...{ proto: 'kerberos', title: 'Kerberos', short: 'KRB5', spec: 'RFC 4120 §7.2.2' },
    on: { 'tcp.port': [88] },
    pduLength: framed(4, (b, o) => 4 + u32(b, o)),
  }),
  named({
    ...{ proto: 'kerberos.datagram', layer: 'kerberos', title: 'Kerberos', short: 'KRB5', spec: 'RFC 4120 §7.2.1' },
    on: { 'udp.port': [88] },
    calls: ['krb4'],
    probe: (b, off, end) => (end > off && (isKerberos4(b, off, end) || KERBEROS_TAGS.has(b[off] & 0xdf)) ? Yes : No),
    inner(v, cx) {
      if (isKerberos4(v.buf, v.off, v.end)) cx.call('krb4', v);
    },
  }),
  named({
    ...{ proto: 'krb4', title: 'Kerberos v4', short: 'KRB4', spec: 'Project Athena E.2.1' },
    on: { 'udp.port': [750] },
    probe: (b, off, end) => (isKerberos4(b, off, end) ? Yes : No),
  }),
  named({
    ...{ proto: 'mysql', title: 'MySQL Protocol', short: 'MySQL', spec: 'MySQL client/server protocol §14.1.2' },
    on: { 'tcp.port': [3306] },
    pduLength: framed(MYSQL_HEADER, (b, o) => MYSQL_HEADER + u8(b, o) + (u16le(b, o + 1) << 8)),
  }),
  named({
    ...{ proto: 'tds', title: 'Tabular Data Stream', short: 'TDS', spec: 'MS-TDS §2.2.3' },
    on: { 'tcp.port': [1433, 2433] },
    pduLength: framed(8, (b, o) => (u8(b, o) >= 1 && u8(b, o) <= 18 ? u16(b, o + 2) : -1)),
  }),
  named({
    ...{ proto: 'tns', title: 'Transparent Network Substrate Protocol', short: 'TNS', spec: 'none' },
    on: { 'tcp.port': [1521] },
    pduLength: framed(8, (b, o) => (TNS_TYPES.has(b[o + 4]) ? u16(b, o) || u32(b, o) : -1)),
    inner(v, cx) {
      const at = tnsData(v);
      if (at > 0 && at < v.end) cx.data(v.sub(at));
    },
  }),
  named({
    ...{ proto: 'iec60870_104', title: 'IEC 60870-5-104', short: 'IEC 60870-5-104', spec: 'IEC 60870-5-104 §5' },
    on: { 'tcp.port': [2404] },
    calls: ['iec60870_asdu'],
    pduLength: framed(2, (b, o) => (u8(b, o) === 0x68 ? 2 + u8(b, o + 1) : -1)),
    inner(v, cx) {
      if (v.length > IEC_CONTROL && (v.buf[v.off + 2] & 1) === 0) cx.call('iec60870_asdu', v.sub(v.off + IEC_CONTROL));
    },
  }),
  named({
    ...{ proto: 'iec60870_asdu', title: 'IEC 60870-5-101/104 ASDU', short: 'IEC 60870-5 ASDU' },
    ...{ spec: 'IEC 60870-5-104 §5.1' },
  }),
  named({
    ...{ proto: 'ajp13', title: 'Apache JServ Protocol v1.3', short: 'AJP13', spec: 'AJPv13' },
    on: { 'tcp.port': [8009] },
    pduLength: framed(4, (b, o) => (u16(b, o) === 0x1234 || u16(b, o) === 0x4142 ? 4 + u16(b, o + 2) : -1)),
  }),
  named({
    ...{ proto: 'smpp', title: 'Short Message Peer to Peer', short: 'SMPP', spec: 'SMPP 3.4 §3.2' },
    on: { 'tcp.port': [2775] },
    pduLength: framed(16, (b, o) => u32(b, o)),
  }),
  named({
    ...{ proto: 'cql', title: 'Cassandra CQL Protocol', short: 'CQL', spec: 'CQL binary protocol §2' },
    on: { 'tcp.port': [9042] },
    pduLength: framed(9, (b, o) => 9 + u32(b, o + 5)),
  }),
  named({
    ...{ proto: 'amqp', title: 'Advanced Message Queuing Protocol', short: 'AMQP', spec: 'AMQP 0-9-1 §4.2' },
    on: { 'tcp.port': [5672] },
    pduLength: framed(8, (b, o) => (startsWith(b, o, o + 4, AMQP_HEADER) ? 8 : 8 + u32(b, o + 3))),
  }),
  named({
    ...{ proto: 'opcua', title: 'OpcUa Binary Protocol', short: 'OpcUa', spec: 'IEC 62541-6 §7.1' },
    on: { 'tcp.port': [4840] },
    pduLength: framed(8, (b, o) => u32le(b, o + 4)),
  }),
  named({
    ...{ proto: 'kafka', title: 'Kafka', short: 'Kafka', spec: 'none' },
    on: { 'tcp.port': [9092] },
    pduLength: framed(4, (b, o) => 4 + u32(b, o)),
  }),
  named({
    ...{ proto: 'pptp', title: 'Point-to-Point Tunnelling Protocol', short: 'PPTP', spec: 'RFC 2637 §1.4' },
    on: { 'tcp.port': [1723] },
    pduLength: framed(8, (b, o) => (u32(b, o + 4) === 0x1a2b3c4d ? u16(b, o) : -1)),
  }),
  named({
    ...{ proto: 'synphasor', title: 'IEEE C37.118 Synchrophasor Protocol', short: 'SYNCHROPHASOR' },
    ...{ spec: 'IEEE C37.118 §6.2', on: { 'tcp.port': [4712], 'udp.port': [4713] } },
    pduLength: framed(4, (b, o) => (u8(b, o) === 0xaa ? u16(b, o + 2) : -1)),
  }),
];
