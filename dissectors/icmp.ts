import {
  badChecksum,
  type Ctx,
  checksum,
  type Dissector,
  defineDissector,
  experts,
  fields,
  hexNumber,
  nameOf,
  need,
  put16,
  put32,
  type Tree,
  u8,
  u16,
  u32,
  type View,
} from 'fttscope/kit';
import { dataTime, type EchoNote, EchoTable, responseLabel } from './icmp-echo.js';
import { E as ExtensionExperts, F as ExtensionFields, extensions, extensionsAt } from './icmp-extensions.js';
import { CODES, STATES, TYPES } from './icmp-types.js';
import { CHECKSUM_STATUS } from './numbers.js';

/**
 * Internet Control Message Protocol, RFC 792; the second word depends on the type:
 *
 *     +---------------+---------------+-------------------------------+
 *     |     Type      |     Code      |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |  echo: Identifier             |  Sequence Number              |
 *     |  errors: unused | length | next-hop MTU, gateway, pointer     |
 *     +---------------------------------------------------------------+
 *     |  data, or the packet that the error is about
 */
const HEADER = 8;
const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const SOURCE_QUENCH = 4;
const REDIRECT = 5;
const ECHO_REQUEST = 8;
const ROUTER_ADVERTISEMENT = 9;
const TIME_EXCEEDED = 11;
const PARAMETER_PROBLEM = 12;
const TIMESTAMP = 13;
const TIMESTAMP_REPLY = 14;
const MASK_REQUEST = 17;
const MASK_REPLY = 18;
const EXTENDED_REQUEST = 42;
const EXTENDED_REPLY = 43;
const FRAGMENTATION_NEEDED = 4;

