import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { http2 } from '../../../dissectors/http2.js';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';

const bytes = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
/** RFC 9113 §3.4. */
const PREFACE = bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

test('the preface of a client says what follows', () => {
  for (let n = 1; n < PREFACE.length; n++) assert.equal(http2.probe!(PREFACE, 0, n), Unsure, String(n));
  assert.equal(http2.probe!(PREFACE, 0, PREFACE.length), Yes);
  assert.equal(http2.pduLength!(PREFACE, 0, PREFACE.length), PREFACE.length);
  const get = bytes('GET / HTTP/1.1\r\n\r\n');
  assert.equal(http2.probe!(get, 0, get.length), No);
});

test('frames have 9 octets before their payload', () => {
  // RFC 9113 §4.1, §6.7: PING, 8 octets, ACK, stream 0
  const ping = Uint8Array.of(0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
  for (let n = 0; n < 9; n++) assert.equal(http2.pduLength!(ping, 0, n), 0);
  assert.equal(http2.pduLength!(ping, 0, 9), 17);
  const r = http2.codec!.parse(ping, 0, ping.length);
  assert.deepEqual(r, { type: 6, flags: 1, stream: 0, payload: ping.slice(9) });
});

test('what is emitted is parsed, and the other way round', () => {
  const frame = fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 80 }),
  });
  const preface = fc.constant({ type: -1, flags: 0, stream: 0, payload: new Uint8Array(0) });
  fc.assert(
    fc.property(fc.oneof(frame, preface), (r) => {
      const octets = encode(http2.codec!, r);
      const parsed = http2.codec!.parse(octets, 0, octets.length);
      assert.deepEqual({ ...parsed }, { ...r });
      assert.deepEqual(encode(http2.codec!, parsed), octets);
    }),
  );
});

test('on the ports of HTTP it is listed in it, as in tshark', { skip: tsharkMissing }, async () => {
  const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  for (const port of [80, 8080]) {
    const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', port)]);
    talk.say(0, PREFACE, settings);
    talk.say(1, settings);
    const stacks = await besideTshark(talk.packets, []);
    assert.deepEqual(stacks.slice(3), ['tcp:http:http2', 'tcp:http:http2', 'tcp:http:http2']);
  }
});
