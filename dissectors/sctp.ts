import { type Ctx, type Dissector, defineDissector, fields, need, padded, u8, u16, u32, View } from 'fttscope/kit';
import { Parts } from './sctp-parts.js';

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
/** B and E of a DATA chunk: the message begins or ends in it, or lies in it as a whole. RFC 9260 §3.3.1 */
const BEGINS = 2;
const ENDS = 1;
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

/** A message whose last part came with a chunk. */
interface Joined {
  /** Offset of the chunk in the packet. */
  readonly at: number;
  readonly octets: Uint8Array;
}

/** Where the DATA chunks of a packet stand that hold something, each with its length. */
function* dataChunks({ buf, off, end }: View): Generator<readonly [number, number]> {
  for (let at = off + HEADER; at + 4 <= end; ) {
    const n = u16(buf, at + 2);
    if (n < 4) return;
    if (u8(buf, at) === DATA && n > DATA_HEADER) yield [at, n];
    at += padded(n);
  }
}

/**
 * Messages that lie whole in a chunk, or end in it: for whom its payload protocol identifier names (RFC 9260 §3.3.1), or the ports, the
 * lower one first. Those that have no identifier are data otherwise.
 */
function messages(v: View, cx: Ctx): void {
  const { buf, off } = v;
  const ports = [u16(buf, off), u16(buf, off + 2)].sort((a, b) => a - b);
  const port = ports.find((n) => cx.takes('sctp.port', n));
  const joined = cx.note<readonly Joined[]>(sctp, v);
  for (const [at, n] of dataChunks(v)) {
    const identifier = u32(buf, at + 12);
    const parts = joined?.find((j) => j.at === at - off);
    if ((u8(buf, at + 1) & WHOLE) === WHOLE) message(identifier, port, v.sub(at + DATA_HEADER, at + n), cx);
    else if (parts !== undefined) message(identifier, port, View.of(parts.octets, 'Reassembled SCTP message'), cx);
  }
}

function message(identifier: number, port: number | undefined, v: View, cx: Ctx): void {
  if (cx.takes('sctp.ppi', identifier)) cx.next('sctp.ppi', identifier, v);
  else if (port !== undefined) cx.next('sctp.port', port, v);
  else if (identifier === 0) cx.data(v);
}

export const sctp: Dissector = defineDissector({
  proto: 'sctp',
  title: 'Stream Control Transmission Protocol',
  short: 'SCTP',
  spec: 'RFC 9260',
  fields: F,
  on: { 'ip.proto': [132], 'udp.port': [9899] },
  tables: ['sctp.ppi', 'sctp.port'],

  track(v, cx) {
    const { buf, off, end } = v;
    const joined: Joined[] = [];
    if (v.length < HEADER) return;
    for (const [at, n] of dataChunks(v)) {
      const flags = u8(buf, at + 1);
      if ((flags & WHOLE) === WHOLE || at + n > end) continue;
      const association = `${u32(buf, off)} ${u32(buf, off + 4)}`; // ports, and the tag of the receiver
      const octets = buf.slice(at + DATA_HEADER, at + n);
      const part = { octets, begins: (flags & BEGINS) !== 0, ends: (flags & ENDS) !== 0 };
      const whole = cx.scope(sctp, () => new Parts()).take(association, u32(buf, at + 4), part, cx);
      if (whole !== undefined) joined.push({ at: at - off, octets: whole });
    }
    if (joined.length > 0) cx.note(joined);
  },

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
