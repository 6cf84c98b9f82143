import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerOf, type SipRepresentation } from '../../../dissectors/sip/index.js';
import { address } from '../../../src/live/address.js';
import { seededRandom } from '../../../src/live/random.js';
import type { SipLayer } from '../../../src/live/sip/layer.js';
import { Reservation } from '../../../src/live/sip/reservation.js';
import { CODECS, MediaSession } from '../../../src/live/sip/sdp.js';
import { SessionTimer, tooBrief } from '../../../src/live/sip/session-timer.js';
import { readSip } from '../../../src/live/sip/transport.js';
import type { UserAgentOptions } from '../../../src/live/sip/user-agent.js';
import { VirtualClock } from '../clock.js';
import { pair } from './pair.js';

/* Session timers (RFC 4028) and preconditions (RFC 3312). */

type Options = Partial<UserAgentOptions>;

function called(caller: Options, callee: Options = {}) {
  const x = pair([caller, callee]);
  const call = x.a.ua.call('sip:user2@ims.example');
  x.clock.advance(100);
  return { ...x, call };
}

function established(caller: Options, callee: Options = {}) {
  const x = called(caller, callee);
  x.incoming().answer();
  x.clock.advance(100);
  x.net.passed.length = 0;
  return x;
}

/** A message of a foreign user agent. */
const message = (start: string, ...headers: string[]): SipRepresentation =>
  readSip(Buffer.from(`${[start, ...headers].join('\r\n')}\r\n\r\n`))!;

test('the caller asks for a session timer, and refreshes by UPDATE at half of it', () => {
  const x = called({ sessionExpires: 600 });
  const invite = x.net.passed[0].message!;
  assert.deepEqual([headerOf(invite, 'Session-Expires'), headerOf(invite, 'Supported')], ['600', '100rel, timer']);
  x.incoming().answer();
  x.clock.advance(100);
  const ok = x.net.passed.find((p) => p.line === '200 INVITE')!.message!;
  // RFC 4028 §9 table 2: nobody said who, the caller can
  assert.deepEqual([headerOf(ok, 'Session-Expires'), headerOf(ok, 'Require')], ['600;refresher=uac', 'timer']);
  x.net.passed.length = 0;
  x.clock.advance(299_000);
  assert.deepEqual(x.net.log(), []);
  x.clock.advance(1_000);
  assert.deepEqual(x.net.log(), ['1 > 2 UPDATE', '2 > 1 200 UPDATE']);
  const [update, answer] = x.net.passed.map((p) => p.message!);
  assert.equal(update.body.length, 0);
  assert.equal(headerOf(update, 'Session-Expires'), '600;refresher=uac'); // RFC 4028 §7.4: the role stays
  assert.equal(headerOf(answer, 'Session-Expires'), '600;refresher=uac');
  x.clock.advance(3_000_000);
  assert.equal(x.call.state, 'confirmed');
  x.call.hangUp();
  x.clock.advance(40_000);
  assert.equal(x.clock.next(), Number.POSITIVE_INFINITY);
});

test('a hold refreshes too, and whoever holds', () => {
  const x = established({ sessionExpires: 600 });
  x.clock.advance(200_000);
  x.incoming().hold();
  x.clock.advance(100);
  const [invite, ok] = x.net.passed.map((p) => p.message!);
  assert.deepEqual(
    [headerOf(invite, 'Session-Expires'), headerOf(ok, 'Session-Expires')],
    ['600;refresher=uas', '600;refresher=uas'], // the caller stays the refresher
  );
  x.net.passed.length = 0;
  x.clock.advance(299_000);
  assert.deepEqual(x.net.log(), []);
  x.clock.advance(1_000);
  assert.deepEqual(x.net.log(), ['1 > 2 UPDATE', '2 > 1 200 UPDATE']);
});

test('who hears no refresh ends the call before the timer runs out', () => {
  const x = established({ sessionExpires: 600 });
  x.net.lose = (p) => p.from === '1';
  const from = x.clock.now() - 90;
  x.clock.advance(600_000);
  const bye = x.net.passed.find((p) => p.line === 'BYE' && p.from === '2')!;
  assert.ok(Math.abs(bye.at - from - 568_000) <= 20, String(bye.at - from)); // RFC 4028 §10: 32 s before
  assert.equal(x.of(x.b).at(-1), 'ended failure');
});

test('who refreshes in vain ends the call before the timer runs out, too. RFC 4028 §10', () => {
  const x = established({ sessionExpires: 600 });
  const other = x.incoming();
  other.handle = (request) => void (x.b.ua as unknown as { layer: SipLayer }).layer.respond(request, 503);
  (other as unknown as { timer: SessionTimer }).timer.stop(); // it would end the call, too
  x.clock.advance(567_000);
  assert.deepEqual([x.net.log(), x.call.state], [['1 > 2 UPDATE', '2 > 1 503 UPDATE'], 'confirmed']);
  x.clock.advance(1_500);
  assert.equal(x.net.log()[2], '1 > 2 BYE');
  assert.equal(x.statusOf(x.a), 408);
});

