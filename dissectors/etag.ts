import { defineDissector, fields, need, u8, u16 } from 'fttscope/kit';
import { PADDING } from './ethernet.js';
import { ETHERTYPES } from './numbers.js';
import { peekTag, tagPayload } from './vlan.js';

/**
 * E-TAG, between a bridge and its port extenders, IEEE 802.1BR §7.5:
 *
 *     +-----------+-----------+-----------------+---------+---------+------------+---------+---------+----------+
 *     | E-PCP (3) | E-DEI (1) | Ingress id (12) | Res (2) | GRP (2) | E-CID (12) | Ingress | E-CID   | EtherType|
 *     |           |           |                 |         |         |            | ext (8) | ext (8) |   (16)   |
 *     +-----------+-----------+-----------------+---------+---------+------------+---------+---------+----------+
 */
const TAG = 8;

const F = fields({
  etag: { name: 'etag', label: '802.1BR E-Tag', type: 'protocol' },
  pcp: { name: 'etag.pcp', label: 'E-PCP', type: 'u16', mask: 0xe000 },
  dei: { name: 'etag.dei', label: 'E-DEI', type: 'u16', mask: 0x1000 },
  ingress: { name: 'etag.iecid_base', label: 'Ingress_E-CID_base', type: 'u16', base: 'hex', mask: 0x0fff },
  reserved: { name: 'etag.resv', label: 'Reserved', type: 'u16', mask: 0xc000 },
  group: { name: 'etag.group', label: 'GRP', type: 'u16', mask: 0x3000 },
  ecid: { name: 'etag.ecid_base', label: 'E-CID_base', type: 'u16', base: 'hex', mask: 0x0fff },
  ingressExtension: { name: 'etag.iecid_ext', label: 'Ingress_E-CID_ext', type: 'u8', base: 'hex' },
  extension: { name: 'etag.ecid_ext', label: 'E-CID_ext', type: 'u8', base: 'hex' },
  etype: { name: 'etag.etype', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  trailer: { name: 'etag.trailer', label: 'Trailer', type: 'bytes' },
});

/** The whole of an identifier: its extension, the group that it is of, and its base. IEEE 802.1BR §7.5 */
const identifier = (extension: number, group: number, base: number): number => (extension << 14) | (group << 12) | base;

export const etag = defineDissector({
  proto: 'etag',
  title: '802.1BR E-Tag',
  short: '802.1BR',
  spec: 'IEEE 802.1BR §7.5',
  fields: { ...F, ...PADDING },
  on: { ethertype: [0x893f] },
  tables: ['ethertype', 'eth.llc'],
  peek: (p) => peekTag(p, TAG),

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.etag, off, Math.min(v.length, TAG));
    need(v, 2);
    for (const f of [F.pcp, F.dei, F.ingress]) t.bits(f, off, 2, u16(buf, off));
    need(v, TAG);
    for (const f of [F.reserved, F.group, F.ecid]) t.bits(f, off + 2, 2, u16(buf, off + 2));
    t.num(F.ingressExtension, off + 4, 1, u8(buf, off + 4));
    t.num(F.extension, off + 5, 1, u8(buf, off + 5));
    t.num(F.etype, off + 6, 2, u16(buf, off + 6));
    tagPayload(v, t, cx, off + TAG, F.trailer);
  },

  summary({ buf, off, length }) {
    if (length < TAG) return 'Tag cut short';
    const ecid = u16(buf, off + 2);
    return `E-CID: ${identifier(u8(buf, off + 5), (ecid >> 12) & 3, ecid & 0xfff)}`;
  },
});
