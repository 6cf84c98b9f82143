import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SipRepresentation, sipRequest } from '../../../dissectors/sip/index.js';
import { address } from '../../../src/live/address.js';
import type { IncomingRequest } from '../../../src/live/sip/layer.js';
import { type ClientTransaction, statusOf } from '../../../src/live/sip/transaction.js';
import { IMS_TIMERS, RFC_TIMERS } from '../../../src/live/sip/transport.js';
import { VirtualClock } from '../clock.js';
import { Network } from './network.js';

const B = { address: address('10.0.0.2'), port: 5060 };

/** A sends `method` to B, which does `serve` with it. */
function exchange(
  method: string,
  serve: (r: IncomingRequest, b: ReturnType<Network['layer']>) => void,
  timers = RFC_TIMERS,
) {
  const clock = new VirtualClock();
  const net = new Network(clock);
  const a = net.layer('10.0.0.1', 1, timers);
  const b = net.layer('10.0.0.2', 2, timers);
  const requests: IncomingRequest[] = [];
  b.onRequest = (r) => {
    requests.push(r);
    serve(r, b);
  };
  const responses: number[] = [];
  let timeouts = 0;
  const message = sipRequest(method, 'sip:b@10.0.0.2', [
    ['Via', a.via(B)],
    ['From', '<sip:a@10.0.0.1>;tag=1'],
    ['To', '<sip:b@10.0.0.2>'],
    ['Call-ID', 'x'],
    ['CSeq', `1 ${method}`],
  ]);
  const begin = (): ClientTransaction => {
    const t = a.client(message, B, {
      onResponse: (r: SipRepresentation) => responses.push(statusOf(r)),
      onTimeout: () => timeouts++,
    });
    t.start();
    return t;
  };
  const at = (line: string) => net.passed.filter((p) => p.line === line).map((p) => p.at);
  return { clock, net, a, b, requests, responses, begin, at, timeouts: () => timeouts };
}

test('an unanswered INVITE is repeated at T1 doubled, and given up after 64 T1', () => {
  const x = exchange('INVITE', () => undefined);
  x.net.lose = () => true;
  x.begin();
  x.clock.advance(40_000);
  assert.deepEqual(x.at('INVITE'), [0, 500, 1500, 3500, 7500, 15_500, 31_500]); // RFC 3261 §17.1.1.2
  assert.equal(x.timeouts(), 1);
});

test('an unanswered request is repeated at T1 doubled up to T2, and given up after 64 T1', () => {
  const x = exchange('OPTIONS', () => undefined);
  x.net.lose = () => true;
  x.begin();
  x.clock.advance(40_000);
  assert.deepEqual(x.at('OPTIONS'), [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]); // §17.1.2.2
  assert.equal(x.timeouts(), 1);
});

test('with the timers of TS 24.229 table 7.7.1 times are four times as long', () => {
  const x = exchange('REGISTER', () => undefined, IMS_TIMERS);
  x.net.lose = () => true;
  x.begin();
  x.clock.advance(200_000);
  assert.deepEqual(x.at('REGISTER').slice(0, 5), [0, 2000, 6000, 14_000, 30_000]);
  assert.equal(x.timeouts(), 1);
  assert.equal(Math.max(...x.at('REGISTER')) <= 128_000, true);
});

test('after a provisional response INVITE is not repeated, other requests are every T2', () => {
  const provisional = (r: IncomingRequest, b: Parameters<Parameters<typeof exchange>[1]>[1]) => b.respond(r, 100);
  const invite = exchange('INVITE', provisional);
  invite.begin();
  invite.clock.advance(100_000);
  assert.deepEqual([invite.at('INVITE').length, invite.timeouts()], [1, 0]);
  const other = exchange('OPTIONS', provisional);
  other.begin();
  other.clock.advance(12_000);
  assert.deepEqual(other.at('OPTIONS'), [0, 500, 4500, 8500]);
});

test('a request that somebody takes care of already is not sent another way. RFC 3261 §18.1.1', () => {
  const x = exchange('INVITE', (r, b) => void b.respond(r, 180));
  const heard: number[] = [];
  const nowhere = { onResponse: (r: SipRepresentation) => heard.push(statusOf(r)), onTimeout: () => {} };
  const t = x.a.client(x.begin().request, B, { ...nowhere, onFailure: () => assert.fail() });
  t.start();
  x.clock.advance(100);
  t.fail('gone');
  assert.equal(heard.at(-1), 503);
});

test('a final response to INVITE is repeated until its ACK; the ACK is repeated with it', () => {
  const x = exchange('INVITE', (r, b) => void (r.method === 'INVITE' && b.respond(r, 486)));
  let acks = 0;
  x.net.lose = (p) => p.line === 'ACK' && acks++ < 2;
  const t = x.begin();
  x.clock.advance(3000);
  assert.equal(t.state, 'completed');
  assert.deepEqual(x.at('486 INVITE'), [10, 510, 1510]);
  assert.equal(x.at('ACK').length, 3);
  assert.deepEqual(x.responses, [486]);
  assert.equal(x.requests.length, 1);
  x.clock.advance(40_000);
  assert.equal(t.state, 'terminated'); // timer D
});

test('a server that gets no ACK says so after 64 T1', () => {
  let told = 0;
  const x = exchange('INVITE', (r, b) => {
    r.transaction!.onNoAck = () => told++;
    b.respond(r, 486);
  });
  x.net.lose = (p) => p.line === 'ACK';
  x.begin();
  x.clock.advance(40_000);
  assert.equal(told, 1);
  assert.deepEqual(x.at('486 INVITE').slice(0, 6), [10, 510, 1510, 3510, 7510, 11_510]); // timer G: doubled up to T2
});

test('a repeated request is answered again, and not served again', () => {
  const x = exchange('MESSAGE', (r, b) => void b.respond(r, 200));
  let n = 0;
  x.net.lose = (p) => p.line === '200 MESSAGE' && n++ < 2;
  const t = x.begin();
  x.clock.advance(4000);
  assert.deepEqual([x.requests.length, x.at('200 MESSAGE').length, x.responses], [1, 3, [200]]);
  assert.equal(t.state, 'completed');
  x.clock.advance(3000);
  assert.equal(t.state, 'terminated'); // timer K
});

test('a response goes back where the request came from, and says from where', () => {
  const x = exchange('OPTIONS', (r, b) => void b.respond(r, 200));
  x.begin();
  x.clock.advance(100);
  const via = x.requests[0].message.headers.find((h) => h.name === 'Via')!.value;
  assert.match(via, /^SIP\/2\.0\/UDP 10\.0\.0\.1:5060;branch=z9hG4bK[0-9a-f]{16};rport=5060;received=10\.0\.0\.1$/);
  assert.deepEqual(x.responses, [200]);
});

test('what is no SIP message, or lacks what all have, is counted', () => {
  const x = exchange('OPTIONS', () => undefined);
  const other: number[] = [];
  x.b.onOther = (o) => other.push(o.length);
  const send = (text: string) => x.a.sendOctets(new TextEncoder().encode(text), B);
  send('\r\n\r\n');
  send('HELLO');
  x.clock.advance(100);
  assert.deepEqual(other, [4]);
  x.net.passed.length = 0;
  send('OPTIONS sip:b@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\n\r\n');
  send('SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\n\r\n');
  x.clock.advance(100);
  assert.deepEqual([x.b.counters.malformed, x.b.counters.stray, x.requests.length], [2, 1, 0]);
});
