import { type Ctx, defineDissector, fields, hex, nameOf, need, type Tree, u16, u32, type View } from 'fttscope/kit';
import { PADDING } from './ethernet.js';
import { ETHERTYPES } from './numbers.js';
import { peekTag, tagPayload } from './vlan.js';

/**
 * Tags of provider bridges (IEEE 802.1Q §9.6; 802.1ad) and of backbone bridges, which have the customer's addresses with
 * them (§9.7; 802.1ah):
 *
 *     +---------+-----+------------+------------------+
 *     | PCP (3) | DEI | VLAN id 12 | EtherType (2)    |    S-TAG, twice in Wireshark's one layer; B-TAG before an I-TAG
 *     +---------+-----+-----+------+----+-------------+-----+------------+---------------+
 *     | PCP (3) | DEI | UCA | Res (3) | I-SID (24)  | C-DA (6)  | C-SA (6)  | EtherType (2) |    I-TAG
 *     +---------+-----+-----+---------+-------------+-----------+-----------+---------------+
 */
const TAG = 4;
const I_TAG = 18;
const SERVICE = 0x88a8;
const BACKBONE = 0x88e7;

const F = fields({
  tag: { name: 'ieee8021ad', label: 'IEEE 802.1ad', type: 'protocol' },
  priority: { name: 'ieee8021ad.priority', label: 'Priority', type: 'u16', mask: 0xe000 },
  dei: { name: 'ieee8021ad.dei', label: 'DEI', type: 'u16', mask: 0x1000 },
  id: { name: 'ieee8021ad.id', label: 'ID', type: 'u16', mask: 0x0fff },
  svid: { name: 'ieee8021ad.svid', label: 'ID', type: 'u16', mask: 0x0fff },
  cvid: { name: 'ieee8021ad.cvid', label: 'ID', type: 'u16', mask: 0x0fff },
});

const I = fields({
  tag: { name: 'ieee8021ah', label: 'IEEE 802.1ah', type: 'protocol' },
  priority: { name: 'ieee8021ah.priority', label: 'Priority', type: 'u32', mask: 0xe0000000 },
  drop: { name: 'ieee8021ah.drop', label: 'DROP', type: 'u32', mask: 0x10000000 },
  nca: { name: 'ieee8021ah.nca', label: 'NCA', type: 'u32', mask: 0x08000000 },
  res1: { name: 'ieee8021ah.res1', label: 'RES1', type: 'u32', mask: 0x04000000 },
  res2: { name: 'ieee8021ah.res2', label: 'RES2', type: 'u32', mask: 0x03000000 },
  isid: { name: 'ieee8021ah.isid', label: 'I-SID', type: 'u32', mask: 0x00ffffff },
  cdst: { name: 'ieee8021ah.cdst', label: 'C-Destination', type: 'ether' },
  csrc: { name: 'ieee8021ah.csrc', label: 'C-Source', type: 'ether' },
});

/** What follows either tag, in Wireshark's names. */
const X = fields({
  etype: { name: 'ieee8021ah.etype', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  trailer: { name: 'ieee8021ah.trailer', label: 'Trailer', type: 'bytes' },
});

/** The EtherType that ends at `body`, and what follows it. */
function follow(v: View, t: Tree, cx: Ctx, body: number): void {
  const { buf } = v;
  need(v, 2, body - 2);
  t.num(X.etype, body - 2, 2, u16(buf, body - 2));
  tagPayload(v, t, cx, body, X.trailer);
}

/** The I-TAG at `off`, and what follows it. */
function instanceTag(v: View, t: Tree, cx: Ctx, off: number): void {
  const { buf } = v;
  need(v, 4, off);
  for (const f of [I.priority, I.drop, I.nca, I.res1, I.res2, I.isid]) t.bits(f, off, 4, u32(buf, off));
  need(v, I_TAG - 2, off);
  t.bytes(I.cdst, off + 4, 6);
  t.bytes(I.csrc, off + 10, 6);
  follow(v, t, cx, off + I_TAG);
}

const isid = (b: Uint8Array, off: number): number => u32(b, off) & 0xffffff;

export const serviceTag = defineDissector({
  proto: 'ieee8021ad',
  title: 'IEEE 802.1ad',
  short: '802.1AD',
  spec: 'IEEE 802.1Q §9.6',
  fields: { ...F, ...X, ...PADDING },
  on: { ethertype: [SERVICE] },
  tables: ['ethertype', 'eth.llc'],
  peek: (p) => peekTag(p),

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.tag, off, Math.min(v.length, TAG));
    need(v, TAG);
    const type = u16(buf, off + 2);
    if (type === SERVICE) need(v, TAG + 2);
    for (let at = off; at === off || (type === SERVICE && at === off + TAG); at += TAG) {
      const id = type !== SERVICE ? F.id : at === off ? F.svid : F.cvid;
      for (const f of [F.priority, F.dei, id]) t.bits(f, at, 2, u16(buf, at));
    }
    if (type === BACKBONE) instanceTag(v, t, cx, off + TAG);
    else follow(v, t, cx, off + (type === SERVICE ? 2 * TAG : TAG));
  },

  summary: ({ buf, off, length }) =>
    length < TAG ? 'Tag cut short' : `ID: ${u16(buf, off) & 0xfff}, ${nameOf(ETHERTYPES, u16(buf, off + 2))}`,
});

export const backboneTag = defineDissector({
  proto: 'ieee8021ah',
  title: 'IEEE 802.1ah',
  short: '802.1AH',
  spec: 'IEEE 802.1Q §9.7',
  fields: { ...I, ...X, ...PADDING },
  on: { ethertype: [BACKBONE] },
  tables: ['ethertype', 'eth.llc'],

  peek: (p) => peekTag(p, I_TAG),

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(I.tag, off, Math.min(v.length, I_TAG));
    if (t.labels && v.length >= I_TAG)
      t.label(
        `IEEE 802.1ah, I-SID: ${isid(buf, off)}, C-Src: ${hex(buf, off + 10, 6)}, C-Dst: ${hex(buf, off + 4, 6)}`,
      );
    instanceTag(v, t, cx, off);
  },

  summary: ({ buf, off, length }) => (length < I_TAG ? 'Tag cut short' : `I-SID: ${isid(buf, off)}`),
});
