import {
  badChecksum,
  type Ctx,
  checksum,
  type Dissector,
  defineDissector,
  experts,
  fields,
  hexNumber,
  ip6,
  nameOf,
  need,
  pseudoHeader,
  type Tree,
  u8,
  u16,
  u32,
  type View,
} from 'fttscope/kit';
import { type EchoNote, EchoTable, responseLabel } from '../icmp-echo.js';
import { extensions, extensionsAt, isExtension } from '../icmp-extensions.js';
import { STATES } from '../icmp-types.js';
import { CHECKSUM_STATUS, SET } from '../numbers.js';
import { F as ExtensionFields } from './extension-fields.js';
import { extensionMessage } from './extension-messages.js';
import { codec, type Icmpv6Message, PROTOCOL, verified } from './messages.js';
import { listener, F as MldFields, REPORT_V2, report } from './mld.js';
import { linkLayerLabel, options, quote6 } from './nd.js';
import { E as NdExperts, F as NdFields, PREFERENCES, UNREAD } from './nd-fields.js';
import { Reader } from './reader.js';
import { CODES, TYPES } from './types.js';

/**
 * Internet Control Message Protocol for IPv6, RFC 4443, and what is built on it: neighbor discovery (RFC 4861, options
 * in nd.ts) and multicast listener discovery (mld.ts):
 *
 *     +---------------+---------------+-------------------------------+
 *     |     Type      |     Code      |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |  body: unused, MTU or pointer and the packet that an error is about; identifier, sequence number and data of an
 *     |  echo; RA: hop limit (1), flags (1), lifetime (2), reachable (4), retransmit (4), options;
 *     |  NS, NA: reserved or flags (4), target (16), options; redirect: reserved (4), target (16), destination (16), options
 */
const UNREACHABLE = 1;
const TOO_BIG = 2;
const TIME_EXCEEDED = 3;
const PARAMETER_PROBLEM = 4;
const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;
const MLD_QUERY = 130;
const MLD_DONE = 132;
const RS = 133;
const RA = 134;
const NS = 135;
const NA = 136;
const REDIRECT = 137;
const EXTENDED_REQUEST = 160;
const EXTENDED_REPLY = 161;

