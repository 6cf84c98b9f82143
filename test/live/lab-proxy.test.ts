import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { address } from '../../src/live/address.js';
import { LabPcscf } from '../../src/live/lab-pcscf.js';
import type { IncomingRequest, SipLayer } from '../../src/live/sip/layer.js';
import { InviteClient, InviteServer, NonInviteServer } from '../../src/live/sip/transaction.js';
import { IMS_TIMERS } from '../../src/live/sip/transport.js';
import { UserAgent, type UserAgentEvent } from '../../src/live/sip/user-agent.js';
import { VirtualClock } from './clock.js';
import { DOMAIN, lab } from './lab-pair.js';
import { Network } from './sip/network.js';

/** How many there are that something leads to. */
const kept = (): number[] =>
  [InviteServer, InviteClient, NonInviteServer].map((kind) => queryObjects(kind, { format: 'count' }));

test('of calls that are over the P-CSCF keeps nothing once their timers are over', async () => {
  const x = lab(['alice'], [4]);
  const a = x.begin(0);
  const calls = (user: string): void => {
    const call = a.ue.agent.call(`sip:${user}@${DOMAIN}`);
    x.clock.advance(10_000);
    call.hangUp();
    x.clock.advance(1000);
  };
  for (const user of ['echo', 'echo', 'busy', 'announcement', 'nobody', 'silent', 'bob']) calls(user);
  x.clock.advance(64 * IMS_TIMERS.t1); // timer L of RFC 6026, the longest
  x.clock.advance(1000);
  a.events.length = 0; // they name the calls
  // A compiler that still works on another thread may hold one for a moment.
  for (let i = 0; i < 20 && kept().some((n) => n > 0); i++) await setTimeout(10);
  assert.deepEqual(kept(), [0, 0, 0]);
  assert.equal(a.ue.agent.registration.state, 'registered');
});

test('a challenge is kept for an hour, answered or not', () => {
  const x = lab(['alice', 'bob'], [4]);
  x.begin(0);
  const { issued } = x.network.pcscf.registrar as unknown as { issued: ReadonlyMap<string, object> };
  const before = issued.size;
  x.clock.advance(3_600_000);
  x.begin(1);
  assert.deepEqual([before, issued.size], [1, 1]);
});

/** A P-CSCF between a caller and somebody whose user agent `serve` is. */
function between(serve: (request: IncomingRequest, own: SipLayer) => void) {
  const clock = new VirtualClock();
  const net = new Network(clock);
  const own = net.layer('10.0.0.9', 3, IMS_TIMERS);
  own.onRequest = (request) => serve(request, own);
  new LabPcscf(net.layer('10.0.0.1', 1, IMS_TIMERS), {
    domain: DOMAIN,
    subscribers: [
      { impi: `alice@${DOMAIN}`, impus: [`sip:alice@${DOMAIN}`], algorithm: 'SHA-256', password: 'secret' },
    ],
    services: [{ user: 'other', peer: { address: address('10.0.0.9'), port: 5060 } }],
  });
  const events: UserAgentEvent[] = [];
  const ua = new UserAgent({
    layer: net.layer('10.0.0.2', 2, IMS_TIMERS),
    identity: { impi: `alice@${DOMAIN}`, password: 'secret' },
    impu: `sip:alice@${DOMAIN}`,
    domain: DOMAIN,
    peer: { address: address('10.0.0.1'), port: 5060 },
    mediaPort: () => ({ address: address('10.0.0.2'), port: 40_000 }),
    onEvent: (e) => events.push(e),
  });
  ua.register();
  clock.advance(1000);
  const began = clock.now();
  const call = ua.call(`sip:other@${DOMAIN}`);
  /** What went between two, and in which second of the call. */
  const log = (from: string, to: string): string[] =>
    net.passed
      .filter((p) => p.from === from && p.to === to && p.at >= began && p.message !== undefined)
      .map((p) => `${Math.round((p.at - began) / 1000)} ${p.line}`);
  const ends = () => events.flatMap((e) => (e.type === 'call' && e.event.type === 'ended' ? [e.event.status] : []));
  return { clock, net, ua, call, log, ends };
}

test('a callee that rings and then is gone is given up: timer C of RFC 3261 §16.6, and 64 T1 for its CANCEL', () => {
  const x = between((r, own) => void (r.method === 'INVITE' && own.respond(r, 180)));
  x.clock.advance(1000);
  x.net.lose = (p) => p.from === '9' || p.to === '9';
  x.clock.advance(400_000);
  const sent = x.log('1', '9');
  assert.deepEqual(sent.slice(0, 2), ['0 INVITE', '181 CANCEL']);
  assert.deepEqual(x.log('1', '2'), ['0 100 INVITE', '0 180 INVITE', '309 408 INVITE']);
  assert.deepEqual(x.ends(), [408]);
});

test('a request other than INVITE that nobody answers gets no 408 of the P-CSCF. RFC 4320 §4.2', () => {
  const x = between(() => undefined);
  const outcomes: number[] = [];
  x.ua.queryOptions(`sip:other@${DOMAIN}`, (status) => outcomes.push(status));
  x.clock.advance(200_000);
  assert.ok(x.log('1', '9').includes('0 OPTIONS'));
  assert.deepEqual(x.log('1', '2'), ['0 100 INVITE', '128 408 INVITE']);
  assert.deepEqual(outcomes, [408]); // its own timer F
});

test('each provisional response begins timer C anew, and who answers late is taken at its word', () => {
  const x = between((r, own) => {
    if (r.method !== 'INVITE') return;
    for (const after of [0, 170_000, 340_000]) x.clock.after(after, () => own.respond(r, 180));
    x.clock.after(500_000, () => own.respond(r, 486));
  });
  x.clock.advance(600_000);
  assert.deepEqual(x.log('1', '9'), ['0 INVITE', '500 ACK']);
  assert.deepEqual(x.ends(), [486]);
});

test('a CANCEL waits until the callee was heard of: RFC 3261 §9.1', () => {
  const x = between((r, own) => {
    if (r.method === 'INVITE') {
      x.clock.after(1000, () => own.respond(r, 180));
      x.clock.after(4000, () => own.respond(r, 487));
    } else if (r.method === 'CANCEL') own.respond(r, 200);
  });
  x.clock.advance(500);
  x.call.hangUp();
  x.clock.advance(10_000);
  assert.deepEqual(x.log('2', '1'), ['0 INVITE', '1 CANCEL', '4 ACK']);
  assert.deepEqual(x.log('1', '9'), ['0 INVITE', '1 CANCEL', '4 ACK']);
  const at = (to: string, line: string) => x.net.passed.find((p) => p.to === to && p.line === line)!.at;
  assert.ok(at('9', 'CANCEL') > at('1', '180 INVITE'));
  assert.deepEqual(x.ends(), [487]);
});
