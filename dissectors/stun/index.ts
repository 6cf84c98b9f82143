import {
  type AnyDissector,
  type Ctx,
  defineDissector,
  hexNumber,
  No,
  need,
  type Probe,
  padded,
  type Tree,
  Unsure,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';
import { COOKIE } from './addresses.js';
import { attributes, brief } from './attributes.js';
import { codec, HEADER, type Stun } from './codec.js';
import { E, F } from './fields.js';
import { CHANNEL_HEADER, isChannel, isChannelData, RELAYED, relayed } from './relay.js';
import { follow, type StunNote } from './transactions.js';
import { CLASS_BITS, Class, className, methodName, methodOf, typeName } from './values.js';

export type { Stun, StunAttribute, StunMessage } from './codec.js';
export { fingerprintOf } from './fingerprint.js';
export { Attr, Class } from './values.js';

/**
 * Session Traversal Utilities for NAT, RFC 8489 §5, with TURN (RFC 8656) and ICE (RFC 8445):
 *
 *     0               1               2               3
 *     +---+---------------------------+-------------------------------+
 *     |0 0|       Message Type        |        Message Length         |
 *     +---+---------------------------+-------------------------------+
 *     |                   Magic Cookie 0x2112A442                     |
 *     +---------------------------------------------------------------+
 *     |                Transaction ID (12 octets) …
 *     +-------------------------------+-------------------------------+
 *     |     Attribute type, length, value padded to whole words …     |
 *
 * The first two bits are 01 in ChannelData, RFC 8656 §12.4. In a stream that shares its connection with other media each
 * message has its length before it, RFC 4571 §2.
 */
const FRAMING = 2;
/** Methods are 8 bits wide so far: longer ones are no STUN. */
const METHOD_BITS_UNUSED = 0x3c00;
/** Version number that {@link F.version} shows for messages with the magic cookie. */
const RFC5389 = 3;

/** Whether a message header with the cookie stands at `o`, which has 8 octets at least. */
const isMessage = (b: Uint8Array, o: number): boolean => (b[o] & 0xc0) === 0 && u32(b, o + 4) === COOKIE;

/** Octets of the framing before the message at `o` of a stream: 2 or 0; -1: more octets are needed; -2: no STUN. */
function framing(b: Uint8Array, o: number, end: number): number {
  if (end - o < 8) return -1;
  if (isMessage(b, o)) return 0;
  if (end - o < 8 + FRAMING) return (b[o] & 0xc0) === 0 ? -1 : -2;
  return isMessage(b, o + FRAMING) && u16(b, o) === HEADER + u16(b, o + FRAMING + 2) ? FRAMING : -2;
}

/** Octets of the message of a stream that starts at `off`. */
function pduLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < CHANNEL_HEADER) return 0;
  if (isChannel(b[off])) return CHANNEL_HEADER + padded(u16(b, off + 2)); // RFC 8656 §12.5: padded over TCP
  const prefix = framing(b, off, end);
  if (prefix < 0) return prefix === -1 ? 0 : -1;
  return prefix + HEADER + u16(b, off + prefix + 2);
}

/**
 * A message with the cookie, and behind it nothing or another one. ChannelData has nothing to recognise it by, so that
 * it counts alone in flows that are `known` to be STUN.
 */
function probe(b: Uint8Array, off: number, end: number, known = false): Probe {
  if (end <= off) return Unsure;
  if (isChannel(b[off])) return known && isChannelData(b, off, end) ? Yes : No;
  if ((b[off] & 0xc0) !== 0) return No;
  const prefix = framing(b, off, end);
  if (prefix === -1) return Unsure;
  if (prefix === -2 || (u16(b, off + prefix) & METHOD_BITS_UNUSED) !== 0) return No;
  const next = off + pduLength(b, off, end);
  if (next >= end || isChannel(b[next])) return Yes;
  return framing(b, next, end) === -2 ? No : Yes;
}

