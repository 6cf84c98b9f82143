import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besideTshark, ETHERNET } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* What routers and bridges tell each other of groups, as tshark 4.0.17 has it. */

const FIELDS = ['ip.src', 'ip.proto', 'ipv6.src', 'udp.stream', 'udp.dstport', 'data.len'];
const skip = tsharkMissing;
const size = (hex: string, more: number): string => (octets(hex).length + more).toString(16).padStart(4, '0');
/** A packet between two routers, and one of a source to its group. */
const ip = (protocol: string, body: string, to = '0a000001'): string =>
  `4500 ${size(body, 20)} 0001 0000 40 ${protocol} 0000 0a000002 ${to} ${body}`;
const ip6 = (next: string, body: string): string =>
  `60000000 ${size(body, 0)} ${next} 40 ${'20010db8'.padEnd(31, '0')}1 ${'ff0e'.padEnd(31, '0')}1 ${body}`;
const udp = (body: string): string => `4a38 4a39 ${size(body, 8)} 0000 ${body}`;

test('packets of sources in registers of PIM', { skip }, async () => {
  const register = (flags: string, inside: string) => octets(ip('67', `2100 0000 ${flags} ${inside}`));
  const stacks = await besideTshark(
    [
      register('00000000', ip('11', udp('0102'), 'e1000001')),
      register('00000000', ip6('11', udp('0102'))),
      register('40000000', ip('67', '', 'e1000001')),
      octets(ip('67', '2000 dfff 0001 0002 0069', 'e000000d')),
      register('00000000', ip('11', udp('0304'), 'e1000001')),
    ],
    FIELDS,
  );
  assert.deepEqual(stacks, ['pim:ip:udp:data', 'pim:ipv6:udp:data', 'pim:ip', 'pim', 'pim:ip:udp:data']);
});

test('other protocols in the types of IGMP', { skip }, async () => {
  const message = (type: string, to = 'e0000019') => octets(ip('02', `${type} 00 0000 00000000`, to));
  const stacks = await besideTshark([message('ff'), message('fc'), message('13', 'e0000004')], FIELDS);
  assert.deepEqual(stacks, ['igmp:rgmp', 'igmp:rgmp', 'igmp:dvmrp']);
});

test('what bridges register by GARP', { skip }, async () => {
  const frame = (last: string, body: string) =>
    octets(`0180c20000${last} 0200c169fc0e 0026 424203 ${body} ${'00'.repeat(20)}`);
  await besideTshark(
    [
      frame('21', '0001 01 02 00 00 00'),
      frame('20', '0001 01 02 00 00 00'),
      frame('00', `0000 00 00 00 ${'00'.repeat(30)}`),
    ],
    FIELDS,
    ETHERNET,
  );
});
