import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Malformed, No, Unsure, Yes } from 'fttscope/kit';
import { HEADERS, Header, headerId, parseSip, sip, sipLength } from '../../../dissectors/sip/index.js';
import { message } from './layers.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const probe = (s: string): number => sip.probe!(text(s), 0, text(s).length);
const length = (s: string): number => sipLength(text(s), 0, text(s).length);

describe('SIP start line', () => {
  test('is recognised, refused or waited for', () => {
    for (const s of [
      'INVITE sip:bob@example.com SIP/2.0\r\n',
      'OPTIONS sip:a@b SIP/2.0',
      'foo tel:+1 SIP/2.0\n',
      'SIP/2.0 200 OK\r\n',
      'SIP/2.0 700 \r\n',
    ])
      assert.equal(probe(s), Yes, s);
    for (const s of [
      'GET http://example.com/ HTTP/1.1\r\n',
      'OPTIONS rtsp://h RTSP/1.0\r\n',
      'INVITE  sip:a@b SIP/2.0\r\n', // RFC 3261 §7.1: one space
      'INVITE sip:a@b SIP/3.0\r\n',
      'INVITE sip:a@b SIP/2.0 x\r\n',
      'INVITE nocolon SIP/2.0\r\n',
      'INVITE sip:a@b\r\n',
      'SIP/2.0 99 OK\r\n',
      'SIP/2.0 abc\r\n',
      '\u0000\u0000\u0000\u0000',
      'A'.repeat(40),
    ])
      assert.equal(probe(s), No, s);
    for (const s of ['INV', 'INVITE sip:bo', 'INVITE sip:b SIP/2', 'SIP', 'SIP/2.0 20', '\r\n\r\n', ''])
      assert.equal(probe(s), Unsure, s);
  });

  test('gives method, URI, status and reason', () => {
    const m = parseSip(message('INVITE sip:bob@example.com SIP/2.0', ''), 0, 38);
    assert.deepEqual([m.isRequest, m.method, m.uri, m.status], [true, 'INVITE', 'sip:bob@example.com', 0]);
    const b = message('SIP/2.0 404 Not Found', 'CSeq: 7 BYE', '');
    const r = parseSip(b, 0, b.length);
    assert.deepEqual([r.isRequest, r.method, r.status, r.reason], [false, 'BYE', 404, 'Not Found']);
    assert.throws(() => parseSip(text('hello'), 0, 5), Malformed);
  });
});

describe('SIP headers', () => {
  test('are found by long and compact name in any case', () => {
    for (const [compact, name] of [
      ['v', 'Via'],
      ['f', 'From'],
      ['t', 'To'],
      ['m', 'Contact'],
      ['i', 'Call-ID'],
      ['e', 'Content-Encoding'],
      ['l', 'Content-Length'],
      ['c', 'Content-Type'],
      ['k', 'Supported'],
      ['s', 'Subject'],
      ['o', 'Event'],
      ['r', 'Refer-To'],
      ['b', 'Referred-By'],
      ['x', 'Session-Expires'],
      ['u', 'Allow-Events'],
    ]) {
      assert.equal(headerId(compact), headerId(name), name);
      assert.equal(headerId(compact.toUpperCase()), headerId(name.toUpperCase()), name);
      assert.equal(HEADERS[headerId(name)].name, name);
    }
    assert.equal(headerId('X-Foo'), 0);
    assert.equal(headerId('w'), 0);
    assert.equal(new Set(HEADERS.map((h) => headerId(h.name))).size, HEADERS.length);
  });

  test('fold, repeat, and end with an empty line', () => {
    const b = message(
      'OPTIONS sip:a@b SIP/2.0',
      'Subject: one',
      '  two',
      '\tthree',
      'i : x@y',
      'VIA: a',
      'v: b',
      'Foo: bar',
      '',
      'body',
    );
    const m = parseSip(b, 0, b.length);
    assert.deepEqual(
      m.headers.map((h) => [m.name(h), m.value(h), h.folded]),
      [
        ['Subject', 'one two three', true],
        ['i', 'x@y', false],
        ['VIA', 'a', false],
        ['v', 'b', false],
        ['Foo', 'bar', false],
      ],
    );
    assert.equal(m.text(Header.CallId), 'x@y');
    assert.equal(m.terminated, true);
    assert.equal(new TextDecoder().decode(b.subarray(m.bodyOff, m.bodyEnd)), 'body\r\n');
  });

  test('bound the body by Content-Length', () => {
    const b = message('OPTIONS sip:a@b SIP/2.0', 'l: 3', '', 'body');
    const m = parseSip(b, 0, b.length);
    assert.equal(m.bodyEnd - m.bodyOff, 3);
    const bad = message('OPTIONS sip:a@b SIP/2.0', 'Content-Length: many', '', 'body');
    assert.equal(parseSip(bad, 0, bad.length).contentLength, -2);
  });

  test('are listed up to a number, and the body is still found', () => {
    const lines = Array.from({ length: 600 }, (_, i) => `X-${i}: 1`);
    const b = message('OPTIONS sip:a@b SIP/2.0', ...lines, 'Content-Length: 0', '', 'x');
    const m = parseSip(b, 0, b.length);
    assert.deepEqual([m.headers.length, m.dropped, m.bodyOff], [512, 89, b.length - 3]);
  });
});

