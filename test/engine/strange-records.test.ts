import { test } from 'node:test';
import { at } from '../build/packets.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/* Octets of TLS behind a hole that begin no record, as tshark 4.0.17 has them. */

const HELLO = octets(`16 0301 002f 01 00002b 0303 ${'ab'.repeat(32)} 00 0002 c02b 01 00 0000`);
const ANSWER = octets(`16 0303 002a 02 000026 0303 ${'cd'.repeat(32)} 00 c02b 00`);

/** What the server sends behind a hole of so many octets, once a ServerHello came or not. */
const behind = (answered: boolean, ...segments: readonly Uint8Array[]): readonly Uint8Array[] => {
  const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 443)]);
  talk.say(0, HELLO);
  if (answered) talk.say(1, ANSWER);
  talk.skip(1, 3000);
  talk.say(1, ...segments);
  return talk.packets;
};

test('they are ignored aloud once the version is known, unless they are text', { skip: tsharkMissing }, async () => {
  const cipher = Buffer.alloc(500, 0xc5);
  const text = Buffer.alloc(500, 'text');
  const record = Buffer.concat([octets('17 0303 0010'), Buffer.alloc(16, 0xc5)]);
  for (const segment of [cipher, text, record, Buffer.concat([octets('16 f5dd 16c4'), cipher])])
    await besideTshark(behind(true, segment), ['_ws.expert.message', 'tls.record.length', 'data.len']);
  await besideTshark(behind(false, cipher), ['_ws.expert.message', 'data.len']);
});
