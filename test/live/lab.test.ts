import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, addressText } from '../../src/live/address.js';
import type { IncomingCall } from '../../src/live/sip/callee.js';
import type { SipPeer } from '../../src/live/sip/transport.js';
import { pcscfAt, SipPhone, type SipPhoneEvent } from '../../src/live/sip-phone.js';
import { DOMAIN, lab } from './lab-pair.js';
import { noTshark, tsharkFields } from './tshark.js';

for (const family of [4, 6] as const)
  test(`IPv${family}: an address, the P-CSCF by DNS, AKA, a call to the echo with media and digits, and leave`, () => {
    const x = lab(['alice'], [family]);
    let found: SipPeer[] = [];
    x.ues[0].resolver.pcscf(DOMAIN, [family], (peers) => {
      found = peers;
    });
    x.clock.advance(1000);
    const expected = family === 4 ? '10.64.0.1' : '2001:db8:64::1';
    assert.deepEqual(
      found.map((p) => [addressText(p.address), p.port]),
      [[expected, 5060]],
    );
    const a = x.begin(0, found[0]);
    assert.equal(a.ue.agent.registration.state, 'registered');
    const call = a.ue.agent.call(`sip:echo@${DOMAIN}`);
    x.clock.advance(5000);
    assert.deepEqual(a.kinds(), ['progress', 'media', 'answered']);
    const talker = a.ue.talker(call)!;
    // RFC 3551: fifty packets of twenty milliseconds a second; answered after the service rang
    assert.ok(talker.sent >= 230 && talker.sent <= 241, String(talker.sent));
    assert.ok(talker.reception!.received >= talker.sent - 3);
    assert.equal(talker.reception!.lost, 0);
    assert.ok(talker.reception!.jitter < 1);
    assert.equal(a.ue.dial(call, '7', 200), true);
    x.clock.advance(1000);
    call.hangUp();
    x.clock.advance(1000);
    assert.deepEqual(a.kinds().at(-1), 'ended local');
    a.ue.agent.deregister();
    x.clock.advance(1000);
    assert.equal(a.ue.agent.registration.state, 'none');
    assert.equal(x.network.pcscf.registrar.binding(`sip:alice@${DOMAIN}`), undefined);
    a.ue.stop();
    x.ues[0].inner.stop();
    x.network.stop();
    x.router.stop();
    assert.equal(x.clock.next(), Number.POSITIVE_INFINITY);
  });

test('a UE calls another: digits arrive, hold silences, the callee hangs up; messages go too', () => {
  const x = lab(['alice', 'bob'], [4]);
  const [a, b] = [x.begin(0), x.begin(1)];
  const call = a.ue.agent.call(`sip:bob@${DOMAIN}`);
  x.clock.advance(500);
  const incoming = (b.events.find((e) => e.type === 'incoming') as { call: IncomingCall }).call;
  assert.equal(incoming.from, `sip:alice@${DOMAIN}`);
  incoming.ring();
  x.clock.advance(500);
  incoming.answer();
  x.clock.advance(1000);
  assert.equal(a.ue.dial(call, '#', 100), true);
  x.clock.advance(1000);
  const digit = b.events.find((e) => e.type === 'digit');
  assert.ok(digit?.type === 'digit' && digit.signal === '#' && digit.milliseconds === 100);
  assert.ok(b.ue.talker(incoming)!.reception!.received > 90);
  incoming.hold();
  x.clock.advance(1000);
  const before = a.ue.talker(call)!.sent;
  x.clock.advance(31_000);
  // TS 24.229 K.5.2.1, RFC 6263: nothing but a keep-alive every fifteen seconds
  assert.equal(a.ue.talker(call)!.keepAlives, a.ue.talker(call)!.sent - before);
  assert.equal(a.ue.talker(call)!.keepAlives, 2);
  incoming.resume();
  x.clock.advance(1000);
  assert.ok(a.ue.talker(call)!.sent - before > 45);
  incoming.hangUp();
  x.clock.advance(500);
  assert.equal(a.kinds().at(-1), 'ended remote');
  let status = 0;
  a.ue.agent.message(`sip:bob@${DOMAIN}`, 'hello', (s) => {
    status = s;
  });
  x.clock.advance(500);
  assert.equal(status, 200);
  assert.ok(b.events.some((e) => e.type === 'message' && e.text === 'hello'));
});

