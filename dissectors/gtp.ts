import {
  defineDissector,
  fields,
  Malformed,
  nameOf,
  need,
  type Peek,
  put16,
  put32,
  type Tree,
  u8,
  u16,
  u24,
  u32,
  type View,
} from 'fttscope/kit';
import { PPP_OPTIONS, pppOptions } from './well-known/ppp-options.js';

/**
 * GPRS Tunnelling Protocol, TS 29.281 §5.1: user packets (T-PDU) and their signalling on port 2152 (GTP-U). GTP-C on
 * port 2123 has the same header (TS 29.060 §6); of its messages, and of those of its version 2 (TS 29.274 §5.1), the
 * header is shown:
 *
 *     +-----+--+-+-+-+--+---------------+-------------------------------+
 *     |Vers.|PT|*|E|S|PN| Message Type  |            Length             |
 *     +-----+--+-+-+-+--+---------------+-------------------------------+
 *     |                 Tunnel Endpoint Identifier                      |
 *     +- - - - - - - - - - - - - - - - -+- - - - - - - -+- - - - - - - -+
 *     |  E, S or PN: Sequence Number    |  N-PDU Number | Next Ext. Type|
 *     +---------------------------------+---------------+---------------+
 *     |  extension headers: length in words (8) … next extension type (8)
 *
 * The 20 octets of version 0 (GSM 09.60 §6) have a sequence number, a flow label and a TID of eight octets.
 */
const HEADER = 8;
const OPTIONAL = 4;
const HEADER_0 = 20;
const PRESENT = 7;
const EXTENSION = 4;
const GTP = 0x10;
const T_PDU = 255;
const USER_PORT = 2152;
const CONTROL_PORT = 2123;
const LONG_PDCP = 0x82;
const UDP_PORT = 0x40;
const PDU_SESSION = 0x85;
const PDCP = 0xc0;

const MESSAGES: Readonly<Record<number, string>> = {
  1: 'Echo request',
  2: 'Echo response',
  3: 'Version not supported',
  16: 'Create PDP context request',
  17: 'Create PDP context response',
  18: 'Update PDP context request',
  19: 'Update PDP context response',
  20: 'Delete PDP context request',
  21: 'Delete PDP context response',
  26: 'Error indication',
  27: 'PDU notification request',
  28: 'PDU notification response',
  31: 'Supported extension header notification',
  50: 'SGSN context request',
  51: 'SGSN context response',
  52: 'SGSN context acknowledgement',
  53: 'Forward relocation request',
  54: 'Forward relocation response',
  55: 'Forward relocation complete',
  253: 'Tunnel status',
  254: 'End Marker',
  255: 'T-PDU',
};
const VERSIONS = { 0: 'GTP (prestandard) version (0)', 1: 'GTP release 99 version (1)', 2: 'GTPv2 (2)' };
const PROTOCOL_TYPES = { 0: "GTP'", 1: 'GTP' };
const EXTENSIONS: Readonly<Record<number, string>> = {
  0: 'No more extension headers',
  1: 'MBMS support indication',
  2: 'MS Info Change Reporting support indication',
  3: 'Long PDCP PDU number',
  32: 'Service Class Indicator',
  64: 'UDP Port number',
  129: 'RAN container',
  130: 'Long PDCP PDU number',
  131: 'Xw RAN container',
  132: 'NR RAN container',
  133: 'PDU Session container',
  192: 'PDCP PDU number',
  193: 'Suspend Request',
  194: 'Suspend Response',
};
const PDU_TYPES = { 0: 'DL PDU SESSION INFORMATION', 1: 'UL PDU SESSION INFORMATION' };

