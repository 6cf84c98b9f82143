import { defineDissector, fields, need, u8, u16 } from 'fttscope/kit';
import { rtp } from './rtp.js';
import { payloadTypeText } from './sdp/index.js';

/**
 * Redundant audio data, RFC 2198 §3: one header for each block, the last one of a single octet, and then the blocks.
 * Real-time text is sent so (RFC 4103).
 *
 *     +-+-------------+-----------------------------+--------------------+   +-+-------------+- - -
 *     |F| block PT    |  timestamp offset (14)      | block length (10)  | … |0| block PT    | blocks
 *     +-+-------------+-----------------------------+--------------------+   +-+-------------+- - -
 */
const FOLLOW = 0x80;
const HEADER = 4;

const F = fields({
  red: { name: 'rtp_rfc2198', label: 'RFC 2198: Redundant Audio Data', type: 'protocol' },
  header: { name: 'text', label: 'Header', type: 'none' },
  follow: { name: 'rtp.follow', label: 'Follow', type: 'bool', mask: FOLLOW },
  offset: { name: 'rtp.timestamp-offset', label: 'Timestamp offset', type: 'u16' },
  length: { name: 'rtp.block-length', label: 'Block length', type: 'u16' },
});
const { payload } = rtp.fields;

export const rtpRed = defineDissector({
  proto: 'rtp_rfc2198',
  layer: '', // Wireshark does not list it
  title: 'RTP Payload for Redundant Audio Data (RFC 2198)',
  short: 'RAD (RFC2198)',
  spec: 'RFC 2198',
  fields: { ...F, payload: payload! },
  on: { rtp_dyn_payload_type: ['red'] },

  dissect(v, t) {
    const { buf, off } = v;
    t.open(F.red, off, v.length);
    const lengths: number[] = [];
    let at = off;
    for (let more = true; more; ) {
      need(v, 1, at);
      more = (u8(buf, at) & FOLLOW) !== 0;
      t.none(F.header, at, more ? HEADER : 1);
      if (t.labels) t.label(`Header: PT=${payloadTypeText(u8(buf, at) & 0x7f)}`);
      t.push();
      t.bits(F.follow, at, 1, u8(buf, at));
      if (more) {
        need(v, HEADER, at);
        t.num(F.offset, at + 1, 2, u16(buf, at + 1) >> 2);
        t.num(F.length, at + 2, 2, u16(buf, at + 2) & 0x3ff);
        lengths.push(u16(buf, at + 2) & 0x3ff);
      }
      t.pop();
      at += more ? HEADER : 1;
    }
    for (const n of lengths) {
      need(v, n, at);
      if (n > 0) t.bytes(payload!, at, n);
      at += n;
    }
    if (at < v.end) t.bytes(payload!, at, v.end - at);
    t.pop();
  },
});
