import { defineDissector, experts, fields, ip4, need, u16, u32 } from 'fttscope/kit';

/**
 * SLARP, in which the ends of a Cisco HDLC link ask for addresses and tell each other that they live, RFC 1547 §4.3.1:
 *
 *     +----------+-------------------+-------------------+---------------------------+
 *     | Code (4) | address (4)       | mask (4)          | zero (2)                  |  request and reply
 *     | Code (4) | own sequence (4)  | your sequence (4) | reliability, all ones (2) |  keepalive
 *     +----------+-------------------+-------------------+---------------------------+
 */
const LENGTH = 14;
const REPLY = 1;
const KEEPALIVE = 2;
const RELIABLE = 0xffff;
const TYPES: Readonly<Record<number, string>> = { 0: 'Request', 1: 'Reply', 2: 'Line keepalive' };

const F = fields({
  slarp: { name: 'slarp', label: 'Cisco SLARP', type: 'protocol' },
  type: { name: 'slarp.ptype', label: 'Packet type', type: 'u32', values: TYPES },
  address: { name: 'slarp.address', label: 'Address', type: 'ipv4' },
  mask: { name: 'slarp.netmask', label: 'Netmask', type: 'ipv4' },
  mine: { name: 'slarp.mysequence', label: 'Outgoing sequence number', type: 'u32' },
  yours: { name: 'slarp.yoursequence', label: 'Returned sequence number', type: 'u32' },
  reliability: { name: 'slarp.reliability', label: 'Reliability', type: 'u16', base: 'hex' },
});

const E = experts({
  reliability: {
    code: 'slarp.bad-reliability',
    severity: 'error',
    malformed: true,
    message: 'Reliability must be 0xFFFF',
    clause: 'RFC 1547 §4.3.1',
  },
});

export const slarp = defineDissector({
  proto: 'slarp',
  title: 'Cisco SLARP',
  short: 'SLARP',
  spec: 'RFC 1547 §4.3.1',
  fields: F,
  experts: E,
  on: { 'chdlc.protocol': [0x8035] },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.slarp, off, Math.min(v.length, LENGTH));
    need(v, 4);
    const type = u32(buf, off);
    t.num(F.type, off, 4, type);
    if (type > KEEPALIVE) {
      t.pop();
      return cx.data(v.sub(off + 4));
    }
    need(v, 12);
    if (type <= REPLY) {
      t.bytes(F.address, off + 4, 4);
      t.bytes(F.mask, off + 8, 4);
      return t.pop();
    }
    t.num(F.mine, off + 4, 4, u32(buf, off + 4));
    t.num(F.yours, off + 8, 4, u32(buf, off + 8));
    need(v, LENGTH);
    t.num(F.reliability, off + 12, 2, u16(buf, off + 12));
    if (u16(buf, off + 12) !== RELIABLE) t.expert(E.reliability); // RFC 1547 §4.3.1
    t.pop();
  },

  summary({ buf, off, length }) {
    if (length < 12) return 'Cut short';
    const type = u32(buf, off);
    if (type <= REPLY) return `${TYPES[type]}, from ${ip4(buf, off + 4)}, mask ${ip4(buf, off + 8)}`;
    if (type > KEEPALIVE) return `Unknown packet type ${type}`;
    return `${TYPES[type]}, outgoing sequence ${u32(buf, off + 4)}, returned sequence ${u32(buf, off + 8)}`;
  },
});