test('a refresh that gets 481, 408 or no answer ends the call with a BYE. RFC 4028 §10', () => {
  for (const status of [481, 408, undefined]) {
    const x = established({ sessionExpires: 600 });
    const other = x.incoming();
    const { layer } = x.b.ua as unknown as { layer: SipLayer };
    other.handle = (request) => {
      if (request.method === 'BYE') layer.respond(request, 481);
      else if (status !== undefined) layer.respond(request, status);
    };
    x.clock.advance(300_000 + 33_000);
    assert.deepEqual(x.net.log().slice(-2), ['1 > 2 BYE', '2 > 1 481 BYE'], `${status}`);
    assert.equal(x.call.state, 'ended');
    assert.equal(x.statusOf(x.a), status ?? 408);
  }
});

test('a session that would be over at once has no timer', () => {
  const timer = new SessionTimer({
    clock: new VirtualClock(),
    wanted: 600,
    refresh: () => assert.fail(),
    expired: () => assert.fail(),
  });
  timer.answered(message('SIP/2.0 200 OK', 'Session-Expires: 0;refresher=uac'));
  assert.equal(timer.agreed, undefined);
});

test('a user agent that stops leaves no timer behind', () => {
  const x = established({ sessionExpires: 600 });
  x.a.ua.stop();
  x.b.ua.stop();
  x.clock.advance(0);
  assert.equal(x.clock.next(), Number.POSITIVE_INFINITY);
  assert.deepEqual(x.net.log(), []);
});

test('without a session timer of the caller there is none', () => {
  const x = established({ sessionExpires: 0 });
  x.clock.advance(10_000_000);
  assert.deepEqual(x.net.log(), []);
});

test('too short an interval is refused with the least', () => {
  const brief = message('INVITE sip:a@b SIP/2.0', 'x: 60', 'k: timer');
  assert.deepEqual(tooBrief(brief), [['Min-SE', '90']]); // RFC 4028 §5
  assert.equal(tooBrief(message('INVITE sip:a@b SIP/2.0', 'Session-Expires: 60')), undefined); // §9: nobody would know
  assert.equal(tooBrief(message('INVITE sip:a@b SIP/2.0', 'Session-Expires: 90;refresher=uas', 'k: timer')), undefined);
});

/** A timer alone, with what it asked for. */
function timer(wanted?: number) {
  const clock = new VirtualClock();
  const said: string[] = [];
  const t = new SessionTimer({
    clock,
    wanted,
    refresh: () => said.push(`refresh ${clock.now()}`),
    expired: () => said.push(`expired ${clock.now()}`),
  });
  return { clock, t, said };
}

test('a refusal with 422 lengthens what is asked for, once for each greater minimum', () => {
  const { t } = timer(120);
  assert.deepEqual(t.ask(), [['Session-Expires', '120']]);
  const refusal = message('SIP/2.0 422 Session Interval Too Small', 'Min-SE: 300');
  assert.deepEqual([t.lengthen(refusal), t.lengthen(refusal)], [true, false]);
  assert.deepEqual(t.ask(), [
    ['Session-Expires', '300'],
    ['Min-SE', '300'],
  ]); // RFC 4028 §7.3
});

test('the largest Min-SE of a request stands in ours. RFC 4028 §7.4', () => {
  const { t } = timer();
  const ask = (...headers: string[]) => t.answer(message('INVITE sip:a@b SIP/2.0', 'Supported: timer', ...headers));
  ask('Session-Expires: 600;refresher=uas', 'Min-SE: 90');
  assert.deepEqual(t.ask(), [
    ['Session-Expires', '600;refresher=uac'],
    ['Min-SE', '90'],
  ]);
  ask('Session-Expires: 1800;refresher=uas', 'Min-SE: 900');
  ask('Session-Expires: 800;refresher=uas');
  assert.deepEqual(t.ask(), [
    ['Session-Expires', '900;refresher=uac'],
    ['Min-SE', '900'],
  ]);
});

test('who refreshes is as RFC 4028 table 2 says', () => {
  const answers = [
    ['Session-Expires: 600'],
    ['Session-Expires: 600', 'Supported: timer'],
    ['Session-Expires: 600;refresher=uac', 'Supported: 100rel, timer'],
    ['Session-Expires: 600;refresher=uas', 'Supported: timer'],
  ].map((headers) => {
    const { t, clock, said } = timer();
    const [expires, require] = t.answer(message('INVITE sip:a@b SIP/2.0', ...headers));
    clock.advance(600_000);
    return [expires[1], require?.[1], said[0]];
  });
  assert.deepEqual(answers, [
    ['600;refresher=uas', undefined, 'refresh 300000'],
    ['600;refresher=uac', 'timer', 'expired 568000'],
    ['600;refresher=uac', 'timer', 'expired 568000'],
    ['600;refresher=uas', 'timer', 'refresh 300000'], // §9: who does not refresh is to end what is not refreshed
  ]);
  const { t, clock, said } = timer(600);
  t.answered(message('SIP/2.0 200 OK', 'Session-Expires: 90;refresher=uas'));
  clock.advance(90_000);
  assert.deepEqual(said, ['expired 60000']); // §10: a third of it before the end
  t.answered(message('SIP/2.0 200 OK'));
  assert.equal(t.agreed, undefined);
});

