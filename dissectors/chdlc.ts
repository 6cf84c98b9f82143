import { defineDissector, fields, nameOf, need, type Peek, u8, u16 } from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * Cisco HDLC, LINKTYPE_C_HDLC, RFC 1547 §4.3.1:
 *
 *     +---------+---------+------------------+------------------------+---------- - - -
 *     | Address | Control | Protocol (2)     | a pad before OSI alone | Information
 *     +---------+---------+------------------+------------------------+---------- - - -
 *
 * The protocol is an EtherType, but for a few of Cisco's own.
 */
const HEADER = 4;
const CDP = 0x2000;
const SLARP = 0x8035;
const OSI = 0xfefe;
/** What OSI protocols begin with (ISO 9577): CLNP, ES-IS and IS-IS. */
const NLPIDS = [0x81, 0x82, 0x83];
const ADDRESSES = { 15: 'Unicast', 143: 'Multicast' };
const PROTOCOLS: Readonly<Record<number, string>> = {
  ...ETHERTYPES,
  [CDP]: 'Cisco Discovery Protocol',
  [SLARP]: 'SLARP',
  [OSI]: 'OSI',
};

const F = fields({
  chdlc: { name: 'chdlc', label: 'Cisco HDLC', type: 'protocol' },
  address: { name: 'chdlc.address', label: 'Address', type: 'u8', base: 'hex', values: ADDRESSES },
  control: { name: 'chdlc.control', label: 'Control', type: 'u8', base: 'hex' },
  protocol: { name: 'chdlc.protocol', label: 'Protocol', type: 'u16', base: 'hex', values: PROTOCOLS },
  padding: { name: 'chdlc.clns_padding', label: 'CLNS Padding', type: 'u8', base: 'hex' },
});

/** Octets of the pad before an OSI protocol: some senders leave it out. */
const pad = (b: Uint8Array, at: number, end: number): number =>
  at < end && u16(b, at - 2) === OSI && !NLPIDS.includes(b[at]) ? 1 : 0;

export const chdlc = defineDissector({
  proto: 'chdlc',
  title: 'Cisco HDLC',
  short: 'CHDLC',
  spec: 'RFC 1547 §4.3.1',
  fields: F,
  on: { link: [104], 'ppp.framing': [0x0f, 0x8f] },
  tables: ['chdlc.protocol'],

  peek(p: Peek) {
    const { buf, off, end } = p;
    if (end - off < HEADER) return p.stop();
    p.table = 'chdlc.protocol';
    p.key = u16(buf, off + 2);
    p.off = off + HEADER + pad(buf, off + HEADER, end);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.chdlc, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    const protocol = u16(buf, off + 2);
    t.num(F.address, off, 1, u8(buf, off));
    t.num(F.control, off + 1, 1, u8(buf, off + 1));
    t.num(F.protocol, off + 2, 2, protocol);
    const body = off + HEADER + pad(buf, off + HEADER, v.end);
    if (body > off + HEADER) t.num(F.padding, off + HEADER, 1, u8(buf, off + HEADER));
    t.pop();
    need(v, HEADER + 1);
    cx.next('chdlc.protocol', protocol, v.sub(body));
  },

  summary: (v) => (v.length < HEADER ? 'Frame cut short' : nameOf(PROTOCOLS, u16(v.buf, v.off + 2))),
});
