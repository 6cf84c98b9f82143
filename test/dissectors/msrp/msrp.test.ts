import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { type MsrpMessage, msrp } from '../../../dissectors/msrp.js';
import { dataTextLines } from '../../../dissectors/text-media.js';
import { values, World } from '../rtp/world.js';

const world = (): World => new World([msrp, dataTextLines]);
const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
const lines = (...list: string[]): Uint8Array => bytes(list.map((s) => `${s}\r\n`).join(''));

const BOB = 'To-Path: msrp://bob.example.com:8888/9di4eae923wzd;tcp';
const ALICE = 'From-Path: msrp://alicepc.example.com:7777/iau39soe2843z;tcp';
/** RFC 4975 §11.1. */
const SEND = lines(
  'MSRP d93kswow SEND',
  BOB,
  ALICE,
  'Message-ID: 12339sdqwer',
  'Byte-Range: 1-16/16',
  'Content-Type: text/plain; charset=utf-8',
  '',
  "Hi, I'm Alice!",
  '-------d93kswow$',
);
const OK = lines('MSRP d93kswow 200 OK', BOB, ALICE, '-------d93kswow$');
/** RFC 4975 §11.6: a report without a body. */
const REPORT = lines(
  'MSRP dkei38sd REPORT',
  BOB,
  ALICE,
  'Message-ID: 12339sdqwer',
  'Byte-Range: 1-106/106',
  'Status: 000 200 OK',
  '-------dkei38sd$',
);

test('a message and its parts', () => {
  const seen = world().see(msrp, SEND);
  assert.deepEqual(values(seen, 'msrp.request.line'), ['MSRP d93kswow SEND']);
  assert.deepEqual(values(seen, 'msrp.method'), ['SEND']);
  assert.deepEqual(values(seen, 'msrp.transaction.id'), ['d93kswow', 'd93kswow']);
  assert.deepEqual(values(seen, 'msrp.to.path'), ['msrp://bob.example.com:8888/9di4eae923wzd;tcp']);
  assert.deepEqual(values(seen, 'msrp.messageid'), ['12339sdqwer']);
  assert.deepEqual(values(seen, 'msrp.byte.range'), ['1-16/16']);
  assert.deepEqual(values(seen, 'msrp.content.type'), ['text/plain; charset=utf-8']);
  assert.deepEqual(values(seen, 'msrp.data'), ["Hi, I'm Alice!"]);
  assert.deepEqual(values(seen, 'msrp.cnt.flg'), ['$']);
  assert.deepEqual(seen.protocols, ['msrp', 'data-text-lines']);
  assert.equal(
    msrp.summary!({ buf: SEND, off: 0, end: SEND.length } as never, {} as never),
    'Request: SEND Transaction ID: d93kswow',
  );
});

test('responses and reports', () => {
  const ok = world().see(msrp, OK);
  assert.deepEqual(values(ok, 'msrp.response.line'), ['MSRP d93kswow 200 OK']);
  assert.deepEqual(values(ok, 'msrp.status.code'), ['200']);
  assert.equal(ok.summary, 'Response: 200 OK Transaction ID: d93kswow');
  const report = world().see(msrp, REPORT);
  assert.deepEqual(values(report, 'msrp.status'), ['000 200 OK']);
  assert.deepEqual(values(report, 'msrp.data'), []);
  const other = world().see(msrp, lines('MSRP d93kswow SEND', BOB, ALICE, 'X-Own: 1', '-------d93kswow#'));
  assert.deepEqual(values(other, 'msrp.hdr'), ['X-Own: 1']);
  assert.deepEqual(values(other, 'msrp.cnt.flg'), ['#']);
});

test('messages are found in a stream by their end lines', () => {
  const { probe, pduLength } = msrp;
  const both = new Uint8Array([...SEND, ...OK]);
  assert.equal(probe!(both, 0, both.length), Yes);
  assert.equal(probe!(both, 0, 3), Unsure);
  assert.equal(probe!(bytes('MSRP is a protocol\r\n'), 0, 20), No);
  assert.equal(probe!(bytes('INVITE sip:a SIP/2.0\r\n'), 0, 22), No);
  assert.equal(pduLength!(both, 0, both.length), SEND.length);
  assert.equal(pduLength!(both, SEND.length, both.length), OK.length);
  for (const n of [3, 12, 40, SEND.length - 1]) assert.equal(pduLength!(SEND, 0, n), 0);
  assert.equal(pduLength!(bytes('HTTP/1.1'), 0, 8), -1);
  // An end line of another transaction, or in the middle of a line, is part of the body. RFC 4975 §7.1
  const tricky = lines('MSRP abcd SEND', BOB, ALICE, '', '-------abce$', 'x-------abcd$', '-------abcd+');
  assert.equal(pduLength!(tricky, 0, tricky.length), tricky.length);
  assert.deepEqual(values(world().see(msrp, tricky), 'msrp.cnt.flg'), ['+']);
  assert.deepEqual(world().see(msrp, SEND.subarray(0, 50)).stopped, ['msrp']);
});

test('the codec writes what it reads', () => {
  for (const b of [SEND, OK, REPORT]) assert.deepEqual(encode(msrp.codec!, msrp.codec!.parse(b, 0, b.length)), b);
  const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.+%=-]{3,12}$/);
  const message: fc.Arbitrary<MsrpMessage> = fc
    .record(
      {
        id: word,
        headers: fc.array(fc.tuple(word, word), { maxLength: 5 }),
        flag: fc.constantFrom('$', '+', '#'),
        body: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined }),
        status: fc.option(fc.integer({ min: 100, max: 999 }), { nil: undefined }),
      },
      { noNullPrototype: true },
    )
    .map(({ body, status, headers, ...rest }) => ({
      ...rest,
      headers: headers as [string, string][],
      method: status === undefined ? 'SEND' : '',
      ...(status !== undefined && { status, phrase: 'Fine' }),
      ...(body !== undefined && { body }),
    }));
  fc.assert(
    fc.property(message, (r) => {
      const b = encode(msrp.codec!, r);
      assert.equal(msrp.pduLength!(b, 0, b.length), b.length);
      assert.deepEqual(msrp.codec!.parse(b, 0, b.length), r);
      const seen = world().see(msrp, b);
      assert.deepEqual(seen.stopped, []);
      assert.deepEqual(values(seen, 'msrp.cnt.flg'), [r.flag]);
    }),
  );
});
