import { defineDissector, fields, nameOf, need, u8, u16, type View } from 'fttscope/kit';

/**
 * Fax over IP, ITU-T T.38 §9: UDPTL packets. Their sequence number and what the primary packet says first are read; fax data
 * and error recovery are not.
 *
 *     0               1               2               3
 *     +-------------------------------+---------------+-+-+-+-------+-
 *     |        sequence number        |    length     |D|C|X| index |  …
 *     +-------------------------------+---------------+-+-+-+-------+-
 *
 * The primary packet is in aligned PER: D says that data follow, C chooses between an indicator and data, X extends the
 * list of values.
 */
const HEADER = 3;
const INDICATORS =
  'no-signal cng ced v21-preamble v27-2400-training v27-4800-training v29-7200-training v29-9600-training ' +
  'v17-7200-short-training v17-7200-long-training v17-9600-short-training v17-9600-long-training ' +
  'v17-12000-short-training v17-12000-long-training v17-14400-short-training v17-14400-long-training';
const DATA = 'v21 v27-2400 v27-4800 v29-7200 v29-9600 v17-7200 v17-9600 v17-12000 v17-14400';

const F = fields({
  t38: { name: 't38', label: 'T.38', type: 'protocol' },
  packet: { name: 't38.UDPTLPacket_element', label: 'UDPTLPacket', type: 'none' },
  sequence: { name: 't38.seq_number', label: 'seq-number', type: 'u32' },
  primary: { name: 't38.primary_ifp_packet_element', label: 'primary-ifp-packet', type: 'none' },
  type: {
    name: 't38.type_of_msg',
    label: 'type-of-msg',
    type: 'u32',
    mask: 0x40,
    values: { 0: 't30-indicator', 1: 't30-data' },
  },
  indicator: {
    name: 't38.t30_indicator',
    label: 't30-indicator',
    type: 'u32',
    mask: 0x1e,
    values: INDICATORS.split(' '),
  },
  data: { name: 't38.t30_data', label: 't30-data', type: 'u32', mask: 0x1e, values: DATA.split(' ') },
});
const EXTENDED = 0x20;

const isData = (v: View): boolean => (u8(v.buf, v.off + HEADER) & 0x40) !== 0;

export const t38 = defineDissector({
  proto: 't38',
  title: 'T.38',
  short: 'T.38',
  spec: 'ITU-T T.38',
  fields: F,

  dissect(v, t) {
    const { buf, off } = v;
    t.open(F.t38, off, v.length);
    t.open(F.packet, off, v.length);
    need(v, 2);
    t.num(F.sequence, off, 2, u16(buf, off));
    need(v, HEADER);
    const length = u8(buf, off + 2);
    t.open(F.primary, off + HEADER, length);
    need(v, length, off + HEADER);
    if (length > 0) {
      const first = u8(buf, off + HEADER);
      t.bits(F.type, off + HEADER, 1, first);
      if ((first & EXTENDED) === 0) t.bits(isData(v) ? F.data : F.indicator, off + HEADER, 1, first);
    }
    t.pop();
    t.pop();
    t.pop();
  },

  summary(v) {
    if (v.length <= HEADER) return 'Cut short';
    const first = u8(v.buf, v.off + HEADER);
    const index = (first >> 1) & 0x0f;
    const sequence = String(u16(v.buf, v.off)).padStart(5, '0');
    const what = isData(v)
      ? `data:${nameOf(DATA.split(' '), index)}`
      : `t30ind: ${nameOf(INDICATORS.split(' '), index)}`;
    return `UDP: UDPTLPacket Seq=${sequence}  ${(first & EXTENDED) === 0 ? what : ''}`.trimEnd();
  },
});
