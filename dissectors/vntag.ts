import { defineDissector, fields, need, u16, u32 } from 'fttscope/kit';
import { PADDING } from './ethernet.js';
import { ETHERTYPES } from './numbers.js';
import { MAX_LENGTH, peekTag, tagPayload } from './vlan.js';

/**
 * VN-Tag, between a switch and its fabric extenders or virtual machines (IEEE 802.1Qbh, draft):
 *
 *     +-----+-----+------------------+--------+-----+-------------+-------------+----------------------+
 *     | Dir | Ptr | Destination (14) | Looped | Res | Version (2) | Source (12) | EtherType or length  |
 *     +-----+-----+------------------+--------+-----+-------------+-------------+----------------------+
 */
const TAG = 6;
const DIRECTIONS = { 0: 'To Bridge', 1: 'From Bridge' };
const POINTERS = { 0: 'vif_id', 1: 'vif_list_id' };

const F = fields({
  vntag: { name: 'vntag', label: 'VN-Tag', type: 'protocol' },
  dir: { name: 'vntag.dir', label: 'Direction', type: 'bool', mask: 0x80000000, values: DIRECTIONS },
  ptr: { name: 'vntag.ptr', label: 'Pointer', type: 'bool', mask: 0x40000000, values: POINTERS },
  dst: { name: 'vntag.dst', label: 'Destination', type: 'u32', mask: 0x3fff0000 },
  looped: { name: 'vntag.looped', label: 'Looped', type: 'bool', mask: 0x8000 },
  reserved: { name: 'vntag.r', label: 'Reserved', type: 'u32', mask: 0x4000 },
  version: { name: 'vntag.version', label: 'Version', type: 'u32', mask: 0x3000 },
  src: { name: 'vntag.src', label: 'Source', type: 'u32', mask: 0x0fff },
  etype: { name: 'vntag.etype', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  len: { name: 'vntag.len', label: 'Length', type: 'u16', unit: 'octets' },
  trailer: { name: 'vntag.trailer', label: 'Trailer', type: 'bytes' },
});

export const vntag = defineDissector({
  proto: 'vntag',
  title: 'VN-Tag',
  short: 'VNTAG',
  spec: 'IEEE 802.1Qbh',
  fields: { ...F, ...PADDING },
  on: { ethertype: [0x8926] },
  tables: ['ethertype', 'eth.llc'],
  peek: (p) => peekTag(p, TAG),

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.vntag, off, Math.min(v.length, TAG));
    need(v, 4);
    for (const f of [F.dir, F.ptr, F.dst, F.looped, F.reserved, F.version, F.src]) t.bits(f, off, 4, u32(buf, off));
    need(v, TAG);
    const type = u16(buf, off + 4);
    t.num(type > MAX_LENGTH ? F.etype : F.len, off + 4, 2, type);
    tagPayload(v, t, cx, off + TAG, F.trailer);
  },

  summary: ({ buf, off, length }) =>
    length < TAG ? 'Tag cut short' : `From ${u16(buf, off + 2) & 0xfff} to ${u16(buf, off) & 0x3fff}`,
});
