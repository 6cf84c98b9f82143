import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText, find, fromHex, lineAt, padded, sameBytes, skip } from '../../src/kit/index.js';

const octets = (s: string): Uint8Array => new TextEncoder().encode(s);

/** The lines of a text between bars, and how many octets stand between one and the next. */
function linesOf(s: string): [string, number][] {
  const b = octets(s);
  const out: [string, number][] = [];
  for (let at = 0; at < b.length; ) {
    const { off, end, next } = lineAt(b, at, b.length);
    assert.equal(off, at);
    out.push([s.slice(off, end), next - end]);
    at = next;
  }
  return out;
}

test('CRLF and LF end a line, a CR alone does not, and the last line needs no end', () => {
  assert.deepEqual(linesOf('a\r\nb\n\r\n\nc\rd\r\r\ne'), [
    ['a', 2],
    ['b', 1],
    ['', 2],
    ['', 1],
    ['c\rd\r', 2],
    ['e', 0],
  ]);
  assert.deepEqual(linesOf('cut before its LF\r'), [['cut before its LF', 1]]);
  assert.deepEqual(lineAt(octets('ab'), 2, 2), { off: 2, end: 2, next: 2 });
});

test('what is looked for within a range is not found behind it', () => {
  const b = octets('  a b');
  assert.equal(find(b, 0x62, 0, 5), 4);
  assert.equal(find(b, 0x62, 0, 4), 4);
  assert.equal(find(b, 0x61, 3, 4), 4);
  assert.equal(skip(b, 32, 0, 5), 2);
  assert.equal(skip(b, 32, 0, 1), 1);
  assert.equal(skip(b, 32, 2, 5), 2);
});

test('hexadecimal digits are octets, and octets an address', () => {
  assert.deepEqual(fromHex('00ff7F'), Uint8Array.of(0, 255, 127));
  assert.deepEqual(fromHex(''), new Uint8Array(0));
  assert.equal(addressText(fromHex('c0000201')), '192.0.2.1');
  assert.equal(addressText(fromHex('20010db8000000000000000000000001')), '2001:db8::1');
  assert.equal(addressText(fromHex('0a0b0c')), '0a:0b:0c');
});

test('octets are the same where all are and none is left', () => {
  assert.ok(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)));
  assert.ok(!sameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2)));
});

test('padding takes a length to the next multiple of four', () => {
  assert.deepEqual([0, 1, 3, 4, 5].map(padded), [0, 4, 4, 4, 8]);
});
