import {
  type AnyDissector,
  defineDissector,
  Malformed,
  No,
  nameOf,
  need,
  type Track,
  type Tree,
  Unsure,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';
import { type SrtpSetup, srtpSetup } from '../dtls/index.js';
import type { MediaNote } from '../sdp/media.js';
import { codec, HEADER, packetLength, type Rtcp } from './codec.js';
import { payloadFeedback, transportFeedback } from './feedback.js';
import { E, F } from './fields.js';
import {
  application,
  applicationName,
  description,
  type Echo,
  type Echoes,
  goodbye,
  ntpTime,
  REPORT,
  receptionReports,
  senderInfo,
} from './reports.js';
import { encrypted, type Trailer, trailer, trailerOf } from './secure.js';
import { EXTENSIONS, PAYLOAD_FEEDBACK_SHORT, TYPES, Type } from './values.js';
import { extendedReports } from './xr.js';

/**
 * RTP Control Protocol, RFC 3550 §6: packets one behind the other, each with the header
 *
 *     0               1               2               3
 *     +---+-+---------+---------------+-------------------------------+
 *     |V=2|P|  count  |  packet type  |   length in words, less one   |
 *     +---+-+---------+---------------+-------------------------------+
 */

export * from './codec.js';

const version = (b: Uint8Array, o: number): number => b[o] >> 6;
const count = (b: Uint8Array, o: number): number => b[o] & 0x1f;
const isPadded = (b: Uint8Array, o: number): boolean => (b[o] & 0x20) !== 0;
const type = (b: Uint8Array, o: number): number => b[o + 1];
const isKnown = (pt: number): boolean => TYPES[pt] !== undefined;

/** What the index pass knows about one compound. */
interface RtcpNote {
  readonly media: MediaNote | undefined;
  readonly srtp: SrtpSetup | undefined;
  readonly echoes: Echoes | undefined;
}

/** The last sender reports of both directions of a flow, for the round trip. */
interface SenderReports {
  readonly last: [SenderReport | undefined, SenderReport | undefined];
}
const STARTS: ReadonlySet<number> = new Set([
  Type.SenderReport,
  Type.ReceiverReport,
  Type.Goodbye,
  Type.Application,
  Type.PayloadFeedback,
]);

interface SenderReport {
  /** Middle 32 bits of the NTP timestamp. */
  readonly ntp: number;
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
}
const newReports = (): SenderReports => ({ last: [undefined, undefined] });

export const rtcp = defineDissector<Rtcp>({
  proto: 'rtcp',
  title: 'Real-time Transport Control Protocol',
  short: 'RTCP',
  spec: 'RFC 3550',
  fields: F,
  experts: E,
  on: { 'rtp.rfc5761': ['rtcp'], 'udp.heuristic': ['rtcp'] },
  serves: { fields: Object.values(F) },

  /**
   * A first packet of a type that compounds start with, feedback alone among them (RFC 5506), and whole words up to the
   * end. Transport feedback and extended reports look too much like what is no RTCP.
   */
  probe(b, off, end, _, wireEnd = end) {
    if (end - off < HEADER) return end > off && version(b, off) !== 2 ? No : Unsure;
    if (version(b, off) !== 2 || !STARTS.has(type(b, off))) return No;
    return (wireEnd - off) % 4 === 0 ? Yes : No;
  },

  refuses: (b, off, end) => off < end && version(b, off) !== 2,

  track(v, cx) {
    const media = cx.expected<MediaNote>();
    const srtp = srtpSetup(cx);
    const isOpen = guardOf(v, media, srtp)?.encrypted !== true;
    const echoes = isOpen ? follow(v, cx, cx.flow(rtcp as AnyDissector, newReports)) : undefined;
    if (media !== undefined || srtp !== undefined || echoes !== undefined)
      cx.note({ media, srtp, echoes } satisfies RtcpNote);
  },

  dissect(v, t, cx) {
    const { buf } = v;
    need(v, 1);
    if (version(buf, v.off) !== 2) {
      t.open(F.rtcp, v.off, v.length);
      t.bits(F.version, v.off, 1, buf[v.off]);
      t.expert(E.version);
      t.pop();
      return;
    }
    need(v, 2);
    const note = cx.note<RtcpNote>(rtcp, v);
    const guard = guardOf(v, note?.media, note?.srtp);
    if (guard?.encrypted) return secured(v, t, note, guard);
    let at = v.off;
    let stated = 0;
    let good = true;
    for (let last = false; !last && isType(type(buf, at)); ) {
      need(v, HEADER, at);
      const length = packetLength(buf, at);
      stated += length;
      const end = packet(v, t, at, note);
      if (end !== at + length) good = false;
      at = isKnown(type(buf, at)) ? Math.max(end, at + length) : end;
      last = isLast(v, at);
      if (last && v.end === v.wireEnd) lengthCheck(t, v, stated, good && at <= v.end, Math.min(end, v.end) - v.off);
      t.pop();
    }
  },

  summary(v, cx) {
    const { buf } = v;
    if (v.length === 0) return 'Cut short';
    if (version(buf, v.off) !== 2) return `Unknown RTCP version ${version(buf, v.off)}`;
    const note = cx.note<RtcpNote>(rtcp, v);
    if (guardOf(v, note?.media, note?.srtp)?.encrypted) return `${nameOf(TYPES, type(buf, v.off))}   `;
    let s = '';
    for (let at = v.off; at + HEADER <= v.end && isKnown(type(buf, at)); at += packetLength(buf, at))
      s += packetSummary(v, at);
    return s;
  },

  codec,
});

/** Whether no packet starts at `next`. */
const isLast = (v: View, next: number): boolean => next + HEADER > v.end || !isType(type(v.buf, next));

/** Types of packets of RTCP, of which some have no meaning: the last one is that of RFC 7272 §7. */
const isType = (pt: number): boolean => pt >= 192 && pt <= 211;

/** Opens the layer of one packet, and shows its header; false where nobody knows what such a packet holds. */
function head(v: View, t: Tree, at: number, octets: number, note: RtcpNote | undefined): boolean {
  const { buf } = v;
  const pt = type(buf, at);
  t.open(F.rtcp, at, octets);
  if (t.labels)
    t.label(`${isSecure(note) ? 'Secure ' : ''}Real-time Transport Control Protocol (${nameOf(TYPES, pt)})`);
  if (note?.srtp !== undefined) setup(t, at, 'DTLS-SRTP', note.srtp.frame);
  else if (note?.media !== undefined) setup(t, at, 'SDP', note.media.setupFrame);
  t.bits(F.version, at, 1, buf[at]);
  t.bits(F.padding, at, 1, buf[at]);
  if (!isKnown(pt)) return false;
  const five = countField(pt);
  if (five !== undefined) t.bits(five, at, 1, buf[at]);
  t.num(F.type, at + 1, 1, pt);
  t.num(F.length, at + 2, 2, u16(buf, at + 2));
  if (t.labels) t.label(`Length: ${u16(buf, at + 2)} (${packetLength(buf, at)} bytes)`);
  return true;
}

const isSecure = (note: RtcpNote | undefined): boolean => note?.srtp !== undefined || note?.media?.secure === true;

/** Profile of the suite that SDP announces nearly always, AES_CM_128_HMAC_SHA1_80. RFC 4568 §6.2.1, RFC 5764 §4.1.2 */
const ANNOUNCED = 1;

/** What stands behind a compound of SRTCP; undefined where it is none. */
function guardOf(v: View, media: MediaNote | undefined, srtp: SrtpSetup | undefined): Trailer | undefined {
  if (srtp === undefined && media?.secure !== true) return undefined;
  return trailerOf(v, srtp?.profile ?? ANNOUNCED);
}

/** A compound that is encrypted behind its first SSRC. */
function secured(v: View, t: Tree, note: RtcpNote | undefined, guard: Trailer): void {
  need(v, HEADER);
  if (head(v, t, v.off, v.length, note)) {
    ssrc(v, t, v.off + HEADER, F.sender);
    encrypted(v, t, guard);
    trailer(v, t, guard);
  }
  t.pop();
  if (v.isCut) need(v, v.wireLength);
}

/** Opens the layer of one packet and fills it; returns where what it holds ends, padding included. */
function packet(v: View, t: Tree, at: number, note: RtcpNote | undefined): number {
  const { buf } = v;
  const length = packetLength(buf, at);
  const last = isLast(v, at + length);
  // Nobody knows what some hold: Wireshark looks for another one octet on.
  if (!head(v, t, at, Math.min(length, v.end - at), note)) return at + 1;
  if (isPadded(buf, at) && !last) t.expert(E.padding); // RFC 3550 §6.4.1: only the last may be padded
  const end = at + length;
  const padding = isPadded(buf, at) && last && end <= v.end && end > at + HEADER ? buf[end - 1] : 0;
  const tooMuch = padding > length - HEADER;
  const held = content(v, t, at, tooMuch ? end : end - padding, note?.echoes);
  if (tooMuch) throw new Malformed('more padding than the packet has octets');
  if (padding === 0) return held;
  if (padding > 1) t.bytes(F.paddingData, end - padding, padding - 1);
  t.num(F.paddingCount, end - 1, 1, padding);
  return held + padding;
}

function setup(t: Tree, at: number, method: string, frame: number): void {
  t.text(F.setup, at, 0, '');
  if (t.labels) t.label(`Stream setup by ${method} (frame ${frame})`);
  t.push();
  t.num(F.setupFrame, at, 0, frame);
  t.text(F.setupMethod, at, 0, method);
  t.pop();
}

/** Receiver Summary Information. RFC 5760 §7.1 */
const SUMMARY = 209;

/** What the five bits beside the version are. */
function countField(pt: number): typeof F.rc | undefined {
  if (pt === Type.Extended || pt === SUMMARY) return undefined; // RFC 3611 §2: reserved
  if (pt === Type.Description || pt === Type.Goodbye) return F.sc;
  if (pt === Type.Application || pt === 208 || pt === 210) return F.subtype;
  if (pt === Type.TransportFeedback) return F.rtpfb;
  return pt === Type.PayloadFeedback ? F.psfb : F.rc;
}

/** What follows the header, up to `end`; returns where it really ends, which for counted things may be elsewhere. */
function content(v: View, t: Tree, at: number, end: number, echoes: Echoes | undefined): number {
  const { buf } = v;
  const body = at + HEADER;
  const n = count(buf, at);
  switch (type(buf, at)) {
    case Type.SenderReport:
      return receptionReports(v, t, senderInfo(v, t, ssrc(v, t, body, F.sender)), n, end, echoes);
    case Type.ReceiverReport:
      return receptionReports(v, t, ssrc(v, t, body, F.sender), n, end, echoes);
    case Type.Description:
      return description(v, t, body, n);
    case Type.Goodbye:
      return goodbye(v, t, body, n, end);
    case Type.Application:
      application(v, t, body, end);
      break;
    case Type.TransportFeedback:
      transportFeedback(v, t, n, ssrc(v, t, ssrc(v, t, body, F.sender), F.media), end);
      break;
    case Type.PayloadFeedback:
      payloadFeedback(v, t, n, ssrc(v, t, ssrc(v, t, body, F.sender), F.media), end);
      break;
    case Type.Extended:
      extendedReports(v, t, ssrc(v, t, body, F.sender), end);
      break;
    case SUMMARY:
      ntpTime(v, t, ssrc(v, t, ssrc(v, t, body, F.ssrc), F.ssrc)); // RFC 5760 §7.1
      break;
    case Type.Jitter:
      // RFC 5450 §4: one value for each report of the packet before
      for (let i = 0; i < n; i++) ssrc(v, t, body + 4 * i, F.jitter);
      break;
    default:
      other(v, t, body, end);
  }
  return end;
}

/** Puts a 32-bit number and returns the offset behind it. */
function ssrc(v: View, t: Tree, at: number, f: typeof F.sender): number {
  need(v, 4, at);
  t.num(f, at, 4, u32(v.buf, at));
  return at + 4;
}

/** Requests of RFC 2032 and packet types that are only named. */
function other(v: View, t: Tree, at: number, end: number): void {
  if (end - at < 4) return;
  const body = ssrc(v, t, at, F.ssrc);
  if (type(v.buf, at - HEADER) !== Type.Nack || end - body < 4) return;
  need(v, 4, body);
  t.num(F.fsn, body, 2, u16(v.buf, body));
  t.num(F.blp, body + 2, 2, u16(v.buf, body + 2));
}

/** Whether the packets hold as much as they say; `found`: octets up to the end of what the last one holds. */
function lengthCheck(t: Tree, v: View, stated: number, good: boolean, found: number): void {
  t.num(F.lengthCheck, v.off, 0, good ? 1 : 0);
  if (t.labels) t.label(`RTCP frame length check: ${good ? 'OK' : 'Wrong'} - ${stated} bytes`);
  if (good) return;
  t.none(F.lengthBad, v.off, 0);
  t.expert(E.length, `${E.length.message} (expected ${stated} bytes, found ${found})`);
}

function packetSummary(v: View, at: number): string {
  const { buf } = v;
  const pt = type(buf, at);
  const s = `${nameOf(TYPES, pt)}   `;
  if (pt === Type.PayloadFeedback) return `${s}${nameOf(PAYLOAD_FEEDBACK_SHORT, count(buf, at))}  `;
  if (pt === Type.Application && at + 12 <= v.end) {
    const name = applicationName(buf, at + 8);
    return `${s}${name === '' ? '' : `( ${name} ) `}subtype=${count(buf, at)}`;
  }
  if (pt !== Type.SenderReport && pt !== Type.ReceiverReport) return s;
  const reports = at + (pt === Type.SenderReport ? 28 : 8) + REPORT * count(buf, at);
  const end = Math.min(v.end, at + packetLength(buf, at));
  if (isPadded(buf, at) || reports + 4 > end) return s;
  return `${s}(PSE:${nameOf(EXTENSIONS, u16(buf, reports))}  )  `;
}

/** Walks a compound: remembers its sender report, and finds the reports that answer one of the other side. */
function follow(v: View, cx: Track, state: SenderReports): Map<number, Echo> | undefined {
  const { buf } = v;
  let echoes: Map<number, Echo> | undefined;
  for (let at = v.off; at + HEADER <= v.end; at += packetLength(buf, at)) {
    const pt = type(buf, at);
    if (!isKnown(pt)) break;
    if (pt !== Type.SenderReport && pt !== Type.ReceiverReport) continue;
    const from = at + (pt === Type.SenderReport ? 28 : 8);
    for (let i = 0, o = from; i < count(buf, at) && o + REPORT <= v.end; i++, o += REPORT) {
      const echo = answer(buf, o, cx, state.last[1 - cx.direction]);
      if (echo !== undefined) (echoes ??= new Map()).set(o, echo);
    }
    if (pt !== Type.SenderReport || from > v.end) continue;
    const ntp = ((u16(buf, at + 10) << 16) | u16(buf, at + 12)) >>> 0;
    state.last[cx.direction] = { ntp, frame: cx.frame, seconds: cx.seconds, nanos: cx.nanos };
  }
  return echoes;
}

/** RFC 3550 §6.4.1: the round trip is now, less the time of the sender report, less the delay that the report states. */
function answer(b: Uint8Array, o: number, cx: Track, sent: SenderReport | undefined): Echo | undefined {
  const lsr = u32(b, o + 16);
  if (sent === undefined || lsr === 0 || lsr !== sent.ntp) return undefined;
  const captured = (cx.seconds - sent.seconds) * 1000 + (cx.nanos - sent.nanos) / 1e6;
  const delay = (u32(b, o + 20) * 1000) / 65536;
  return { frame: sent.frame, captured: Math.trunc(captured), roundTrip: Math.trunc(captured - delay) };
}
