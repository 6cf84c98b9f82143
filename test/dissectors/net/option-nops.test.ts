import { test } from 'node:test';
import { ip4 } from '../../cli/run.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/** A segment with `options`, filled up with NOPs. */
function segment(options: string): Uint8Array {
  const list = octets(options);
  const words = Math.ceil(list.length / 4);
  const head = octets('03e8 07d0 00000001 00000001 0010 2000 0000 0000');
  head[12] = (5 + words) << 4;
  return ip4(6, Buffer.concat([head, list, Buffer.alloc(words * 4 - list.length, 1)]));
}

const TIMES = '080a 00000001 00000002';
const DSS = '1e08 2001 0000000a'; // RFC 8684 §3.3
const PERMITTED = '0402';

test('NOPs in a row among the options of TCP are those that tshark counts', { skip: tsharkMissing }, async () => {
  const lists = ['01010101', `0101${TIMES}0101`, `0101${DSS}0101`, `010101${DSS}01`, `${DSS}01010101`];
  lists.push(`0101${PERMITTED}0101`, `01${DSS}01${DSS}0101`, '01010101 01010101');
  await besideTshark(lists.map(segment), ['tcp.option_kind', 'tcp.options']);
  // Each in a file of its own: no segment is sent again.
  for (const list of lists) await besideTshark([segment(list)], ['_ws.expert.message']);
});

test('and those of IPv4', { skip: tsharkMissing }, async () => {
  const packet = (options: string): Uint8Array => {
    const list = octets(options);
    const b = Buffer.concat([octets('45000000 00000000 40fd 0000 c0000201 c0000202'), list, octets('61626364')]);
    b[0] += list.length / 4;
    b.writeUInt16BE(b.length, 2);
    return b;
  };
  const alert = '94040000';
  await besideTshark(
    ['01010101', `0101 ${alert} 0101`, `0101 ${alert} 01010101 0101`, `010101 ${alert} 01`, `${alert} 01010101`].map(
      packet,
    ),
    ['ip.opt.type', '_ws.expert.message'],
  );
});
