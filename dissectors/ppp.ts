import { defineDissector, fields, nameOf, need, type Peek, u8, u16, type View } from 'fttscope/kit';
import { PPP_PROTOCOLS } from './numbers.js';

/**
 * Point-to-Point Protocol, RFC 1661 §2, alone (inside PPPoE) or in HDLC-like framing, RFC 1662 §3.1:
 *
 *     +- - - - - -+- - - - - -+----------------+--------- - - -
 *     | Address FF| Control 03| Protocol (1-2) | Information
 *     +- - - - - -+- - - - - -+----------------+--------- - - -
 *
 * A first octet with its low bit set is a whole protocol number: the sender left out a leading 0 (RFC 1661 §6.5).
 */
const ALL_STATIONS = 0xff;
/** Addresses of Cisco HDLC, in which a link may be framed whose capture says PPP. */
const CISCO_HDLC = [0x0f, 0x8f];

const F = fields({
  ppp: { name: 'ppp', label: 'Point-to-Point Protocol', type: 'protocol' },
  address: { name: 'ppp.address', label: 'Address', type: 'u8', base: 'hex' },
  control: { name: 'ppp.control', label: 'Control', type: 'u8', base: 'hex' },
  protocol: { name: 'ppp.protocol', label: 'Protocol', type: 'u16', base: 'hex', values: PPP_PROTOCOLS },
});

/** Octets before the protocol number: address and control, unless they were left out. */
const framing = (b: Uint8Array, o: number) => (b[o] === ALL_STATIONS ? 2 : 0);
/** Octets of the protocol number at `o`. */
const width = (b: Uint8Array, o: number) => b[o] & 1 || 2;
const protocol = (b: Uint8Array, o: number) => (width(b, o) === 1 ? u8(b, o) : u16(b, o));

export const ppp = defineDissector({
  proto: 'ppp',
  title: 'Point-to-Point Protocol',
  short: 'PPP',
  spec: 'RFC 1661, RFC 1662',
  fields: F,
  on: { link: [9, 50], pppoes: [0], 'sll.ltype': [7], 'gre.proto': [0x880b] },
  tables: ['ppp.protocol', 'ppp.framing'],

  peek(p: Peek) {
    if (p.end - p.off < 4) return p.stop();
    p.key = p.buf[p.off];
    p.table = 'ppp.framing';
    if (CISCO_HDLC.includes(p.key)) return;
    const at = p.off + framing(p.buf, p.off);
    p.key = protocol(p.buf, at);
    p.off = at + width(p.buf, at);
    p.table = 'ppp.protocol';
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.ppp, off, 0);
    need(v, 1);
    if (CISCO_HDLC.includes(buf[off])) {
      t.pop();
      return cx.next('ppp.framing', buf[off], v);
    }
    const at = off + framing(buf, off);
    if (at > off) {
      t.num(F.address, off, 1, u8(buf, off));
      need(v, 2);
      t.num(F.control, off + 1, 1, u8(buf, off + 1));
    }
    need(v, 1, at);
    const n = width(buf, at);
    need(v, n, at);
    const key = protocol(buf, at);
    t.num(F.protocol, at, n, key);
    t.pop();
    cx.next('ppp.protocol', key, v.sub(at + n));
  },

  summary(v: View) {
    if (v.length < 4) return 'Frame cut short';
    const key = protocol(v.buf, v.off + framing(v.buf, v.off));
    return `PPP ${nameOf(PPP_PROTOCOLS, key)} (0x${key.toString(16).padStart(4, '0')})`;
  },
});