const F = fields({
  gtp: { name: 'gtp', label: 'GPRS Tunneling Protocol', type: 'protocol' },
  flags: { name: 'gtp.flags', label: 'Flags', type: 'u8', base: 'hex' },
  version: { name: 'gtp.flags.version', label: 'Version', type: 'u8', mask: 0xe0, values: VERSIONS },
  payload: { name: 'gtp.flags.payload', label: 'Protocol type', type: 'u8', mask: GTP, values: PROTOCOL_TYPES },
  reserved: { name: 'gtp.flags.reserved', label: 'Reserved', type: 'u8', mask: 0x0e },
  e: { name: 'gtp.flags.e', label: 'Is Next Extension Header present?', type: 'bool', mask: 0x04 },
  s: { name: 'gtp.flags.s', label: 'Is Sequence Number present?', type: 'bool', mask: 0x02 },
  pn: { name: 'gtp.flags.pn', label: 'Is N-PDU number present?', type: 'bool', mask: 0x01 },
  snn: { name: 'gtp.flags.snn', label: 'Is SNDCP N-PDU included?', type: 'bool', mask: 0x01 },
  message: { name: 'gtp.message', label: 'Message Type', type: 'u8', base: 'hex', values: MESSAGES },
  length: { name: 'gtp.length', label: 'Length', type: 'u16' },
  teid: { name: 'gtp.teid', label: 'TEID', type: 'u32', base: 'hex_dec' },
  sequence: { name: 'gtp.seq_number', label: 'Sequence number', type: 'u16', base: 'hex_dec' },
  flow: { name: 'gtp.flow_label', label: 'Flow label', type: 'u16', base: 'hex' },
  sndcp: { name: 'gtp.sndcp_number', label: 'SNDCP N-PDU LLC Number', type: 'u8', base: 'hex' },
  tid: { name: 'gtp.tid', label: 'TID', type: 'string' },
  npdu: { name: 'gtp.npdu_number', label: 'N-PDU Number', type: 'u8', base: 'hex' },
  next: {
    name: 'gtp.ext_hdr.next',
    label: 'Next extension header type',
    type: 'u8',
    base: 'hex',
    values: EXTENSIONS,
  },
  extension: { name: 'gtp.ext_hdr', label: 'Extension header', type: 'none' },
  extensionLength: { name: 'gtp.ext_hdr.length', label: 'Extension Header Length', type: 'u8' },
  udpPort: { name: 'gtp.ext_hdr.udp_port', label: 'UDP Port', type: 'u16' },
  pdcp: { name: 'gtp.ext_hdr.pdcp_sn', label: 'PDCP Sequence Number', type: 'u16' },
  longPdcp: { name: 'gtp.ext_hdr.long_pdcp_sn', label: 'Long PDCP Sequence Number', type: 'u24' },
  pduType: { name: 'gtp.ext_hdr.pdu_ses_con.pdu_type', label: 'PDU Type', type: 'u8', mask: 0xf0, values: PDU_TYPES },
  ppp: {
    name: 'gtp.ext_hdr.pdu_ses_cont.ppp',
    label: 'Paging Policy Presence (PPP)',
    type: 'bool',
    mask: 0x80,
  },
  rqi: { name: 'gtp.ext_hdr.pdu_ses_cont.rqi', label: 'Reflective QoS Indicator (RQI)', type: 'bool', mask: 0x40 },
  qfi: { name: 'gtp.ext_hdr.pdu_ses_con.qos_flow_id', label: 'QoS Flow Identifier (QFI)', type: 'u8', mask: 0x3f },
  ppi: { name: 'gtp.ext_hdr.pdu_ses_cont.ppi', label: 'Paging Policy Indicator (PPI)', type: 'u8', mask: 0xe0 },
});

const V2 = fields({
  gtpv2: { name: 'gtpv2', label: 'GPRS Tunneling Protocol V2', type: 'protocol' },
  flags: { name: 'gtpv2.flags', label: 'Flags', type: 'u8', base: 'hex' },
  version: { name: 'gtpv2.version', label: 'Version', type: 'u8', mask: 0xe0 },
  message: { name: 'gtpv2.message_type', label: 'Message Type', type: 'u8' },
  length: { name: 'gtpv2.msg_length', label: 'Message Length', type: 'u16' },
  teid: { name: 'gtpv2.teid', label: 'Tunnel Endpoint Identifier', type: 'u32', base: 'hex_dec' },
  sequence: { name: 'gtpv2.seq', label: 'Sequence Number', type: 'u24', base: 'hex_dec' },
});

/** An extension header; its content fills whole words with its length and the type of the next. */
export interface GtpExtension {
  type: number;
  content: Uint8Array;
}

/** A message of version 1. Extension headers, sequence and N-PDU number share the optional word: see `flags`. */
export interface GtpMessage {
  /** E 4, S 2, PN 1. E stands where there are extensions. */
  flags: number;
  type: number;
  teid: number;
  sequence: number;
  npdu: number;
  extensions: GtpExtension[];
  payload: Uint8Array;
}

const versionOf = (b: Uint8Array, o: number) => u8(b, o) >> 5;

/** Where the content of a message of version 1 or 0 starts; -1 where it cannot be. */
function contentAt(b: Uint8Array, off: number, end: number): number {
  if (end - off < HEADER) return -1;
  if (versionOf(b, off) === 0) return end - off < HEADER_0 ? -1 : off + HEADER_0;
  if ((b[off] & PRESENT) === 0) return off + HEADER;
  let at = off + HEADER + OPTIONAL;
  if (at > end) return -1;
  if ((b[off] & EXTENSION) === 0) return at;
  for (let next = b[at - 1]; next !== 0; ) {
    if (at >= end || b[at] === 0 || at + 4 * b[at] > end) return -1;
    at += 4 * b[at];
    next = b[at - 1];
  }
  return at;
}

