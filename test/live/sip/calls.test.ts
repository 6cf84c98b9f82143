import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headerOf, sipRequest } from '../../../dissectors/sip/index.js';
import { address, addressText } from '../../../src/live/address.js';
import { seededRandom } from '../../../src/live/random.js';
import type { Call } from '../../../src/live/sip/call.js';
import type { IncomingCall } from '../../../src/live/sip/callee.js';
import type { SipLayer } from '../../../src/live/sip/layer.js';
import { pair } from './pair.js';

function established(reliable: 'required' | 'supported' | 'none' = 'supported') {
  const x = pair();
  const call = x.a.ua.call('sip:user2@ims.example', reliable);
  x.clock.advance(100);
  x.incoming().ring();
  x.clock.advance(100);
  x.incoming().answer();
  x.clock.advance(100);
  x.net.passed.length = 0;
  return { ...x, call };
}

test('a call rings reliably, is answered, and is ended by the caller', () => {
  const x = pair();
  const call = x.a.ua.call('sip:user2@ims.example');
  x.clock.advance(100);
  x.incoming().ring();
  x.clock.advance(100);
  x.incoming().answer();
  x.clock.advance(100);
  assert.deepEqual([call.state, x.incoming().state], ['confirmed', 'confirmed']);
  call.hangUp();
  x.clock.advance(100);
  assert.deepEqual(x.net.log(), [
    '1 > 2 INVITE',
    '2 > 1 100 INVITE',
    '2 > 1 180 INVITE',
    '1 > 2 PRACK',
    '2 > 1 200 PRACK',
    '2 > 1 200 INVITE',
    '1 > 2 ACK',
    '1 > 2 BYE',
    '2 > 1 200 BYE',
  ]);
  assert.deepEqual(x.of(x.a), ['progress', 'media', 'answered', 'ended local']);
  assert.deepEqual(x.of(x.b), ['answered', 'media', 'ended remote']);
  // RFC 3264 §6.1: the first format of the offer that the answerer has too
  const { codec, eventType, remote, direction } = call.media!;
  assert.deepEqual(
    [codec.name, eventType, addressText(remote.address), remote.port, direction],
    ['PCMU', 101, '10.0.0.2', 40_000, 'sendrecv'],
  );
  assert.equal(x.incoming().media!.codec.name, 'PCMU');
  assert.equal(x.a.ua.calls.size + x.b.ua.calls.size, 0);
});

test('without 100rel there is no PRACK; the callee can end the call', () => {
  const x = established('none');
  x.incoming().hangUp();
  x.clock.advance(100);
  assert.deepEqual(x.net.log(), ['2 > 1 BYE', '1 > 2 200 BYE']);
  assert.deepEqual(x.of(x.a).at(-1), 'ended remote');
});

test('a MESSAGE within a call is taken, as Allow says', () => {
  // RFC 3428 §7: the same as one outside of a dialog; RFC 3261 §20.5: what Allow lists is supported.
  const x = established();
  const { layer } = x.a.ua as unknown as { layer: SipLayer };
  const dialog = x.call.dialog!;
  const peer = { address: address('10.0.0.2'), port: 5060 };
  const headers: [string, string][] = [
    ['Via', layer.via(peer)],
    ['Max-Forwards', '70'],
    ...dialog.headers(),
    ['CSeq', `${++dialog.localCSeq} MESSAGE`],
  ];
  const text = { type: 'text/plain', octets: new TextEncoder().encode('are you there?') };
  const message = sipRequest('MESSAGE', dialog.target, headers, text);
  layer.client(message, peer, { onResponse: () => {}, onTimeout: () => {} }).start();
  x.clock.advance(100);
  assert.deepEqual(x.net.log(), ['1 > 2 MESSAGE', '2 > 1 200 MESSAGE']);
  const heard = x.b.events.filter((e) => e.type === 'message');
  assert.deepEqual(heard, [
    { type: 'message', from: 'sip:user1@ims.example', contentType: 'text/plain', text: 'are you there?' },
  ]);
  assert.equal(x.call.state, 'confirmed');
});

test('progress with a session gives media before the answer', () => {
  const x = pair();
  const call = x.a.ua.call('sip:user2@ims.example', 'required');
  x.clock.advance(100);
  x.incoming().ring(183);
  x.clock.advance(100);
  assert.deepEqual(x.of(x.a), ['media', 'progress']);
  assert.equal(call.state, 'ringing');
  x.incoming().answer();
  x.clock.advance(100);
  assert.deepEqual(x.of(x.a), ['media', 'progress', 'answered']);
});

