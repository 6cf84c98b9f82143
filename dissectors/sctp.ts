import { type Ctx, defineDissector, fields, need, padded, u8, u16, u32, type View } from 'fttscope/kit';

/**
 * Stream Control Transmission Protocol, RFC 9260 §3: a common header, then chunks padded to four octets.
 *
 *     +-------------------------------+-------------------------------+
 *     |          Source Port          |       Destination Port        |
 *     +-------------------------------+-------------------------------+
 *     |                       Verification Tag                        |
 *     +---------------------------------------------------------------+
 *     |                           Checksum                            |
 *     +---------------+---------------+-------------------------------+
 *     |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
 *     +---------------+---------------+-------------------------------+
 */
const HEADER = 12;
const DATA = 0;
const DATA_HEADER = 16;
/** B and E of a DATA chunk: the message lies in it as a whole. RFC 9260 §3.3.1 */
const WHOLE = 3;

const F = fields({
  sctp: { name: 'sctp', label: 'Stream Control Transmission Protocol', type: 'protocol' },
  srcport: { name: 'sctp.srcport', label: 'Source port', type: 'u16', aliases: ['sctp.port'] },
  dstport: { name: 'sctp.dstport', label: 'Destination port', type: 'u16', aliases: ['sctp.port'] },
  tag: { name: 'sctp.verification_tag', label: 'Verification tag', type: 'u32', base: 'hex' },
  checksum: { name: 'sctp.checksum', label: 'Checksum', type: 'u32', base: 'hex' },
  chunkType: { name: 'sctp.chunk_type', label: 'Chunk type', type: 'u8' },
  chunkFlags: { name: 'sctp.chunk_flags', label: 'Chunk flags', type: 'u8', base: 'hex' },
  chunkLength: { name: 'sctp.chunk_length', label: 'Chunk length', type: 'u16' },
});

/**
 * Messages that lie whole in a chunk: for whom its payload protocol identifier names (RFC 9260 §3.3.1), or the ports, the
 * lower one first. Those that have no identifier are data otherwise.
 */
function messages(v: View, cx: Ctx): void {
  const { buf, off, end } = v;
  const ports = [u16(buf, off), u16(buf, off + 2)].sort((a, b) => a - b);
  const port = ports.find((n) => cx.takes('sctp.port', n));
  for (let at = off + HEADER; at + 4 <= end; ) {
    const n = u16(buf, at + 2);
    if (n < 4) return;
    const whole = u8(buf, at) === DATA && (u8(buf, at + 1) & WHOLE) === WHOLE && n > DATA_HEADER;
    if (whole) message(u32(buf, at + 12), port, v.sub(at + DATA_HEADER, at + n), cx);
    at += padded(n);
  }
}

function message(identifier: number, port: number | undefined, v: View, cx: Ctx): void {
  if (cx.takes('sctp.ppi', identifier)) cx.next('sctp.ppi', identifier, v);
  else if (port !== undefined) cx.next('sctp.port', port, v);
  else if (identifier === 0) cx.data(v);
}

export const sctp = defineDissector({
  proto: 'sctp',
  title: 'Stream Control Transmission Protocol',
  short: 'SCTP',
  spec: 'RFC 9260',
  fields: F,
  on: { 'ip.proto': [132], 'udp.port': [9899] },
  tables: ['sctp.ppi', 'sctp.port'],

  dissect(v, t, cx) {
    const { buf, off, end } = v;
    need(v, HEADER);
    t.open(F.sctp, off, v.length);
    t.num(F.srcport, off, 2, u16(buf, off));
    t.num(F.dstport, off + 2, 2, u16(buf, off + 2));
    t.num(F.tag, off + 4, 4, u32(buf, off + 4));
    t.num(F.checksum, off + 8, 4, u32(buf, off + 8));
    for (let at = off + HEADER; at + 4 <= end; at += Math.max(4, padded(u16(buf, at + 2)))) {
      t.num(F.chunkType, at, 1, u8(buf, at));
      t.num(F.chunkFlags, at + 1, 1, u8(buf, at + 1));
      t.num(F.chunkLength, at + 2, 2, u16(buf, at + 2));
    }
    t.pop();
    messages(v, cx);
  },

  summary: (v) => (v.length < HEADER ? 'Cut short' : `${u16(v.buf, v.off)} → ${u16(v.buf, v.off + 2)}`),
});
