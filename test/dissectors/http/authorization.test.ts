import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Tokens of security mechanisms in the fields of HTTP, RFC 4559, as tshark 4.0.17 has them. */

const base64 = (hex: string): string => Buffer.from(octets(hex)).toString('base64');
const ntlm = base64(`4e544c4d53535000 01000000 07820800 ${'00'.repeat(16)}`);
/** NegTokenInit with the mechanism NTLM and no token. RFC 4178 §4.2.1 */
const init = base64('601c 06062b0601050502 a012 3010 a00e 300c 060a2b06010401823702020a');

test('proofs of NTLM and of SPNEGO', { skip: tsharkMissing }, async () => {
  const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 80)]);
  talk.say(0, `GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: NTLM ${ntlm}\r\n\r\n`);
  talk.say(1, 'HTTP/1.1 401 no\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n');
  talk.say(0, `GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Negotiate ${init}\r\n\r\n`);
  talk.say(
    1,
    `HTTP/1.1 407 no\r\nProxy-Authenticate: NTLM ${ntlm}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno`,
  );
  talk.say(0, 'GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic YTpi\r\n\r\n');
  const stacks = await besideTshark(talk.packets, ['http.authorization', 'http.www_authenticate']);
  const http = 'tcp:http';
  const stated = [`${http}:ntlmssp`, http, `${http}:gss-api:spnego`, `${http}:ntlmssp:data-text-lines`, http];
  assert.deepEqual(stacks.slice(3), stated);
});
