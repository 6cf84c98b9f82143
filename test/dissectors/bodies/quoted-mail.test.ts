import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/** An error of ICMP, RFC 792, that quotes a packet. */
function quoting(packet: Uint8Array): Uint8Array {
  const n = (packet.length + 28).toString(16).padStart(4, '0');
  return Buffer.concat([octets(`4500 ${n} 0001 0000 40 01 0000 cb007101 c0000201 03 04 0000 000005a0`), packet]);
}

test('a segment of a mail that an error quotes is a mail, and an answer is none', { skip: tsharkMissing }, async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 25)]);
  talk.say(1, '220 mx.example\r\n');
  talk.say(0, 'DATA\r\n');
  talk.say(1, '354 go on\r\n');
  talk.say(0, 'From: ann@a.example\r\nSubject: hello\r\n\r\nbody\r\n');
  talk.packets.push(quoting(talk.packets.at(-1)!), quoting(talk.packets.at(-2)!));
  const stacks = await besideTshark(talk.packets, ['smtp.req.command', 'smtp.response.code']);
  const quoted = 'icmp:ip:tcp:smtp';
  assert.deepEqual(stacks.slice(-2), [`${quoted}:data-text-lines`, quoted]);
});
