import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerOf, headersOf, sipRequest } from '../../../dissectors/sip/index.js';
import { digestResponse } from '../../../src/crypto/digest.js';
import { address } from '../../../src/live/address.js';
import { LabPcscf, type LabPcscfOptions } from '../../../src/live/lab-pcscf.js';
import type { LabSubscriber } from '../../../src/live/lab-registrar.js';
import { parseAuth } from '../../../src/live/sip/header-text.js';
import type { SipLayer } from '../../../src/live/sip/layer.js';
import { IMS_TIMERS } from '../../../src/live/sip/transport.js';
import { UserAgent, type UserAgentEvent } from '../../../src/live/sip/user-agent.js';
import { AuthenticationCentre, sqnNumber, Usim, type UsimSecrets } from '../../../src/live/sip/usim.js';
import { VirtualClock } from '../clock.js';
import { Network } from './network.js';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

/** TS 35.208, test set 1. */
const SET1 = {
  k: octets('465b5ce8b199b49faa5f0a2ee238a6bc'),
  opc: octets('cd63cb71954a9f4e48a5994e37a02baf'),
  rand: octets('23553cbe9637a89d218ae64dae47bf35'),
  autn: octets('55f328b43577b9b94a9ffac354dfafb3'),
  sqn: 0xff9bb4d0b607,
};
const SECRETS: UsimSecrets = { k: SET1.k, opc: SET1.opc };

test('a USIM answers the challenge of TS 35.208 set 1', () => {
  const usim = new Usim({ ...SECRETS, sqn: SET1.sqn - 1 });
  const answer = usim.authenticate(SET1.rand, SET1.autn);
  assert.equal(answer.result, 'success');
  if (answer.result !== 'success') return;
  assert.equal(hex(answer.res), 'a54211d5e3ba50bf');
  assert.equal(hex(answer.ck), 'b40ba9a3c58b2a05bbf0d987b21bf8cb');
  assert.equal(hex(answer.ik), 'f769bcd751044604127672711c6d3441');
  assert.equal(usim.sqn, SET1.sqn);
});

test('a USIM refuses a wrong MAC, and asks for resynchronisation where the number is not fresh', () => {
  const wrong = SET1.autn.slice();
  wrong[15] ^= 1;
  assert.equal(new Usim(SECRETS).authenticate(SET1.rand, wrong).result, 'mac failure');
  const ahead = new Usim({ ...SECRETS, sqn: SET1.sqn });
  const answer = ahead.authenticate(SET1.rand, SET1.autn);
  assert.equal(answer.result, 'resynchronise');
  if (answer.result !== 'resynchronise') return;
  // SQN xor f5* of set 1 (451e8beca43b)
  assert.equal(hex(answer.auts.subarray(0, 6)), 'ba853f3c123c');
  const centre = new AuthenticationCentre(SECRETS);
  assert.equal(centre.resynchronise(SET1.rand, answer.auts), true);
  assert.equal(centre.sqn, sqnNumber(octets('ff9bb4d0b607')));
  answer.auts[13] ^= 1;
  assert.equal(centre.resynchronise(SET1.rand, answer.auts), false);
  assert.equal(
    new Usim(SECRETS).authenticate(SET1.rand, new AuthenticationCentre(SECRETS).vector(SET1.rand).autn).result,
    'success',
  );
});

const subscriber = (more: Partial<LabSubscriber>): LabSubscriber => ({
  impi: 'alice@ims.example',
  impus: ['sip:alice@ims.example', 'sip:+15551@ims.example'],
  algorithm: 'MD5',
  password: 'secret',
  ...more,
});

function lab(
  own: LabSubscriber,
  ue: { password?: string; usim?: Usim; expires?: number },
  more: Partial<LabPcscfOptions> = {},
) {
  const clock = new VirtualClock();
  const net = new Network(clock);
  const layer = net.layer('10.0.0.1', 1, IMS_TIMERS);
  const registrar: string[] = [];
  const pcscf = new LabPcscf(layer, {
    domain: 'ims.example',
    subscribers: [own],
    onEvent: (e) => registrar.push(e.type),
    ...more,
  });
  const events: UserAgentEvent[] = [];
  const ua = new UserAgent({
    layer: net.layer('10.0.0.2', 2, IMS_TIMERS),
    identity: { impi: 'alice@ims.example', ...ue },
    impu: 'sip:alice@ims.example',
    domain: 'ims.example',
    peer: { address: address('10.0.0.1'), port: 5060 },
    mediaPort: () => ({ address: address('10.0.0.2'), port: 40_000 }),
    ...(ue.expires ? { expires: ue.expires } : {}),
    onEvent: (e) => events.push(e),
  });
  const of = () => events.flatMap((e) => (e.type === 'registration' ? [e.event] : []));
  const requests = () => net.passed.filter((p) => p.line === 'REGISTER').map((p) => p.message!);
  return { clock, net, pcscf, ua, events, of, requests, registrar };
}

