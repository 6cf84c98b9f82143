import { defineDissector, fields, need, type Peek, u8, u16 } from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * Frame relay, ITU-T Q.922 §3.3: an address of two octets and more, each but the last with its low bit clear, and what
 * RFC 2427 §3 puts behind it, or the EtherType of Cisco's encapsulation:
 *
 *     +--------------------+--------------+---------+- - - - - - - - -     +--------------------+---------------+
 *     | Address (2 to 4)   | Control 0x03 |  NLPID  | packet           or  | Address (2 to 4)   | EtherType (2) |
 *     +--------------------+--------------+---------+- - - - - - - - -     +--------------------+---------------+
 */
const UNNUMBERED = 3;
const IPV4 = 0xcc;
const IPV6 = 0x8e;

const F = fields({
  fr: { name: 'fr', label: 'Frame Relay', type: 'protocol' },
  dlci: { name: 'fr.dlci', label: 'DLCI', type: 'u32' },
  control: { name: 'fr.control', label: 'Control Field', type: 'u8', base: 'hex' },
  nlpid: { name: 'fr.nlpid', label: 'NLPID', type: 'u8', base: 'hex' },
  type: { name: 'fr.type', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
});

/** Where the address ends, or -1. */
function addressEnd(b: Uint8Array, off: number, end: number): number {
  for (let at = off + 1; at < off + 4 && at < end; at++) if ((b[at] & 1) === 1) return at + 1;
  return -1;
}

export const frameRelay = defineDissector({
  proto: 'fr',
  title: 'Frame Relay',
  short: 'FR',
  spec: 'ITU-T Q.922, RFC 2427',
  fields: F,
  on: { link: [107], 'gre.proto': [0x6559] },
  tables: ['ethertype.bare', 'ip.version', 'osi.nlpid'],

  peek(p: Peek) {
    const { buf, end } = p;
    const at = addressEnd(buf, p.off, end);
    if (at < 0 || at + 2 >= end) return p.stop();
    p.off = at + 2;
    if (buf[at] !== UNNUMBERED) {
      p.table = 'ethertype.bare';
      p.key = u16(buf, at);
    } else if (buf[at + 1] === IPV4 || buf[at + 1] === IPV6) {
      p.table = 'ip.version';
      p.key = buf[at + 1] === IPV4 ? 4 : 6;
    } else p.stop();
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.fr, off, Math.min(v.length, 4));
    need(v, 2);
    const at = addressEnd(buf, off, v.end);
    t.num(F.dlci, off, 2, ((buf[off] >> 2) << 4) | (buf[off + 1] >> 4));
    if (at < 0) return t.pop();
    need(v, 2, at);
    const numbered = u8(buf, at) !== UNNUMBERED;
    if (numbered) t.num(F.type, at, 2, u16(buf, at));
    else {
      t.num(F.control, at, 1, u8(buf, at));
      t.num(F.nlpid, at + 1, 1, u8(buf, at + 1));
    }
    t.pop();
    const body = v.sub(at + 2);
    const nlpid = u8(buf, at + 1);
    if (numbered) cx.next('ethertype.bare', u16(buf, at), body);
    else if (nlpid === IPV4 || nlpid === IPV6) cx.next('ip.version', nlpid === IPV4 ? 4 : 6, body);
    else if (cx.takes('osi.nlpid', nlpid)) cx.next('osi.nlpid', nlpid, v.sub(at + 1));
    else cx.data(body);
  },

  summary: () => 'Frame relay',
});