export const stun = defineDissector<Stun>({
  proto: 'stun',
  title: 'Session Traversal Utilities for NAT',
  short: 'STUN',
  spec: 'RFC 8489',
  fields: F,
  experts: E,
  on: { 'udp.heuristic': ['stun'], 'tls.app': ['stun.turn', 'stun.nat-discovery'] },
  calls: RELAYED,
  serves: { fields: [F.responseIn, F.responseTo, F.time, F.duplicate] },

  probe,
  pduLength,

  track(v, cx) {
    const { buf } = v;
    const prefix = v.length < 8 || isChannel(buf[v.off]) ? -1 : framing(buf, v.off, v.end);
    if (prefix < 0 || v.length < prefix + HEADER) return;
    const off = v.off + prefix;
    const isRequest = (u16(buf, off) & CLASS_BITS) === Class.Request;
    follow(stun as AnyDissector, cx, buf, off + 8, 12, isRequest);
  },

  dissect(v, t, cx) {
    need(v, CHANNEL_HEADER);
    if (isChannel(v.buf[v.off])) channelData(v, t, cx);
    else message(v, t, cx);
  },

  summary(v) {
    const { buf } = v;
    if (v.length < CHANNEL_HEADER) return 'Cut short';
    if (isChannel(buf[v.off])) return 'ChannelData TURN Message';
    const prefix = Math.max(0, framing(buf, v.off, v.end));
    return v.length < prefix + HEADER ? 'Cut short' : info(v, v.off + prefix);
  },

  codec,
});

function channelData(v: View, t: Tree, cx: Ctx): void {
  const { buf, off } = v;
  const length = u16(buf, off + 2);
  t.open(F.stun, off, CHANNEL_HEADER, t.labels ? `${F.stun.label}, TURN ChannelData Message` : undefined);
  t.num(F.channel, off, 2, u16(buf, off));
  t.num(F.length, off + 2, 2, length);
  t.pop();
  const data = v.sub(off + CHANNEL_HEADER, off + CHANNEL_HEADER + length);
  if (data.length > 0) relayed(data, cx);
}

function message(v: View, t: Tree, cx: Ctx): void {
  const { buf } = v;
  t.open(F.stun, v.off, v.length);
  const prefix = Math.max(0, framing(buf, v.off, v.end));
  if (prefix > 0) t.num(F.frameLength, v.off, FRAMING, u16(buf, v.off));
  const off = v.off + prefix;
  need(v, HEADER, off);
  transaction(v, off, t, cx);
  messageType(t, off, u16(buf, off));
  const length = u16(buf, off + 2);
  t.num(F.length, off + 2, 2, length);
  t.bytes(F.cookie, off + 4, 4);
  t.bytes(F.id, off + 8, 12);
  if (length > 0) body(v, t, cx, off, length);
  t.pop();
}

function transaction(v: View, off: number, t: Tree, cx: Ctx): void {
  const note = cx.note<StunNote>(stun, v);
  if (note === undefined) return;
  const isRequest = (u16(v.buf, off) & CLASS_BITS) === Class.Request;
  if (note.other !== 0) t.num(isRequest ? F.responseIn : F.responseTo, off, 0, note.other);
  if (note.other !== 0 && !isRequest) t.time(F.time, off, 0, note.seconds, note.nanos);
  if (note.repeats !== 0) t.num(F.duplicate, off, 0, note.repeats);
}

function messageType(t: Tree, off: number, type: number): void {
  t.num(F.type, off, 2, type);
  t.push();
  t.bits(F.class, off, 2, type);
  if (t.labels) t.label(`Message Class: ${className(type)}`);
  t.bits(F.method, off, 2, type);
  if (t.labels) t.label(`Message Method: ${methodName(type)} (${hexNumber(methodOf(type), 3)})`);
  t.bits(F.methodAssignment, off, 2, type);
  t.pop();
}

/** The attributes; those that the capture cut off are missing. */
function body(v: View, t: Tree, cx: Ctx, off: number, length: number): void {
  const from = off + HEADER;
  const end = from + length;
  t.num(F.version, from, 0, RFC5389);
  if (length % 4 !== 0) {
    t.none(F.wrongLength, off + 2, 2);
    t.expert(E.wrongLength); // RFC 8489 §5
  }
  t.open(F.attributes, from, length);
  attributes(v, t, cx, off, from, Math.min(end, v.end));
  t.pop();
  need(v, length, from);
}

/** The type, and what the attributes say that a reader looks for first. */
function info(v: View, off: number): string {
  const { buf } = v;
  let s = typeName(u16(buf, off));
  const end = Math.min(v.end, off + HEADER + u16(buf, off + 2));
  for (let at = off + HEADER; at + 4 <= end; ) {
    const stop = at + 4 + u16(buf, at + 2);
    if (stop > end) break;
    s += brief(v, u16(buf, at), at + 4, stop, off);
    at = stop + (-(stop - at) & 3);
  }
  return s;
}
