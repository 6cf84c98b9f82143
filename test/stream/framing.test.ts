import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AnyDissector, Framing } from 'fttscope/kit';
import { dissectors } from '../../dissectors/index.js';
import { PduBuffer } from '../../src/stream/pdu-buffer.js';
import { Messages } from '../../src/tunnel/messages.js';

const octets = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'latin1'));
const called = (proto: string): AnyDissector => dissectors.find((d) => d.proto === proto)!;

const LONG = 'x'.repeat(700);
const LINES = 'X-Line: abcdefghij\r\n'.repeat(40);
const RESPONSE = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Whole messages: what stands before a part that is long, the part, what stands behind it. */
const MESSAGES: readonly (readonly [proto: string, what: string, before: string, part: string, after: string])[] = [
  ['http', 'a request line', 'GET /', LONG, ' HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['http', 'a header', 'GET / HTTP/1.1\r\nX: ', LONG, '\r\n\r\n'],
  ['http', 'headers', 'GET / HTTP/1.1\r\n', LINES, 'Folded: a\r\n \r\n b\r\nLast: c\r\n\r\n'],
  ['http', 'more headers than are read', 'GET / HTTP/1.1\n', 'a:\n'.repeat(1100), '\n'],
  ['http', 'a line that starts no message', '', LONG, '\r\n'],
  ['http', 'a line longer than a request line may be', 'GET /', 'x'.repeat(66_000), '\n'],
  ['http', 'a body', 'POST / HTTP/1.1\r\nContent-Length: 700\r\n\r\n', LONG, ''],
  ['http', 'a chunk', `${RESPONSE}2bc\r\n`, LONG, '\r\n0\r\n\r\n'],
  ['http', 'chunks', RESPONSE, '5\r\nhello\r\n'.repeat(60), '0\r\n\r\n'],
  ['http', 'trailers', `${RESPONSE}0\r\n`, LINES, '\r\n'],
  ['http', 'a trailer', `${RESPONSE}1;a=b\r\n!\r\n0\r\nX: `, LONG, '\r\n\r\n'],
  ['sip', 'a Request-URI', 'REGISTER sip:', LONG, ' SIP/2.0\r\nContent-Length: 0\r\n\r\n'],
  ['sip', 'headers', 'REGISTER sip:a SIP/2.0\r\n', LINES, 'Content-Length: 0\r\n\r\n'],
  ['sip', 'a header behind the length', 'SIP/2.0 200 OK\r\nContent-Length: 2\r\nX: ', LONG, '\r\n\r\nab'],
  ['sip', 'a body', 'MESSAGE sip:a SIP/2.0\r\nl: 700\r\n\r\n', LONG, ''],
  ['msrp', 'headers', 'MSRP abcd1234 SEND\r\n', LINES, '-------abcd1234$\r\n'],
  ['msrp', 'a body', 'MSRP abcd1234 SEND\r\nTo-Path: a\r\n\r\n', LONG, '\r\n-------abcd1234+\r\n'],
  [
    'msrp',
    'end lines of others',
    'MSRP abcd1234 SEND\r\n\r\n',
    '\r\n-------abcd123$\r\n-------abcd1234-'.repeat(20),
    '\r\n-------abcd1234#\r\n',
  ],
  ['smtp', 'a line', 'MAIL FROM:<', LONG, '@a>\r\n'],
];

/** Octets before the end of what is there that may be looked at again. */
const END = 40;
/** What would end any of the messages, or break it. */
const POISON = octets('\r\n\r\n-------abcd1234$\r\n0\r\n\r\nl: 1\r\n');

describe('a message that comes octet by octet', () => {
  for (const [proto, what, before, part, after] of MESSAGES) {
    const d = called(proto);
    const b = octets(before + part + after);
    const step = b.length > 5000 ? 499 : 1;

    test(`is as long as in one piece: ${proto}, ${what}`, () => {
      const known = new Framing();
      for (let end = 1; end < b.length; end += step) {
        const n = d.pduLength!(b, 0, end, known);
        assert.equal(n, d.pduLength!(b, 0, end), `the first ${end} of ${b.length}`);
        if (n === 0) continue;
        assert.equal(n, b.length);
        return;
      }
      assert.equal(d.pduLength!(b, 0, b.length, known), b.length);
    });

    // Octets that came before are overwritten by what would be understood otherwise.
    test(`is not looked at again: ${proto}, ${what}`, () => {
      const known = new Framing();
      const seen = b.slice();
      let n = 0;
      for (let end = before.length + 1; n === 0 && end < before.length + part.length; end += step) {
        n = d.pduLength!(seen, 0, end, known);
        for (let i = Math.max(before.length, end - END - step); i < end - END; i++)
          seen[i] = POISON[i % POISON.length]!;
      }
      assert.equal(n || d.pduLength!(b, 0, b.length, known), b.length);
    });
  }
});

describe('a message whose length is known', () => {
  const COUNTED: readonly (readonly [proto: string, start: string, octets: number])[] = [
    ['http', 'POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n', 3041],
    ['sip', 'MESSAGE sip:a SIP/2.0\r\nl: 3000\r\n\r\n', 3034],
    ['tls', '\x16\x03\x01\x10\x00', 4101],
    ['dns', '\x10\x00', 4098],
    ['stun', '\x00\x01\x10\x00\x21\x12\xa4\x42', 4116],
    ['ftt', '\x10\x00\x00\x00\x00\x00', 4096],
    ['websocket', '\x81\x7e\x10\x00', 4100],
    ['http2', '\x00\x10\x00\x00\x00\x00\x00\x00\x01', 4105],
  ];
  for (const [proto, start, length] of COUNTED)
    test(`is asked for once it is there: ${proto}`, () => {
      const d = called(proto);
      const window = new PduBuffer();
      const messages = new Messages(d, window, ['', ''], called('data'));
      let asked = 0;
      messages.length = (b, off, end, known) => {
        asked++;
        return d.pduLength!(b, off, end, known);
      };
      const b = new Uint8Array(length);
      b.set(octets(start));
      for (let at = 0; at < length; at++) {
        window.feed(b, at, at + 1, at + 1);
        const pdu = messages.next();
        assert.equal(pdu?.view.length, at + 1 < length ? undefined : length);
        window.settle();
      }
      assert.ok(asked <= start.length + 1, `${asked} times`);
    });
});
