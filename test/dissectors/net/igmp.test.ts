import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encode } from 'fttscope/kit';
import { igmpMessage } from '../../../dissectors/igmp.js';
import { file, ip4, rawPcap } from '../../cli/run.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from '../bodies/wire.js';

const octets = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
const message = (type: number, code: number, body: string): Buffer =>
  Buffer.from(encode(igmpMessage.codec!, { type, code, body: octets(body) }));

const GROUP = 'e00000fb';
const MESSAGES = [
  message(0x11, 0, '00000000'),
  message(0x11, 100, GROUP),
  message(0x11, 100, '00000000 02 7d 0000'),
  message(0x11, 0x9f, `${GROUP} 0a 8a 0002 ef010201 ef010202`),
  message(0x12, 0, GROUP),
  message(0x16, 0, GROUP),
  message(0x17, 0, GROUP),
  message(0x22, 0, `0000 0000`),
  message(0x22, 0, `0000 0002 04 00 0000 ${GROUP} 06 01 0001 ef010203 0a000001 aabbccdd`),
  octets(`1600 0000 ${GROUP}`), // a wrong checksum
  message(0x30, 0, GROUP),
  message(0x22, 0, `0000 0002 04 00 0000 ${GROUP} 06 00 0002 ef010203 0a000001`), // a source too few
  message(0x16, 0, GROUP).subarray(0, 6),
];
const capture = (): string => file('igmp.pcap', rawPcap(...MESSAGES.map((m) => ip4(2, m))));

describe('IGMP', () => {
  test('every field is as in tshark', { skip: tsharkMissing }, async () => {
    const names = (await fieldNames(['igmp'])).filter((n) => n !== 'igmp');
    assert.deepEqual(await differences(capture(), [...names, 'frame.protocols']), []);
  });

  test('Info names the group', async () => {
    const infos = (await ours(capture())).map((s) => s.info);
    assert.equal(infos[0], 'Membership Query for all groups');
    assert.equal(infos[5], 'Membership Report 224.0.0.251');
    assert.equal(infos[8], 'Membership Report, 2 groups');
  });

  test('the codec writes what it reads', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0x11, 0x16, 0x22),
        fc.nat(255),
        fc.uint8Array({ maxLength: 40 }),
        (type, code, body) => {
          const b = encode(igmpMessage.codec!, { type, code, body });
          assert.deepEqual(igmpMessage.codec!.parse(b, 0, b.length), { type, code, body });
        },
      ),
    );
  });
});
