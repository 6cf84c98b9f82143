import {
  badChecksum,
  type Ctx,
  checksum,
  type Dissector,
  defineDissector,
  type Field,
  fold,
  isLeftToCard,
  need,
  type Peek,
  pseudoHeader,
  put16,
  put32,
  sumWords,
  type Tree,
  u16,
  u32,
  utf8Text,
  type View,
} from 'fttscope/kit';
import { F as AnalysisFields, analysis, ITEM_EXPERTS, ITEM_FIELDS, prefixes, times } from './analysis.js';
import { ACK, E, F, FIN, RST, SYN, URG } from './fields.js';
import { flagBits, flagsLetters, flagsText, HEADER, headerLength, info, segmentOf, title } from './info.js';
import { SCALE_UNKNOWN, type TcpNote } from './note.js';
import { E as OptionExperts, F as OptionFields, H as OptionHeadings } from './option-fields.js';
import { options } from './options.js';
import { reassembled, segmentData } from './segments.js';
import { completeness, SCALE } from './values.js';

/**
 * Transmission Control Protocol, RFC 9293 §3.1:
 *
 *     0               1               2               3
 *     +-------------------------------+-------------------------------+
 *     |          Source Port          |       Destination Port        |
 *     +-------------------------------+-------------------------------+
 *     |                        Sequence Number                        |
 *     +---------------------------------------------------------------+
 *     |                    Acknowledgment Number                      |
 *     +-------+-------+---------------+-------------------------------+
 *     |Offset |Rsv |A |C E U A P R S F|            Window             |
 *     +-------+-------+---------------+-------------------------------+
 *     |           Checksum            |        Urgent Pointer         |
 *     +-------------------------------+-------------------------------+
 *     |                  Options, padded to 32 bits                   |
 *     +- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -+
 */
const PROTOCOL = 6;

/** A segment: header, options as they stand, and what it carries. */
export interface TcpSegment {
  srcport: number;
  dstport: number;
  seq: number;
  ack: number;
  /** All twelve bits. */
  flags: number;
  window: number;
  urgent: number;
  /** A multiple of four octets, at most 40. */
  options: Uint8Array;
  payload: Uint8Array;
}

/** Status of the checksum: good, bad, or 2 where it cannot be told. */
function checksumStatus(v: View, cx: Ctx): number {
  const { buf, off, end } = v;
  const { net } = cx;
  if (!cx.verifies('tcp') || cx.quoted || v.end < v.wireEnd || net.buf.length === 0) return 2;
  if (checksum(buf, off, end, pseudoHeader(net, PROTOCOL, v.length)) === 0) return 1;
  return isLeftToCard(u16(buf, off + 16), net, PROTOCOL, v.length) ? 2 : 0;
}

function showFlags(t: Tree, v: View, cx: Ctx, flags: number, note: TcpNote | undefined): void {
  const at = v.off + 12;
  t.num(F.flags, at, 2, flags);
  if (t.labels) t.label(`Flags: 0x${flags.toString(16).padStart(3, '0')} (${flagsText(flags)})`);
  t.push();
  t.bits(F.res, at, 1, flags);
  t.bits(F.ae, at, 1, flags);
  t.bits(F.cwr, at + 1, 1, flags);
  t.bits(F.ece, at + 1, 1, flags);
  t.bits(F.urg, at + 1, 1, flags);
  t.bits(F.ackFlag, at + 1, 1, flags);
  t.bits(F.push, at + 1, 1, flags);
  t.bits(F.reset, at + 1, 1, flags);
  t.bits(F.syn, at + 1, 1, flags);
  t.bits(F.fin, at + 1, 1, flags);
  if (t.wanted(F.str)) t.text(F.str, at, 2, flagsLetters(flags));
  if ((flags & (FIN | SYN | RST)) !== 0) connection(t, v, cx, flags, note);
  t.pop();
}

