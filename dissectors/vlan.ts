import {
  type Ctx,
  defineDissector,
  type Field,
  fields,
  nameOf,
  need,
  type Peek,
  type Tree,
  u16,
  type View,
} from 'fttscope/kit';
import { addTrailer, PADDING, payloadLength } from './ethernet.js';
import { ETHERTYPES } from './numbers.js';

/**
 * VLAN tags, IEEE 802.1Q §9.6. They stack:
 *
 *     +---------+-----+--------------------+----------------------+
 *     | PCP (3) | DEI | VLAN identifier 12 | EtherType or length  |
 *     +---------+-----+--------------------+----------------------+
 */
const TAG = 4;
/** The longest payload: larger numbers are EtherTypes. IEEE 802.3 §3.2.6 */
export const MAX_LENGTH = 1500;
const PRIORITIES = {
  0: 'Best Effort (default)',
  1: 'Background',
  2: 'Excellent Effort',
  3: 'Critical Applications',
  4: 'Video, < 100ms latency and jitter',
  5: 'Voice, < 10ms latency and jitter',
  6: 'Internetwork Control',
  7: 'Network Control',
};
const DEI = { 0: 'Ineligible', 1: 'Eligible' };

const F = fields({
  vlan: { name: 'vlan', label: '802.1Q Virtual LAN', type: 'protocol' },
  priority: { name: 'vlan.priority', label: 'Priority', type: 'u16', mask: 0xe000, values: PRIORITIES },
  dei: { name: 'vlan.dei', label: 'DEI', type: 'bool', mask: 0x1000, values: DEI },
  id: { name: 'vlan.id', label: 'ID', type: 'u16', mask: 0x0fff },
  etype: { name: 'vlan.etype', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  len: { name: 'vlan.len', label: 'Length', type: 'u16' },
  trailer: { name: 'vlan.trailer', label: 'Trailer', type: 'bytes' },
});

const etype = (b: Uint8Array, o: number) => u16(b, o + 2);

/** The way down behind a tag of `length` octets, the last two of which are an EtherType or a length. */
export function peekTag(p: Peek, length = TAG): void {
  if (p.end - p.off < length) {
    p.stop();
    return;
  }
  p.off += length;
  const type = u16(p.buf, p.off - 2);
  p.key = type > MAX_LENGTH ? type : 0;
  p.table = type > MAX_LENGTH ? 'ethertype' : 'eth.llc';
  if (type > MAX_LENGTH) return;
  p.wireEnd = Math.min(p.wireEnd, p.off + type);
  p.end = Math.min(p.end, p.wireEnd);
}

/** What stands behind a tag that ends at `body`: ends its layer, and hands the payload on. */
export function tagPayload(v: View, t: Tree, cx: Ctx, body: number, trailer: Field): void {
  const type = u16(v.buf, body - 2);
  const n = type > MAX_LENGTH ? payloadLength(v.buf, type, body, v.end) : type;
  if (n >= 0) addTrailer(t, v, body + n, trailer, false);
  t.pop();
  if (type > MAX_LENGTH) cx.next('ethertype', type, v.sub(body));
  else cx.next('eth.llc', 0, v.sub(body, body + type));
}

export const vlan = defineDissector({
  proto: 'vlan',
  title: '802.1Q Virtual LAN',
  short: 'VLAN',
  spec: 'IEEE 802.1Q §9.6',
  fields: { ...F, ...PADDING },
  on: { ethertype: [0x8100, 0x9100] },
  tables: ['ethertype', 'eth.llc'],
  peek: (p) => peekTag(p),
  dissect(v, t, cx) {
    need(v, TAG);
    const { buf, off } = v;
    const tci = u16(buf, off);
    const type = etype(buf, off);
    t.open(F.vlan, off, TAG);
    if (t.labels) t.label(`802.1Q Virtual LAN, PRI: ${tci >> 13}, DEI: ${(tci >> 12) & 1}, ID: ${tci & 0xfff}`);
    t.bits(F.priority, off, 2, tci);
    t.bits(F.dei, off, 2, tci);
    t.bits(F.id, off, 2, tci);
    t.num(type > MAX_LENGTH ? F.etype : F.len, off + 2, 2, type);
    tagPayload(v, t, cx, off + TAG, F.trailer);
  },
  summary: (v: View) =>
    v.length < TAG ? 'Tag cut short' : `ID: ${u16(v.buf, v.off) & 0xfff}, ${nameOf(ETHERTYPES, etype(v.buf, v.off))}`,
});
