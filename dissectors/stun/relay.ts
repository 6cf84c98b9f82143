import { type Ctx, defineDissector, fields, No, need, padded, put16, u16, type View, Yes } from 'fttscope/kit';
import { rtcp } from '../rtcp/index.js';
import { sip } from '../sip/index.js';

/**
 * ChannelData, RFC 8656 §12.4, where a relay carries it inside another message:
 *
 *     0               1               2               3
 *     +-------------------------------+-------------------------------+
 *     |        Channel Number         |            Length             |
 *     +-------------------------------+-------------------------------+
 *     |  Application Data …
 */
export const CHANNEL_HEADER = 4;

const F = fields({
  turnchannel: { name: 'turnchannel', label: 'TURN Channel', type: 'protocol' },
  id: { name: 'turnchannel.id', label: 'TURN Channel ID', type: 'u16', base: 'hex' },
  length: { name: 'turnchannel.length', label: 'Data Length', type: 'u16' },
});

/** Whether the octet is the first of a channel number. RFC 8656 §12: 0x4000 to 0x4fff; before, to 0x7fff. */
export const isChannel = (octet: number): boolean => (octet & 0xc0) === 0x40;

/** Whether ChannelData, padded to whole words or not, is all that `[off, end)` holds. */
export function isChannelData(b: Uint8Array, off: number, end: number): boolean {
  if (end - off < CHANNEL_HEADER || !isChannel(b[off])) return false;
  const n = u16(b, off + 2);
  const have = end - off - CHANNEL_HEADER;
  return have === n || have === padded(n);
}

/** A channel number and what it carries. */
export interface ChannelData {
  channel: number;
  data: Uint8Array;
}

export const turnChannel = defineDissector<ChannelData>({
  proto: 'turnchannel',
  title: 'TURN Channel',
  short: 'TURN CHANNEL',
  spec: 'RFC 8656',
  fields: F,
  probe: (b, off, end) => (isChannelData(b, off, end) ? Yes : No),

  dissect(v, t, cx) {
    need(v, CHANNEL_HEADER);
    const { buf, off } = v;
    t.open(F.turnchannel, off, CHANNEL_HEADER);
    t.num(F.id, off, 2, u16(buf, off));
    t.num(F.length, off + 2, 2, u16(buf, off + 2));
    t.pop();
    cx.data(v.sub(off + CHANNEL_HEADER, off + CHANNEL_HEADER + u16(buf, off + 2)));
  },

  summary: (v) => (v.length < CHANNEL_HEADER ? 'Cut short' : `Channel Id 0x${u16(v.buf, v.off).toString(16)}`),

  codec: {
    parse(b, o, end) {
      const from = o + CHANNEL_HEADER;
      return { channel: u16(b, o), data: b.slice(from, Math.min(end, from + u16(b, o + 2))) };
    },
    size: (r) => CHANNEL_HEADER + r.data.length,
    emit(r, b, o) {
      put16(b, o, r.channel);
      put16(b, o + 2, r.data.length);
      b.set(r.data, o + CHANNEL_HEADER);
      return CHANNEL_HEADER + r.data.length;
    },
  },
});

/** Who may be recognised in what a relay carries: as many as Wireshark tries by default. */
const CARRIED = [turnChannel, sip, rtcp];
export const RELAYED = CARRIED.map((d) => d.proto);

/** Shows what a relay carries. */
export function relayed(v: View, cx: Ctx): void {
  for (const d of CARRIED) if (d.probe!(v.buf, v.off, v.end) === Yes && cx.call(d.proto, v)) return;
  cx.data(v);
}
