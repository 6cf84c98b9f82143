import {
  type Codec,
  type Ctx,
  defineDissector,
  experts,
  fields,
  need,
  remembered,
  type Tree,
  u8,
  type View,
} from 'fttscope/kit';

/**
 * AMR and AMR-WB speech in RTP, RFC 4867 §4.3 (bandwidth-efficient) and §4.4 (octet-aligned):
 *
 *     octet-aligned                                    bandwidth-efficient
 *     +-------+-------+-+-------+-+---+                +-------+-+-------+-+-+-------+-+-------- …
 *     |  CMR  |R=0    |F|  FT   |Q|P P| … speech       |  CMR  |F|  FT   |Q|F|  FT   |Q| speech
 *     +-------+-------+-+-------+-+---+                +-------+-+-------+-+-+-------+-+-------- …
 *
 * Each entry of the table of contents (F, FT, Q) is one speech frame; F says that another entry follows. Which of the two
 * it is stands in SDP (octet-align). Where it does not, the octets decide, as in Wireshark: four bits behind CMR that are
 * not zero cannot be octet-aligned. Interleaving puts an octet (ILL, ILP) behind CMR, and CRCs one for each frame behind the contents.
 */

const WIDE_MODES = ['6.60', '8.85', '12.65', '14.25', '15.85', '18.25', '19.85', '23.05', '23.85'];
const NARROW_MODES = [
  '4,75 kbit/s',
  '5,15 kbit/s',
  '5,90 kbit/s',
  '6,70 kbit/s (PDC-EFR)',
  '7,40 kbit/s (TDMA-EFR)',
  '7,95 kbit/s',
  '10,2 kbit/s',
  '12,2 kbit/s (GSM-EFR)',
];
const NARROW_SPECIAL: Readonly<Record<number, string>> = {
  8: 'AMR SID (Comfort Noise Frame)',
  9: 'GSM-EFR SID',
  10: 'TDMA-EFR SID',
  11: 'PDC-EFR SID',
};
const NO_DATA = 'No Data (No transmission/No reception)';
const ILLEGAL = 'Illegal Frametype - For future use';

function narrowMode(n: number): string | undefined {
  return n < NARROW_MODES.length ? `AMR ${NARROW_MODES[n]}` : undefined;
}
function wideMode(n: number): string | undefined {
  return n < WIDE_MODES.length ? `AMR-WB ${WIDE_MODES[n]} kbit/s` : undefined;
}
/** TS 26.101 table 1a. */
const narrowType = (n: number): string => narrowMode(n) ?? NARROW_SPECIAL[n] ?? (n === 15 ? NO_DATA : ILLEGAL);
/** TS 26.201 table 1a. */
const wideType = (n: number): string =>
  wideMode(n) ??
  (n === 9 ? 'AMR-WB SID (Comfort Noise Frame)' : n === 14 ? 'Speech lost' : n === 15 ? NO_DATA : ILLEGAL);
const narrowRequest = (n: number): string => narrowMode(n) ?? (n === 15 ? 'No mode request' : ILLEGAL);
const wideRequest = (n: number): string => wideMode(n) ?? (n === 15 ? 'No mode request' : ILLEGAL);
/** Bits of speech by frame type, TS 26.101 table 1a and TS 26.201 table 1a. */
const NARROW_BITS = [95, 103, 118, 134, 148, 159, 204, 244, 39];
export const WIDE_BITS = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40];
const FORMATS = { 0: 'RFC 3267', 1: 'RFC 3267 bandwidth-efficient mode' };

const F = fields({
  amr: { name: 'amr', label: 'Adaptive Multi-Rate', type: 'protocol' },
  decodedAs: { name: 'amr.payload_decoded_as', label: 'Payload decoded as', type: 'u32', values: FORMATS },
  narrowRequest: { name: 'amr.nb.cmr', label: 'CMR', type: 'u8', values: narrowRequest, clause: 'RFC 4867 §4.3.1' },
  wideRequest: { name: 'amr.wb.cmr', label: 'CMR', type: 'u8', values: wideRequest, clause: 'RFC 4867 §4.3.1' },
  reserved: { name: 'amr.reserved', label: 'Reserved', type: 'u8' },
  notAligned: { name: 'amr.reserved.not_zero', label: 'Reserved != 0, not octet aligned', type: 'none' },
  part: { name: 'text', label: 'Speech', type: 'none' },
  toc: { name: 'text', label: 'Payload Table of Contents', type: 'none' },
  more: { name: 'amr.toc.f', label: 'F bit', type: 'bool' },
  narrowType: { name: 'amr.nb.toc.ft', label: 'FT bits', type: 'u8', values: narrowType },
  wideType: { name: 'amr.wb.toc.ft', label: 'FT bits', type: 'u8', values: wideType },
  quality: { name: 'amr.toc.q', label: 'Q bit', type: 'bool' },
});

