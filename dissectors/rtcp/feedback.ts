import { Malformed, need, startsWith, type Tree, u8, u16, u24, u32, type View } from 'fttscope/kit';
import { E, F } from './fields.js';

/** Of the feedback of an application, [MS-RTP] §2.2.12.2 */
const VIDEO_SOURCE_REQUEST = 1;
const NACK = 1;
const TMMBR = 3;
const TMMBN = 4;
const TRANSPORT_CC = 15;

/** Transport feedback of format `fmt` in `[at, end)`, RFC 4585 §6.2, RFC 5104 §4.2. */
export function transportFeedback(v: View, t: Tree, fmt: number, at: number, end: number): void {
  if (fmt === NACK) for (let o = at; o < end; o += 4) nack(v, t, o);
  else if (fmt === TMMBR || fmt === TMMBN)
    for (let o = at, i = 1; o < end; o += 8, i++) bitRate(v, t, o, `TMMB${fmt === TMMBR ? 'R' : 'N'} ${i}`);
  else if (fmt === TRANSPORT_CC) congestion(v, t, at, end);
  else fci(v, t, at, end);
}

const SLI = 2;
const FIR = 4;
const APPLICATION = 15;

/** Payload-specific feedback of format `fmt` in `[at, end)`, RFC 4585 §6.3, RFC 5104 §4.3. */
export function payloadFeedback(v: View, t: Tree, fmt: number, at: number, end: number): void {
  if (fmt === SLI) for (let o = at, i = 1; o < end; o += 4, i++) sliceLoss(v, t, o, i);
  else if (fmt === FIR) for (let o = at, i = 1; o < end; o += 8, i++) intraRequest(v, t, o, i);
  else if (fmt === APPLICATION && end - at >= 4) applicationFeedback(v, t, at, end);
  else fci(v, t, at, end);
}

function fci(v: View, t: Tree, at: number, end: number): void {
  if (end <= at) return;
  need(v, end - at, at);
  t.bytes(F.fci, at, end - at);
}

/** Sequence numbers that a bit mask adds to the one it follows. */
function alsoLost(pid: number, mask: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < 16; i++) if ((mask >> i) & 1) out.push((pid + i + 1) & 0xffff);
  return out;
}

/** RFC 4585 §6.2.1. */
function nack(v: View, t: Tree, o: number): void {
  need(v, 4, o);
  const pid = u16(v.buf, o);
  const mask = u16(v.buf, o + 2);
  t.num(F.nackPid, o, 2, pid);
  t.num(F.nackBlp, o + 2, 2, mask);
  const frames = alsoLost(pid, mask);
  if (t.labels) {
    const text = frames.length === 0 ? 'No additional frames lost' : `Frames ${frames.join(' ')} lost`;
    t.label(`RTCP Transport Feedback NACK BLP: 0x${mask.toString(16).padStart(4, '0')} (${text})`);
  }
  t.push();
  for (const frame of frames) {
    t.num(F.nackPid, o + 2, 2, frame);
    if (t.labels) t.label(`Frame ${frame} also lost`);
  }
  t.pop();
}

/** RFC 5104 §4.2.1.1: SSRC, then exponent (6 bits), mantissa (17) and overhead (9). */
function bitRate(v: View, t: Tree, o: number, heading: string): void {
  need(v, 8, o);
  const { buf } = v;
  t.open(F.part, o, 8, t.labels ? heading : undefined);
  t.num(F.tmmbrSsrc, o, 4, u32(buf, o));
  t.bits(F.tmmbrExp, o + 4, 1, u8(buf, o + 4));
  t.bits(F.tmmbrMantissa, o + 4, 3, u24(buf, o + 4));
  const mantissa = (u24(buf, o + 4) >>> 1) & 0x1ffff;
  t.text(F.tmmbrBitrate, o + 4, 3, `${mantissa}*2^${u8(buf, o + 4) >> 2}`);
  t.bits(F.tmmbrOverhead, o + 6, 2, u16(buf, o + 6));
  t.pop();
}

/** RFC 4585 §6.3.2: first macroblock (13 bits), number of them (13), picture (6). */
function sliceLoss(v: View, t: Tree, o: number, i: number): void {
  need(v, 4, o);
  const word = u32(v.buf, o);
  t.open(F.part, o, 4, t.labels ? `SLI ${i}` : undefined);
  t.bits(F.sliFirst, o, 4, word);
  t.bits(F.sliNumber, o, 4, word);
  t.bits(F.sliPicture, o, 4, word);
  t.pop();
}

