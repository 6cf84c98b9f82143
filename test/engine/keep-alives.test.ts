import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../build/packets.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * TCP keep-alives with an octet (RFC 9293 §3.8.4), as tshark 4.0.17 has them.
 */

const ZERO = new Uint8Array(1);
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** What is shown of keep-alives of both sides after `said`, on a port. */
async function shown(port: number, ...said: readonly string[][]): Promise<string[]> {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', port)]);
  for (const [i, segments] of said.entries()) talk.say((i & 1) as 0 | 1, ...segments);
  for (const side of [0, 1] as const) for (let k = 0; k < 2; k++) talk.again(side, 1, ZERO);
  const stacks = await besideTshark(talk.packets, ['data.len', '_ws.expert.message', '_ws.malformed']);
  return stacks.slice(-4);
}

test('the octet of a keep-alive is shown where no message waits for it', { skip: tsharkMissing }, async () => {
  assert.deepEqual(await shown(80, [GET], [NO_CONTENT]), ['tcp:data', 'tcp:data', 'tcp:data', 'tcp:data']);
  assert.deepEqual(await shown(12_345, ['\x01\x02'], ['\x03']), ['tcp:data', 'tcp:data', 'tcp:data', 'tcp:data']);
  // the rest of the answer may still come; the request came in two parts
  const long = ['HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n', '0'.repeat(40)];
  assert.deepEqual(await shown(80, [GET], long), ['tcp:data', 'tcp:data', 'tcp', 'tcp']);
  assert.deepEqual(await shown(80, [GET.slice(0, 9), GET.slice(9)], [NO_CONTENT]), [
    'tcp',
    'tcp',
    'tcp:data',
    'tcp:data',
  ]);
  // octets on the port of HTTP that are none wait for the end of a line
  assert.deepEqual(await shown(80, ['NOSA\0`'], ['NOSA\0`']), ['tcp', 'tcp', 'tcp', 'tcp']);
});

test('NetBIOS does not take it for the start of a message', { skip: tsharkMissing }, async () => {
  const keepAlive = '\x85\0\0\0'; // RFC 1002 §4.3.7
  assert.deepEqual(await shown(139, [keepAlive], [keepAlive]), ['tcp:data', 'tcp:data', 'tcp:data', 'tcp:data']);
});
