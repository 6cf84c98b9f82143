import {
  type Ctx,
  defineDissector,
  experts,
  fields,
  LIMITS,
  Malformed,
  No,
  need,
  type PayloadTypes,
  put16,
  put32,
  remembered,
  type Track,
  type Tree,
  Unsure,
  u8,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';
import { type SrtpSetup, srtpSetup } from './dtls/index.js';
import { VERSIONS } from './rtcp/values.js';
import { F as ExtensionFields, extension } from './rtp-extensions.js';
import { FIRST_DYNAMIC, payloadName, payloadTypeName } from './rtp-payload-types.js';
import type { MediaNote } from './sdp/media.js';
import { udp } from './udp.js';
import { followZrtp, isZrtp, newChoice } from './zrtp.js';

/**
 * Real-time Transport Protocol, RFC 3550 §5.1; header extensions: rtp-extensions.ts.
 *
 *     0               1               2               3
 *     +---+-+-+-------+-+-------------+-------------------------------+
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     +---+-+-+-------+-+-------------+-------------------------------+
 *     |                           timestamp                           |
 *     +---------------------------------------------------------------+
 *     |           synchronization source (SSRC) identifier            |
 *     +---------------------------------------------------------------+
 *     |        contributing source identifiers (CC words) …           |
 *     +-------------------------------+-------------------------------+
 *     |      defined by profile       |  length in words, data …      |  if X
 *     +-------------------------------+-------------------------------+
 */
export const HEADER = 12;

const F = fields({
  rtp: { name: 'rtp', label: 'Real-Time Transport Protocol', type: 'protocol' },
  setup: { name: 'rtp.setup', label: 'Stream setup', type: 'string' },
  setupFrame: { name: 'rtp.setup-frame', label: 'Setup frame', type: 'frame' },
  callId: { name: 'sip.call_id_generated', label: 'Generated Call-ID', type: 'string' },
  setupMethod: { name: 'rtp.setup-method', label: 'Setup Method', type: 'string' },
  version: { name: 'rtp.version', label: 'Version', at: [0, 1], type: 'u8', mask: 0xc0, values: VERSIONS },
  padding: { name: 'rtp.padding', label: 'Padding', at: [0, 1], type: 'bool', mask: 0x20 },
  ext: { name: 'rtp.ext', label: 'Extension', at: [0, 1], type: 'bool', mask: 0x10 },
  cc: { name: 'rtp.cc', label: 'Contributing source identifiers count', at: [0, 1], type: 'u8', mask: 0x0f },
  marker: { name: 'rtp.marker', label: 'Marker', at: [1, 1], type: 'bool', mask: 0x80 },
  type: { name: 'rtp.p_type', label: 'Payload type', at: [1, 1], type: 'u8', mask: 0x7f, values: payloadName },
  seq: { name: 'rtp.seq', label: 'Sequence number', at: [2, 2], type: 'u16' },
  extSeq: { name: 'rtp.extseq', label: 'Extended sequence number', type: 'u32' },
  timestamp: { name: 'rtp.timestamp', label: 'Timestamp', at: [4, 4], type: 'u32' },
  ssrc: { name: 'rtp.ssrc', label: 'Synchronization Source identifier', at: [8, 4], type: 'u32', base: 'hex_dec' },
  csrcItems: { name: 'rtp.csrc.items', label: 'Contributing Source identifiers', type: 'none' },
  csrc: { name: 'rtp.csrc.item', label: 'CSRC item', type: 'u32', base: 'hex_dec' },
  payload: { name: 'rtp.payload', label: 'Payload', type: 'bytes' },
  payloadHidden: { name: 'rtp.payload', label: 'Payload', type: 'bytes', hidden: true },
  encrypted: { name: 'srtp.enc_payload', label: 'SRTP Encrypted Payload', type: 'bytes', clause: 'RFC 3711 §3.1' },
  tag: { name: 'srtp.auth_tag', label: 'SRTP Auth Tag', type: 'bytes', clause: 'RFC 3711 §3.1' },
  paddingData: { name: 'rtp.padding.data', label: 'Padding data', type: 'bytes' },
  paddingCount: { name: 'rtp.padding.count', label: 'Padding count', type: 'u8' },
});

const E = experts({
  version: { code: 'rtp.version', severity: 'warn', message: 'Unknown RTP version', clause: 'RFC 3550 §5.1' },
});

/** What the index pass knows about one packet. */
export interface RtpNote {
  readonly media: MediaNote | undefined;
  readonly setupFrame: number;
  /** The keys that a handshake on the same ports agreed on. */
  readonly srtp: SrtpSetup | undefined;
  /** Sequence number with the wraps of the stream so far. */
  readonly extSeq: number;
}

/** Fields of the header at `o`, of which {@link HEADER} octets must be there. RFC 3550 §5.1 */
export const version = (b: Uint8Array, o: number): number => b[o] >> 6;
const csrcCount = (b: Uint8Array, o: number): number => b[o] & 0x0f;
export const marker = (b: Uint8Array, o: number): boolean => b[o + 1] >= 0x80;
export const payloadType = (b: Uint8Array, o: number): number => b[o + 1] & 0x7f;
export const sequence = (b: Uint8Array, o: number): number => u16(b, o + 2);
export const timestamp = (b: Uint8Array, o: number): number => u32(b, o + 4);
export const ssrc = (b: Uint8Array, o: number): number => u32(b, o + 8);
/** Whether the octets are RTCP on a port that RTP shares with it, RFC 5761 §4. */
export const isRtcp = (b: Uint8Array, o: number): boolean => b[o + 1] >= 192 && b[o + 1] <= 223;

/** Octets of the header with sources and extension, or -1 where it does not fit before `end`. */
export function headerLength(b: Uint8Array, o: number, end: number): number {
  let n = HEADER + 4 * csrcCount(b, o);
  if ((b[o] & 0x10) !== 0) {
    if (o + n + 4 > end) return -1;
    n += 4 + 4 * u16(b, o + n + 2);
  }
  return o + n <= end ? n : -1;
}

/** Streams of one flow: what was seen last of each source and direction. */
class Streams {
  /** Frame of the first packet of each direction. */
  readonly first: [number, number] = [0, 0];
  readonly zrtp = newChoice();
  private readonly last = new Map<number, number>();
  /** By direction: the source that was seen last, and its number, which is not in {@link last}. */
  private readonly source = [-1, -1];
  private readonly extended = [0, 0];

  /** The sequence number with its wraps, RFC 3550 appendix A.1; the first wrap of a stream counts from 65536. */
  extend(source: number, direction: number, seq: number, cx: Track): number {
    if (this.source[direction] !== source) this.turn(source, direction, cx);
    const before = this.extended[direction];
    let extended = before - (before % 0x10000) + seq;
    if (extended + 0x8000 < before) extended += 0x10000;
    else if (before + 0x8000 < extended) extended -= 0x10000;
    this.extended[direction] = extended;
    return extended;
  }

  /** Puts the stream of a direction aside for another. */
  private turn(source: number, direction: number, cx: Track): void {
    const { last } = this;
    if (last.size >= LIMITS.rtpSources) {
      last.clear();
      cx.capped('rtpSources');
    }
    if (this.source[direction] >= 0) last.set(this.source[direction] * 2 + direction, this.extended[direction]);
    this.source[direction] = source;
    this.extended[direction] = last.get(source * 2 + direction) ?? 0x10000;
  }
}
const newStreams = (): Streams => new Streams();

/** One packet; the extension's data are whole words, padding counts its own length octet. */
export interface RtpPacket {
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  csrc: number[];
  extension?: { profile: number; data: Uint8Array };
  payload: Uint8Array;
  padding: number;
}

export const rtp = defineDissector<RtpPacket>({
  proto: 'rtp',
  title: 'Real-Time Transport Protocol',
  short: 'RTP',
  spec: 'RFC 3550',
  fields: { ...F, ...ExtensionFields },
  experts: E,
  tables: ['rtp.pt', 'rtp_dyn_payload_type', 'rtp.rfc5761'],
  calls: ['zrtp'],
  serves: {
    fields: [
      ...[F.setup, F.setupFrame, F.setupMethod, F.callId, F.extSeq],
      ...[F.payload, F.payloadHidden, F.encrypted, F.tag, F.paddingData, F.paddingCount],
    ],
    notPlain: [udp.fields.stream], // ZRTP
    protocols: [
      ...['rtpevent', 'rtcp', 'amr', 'amr_wb', 'evs', 'h264', 'h265'],
      ...['rtp_rfc2198', 'vp8', 'opus', 'evrc', 'mp4v-es', 'h263p'],
    ],
  },

  /**
   * Version 2, a payload type that no first packet of RTCP has (RFC 5761 §4), and a header and padding that fit. Where SRTP
   * is `known` to come, nothing else begins so: RFC 7983 §7.
   */
  probe(b, off, end, known, wireEnd = end) {
    if (known) return end - off >= HEADER && version(b, off) === 2 ? Yes : No;
    if (end - off < HEADER) return end > off && version(b, off) !== 2 ? No : Unsure;
    const pt = payloadType(b, off);
    if (version(b, off) !== 2 || (pt >= 72 && pt <= 76)) return No;
    const header = headerLength(b, off, end);
    if (header < 0 || off + header >= end) return No;
    const padding = (b[off] & 0x20) !== 0 && end === wireEnd ? b[end - 1] : -1;
    return padding === 0 || padding > end - off - header ? No : Yes;
  },

  refuses: (b, off, end) => off < end && version(b, off) !== 2 && !isZrtp(b, off, end),

  plain: (b, off, end) => end - off >= HEADER && version(b, off) === 2 && !isRtcp(b, off),

  track(v, cx) {
    const { buf, off } = v;
    if (v.length < HEADER || version(buf, off) !== 2) {
      if (isZrtp(buf, off, v.end)) followZrtp(v, cx, cx.flow(rtp, newStreams).zrtp);
      else if (v.length >= 2 && isRtcp(buf, off)) cx.track('rtp.rfc5761', 'rtcp', v);
      return;
    }
    const streams = cx.flow(rtp, newStreams);
    if (streams.first[cx.direction] === 0) streams.first[cx.direction] = cx.frame;
    if (isRtcp(buf, off)) {
      cx.track('rtp.rfc5761', 'rtcp', v);
      return;
    }
    const media = cx.expected<MediaNote>();
    const extSeq = streams.extend(ssrc(buf, off), cx.direction, sequence(buf, off), cx);
    const srtp = srtpSetup(cx) ?? media?.agreed;
    const setupFrame = srtp?.frame ?? media?.setupFrame ?? streams.first[cx.direction];
    cx.note({ media, srtp, setupFrame, extSeq } satisfies RtpNote);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    need(v, 1);
    if (version(buf, off) !== 2) {
      if (!isZrtp(buf, off, v.end)) notRtp(v, t);
      else cx.call('zrtp', v);
      return;
    }
    need(v, 2);
    if (isRtcp(buf, off)) {
      cx.next('rtp.rfc5761', 'rtcp', v);
      return;
    }
    const note = cx.note<RtpNote>(rtp, v) ?? quotedNote(v, cx);
    t.open(F.rtp, off, v.length);
    if (note !== undefined) setup(note, off, t);
    t.bits(F.version, off, 1, buf[off]);
    t.bits(F.padding, off, 1, buf[off]);
    t.bits(F.ext, off, 1, buf[off]);
    t.bits(F.cc, off, 1, buf[off]);
    t.bits(F.marker, off + 1, 1, buf[off + 1]);
    t.bits(F.type, off + 1, 1, buf[off + 1]);
    const name = payloadTypeName(payloadType(buf, off), note?.media?.payloadTypes);
    if (t.labels) t.label(`Payload type: ${name} (${payloadType(buf, off)})`);
    need(v, HEADER);
    t.num(F.seq, off + 2, 2, sequence(buf, off));
    if (note !== undefined) t.num(F.extSeq, off + 2, 2, note.extSeq);
    t.num(F.timestamp, off + 4, 4, timestamp(buf, off));
    t.num(F.ssrc, off + 8, 4, ssrc(buf, off));
    const at = extension(v, t, sources(v, t));
    content(v, at, t, cx, note);
  },

  summary(v, cx) {
    const { buf, off } = v;
    if (v.length === 0) return 'Cut short';
    if (version(buf, off) !== 2) return `Unknown RTP version ${version(buf, off)}`;
    if (v.length < HEADER) return 'Cut short';
    const name = payloadTypeName(payloadType(buf, off), cx.note<RtpNote>(rtp, v)?.media?.payloadTypes);
    const id = ssrcText(ssrc(buf, off));
    const mark = marker(buf, off) ? ', Mark' : '';
    return `PT=${name}, SSRC=0x${id}, Seq=${sequence(buf, off)}, Time=${timestamp(buf, off)}${mark}`;
  },

  codec: {
    parse(b, o, end) {
      const cc = csrcCount(b, o);
      const extended = (b[o] & 0x10) !== 0 && o + HEADER + 4 * cc + 4 <= end;
      const at = o + HEADER + 4 * cc;
      const words = extended ? u16(b, at + 2) : 0;
      const padding = (b[o] & 0x20) !== 0 && end > o ? u8(b, end - 1) : 0;
      const from = Math.min(end, extended ? at + 4 + 4 * words : at);
      return {
        marker: marker(b, o),
        payloadType: payloadType(b, o),
        sequence: sequence(b, o),
        timestamp: timestamp(b, o),
        ssrc: ssrc(b, o),
        csrc: Array.from({ length: cc }, (_, i) => (o + HEADER + 4 * i + 4 <= end ? u32(b, o + HEADER + 4 * i) : 0)),
        ...(extended ? { extension: { profile: u16(b, at), data: b.slice(at + 4, from) } } : {}),
        payload: b.slice(from, Math.max(from, end - padding)),
        padding,
      };
    },
    size: (r) =>
      HEADER + 4 * r.csrc.length + (r.extension ? 4 + r.extension.data.length : 0) + r.payload.length + r.padding,
    emit(r, b, o) {
      b[o] = 0x80 | (r.padding > 0 ? 0x20 : 0) | (r.extension ? 0x10 : 0) | r.csrc.length;
      b[o + 1] = (r.marker ? 0x80 : 0) | r.payloadType;
      put16(b, o + 2, r.sequence);
      put32(b, o + 4, r.timestamp);
      put32(b, o + 8, r.ssrc);
      let at = o + HEADER;
      for (const c of r.csrc) {
        put32(b, at, c);
        at += 4;
      }
      if (r.extension) {
        put16(b, at, r.extension.profile);
        put16(b, at + 2, r.extension.data.length / 4);
        b.set(r.extension.data, at + 4);
        at += 4 + r.extension.data.length;
      }
      b.set(r.payload, at);
      at += r.payload.length + r.padding;
      if (r.padding > 0) {
        b.fill(0, at - r.padding, at);
        b[at - 1] = r.padding; // RFC 3550 §5.1: the last octet counts the padding
      }
      return at - o;
    },
  },
});

const ssrcText = remembered(1024, (id: number) => id.toString(16).toUpperCase());

/** What is known about a packet that an ICMP error quotes: its stream is not followed. */
function quotedNote(v: View, cx: Ctx): RtpNote | undefined {
  const media = cx.announced?.<MediaNote>(v);
  if (media === undefined || v.length < HEADER) return undefined;
  return { media, setupFrame: media.setupFrame, srtp: undefined, extSeq: 0x10000 + sequence(v.buf, v.off) };
}

function setup(note: RtpNote, off: number, t: Tree): void {
  const { media, srtp } = note;
  const agreed = srtp === media?.agreed ? 'ZRTP' : 'DTLS-SRTP';
  const method = srtp !== undefined ? agreed : media === undefined ? 'HEUR RTP' : (media.by ?? 'SDP');
  t.text(F.setup, off, 0, '');
  if (t.labels) t.label(`Stream setup by ${method} (frame ${note.setupFrame})`);
  t.push();
  t.num(F.setupFrame, off, 0, note.setupFrame);
  t.text(F.setupMethod, off, 0, method);
  for (const id of note.media?.callIds.list ?? []) t.text(F.callId, off, 0, id);
  t.pop();
}

function notRtp({ buf, off, length }: View, t: Tree): void {
  t.open(F.rtp, off, length);
  t.bits(F.version, off, 1, buf[off]);
  t.expert(E.version);
  t.pop();
}

/** Returns the offset behind the contributing sources. */
function sources(v: View, t: Tree): number {
  const { buf, off } = v;
  const count = csrcCount(buf, off);
  const at = off + HEADER;
  if (count === 0) return at;
  t.none(F.csrcItems, at, 4 * count);
  if (t.labels) t.label(`Contributing Source identifiers (${count} items)`);
  t.push();
  for (let i = 0; i < count; i++) {
    need(v, 4, at + 4 * i);
    t.num(F.csrc, at + 4 * i, 4, u32(buf, at + 4 * i));
    if (t.labels)
      t.label(
        `CSRC item ${i}: 0x${u32(buf, at + 4 * i)
          .toString(16)
          .toUpperCase()}`,
      );
  }
  t.pop();
  return at + 4 * count;
}

/** Payload and padding from `at` on; ends the layer and hands the payload on. */
function content(v: View, at: number, t: Tree, cx: Ctx, note: RtpNote | undefined): void {
  const { buf } = v;
  if (note?.srtp !== undefined) {
    secured(v, at, t, tagLength(note.srtp.profile));
    return;
  }
  const padded = (buf[v.off] & 0x20) !== 0 && v.end === v.wireEnd;
  if (padded && at >= v.end) throw new Malformed('padding without an octet that counts it');
  const count = padded ? buf[v.end - 1] : 0;
  const from = Math.max(at, v.end - count);
  const body = count > 0 ? v.sub(at, from) : v.sub(at);
  const pt = payloadType(buf, v.off);
  const types = note?.media?.payloadTypes;
  const key = body.length > 0 ? handler(pt, cx, types) : -1;
  if (body.length > 0) t.bytes(key === -1 ? F.payload : F.payloadHidden, body.off, body.length);
  if (padded && count === 0) throw new Malformed('padding of no octets'); // RFC 3550 §5.1: the count includes itself
  if (padded) {
    if (v.end - 1 > from) t.bytes(F.paddingData, from, v.end - 1 - from);
    t.num(F.paddingCount, v.end - 1, 1, count);
  }
  t.pop();
  if (key !== -1) handOn(key, pt, body, cx, types);
}

function handOn(key: string | number, pt: number, body: View, cx: Ctx, types: PayloadTypes | undefined): void {
  const announced = types?.get(pt);
  // SDP that names the type and no parameters states the defaults.
  cx.payloadParameters = announced === undefined ? undefined : (announced.parameters ?? '');
  cx.payloadTypes = types;
  cx.next(typeof key === 'string' ? 'rtp_dyn_payload_type' : 'rtp.pt', key, body);
}

/** A payload that stands inside another one, as a payload of its own. */
export function showPayload(t: Tree, cx: Ctx, pt: number, body: View, types: PayloadTypes | undefined): void {
  const key = body.length > 0 ? handler(pt, cx, types) : -1;
  t.bytes(key === -1 ? F.payload : F.payloadHidden, body.off, body.length);
  if (key !== -1) handOn(key, pt, body, cx, types);
}

/** Octets of the authentication tag: RFC 5764 §4.1.2, RFC 7714 §12. */
const tagLength = (profile: number): number => (profile >= 7 ? 16 : profile % 4 === 2 ? 4 : 10);

/** A payload that nobody here can read; that padding is encrypted with it makes no difference to Wireshark. */
function secured(v: View, at: number, t: Tree, tag: number): void {
  const { buf } = v;
  const padded = (buf[v.off] & 0x20) !== 0 && v.end === v.wireEnd;
  const count = padded ? buf[v.end - 1] : 0;
  const end = v.end - count - tag;
  if (end < at) throw new Malformed('no room for the payload before its padding and its tag');
  if (end > at) t.bytes(F.encrypted, at, end - at);
  t.bytes(F.tag, end, tag);
  if (count > 0) {
    t.bytes(F.paddingData, end + tag, count - 1);
    t.num(F.paddingCount, v.end - 1, 1, count);
  }
  t.pop();
}

/** Who takes the payload: a name of SDP, a payload type, or -1 for nobody. */
function handler(pt: number, cx: Ctx, types: PayloadTypes | undefined): string | number {
  const name = pt >= FIRST_DYNAMIC ? types?.get(pt)?.name.toLowerCase() : undefined;
  if (name !== undefined) return cx.takes('rtp_dyn_payload_type', name) ? name : -1;
  return cx.takes('rtp.pt', pt) ? pt : -1;
}
