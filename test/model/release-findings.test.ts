import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder, type Shaper } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { clearConversation } from '../build/conversation.js';
import { at } from '../build/packets.js';
import {
  addressed,
  both,
  called,
  codes,
  ENDS,
  finding,
  found,
  type Json,
  registered,
  reportOn,
  sdp,
  sip,
  Talk,
  talk,
  UE,
} from './support.js';

/** What is under way when its tunnel ends. */

const BOB = 'sip:bob@ims.example';
const CLOSED = 'tunnel.closed-in-call';
const REGISTERING = 'tunnel.closed-registering';
const invited = (t = talk()): Talk => t.up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }));
const trying = (t = talk()): Talk => invited(t).down(1010, sip('100 Trying INVITE', {}, 'down'));
const ringing = (t = talk()): Talk => trying(t).down(1600, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));

/** What the tunnel of a talk, and others, came to. */
function several(...tunnels: readonly (readonly [Talk, Partial<ConnectionOptions>])[]): Promise<Json> {
  const builder = new CaptureBuilder();
  for (const [t, o] of tunnels) builder.connection(clearConversation(t.steps), { ...ENDS, step: 10, ...o });
  return reportOn(builder.build().octets);
}

describe('a call when its tunnel ends', () => {
  test('rings: it has failed, and what ended the tunnel stands before that', async () => {
    const r = await ringing().report({ end: 'rst' }, 60_000);
    assert.deepEqual(codes(r), ['tunnel.reset', CLOSED]);
    const f = finding(r, CLOSED);
    assert.deepEqual(
      f.refs.map((x: Json) => `${x.kind} ${x.id}`),
      ['tunnel 1', 'call 1'],
    );
    assert.match(f.meaning, /^Call 1 was ringing, 600 ms after its INVITE, when a reset came that bears the address/);
    assert.equal(finding(r, 'tunnel.reset').severity, 'error');
    const [c] = r.calls;
    assert.equal(c.state, 'failed');
    assert.match(c.failure.reason, /^The tunnel ended before the call was answered: a reset came/);
    assert.deepEqual(c.end, r.tunnels[0].closed);
  });

  test('has got no answer yet: nobody is blamed for that', async () => {
    // Timer B goes on behind the end of the tunnel: RFC 3261 §17.1.1.2.
    for (const t of [invited(), trying()]) {
      const r = await found(t, 200_000);
      assert.deepEqual(codes(r), [CLOSED]);
      assert.equal(r.calls[0].state, 'failed');
      assert.match(r.calls[0].failure.reason, /the UE closed the connection\.$/);
    }
  });

  test('had got none for long before', async () => {
    const t = invited();
    const r = await found(t.up(41_000, sip('OPTIONS sip:ims.example', { callId: 'o' })), 200_000);
    assert.equal(finding(r, 'call.no-answer').confidence, 'likely');
    assert.match(finding(r, 'call.no-answer').meaning, /^What could be heard ends after 40 s/);
  });

  test('may have ended in what the capture lacks: that stands first', async () => {
    // The capture lacks the segment with the BYE; what the UE says after it shows that.
    const without: Shaper = (frames) => frames.filter((f) => !Buffer.from(f.octets).includes(`BYE ${BOB}`));
    const t = both(called(talk(), 1000, 2000), 1210, 90);
    t.up(3500, sip('OPTIONS sip:ims.example', { callId: 'o' })).down(
      3510,
      sip('200 OK OPTIONS', { callId: 'o' }, 'down'),
    );
    const built = new CaptureBuilder({ shape: [without] });
    built.connection(clearConversation(t.steps), { ...ENDS, step: 10, end: 'fin' });
    const r = await reportOn(built.build().octets);
    assert.equal(r.findings[0].code, 'capture.gap');
    const closed = finding(r, CLOSED);
    assert.ok(closed === undefined || (closed.severity === 'warn' && closed.confidence === 'possible'));
    // Where the end of another call is known to be missing nothing but the tunnel's end explains it.
    const cut = both(called(talk(), 1000, 2000, false), 1210, 90);
    assert.equal(finding(await found(cut), CLOSED).severity, 'error');
  });

  test('is up, and others ring', async () => {
    const t = both(called(talk(), 1000, 0, false), 1210, 90);
    t.down(2500, sip('INVITE sip:alice@10.0.0.2', { callId: 'second', from: BOB, fromTag: 'x' }, 'down'));
    t.up(2510, sip('180 Ringing INVITE', { callId: 'second', from: BOB, fromTag: 'x', toTag: 'y' }));
    const r = await found(t, 60_000);
    assert.deepEqual(codes(r), [CLOSED]);
    assert.match(finding(r, CLOSED).meaning, /^Call 1 had been up for 1\.8 s when .* So it was with 1 more\./);
    assert.deepEqual(
      r.calls.map((c: Json) => c.state),
      ['established', 'failed'],
    );
    assert.match(r.calls[0].failure.reason, /^The tunnel ended during the call: /);
  });

  test('is over, or given up: no word of it', async () => {
    const cancelled = ringing()
      .up(3000, sip(`CANCEL ${BOB}`))
      .down(3010, sip('200 OK CANCEL', { toTag: 'b' }, 'down'));
    for (const t of [cancelled, called(talk(), 1000, 2000)])
      assert.equal(finding(await found(t, 60_000), CLOSED), undefined);
  });

  test('goes on in another tunnel of the UE', async () => {
    const again = called(addressed(new Talk()), 1000, 2000);
    const r = await several(
      [ringing(), { end: 'rst' }],
      [again, { client: at('192.0.2.10', 40_001), start: 20_000, isn: [5, 6] }],
    );
    assert.equal(finding(r, CLOSED), undefined);
    assert.equal(r.calls.length, 1);
    assert.equal(r.calls[0].state, 'ended');
  });
});