/** RFC 5104 §4.3.1.1. */
function intraRequest(v: View, t: Tree, o: number, i: number): void {
  need(v, 8, o);
  t.open(F.part, o, 8, t.labels ? `FIR ${i}` : undefined);
  t.num(F.firSsrc, o, 4, u32(v.buf, o));
  t.num(F.firSequence, o + 4, 1, u8(v.buf, o + 4));
  t.num(F.firReserved, o + 5, 3, u24(v.buf, o + 5));
  t.pop();
}

/** RFC 4585 §6.4: an estimate of the receiver's maximum bit rate ("REMB"), or what another application put there. */
function applicationFeedback(v: View, t: Tree, at: number, end: number): void {
  const { buf } = v;
  need(v, 4, at);
  if (startsWith(buf, at, end, 'REMB')) {
    need(v, 8, at);
    const count = u8(buf, at + 4);
    const mantissa = u24(buf, at + 5) & 0x3ffff;
    t.open(F.part, at, end - at, t.labels ? 'REMB 0' : undefined);
    t.text(F.rembId, at, 4);
    t.bits(F.rembCount, at + 4, 1, count);
    t.bits(F.rembExp, at + 5, 1, u8(buf, at + 5));
    t.bits(F.rembMantissa, at + 5, 3, u24(buf, at + 5));
    t.text(F.rembBitrate, at + 5, 3, String(mantissa * 2 ** (u8(buf, at + 5) >> 2)));
    for (let i = 0; i < count; i++) {
      need(v, 4, at + 8 + 4 * i);
      t.num(F.rembSsrc, at + 8 + 4 * i, 4, u32(buf, at + 8 + 4 * i));
    }
    t.pop();
    return;
  }
  t.num(F.afbType, at, 2, u16(buf, at));
  if (u16(buf, at) !== VIDEO_SOURCE_REQUEST) t.expert(E.feedbackType);
  t.num(F.afbLength, at + 2, 2, u16(buf, at + 2));
  fci(v, t, at + 4, end);
}

/**
 * Transport-wide congestion control, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1: chunks say which packets
 * came, deltas when, in steps of 250 microseconds.
 */
function congestion(v: View, t: Tree, at: number, end: number): void {
  need(v, 8, at);
  const { buf } = v;
  const count = u16(buf, at + 2);
  t.open(F.part, at, end - at, t.labels ? 'Transport-cc' : undefined);
  t.num(F.ccBase, at, 2, u16(buf, at));
  t.num(F.ccCount, at + 2, 2, count);
  t.num(F.ccTime, at + 4, 3, (u32(buf, at + 4) | 0) >> 8);
  t.num(F.ccPackets, at + 7, 1, u8(buf, at + 7));
  const sizes: number[] = [];
  let o = at + 8;
  for (let seen = 0; seen < count; o += 2) {
    if (o + 2 > end) throw new Malformed('fewer packet chunks than the status count needs');
    need(v, 2, o);
    t.num(F.ccChunk, o, 2, u16(buf, o));
    seen += chunk(u16(buf, o), count - seen, sizes);
  }
  for (const size of sizes) {
    if (o + size > end) throw new Malformed('fewer receive deltas than packets that came');
    need(v, size, o);
    t.num(F.ccDelta, o, size, size === 1 ? u8(buf, o) : u16(buf, o));
    o += size;
  }
  if (o < end && end - o < 4) {
    let padding = 0;
    for (let i = o; i < end; i++) padding = padding * 256 + u8(buf, i);
    t.num(F.ccPadding, o, end - o, padding);
  }
  t.pop();
}

/** Adds the octets of each delta that a chunk announces; returns how many packets it speaks of. */
function chunk(word: number, most: number, sizes: number[]): number {
  if ((word & 0x8000) === 0) {
    const run = Math.min(most, word & 0x1fff);
    const size = (word >> 13) & 3;
    if (run === 0) throw new Malformed('a packet chunk of no packets');
    if (size === 1 || size === 2) for (let i = 0; i < run; i++) sizes.push(size);
    return run;
  }
  const wide = (word & 0x4000) !== 0;
  const n = Math.min(most, wide ? 7 : 14);
  for (let i = 0; i < n; i++) {
    const size = wide ? (word >> (12 - 2 * i)) & 3 : (word >> (13 - i)) & 1;
    if (size === 1 || size === 2) sizes.push(size);
  }
  return n;
}
