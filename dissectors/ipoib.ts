import { defineDissector, fields, nameOf, need, type Peek, u16, u24, u32 } from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * IP over InfiniBand, LINKTYPE_IPOIB: the header of RFC 4391 §6 behind what the interface tells of the addresses, a Global
 * Route Header or, where a frame goes out, its destination:
 *
 *     +---------------------------------------------------------------------+----------+--------------+
 *     | version, class, flow (4) | len | source QPN (3) | GID (16) | GID (16)| Type (2) | Reserved (2) |
 *     |            zeros (20)          | 0 | QPN (3) | destination GID (16) |          |              |
 *     +---------------------------------------------------------------------+----------+--------------+
 */
const ADDRESSES = 40;
const HEADER = 44;
const GLOBAL_ROUTE = 6;

const F = fields({
  ipoib: { name: 'ipoib', label: 'IP over Infiniband', type: 'protocol' },
  destination: { name: 'ipoib.daddr', label: 'Destination address', type: 'none' },
  destinationQpn: { name: 'ipoib.daddr.qpn', label: 'Destination QPN', type: 'u24', base: 'hex' },
  route: { name: 'ipoib.grh', label: 'Global Route Header', type: 'none' },
  version: { name: 'ipoib.grh.ipver', label: 'IP Version', type: 'u8', mask: 0xf0 },
  trafficClass: { name: 'ipoib.grh.tclass', label: 'Traffic Class', type: 'u16', mask: 0x0ff0 },
  flow: { name: 'ipoib.grh.flowlabel', label: 'Flow Label', type: 'u32', mask: 0xfffff },
  sourceQpn: { name: 'ipoib.grh.sqpn', label: 'Source QPN', type: 'u24', base: 'hex' },
  sourceGid: { name: 'ipoib.grh.sgid', label: 'Source GID', type: 'ipv6' },
  gid: { name: 'ipoib.dgid', label: 'Destination GID', type: 'ipv6' },
  type: { name: 'ipoib.type', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  reserved: { name: 'ipoib.reserved', label: 'Reserved', type: 'u16', base: 'hex' },
});

export const ipoib = defineDissector({
  proto: 'ipoib',
  title: 'IP over Infiniband',
  short: 'IPoIB',
  spec: 'RFC 4391 §6',
  fields: F,
  on: { link: [242] },
  tables: ['ethertype.bare'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    p.key = u16(p.buf, p.off + ADDRESSES);
    p.table = 'ethertype.bare';
    p.off += HEADER;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.ipoib, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    const routed = buf[off] >> 4 === GLOBAL_ROUTE;
    t.open(routed ? F.route : F.destination, off, ADDRESSES);
    if (routed) {
      t.bits(F.version, off, 1, buf[off]);
      t.bits(F.trafficClass, off, 2, u16(buf, off));
      t.bits(F.flow, off, 4, u32(buf, off));
      t.num(F.sourceQpn, off + 5, 3, u24(buf, off + 5));
      t.bytes(F.sourceGid, off + 8, 16);
    } else t.num(F.destinationQpn, off + 21, 3, u24(buf, off + 21));
    t.bytes(F.gid, off + 24, 16);
    t.pop();
    const type = u16(buf, off + ADDRESSES);
    t.num(F.type, off + ADDRESSES, 2, type);
    t.num(F.reserved, off + ADDRESSES + 2, 2, u16(buf, off + ADDRESSES + 2));
    t.pop();
    cx.next('ethertype.bare', type, v.sub(off + HEADER));
  },

  summary: ({ buf, off, length }) =>
    length < HEADER ? 'Header cut short' : nameOf(ETHERTYPES, u16(buf, off + ADDRESSES)),
});