/** What the user packet at `at` is: 4 or 6, or 0 where it is no IP packet (PPP, Ethernet, unstructured). */
const userVersion = (b: Uint8Array, at: number) => (b[at] >= 0x45 && b[at] <= 0x4f ? 4 : b[at] >> 4 === 6 ? 6 : 0);

/** TS 38.415 §5.5.2. */
function pduSession(t: Tree, v: View): void {
  const { buf, off } = v;
  t.bits(F.pduType, off, 1, u8(buf, off));
  const bits = u8(buf, off + 1);
  if (u8(buf, off) >> 4 === 0) {
    t.bits(F.ppp, off + 1, 1, bits);
    t.bits(F.rqi, off + 1, 1, bits);
  }
  t.bits(F.qfi, off + 1, 1, bits);
  if (u8(buf, off) >> 4 === 0 && (bits & 0x80) !== 0 && v.length > 2) t.bits(F.ppi, off + 2, 1, u8(buf, off + 2));
}

function extensions(t: Tree, v: View, start: number): void {
  const { buf } = v;
  let at = start;
  for (let type = u8(buf, at - 1); type !== 0; ) {
    need(v, 1, at);
    const n = 4 * u8(buf, at);
    if (n === 0) throw new Malformed('an extension header has no length'); // TS 29.281 §5.2.1
    t.none(F.extension, at, n);
    if (t.labels) t.label(`Extension header (${nameOf(EXTENSIONS, type)})`);
    t.push();
    t.num(F.extensionLength, at, 1, u8(buf, at));
    need(v, n, at);
    if (type === UDP_PORT) t.num(F.udpPort, at + 1, 2, u16(buf, at + 1));
    else if (type === PDCP) t.num(F.pdcp, at + 1, 2, u16(buf, at + 1));
    else if (type === LONG_PDCP && n >= 8) t.num(F.longPdcp, at + 1, 3, u24(buf, at + 1) & 0x3ffff);
    else if (type === PDU_SESSION) pduSession(t, v.sub(at + 1, at + n - 1));
    type = u8(buf, at + n - 1);
    t.num(F.next, at + n - 1, 1, type);
    t.pop();
    at += n;
  }
}

function optional(t: Tree, v: View): void {
  const { buf, off } = v;
  const flags = u8(buf, off);
  if ((flags & PRESENT) === 0) return;
  need(v, HEADER + OPTIONAL);
  if ((flags & 2) !== 0) t.num(F.sequence, off + 8, 2, u16(buf, off + 8));
  if ((flags & 1) !== 0) t.num(F.npdu, off + 10, 1, u8(buf, off + 10));
  if ((flags & EXTENSION) === 0) return;
  t.num(F.next, off + 11, 1, u8(buf, off + 11));
  extensions(t, v, off + HEADER + OPTIONAL);
}

function flags(t: Tree, v: View): void {
  const { buf, off } = v;
  const bits = u8(buf, off);
  t.num(F.flags, off, 1, bits);
  t.push();
  t.bits(F.version, off, 1, bits);
  t.bits(F.payload, off, 1, bits);
  if (versionOf(buf, off) === 0) {
    t.bits(F.reserved, off, 1, bits);
    t.bits(F.snn, off, 1, bits);
  } else {
    t.num(F.reserved, off, 1, (bits >> 3) & 1);
    for (const f of [F.e, F.s, F.pn]) t.bits(f, off, 1, bits);
  }
  t.pop();
}

/** The header of GSM 09.60; the TID is shown digit by digit, with the halves of its octets swapped. */
function prestandard(t: Tree, v: View): void {
  const { buf, off } = v;
  need(v, HEADER_0);
  t.num(F.sequence, off + 4, 2, u16(buf, off + 4));
  t.num(F.flow, off + 6, 2, u16(buf, off + 6));
  t.num(F.sndcp, off + 8, 1, u8(buf, off + 8));
  let tid = '';
  for (let o = off + 12; o < off + HEADER_0; o++) tid += `${(buf[o] & 15).toString(16)}${(buf[o] >> 4).toString(16)}`;
  t.text(F.tid, off + 12, 8, tid);
}

