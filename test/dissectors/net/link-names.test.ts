import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { network } from '../../../dissectors/well-known/network.js';
import { besideTshark, ETHERNET } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

const STATIONS = '020000000001 020000000002';
const hex = (n: number): string => n.toString(16).padStart(4, '0');
const frame = (type: number, payload: string) => octets(`${STATIONS} ${hex(type)} ${payload}`);
/** A frame of IEEE 802.3, whose length field counts its payload. */
const counted = (payload: string) => frame(octets(payload).length, payload);

describe('protocols of the link that are only named, as tshark', { skip: tsharkMissing }, () => {
  test('by their EtherType, where nothing stands in them', async () => {
    const named = 'goose msnlb ans lltd homeplug homeplug-av lat ieee1905 mrp-mvrp mrp-mmrp'.split(' ');
    const types = named.map((proto) => {
      const d = network.find((n) => n.proto === proto);
      const keys = d?.on?.ethertype ?? [];
      return Number(keys[0]);
    });
    const stacks = await besideTshark(
      types.map((type) => frame(type, '00'.repeat(46))),
      ['eth.type'],
      ETHERNET,
    );
    assert.deepEqual(stacks, named);
  });

  test('a type of zero is no length', async () => {
    const stacks = await besideTshark([frame(0, '00'.repeat(46))], ['eth.type', 'eth.len', 'data.len'], ETHERNET);
    assert.deepEqual(stacks, ['data']);
  });

  test('PROFINET by the identifier of its frames', async () => {
    const stacks = await besideTshark(
      [
        frame(0x8892, `fefe 05 00 00000001 0080 0004 ffff 0000 ${'00'.repeat(30)}`),
        frame(0x8892, `ff40 ${'00'.repeat(44)}`),
        frame(0x8892, `c000 ${'80'.repeat(40)} 0001 35 00`),
      ],
      [],
      ETHERNET,
    );
    assert.deepEqual(stacks, ['pn_rt:pn_dcp', 'pn_rt:pn_ptcp', 'pn_rt:pn_io']);
  });

  test('behind LLC, and Novell’s frames that have none', async () => {
    const name = (type: string) =>
      `aa aa 03 080007 809b 0017 0000 00000000 160809 02 ${type} 2114 1608 01 fc 00 01 61 01 62 01 63`;
    const stacks = await besideTshark(
      [
        counted(`f0 f0 03 2c00 ffef 08 00 0000 00000000 ${'20'.repeat(32)}`),
        counted('f0 f0 7f'),
        counted('f0 f0 0101'),
        counted(`aa aa 03 000081 01a2 c0000201 000101 0a 02 01`),
        counted(`ffff 0022 00 11 00000000 ffffffffffff 0457 00000000 020000000001 4001 01020304`),
        counted(name('09')),
        counted(name('02')),
      ],
      ['llc.dsap'],
      ETHERNET,
    );
    assert.deepEqual(
      stacks.map((s) => s.split(':')[0]),
      ['netbios', '', '', 'ndp', '', 'ddp', 'ddp'],
    );
  });
});
