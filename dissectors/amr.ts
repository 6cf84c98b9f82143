import { type Ctx, defineDissector, experts, fields, need, type Tree, u8, type View } from 'fttscope/kit';

/**
 * AMR and AMR-WB speech in RTP, RFC 4867 §4.3 (bandwidth-efficient) and §4.4 (octet-aligned):
 *
 *     octet-aligned                                    bandwidth-efficient
 *     +-------+-------+-+-------+-+---+                +-------+-+-------+-+-+-------+-+-------- …
 *     |  CMR  |R=0    |F|  FT   |Q|P P| … speech       |  CMR  |F|  FT   |Q|F|  FT   |Q| speech
 *     +-------+-------+-+-------+-+---+                +-------+-+-------+-+-+-------+-+-------- …
 *
 * Each entry of the table of contents (F, FT, Q) is one speech frame; F says that another entry follows. Which of the two
 * it is stands in SDP (octet-align), but as in Wireshark the octets decide: four bits behind CMR that are not zero cannot
 * be octet-aligned.
 */
const MAX_FRAMES = 64;
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
const FORMATS = { 0: 'RFC 3267', 1: 'RFC 3267 bandwidth-efficient mode' };

const F = fields({
  amr: { name: 'amr', label: 'Adaptive Multi-Rate', type: 'protocol' },
  decodedAs: { name: 'amr.payload_decoded_as', label: 'Payload decoded as', type: 'u32', values: FORMATS },
  narrowRequest: { name: 'amr.nb.cmr', label: 'CMR', type: 'u8', values: narrowRequest, clause: 'RFC 4867 §4.3.1' },
  wideRequest: { name: 'amr.wb.cmr', label: 'CMR', type: 'u8', values: wideRequest, clause: 'RFC 4867 §4.3.1' },
  reserved: { name: 'amr.reserved', label: 'Reserved', type: 'u8' },
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

/** `n` bits, eight at most, at bit `at` of a payload. */
function bitsAt(v: View, at: number, n: number): number {
  const o = v.off + (at >> 3);
  need(v, 1, o);
  if ((at & 7) + n > 8) need(v, 2, o);
  const word = (v.buf[o] << 8) | ((at & 7) + n > 8 ? v.buf[o + 1] : 0);
  return (word >> (16 - (at & 7) - n)) & ((1 << n) - 1);
}

/** The entries from bit `at` on, each `width` bits. */
function contents(v: View, t: Tree, at: number, width: 6 | 8, wide: boolean): void {
  t.open(F.toc, v.off + (at >> 3), v.length - (at >> 3));
  for (let n = 0, bit = at, more = 1; more === 1 && n < MAX_FRAMES; n++, bit += width) {
    const entry = bitsAt(v, bit, 6);
    const off = v.off + (bit >> 3);
    more = entry >> 5;
    t.num(F.more, off, 1, more);
    t.num(wide ? F.wideType : F.narrowType, off, 1, (entry >> 1) & 15);
    t.num(F.quality, off, 1, entry & 1);
  }
  t.pop();
}

function dissect(v: View, t: Tree, wide: boolean): void {
  need(v, 1);
  const { off } = v;
  const first = u8(v.buf, off);
  t.open(F.amr, off, v.length);
  t.num(F.decodedAs, off, v.length, 0);
  t.num(wide ? F.wideRequest : F.narrowRequest, off, 1, first >> 4);
  t.num(F.reserved, off, 1, first & 15);
  if ((first & 15) === 0) contents(v, t, 8, 8, wide);
  else {
    t.expert(E.reserved);
    contents(v, t, 4, 6, wide);
  }
  t.pop();
}

export const amr = defineDissector({
  proto: 'amr',
  title: 'Adaptive Multi-Rate',
  short: 'AMR',
  spec: 'RFC 4867',
  fields: F,
  experts: E,
  on: { rtp_dyn_payload_type: ['amr'] },
  dissect: (v: View, t: Tree, _cx: Ctx) => dissect(v, t, false),
});

export const amrWb = defineDissector({
  proto: 'amr_wb',
  layer: '',
  title: 'Adaptive Multi-Rate WB',
  short: 'AMR-WB',
  spec: 'RFC 4867',
  fields: F,
  experts: E,
  on: { rtp_dyn_payload_type: ['amr-wb'] },
  dissect: (v: View, t: Tree, _cx: Ctx) => dissect(v, t, true),
});