test('a reliable response is repeated until its PRACK, and the answer waits for that', () => {
  const x = pair();
  let lost = 0;
  x.net.lose = (p) => p.line === '180 INVITE' && lost++ < 3;
  x.a.ua.call('sip:user2@ims.example');
  x.clock.advance(100);
  x.incoming().ring();
  x.incoming().answer();
  x.clock.advance(5000);
  const times = x.net.passed.filter((p) => p.line === '180 INVITE').map((p) => p.at - 100);
  assert.deepEqual(times, [0, 500, 1500, 3500]); // RFC 3262 §3: T1, doubled
  assert.equal(x.incoming().state, 'confirmed');
  assert.ok(x.net.log().indexOf('1 > 2 PRACK') < x.net.log().indexOf('2 > 1 200 INVITE'));
});

test('without a PRACK the call fails after 64 T1', () => {
  const x = pair();
  x.net.lose = (p) => p.line === 'PRACK' || p.line === 'CANCEL'; // the caller takes it back, too
  x.a.ua.call('sip:user2@ims.example');
  x.clock.advance(100);
  x.incoming().ring();
  x.clock.advance(200_000);
  assert.equal(x.statusOf(x.b), 504);
  assert.ok(x.of(x.a).includes('ended failure'));
});

test('the 2xx is repeated until the ACK, which is repeated for each', () => {
  const x = pair();
  let acks = 0;
  x.net.lose = (p) => p.line === 'ACK' && acks++ < 3;
  x.a.ua.call('sip:user2@ims.example', 'none');
  x.clock.advance(100);
  x.incoming().answer();
  x.clock.advance(10_000);
  const times = x.net.passed.filter((p) => p.line === '200 INVITE').map((p) => p.at - 100);
  assert.deepEqual(times, [0, 500, 1500, 3500]); // RFC 3261 §13.3.1.4
  assert.equal(x.net.passed.filter((p) => p.line === 'ACK').length, 4);
  assert.deepEqual(x.of(x.a), ['media', 'answered']);
});

test('without an ACK the callee ends the call after 64 T1', () => {
  const x = pair();
  x.net.lose = (p) => p.line === 'ACK';
  x.a.ua.call('sip:user2@ims.example', 'none');
  x.clock.advance(100);
  x.incoming().answer();
  x.clock.advance(40_000);
  assert.deepEqual(x.of(x.b), ['answered', 'media', 'ended failure']);
  assert.equal(x.of(x.a).at(-1), 'ended remote');
});

test('a call is cancelled once it was heard of', () => {
  const x = pair();
  const call = x.a.ua.call('sip:user2@ims.example');
  call.hangUp();
  assert.deepEqual(x.net.log(), ['1 > 2 INVITE']); // RFC 3261 §9.1: not before a provisional response
  x.clock.advance(100);
  assert.deepEqual(x.net.log().slice(2), ['1 > 2 CANCEL', '2 > 1 200 CANCEL', '2 > 1 487 INVITE', '1 > 2 ACK']);
  assert.deepEqual([x.of(x.a), x.of(x.b)], [['ended local'], ['ended remote']]);
  assert.equal(x.statusOf(x.a), 487);
});

test('a call that is answered while it is cancelled is ended', () => {
  const x = pair();
  const call = x.a.ua.call('sip:user2@ims.example', 'none');
  x.clock.advance(100);
  x.incoming().answer();
  call.hangUp();
  x.clock.advance(1000);
  for (const line of ['1 > 2 CANCEL', '2 > 1 200 CANCEL', '1 > 2 ACK', '1 > 2 BYE'])
    assert.ok(x.net.log().includes(line), line);
  assert.deepEqual([x.of(x.a).at(-1), x.of(x.b).at(-1)], ['ended local', 'ended remote']);
});

test('a call is refused, and one without a common codec not accepted', () => {
  const x = pair();
  x.a.ua.call('sip:user2@ims.example');
  x.clock.advance(100);
  x.incoming().reject(486);
  x.clock.advance(100);
  assert.deepEqual([x.of(x.a), x.statusOf(x.a)], [['ended failure'], 486]);

  const y = pair([{ codecs: ['AMR'] }, { codecs: ['PCMA'] }]);
  y.a.ua.call('sip:user2@ims.example');
  y.clock.advance(100);
  y.incoming().answer();
  y.clock.advance(100);
  assert.equal(y.statusOf(y.a), 488);
});

