import { i32, latin1, nameOf, need, padded, type Tree, u8, u16, u32, type View } from 'fttscope/kit';
import { putNtp } from '../ntp.js';
import { E, F } from './fields.js';
import { EXTENSIONS } from './values.js';

/** A sender report that a reception report speaks of, found by the index pass. */
export interface Echo {
  readonly frame: number;
  /** Milliseconds since that frame. */
  readonly captured: number;
  /** Milliseconds there and back, without the time that the other side took. RFC 3550 §6.4.1. */
  readonly roundTrip: number;
}

/** Offsets of reception reports that answer a sender report of the capture. */
export type Echoes = ReadonlyMap<number, Echo>;

/** An NTP timestamp, RFC 5905 §6. */
export function ntpTime(v: View, t: Tree, at: number): void {
  const { buf } = v;
  need(v, 8, at);
  t.num(F.ntpMsw, at, 4, u32(buf, at));
  t.num(F.ntpLsw, at + 4, 4, u32(buf, at + 4));
  putNtp(t, F.ntp, buf, at);
}

/** Sender information, RFC 3550 §6.4.1; returns the offset behind it. */
export function senderInfo(v: View, t: Tree, at: number): number {
  need(v, 20, at);
  const { buf } = v;
  ntpTime(v, t, at);
  t.num(F.rtpTime, at + 8, 4, u32(buf, at + 8));
  t.num(F.packets, at + 12, 4, u32(buf, at + 12));
  t.num(F.octets, at + 16, 4, u32(buf, at + 16));
  return at + 20;
}

/** Octets of a report block. RFC 3550 §6.4.1 */
export const REPORT = 24;

/**
 * Reception report blocks, RFC 3550 §6.4.1, and what follows them; `end` is where the packet's content ends. The count
 * goes before a length that is too small for it. Returns the offset behind them.
 */
export function receptionReports(v: View, t: Tree, from: number, count: number, end: number, echoes?: Echoes): number {
  let at = from;
  for (let i = 1; i <= count; i++, at += REPORT) {
    need(v, REPORT, at);
    t.open(F.part, at, REPORT, t.labels ? `Source ${i}` : undefined);
    receptionReport(v.buf, t, at, echoes?.get(at));
    t.pop();
  }
  while (at < end) at = profileExtension(v, t, at, end);
  return at;
}

function receptionReport(b: Uint8Array, t: Tree, o: number, echo?: Echo): void {
  t.num(F.ssrc, o, 4, u32(b, o));
  t.num(F.fraction, o + 4, 1, u8(b, o + 4));
  if (t.labels) t.label(`Fraction lost: ${u8(b, o + 4)} / 256`);
  t.num(F.lost, o + 5, 3, (i32(b, o + 4) << 8) >> 8);
  t.num(F.extHigh, o + 8, 4, u32(b, o + 8));
  t.push();
  t.num(F.cycles, o + 8, 2, u16(b, o + 8));
  t.num(F.high, o + 10, 2, u16(b, o + 10));
  t.pop();
  t.num(F.jitter, o + 12, 4, u32(b, o + 12));
  t.num(F.lsr, o + 16, 4, u32(b, o + 16));
  t.num(F.dlsr, o + 20, 4, u32(b, o + 20));
  if (t.labels) t.label(`Delay since last SR timestamp: ${u32(b, o + 20)} (${milliseconds(b, o + 20)} milliseconds)`);
  if (echo === undefined) return;
  t.num(F.lsrFrame, o, 0, echo.frame);
  t.num(F.lsrCaptured, o, 0, echo.captured);
  t.num(F.roundTrip, o, 0, echo.roundTrip);
  if (echo.roundTrip < 0) t.expert(E.negative);
}

/** A delay in units of 1/65536 s as whole milliseconds. */
const milliseconds = (b: Uint8Array, o: number): number => Math.floor((u32(b, o) * 1000) / 65536);

const BANDWIDTH = 1;