export const gtp = defineDissector<GtpMessage>({
  proto: 'gtp',
  title: 'GPRS Tunneling Protocol',
  short: 'GTP',
  spec: 'TS 29.281, TS 29.060',
  fields: F,
  on: { 'udp.port': [USER_PORT, CONTROL_PORT] },
  tables: ['ip.version', 'gtp.version'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end > off && versionOf(buf, off) === 2) {
      p.table = 'gtp.version';
      p.key = 2;
      return;
    }
    if (p.end - off < HEADER || versionOf(buf, off) > 1 || buf[off + 1] !== T_PDU) return p.stop();
    const at = contentAt(buf, off, p.end);
    if (at < 0 || at >= p.end) return p.stop();
    p.off = at;
    p.key = userVersion(buf, at);
    p.table = 'ip.version';
  },

  dissect(v, t, cx) {
    need(v, 1);
    const { buf, off } = v;
    const version = versionOf(buf, off);
    if (version === 2) {
      t.none(F.gtp, off, 0);
      return cx.next('gtp.version', 2, v);
    }
    t.open(F.gtp, off, v.length);
    need(v, HEADER);
    flags(t, v);
    const type = u8(buf, off + 1);
    t.num(F.message, off + 1, 1, type);
    t.num(F.length, off + 2, 2, u16(buf, off + 2));
    if (version === 0) prestandard(t, v);
    else {
      t.num(F.teid, off + 4, 4, u32(buf, off + 4));
      optional(t, v);
    }
    t.pop();
    const at = contentAt(buf, off, v.end);
    if (version <= 1 && type === T_PDU && at >= 0 && at < v.end && userVersion(buf, at) !== 0)
      cx.next('ip.version', userVersion(buf, at), v.sub(at));
  },

  summary(v) {
    return v.length < 2 ? 'Header cut short' : nameOf(MESSAGES, u8(v.buf, v.off + 1), `Message ${v.buf[v.off + 1]}`);
  },

  codec: {
    parse(b, o, end) {
      const r: GtpMessage = {
        ...{ flags: b[o] & PRESENT, type: u8(b, o + 1), teid: u32(b, o + 4), sequence: 0, npdu: 0 },
        ...{ extensions: [], payload: b.slice(o + HEADER, end) },
      };
      if (r.flags === 0) return r;
      r.sequence = u16(b, o + 8);
      r.npdu = u8(b, o + 10);
      let at = o + HEADER + OPTIONAL;
      for (let type = (r.flags & EXTENSION) === 0 ? 0 : b[at - 1]; type !== 0 && at < end && b[at] > 0; ) {
        const n = 4 * b[at];
        r.extensions.push({ type, content: b.slice(at + 1, at + n - 1) });
        type = b[at + n - 1];
        at += n;
      }
      r.payload = b.slice(at, end);
      return r;
    },
    size: (r) =>
      HEADER +
      (r.flags === 0 ? 0 : OPTIONAL) +
      r.extensions.reduce((n, e) => n + e.content.length + 2, 0) +
      r.payload.length,
    emit(r, b, o) {
      b[o] = 0x20 | GTP | r.flags;
      b[o + 1] = r.type;
      put32(b, o + 4, r.teid);
      let at = o + HEADER;
      if (r.flags !== 0) {
        put16(b, at, r.sequence);
        b[at + 2] = r.npdu;
        at += OPTIONAL;
        for (const { type, content } of r.extensions) {
          b[at - 1] = type;
          b[at] = (content.length + 2) >> 2;
          b.set(content, at + 1);
          at += content.length + 2;
        }
        b[at - 1] = 0;
      }
      b.set(r.payload, at);
      const n = at + r.payload.length - o;
      put16(b, o + 2, n - HEADER); // TS 29.281 §5.1: without the mandatory part of the header
      return n;
    },
  },
});

/** The header of GTP-C version 2: a TEID where the T bit says so, and a sequence number. */
export const gtpv2 = defineDissector({
  proto: 'gtpv2',
  title: 'GPRS Tunneling Protocol V2',
  short: 'GTPv2',
  spec: 'TS 29.274',
  fields: V2,
  on: { 'gtp.version': [2] },
  calls: PPP_OPTIONS,
  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(V2.gtpv2, off, v.length);
    need(v, HEADER);
    const bits = u8(buf, off);
    t.num(V2.flags, off, 1, bits);
    t.push();
    t.bits(V2.version, off, 1, bits);
    t.pop();
    t.num(V2.message, off + 1, 1, u8(buf, off + 1));
    t.num(V2.length, off + 2, 2, u16(buf, off + 2));
    const at = (bits & 8) === 0 ? off + 4 : off + 8;
    if (at > off + 4) t.num(V2.teid, off + 4, 4, u32(buf, off + 4));
    need(v, 4, at);
    t.num(V2.sequence, at, 3, u24(buf, at));
    t.pop();
    pppOptions(v.sub(at + 4), cx);
  },
  summary: (v) => (v.length < 2 ? 'Header cut short' : `Message ${u8(v.buf, v.off + 1)}`),
});
