import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codes, finding, found, type Json, note, sip, type Talk, talk } from './support.js';

describe('messages and subscriptions', () => {
  const sms = (rp: number, reference: number, more: readonly number[] = []): string =>
    String.fromCharCode(rp, reference, ...more);
  const type = [['Content-Type', 'application/vnd.3gpp.sms']] as const;
  const message = (callId: string, body: string, way: 'up' | 'down') =>
    sip('MESSAGE sip:smsc@ims.example', { callId, headers: type, sdp: body }, way);

  test('a short message and its report', async () => {
    const t = talk()
      .up(1000, message('m1', sms(0, 5), 'up'))
      .down(1050, sip('202 Accepted MESSAGE', { callId: 'm1', toTag: 's' }, 'down'))
      .down(1500, message('m2', sms(3, 5), 'down'))
      .up(1520, sip('200 OK MESSAGE', { callId: 'm2', toTag: 's' }));
    const r = await t.report({ end: 'none' }, 60_000);
    assert.deepEqual(codes(r), []);
    assert.deepEqual(
      r.messages.map((m: Json) => [m.direction, m.sms, m.status]),
      [
        ['up', { rp: 'RP-DATA', reference: 5 }, 202],
        ['down', { rp: 'RP-ACK', reference: 5 }, 200],
      ],
    );
  });

  test('a reference that is used again has a report of its own', async () => {
    const ok = (callId: string, way: 'up' | 'down') => sip('202 Accepted MESSAGE', { callId, toTag: 's' }, way);
    const sent = (t: Talk, ms: number, n: number) =>
      t.up(ms, message(`m${n}`, sms(0, 5), 'up')).down(ms + 50, ok(`m${n}`, 'down'));
    const acked = (t: Talk, ms: number, n: number) =>
      t.down(ms, message(`a${n}`, sms(3, 5), 'down')).up(ms + 20, ok(`a${n}`, 'up'));
    const once = () => acked(sent(talk(), 1000, 1), 1500, 1);
    const r = await found(sent(once(), 60_000, 2), 60_000, 'none');
    assert.deepEqual(codes(r), ['sms.no-report']);
    assert.equal(r.findings[0].count, 1);
    assert.deepEqual(codes(await found(acked(sent(once(), 60_000, 2), 60_500, 2), 60_000, 'none')), []);
    // That there is memory again (RP-SMMA) reports nothing.
    const memory = talk()
      .down(1000, message('m1', sms(1, 5), 'down'))
      .up(1050, ok('m1', 'up'))
      .up(1500, message('m2', sms(6, 5), 'up'))
      .down(1550, ok('m2', 'down'));
    assert.deepEqual(codes(await found(memory, 60_000, 'none')), ['sms.no-report']);
  });

  test('no report, an error, a refusal', async () => {
    const sent = () =>
      talk()
        .up(1000, message('m1', sms(0, 5), 'up'))
        .down(1050, sip('202 Accepted MESSAGE', { callId: 'm1', toTag: 's' }, 'down'));
    assert.deepEqual(codes(await sent().report({ end: 'none' }, 60_000)), ['sms.no-report']);
    const bad = await found(sent().down(1500, message('m2', sms(5, 5, [1, 38]), 'down')));
    assert.deepEqual(codes(bad), ['sms.error']);
    assert.equal(bad.messages[1].sms.cause, 38);
    assert.match(finding(bad, 'sms.error').meaning, /^The cause is 38: Network out of order\./); // TS 24.011 table 8.4
    const t = talk().up(1000, message('m1', sms(0, 5), 'up'));
    const r = await found(t.down(1050, sip('403 Forbidden MESSAGE', { callId: 'm1', toTag: 's' }, 'down')));
    assert.deepEqual(codes(r), ['message.failed']);
  });

  test('a subscription to the registration, its state and its refusal', async () => {
    const event = [['Event', 'reg']] as const;
    const p = { callId: 's1', to: 'sip:alice@ims.example', headers: event };
    const asked = () => talk().up(1000, sip('SUBSCRIBE sip:alice@ims.example', p));
    const active = [...event, ['Subscription-State', 'terminated;reason=deactivated']] as const;
    const good = asked()
      .down(1050, sip('200 OK SUBSCRIBE', { ...p, toTag: 's', headers: [['Expires', '600000']] }, 'down'))
      .down(1100, sip('NOTIFY sip:alice@10.0.0.2', { ...p, cseq: 2, toTag: 's', headers: active }, 'down'))
      .up(1110, sip('200 OK NOTIFY', { ...p, cseq: 2, toTag: 's' }));
    const r = await found(good);
    assert.deepEqual(codes(r), []);
    const { state, reason, expiresSeconds, notifications, status } = r.subscriptions[0];
    assert.deepEqual(
      [state, reason, expiresSeconds, notifications, status],
      ['terminated', 'deactivated', 600_000, 1, 200],
    );
    const refused = asked().down(1050, sip('403 Forbidden SUBSCRIBE', { ...p, toTag: 's' }, 'down'));
    assert.deepEqual(codes(await found(refused)), ['subscription.failed']);
  });
});