/** Chat about the opening and closing of connections. */
function connection(t: Tree, v: View, cx: Ctx, flags: number, note: TcpNote | undefined): void {
  const at = v.off + 12;
  if ((flags & RST) !== 0) {
    t.none(F.rstItem, at, 0);
    t.expert(E.rst);
  }
  if ((flags & SYN) !== 0) {
    const answer = (flags & ACK) !== 0;
    if (answer && note !== undefined) fastOpenAnswer(t, v, note);
    t.none(answer ? F.synAckItem : F.synItem, at, 0);
    const e = answer ? E.synAck : E.syn;
    if (t.wantsExperts) t.expert(e, `${e.message}: server port ${answer ? cx.sport : cx.dport}`);
  }
  if ((flags & FIN) === 0) return;
  t.none(F.finItem, at, 0);
  t.expert(E.fin);
  if (note === undefined) return;
  t.none(note.passiveClose ? F.finPassive : F.finActive, at, 0);
  t.expert(note.passiveClose ? E.finPassive : E.finActive);
}

/** The numbers before the flags: which stream, how long, and the sequence numbers relative to their first. */
function showNumbers(t: Tree, v: View, flags: number, length: number, note: TcpNote | undefined): void {
  const { buf, off } = v;
  const seq = u32(buf, off + 4);
  const ack = u32(buf, off + 8);
  const base = note === undefined ? 0 : note.base;
  const relative = (seq - base) >>> 0;
  const tail = (flags & (SYN | FIN)) !== 0 ? 1 : 0;
  if (note !== undefined) {
    t.num(F.stream, off, 0, note.stream);
    t.num(F.completeness, off, 0, note.completeness);
    if (t.labels) t.label(`Conversation completeness: ${completeness(note.completeness)} (${note.completeness})`);
  }
  t.num(F.len, off, 0, length);
  t.num(F.seq, off + 4, 4, relative);
  if (note !== undefined && t.labels) t.label(`Sequence Number: ${relative}    (relative sequence number)`);
  t.num(F.seqRaw, off + 4, 4, seq);
  t.num(F.nxtseq, off, 0, (relative + length + tail) >>> 0);
  const shown = (flags & ACK) !== 0 && note !== undefined ? (ack - note.peerBase) >>> 0 : ack;
  t.num(F.ack, off + 8, 4, shown);
  if (note !== undefined && t.labels) t.label(`Acknowledgment Number: ${shown}    (relative ack number)`);
  t.num(F.ackRaw, off + 8, 4, ack);
  ackItem(t, off, flags, ack);
}

/** Of a quoted segment the numbers stay as they are. */
function quotedNumbers(t: Tree, v: View, cx: Ctx, flags: number): void {
  const { buf, off } = v;
  const known = cx.note<{ readonly stream: number }>(tcp, v);
  t.num(F.seq, off + 4, 4, u32(buf, off + 4));
  if (known !== undefined) t.num(F.stream, off, 0, known.stream);
  t.num(F.ack, off + 8, 4, u32(buf, off + 8));
  t.num(F.ackRaw, off + 8, 4, u32(buf, off + 8));
  ackItem(t, off, flags, u32(buf, off + 8));
}

function ackItem(t: Tree, off: number, flags: number, ack: number): void {
  if (ack === 0 || (flags & ACK) !== 0) return;
  t.none(F.ackNonzero, off + 8, 4);
  t.expert(E.ackNonzero);
}

function showWindow(t: Tree, off: number, window: number, flags: number, note: TcpNote | undefined): void {
  const shift = note === undefined ? SCALE_UNKNOWN : note.windowScale;
  const scaled = (flags & SYN) === 0; // RFC 7323 §2.2: never in a SYN
  t.num(F.window, off + 14, 2, window);
  t.num(F.calculated, off + 14, 2, scaled && shift > 0 ? window << shift : window);
  if (!scaled) return;
  t.num(F.scale, off + 14, 2, shift < 0 ? shift : 1 << shift);
  if (shift < 0 && t.labels) t.label(`Window size scaling factor: ${shift} (${SCALE[shift]})`);
}