for (const algorithm of ['MD5', 'SHA-256'] as const)
  test(`registration with Digest ${algorithm}`, () => {
    const x = lab(subscriber({ algorithm }), { password: 'secret' });
    x.ua.register();
    x.clock.advance(1000);
    assert.deepEqual(x.net.log(), ['2 > 1 REGISTER', '1 > 2 401 REGISTER', '2 > 1 REGISTER', '1 > 2 200 REGISTER']);
    assert.deepEqual(
      x.of().map((e) => e.type),
      ['challenged', 'registered'],
    );
    const [first, second] = x.requests();
    // TS 24.229 §5.1.1.2: empty credentials; K.2.1.2.2.1: instance and reg-id
    assert.match(headerOf(first, 'Authorization')!, /username="alice@ims.example".*nonce="".*response=""/);
    assert.match(
      headerOf(first, 'Contact')!,
      /^<sip:alice@10\.0\.0\.2:5060>;\+sip\.instance="<urn:uuid:[0-9a-f-]{36}>";reg-id=1;expires=600000$/,
    );
    assert.match(headerOf(first, 'Via')!, /;keep(;|$)/);
    assert.equal(headerOf(first, 'Call-ID'), headerOf(second, 'Call-ID'));
    assert.equal(Number.parseInt(headerOf(second, 'CSeq')!, 10), Number.parseInt(headerOf(first, 'CSeq')!, 10) + 1);
    assert.equal(x.ua.registration.state, 'registered');
    assert.deepEqual(x.ua.registration.associated, ['sip:alice@ims.example', 'sip:+15551@ims.example']);
    assert.equal(x.ua.registration.serviceRoute.length, 1);
  });

for (const algorithm of ['AKAv1-MD5', 'AKAv2-MD5'] as const)
  test(`registration with ${algorithm}, and resynchronisation`, () => {
    const x = lab(subscriber({ algorithm, usim: { ...SECRETS, sqn: 1000 } }), {
      usim: new Usim({ ...SECRETS, sqn: 500 }),
    });
    x.ua.register();
    x.clock.advance(1000);
    assert.deepEqual(
      x.of().map((e) => e.type),
      ['challenged', 'registered'],
    );
    assert.equal(x.pcscf.registrar.binding('sip:alice@ims.example')?.contact, 'sip:alice@10.0.0.2:5060');

    const y = lab(subscriber({ algorithm, usim: { ...SECRETS, sqn: 1000 } }), {
      usim: new Usim({ ...SECRETS, sqn: 5000 }),
    });
    y.ua.register();
    y.clock.advance(1000);
    assert.deepEqual(
      y.of().map((e) => (e.type === 'challenged' ? e.resynchronising : e.type)),
      [true, false, 'registered'],
    );
    assert.match(headerOf(y.requests()[1], 'Authorization')!, /auts="[A-Za-z0-9+/]{19}="/);
  });

test('a network without the key is not answered, a wrong password refused', () => {
  const other = { ...SECRETS, k: new Uint8Array(16) };
  const x = lab(subscriber({ algorithm: 'AKAv1-MD5', usim: other }), { usim: new Usim(SECRETS) });
  x.ua.register();
  x.clock.advance(1000);
  const [challenged, failed] = x.of();
  assert.ok(challenged.type === 'challenged' && challenged.reason === 'mac failure');
  assert.ok(failed.type === 'failed' && failed.status === 403 && failed.retryMs === undefined);
  // TS 24.229 §5.1.1.5.3: the response is empty, and there is no AUTS.
  assert.match(
    headerOf(x.requests()[1], 'Authorization')!,
    /nonce="[^"]{40,}", uri="[^"]+", response="", algorithm=AKAv1-MD5$/,
  );

  const y = lab(subscriber({}), { password: 'wrong' });
  y.ua.register();
  y.clock.advance(1000);
  const last = y.of().at(-1)!;
  assert.ok(last.type === 'failed' && last.status === 403);
  assert.deepEqual(y.registrar, ['challenged', 'refused']);
});