describe('SIP over a stream', () => {
  test('measures messages by Content-Length', () => {
    assert.equal(length('OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbodyNEXT'), 50);
    assert.equal(length('OPTIONS sip:a@b SIP/2.0\r\nl:4\r\n\r\nbo'), 36);
    assert.equal(length('OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n'), 0);
    assert.equal(length('OPTIONS sip:a@b SIP/2.0\r\nContent-LENGTH : 0\r\n\r\n'), 47);
    assert.equal(length('GET http://x/ HTTP/1.1\r\n\r\n'), -1);
    assert.equal(length('OPTIONS sip:a@b SIP/2.0\r\nl: 9999999\r\n\r\n'), -1);
    assert.equal(length(`OPTIONS sip:a@b SIP/2.0\r\nx: ${'y'.repeat(300_000)}`), -1);
  });

  test('takes a message without Content-Length to end where the next begins, or with what is there', () => {
    const head = 'OPTIONS sip:a@b SIP/2.0\r\n\r\n';
    assert.equal(length(head), head.length);
    assert.equal(length(`${head}SIP/2.0 200 OK\r\n`), head.length);
    assert.equal(length(`${head}v=0\r\ns=-`), head.length + 8);
  });

  test('keep-alives between messages are messages of their own', () => {
    assert.equal(length('\r\n\r\nOPTIONS'), 4);
    assert.equal(length('\r\nOPTIONS'), 2);
    assert.equal(length('\r'), 0);
    assert.equal(length('\rX'), -1);
  });

  test('any cut of a stream gives the same messages', () => {
    const one = message('INVITE sip:a@b SIP/2.0', 'Call-ID: 1', 'Content-Length: 6', '', 'v=0');
    const two = message('SIP/2.0 200 OK', 'l: 0', '');
    const stream = new Uint8Array([...one.subarray(0, one.length), ...text('\n'), ...two, ...text('\r\n\r\n'), ...two]);
    const whole = split(stream, [stream.length]);
    assert.equal(whole.length, 4);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 6 }), (cuts) => {
        // A CRLF CRLF that is cut in two is two pongs: leave that cut out.
        const ping = stream.length - two.length - 4;
        const at = [...cuts.filter((c) => c <= ping || c >= ping + 4), stream.length].sort((x, y) => x - y);
        assert.deepEqual(split(stream, at), whole);
      }),
    );
  });
});

/** Lengths of the messages when octets become known up to each of `cuts`. */
function split(b: Uint8Array, cuts: readonly number[]): number[] {
  const out: number[] = [];
  let off = 0;
  for (const end of cuts)
    for (;;) {
      const n = off < end ? sipLength(b, off, end) : 0;
      if (n <= 0) break;
      out.push(n);
      off += n;
    }
  return out;
}