describe('a registration when its tunnel ends', () => {
  const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example' };
  const contact = ['Contact', '<sip:alice@10.0.0.2:5060>;expires=3600'] as const;
  const challenge = ['WWW-Authenticate', 'Digest realm="ims.example", nonce="abc", algorithm=MD5'] as const;
  const asked = (): Talk =>
    addressed(new Talk()).up(100, sip('REGISTER sip:ims.example', { ...p, headers: [contact] }));
  const challenged = (): Talk =>
    asked().down(110, sip('401 Unauthorized REGISTER', { ...p, toTag: 'r', headers: [challenge] }, 'down'));

  test('waits for an answer: the P-CSCF is not blamed', async () => {
    const r = await asked().report({ end: 'rst' }, 200_000);
    assert.deepEqual(codes(r), ['tunnel.reset', REGISTERING]);
    assert.match(finding(r, REGISTERING).meaning, /^The registration was under way when a reset came/);
    assert.equal(r.registrations[0].state, 'failed');
    assert.deepEqual(
      [r.tunnels[0].failure.stage, r.tunnels[0].failure.cause],
      ['register', 'The tunnel ended while the UE registered.'],
    );
  });

  test('was challenged', async () => {
    assert.deepEqual(codes(await challenged().report({ end: 'rst' }, 200_000)), ['tunnel.reset', REGISTERING]);
    // That of the UE itself: it does not answer the challenge.
    const r = await challenged().report({}, 200_000);
    assert.deepEqual(codes(r), ['sip.register-failed']);
    assert.match(finding(r, 'sip.register-failed').meaning, /^The UE did not answer the challenge\./);
  });

  test('is to be refreshed', async () => {
    const t = registered(addressed(new Talk())).up(
      100_000,
      sip('REGISTER sip:ims.example', { ...p, cseq: 3, headers: [contact] }),
    );
    const r = await t.report({ end: 'rst' }, 200_000);
    assert.equal(finding(r, REGISTERING).severity, 'warn');
    assert.match(finding(r, REGISTERING).meaning, /^A refresh of the registration was under way/);
    assert.equal(finding(r, 'sip.register-timeout'), undefined);
    assert.equal(finding(r, 'tunnel.closed-registered'), undefined);
    assert.equal(r.registrations[0].state, 'registered');
  });

  test('is followed by another one in another tunnel', async () => {
    const again = registered(addressed(new Talk()));
    const r = await several([asked(), { end: 'rst' }], [again, { client: at('192.0.2.10', 40_001), start: 5000 }]);
    assert.equal(finding(r, REGISTERING).severity, 'warn');
    assert.match(finding(r, REGISTERING).meaning, /The user was registered again later\./);
  });
});

describe('tunnels of several UEs', () => {
  /** Tunnels of UEs with addresses of their own, each of which ends by itself. */
  const ended = (n: number, apartMs: number, end: 'fin' | 'rst' | 'none' = 'rst', more = 0): Promise<Json> =>
    several(
      ...Array.from({ length: n + more }, (_, i): readonly [Talk, Partial<ConnectionOptions>] => [
        talk().up(10_000, sip('OPTIONS sip:ims.example', { callId: `o${i}` })),
        { client: at(`192.0.2.${20 + i}`, 40_000), start: apartMs * i, end: i < n ? end : 'none' },
      ]),
    );
  const CODE = 'tunnel.outage';

  test('that end at the same time have one reason', async () => {
    const r = await ended(4, 200);
    assert.equal(codes(r)[0], CODE);
    const f = finding(r, CODE);
    assert.match(f.meaning, /^4 tunnels ended within 600 ms\. None was left\./);
    assert.deepEqual([f.confidence, f.refs.length, f.rows.length], ['likely', 4, 4]);
  });

  test('that end one after the other, by their UEs, or while most go on, do not', async () => {
    for (const r of [
      await ended(4, 4000),
      await ended(4, 200, 'fin'),
      await ended(3, 200, 'rst', 3),
      await ended(2, 200),
    ])
      assert.equal(finding(r, CODE), undefined);
  });
});

test('a message, or a subscription, that waits when its tunnel ends had no time for an answer', async () => {
  for (const what of ['MESSAGE sip:sc@ims.example', 'SUBSCRIBE sip:alice@ims.example']) {
    const r = await talk()
      .up(2000, sip(what, { callId: 'm1' }))
      .report({ end: 'rst' }, 60_000);
    assert.deepEqual(codes(r), ['tunnel.reset']);
  }
});

test('a call that its other side no longer knows in the next tunnel says what became of the first', async () => {
  const refused = '481 Call/Transaction Does Not Exist INVITE';
  const again = addressed(new Talk())
    .up(1000, sip(`INVITE ${BOB}`, { toTag: 'b', cseq: 2, sdp: sdp(UE, 30_000) }))
    .down(1050, sip(refused, { toTag: 'b', cseq: 2 }, 'down'));
  const r = await several(
    [both(called(talk(), 1000, 0, false), 1210, 90), { end: 'rst' }],
    [again, { client: at('192.0.2.10', 40_001), start: 6000, isn: [5, 6] }],
  );
  assert.match(
    finding(r, 'call.dialog-lost').meaning,
    /^The answer was 481\. Tunnel 1, in which the call was, had ended 4\.1 s before\./,
  );
});