test('a registration is refreshed 600 s before its end, or at half of a short one, with the known nonce', () => {
  const x = lab(subscriber({}), { password: 'secret' }, { longest: 3600 });
  x.ua.register();
  x.clock.advance(1000);
  x.net.passed.length = 0;
  x.clock.advance(2_998_000);
  assert.equal(x.requests().length, 0);
  x.clock.advance(2000);
  assert.equal(x.requests().length, 1); // TS 24.229 §5.1.1.4.1
  assert.match(headerOf(x.requests()[0], 'Authorization')!, /nc=00000002/);
  const events = x.of();
  assert.ok(events.at(-1)!.type === 'registered' && (events.at(-1) as { refreshed: boolean }).refreshed);

  const y = lab(subscriber({}), { password: 'secret' }, { longest: 800 });
  y.ua.register();
  y.clock.advance(1000);
  y.clock.advance(399_500);
  assert.equal(y.of().filter((e) => e.type === 'registered').length, 2);
});

test('a nonce that is too old is answered with another, without asking the user', () => {
  const x = lab(subscriber({}), { password: 'secret' }, { longest: 5400 });
  x.ua.register();
  x.clock.advance(4_900_000);
  const events = x.of().map((e) => e.type);
  assert.deepEqual(events, ['challenged', 'registered', 'challenged', 'registered']);
  assert.match(
    headersOf(x.net.passed.filter((p) => p.line === '401 REGISTER')[1].message!, 'WWW-Authenticate')[0],
    /stale=true/,
  );
});

test('too short an interval is lengthened as the registrar wants', () => {
  const x = lab(subscriber({}), { password: 'secret', expires: 30 }, { shortest: 120 });
  x.ua.register();
  x.clock.advance(1000);
  const last = x.of().at(-1)!;
  assert.ok(last.type === 'registered' && last.seconds === 120);
  assert.ok(x.net.log().includes('1 > 2 423 REGISTER'));
});

test('without an answer it is tried again after ever longer times', () => {
  const x = lab(subscriber({}), { password: 'secret' });
  x.net.lose = () => true;
  x.ua.register();
  x.clock.advance(128_000);
  const [failed] = x.of();
  assert.ok(failed.type === 'failed' && failed.status === 408);
  assert.ok(failed.retryMs! >= 30_000 && failed.retryMs! <= 60_000); // RFC 5626 §4.5
  x.clock.advance(60_000 + 128_000);
  const second = x.of()[1];
  assert.ok(second.type === 'failed' && second.retryMs! >= 60_000 && second.retryMs! <= 120_000);
  x.net.lose = () => false;
  x.clock.advance(130_000);
  assert.equal(x.ua.registration.state, 'registered');
});

test('deregistration ends refresh and keep-alives', () => {
  const x = lab(subscriber({}), { password: 'secret' });
  x.ua.register();
  x.clock.advance(1000);
  x.ua.deregister();
  x.clock.advance(1000);
  assert.equal(headerOf(x.requests().at(-1)!, 'Expires'), '0');
  assert.deepEqual(x.of().at(-1), { type: 'deregistered' });
  assert.equal(x.pcscf.registrar.binding('sip:alice@ims.example'), undefined);
  x.net.passed.length = 0;
  x.clock.advance(7_200_000);
  assert.deepEqual(x.net.log(), []);
});

test('keep-alives go as often as the P-CSCF asks, are answered, and a dead flow is registered anew', () => {
  const x = lab(subscriber({}), { password: 'secret' }, { keepSeconds: 60 });
  x.ua.register();
  x.clock.advance(1000);
  const registered = x.of().at(-1)!;
  assert.ok(registered.type === 'registered' && registered.keepSeconds === 60);
  x.clock.advance(599_000);
  const pings = x.net.passed.filter((p) => p.line.startsWith('octets') && p.from === '2').map((p) => p.at);
  for (const [i, t] of pings.slice(1).entries()) {
    const gap = (t - pings[i]) / 1000;
    assert.ok(gap >= 48 && gap <= 60.1, String(gap)); // RFC 5626 §4.4: 80 to 100 %
  }
  assert.equal(x.ua.keptAlive, pings.length);
  x.net.lose = (p) => p.line.startsWith('octets');
  x.clock.advance(120_000);
  assert.ok(x.events.some((e) => e.type === 'keep-alive' && e.event === 'failed'));
  assert.equal(x.of().filter((e) => e.type === 'registered').length, 2);
  x.net.lose = () => false;
  const answered = x.ua.keptAlive;
  x.clock.advance(300_000);
  assert.ok(x.ua.keptAlive >= answered + 4, 'and is kept alive again');
});