/** A header that ends early: what an ICMP error quotes may be eight octets of it (RFC 792). */
function headerStart(v: View, t: Tree, cx: Ctx): void {
  const { buf, off } = v;
  if (cx.quoted) need(v, 4);
  t.open(F.tcp, off, v.length);
  need(v, 4);
  cx.sport = u16(buf, off);
  cx.dport = u16(buf, off + 2);
  t.num(F.srcport, off, 2, cx.sport);
  t.num(F.dstport, off + 2, 2, cx.dport);
  if (!cx.quoted && v.length >= 16 && v.end === v.wireEnd) t.expert(E.shortSegment);
  need(v, 8);
  t.num(F.seq, off + 4, 4, u32(buf, off + 4));
  if (!cx.quoted) {
    t.num(F.seqRaw, off + 4, 4, u32(buf, off + 4));
    need(v, 12);
  }
  if (!cx.quoted || v.length >= 16) {
    t.num(F.ack, off + 8, 4, u32(buf, off + 8));
    t.num(F.ackRaw, off + 8, 4, u32(buf, off + 8));
    need(v, 16);
    t.num(F.hdrLen, off + 12, 1, headerLength(buf, off));
    showFlags(t, v, cx, flagBits(buf, off), undefined);
    t.num(F.window, off + 14, 2, u16(buf, off + 14));
  }
  if (!cx.quoted) need(v, HEADER);
  t.pop();
}

/** A segment whose header does not fit into it, or claims to be shorter than it can be. */
function badHeader(t: Tree, v: View, cx: Ctx, header: number): void {
  const { off } = v;
  if (header < HEADER) {
    t.none(F.bogusLength, off + 12, 1);
    t.expert(E.bogusLength, `${E.bogusLength.message} (${header}, must be at least ${HEADER})`);
    return;
  }
  showFlags(t, v, cx, flagBits(v.buf, off), undefined);
  t.none(F.shortSegment, off, 0);
  t.expert(E.shortSegment);
  need(v, header);
}

function showPayload(t: Tree, v: View, cx: Ctx, flags: number, note: TcpNote | undefined): void {
  if (v.length > 0 && (flags & RST) !== 0) {
    if (t.wanted(F.resetCause)) t.text(F.resetCause, v.off, v.length, utf8Text(v.buf, v.off, v.end));
    t.pop();
    return;
  }
  if (v.length > 0) {
    t.bytes(F.payload, v.off, v.length);
    if (note !== undefined) segmentData(t, v, cx, note);
  }
  t.pop();
  if (note?.overlaps) {
    t.text(F.overlaps, v.off, 0, `[Reassembly error, protocol TCP: ${E.overlaps.message}]`);
    t.expert(E.overlaps);
  }
  if (note !== undefined) for (const pdu of note.pdus) reassembled(t, v, pdu);
  if (v.wireLength > 0 || (flags & FIN) !== 0) cx.payload(v); // a FIN may end a message
}

/** Several tables as one; their keys may clash, the names of the fields do not. */
const byName = (...tables: Readonly<Record<string, Field>>[]): Record<string, Field> =>
  Object.fromEntries(tables.flatMap((table) => Object.values(table).map((f) => [f.name, f])));

