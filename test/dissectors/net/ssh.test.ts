import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets, see } from './layers.js';

/** A string of SSH, RFC 4251 §5, of so many octets or with that text. */
const string = (what: string | number): string => {
  const b = typeof what === 'number' ? Buffer.alloc(what, 7) : Buffer.from(what);
  return b.length.toString(16).padStart(8, '0') + b.toString('hex');
};

/** A packet with a message and eight octets of padding. */
const packet = (body: string): string =>
  `${(body.length / 2 + 9).toString(16).padStart(8, '0')}08${body}${'00'.repeat(8)}`;

/** A reply that ends a key exchange, with a signature of a kind. */
const reply = (kind: string): string => {
  const signature = string(kind) + string(64);
  const length = (signature.length / 2).toString(16).padStart(8, '0');
  return packet(`1f${string(51)}${string(32)}${length}${signature}`);
};

test('a signature that is not read further is noted as Wireshark 4.0 notes it', () => {
  const newKeys = packet('15');
  const { experts, protocols } = see('tcp.port', 22, octets(reply('ssh-ed25519') + newKeys));
  assert.deepEqual(protocols, ['ssh']);
  assert.deepEqual(experts, ['Decoded 19 bytes, but packet legnth is 83 bytes']);
  assert.deepEqual(see('tcp.port', 22, octets(reply('ssh-rsa'))).experts, []);
  assert.deepEqual(see('tcp.port', 22, octets(newKeys + reply('ssh-ed25519'))).experts, []);
});

test('what ends early, or is no packet, is nothing but SSH', () => {
  const b = octets(reply('ssh-ed25519'));
  for (let n = 1; n < b.length; n++) assert.deepEqual(see('tcp.port', 22, b.subarray(0, n)).experts, []);
});

test('packets in the clear are put together, and those behind the new keys are not', {
  skip: tsharkMissing,
}, async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 22)]);
  const init = octets(packet(`14${'00'.repeat(200)}`));
  const keys = octets(packet('15'));
  talk.say(0, 'SSH-2.0-client\r\n');
  talk.say(1, 'SSH-2.0-server\r\n');
  talk.say(0, init.subarray(0, 40), init.subarray(40, 90), init.subarray(90));
  talk.say(1, Buffer.concat([init, init.subarray(0, 20)]), init.subarray(20));
  talk.say(0, Buffer.concat([init, keys, octets('00000040 a5a5a5a5')]));
  talk.say(0, octets('00000040 c3c3c3c3'), octets('5a'.repeat(60)));
  const stacks = await besideTshark(talk.packets, ['tcp.reassembled.length', 'tcp.segment.count']);
  const ssh = 'tcp:ssh';
  assert.deepEqual(stacks.slice(3), [ssh, ssh, ssh, 'tcp', ssh, ssh, ssh, ssh, ssh, ssh]);
});
