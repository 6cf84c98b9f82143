import { test } from 'node:test';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Extension headers of IPv6 whose options and addresses do not fit into them, as tshark 4.0.17 has them. */

const FIELDS = ['ipv6.opt.type', 'ipv6.opt.length', '_ws.expert.message', 'data.len'];
const UNASSIGNED = 253; // RFC 3692: for experiments

/** A packet of IPv6 with an extension header of `kind` before octets of no known protocol. */
function packet(kind: number, header: string, rest: string): Uint8Array {
  const body = octets(header + rest);
  const fixed = Buffer.alloc(40);
  fixed[0] = 0x60;
  fixed.writeUInt16BE(body.length, 4);
  fixed[6] = kind;
  fixed[7] = 64;
  fixed[8] = fixed[24] = 0x20;
  fixed[39] = 1;
  return Buffer.concat([fixed, body]);
}

const FD = UNASSIGNED.toString(16);

test('options that go on behind their header, and those of unknown types', { skip: tsharkMissing }, () =>
  besideTshark(
    [
      packet(0, `${FD}00 2a 04 01020304`, '0a0b0c0d'),
      packet(0, `${FD}00 2a 08 01020304`, '0a0b0c0d 0e0f'),
      packet(60, `${FD}00 2a 40 01020304`, '0a0b0c0d'),
      packet(0, `${FD}00 8b 04 01020304`, '0a0b'),
      packet(0, `${FD}00 05 03 000001 00`, '0a0b'),
      packet(0, `${FD}00 05 40 000001 00`, '0a0b'),
      packet(0, `${FD}00 01 03 000000 2a`, ''),
      packet(0, `${FD}00 00 00 00 00 00 00`, '0a0b'),
      packet(60, `${FD}00 00 01 00 00 01 01`, '0a0b'),
    ],
    FIELDS,
  ).then(() => undefined),
);

test('segments of a routing header that are more than it holds', { skip: tsharkMissing }, () => {
  const address = `2001 0db8 ${'00'.repeat(11)} 01`;
  return besideTshark(
    [0, 1, 7].map((last) => packet(43, `${FD} 02 04 00 0${last} 00 0000 ${address}`, 'c0ffee')),
    [...FIELDS, 'ipv6.routing.srh.addr'],
  ).then(() => undefined);
});
