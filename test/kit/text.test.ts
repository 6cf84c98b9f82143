import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, lineAt, skip } from '../../src/kit/index.js';

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
