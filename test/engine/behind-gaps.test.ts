import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../build/packets.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

test('behind octets that are missing whole messages are read again, as in tshark', {
  skip: tsharkMissing,
}, async () => {
  for (const [port, proto, ...said] of [
    [25, 'smtp', '220 ready\r\n', 'EHLO x\r\n', '250 OK\r\n', 'NOOP\r\n', '250 OK\r\n'],
    [110, 'pop', '+OK ready\r\n', 'USER x\r\n', '+OK\r\n', 'NOOP\r\n', '+OK\r\n'],
    [1883, 'mqtt', ' \x02\0\0', '\xc0\0', '\xd0\0', '\xc0\0', '\xd0\0'],
  ] as const) {
    const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', port)]);
    for (const [i, message] of said.entries()) {
      talk.say(i % 2 === 0 ? 1 : 0, Buffer.from(message, 'latin1'));
      if (i > 0) talk.skip(i % 2 === 0 ? 1 : 0, 3);
    }
    const stacks = await besideTshark(talk.packets, []);
    assert.deepEqual(
      stacks.slice(3),
      said.map(() => `tcp:${proto}`),
    );
  }
});