const sdpOf = (m: SipRepresentation): string[] =>
  Buffer.from(m.body)
    .toString()
    .split('\r\n')
    .filter((l) => l.includes(':qos'));

test('with preconditions nobody rings before both sides have their resources', () => {
  const x = called(
    { preconditions: { offered: true, reserveMs: 500 } },
    { preconditions: { offered: false, reserveMs: 50 } },
  );
  assert.equal(headerOf(x.net.passed[0].message!, 'Supported'), '100rel, precondition, timer');
  x.incoming().ring();
  x.incoming().answer();
  x.clock.advance(400);
  assert.deepEqual(x.of(x.a), ['progress']); // no media yet
  x.clock.advance(600);
  assert.deepEqual(x.net.log(), [
    '1 > 2 INVITE',
    '2 > 1 100 INVITE',
    '2 > 1 183 INVITE',
    '1 > 2 PRACK',
    '2 > 1 200 PRACK',
    '1 > 2 UPDATE',
    '2 > 1 200 UPDATE',
    '2 > 1 180 INVITE',
    '1 > 2 PRACK',
    '2 > 1 200 PRACK',
    '2 > 1 200 INVITE',
    '1 > 2 ACK',
  ]);
  const of = (line: string): string[] => sdpOf(x.net.passed.find((p) => p.line === line)!.message!);
  // RFC 3312 §13.1, with what TS 24.229 §6.1.2 says of strengths
  assert.deepEqual(of('INVITE'), [
    'a=curr:qos local none',
    'a=curr:qos remote none',
    'a=des:qos mandatory local sendrecv',
    'a=des:qos optional remote sendrecv',
  ]);
  assert.deepEqual(of('183 INVITE'), [
    'a=curr:qos local none',
    'a=curr:qos remote none',
    'a=des:qos mandatory local sendrecv',
    'a=des:qos mandatory remote sendrecv',
    'a=conf:qos remote sendrecv',
  ]);
  assert.equal(of('UPDATE')[0], 'a=curr:qos local sendrecv');
  assert.deepEqual(of('200 UPDATE').slice(0, 2), ['a=curr:qos local sendrecv', 'a=curr:qos remote sendrecv']);
  assert.equal(x.net.passed.find((p) => p.line === '200 INVITE')!.message!.body.length, 0); // RFC 3261 §13.2.1
  assert.deepEqual(x.of(x.a), ['progress', 'media', 'progress', 'answered']);
  assert.deepEqual(x.of(x.b), ['answered', 'media']);
  assert.equal(x.call.state, 'confirmed');
});

test('resources that are there at once need no 183', () => {
  const x = called({ preconditions: { offered: true, reserveMs: 0 } });
  x.incoming().ring();
  x.clock.advance(100);
  x.incoming().answer();
  x.clock.advance(100);
  assert.deepEqual(
    x.net.log().filter((l) => !l.includes('PRACK')),
    ['1 > 2 INVITE', '2 > 1 100 INVITE', '2 > 1 180 INVITE', '2 > 1 200 INVITE', '1 > 2 ACK'],
  );
  assert.ok(sdpOf(x.net.passed.find((p) => p.line === '200 INVITE')!.message!).includes('a=curr:qos remote sendrecv'));
});

test('a callee whose resources take longer rings when they are there', () => {
  const x = called(
    { preconditions: { offered: true, reserveMs: 0 } },
    { preconditions: { offered: false, reserveMs: 2000 } },
  );
  x.incoming().ring();
  x.clock.advance(1000);
  assert.ok(!x.net.log().includes('2 > 1 180 INVITE'));
  x.clock.advance(1500);
  assert.ok(x.net.log().includes('2 > 1 180 INVITE'));
  x.call.hangUp();
  x.clock.advance(40_000);
  assert.equal(x.clock.next(), Number.POSITIVE_INFINITY);
});

test('a call is taken back while resources are waited for', () => {
  const x = called({ preconditions: { offered: true, reserveMs: 60_000 } });
  x.incoming().ring();
  x.clock.advance(1000);
  x.call.hangUp();
  x.clock.advance(1000);
  assert.deepEqual([x.of(x.a).at(-1), x.statusOf(x.b)], ['ended local', 487]);
  x.clock.advance(100_000);
  assert.equal(x.clock.next(), Number.POSITIVE_INFINITY);
});

test('a peer that speaks of no preconditions is not waited for', () => {
  const local = { address: address('10.0.0.1'), port: 4000 };
  const reservation = new Reservation({ offered: true, reserveMs: 1000 });
  const session = new MediaSession(local, [CODECS.PCMU], seededRandom(1), reservation);
  assert.match(Buffer.from(session.offer()).toString(), /a=curr:qos local none/);
  session.accept(Buffer.from('v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 6000 RTP/AVP 0\r\n'));
  assert.deepEqual([reservation.active, reservation.waiting], [false, false]);
  assert.doesNotMatch(
    Buffer.from(session.answer(Buffer.from('v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 6000 RTP/AVP 0\r\n'))!).toString(),
    /qos/,
  );
});
