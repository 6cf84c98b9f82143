import { defineDissector, experts, fields, nameOf, need, u8, u16 } from 'fttscope/kit';

/**
 * Example Protocol, RFC 0000 §1 (copy this file; README.md says what else there is to do):
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+---------------+
 *     |     Type      |     Flags     |            Length             |
 *     +---------------+---------------+---------------+---------------+
 *     |  Payload …
 */
const HEADER = 4;
const TYPES = { 1: 'Request', 2: 'Reply' };

const F = fields({
  example: { name: 'example', label: 'Example Protocol', type: 'protocol' },
  type: { name: 'example.type', label: 'Type', type: 'u8', values: TYPES },
  flags: { name: 'example.flags', label: 'Flags', type: 'u8', base: 'hex' },
  urgent: { name: 'example.flags.urgent', label: 'Urgent', type: 'bool', mask: 0x80 },
  length: { name: 'example.length', label: 'Length', type: 'u16', unit: 'octets' },
});

const E = experts({
  badLength: {
    code: 'example.bad-length',
    severity: 'error',
    message: 'Length below the header',
    clause: 'RFC 0000 §1',
  },
});

export const example = defineDissector({
  proto: 'example',
  title: 'Example Protocol',
  short: 'EXAMPLE',
  spec: 'RFC 0000',
  fields: F,
  experts: E,
  on: { 'udp.port': [9] },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.example, off, v.length);
    need(v, HEADER);
    const length = u16(buf, off + 2);
    t.num(F.type, off, 1, u8(buf, off));
    t.num(F.flags, off + 1, 1, u8(buf, off + 1));
    t.push();
    t.bits(F.urgent, off + 1, 1, u8(buf, off + 1));
    t.pop();
    t.num(F.length, off + 2, 2, length);
    if (length < HEADER) t.expert(E.badLength); // RFC 0000 §1
    t.pop();
    cx.data(v.sub(off + HEADER, off + Math.max(HEADER, length)));
  },

  summary: (v) => (v.length < HEADER ? 'Cut short' : nameOf(TYPES, u8(v.buf, v.off))),
});