const F = fields({
  icmpv6: { name: 'icmpv6', label: 'Internet Control Message Protocol v6', type: 'protocol' },
  type: { name: 'icmpv6.type', label: 'Type', type: 'u8', values: TYPES },
  code: { name: 'icmpv6.code', label: 'Code', type: 'u8' },
  checksum: { name: 'icmpv6.checksum', label: 'Checksum', type: 'u16', base: 'hex' },
  status: { name: 'icmpv6.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  length: { name: 'icmpv6.length', label: 'Length of original datagram', type: 'u8' },
  mtu: { name: 'icmpv6.mtu', label: 'MTU', type: 'u32' },
  pointer: { name: 'icmpv6.pointer', label: 'Pointer', type: 'u32' },
  ident: { name: 'icmpv6.echo.identifier', label: 'Identifier', type: 'u16', base: 'hex' },
  seq: { name: 'icmpv6.echo.sequence_number', label: 'Sequence', type: 'u16' },
  echoNonce: { name: 'icmpv6.nonce', label: 'Nonce', type: 'bytes' },
  respTo: { name: 'icmpv6.resp_to', label: 'Response To', type: 'frame' },
  respTime: { name: 'icmpv6.resptime', label: 'Response Time', type: 'float', unit: 'ms' },
  hopLimit: { name: 'icmpv6.nd.ra.cur_hop_limit', label: 'Cur hop limit', type: 'u8' },
  raFlags: { name: 'icmpv6.nd.ra.flag', label: 'Flags', type: 'u8', base: 'hex' },
  managed: {
    name: 'icmpv6.nd.ra.flag.m',
    label: 'Managed address configuration',
    type: 'bool',
    mask: 0x80,
    values: SET,
  },
  other: { name: 'icmpv6.nd.ra.flag.o', label: 'Other configuration', type: 'bool', mask: 0x40, values: SET },
  homeAgent: { name: 'icmpv6.nd.ra.flag.h', label: 'Home Agent', type: 'bool', mask: 0x20, values: SET },
  preference: {
    name: 'icmpv6.nd.ra.flag.prf',
    label: 'Prf (Default Router Preference)',
    type: 'u8',
    mask: 0x18,
    values: PREFERENCES,
  },
  proxy: { name: 'icmpv6.nd.ra.flag.p', label: 'Proxy', type: 'bool', mask: 0x04, values: SET },
  raReserved: { name: 'icmpv6.nd.ra.flag.rsv', label: 'Reserved', type: 'u8', mask: 0x03 },
  lifetime: { name: 'icmpv6.nd.ra.router_lifetime', label: 'Router lifetime (s)', type: 'u16' },
  reachable: { name: 'icmpv6.nd.ra.reachable_time', label: 'Reachable time (ms)', type: 'u32' },
  retransmit: { name: 'icmpv6.nd.ra.retrans_timer', label: 'Retrans timer (ms)', type: 'u32' },
  nsTarget: { name: 'icmpv6.nd.ns.target_address', label: 'Target Address', type: 'ipv6' },
  naFlags: { name: 'icmpv6.nd.na.flag', label: 'Flags', type: 'u32', base: 'hex' },
  router: { name: 'icmpv6.nd.na.flag.r', label: 'Router', type: 'bool', mask: 0x80000000, values: SET },
  solicited: { name: 'icmpv6.nd.na.flag.s', label: 'Solicited', type: 'bool', mask: 0x40000000, values: SET },
  override: { name: 'icmpv6.nd.na.flag.o', label: 'Override', type: 'bool', mask: 0x20000000, values: SET },
  naReserved: { name: 'icmpv6.nd.na.flag.rsv', label: 'Reserved', type: 'u32', mask: 0x1fffffff },
  naTarget: { name: 'icmpv6.nd.na.target_address', label: 'Target Address', type: 'ipv6' },
  rdTarget: { name: 'icmpv6.nd.rd.target_address', label: 'Target Address', type: 'ipv6' },
  rdDestination: { name: 'icmpv6.rd.na.destination_address', label: 'Destination Address', type: 'ipv6' },
  extSeq: { name: 'icmpv6.ext.echo.seq', label: 'Sequence number', type: 'u8', base: 'dec_hex' },
  reqReserved: { name: 'icmpv6.ext.echo.req.res', label: 'Reserved', type: 'u8', base: 'hex', mask: 0xfe },
  reqLocal: { name: 'icmpv6.ext.echo.req.local', label: 'Local bit', type: 'bool', mask: 0x01, values: SET },
  state: { name: 'icmpv6.ext.echo.rsp.state', label: 'State', type: 'u8', mask: 0xe0, values: STATES },
  rspReserved: { name: 'icmpv6.ext.echo.rsp.res', label: 'Reserved', type: 'u8', base: 'hex', mask: 0x18 },
  active: { name: 'icmpv6.ext.echo.rsp.active', label: 'Active bit', type: 'bool', mask: 0x04, values: SET },
  hasIpv4: { name: 'icmpv6.ext.echo.rsp.ipv4', label: 'IPv4 bit', type: 'bool', mask: 0x02, values: SET },
  hasIpv6: { name: 'icmpv6.ext.echo.rsp.ipv6', label: 'IPv6 bit', type: 'bool', mask: 0x01, values: SET },
});

/** Port of Teredo. */
const TEREDO = 3544;

const REPLY_BITS = [F.state, F.rspReserved, F.active, F.hasIpv4, F.hasIpv6];

const E = experts({
  badChecksum: { code: 'icmpv6.bad-checksum', severity: 'warn', message: 'Bad checksum', clause: 'RFC 4443 §2.3' },
  hopLimit: {
    code: 'icmpv6.nd-hop-limit',
    severity: 'warn',
    message: 'Hop limit of a neighbor discovery message is not 255: the receiver discards it',
    clause: 'RFC 4861 §6.1, §7.1, §8.1',
  },
});

/** Hop limit of the header that the message came in, or 255 where that is not known. */
const hopLimitOf = (cx: Ctx) => (cx.net.version === 6 && cx.net.src >= 8 ? u8(cx.net.buf, cx.net.src - 1) : 255);

function checksumItem(t: Tree, v: View, cx: Ctx): void {
  const { buf, off, end } = v;
  t.num(F.checksum, off + 2, 2, u16(buf, off + 2));
  if (!t.wanted(F.status) && !t.wantsExperts) return;
  const whole = end === v.wireEnd && !cx.quoted && cx.net.version === 6 && cx.net.buf.length > 0;
  const good = whole && verified(buf, off, end, cx.net);
  t.num(F.status, off + 2, 0, good ? 1 : whole ? 0 : 2);
  if (!whole || good) return;
  const rest = checksum(buf, off, end, pseudoHeader(cx.net, PROTOCOL, end - off));
  t.expert(E.badChecksum, badChecksum(u16(buf, off + 2), rest));
}

/** Extensions are those of ICMP; of a version that nobody knows they are data. */
function extension(t: Tree, v: View, cx: Ctx): void {
  extensions(t, v);
  if (isExtension(v)) t.layer('icmp');
  else if (v.length > 0) cx.data(v);
}

/** The second word of an error and, after it, the packet that the error is about. RFC 4443 §3. */
function error(t: Tree, v: View, cx: Ctx): void {
  const { buf, off } = v;
  const type = u8(buf, off);
  const r = new Reader(t, v, off + 4);
  let length = 0;
  if (type === TOO_BIG) r.u32(F.mtu);
  else if (type === PARAMETER_PROBLEM) r.u32(F.pointer);
  else {
    need(v, 1, off + 4);
    length = 8 * u8(buf, off + 4); // RFC 4884 §4.4: in units of eight octets
    if (length > 0) {
      r.u8(F.length);
      r.bytes(MldFields.reserved, 3);
    } else r.bytes(MldFields.reserved, 4);
  }
  const ext = type === UNREACHABLE || type === TIME_EXCEEDED ? extensionsAt(v, off + 8, length) : -1;
  need(v, 1, off + 8);
  quote6(cx, v.sub(off + 8, ext < 0 ? v.wireEnd : ext));
  if (length > 0) need(v, length, off + 8);
  if (ext >= 0) extension(t, v.sub(ext), cx);
  t.pop();
}

function echo(t: Tree, v: View, cx: Ctx): void {
  const { buf, off } = v;
  const r = new Reader(t, v, off + 4);
  r.u16(F.ident);
  r.u16(F.seq);
  const note = cx.note<EchoNote>(icmpv6, v);
  if (note !== undefined) {
    t.num(F.respTo, off, 0, note.request);
    t.num(F.respTime, off, 0, note.milliseconds);
  }
  // RFC 4380 §5.2.9: the test of a direct path, sent to the port of Teredo
  const nonce = cx.dport === TEREDO && u8(buf, off) === ECHO_REQUEST && v.length >= 12 ? 4 : 0;
  if (nonce > 0) t.bytes(F.echoNonce, off + 8, nonce);
  t.pop();
  cx.data(v.sub(off + 8 + nonce));
}

/** RFC 4861 §4.2; the bits of the flags beyond its own are those of RFC 6275 §7.1, RFC 4191 §2.2 and RFC 4389 §4.1.3.3. */
function advertisement(r: Reader): void {
  r.u8(F.hopLimit);
  r.flags8(F.raFlags, F.managed, F.other, F.homeAgent, F.preference, F.proxy, F.raReserved);
  r.u16(F.lifetime);
  r.u32(F.reachable);
  r.u32(F.retransmit);
}

/** Neighbor solicitation, advertisement and redirect up to their options. RFC 4861 §4.3 to §4.5. */
function neighbor(r: Reader, type: number): void {
  const { t, v } = r;
  const at = r.take(type === NA ? 4 : 0);
  if (type === NA) {
    const flags = u32(v.buf, at);
    t.num(F.naFlags, at, 4, flags);
    t.push();
    for (const f of [F.router, F.solicited, F.override, F.naReserved]) t.bits(f, at, 4, flags);
    t.pop();
  } else r.bytes(MldFields.reserved, 4);
  r.bytes(type === NS ? F.nsTarget : type === NA ? F.naTarget : F.rdTarget, 16);
  if (type === REDIRECT) r.bytes(F.rdDestination, 16);
}

const OPTIONS_AT: Readonly<Record<number, number>> = { [RS]: 8, [RA]: 16, [NS]: 24, [NA]: 24, [REDIRECT]: 40 };

function discovery(t: Tree, v: View, cx: Ctx): void {
  const type = u8(v.buf, v.off);
  if (!cx.quoted && hopLimitOf(cx) !== 255) t.expert(E.hopLimit);
  const r = new Reader(t, v, v.off + 4);
  if (type === RA) advertisement(r);
  else if (type === RS) r.bytes(MldFields.reserved, 4);
  else neighbor(r, type);
  options(t, v, r.at, cx);
  t.pop();
}

/** RFC 8335 §2 and §3. */
function extendedEcho(t: Tree, v: View, cx: Ctx): void {
  const request = u8(v.buf, v.off) === EXTENDED_REQUEST;
  const r = new Reader(t, v, v.off + 4);
  r.u16(F.ident);
  r.u8(F.extSeq);
  if (request) r.bits8(F.reqReserved, F.reqLocal);
  else r.bits8(...REPLY_BITS);
  if (request && r.left > 0) extension(t, v.sub(r.at), cx);
}

/** A message of an extension, or of a type of which nothing is known. */
function other(t: Tree, v: View, cx: Ctx): void {
  const r = new Reader(t, v, v.off + 4);
  const end = extensionMessage(r, v);
  if (end >= 0) options(t, v, end, cx);
  else {
    t.expert(NdExperts.undecodedType, `Dissector for ICMPv6 Type (${u8(v.buf, v.off)}) code ${UNREAD}`);
    if (r.left > 0) t.bytes(NdFields.optionData, r.at, v.end - r.at);
  }
}

function body(t: Tree, v: View, cx: Ctx): void {
  const type = u8(v.buf, v.off);
  if (type >= RS && type <= REDIRECT) discovery(t, v, cx);
  else if (type >= UNREACHABLE && type <= PARAMETER_PROBLEM) error(t, v, cx);
  else if (type === ECHO_REQUEST || type === ECHO_REPLY) echo(t, v, cx);
  else {
    if (type >= MLD_QUERY && type <= MLD_DONE) listener(t, v);
    else if (type === REPORT_V2) report(t, v);
    else if (type === EXTENDED_REQUEST || type === EXTENDED_REPLY) extendedEcho(t, v, cx);
    else other(t, v, cx);
    t.pop();
  }
}

/** The flags of a neighbor advertisement as the Info column has them. */
function flagLabel(bits: number): string {
  const names = [
    [0x80, 'rtr'],
    [0x40, 'sol'],
    [0x20, 'ovr'],
  ] as const;
  const set = names.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  return set.length > 0 ? ` (${set.join(', ')})` : '';
}

/** What follows the name of the message in the Info column. */
function details(v: View, cx: Ctx): string {
  const { buf, off, length } = v;
  const type = u8(buf, off);
  if ((type === ECHO_REQUEST || type === ECHO_REPLY) && length >= 8) {
    const ident = hexNumber(u16(buf, off + 4), 4);
    const answer = responseLabel(cx.note<EchoNote>(icmpv6, v));
    return ` id=${ident}, seq=${u16(buf, off + 6)}, hop limit=${hopLimitOf(cx)}${answer}`;
  }
  if (type >= RS && type <= REDIRECT && length >= OPTIONS_AT[type]) {
    const from = linkLayerLabel(v, off + OPTIONS_AT[type]);
    if (type === NS) return ` for ${ip6(buf, off + 8)}${from}`;
    return type === NA ? ` ${ip6(buf, off + 8)}${flagLabel(u8(buf, off + 4))}${from}` : from;
  }
  const code = CODES[type]?.[u8(buf, off + 1)];
  return code === undefined ? '' : ` (${code})`;
}

export const icmpv6: Dissector<Icmpv6Message> = defineDissector<Icmpv6Message>({
  proto: 'icmpv6',
  title: 'Internet Control Message Protocol v6',
  short: 'ICMPv6',
  spec: 'RFC 4443, RFC 4861, RFC 9777',
  fields: { ...F, ...NdFields, ...MldFields, ...ExtensionFields },
  experts: { ...E, ...NdExperts },
  on: { 'ip.proto': [PROTOCOL] },
  tables: ['ip.version'],

  track(v, cx) {
    if (v.length < 8) return;
    const type = u8(v.buf, v.off);
    if (type !== ECHO_REQUEST && type !== ECHO_REPLY) return;
    const table = cx.scope(icmpv6, () => new EchoTable());
    const note = table.see(cx, type === ECHO_REPLY, u32(v.buf, v.off + 4));
    if (note !== undefined) cx.note(note);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.icmpv6, off, v.length);
    const r = new Reader(t, v, off);
    r.u8(F.type);
    r.u8(F.code);
    const code = CODES[u8(buf, off)]?.[u8(buf, off + 1)];
    if (t.labels && code !== undefined) t.label(`Code: ${u8(buf, off + 1)} (${code})`);
    need(v, 4);
    checksumItem(t, v, cx);
    body(t, v, cx);
  },

  summary(v, cx) {
    if (v.length < 4) return 'Message cut short';
    return `${nameOf(TYPES, u8(v.buf, v.off))}${details(v, cx)}`;
  },

  codec,
});
