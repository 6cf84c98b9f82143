import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

const size = (s: string): number => octets(s).length;
const le = (n: number): string =>
  `${(n & 0xff).toString(16).padStart(2, '0')}${(n >> 8).toString(16).padStart(2, '0')}`;
const packet = (command: string, data: string) =>
  octets(`${command}00 ${le(size(data))} 02120001 00000000 0000000000000000 00000000 ${data}`);
/** The common packet format: an address, and what is sent to it. */
const unconnected = (message: string) =>
  packet('6f', `00000000 0000 0200 0000 0000 b200 ${le(size(message))} ${message}`);
const connected = (message: string) =>
  packet('70', `00000000 0000 0200 a100 0400 01000200 b100 ${le(2 + size(message))} 0100 ${message}`);

describe('EtherNet/IP, as tshark', { skip: tsharkMissing }, () => {
  test('what its messages are for', async () => {
    const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 44_818)]);
    talk.say(0, packet('65', '01000000'));
    talk.say(1, packet('65', '01000000'));
    // Get Attribute List of a clock; Forward Close of the Connection Manager; a command for a processor, in PCCC.
    const requests = [
      connected('03 02 208b 2401 0100 0500'),
      unconnected('4e 02 2006 2401 05 99 0100 0200 03000000 01 00 0100'),
      unconnected('4b 02 2067 2401 07 0200 03000000 06 00 0100 03'),
    ];
    const answers = [
      connected('83 00 00 00 0100 0500 0000 00000000'),
      unconnected('ce 00 00 00 0100 0200 03000000 00 00'),
      unconnected('cb 00 00 00 07 0200 03000000 46 00 0100'),
    ];
    for (const [i, request] of requests.entries()) {
      talk.say(0, request);
      talk.say(1, answers[i]!);
    }
    const stacks = await besideTshark(talk.packets, []);
    assert.deepEqual(stacks.slice(3), [
      ...Array(2).fill('tcp:enip'),
      ...Array(2).fill('tcp:enip:cip'),
      ...Array(2).fill('tcp:enip:cip:cipcm'),
      ...Array(2).fill('tcp:enip:cip:cippccc'),
    ]);
  });
});
