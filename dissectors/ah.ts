import { defineDissector, experts, fields, hexNumber, need, type Peek, put16, put32, u8, u32 } from 'fttscope/kit';
import { IP_PROTOCOLS } from './numbers.js';

/**
 * IP Authentication Header, RFC 4302 §2:
 *
 *     +---------------+---------------+-------------------------------+
 *     |  Next Header  |  Payload Len  |           Reserved            |
 *     +---------------+---------------+-------------------------------+
 *     |                 Security Parameters Index (SPI)               |
 *     +---------------------------------------------------------------+
 *     |                    Sequence Number Field                      |
 *     +---------------------------------------------------------------+
 *     |                Integrity Check Value (variable)               |
 */
const FIXED = 12;

const F = fields({
  ah: { name: 'ah', label: 'Authentication Header', type: 'protocol' },
  next: { name: 'ah.next_header', label: 'Next header', type: 'u8', values: IP_PROTOCOLS },
  length: { name: 'ah.length', label: 'Length', type: 'u8' },
  reserved: { name: 'ah.reserved', label: 'Reserved', type: 'bytes' },
  spi: { name: 'ah.spi', label: 'AH SPI', type: 'u32', base: 'hex' },
  sequence: { name: 'ah.sequence', label: 'AH Sequence', type: 'u32' },
  icv: { name: 'ah.icv', label: 'AH ICV', type: 'bytes' },
});

const E = experts({
  badLength: {
    code: 'ah.bad-length',
    severity: 'warn',
    message: 'Length is that of no whole header',
    clause: 'RFC 4302 §2.2',
  },
});

/** A header and what it protects. The check value fills whole words. */
export interface AuthenticationHeader {
  next: number;
  spi: number;
  sequence: number;
  icv: Uint8Array;
  payload: Uint8Array;
}

/** Octets of the header: the length field counts words, less two. RFC 4302 §2.2. */
const headerLength = (b: Uint8Array, o: number) => 4 * (b[o + 1] + 2);

export const ah = defineDissector<AuthenticationHeader>({
  proto: 'ah',
  title: 'Authentication Header',
  short: 'AH',
  spec: 'RFC 4302',
  fields: F,
  experts: E,
  on: { 'ip.proto': [51] },
  tables: ['ip.proto'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < FIXED) return p.stop();
    const n = headerLength(buf, off);
    if (off + n > p.end) return p.stop();
    p.key = buf[off];
    p.off = off + n;
    p.table = 'ip.proto';
  },

  dissect(v, t, cx) {
    need(v, FIXED);
    const { buf, off } = v;
    const n = headerLength(buf, off);
    t.open(F.ah, off, n);
    t.num(F.next, off, 1, u8(buf, off));
    t.num(F.length, off + 1, 1, u8(buf, off + 1));
    if (t.labels) t.label(`Length: ${u8(buf, off + 1)} (${n} octets)`);
    t.bytes(F.reserved, off + 2, 2);
    t.num(F.spi, off + 4, 4, u32(buf, off + 4));
    t.num(F.sequence, off + 8, 4, u32(buf, off + 8));
    if (n < FIXED) t.expert(E.badLength);
    need(v, n);
    if (n > FIXED) t.bytes(F.icv, off + FIXED, n - FIXED);
    t.pop();
    cx.next('ip.proto', u8(buf, off), v.sub(off + n));
  },

  summary(v) {
    return v.length < FIXED ? 'Header cut short' : `AH (SPI=${hexNumber(u32(v.buf, v.off + 4), 8)})`;
  },

  codec: {
    parse(b, o, end) {
      const n = Math.max(FIXED, headerLength(b, o));
      return {
        next: u8(b, o),
        spi: u32(b, o + 4),
        sequence: u32(b, o + 8),
        icv: b.slice(o + FIXED, o + n),
        payload: b.slice(o + n, end),
      };
    },
    size: (r) => FIXED + r.icv.length + r.payload.length,
    emit(r, b, o) {
      b[o] = r.next;
      b[o + 1] = (FIXED + r.icv.length) / 4 - 2;
      put16(b, o + 2, 0);
      put32(b, o + 4, r.spi);
      put32(b, o + 8, r.sequence);
      b.set(r.icv, o + FIXED);
      b.set(r.payload, o + FIXED + r.icv.length);
      return FIXED + r.icv.length + r.payload.length;
    },
  },
});
