import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerOf, type SipRepresentation, sipRequest, sipResponse } from '../../../dissectors/sip/index.js';
import { address } from '../../../src/live/address.js';
import type { IncomingCall } from '../../../src/live/sip/callee.js';
import { IMS_TIMERS, readSip, writeSip } from '../../../src/live/sip/transport.js';
import { UserAgent, type UserAgentEvent } from '../../../src/live/sip/user-agent.js';
import { VirtualClock } from '../clock.js';
import { lineOf, Network } from './network.js';

/* Messages of a peer that cross ours, come out of turn, or from several who answer at once. */

const PEER = { address: address('10.0.0.2'), port: 5060 };
const sdp = (port: number): Uint8Array =>
  Buffer.from(`v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\n`);

/** A user agent, and a peer that says what the test wants. */
function scripted() {
  const clock = new VirtualClock();
  const net = new Network(clock);
  const events: UserAgentEvent[] = [];
  const ua = new UserAgent({
    layer: net.layer('10.0.0.1', 1, IMS_TIMERS),
    identity: { impi: 'user1', password: 'secret' },
    impu: 'sip:user1@ims.example',
    domain: 'ims.example',
    peer: PEER,
    mediaPort: () => ({ address: address('10.0.0.1'), port: 40_000 }),
    onEvent: (e) => events.push(e),
  });
  const wire = net.transport('10.0.0.2');
  const heard: SipRepresentation[] = [];
  wire.onOctets = (octets) => heard.push(readSip(octets)!);
  const say = (m: SipRepresentation): void => {
    wire.send(writeSip(m), { address: address('10.0.0.1'), port: 5060 });
    clock.advance(100);
  };
  /** Answers a request, as who has that tag. */
  const answer = (
    to: SipRepresentation,
    status: number,
    tag: string,
    more: [string, string][] = [],
    body?: Uint8Array,
  ) =>
    say(
      sipResponse(
        to,
        status,
        'x',
        [['To', `${headerOf(to, 'To')!.replace(/;tag=.*/, '')};tag=${tag}`], ['Contact', '<sip:b@10.0.0.2>'], ...more],
        body && { type: 'application/sdp', octets: body },
      ),
    );
  const request = (
    method: string,
    cseq: number,
    {
      to = '',
      branch = `z9hG4bK${method}${cseq}`,
      more = [] as [string, string][],
      body = undefined as Uint8Array | undefined,
    } = {},
  ) =>
    sipRequest(
      method,
      'sip:user1@10.0.0.1',
      [
        ['Via', `SIP/2.0/UDP 10.0.0.2:5060;branch=${branch}`],
        ['Max-Forwards', '70'],
        ['From', '<sip:b@10.0.0.2>;tag=peer'],
        ['To', `<sip:user1@ims.example>${to && `;tag=${to}`}`],
        ['Call-ID', 'crossing'],
        ['CSeq', `${cseq} ${method}`],
        ['Contact', '<sip:b@10.0.0.2>'],
        ...more,
      ],
      body && { type: 'application/sdp', octets: body },
    );
  const lines = (): string[] => heard.map(lineOf);
  const last = (line: string): SipRepresentation => heard.findLast((m) => lineOf(m) === line)!;
  const tagOf = (m: SipRepresentation, name: string): string => /tag=(\w+)/.exec(headerOf(m, name) ?? '')?.[1] ?? '';
  /** Calls us; returns the call. */
  const invite = (): IncomingCall => {
    say(request('INVITE', 1, { body: sdp(6000) }));
    return (events.find((e) => e.type === 'incoming') as { call: IncomingCall }).call;
  };
  const call = () => {
    const one = ua.call('sip:b@ims.example');
    clock.advance(100);
    return one;
  };
  return { clock, ua, events, heard, say, answer, request, lines, last, tagOf, invite, call };
}

for (const [what, inAnswer] of [
  ['its answer', true],
  ['what it said while it rang', false],
] as const)
  test(`of those who ring at once, media go to the one who answers, by ${what}. RFC 3261 §13.2.2.4`, () => {
    const x = scripted();
    const call = x.call();
    const invite = x.last('INVITE');
    const reliable = (n: number): [string, string][] => [
      ['Require', '100rel'],
      ['RSeq', String(n)],
    ];
    x.answer(invite, 183, 'one', reliable(10), sdp(6000));
    x.answer(invite, 183, 'two', reliable(20), sdp(7000));
    assert.equal(call.media!.remote.port, 6000);
    x.answer(invite, 200, 'two', [], inAnswer ? sdp(7000) : undefined);
    assert.equal(call.media!.remote.port, 7000);
    assert.equal(x.tagOf(x.last('ACK'), 'To'), 'two');
    x.answer(invite, 200, 'one', [], sdp(6000)); // too late
    assert.equal(x.tagOf(x.last('BYE'), 'To'), 'one');
    assert.deepEqual([call.state, call.media!.remote.port], ['confirmed', 7000]);
  });

