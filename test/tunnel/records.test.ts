import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, put16, put24 } from 'fttscope/kit';
import { isClientHello, recordLength } from '../../src/tunnel/records.js';

/** A record with a ClientHello (RFC 8446 §4.1.2) of `n` octets in all, whose message is as long as the record lets it. */
function hello(n: number, { message = n - 9, session = 32 } = {}): Uint8Array {
  const b = new Uint8Array(n);
  b.set([22, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3]);
  put16(b, 3, n - 5);
  put24(b, 6, message);
  b[43] = session;
  return b;
}

test('a header of a record has a type, a version and a length that TLS knows', () => {
  const length = (...b: number[]): number => recordLength(Uint8Array.of(9, ...b), 1);
  for (const type of [20, 21, 22, 23, 24]) assert.equal(length(type, 3, 3, 0, 7), 12, String(type));
  for (const type of [19, 25]) assert.equal(length(type, 3, 3, 0, 7), -1, String(type));
  for (const minor of [0, 4]) assert.equal(length(23, 3, minor, 0, 7), 12, String(minor));
  assert.deepEqual([length(23, 3, 5, 0, 7), length(23, 2, 0, 0, 7)], [-1, -1]);
  // RFC 5246 §6.2.3: 2^14 + 2048
  assert.deepEqual([length(23, 3, 3, 0x48, 0), length(23, 3, 3, 0x48, 1)], [5 + 18_432, -1]);
});

test('a ClientHello fills its record, or goes on in the next', () => {
  const is = (b: Uint8Array, end = b.length): boolean => isClientHello(concat([Uint8Array.of(22), b]), 1, 1 + end);
  assert.ok(is(hello(200)));
  assert.ok(is(hello(200), 44), 'the rest of it has not come');
  assert.ok(!is(hello(200), 43));
  assert.ok(is(hello(200, { message: 500 })), 'it goes on');
  assert.ok(!is(hello(200, { message: 190 })), 'something follows it');
  assert.ok(!is(hello(200, { session: 33 })), 'an id of a session has 32 octets at most');
  assert.deepEqual([is(hello(50, { message: 41 })), is(hello(49, { message: 40 }))], [true, false]);
  assert.ok(is(hello(200, { message: 0xffff })));
  for (const [at, value] of [
    [0, 23],
    [1, 2],
    [5, 2],
    [9, 2],
    [10, 5],
    [6, 1],
  ] as const) {
    const b = hello(200);
    b[at] = value;
    assert.ok(!is(b), `octet ${at}`);
  }
});