const F = fields({
  icmp: { name: 'icmp', label: 'Internet Control Message Protocol', type: 'protocol' },
  type: { name: 'icmp.type', label: 'Type', type: 'u8', values: TYPES },
  code: { name: 'icmp.code', label: 'Code', type: 'u8' },
  checksum: { name: 'icmp.checksum', label: 'Checksum', type: 'u16', base: 'hex' },
  status: { name: 'icmp.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  unused: { name: 'icmp.unused', label: 'Unused', type: 'bytes' },
  ident: { name: 'icmp.ident', label: 'Identifier (BE)', type: 'u16', base: 'dec_hex' },
  identLe: { name: 'icmp.ident_le', label: 'Identifier (LE)', type: 'u16', base: 'dec_hex' },
  seq: { name: 'icmp.seq', label: 'Sequence Number (BE)', type: 'u16', base: 'dec_hex' },
  seqLe: { name: 'icmp.seq_le', label: 'Sequence Number (LE)', type: 'u16', base: 'dec_hex' },
  originalLength: { name: 'icmp.length.original_datagram', label: 'Length of original datagram', type: 'u8' },
  length: { name: 'icmp.length', label: 'Length', type: 'u8' },
  mtu: { name: 'icmp.mtu', label: 'MTU of next hop', type: 'u16' },
  gateway: { name: 'icmp.redir_gw', label: 'Gateway Address', type: 'ipv4' },
  pointer: { name: 'icmp.pointer', label: 'Pointer', type: 'u32' },
  count: { name: 'icmp.num_addrs', label: 'Number of addresses', type: 'u8' },
  entrySize: { name: 'icmp.addr_entry_size', label: 'Address entry size', type: 'u8' },
  lifetime: { name: 'icmp.lifetime', label: 'Lifetime', type: 'u16', unit: 's' },
  router: { name: 'icmp.router_address', label: 'Router address', type: 'ipv4' },
  preference: { name: 'icmp.pref_level', label: 'Preference level', type: 'i32' },
  originate: { name: 'icmp.originate_timestamp', label: 'Originate Timestamp', type: 'u32', unit: 'ms' },
  receive: { name: 'icmp.receive_timestamp', label: 'Receive Timestamp', type: 'u32', unit: 'ms' },
  transmit: { name: 'icmp.transmit_timestamp', label: 'Transmit Timestamp', type: 'u32', unit: 'ms' },
  mask: { name: 'icmp.address_mask', label: 'Address Mask', type: 'ipv4' },
  extSeq: { name: 'icmp.ext.echo.seq', label: 'Sequence Number', type: 'u8', base: 'dec_hex' },
  reqReserved: { name: 'icmp.ext.echo.req.res', label: 'Reserved', type: 'u8', base: 'hex', mask: 0xfe },
  reqLocal: { name: 'icmp.ext.echo.req.local', label: 'Local bit', type: 'bool', mask: 0x01 },
  state: { name: 'icmp.ext.echo.rsp.state', label: 'State', type: 'u8', mask: 0xe0, values: STATES },
  rspReserved: { name: 'icmp.ext.echo.rsp.res', label: 'Reserved', type: 'u8', base: 'hex', mask: 0x18 },
  active: { name: 'icmp.ext.echo.rsp.active', label: 'Active bit', type: 'bool', mask: 0x04 },
  hasIpv4: { name: 'icmp.ext.echo.rsp.ipv4', label: 'IPv4 bit', type: 'bool', mask: 0x02 },
  hasIpv6: { name: 'icmp.ext.echo.rsp.ipv6', label: 'IPv6 bit', type: 'bool', mask: 0x01 },
  respTo: { name: 'icmp.resp_to', label: 'Request frame', type: 'frame' },
  respTime: { name: 'icmp.resptime', label: 'Response time', type: 'float', unit: 'ms' },
  dataTime: { name: 'icmp.data_time', label: 'Timestamp from icmp data', type: 'time' },
  dataAge: { name: 'icmp.data_time_relative', label: 'Timestamp from icmp data (relative)', type: 'duration' },
});

const E = experts({
  badChecksum: { code: 'icmp.bad-checksum', severity: 'warn', message: 'Bad checksum', clause: 'RFC 792' },
});

/** A message: its second word as a number (big-endian) and what follows. */
export interface IcmpMessage {
  type: number;
  code: number;
  word: number;
  data: Uint8Array;
}

/** The second word of an echo message. */
const echoWord = (ident: number, seq: number): number => ((ident << 16) | seq) >>> 0;

/** An echo request. The reply differs in its type alone. RFC 792, RFC 1122 §3.2.2.6 */
export const echoRequest = (ident: number, seq: number, data: Uint8Array): IcmpMessage => ({
  type: ECHO_REQUEST,
  code: 0,
  word: echoWord(ident, seq),
  data,
});

const le16 = (b: Uint8Array, o: number) => (b[o + 1] << 8) | b[o];
const isQuery = (type: number) =>
  type === ECHO_REPLY || type === ECHO_REQUEST || (type >= TIMESTAMP && type <= MASK_REPLY);

/** The message on the wire is longer than `v` where it was cut or is the first part of a lost datagram. */
function checksumItem(t: Tree, v: View, cx: Ctx): void {
  const { buf, off, end } = v;
  t.num(F.checksum, off + 2, 2, u16(buf, off + 2));
  if (!t.wanted(F.status) && !t.wantsExperts) return;
  const whole = end === v.wireEnd && !cx.quoted;
  const rest = whole ? checksum(buf, off, end) : 0;
  t.num(F.status, off + 2, 0, !whole ? 2 : rest === 0 ? 1 : 0);
  if (rest !== 0) t.expert(E.badChecksum, badChecksum(u16(buf, off + 2), rest));
}

function identifiers(t: Tree, b: Uint8Array, o: number): void {
  t.num(F.ident, o + 4, 2, u16(b, o + 4));
  t.num(F.identLe, o + 4, 2, le16(b, o + 4));
}

function echo(t: Tree, v: View, cx: Ctx): void {
  const { buf, off } = v;
  identifiers(t, buf, off);
  t.num(F.seq, off + 6, 2, u16(buf, off + 6));
  t.num(F.seqLe, off + 6, 2, le16(buf, off + 6));
  const note = cx.note<EchoNote>(icmp, v);
  if (note !== undefined) {
    t.num(F.respTo, off, 0, note.request);
    t.num(F.respTime, off, 0, note.milliseconds);
  }
  let body = v.sub(off + HEADER);
  const time = dataTime(body, cx.seconds);
  if (time !== undefined) {
    t.time(F.dataTime, body.off, 8, time.seconds, time.nanos);
    const age = cx.seconds - time.seconds + (cx.nanos - time.nanos) / 1e9;
    t.time(F.dataAge, body.off, 8, Math.trunc(age), Math.round((age - Math.trunc(age)) * 1e9));
    body = v.sub(body.off + 8);
  }
  t.pop();
  cx.data(body);
}

/** The second word of an error and, after it, the packet that the error is about. */
function error(t: Tree, v: View, cx: Ctx): void {
  const { buf, off } = v;
  const type = u8(buf, off);
  const words = u8(buf, off + 5); // RFC 4884 §4.1: length of the quoted packet, in words
  if (type === REDIRECT) t.bytes(F.gateway, off + 4, 4);
  else if (type === PARAMETER_PROBLEM) {
    t.num(F.pointer, off + 4, 1, u8(buf, off + 4));
    lengthItem(t, off + 5, words, 2);
  } else if (type === UNREACHABLE && u8(buf, off + 1) === FRAGMENTATION_NEEDED) {
    if (words > 0) t.bytes(F.unused, off + 4, 1);
    if (words > 0) lengthItem(t, off + 5, words, 0);
    else t.bytes(F.unused, off + 4, 2);
    t.num(F.mtu, off + 6, 2, u16(buf, off + 6)); // RFC 1191 §4
  } else if (type !== SOURCE_QUENCH && words > 0) {
    t.bytes(F.unused, off + 4, 1);
    lengthItem(t, off + 5, words, 2);
  } else t.bytes(F.unused, off + 4, 4);
  const ext = type === REDIRECT || type === SOURCE_QUENCH ? -1 : extensionsAt(v, off + HEADER, words * 4);
  const body = v.sub(off + HEADER, ext >= 0 ? ext : type === REDIRECT ? redirected(v) : v.wireEnd);
  const level = t.level;
  t.pop();
  quote(cx, body);
  if (ext < 0) return;
  need(v, 1, ext);
  t.level = level;
  extensions(t, v.sub(ext));
  t.pop();
}

/** Where what a redirect quotes ends: an IP header and 64 bits, even where a router sends more. RFC 792. */
function redirected(v: View): number {
  const at = v.off + HEADER;
  return at < v.end ? Math.min(at + (v.buf[at] & 15) * 4 + 8, v.wireEnd) : v.wireEnd;
}

/** The length octet at `at` and the unused ones behind it; a zero counts as unused. RFC 4884 §4. */
function lengthItem(t: Tree, at: number, words: number, unused: number): void {
  if (words > 0) {
    t.num(F.length, at, 1, words);
    t.num(F.originalLength, at, 0, words * 4);
    if (unused > 0) t.bytes(F.unused, at + 1, unused);
  } else t.bytes(F.unused, at, 1 + unused);
}

/** Dissects a packet that an error quotes; addresses and mode are put back afterwards. */
export function quote(cx: Ctx, body: View): void {
  if (body.length === 0) return;
  const { net, quoted, sport, dport } = cx;
  cx.quoted = true;
  cx.next('ip.version', body.buf[body.off] >> 4, body);
  cx.net = net;
  cx.quoted = quoted;
  cx.sport = sport;
  cx.dport = dport;
}

/** RFC 1256 §3. */
function routerAdvertisement(t: Tree, v: View): void {
  const { buf, off } = v;
  t.num(F.count, off + 4, 1, u8(buf, off + 4));
  t.num(F.entrySize, off + 5, 1, u8(buf, off + 5));
  t.num(F.lifetime, off + 6, 2, u16(buf, off + 6));
  const size = Math.max(2, u8(buf, off + 5)) * 4;
  for (let i = 0, o = off + HEADER; i < u8(buf, off + 4); i++, o += size) {
    need(v, 8, o);
    t.bytes(F.router, o, 4);
    t.num(F.preference, o + 4, 4, u32(buf, o + 4) | 0);
  }
  t.pop();
}

/** Timestamp and address mask messages: identifier, sequence number and fixed words. RFC 792, RFC 950. */
function query(t: Tree, v: View): void {
  const { buf, off } = v;
  const type = u8(buf, off);
  identifiers(t, buf, off);
  t.num(F.seq, off + 6, 2, u16(buf, off + 6));
  t.num(F.seqLe, off + 6, 2, le16(buf, off + 6));
  if (type === TIMESTAMP || type === TIMESTAMP_REPLY) {
    need(v, 20);
    t.num(F.originate, off + 8, 4, u32(buf, off + 8));
    t.num(F.receive, off + 12, 4, u32(buf, off + 12));
    t.num(F.transmit, off + 16, 4, u32(buf, off + 16));
  } else if (type === MASK_REQUEST || type === MASK_REPLY) {
    need(v, 12);
    t.bytes(F.mask, off + 8, 4);
  }
  t.pop();
}

/** RFC 8335 §2 and §3. */
function extendedEcho(t: Tree, v: View): void {
  const { buf, off } = v;
  identifiers(t, buf, off);
  t.num(F.extSeq, off + 6, 1, u8(buf, off + 6));
  const bits = u8(buf, off + 7);
  if (u8(buf, off) === EXTENDED_REQUEST) {
    t.bits(F.reqReserved, off + 7, 1, bits);
    t.bits(F.reqLocal, off + 7, 1, bits);
    if (v.length > HEADER) extensions(t, v.sub(off + HEADER));
  } else for (const f of [F.state, F.rspReserved, F.active, F.hasIpv4, F.hasIpv6]) t.bits(f, off + 7, 1, bits);
  t.pop();
}

function body(t: Tree, v: View, cx: Ctx): void {
  switch (u8(v.buf, v.off)) {
    case ECHO_REPLY:
    case ECHO_REQUEST:
      echo(t, v, cx);
      break;
    case UNREACHABLE:
    case SOURCE_QUENCH:
    case REDIRECT:
    case TIME_EXCEEDED:
    case PARAMETER_PROBLEM:
      error(t, v, cx);
      break;
    case ROUTER_ADVERTISEMENT:
      routerAdvertisement(t, v);
      break;
    case EXTENDED_REQUEST:
    case EXTENDED_REPLY:
      extendedEcho(t, v);
      break;
    default:
      if (isQuery(u8(v.buf, v.off))) query(t, v);
      else t.pop();
  }
}

const typeName = (type: number) => nameOf(TYPES, type, 'Unknown ICMP (obsolete or malformed?)');

export const icmp: Dissector<IcmpMessage> = defineDissector<IcmpMessage>({
  proto: 'icmp',
  title: 'Internet Control Message Protocol',
  short: 'ICMP',
  spec: 'RFC 792',
  fields: { ...F, ...ExtensionFields },
  experts: { ...E, ...ExtensionExperts },
  on: { 'ip.proto': [1] },
  tables: ['ip.version'],

  track(v, cx) {
    if (v.length < HEADER) return;
    const type = u8(v.buf, v.off);
    if (type !== ECHO_REQUEST && type !== ECHO_REPLY) return;
    const table = cx.scope(icmp, () => new EchoTable());
    const note = table.see(cx, type === ECHO_REPLY, u32(v.buf, v.off + 4));
    if (note !== undefined) cx.note(note);
  },

  dissect(v, t, cx) {
    need(v, cx.quoted ? 6 : 4);
    const { buf, off } = v;
    const type = u8(buf, off);
    t.open(F.icmp, off, Math.min(HEADER, v.length));
    t.num(F.type, off, 1, type);
    t.num(F.code, off + 1, 1, u8(buf, off + 1));
    const code = CODES[type]?.[u8(buf, off + 1)];
    if (t.labels && code !== undefined) t.label(`Code: ${u8(buf, off + 1)} (${code})`);
    checksumItem(t, v, cx);
    need(v, HEADER);
    body(t, v, cx);
  },

  summary(v, cx) {
    if (v.length < HEADER) return 'Message cut short';
    const { buf, off } = v;
    const type = u8(buf, off);
    const name = typeName(type);
    if (isQuery(type)) {
      const ttl = cx.net.version === 4 && cx.net.src >= 12 ? u8(cx.net.buf, cx.net.src - 4) : 0;
      const ident = hexNumber(u16(buf, off + 4), 4);
      const seq = `${u16(buf, off + 6)}/${le16(buf, off + 6)}`;
      return `${name.padEnd(20)} id=${ident}, seq=${seq}, ttl=${ttl}${responseLabel(cx.note<EchoNote>(icmp, v))}`;
    }
    const code = CODES[type]?.[u8(buf, off + 1)];
    return `${name.padEnd(20)} ${code === undefined ? '' : `(${code})`}`.trimEnd();
  },

  codec: {
    parse: (b, o, end) => ({
      type: u8(b, o),
      code: u8(b, o + 1),
      word: u32(b, o + 4),
      data: b.slice(o + HEADER, end),
    }),
    size: (r) => HEADER + r.data.length,
    emit(r, b, o) {
      b[o] = r.type;
      b[o + 1] = r.code;
      put16(b, o + 2, 0);
      put32(b, o + 4, r.word);
      b.set(r.data, o + HEADER);
      put16(b, o + 2, checksum(b, o, o + HEADER + r.data.length));
      return HEADER + r.data.length;
    },
  },
});
