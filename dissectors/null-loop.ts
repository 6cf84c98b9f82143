import { defineDissector, fields, nameOf, need, type Peek, u32, u32le, type View } from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * BSD loopback, LINKTYPE_NULL and LINKTYPE_LOOP (www.tcpdump.org/linktypes.html): four octets hold the address family,
 * in the byte order of the capturing machine (NULL) or in network order (LOOP). Small numbers tell the orders apart.
 *
 *     +------------+----------- - -
 *     | Family (4) |  packet …
 *     +------------+----------- - -
 */
const HEADER = 4;
const MAX_FAMILY = 1500;
const FAMILIES: Readonly<Record<number, string>> = {
  2: 'IP',
  7: 'OSI',
  10: 'IPv6',
  16: 'Appletalk',
  23: 'Netware IPX/SPX',
  24: 'IPv6',
  28: 'IPv6',
  30: 'IPv6',
};

const F = fields({
  null: { name: 'null', label: 'Null/Loopback', type: 'protocol' },
  family: { name: 'null.family', label: 'Family', type: 'u32', values: FAMILIES },
  type: { name: 'null.type', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
});

/** The family, whichever byte order it was written in; also one of 16 bits in either half of the header. */
function family(b: Uint8Array, o: number): number {
  const n = u32(b, o);
  if (n <= 0xffff) return n;
  if (u32le(b, o) <= 0xffff) return u32le(b, o);
  return (n & 0xffff) === 0 ? n >>> 16 : n & 0xffff;
}

/** IP version that the family or EtherType means, or 0. */
function ipVersion(n: number): 0 | 4 | 6 {
  if (n === 2 || n === 0x0800) return 4;
  return n === 24 || n === 28 || n === 30 || n === 10 || n === 0x86dd ? 6 : 0;
}

const summary = (v: View) =>
  v.length < HEADER ? 'Header cut short' : `Family ${nameOf(FAMILIES, family(v.buf, v.off))}`;

export const nullLoop = defineDissector({
  proto: 'null',
  title: 'Null/Loopback',
  short: 'NULL',
  spec: 'LINKTYPE_NULL, LINKTYPE_LOOP',
  fields: F,
  on: { link: [0, 108] },
  tables: ['ip.version', 'ethertype'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    const n = family(p.buf, p.off);
    const version = ipVersion(n);
    p.off += HEADER;
    p.key = version === 0 ? n : version;
    p.table = version !== 0 ? 'ip.version' : n > MAX_FAMILY ? 'ethertype' : '';
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const n = family(v.buf, v.off);
    const version = ipVersion(n);
    t.open(F.null, v.off, HEADER);
    if (n > MAX_FAMILY && n <= 0xffff) t.num(F.type, v.off, HEADER, n);
    else t.num(F.family, v.off, HEADER, n);
    t.pop();
    const payload = v.sub(v.off + HEADER);
    if (version !== 0) cx.next('ip.version', version, payload);
    else if (n > MAX_FAMILY && n <= 0xffff) cx.next('ethertype', n, payload);
    else cx.data(payload);
  },

  summary,
});
