import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat } from 'fttscope/kit';
import { detect, proxyHeader } from '../../src/tunnel/detect.js';
import { envelope } from '../build/conversation.js';
import { address, ping } from '../build/packets.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const kind = (...parts: Uint8Array[]): string => {
  const b = concat([Uint8Array.of(1), ...parts]);
  const v = detect(b, 1, b.length);
  return v.kind === 'other' ? `${v.name} ${v.proto ?? ''}`.trim() : v.kind;
};
const GOOD = envelope(ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 20)).octets;
const unknown = (n: number): Uint8Array => envelope(new Uint8Array(n).fill(7), 9).octets;

describe('what plain text is by its first octets', () => {
  test('envelopes: one that is sure, or a row that ends with the octets', () => {
    assert.equal(kind(), 'early');
    assert.equal(kind(GOOD), 'fttims');
    assert.equal(kind(GOOD.subarray(0, 10)), 'early');
    assert.equal(kind(unknown(50), unknown(0)), 'chain');
    assert.equal(kind(unknown(50), unknown(4), GOOD), 'fttims');
    assert.equal(kind(unknown(50), unknown(50).subarray(0, 52)), 'unsure', 'the last one is not whole');
    assert.equal(kind(unknown(50), Uint8Array.of(9, 0)), 'unsure');
    assert.equal(kind(unknown(50), envelope(new Uint8Array(0), 9, 2).octets), 'unsure', 'a Length below 3');
    assert.equal(kind(new Uint8Array(70)), 'unsure');
  });

  test('other protocols', () => {
    const cookie = Uint8Array.of(0x21, 0x12, 0xa4, 0x42);
    const stun = concat([Uint8Array.of(0, 1, 0, 0), cookie, new Uint8Array(12)]);
    assert.equal(kind(stun), 'STUN or TURN over TLS stun');
    assert.equal(kind(stun.with(0, 0x40)), 'unsure');
    assert.equal(kind(stun.subarray(0, 19)), 'unsure');
    for (const start of ['REGISTER sip:a', 'INVITE tel:1', 'SIP/2.0 200 OK']) assert.match(kind(text(start)), /sip$/);
    assert.equal(kind(text('\r\n\r\n')), 'SIP over TLS (CRLF keep-alive) sip');
    assert.equal(kind(text('PRI * HTTP/2.0\r\n')), 'HTTP/2 http2');
    for (const start of ['GET / HTTP/1.1', 'HTTP/1.1 200 OK']) assert.equal(kind(text(start)), 'HTTP/1.1 http');
    assert.equal(kind(text('IKETCP')), 'IKE and ESP in TCP (RFC 9329)');
  });
});

describe('a header of the PROXY protocol', () => {
  const V1 = text('PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n');
  const V2 = concat([text('\r\n\r\n\0\r\nQUIT\n'), Uint8Array.of(0x21, 0x11, 0, 12), new Uint8Array(12)]);
  const length = (b: Uint8Array, n = b.length): number => {
    const amid = concat([Uint8Array.of(9), b.subarray(0, n), text('\r\n')]);
    return proxyHeader(amid, 1, 1 + n);
  };

  test('is waited for until it is whole', () => {
    for (const b of [V1, V2])
      for (let n = 0; n <= b.length; n++) assert.equal(length(b, n), n < b.length ? 0 : b.length, String(n));
    assert.equal(length(concat([V2, GOOD])), V2.length);
  });

  test('of version 1 has 107 octets at most', () => {
    const long = (n: number): Uint8Array => text(`PROXY ${'x'.repeat(n - 8)}\r\n`);
    assert.deepEqual([length(long(107)), length(long(108))], [107, -1]);
    assert.equal(length(text('PROXY a\rb\nc\r\n')), 13);
    assert.equal(length(text(`PROXY ${'x'.repeat(120)}`)), -1);
    assert.equal(length(text(`PROXY ${'x'.repeat(100)}`)), 0);
  });

  test('is nothing else', () => {
    for (const s of ['PROXX', 'GET /', '\r\n\r\n\x01']) assert.equal(length(text(s)), -1, s);
  });
});