const E = experts({
  // Wireshark warns of it; it is how most of the world sends AMR (RFC 4867 §8.1: octet-align is 0 by default).
  reserved: {
    code: 'amr.not-octet-aligned',
    severity: 'chat',
    message: 'Reserved != 0, wrongly encoded or not octet aligned. Decoding as bandwidth-efficient mode',
    clause: 'RFC 4867 §4.4.1',
  },
});

/** How a payload is laid out; SDP says it in the parameters of RFC 4867 §8.1. */
interface Layout {
  readonly wide: boolean;
  /** Undefined: the octets decide. */
  readonly aligned: boolean | undefined;
  readonly crc: boolean;
  readonly interleaved: boolean;
}

/** The layout that the parameters of a=fmtp state; those that imply octet alignment need not name it. RFC 4867 §8.1. */
function layoutOf(parameters: string | undefined, wide: boolean): Layout {
  if (parameters === undefined) return wide ? UNSAID_WIDE : UNSAID_NARROW;
  return wide ? wideLayout(parameters) : narrowLayout(parameters);
}

const UNSAID_NARROW: Layout = { wide: false, aligned: undefined, crc: false, interleaved: false };
const UNSAID_WIDE: Layout = { ...UNSAID_NARROW, wide: true };

function stated(parameters: string, wide: boolean): Layout {
  const crc = /(^|[;\s])crc=1/i.test(parameters);
  const interleaved = /(^|[;\s])interleaving=/i.test(parameters);
  const implied = crc || interleaved || /(^|[;\s])(octet-align|robust-sorting)=1/i.test(parameters);
  const aligned = implied ? true : /(^|[;\s])octet-align=0/i.test(parameters) ? false : undefined;
  return { wide, aligned, crc, interleaved };
}
const narrowLayout = remembered(64, (parameters: string) => stated(parameters, false));
const wideLayout = remembered(64, (parameters: string) => stated(parameters, true));

/** One speech frame: its type, whether it is undamaged, and its bits from the most significant on, zero-padded. */
export interface AmrFrame {
  type: number;
  good: boolean;
  data: Uint8Array;
}
/** A payload without CRCs and interleaving: the mode that is asked for, and frames. */
export interface AmrPayload {
  cmr: number;
  frames: AmrFrame[];
}

/** Bits of a frame; lost ones and those without data have none. */
export const speechBits = (wide: boolean, type: number): number => (wide ? WIDE_BITS : NARROW_BITS)[type] ?? 0;

/** `n` bits, eight at most, at bit `at` of a payload. */
function bitsAt(v: View, at: number, n: number): number {
  const o = v.off + (at >> 3);
  need(v, 1, o);
  if ((at & 7) + n > 8) need(v, 2, o);
  return peekBits(v.buf, o, at & 7, n);
}
function peekBits(b: Uint8Array, o: number, shift: number, n: number): number {
  const word = (b[o] << 8) | (shift + n > 8 ? b[o + 1] : 0);
  return (word >> (16 - shift - n)) & ((1 << n) - 1);
}

/** The entries from bit `at` on, each `width` bits; returns their frame types. */
function contents(v: View, t: Tree, at: number, width: 6 | 8, wide: boolean): number[] {
  const types: number[] = [];
  t.open(F.toc, v.off + (at >> 3), v.length - (at >> 3));
  for (let bit = at, more = 1; more === 1; bit += width) {
    const entry = bitsAt(v, bit, 6);
    const off = v.off + (bit >> 3);
    more = entry >> 5;
    types.push((entry >> 1) & 15);
    t.num(F.more, off, 1, more);
    t.num(wide ? F.wideType : F.narrowType, off, 1, (entry >> 1) & 15);
    t.num(F.quality, off, 1, entry & 1);
  }
  t.pop();
  return types;
}

/** What people read of the frames that start at bit `at`; each ends on `unit` bits. */
function speech(v: View, t: Tree, from: number, types: readonly number[], wide: boolean, unit: 1 | 8): void {
  if (!t.labels) return;
  let at = from;
  for (const type of types) {
    const bits = speechBits(wide, type);
    if (bits === 0) continue;
    const next = at + Math.ceil(bits / unit) * unit;
    const off = v.off + (at >> 3);
    if (v.off + Math.ceil(next / 8) > v.end) {
      t.none(F.part, off, v.end - off);
      t.label(`Not enough octets for ${(wide ? wideType : narrowType)(type)}`);
      return;
    }
    t.none(F.part, off, v.off + Math.ceil(next / 8) - off);
    t.label(`Speech: ${(wide ? wideType : narrowType)(type)}, ${bits} bits`);
    at = next;
  }
}