test('who is not there, busy, silent, or not known', () => {
  const x = lab(['alice'], [4]);
  const a = x.begin(0);
  const statuses: (number | undefined)[] = [];
  for (const user of ['bob', 'busy', 'nobody']) {
    a.ue.agent.call(`sip:${user}@${DOMAIN}`);
    x.clock.advance(1000);
    const last = a.events.at(-1)!;
    statuses.push(last.type === 'call' && last.event.type === 'ended' ? last.event.status : undefined);
  }
  assert.deepEqual(statuses, [480, 486, 404]);
  const silent = a.ue.agent.call(`sip:silent@${DOMAIN}`);
  x.clock.advance(20_000);
  assert.equal(silent.state, 'ringing');
  silent.hangUp();
  x.clock.advance(1000);
  assert.equal(a.kinds().at(-1), 'ended local 487');
  const announcement = a.ue.agent.call(`sip:announcement@${DOMAIN}`);
  x.clock.advance(10_000);
  assert.equal(announcement.state, 'ended');
  assert.equal(a.kinds().at(-1), 'ended remote');
});

test('who is not registered is served nothing', () => {
  const x = lab(['bob'], [4]);
  const { inner, random } = x.ues[0];
  const events: SipPhoneEvent[] = [];
  const ue = new SipPhone({
    host: inner.host,
    clock: x.clock,
    random,
    pcscf: pcscfAt(inner.pcscfs[0] as Address),
    identity: { impi: 'eve' },
    impu: `sip:eve@${DOMAIN}`,
    domain: DOMAIN,
    onEvent: (e) => events.push(e),
  });
  ue.agent.call(`sip:echo@${DOMAIN}`);
  ue.agent.register();
  x.clock.advance(1000);
  const ends = events.flatMap((e) => {
    if (e.type === 'call' && e.event.type === 'ended') return [e.event.status];
    return e.type === 'registration' && e.event.type === 'failed' ? [e.event.status] : [];
  });
  assert.deepEqual(ends, [403, 403]);
});

test('tshark reads SIP, SDP, RTP, RTCP and STUN of a run, and finds no fault', { skip: noTshark }, () => {
  const x = lab(['alice'], [4]);
  const a = x.begin(0);
  const call = a.ue.agent.call(`sip:echo@${DOMAIN}`);
  x.clock.advance(6000);
  a.ue.dial(call, '5');
  x.clock.advance(1000);
  call.hold();
  x.clock.advance(40_000);
  call.hangUp();
  x.clock.advance(1000);
  a.ue.agent.deregister();
  x.clock.advance(1000);
  const rows = tsharkFields(x.wire, [
    '_ws.col.Protocol',
    '_ws.malformed',
    'udp.checksum.status',
    'sip.Method',
    'rtp.p_type',
    'rtcp.pt',
    'ip.src',
  ]);
  assert.deepEqual(
    rows.filter((r) => r[1] !== '' || r[2] === '0'),
    [],
  );
  const methods = new Set(rows.map((r) => r[3]));
  for (const m of ['REGISTER', 'INVITE', 'PRACK', 'ACK', 'BYE']) assert.ok(methods.has(m), m);
  const own = rows.filter((r) => r[6] !== '10.64.0.1');
  assert.ok(own.filter((r) => r[4] === '0').length > 250);
  assert.ok(own.filter((r) => r[4] === '101').length === 10); // 160 ms: seven updates and three ends
  assert.ok(rows.some((r) => r[4] === '20')); // TS 24.229 §K.5.2.1: the echo, which is on hold
  assert.ok(own.some((r) => r[5] === '200,202'));
  assert.ok(own.some((r) => r[5] === '200,202,203'));
  assert.ok(rows.some((r) => r[0] === 'STUN'));
});
