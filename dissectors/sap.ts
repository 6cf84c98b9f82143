import {
  defineDissector,
  experts,
  fields,
  indexOf,
  latin1,
  need,
  startsWith,
  type Tree,
  u8,
  u16,
  type View,
} from 'fttscope/kit';

/**
 * Session Announcement Protocol, RFC 2974 §6: descriptions of sessions that are sent to whoever listens.
 *
 *     0               1               2               3
 *     +-----+-+-+-+-+-+---------------+-------------------------------+
 *     | V=1 |A|R|T|E|C|   auth len    |        msg id hash            |
 *     +-----+-+-+-+-+-+---------------+-------------------------------+
 *     |  originating source (4 octets, or 16 where A is set)          |
 *     +---------------------------------------------------------------+
 *     |  authentication data (auth len words)                         |
 *     |  payload type, ended by a zero octet (optional)               |
 *     |  payload …
 */
const HEADER = 4;
const IPV6 = 0x10;
const ENCRYPTED = 2;
const COMPRESSED = 1;
const SDP = 'application/sdp';
/** Octets that a payload type may have. */
const MAX_TYPE = 128;

const F = fields({
  sap: { name: 'sap', label: 'Session Announcement Protocol', type: 'protocol', clause: 'RFC 2974 §6' },
  flags: { name: 'sap.flags', label: 'Flags', type: 'u8', base: 'hex' },
  version: {
    name: 'sap.flags.v',
    label: 'Version Number',
    type: 'u8',
    mask: 0xe0,
    values: { 0: 'SAPv0', 1: 'SAPv1 or later' },
  },
  addressType: {
    name: 'sap.flags.a',
    label: 'Address Type',
    type: 'bool',
    mask: IPV6,
    values: { 0: 'IPv4', 1: 'IPv6' },
  },
  reserved: { name: 'sap.flags.r', label: 'Reserved', type: 'bool', mask: 0x08, values: { 0: 'Not set', 1: 'Set' } },
  messageType: {
    name: 'sap.flags.t',
    label: 'Message Type',
    type: 'bool',
    mask: 0x04,
    values: { 0: 'Announcement', 1: 'Deletion' },
  },
  encrypted: {
    name: 'sap.flags.e',
    label: 'Encryption Bit',
    type: 'bool',
    mask: ENCRYPTED,
    values: { 0: 'Payload not encrypted', 1: 'Payload encrypted' },
  },
  compressed: {
    name: 'sap.flags.c',
    label: 'Compression Bit',
    type: 'bool',
    mask: COMPRESSED,
    values: { 0: 'Payload not compressed', 1: 'Payload compressed' },
  },
  authLength: { name: 'sap.auth.len', label: 'Authentication Length', type: 'u8' },
  hash: { name: 'sap.message_identifier_hash', label: 'Message Identifier Hash', type: 'u16', base: 'hex' },
  source: { name: 'sap.originating_source', label: 'Originating Source', type: 'ipv4' },
  source6: { name: 'sap.originating_source.ipv6', label: 'Originating Source', type: 'ipv6' },
  auth: { name: 'sap.auth', label: 'Authentication data', type: 'none', clause: 'RFC 2974 §8' },
  payloadType: { name: 'sap.payload_type', label: 'Payload type', type: 'string', clause: 'RFC 2974 §6' },
});

const E = experts({
  compressedAndEncrypted: {
    code: 'sap.compressed-and-encrypted',
    severity: 'warn',
    message: 'The rest of the packet is compressed and encrypted',
  },
  encrypted: { code: 'sap.encrypted', severity: 'warn', message: 'The rest of the packet is encrypted' },
  compressed: { code: 'sap.compressed', severity: 'warn', message: 'The rest of the packet is compressed' },
});

/** Octets of the header up to the payload type. @throws Short */
function headerLength(v: View): number {
  need(v, HEADER);
  const { buf, off } = v;
  const n = HEADER + ((buf[off] & IPV6) !== 0 ? 16 : 4) + 4 * buf[off + 1];
  need(v, n);
  return n;
}

function showHeader(v: View, t: Tree, end: number): void {
  const { buf, off } = v;
  const flags = u8(buf, off);
  t.num(F.flags, off, 1, flags);
  t.push();
  for (const f of [F.version, F.addressType, F.reserved, F.messageType, F.encrypted, F.compressed])
    t.bits(f, off, 1, flags);
  t.pop();
  const words = u8(buf, off + 1);
  t.num(F.authLength, off + 1, 1, words);
  t.num(F.hash, off + 2, 2, u16(buf, off + 2));
  const six = (flags & IPV6) !== 0;
  t.bytes(six ? F.source6 : F.source, off + HEADER, six ? 16 : 4);
  if (words > 0) t.none(F.auth, end - 4 * words, 4 * words);
}

/** Whether a description itself follows, without a payload type: older senders leave it out. RFC 2974 §6 */
const isDescription = (v: View, at: number): boolean => startsWith(v.buf, at, v.end, 'v=');

export const sap = defineDissector({
  proto: 'sap',
  title: 'Session Announcement Protocol',
  short: 'SAP',
  spec: 'RFC 2974',
  fields: F,
  experts: E,
  on: { 'udp.port': [9875] },
  tables: ['media_type'],

  dissect(v, t, cx) {
    let at = v.off + headerLength(v);
    const { buf } = v;
    t.open(F.sap, v.off, v.length);
    showHeader(v, t, at);
    const sealed = buf[v.off] & (ENCRYPTED | COMPRESSED);
    if (sealed !== 0) {
      t.expert(sealed === ENCRYPTED ? E.encrypted : sealed === COMPRESSED ? E.compressed : E.compressedAndEncrypted);
      t.pop();
      cx.data(v.sub(at));
      return;
    }
    let type = SDP;
    const zero = isDescription(v, at) ? -1 : indexOf(buf, 0, at, Math.min(v.end, at + MAX_TYPE));
    if (zero >= 0) {
      t.text(F.payloadType, at, zero + 1 - at, (type = latin1(buf, at, zero)));
      at = zero + 1;
    }
    t.pop();
    cx.mediaParameters = '';
    if (at < v.end) cx.next('media_type', type, v.sub(at));
  },

  summary(v) {
    if (v.length < HEADER) return 'Cut short';
    return `${(v.buf[v.off] & 4) !== 0 ? 'Deletion' : 'Announcement'} (v${v.buf[v.off] >> 5})`;
  },
});