function dissect(v: View, t: Tree, layout: Layout): void {
  need(v, 1);
  const { off } = v;
  const { wide } = layout;
  const first = u8(v.buf, off);
  t.open(F.amr, off, v.length);
  t.num(F.decodedAs, off, v.length, 0); // whatever the mode, as in Wireshark
  t.num(wide ? F.wideRequest : F.narrowRequest, off, 1, first >> 4);
  const aligned = layout.aligned ?? (first & 15) === 0;
  t.num(F.reserved, off, 1, first & 15);
  if ((first & 15) !== 0) {
    t.none(F.notAligned, off, 1);
    t.expert(E.reserved);
  }
  if (aligned) {
    const start = layout.interleaved ? 16 : 8;
    const types = contents(v, t, start, 8, wide);
    const checks = layout.crc ? types.filter((type) => speechBits(wide, type) > 0).length : 0;
    speech(v, t, start + 8 * (types.length + checks), types, wide, 8);
  } else {
    const types = contents(v, t, 4, 6, wide);
    speech(v, t, 4 + 6 * types.length, types, wide, 1);
  }
  t.pop();
}

/** Writes and reads octet-aligned payloads, or bandwidth-efficient ones. RFC 4867 §4.3, §4.4. */
export function amrCodec(wide: boolean, aligned: boolean): Codec<AmrPayload> {
  const unit = aligned ? 8 : 1;
  const width = aligned ? 8 : 6;
  const start = aligned ? 8 : 4;
  const whole = (type: number): number => Math.ceil(speechBits(wide, type) / unit) * unit;
  const codec: Codec<AmrPayload> = {
    parse(b, o, end) {
      const have = 8 * (end - o);
      const frames: AmrFrame[] = [];
      let at = start;
      for (let more = 1; more === 1 && at + 6 <= have; at += width) {
        const entry = peekBits(b, o + (at >> 3), at & 7, 6);
        more = entry >> 5;
        frames.push({ type: (entry >> 1) & 15, good: (entry & 1) === 1, data: new Uint8Array(0) });
      }
      for (const f of frames) {
        const bits = Math.max(0, Math.min(speechBits(wide, f.type), have - at));
        f.data = copyBits(b, o, at, bits, new Uint8Array(Math.ceil(bits / 8)), 0, 0);
        at += whole(f.type);
      }
      return { cmr: b[o] >> 4, frames };
    },
    size: (r) => Math.ceil(r.frames.reduce((n, f) => n + width + whole(f.type), start) / 8),
    emit(r, b, o) {
      const size = codec.size(r);
      b.fill(0, o, o + size);
      b[o] = r.cmr << 4;
      let at = start;
      for (const [i, f] of r.frames.entries()) {
        const entry = (i + 1 < r.frames.length ? 0x20 : 0) | (f.type << 1) | (f.good ? 1 : 0);
        copyBits(Uint8Array.of(entry << 2), 0, 0, 6, b, o, at);
        at += width;
      }
      for (const f of r.frames) {
        copyBits(f.data, 0, 0, Math.min(speechBits(wide, f.type), 8 * f.data.length), b, o, at);
        at += whole(f.type);
      }
      return size;
    },
  };
  return codec;
}

/** Copies `n` bits from bit `at` behind `from[o]` to bit `to` behind `into[p]`, whose bits are 0; returns `into`. */
function copyBits(
  from: Uint8Array,
  o: number,
  at: number,
  n: number,
  into: Uint8Array,
  p: number,
  to: number,
): Uint8Array {
  for (let i = 0; i < n; i++)
    if ((from[o + ((at + i) >> 3)] >> (7 - ((at + i) & 7))) & 1) into[p + ((to + i) >> 3)] |= 0x80 >> ((to + i) & 7);
  return into;
}

/** The layout of what `cx` hands on: its parameters are those of a=fmtp, where RTP found any. */
const layout = (cx: Ctx, wide: boolean): Layout => layoutOf(cx.payloadParameters, wide);

export const amr = defineDissector<AmrPayload>({
  proto: 'amr',
  title: 'Adaptive Multi-Rate',
  short: 'AMR',
  spec: 'RFC 4867',
  fields: F,
  experts: E,
  on: { rtp_dyn_payload_type: ['amr'] },
  dissect: (v: View, t: Tree, cx: Ctx) => dissect(v, t, layout(cx, false)),
  codec: amrCodec(false, true),
});

export const amrWb = defineDissector<AmrPayload>({
  proto: 'amr_wb',
  layer: '',
  title: 'Adaptive Multi-Rate WB',
  short: 'AMR-WB',
  spec: 'RFC 4867',
  fields: F,
  experts: E,
  on: { rtp_dyn_payload_type: ['amr-wb'] },
  dissect: (v: View, t: Tree, cx: Ctx) => dissect(v, t, layout(cx, true)),
  codec: amrCodec(true, true),
});