/** An extension of type and length, as [MS-RTP] §2.2.11 has it; returns the offset behind it. */
function profileExtension(v: View, t: Tree, at: number, end: number): number {
  need(v, 4, at);
  const { buf } = v;
  const type = u16(buf, at);
  const length = u16(buf, at + 2);
  t.open(
    F.part,
    at,
    Math.max(4, length),
    t.labels ? `Payload Specific Extension (${nameOf(EXTENSIONS, type)})` : undefined,
  );
  t.num(F.extensionType, at, 2, type);
  t.num(F.extensionLength, at + 2, 2, length);
  if (length < 4 || at + length > end) {
    // It is none of that kind: packets behind this one are where the length of this one says.
    t.expert(E.extension);
    t.pop();
    return end;
  }
  need(v, length, at);
  if (type === BANDWIDTH && length >= 12) {
    t.num(F.sender, at + 4, 4, u32(buf, at + 4));
    t.num(F.bandwidth, at + 8, 4, u32(buf, at + 8));
  } else if (length > 4) t.bytes(F.extension, at + 4, length - 4);
  t.pop();
  return at + length;
}

/** Chunks of a source description, RFC 3550 §6.5; returns the offset behind them. */
export function description(v: View, t: Tree, from: number, count: number): number {
  let at = from;
  for (let i = 1; i <= count; i++) {
    need(v, 4, at);
    const id = u32(v.buf, at);
    t.open(F.part, at, 4, t.labels ? `Chunk ${i}, SSRC/CSRC 0x${id.toString(16).toUpperCase()}` : undefined);
    t.num(F.ssrc, at, 4, id);
    at = items(v, t, at + 4);
    t.pop();
    at = from + padded(at - from); // RFC 3550 §6.5: chunks start on a 32-bit boundary
  }
  return at;
}

const END = 0;
const PRIVATE = 8;

/** Items up to and with the one that ends them; returns the offset behind it. */
function items(v: View, t: Tree, from: number): number {
  const { buf } = v;
  for (let at = from; ; ) {
    need(v, 1, at);
    t.num(F.item, at, 1, u8(buf, at));
    if (u8(buf, at) === END) return at + 1;
    need(v, 2, at);
    const length = u8(buf, at + 1);
    t.num(F.itemLength, at + 1, 1, length);
    need(v, 2 + length, at);
    if (u8(buf, at) !== PRIVATE) putText(t, at + 2, length);
    else if (length > 0) privateItem(v, t, at + 2, length);
    at += 2 + length;
  }
}

function putText(t: Tree, off: number, length: number): void {
  if (length > 0) t.text(F.text, off, length);
}

/** RFC 3550 §6.5.8. */
function privateItem(v: View, t: Tree, off: number, length: number): void {
  const prefix = Math.min(u8(v.buf, off), length - 1);
  t.num(F.prefixLength, off, 1, u8(v.buf, off));
  t.text(F.prefix, off + 1, prefix);
  putText(t, off + 1 + prefix, length - 1 - prefix);
}

/** Sources that leave, and why; RFC 3550 §6.6. Returns the offset behind both. */
export function goodbye(v: View, t: Tree, from: number, count: number, end: number): number {
  const { buf } = v;
  let at = from;
  for (let i = 0; i < count; i++, at += 4) {
    need(v, 4, at);
    t.num(F.ssrc, at, 4, u32(buf, at));
  }
  if (at >= end) return at;
  need(v, 1, at);
  const length = u8(buf, at);
  t.num(F.itemLength, at, 1, length);
  need(v, 1 + length, at);
  t.text(F.text, at + 1, length);
  for (let i = at + 1 + length; i < end && i < v.end; i++)
    if (buf[i] !== 0) {
      t.expert(E.reason);
      break;
    }
  return Math.max(end, at + 1 + length);
}

const isPrintable = (b: Uint8Array, o: number, end: number): boolean => {
  for (let i = o; i < end; i++) if (b[i] < 0x20 || b[i] > 0x7e) return false;
  return true;
};

/** The name of an application packet whose name is at `o`, or '' where it is not text. */
export const applicationName = (b: Uint8Array, o: number): string =>
  isPrintable(b, o, o + 4) ? latin1(b, o, o + 4) : '';

/** RFC 3550 §6.7. */
export function application(v: View, t: Tree, at: number, end: number): void {
  need(v, 8, at);
  t.num(F.ssrc, at, 4, u32(v.buf, at));
  if (isPrintable(v.buf, at + 4, at + 8)) t.text(F.appName, at + 4, 4);
  else t.expert(E.appName);
  need(v, end - at, at);
  if (isPrintable(v.buf, at + 8, end)) t.text(F.appText, at + 8, end - at - 8);
  else t.bytes(F.appData, at + 8, end - at - 8);
}