test('no CANCEL goes before its INVITE was heard of, also where that was challenged. RFC 3261 §9.1', () => {
  const x = scripted();
  const call = x.call();
  x.answer(x.last('INVITE'), 100, 'x');
  x.answer(x.last('INVITE'), 407, 'x', [['Proxy-Authenticate', 'Digest realm="x", nonce="abc", algorithm=MD5']]);
  call.hangUp();
  x.clock.advance(100);
  assert.ok(!x.lines().includes('CANCEL'));
  x.answer(x.last('INVITE'), 180, 'y');
  assert.equal(headerOf(x.last('CANCEL'), 'Via'), headerOf(x.last('INVITE'), 'Via'));
});

test('who knows nothing of our PRACK is told to stop ringing', () => {
  const x = scripted();
  const call = x.call();
  x.answer(x.last('INVITE'), 180, 'one', [
    ['Require', '100rel'],
    ['RSeq', '1'],
  ]);
  x.answer(x.last('PRACK'), 481, 'one');
  assert.equal(call.state, 'ended');
  assert.equal(x.lines().at(-1), 'CANCEL');
});

test('a re-INVITE before ours is answered meets 491, before we have answered theirs 500. RFC 3261 §14.2', () => {
  const x = scripted();
  x.call();
  const invite = x.last('INVITE');
  x.answer(invite, 183, 'one', [], sdp(6000));
  const own = x.tagOf(invite, 'From');
  x.say({
    ...x.request('INVITE', 1, { to: own, body: sdp(6002) }),
    headers: x.request('INVITE', 1, { to: own, body: sdp(6002) }).headers.map((h) => {
      if (h.name === 'From') return { name: h.name, value: '<sip:b@ims.example>;tag=one' };
      return h.name === 'Call-ID' ? { name: h.name, value: headerOf(invite, 'Call-ID')! } : h;
    }),
  });
  assert.equal(x.lines().at(-1), '491 INVITE');

  const y = scripted();
  const call = y.invite();
  call.ring();
  y.clock.advance(100);
  y.say(y.request('INVITE', 2, { to: y.tagOf(y.last('180 INVITE'), 'To'), body: sdp(6002) }));
  assert.equal(y.lines().at(-1), '500 INVITE');
  assert.match(headerOf(y.last('500 INVITE'), 'Retry-After')!, /^(10|\d)$/);
  assert.equal(call.state, 'ringing');
});

test('who answered a call neither ends nor holds it before the ACK. RFC 3261 §14.1, §15', () => {
  for (const [act, line] of [
    ['hangUp', 'BYE'],
    ['hold', 'INVITE'],
  ] as const) {
    const x = scripted();
    const call = x.invite();
    call.answer();
    call[act]();
    x.clock.advance(1000);
    assert.deepEqual(x.lines(), ['100 INVITE', '200 INVITE']);
    x.say(x.request('ACK', 1, { to: x.tagOf(x.last('200 INVITE'), 'To') }));
    assert.equal(x.lines().at(-1), line);
    assert.equal(call.state, act === 'hold' ? 'confirmed' : 'ended');
  }
});

test('the CANCEL of a re-INVITE that was answered is taken, and changes nothing. RFC 3261 §9.2', () => {
  const x = scripted();
  const call = x.invite();
  call.answer();
  x.clock.advance(100);
  const to = x.tagOf(x.last('200 INVITE'), 'To');
  x.say(x.request('ACK', 1, { to }));
  x.say(x.request('INVITE', 2, { to, body: sdp(6002) }));
  x.say(x.request('CANCEL', 2, { to, branch: 'z9hG4bKINVITE2' }));
  assert.equal(x.lines().at(-1), '200 CANCEL');
  assert.equal(call.state, 'confirmed');
  x.say(x.request('UPDATE', 3, { to, more: [['Require', 'teleport']] }));
  assert.equal(x.lines().at(-1), '420 UPDATE'); // RFC 3261 §8.2.2.3: within dialogs, too
  assert.equal(headerOf(x.last('420 UPDATE'), 'Unsupported'), 'teleport');
});

test('an INVITE that comes by two ways is one call. RFC 3261 §8.2.2.2', () => {
  const x = scripted();
  x.invite();
  x.say(x.request('INVITE', 1, { branch: 'z9hG4bKother', body: sdp(6000) }));
  assert.equal(x.lines().at(-1), '482 INVITE');
  assert.equal(x.events.filter((e) => e.type === 'incoming').length, 1);
});

test('a registration that is granted no time is none, and is not asked for again at once', () => {
  const x = scripted();
  x.ua.register();
  x.clock.advance(100);
  const contact = headerOf(x.last('REGISTER'), 'Contact')!.replace(/expires=\d+/, 'expires=0');
  x.answer(x.last('REGISTER'), 200, 'r', [['Contact', contact]]);
  x.clock.advance(60_000);
  assert.deepEqual(x.lines(), ['REGISTER']);
  assert.equal(x.ua.registration.state, 'failed');
});
