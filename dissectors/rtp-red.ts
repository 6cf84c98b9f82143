import { type Ctx, defineDissector, fields, need, type Tree, u8, u16, type View } from 'fttscope/kit';
import { rtp, showPayload } from './rtp.js';
import { payloadTypeName } from './rtp-payload-types.js';

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
const { payload, payloadHidden, type: payloadType } = rtp.fields;

export const rtpRed = defineDissector({
  proto: 'rtp_rfc2198',
  layer: '', // Wireshark does not list it
  title: 'RTP Payload for Redundant Audio Data (RFC 2198)',
  short: 'RAD (RFC2198)',
  spec: 'RFC 2198',
  fields: { ...F, payload: payload, payloadHidden: payloadHidden, payloadType: payloadType },
  on: { rtp_dyn_payload_type: ['red'] },
  tables: ['rtp.pt', 'rtp_dyn_payload_type'],

  dissect(v, t, cx) {
    const types = cx.payloadTypes;
    t.open(F.red, v.off, v.length);
    const { blocks, end } = headers(v, t, cx);
    let at = end;
    for (const [type, n] of blocks) {
      need(v, n, at);
      showPayload(t, cx, type, v.sub(at, at + n), types);
      at += n;
    }
    t.pop();
  },
});

/** The headers: payload type and length of each block, the last of which is what is left. */
function headers(v: View, t: Tree, cx: Ctx): { blocks: [type: number, octets: number][]; end: number } {
  const { buf } = v;
  const blocks: [number, number][] = [];
  let at = v.off;
  let before = 0;
  for (let more = true; more; ) {
    need(v, 1, at);
    more = (u8(buf, at) & FOLLOW) !== 0;
    const type = u8(buf, at) & 0x7f;
    t.none(F.header, at, more ? HEADER : 1);
    if (t.labels) t.label(`Header ${blocks.length + 1}: PT=${payloadTypeName(type, cx.payloadTypes)}`);
    t.push();
    t.bits(F.follow, at, 1, u8(buf, at));
    t.bits(payloadType, at, 1, u8(buf, at));
    if (t.labels) t.label(`Payload type: ${payloadTypeName(type, cx.payloadTypes)} (${type})`);
    if (more) {
      need(v, HEADER, at);
      t.num(F.offset, at + 1, 2, u16(buf, at + 1) >> 2);
      t.num(F.length, at + 2, 2, u16(buf, at + 2) & 0x3ff);
    }
    t.pop();
    const octets = more ? u16(buf, at + 2) & 0x3ff : Math.max(0, v.end - at - 1 - before);
    blocks.push([type, octets]);
    before += octets;
    at += more ? HEADER : 1;
  }
  return { blocks, end: at };
}
