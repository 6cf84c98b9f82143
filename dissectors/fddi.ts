import {
  type Ctx,
  defineDissector,
  type Field,
  fields,
  hexNumber,
  need,
  type Peek,
  type Tree,
  u8,
  type View,
} from 'fttscope/kit';

/**
 * FDDI, LINKTYPE_FDDI (ISO 9314-2 §7): the addresses stand with the bits of each octet in the order in which they were sent,
 * which is the other one.
 *
 *     +-------------------+-----------------+------------+------------- - - -
 *     | Frame control (1) | Destination (6) | Source (6) | LLC, SMT, MAC
 *     +-------------------+-----------------+------------+------------- - - -
 */
const HEADER = 13;
const CLASS = 0xf0;
const SMT = 0x40;
const LLC = 0x50;
const MAC = 0xc0;
const CLASSES: Readonly<Record<number, string>> = { 4: 'SMT', 5: 'Async LLC', 8: 'Token', 12: 'MAC', 13: 'Sync LLC' };

const F = fields({
  fddi: { name: 'fddi', label: 'Fiber Distributed Data Interface', type: 'protocol' },
  control: { name: 'fddi.fc', label: 'Frame Control', type: 'u8', base: 'hex' },
  format: { name: 'fddi.fc.clf', label: 'Class/Length/Format', type: 'u8', base: 'hex', mask: CLASS, values: CLASSES },
  priority: { name: 'fddi.fc.prio', label: 'Priority', type: 'u8', mask: 0x07 },
  smt: { name: 'fddi.fc.smt_subtype', label: 'SMT Subtype', type: 'u8', mask: 0x0f },
  mac: { name: 'fddi.fc.mac_subtype', label: 'MAC Subtype', type: 'u8', mask: 0x0f },
  dst: { name: 'fddi.dst', label: 'Destination', type: 'ether', aliases: ['fddi.addr'] },
  src: { name: 'fddi.src', label: 'Source', type: 'ether', aliases: ['fddi.addr'] },
});
const PARTS: Readonly<Record<number, Field>> = { [LLC]: F.priority, [SMT]: F.smt, [MAC]: F.mac };

/** The octet with its bits the other way round. */
function turned(octet: number): number {
  let out = 0;
  for (let i = 0; i < 8; i++) if ((octet & (1 << i)) !== 0) out |= 0x80 >> i;
  return out;
}

/** The address in the order of Ethernet. */
const address = (b: Uint8Array, off: number): Uint8Array => Uint8Array.from(b.subarray(off, off + 6), turned);

export const fddi = defineDissector({
  proto: 'fddi',
  title: 'Fiber Distributed Data Interface',
  short: 'FDDI',
  spec: 'ISO 9314-2 §7',
  fields: F,
  on: { link: [10] },
  tables: ['eth.llc'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER || (p.buf[p.off] & CLASS) !== LLC) return p.stop();
    p.off += HEADER;
    p.table = 'eth.llc';
    p.key = 0;
  },

  dissect(v: View, t: Tree, cx: Ctx) {
    const { buf, off } = v;
    t.open(F.fddi, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    const control = u8(buf, off);
    t.num(F.control, off, 1, control);
    t.push();
    t.bits(F.format, off, 1, control);
    const part = PARTS[control & CLASS];
    if (part !== undefined) t.bits(part, off, 1, control);
    t.pop();
    t.bytes(F.dst, off + 1, 6, address(buf, off + 1));
    t.bytes(F.src, off + 7, 6, address(buf, off + 7));
    t.pop();
    if ((control & CLASS) === LLC) cx.next('eth.llc', 0, v.sub(off + HEADER));
    else cx.data(v.sub(off + HEADER));
  },

  summary: ({ buf, off, length }) =>
    length < HEADER ? 'Frame cut short' : (CLASSES[u8(buf, off) >> 4] ?? `Frame control ${hexNumber(u8(buf, off), 2)}`),
});
