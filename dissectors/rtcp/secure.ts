import { type Tree, u32, type View } from 'fttscope/kit';

import { E, F } from './fields.js';
import { Type } from './values.js';

/**
 * Secure RTCP, RFC 3711 §3.4: of a compound the first header and the SSRC behind it stay in the clear.
 *
 *     header, SSRC, encrypted, E and index (4), tag
 *
 * AEAD has its tag before E and the index (RFC 7714 §9.2), and feedback that stands alone (RFC 5506) is encrypted as well;
 * Wireshark knows neither, and shows what it then reads.
 */
const CLEAR = 8;
const WORD = 4;
/** Of 80 bits, also where that of RTP has 32: RFC 4568 §6.2.2, RFC 5764 §4.1.2. */
const HMAC_TAG = 10;
const AEAD_TAG = 16;
/** First protection profile of AEAD. RFC 7714 §14.2 */
const FIRST_AEAD = 7;

/** What stands behind a compound. */
export interface Trailer {
  /** Where the compound ends: offset of E and the index. */
  readonly end: number;
  readonly tagLength: number;
  readonly encrypted: boolean;
}

/** The trailer of a compound that a profile (RFC 5764 §4.1.2) protects; undefined where there is no room for one. */
export function trailerOf(v: View, profile: number): Trailer | undefined {
  const tagLength = profile >= FIRST_AEAD ? AEAD_TAG : HMAC_TAG;
  const end = v.off + v.wireLength - tagLength - WORD;
  if (end < v.off + CLEAR) return undefined;
  const first = v.buf[v.off + 1];
  const isReport = first === Type.SenderReport || first === Type.ReceiverReport;
  // Where the capture cut it away, it is encrypted as nearly all of it is.
  return { end, tagLength, encrypted: isReport && (end >= v.end || (v.buf[end] & 0x80) !== 0) };
}

/** Shows that nobody here can read what stands behind the first SSRC. */
export function encrypted(v: View, t: Tree, { end }: Trailer): void {
  const from = v.off + CLEAR;
  t.none(F.encrypted, from, Math.max(0, Math.min(end, v.end) - from));
  t.expert(E.encrypted);
}

/** Shows the trailer, as far as it was captured. */
export function trailer(v: View, t: Tree, { end, tagLength }: Trailer): void {
  const tag = end + WORD;
  if (tag > v.end) return;
  t.bits(F.srtcpE, end, WORD, u32(v.buf, end));
  t.bits(F.srtcpIndex, end, WORD, u32(v.buf, end));
  if (tag + tagLength <= v.end) t.bytes(F.srtcpTag, tag, tagLength);
}