export const tcp: Dissector<TcpSegment> = defineDissector<TcpSegment>({
  proto: 'tcp',
  title: 'Transmission Control Protocol',
  short: 'TCP',
  spec: 'RFC 9293',
  fields: byName(F, AnalysisFields, ITEM_FIELDS, OptionFields, OptionHeadings),
  experts: { ...E, ...ITEM_EXPERTS, ...OptionExperts },
  on: { 'ip.proto': [PROTOCOL] },
  tables: ['tcp.port'],

  plain: (b, off, end) => end - off >= HEADER && headerLength(b, off) >= HEADER && off + headerLength(b, off) <= end,

  peek(p: Peek) {
    const { buf, off } = p;
    p.header = off;
    if (p.end - off < HEADER) return p.stop();
    const n = headerLength(buf, off);
    if (n < HEADER || off + n > p.wireEnd) return p.stop();
    p.sport = u16(buf, off);
    p.dport = u16(buf, off + 2);
    p.seq = u32(buf, off + 4);
    p.ack = u32(buf, off + 8);
    p.flags = flagBits(buf, off);
    p.window = u16(buf, off + 14);
    p.off = off + n;
    if (p.off > p.end) {
      // The snaplen cut the header: the payload, none of which was captured, starts where the octets end.
      p.wireEnd -= p.off - p.end;
      p.off = p.end;
    }
    p.table = 'tcp';
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    if (v.length < HEADER) {
      headerStart(v, t, cx);
      return;
    }
    const header = headerLength(buf, off);
    const flags = flagBits(buf, off);
    const note = cx.quoted ? undefined : cx.note<TcpNote>(tcp, v);
    cx.sport = u16(buf, off);
    cx.dport = u16(buf, off + 2);
    t.open(F.tcp, off, Math.min(Math.max(header, HEADER), v.length));
    if (t.labels) t.label(title(v, cx, flags, header, note));
    t.num(F.srcport, off, 2, cx.sport);
    t.num(F.dstport, off + 2, 2, cx.dport);
    if (cx.quoted) quotedNumbers(t, v, cx, flags);
    else showNumbers(t, v, flags, Math.max(0, v.wireLength - header), note);
    t.num(F.hdrLen, off + 12, 1, header);
    if (header < HEADER || (off + header > v.wireEnd && !cx.quoted)) {
      badHeader(t, v, cx, header);
      t.pop();
      return;
    }
    showFlags(t, v, cx, flags, note);
    showWindow(t, off, u16(buf, off + 14), flags, note);
    t.num(F.checksum, off + 16, 2, u16(buf, off + 16));
    if (t.wanted(F.status) || t.wanted(F.badChecksum) || t.wantsExperts) {
      const status = checksumStatus(v, cx);
      t.num(F.status, off + 16, 0, status);
      if (status === 0) {
        t.none(F.badChecksum, off + 16, 2);
        const rest = checksum(buf, off, v.end, pseudoHeader(cx.net, PROTOCOL, v.length));
        t.expert(E.badChecksum, badChecksum(u16(buf, off + 16), rest));
      }
    }
    t.num(F.urgent, off + 18, 2, u16(buf, off + 18));
    if ((flags & URG) === 0 && u16(buf, off + 18) !== 0) {
      t.none(F.urgentNonzero, off + 18, 2);
      t.expert(E.urgentNonzero);
    }
    if (header > HEADER) {
      const whole = Math.min(off + header, Math.max(v.end, v.wireEnd));
      options(t, cx, buf, off + HEADER, Math.min(off + header, v.end), whole, segmentOf(v, flags, note));
    }
    if (!cx.quoted) need(v, header);
    if (note !== undefined) {
      times(t, off, note);
      analysis(t, off, note);
    }
    showPayload(t, v.sub(off + header), cx, flags, note);
  },

  summary(v, cx) {
    if (v.length < HEADER) return v.length < 4 ? 'Cut short' : `${cx.sport} → ${cx.dport}`;
    const { buf, off } = v;
    const note = cx.note<TcpNote>(tcp, v);
    const prefix = note === undefined ? '' : prefixes(note);
    if (note !== undefined && note.pending === 'TLS' && note.pdus.length === 0)
      return `${prefix}[TCP segment of a reassembled PDU]`;
    return prefix + info(v, cx, headerLength(buf, off), note);
  },

  codec: {
    parse(b, o, end) {
      const n = Math.min(Math.max(HEADER, headerLength(b, o)), end - o);
      return {
        srcport: u16(b, o),
        dstport: u16(b, o + 2),
        seq: u32(b, o + 4),
        ack: u32(b, o + 8),
        flags: flagBits(b, o),
        window: u16(b, o + 14),
        urgent: u16(b, o + 18),
        options: b.slice(o + HEADER, o + n),
        payload: b.slice(o + n, end),
      };
    },
    size: (r) => HEADER + r.options.length + r.payload.length,
    emit(r, b, o, net) {
      const header = HEADER + r.options.length;
      const n = header + r.payload.length;
      put16(b, o, r.srcport);
      put16(b, o + 2, r.dstport);
      put32(b, o + 4, r.seq);
      put32(b, o + 8, r.ack);
      put16(b, o + 12, (header << 10) | (r.flags & 0xfff));
      put16(b, o + 14, r.window);
      put16(b, o + 16, 0);
      put16(b, o + 18, r.urgent);
      b.set(r.options, o + HEADER);
      b.set(r.payload, o + header);
      if (net) put16(b, o + 16, fold(sumWords(b, o, o + n, pseudoHeader(net, PROTOCOL, n))));
      return n;
    },
  },
});

/** RFC 7413 §4.2.2: a SYN+ACK that acknowledges more than the SYN took data that came with it. */
function fastOpenAnswer(t: Tree, v: View, note: TcpNote): void {
  const takes = (u32(v.buf, v.off + 8) - note.peerBase) >>> 0 > 1;
  if (!takes && !note.answersFastOpen) return;
  t.none(takes ? F.fastOpenAck : F.fastOpenIgnored, v.off, 0);
  t.expert(takes ? E.fastOpenAck : E.fastOpenIgnored);
}