for (const method of ['INVITE', 'UPDATE'] as const)
  test(`hold and resume by ${method}`, () => {
    const x = established();
    x.call.hold(method);
    x.clock.advance(100);
    assert.deepEqual([x.call.media!.direction, x.incoming().media!.direction], ['sendonly', 'recvonly']); // RFC 3264 §8.4
    x.call.resume(method);
    x.clock.advance(100);
    assert.deepEqual([x.call.media!.direction, x.incoming().media!.direction], ['sendrecv', 'sendrecv']);
    const round = [`1 > 2 ${method}`, `2 > 1 200 ${method}`, ...(method === 'INVITE' ? ['1 > 2 ACK'] : [])];
    assert.deepEqual(x.net.log(), [...round, ...round]);
    const versions = x.net.passed.flatMap((p) => {
      const text = Buffer.from(p.message!.body).toString();
      return p.line === method ? [Number(/o=- \d+ (\d+)/.exec(text)![1])] : [];
    });
    assert.equal(versions[1], versions[0] + 1); // RFC 3264 §8
  });

test('two holds at a time meet in 491 and are tried again', () => {
  const x = established();
  x.call.hold();
  x.incoming().hold();
  x.clock.advance(10_000);
  const log = x.net.log();
  assert.equal(log.filter((l) => l.includes('491')).length, 2);
  assert.deepEqual([x.call.media!.direction, x.incoming().media!.direction], ['inactive', 'inactive']);
});

test('digits by INFO, questions within and outside of calls, and messages', () => {
  const x = established();
  x.call.sendInfoDigit('5', 250);
  x.clock.advance(100);
  const digit = x.b.events.find((e) => e.type === 'call' && e.event.type === 'digit');
  assert.deepEqual(digit?.type === 'call' && digit.event, { type: 'digit', signal: '5', milliseconds: 250 });
  const outcomes: number[] = [];
  x.a.ua.queryOptions('sip:user2@ims.example', (status) => outcomes.push(status));
  x.a.ua.message('sip:user2@ims.example', 'Grüße', (status) => outcomes.push(status));
  x.clock.advance(100);
  assert.deepEqual(outcomes, [200, 200]);
  const message = x.b.events.find((e) => e.type === 'message');
  assert.ok(message?.type === 'message' && message.text === 'Grüße' && message.from === 'sip:user1@ims.example');
  x.net.lose = () => true;
  x.a.ua.message('sip:user2@ims.example', 'x', (status) => outcomes.push(status));
  x.clock.advance(40_000);
  assert.equal(outcomes[2], 408);
});

test('a request for a call that is not there gets 481, an unknown extension 420', () => {
  const x = established();
  for (const call of x.b.ua.calls) call.onEvent = () => undefined;
  x.b.ua.calls.clear();
  x.call.hold();
  x.clock.advance(100);
  assert.ok(x.net.log().includes('2 > 1 481 INVITE'));
  assert.equal(x.of(x.a).at(-1), 'ended failure');
});

test('requests within a dialog carry what RFC 3261 clause 12 wants', () => {
  const x = established();
  x.call.sendInfoDigit('1');
  x.clock.advance(50);
  x.incoming().hangUp();
  x.clock.advance(50);
  const [info, , bye] = x.net.passed.map((p) => p.message!);
  const tag = (v: string | undefined) => /tag=(\w+)/.exec(v ?? '')?.[1];
  assert.equal(tag(headerOf(info, 'From')), tag(headerOf(bye, 'To')));
  assert.equal(tag(headerOf(info, 'To')), tag(headerOf(bye, 'From')));
  assert.match((info.start as { uri: string }).uri, /^sip:user2@10\.0\.0\.2:5060$/);
  assert.match((bye.start as { uri: string }).uri, /^sip:user1@10\.0\.0\.1:5060$/);
  assert.equal(headerOf(bye, 'CSeq'), '1 BYE');
});

test('however messages are lost, both sides agree in the end that the call is over', () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 0.5, noNaN: true }), (seed, loss) => {
      const x = pair(undefined, seededRandom(seed));
      const chance = seededRandom(seed + 1);
      x.net.lose = () => chance.next() < loss;
      const call: Call = x.a.ua.call('sip:user2@ims.example');
      x.clock.advance(2000);
      const other = x.b.events.find((e) => e.type === 'incoming') as { call: IncomingCall } | undefined;
      other?.call.ring();
      x.clock.advance(3000);
      other?.call.answer();
      x.clock.advance(20_000);
      call.hangUp();
      x.clock.advance(200_000);
      other?.call.hangUp();
      x.clock.advance(200_000);
      assert.equal(call.state, 'ended');
      if (other) assert.equal(other.call.state, 'ended');
      assert.equal(x.clock.next(), Number.POSITIVE_INFINITY);
    }),
    { numRuns: 150 },
  );
});
