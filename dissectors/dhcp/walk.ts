/** Options as they stand in a message: where they begin and end, and what they say before they are shown. RFC 2132 §2 */
import { Short, u32, type View } from 'fttscope/kit';
import { END, MESSAGE_TYPE, OVERLOAD, PAD } from './options.js';

/** Octets before the magic cookie. RFC 2131 §2 */
export const FIXED = 236;
/** The first four octets of the options. RFC 2131 §3 */
export const COOKIE = 0x63825363;
/** Fields that may hold options, too, from the start of the message. RFC 2131 §2 */
export const SNAME = { off: 44, len: 64 } as const;
export const FILE = { off: 108, len: 128 } as const;

/** What a look through the options of a message tells. */
export interface Overview {
  /** Value of the last option 53, -1 without one. */
  messageType: number;
  /** Value of option 52: bit 0 the boot file name holds options, bit 1 the server name does. */
  overload: number;
  /** How often each of the options that RFC 3396 lets one split stands in the message. */
  readonly counts: Map<number, number>;
}

/** Options that are read as one where they come several times. RFC 3396 §7 */
const isJoined = (code: number): boolean => code === 119 || code === 120 || code === 121 || code === 249;

/** Where the value of one option lies. */
export interface Span {
  readonly off: number;
  readonly end: number;
}

/** Calls `seen` for every option with a length in `[off, end)` until one has no room; returns where that or End is. */
function eachOption(
  b: Uint8Array,
  off: number,
  end: number,
  seen: (code: number, from: number, to: number) => void,
): number {
  let at = off;
  while (at < end && b[at] !== END) {
    if (b[at] === PAD) {
      at++;
      continue;
    }
    if (at + 2 > end || at + 2 + b[at + 1] > end) return at;
    seen(b[at], at + 2, at + 2 + b[at + 1]);
    at += 2 + b[at + 1];
  }
  return at;
}

/** Whether the message at `off` has the magic cookie of RFC 2131 §3. */
export const hasCookie = (b: Uint8Array, off: number, end: number): boolean =>
  end - off >= FIXED + 4 && u32(b, off + FIXED) === COOKIE;

/** Looks through the options of a message, those of sname and file too. */
export function survey(v: View): Overview {
  const overview: Overview = { messageType: -1, overload: 0, counts: new Map() };
  if (!hasCookie(v.buf, v.off, v.end)) return overview;
  const seen = (code: number, from: number, to: number): void => {
    if (code === MESSAGE_TYPE && to > from) overview.messageType = v.buf[from];
    else if (isJoined(code)) overview.counts.set(code, (overview.counts.get(code) ?? 0) + 1);
  };
  eachOption(v.buf, v.off + FIXED + 4, v.end, (code, from, to) => {
    if (code === OVERLOAD && to > from) overview.overload = v.buf[from] <= 3 ? v.buf[from] : 0;
    seen(code, from, to);
  });
  for (const part of overloaded(v, overview.overload)) eachOption(v.buf, part.off, part.end, seen);
  return overview;
}

/** The fields that hold options by the value of option 52, file first. RFC 2131 §4.1 */
function overloaded(v: View, overload: number): Span[] {
  const spans: Span[] = [];
  for (const [bit, field] of [
    [1, FILE],
    [2, SNAME],
  ] as const) {
    const off = v.off + field.off;
    if ((overload & bit) !== 0 && off + field.len <= v.end) spans.push({ off, end: off + field.len });
  }
  return spans;
}

/** The values of all options with `code`, joined in the order of RFC 3396 §5: options, then file, then sname. */
export function joined(v: View, overview: Overview, code: number): Uint8Array {
  const parts: Span[] = [];
  const seen = (c: number, off: number, end: number): void => {
    if (c === code) parts.push({ off, end });
  };
  eachOption(v.buf, v.off + FIXED + 4, v.end, seen);
  for (const part of overloaded(v, overview.overload)) eachOption(v.buf, part.off, part.end, seen);
  let size = 0;
  for (const p of parts) size += p.end - p.off;
  const out = new Uint8Array(size);
  let at = 0;
  for (const p of parts) {
    out.set(v.buf.subarray(p.off, p.end), at);
    at += p.end - p.off;
  }
  return out;
}

/** The length octet of the option at `at`. @throws Short where it or the value lies beyond the message */
export function optionEnd(v: View, at: number): number {
  if (at + 2 > v.end) throw new Short(2, v.end - at, at - v.source.start, at + 2 <= v.wireEnd);
  return at + 2 + v.buf[at + 1];
}
