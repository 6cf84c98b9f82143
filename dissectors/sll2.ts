import { defineDissector, need, type Peek, u8, u16, u32 } from 'fttscope/kit';
import { PADDING } from './ethernet.js';
import { SLL, sllAddress, sllProtocol, sllSummary, sllTable, sllTrailer } from './sll.js';

/**
 * Linux cooked capture version 2, LINKTYPE_LINUX_SLL2 (www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html):
 *
 *     +--------------+----------+-------------+-------------+-------------+--------------+-------------+
 *     | Protocol (2) | MBZ (2)  | ifindex (4) | Hw type (2) | Packet type | Addr. length | Address (8) |
 *     +--------------+----------+-------------+-------------+-------------+--------------+-------------+
 *
 * Its fields are those of version 1.
 */
const HEADER = 20;

export const sll2 = defineDissector({
  proto: 'sll2',
  layer: 'sll',
  title: 'Linux cooked-mode capture v2',
  short: 'SLL',
  spec: 'LINKTYPE_LINUX_SLL2',
  fields: { ...SLL, ...PADDING },
  on: { link: [276] },
  tables: ['ethertype', 'sll.ltype', 'gre.proto'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    p.key = u16(p.buf, p.off);
    p.table = sllTable(u16(p.buf, p.off + 8), p.key);
    p.off += HEADER;
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const protocol = u16(buf, off);
    t.open(SLL.sll, off, HEADER, 'Linux cooked capture v2');
    t.num(sllProtocol(u16(buf, off + 8), protocol), off, 2, protocol);
    t.num(SLL.ifindex, off + 4, 4, u32(buf, off + 4));
    t.num(SLL.hatype, off + 8, 2, u16(buf, off + 8));
    t.num(SLL.pkttype, off + 10, 1, u8(buf, off + 10));
    t.num(SLL.halen, off + 11, 1, u8(buf, off + 11));
    sllAddress(t, off + 12, u8(buf, off + 11));
    sllTrailer(t, v, off + HEADER, protocol);
    t.pop();
    cx.next(sllTable(u16(buf, off + 8), protocol), protocol, v.sub(off + HEADER));
  },

  summary: (v) => sllSummary(v, 0),
});