test('what begins with NOTIFY, or is a publication, is told as that', async () => {
  const event = ['Event', 'presence'] as const;
  const state = (value: string) => [event, ['Subscription-State', value]] as const;
  const notify = (cseq: number, value: string) =>
    sip('NOTIFY sip:alice@10.0.0.2', { callId: 'n1', fromTag: 's', toTag: 'a', cseq, headers: state(value) }, 'down');
  const publish = (cseq: number) => sip('PUBLISH sip:alice@ims.example', { callId: 'p1', cseq, headers: [event] });
  const t = talk()
    .down(1000, notify(7, 'terminated;reason=deactivated'))
    .down(1100, notify(8, 'active;expires=60'))
    .up(1200, publish(1))
    .down(1210, sip('412 Conditional Request Failed PUBLISH', { callId: 'p1', toTag: 'q' }, 'down'))
    .up(1300, publish(2))
    .down(1310, sip('403 Forbidden PUBLISH', { callId: 'p1', cseq: 2, toTag: 'q' }, 'down'));
  const r = await found(t);
  const [watched, published] = r.subscriptions;
  assert.deepEqual(
    [watched.method, watched.state, watched.reason, watched.status],
    ['NOTIFY', 'active', undefined, undefined],
  );
  assert.deepEqual([published.method, published.status], ['PUBLISH', 403]);
  assert.equal(published.responseRow, published.rows[3]);
  const told = codes(r, 0).filter((c) => /^(subscription|publication)/.test(c));
  assert.deepEqual(told, ['publication.failed']);
});

describe('what nothing comes of', () => {
  const message = (way: 'up' | 'down') =>
    sip(
      'MESSAGE sip:somebody@ims.example',
      { callId: 'm1', headers: [['Content-Type', 'text/plain']], sdp: 'Hi' },
      way,
    );

  test('a message that nobody answers', async () => {
    for (const [way, said] of [
      ['up', /^It came from the UE\./],
      ['down', /^It went to the UE\./],
    ] as const) {
      const t = way === 'up' ? talk().up(1000, message(way)) : talk().down(1000, message(way));
      const r = await found(t, 60_000, 'none');
      assert.deepEqual(codes(r), ['message.no-answer']);
      assert.match(r.findings[0].meaning, said);
      assert.deepEqual(codes(await found(t, 10_000, 'none')), []);
    }
  });

  const headers = (event: string) =>
    [
      ['Event', event],
      ['Expires', '600'],
    ] as const;
  const subscribe = (callId: string, cseq: number, event = 'reg', toTag?: string) =>
    sip('SUBSCRIBE sip:alice@ims.example', {
      callId,
      cseq,
      headers: headers(event),
      ...(toTag !== undefined && { toTag }),
    });
  const answer = (what: string, callId: string, cseq: number) =>
    sip(`${what} SUBSCRIBE`, { callId, cseq, toTag: 's', headers: [['Expires', '600']] }, 'down');
  const notify = (callId: string, cseq: number) =>
    sip(
      'NOTIFY sip:alice@10.0.0.2',
      {
        callId,
        cseq,
        fromTag: 's',
        toTag: 'a',
        headers: [
          ['Event', 'reg'],
          ['Subscription-State', 'active'],
        ],
      },
      'down',
    );
  const accepted = (t: Talk, ms: number, callId: string, event = 'reg') =>
    t.up(ms, subscribe(callId, 1, event)).down(ms + 10, answer('200 OK', callId, 1));

  test('a subscription or publication that nobody answers', async () => {
    const r = await found(talk().up(1000, subscribe('s1', 1)), 60_000, 'none');
    assert.deepEqual(codes(r), ['subscription.no-answer']);
    assert.match(r.findings[0].meaning, /^The SUBSCRIBE was for reg\./);
    note(await found(talk().up(1000, subscribe('s1', 1, 'presence')), 60_000, 'none'), 'subscription.no-answer');
    const publish = sip('PUBLISH sip:alice@ims.example', { callId: 'p1', headers: [['Event', 'presence']] });
    note(await found(talk().up(1000, publish), 60_000, 'none'), 'subscription.no-answer');
  });

  test('a subscription that no NOTIFY follows (RFC 6665 §4.1.2.4)', async () => {
    const r = await found(accepted(talk(), 1000, 's1'), 60_000, 'none');
    assert.deepEqual(codes(r), ['subscription.no-notify']);
    note(await found(accepted(talk(), 1000, 's1', 'presence'), 60_000, 'none'), 'subscription.no-notify');
    assert.deepEqual(codes(await found(accepted(talk(), 1000, 's1').down(1100, notify('s1', 1)), 60_000, 'none')), []);
    assert.deepEqual(codes(await found(accepted(talk(), 1000, 's1'), 20_000, 'none')), []);
  });

  test('one that the network no longer knows is over, and another one takes its place', async () => {
    const lost = () =>
      accepted(talk(), 1000, 's1')
        .down(1100, notify('s1', 1))
        .up(300_000, subscribe('s1', 2, 'reg', 's'))
        .down(300_010, answer('481 Subscription Does Not Exist', 's1', 2));
    const r = await found(lost());
    assert.deepEqual([r.subscriptions[0].state, codes(r)], ['terminated', ['subscription.failed']]);
    const healed = await found(accepted(lost(), 300_100, 's2').down(300_200, notify('s2', 1)));
    assert.deepEqual(codes(healed), []);
    note(healed, 'subscription.failed');
  });
});
