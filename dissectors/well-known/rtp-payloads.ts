import { need } from 'fttscope/kit';
import { fromRows, named } from './named.js';

/** Octets of the header before H.263, by its F and P bits. RFC 2190 §5 */
const headerLength = (first: number): number => ((first & 0x80) === 0 ? 4 : (first & 0x40) === 0 ? 8 : 12);

/** What comes in RTP and is only named: by the static types of RFC 3551 §6, by the encoding that SDP gives, or by its octets. */
export const rtpPayloads = fromRows([
  ['zrtp', 'ZRTP', 'ZRTP', 'RFC 6189', {}],
  ['vp8', 'VP8', 'VP8', 'RFC 7741', { rtp_dyn_payload_type: ['vp8'] }],
  ['opus', 'Opus Interactive Audio Codec', 'OPUS', 'RFC 7587', { rtp_dyn_payload_type: ['opus'] }],
  ['evrc', 'Enhanced Variable Rate Codec', 'EVRC', 'RFC 3558', { rtp_dyn_payload_type: ['evrc'] }],
  ['mp4v-es', 'MP4V-ES', 'MP4V-ES', 'RFC 6416', { rtp_dyn_payload_type: ['mp4v-es'] }],
  [
    ...(['h263p', 'ITU-T Recommendation H.263 RTP Payload header (RFC4629)', 'H.263P', 'RFC 4629'] as const),
    { rtp_dyn_payload_type: ['h263-1998', 'h263-2000'] },
  ],
  ['g723', 'G.723', 'G.723', 'RFC 3551', { 'rtp.pt': [4] }],
  ['jpeg', 'RFC 2435 JPEG', 'JPEG', 'RFC 2435', { 'rtp.pt': [26] }],
  ['h261', 'ITU-T Recommendation H.261', 'H.261', 'RFC 4587', { 'rtp.pt': [31] }],
  ['mpeg1', 'RFC 2250 MPEG1', 'MPEG1', 'RFC 2250', { 'rtp.pt': [32] }],
  ['h263', 'ITU-T Recommendation H.263', 'H.263', 'ITU-T H.263', { 'rfc2190.h263': [0] }],
]).concat(
  named({
    ...{ proto: 'rfc2190', title: 'H.263 RTP Payload header (RFC2190)', short: 'H.263 (RFC2190)', spec: 'RFC 2190' },
    on: { 'rtp.pt': [34] },
    tables: ['rfc2190.h263'],
    inner(v, cx) {
      need(v, 1);
      cx.next('rfc2190.h263', 0, v.sub(v.off + headerLength(v.buf[v.off])));
    },
  }),
);