test('all bindings are removed where nothing stands beside * and Expires is 0', () => {
  const x = lab(subscriber({}), { password: 'secret' });
  x.ua.register();
  x.clock.advance(1000);
  const layer = (x.ua as unknown as { layer: SipLayer }).layer;
  const peer = { address: address('10.0.0.1'), port: 5060 };
  const given = parseAuth(headerOf(x.requests().at(-1)!, 'Authorization')!)!.params;
  const nonce = given.get('nonce')!;
  const uri = 'sip:ims.example';
  const account = { username: 'alice@ims.example', realm: 'ims.example', password: 'secret' };
  let count = 1;
  // RFC 3261 §10.3, step 6
  for (const [contacts, expires, answer] of [
    [['*'], '600', '400 REGISTER'],
    [['*'], undefined, '400 REGISTER'],
    [['*', '<sip:alice@10.0.0.2>'], '0', '400 REGISTER'],
    [['<sip:alice@10.0.0.2>, *'], '0', '400 REGISTER'],
    [['*'], '0', '200 REGISTER'],
  ] as const) {
    assert.ok(x.pcscf.registrar.binding('sip:alice@ims.example'));
    const nc = (++count).toString(16).padStart(8, '0');
    const proof = { algorithm: 'MD5', ...account, method: 'REGISTER', uri, nonce, qop: 'auth', nc, cnonce: 'c' };
    const response = digestResponse({ ...proof, body: new Uint8Array() });
    const message = sipRequest('REGISTER', uri, [
      ['Via', layer.via(peer)],
      ['Max-Forwards', '70'],
      ['From', '<sip:alice@ims.example>;tag=1'],
      ['To', '<sip:alice@ims.example>'],
      ['Call-ID', 'star'],
      ['CSeq', `${count} REGISTER`],
      ...contacts.map((c): [string, string] => ['Contact', c]),
      ...(expires === undefined ? [] : [['Expires', expires] as [string, string]]),
      [
        'Authorization',
        `Digest username="${account.username}", realm="ims.example", nonce="${nonce}", uri="${uri}", qop=auth, nc=${nc}, cnonce="c", response="${response}", algorithm=MD5`,
      ],
    ]);
    layer.client(message, peer, { onResponse: () => {}, onTimeout: () => {} }).start();
    x.clock.advance(100);
    assert.equal(x.net.log().at(-1), `1 > 2 ${answer}`, `${contacts} ${expires}`);
  }
  assert.equal(x.pcscf.registrar.binding('sip:alice@ims.example'), undefined);
});

test('what cannot be a number of hops is no request, and with none left nothing is passed on', () => {
  for (const [hops, status] of [
    ['0', '483 MESSAGE'],
    ['many', '400 MESSAGE'],
    ['-1', '400 MESSAGE'],
  ]) {
    const x = lab(subscriber({}), { password: 'secret' });
    x.ua.register();
    x.clock.advance(1000);
    const layer = (x.ua as unknown as { layer: SipLayer }).layer;
    const peer = { address: address('10.0.0.1'), port: 5060 };
    const message = sipRequest('MESSAGE', 'sip:alice@ims.example', [
      ['Via', layer.via(peer)],
      ['Max-Forwards', hops],
      ['From', '<sip:alice@ims.example>;tag=1'],
      ['To', '<sip:alice@ims.example>'],
      ['Call-ID', 'x'],
      ['CSeq', '1 MESSAGE'],
    ]);
    layer.client(message, peer, { onResponse: () => {}, onTimeout: () => {} }).start();
    x.clock.advance(100);
    assert.equal(x.net.log().at(-1), `1 > 2 ${status}`);
  }
});

test('without an agreed interval keep-alives go every 24 to 29 seconds', () => {
  const x = lab(subscriber({}), { password: 'secret' });
  x.ua.register();
  x.clock.advance(300_000);
  const pings = x.net.passed.filter((p) => p.line.startsWith('octets') && p.from === '2').map((p) => p.at / 1000);
  for (const [i, t] of pings.slice(1).entries()) assert.ok(t - pings[i] >= 24 && t - pings[i] <= 29.1);
  assert.ok(pings.length >= 10);
});
