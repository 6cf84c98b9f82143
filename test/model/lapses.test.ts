import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codes, finding, found, type Json, sip, type Talk, talk } from './support.js';

/** Subscriptions and registrations that run out while the tunnel goes on, and tunnels and captures that end before. */

const AOR = 'sip:alice@ims.example';

/** What of a subscription differs from the others. */
interface Subscribed {
  readonly event?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly seconds?: number;
}

function asked(t: Talk, ms: number, { event = 'reg', callId = 's1', cseq = 1, seconds = 60 }: Subscribed = {}): Talk {
  const p = { callId, cseq, from: AOR, to: AOR, ...(cseq > 1 && { toTag: 's' }) };
  const headers = [
    ['Event', event],
    ['Expires', `${seconds}`],
  ] as const;
  return t.up(ms, sip(`SUBSCRIBE ${AOR}`, { ...p, headers }));
}

function accepted(t: Talk, ms: number, o: Subscribed = {}): Talk {
  const { callId = 's1', cseq = 1, seconds = 60 } = o;
  const p = { callId, cseq, from: AOR, to: AOR, toTag: 's', headers: [['Expires', `${seconds}`]] as const };
  return asked(t, ms, o).down(ms + 10, sip('200 OK SUBSCRIBE', p, 'down'));
}

function notified(
  t: Talk,
  ms: number,
  state: string,
  { event = 'reg', callId = 's1' }: Subscribed = {},
  cseq = 1,
): Talk {
  const p = { callId, cseq, fromTag: 's', toTag: 'a', from: AOR, to: AOR };
  const headers = [
    ['Event', event],
    ['Subscription-State', state],
  ] as const;
  return t.down(ms, sip('NOTIFY sip:alice@10.0.0.2', { ...p, headers }, 'down')).up(ms + 5, sip('200 OK NOTIFY', p));
}

const CODE = 'subscription.expired';
const subscribed = (o: Subscribed = {}): Talk => notified(accepted(talk(), 1000, o), 1050, 'active;expires=60', o);
const told = async (t: Talk, beyond: number, end: 'fin' | 'none' = 'none'): Promise<Json> =>
  finding(await found(t, beyond, end), CODE);

describe('a subscription', () => {
  test('runs out without a refresh', async () => {
    const r = await found(subscribed(), 120_000, 'none');
    assert.deepEqual(codes(r), [CODE]);
    const f = finding(r, CODE);
    assert.deepEqual([f.severity, f.confidence, f.refs], ['warn', 'certain', [{ kind: 'tunnel', id: 1 }]]);
    assert.match(f.meaning, /^The one for reg was granted for 60 s from then on\. It was not refreshed in time/);
    assert.deepEqual(f.rows, [r.subscriptions[0].rows[2]]);
    assert.equal((await told(subscribed({ event: 'message-summary' }), 120_000)).severity, 'note');
  });

  test('has what a NOTIFY grants: less, or more', async () => {
    assert.equal(await told(notified(subscribed(), 2000, 'active;expires=600', {}, 2), 120_000), undefined);
    const less = notified(accepted(talk(), 1000, { seconds: 3600 }), 1050, 'active;expires=50');
    assert.match((await told(less, 120_000)).meaning, /^The one for reg was granted for 50 s/);
  });

  test('a refresh that nothing answers', async () => {
    const f = await told(asked(subscribed(), 31_000, { cseq: 2 }), 120_000);
    assert.match(f.meaning, / from then on\. A refresh was sent, and not accepted\. It was not/);
  });

  test('the notifier ends it for want of a refresh, not because it was asked to', async () => {
    const timeout = 'terminated;reason=timeout';
    assert.equal((await told(notified(subscribed(), 61_100, timeout, {}, 2), 60_000)).severity, 'warn');
    const left = accepted(subscribed(), 30_000, { cseq: 2, seconds: 0 });
    assert.equal(await told(notified(left, 30_100, timeout, {}, 2), 120_000), undefined);
    assert.equal(
      await told(notified(subscribed(), 30_000, 'terminated;reason=deactivated', {}, 2), 120_000),
      undefined,
    );
  });

  test('is refreshed, in its dialog or in another', async () => {
    for (const more of [{ cseq: 2 }, { callId: 's2' }]) {
      const t = accepted(subscribed(), 30_000, { ...more, seconds: 600 });
      assert.equal(await told(notified(t, 30_050, 'active', more, 2), 120_000), undefined);
    }
    // One for something else is another one.
    const other = { callId: 's2', event: 'message-summary', seconds: 600 };
    const t = notified(accepted(subscribed(), 30_000, other), 30_050, 'active', other);
    assert.equal((await told(t, 120_000)).severity, 'warn');
  });

  test('ends with the capture, the tunnel or the registration', async () => {
    assert.equal(await told(subscribed(), 80_000), undefined);
    assert.equal(await told(subscribed(), 120_000, 'fin'), undefined);
    const register = { callId: 'reg-1@10.0.0.2', from: AOR, to: AOR, cseq: 3 };
    const leave = { ...register, headers: [['Contact', '<sip:alice@10.0.0.2:5060>;expires=0']] as const };
    const left = subscribed()
      .up(20_000, sip('REGISTER sip:ims.example', leave))
      .down(20_010, sip('200 OK REGISTER', { ...register, toTag: 'r' }, 'down'));
    assert.equal(await told(left, 120_000), undefined);
  });
});

test('a registration does not run out for want of a refresh where its tunnel ended before', async () => {
  const open = await found(talk(), 4_000_000, 'none');
  assert.deepEqual(
    [open.registrations[0].state, codes(open)],
    ['expired', ['dhcp.lease-expired', 'sip.registration-expired']],
  );
  const closed = await found(talk(), 4_000_000);
  assert.deepEqual([closed.registrations[0].state, codes(closed)], ['expired', []]);
  assert.ok(codes(closed, 0).includes('tunnel.closed-registered'));
});
