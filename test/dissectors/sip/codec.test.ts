import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encode, Malformed } from 'fttscope/kit';
import { mimeMultipart } from '../../../dissectors/mime-multipart.js';
import {
  headerOf,
  headersOf,
  type SipRepresentation,
  sip,
  sipRequest,
  sipResponse,
} from '../../../dissectors/sip/index.js';
import { message } from './layers.js';

const codec = sip.codec!;
const parse = (b: Uint8Array): SipRepresentation => codec.parse(b, 0, b.length);
const text = (b: Uint8Array): string => new TextDecoder().decode(b);

const PLAIN = { noNullPrototype: true };
const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,15}$/);
const value = fc.stringMatching(/^([!-~]([ -~]{0,30}[!-~])?)?$/);
const representation: fc.Arbitrary<SipRepresentation> = fc
  .record({
    start: fc.oneof(
      fc.record({ method: token, uri: fc.stringMatching(/^(sips?|tel):[!-~]{1,20}$/) }, PLAIN),
      fc.record({ status: fc.integer({ min: 100, max: 699 }), reason: value }, PLAIN),
    ),
    headers: fc.array(fc.record({ name: token.filter((n) => !/^(content-length|l)$/i.test(n)), value }, PLAIN), {
      maxLength: 12,
    }),
    body: fc.uint8Array({ maxLength: 64 }),
  })
  .map((r) => ({ ...r, headers: [...r.headers, { name: 'Content-Length', value: String(r.body.length) }] }));

describe('SIP codec', () => {
  test('parse(emit(r)) equals r, and emit(parse(x)) equals x', () => {
    fc.assert(
      fc.property(representation, (r) => {
        const b = encode(codec, r);
        assert.deepEqual(parse(b), r);
        assert.deepEqual(encode(codec, parse(b)), b);
      }),
    );
  });

  test('keeps folds, unknown headers and their order', () => {
    const b = message('SIP/2.0 200 OK', 'X-A: 1', 'Subject: a', '  b', 'v: x', 'X-A: 2', 'l: 0', '');
    assert.deepEqual(encode(codec, parse(b)), b);
    assert.deepEqual(headersOf(parse(b), 'x-a'), ['1', '2']);
    assert.equal(headerOf(parse(b), 'Via'), 'x');
    assert.throws(() => parse(message('SIP/2.0 200 OK', 'X-A: 1')), Malformed);
  });

  test('builds a request and its response', () => {
    const request = sipRequest('INVITE', 'sip:bob@example.com', [
      ['Via', 'SIP/2.0/UDP a;branch=z9hG4bK1'],
      ['Via', 'SIP/2.0/UDP b;branch=z9hG4bK2'],
      ['From', '<sip:a@b>;tag=1'],
      ['To', '<sip:c@d>'],
      ['Call-ID', 'x'],
      ['CSeq', '1 INVITE'],
      ['Max-Forwards', '70'],
    ]);
    const response = sipResponse(request, 200, 'OK', [['To', '<sip:c@d>;tag=2']], {
      type: 'application/sdp',
      octets: message('v=0'),
    });
    assert.equal(
      text(encode(codec, response)),
      [
        'SIP/2.0 200 OK',
        'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
        'Via: SIP/2.0/UDP b;branch=z9hG4bK2',
        'From: <sip:a@b>;tag=1',
        'To: <sip:c@d>;tag=2',
        'Call-ID: x',
        'CSeq: 1 INVITE',
        'Content-Type: application/sdp',
        'Content-Length: 5',
        '',
        'v=0',
        '',
      ].join('\r\n'),
    );
    response.body = message('v=0', 's=-');
    assert.match(text(encode(codec, response)), /Content-Length: 10\r\n/);
  });
});

describe('multipart codec', () => {
  test('parse(emit(r)) equals r, and emit(parse(x)) equals x', () => {
    const c = mimeMultipart.codec!;
    const part = fc.record(
      {
        headers: fc.array(fc.record({ name: token, value }, PLAIN), { minLength: 1, maxLength: 3 }),
        body: fc.uint8Array({ maxLength: 32 }).filter((b) => !text(b).includes('--')),
      },
      PLAIN,
    );
    const arbitrary = fc.record(
      {
        boundary: fc.stringMatching(/^[0-9A-Za-z]{4,12}$/),
        parts: fc.array(part, { minLength: 1, maxLength: 4 }),
      },
      PLAIN,
    );
    fc.assert(
      fc.property(arbitrary, (r) => {
        const b = encode(c, r);
        assert.deepEqual(c.parse(b, 0, b.length), r);
        assert.deepEqual(encode(c, c.parse(b, 0, b.length)), b);
      }),
    );
  });
});
