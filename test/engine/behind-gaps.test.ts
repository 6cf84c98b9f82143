import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldText } from '../../src/report/value.js';
import { at } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { forRows } from '../support/rows.js';
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

test('a length that has a segment of its own is one behind a hole, too', async () => {
  const query = (id: number): Buffer => Buffer.from(`00${id}0100000100000000000001610000010001`, 'hex');
  const length = Uint8Array.of(0, query(90).length);
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 53)]);
  talk.say(0, length, query(90));
  talk.skip(0, 21);
  for (const id of [91, 92, 93]) talk.say(0, length, query(id));
  const ids: string[] = [];
  await forRows(file('lengths.pcap', rawPcap(...talk.packets)), {}, ({ dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++) if (tree.field(i).name === 'dns.id') ids.push(fieldText(tree, i));
  });
  assert.deepEqual(ids, ['0x0090', '0x0091', '0x0092', '0x0093']);
});

test('a message in parts behind a hole is not lost', async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
  talk.say(0, 'GET / HTTP/1.1\r\n\r\n');
  talk.say(1, 'HTTP/1.1 204 No Content\r\n\r\n');
  talk.skip(0, 100);
  talk.skip(1, 100); // a request and its answer were not captured
  talk.say(1, 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabcd', '\0\x01', '\x02\x03');
  talk.say(0, 'GET /next HTTP/1.1\r\n\r\n');
  talk.say(1, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  const codes: string[] = [];
  await forRows(file('parts.pcap', rawPcap(...talk.packets)), {}, ({ dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++)
      if (tree.field(i).name === 'http.response.code') codes.push(fieldText(tree, i));
  });
  assert.deepEqual(codes.sort(), ['200', '204', '404']);
});

test('what comes behind a hole at the start of the answer to a ClientHello is TLS', {
  skip: tsharkMissing,
}, async () => {
  const hello = `\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x03${'r'.repeat(32)}\0\0\x02\x13\x01\x01\0`;
  const record = Buffer.from(`1703030010${'5a'.repeat(16)}`, 'hex');
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 443)]);
  talk.say(0, hello);
  talk.skip(1, 100);
  talk.say(1, Buffer.alloc(200, 0x8a), Buffer.alloc(200, 0), record);
  const stacks = await besideTshark(talk.packets, ['tls.record.content_type', 'tls.record.length']);
  assert.deepEqual(stacks.slice(3), ['tcp:tls', 'tcp:tls', 'tcp:tls', 'tcp:tls']);
});
