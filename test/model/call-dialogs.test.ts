import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ALICE,
  BOB,
  both,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  finding,
  found,
  type Json,
  type SipParts,
  sdp,
  sip,
  speech,
  type Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

const callCodes = (r: Json) => codes(r, 0).filter((c) => c.startsWith('call.'));
const seconds = (ms: number) => Math.round(ms / 100) / 10;

const invited = (t: Talk, ms: number, cseq = 1) =>
  t
    .up(ms, sip(`INVITE ${BOB}`, { cseq, sdp: sdp(UE, 30_000) }))
    .down(ms + 10, sip('100 Trying INVITE', { cseq }, 'down'));
const answered = (t: Talk, ms: number, toTag = 'b', cseq = 1) =>
  t
    .down(ms, sip('200 OK INVITE', { toTag, cseq, sdp: sdp(CORE, 40_000) }, 'down'))
    .up(ms + 10, sip(`ACK ${BOB}`, { toTag, cseq }));
const ended = (t: Talk, ms: number, toTag = 'b', cseq = 9) =>
  t
    .up(ms, sip(`BYE ${BOB}`, { toTag, cseq, branch: `z9hG4bKbye${toTag}${cseq}` }))
    .down(ms + 10, sip('200 OK BYE', { toTag, cseq, branch: `z9hG4bKbye${toTag}${cseq}` }, 'down'));

describe('several dialogs of a call', () => {
  test('both forks answer: the end of one leaves the call (RFC 3261 §13.2.2.4)', async () => {
    const t = answered(answered(invited(talk(), 1000), 1200, 'b'), 1300, 'c');
    ended(ended(t, 1320, 'c'), 1400, 'c', 10); // sent again, as after a challenge
    const r = await found(both(ended(t, 5000), 1210, 180));
    const [call] = r.calls;
    assert.equal(call.state, 'ended');
    assert.deepEqual([call.releasedBy, seconds(call.durationMs)], ['caller', 3.8]);
    assert.deepEqual(codes(r), []);
  });

  test('the call goes on in the second dialog where the first is ended', async () => {
    const t = answered(answered(invited(talk(), 1000), 1200, 'b'), 1300, 'c');
    const r = await both(ended(t, 1320, 'b'), 1310, 180).report({ end: 'none' });
    assert.equal(r.calls[0].state, 'established');
    assert.equal(r.calls[0].end, undefined);
  });

  test('the end of a fork that only rang leaves the call', async () => {
    const t = invited(talk(), 1000).down(1100, sip('180 Ringing INVITE', { toTag: 'c' }, 'down'));
    const r = await both(ended(answered(t, 1200), 1300, 'c'), 1210, 90).report({ end: 'none' });
    assert.equal(r.calls[0].state, 'established');
  });

  test('a fork whose early dialog is over says so with 199 (RFC 6228)', async () => {
    const reliable = [
      ['Require', '100rel'],
      ['RSeq', '1'],
    ] as const;
    const forked = () =>
      invited(talk(), 1000)
        .down(1100, sip('183 Session Progress INVITE', { toTag: 'c', headers: reliable }, 'down'))
        .down(1150, sip('199 Early Dialog Terminated INVITE', { toTag: 'c' }, 'down'));
    const states = (r: Json) => r.calls[0].dialogs.map((d: Json) => [d.toTag, d.state]);
    // Nobody is to send PRACK there any more.
    const rung = forked().down(1200, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
    const r = await found(both(ended(answered(rung, 5000), 8000), 5010, 140));
    assert.deepEqual(states(r), [
      ['c', 'terminated'],
      ['b', 'confirmed'],
    ]);
    assert.deepEqual(codes(r), []);
    // It is no progress, and makes no dialog.
    const gone = invited(talk(), 1000).down(1100, sip('199 Early Dialog Terminated INVITE', { toTag: 'c' }, 'down'));
    const [call] = (await found(gone, 60_000, 'none')).calls;
    assert.deepEqual([call.state, call.pddMs, call.dialogs], ['in-progress', undefined, undefined]);
    // A refusal ends what was left.
    const busy = forked()
      .down(1200, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'))
      .down(3000, sip('486 Busy Here INVITE', { toTag: 'b' }, 'down'));
    const no = await found(busy);
    assert.deepEqual(states(no), [
      ['c', 'terminated'],
      ['b', 'terminated'],
    ]);
  });

  test('BYE ends a call that is not answered, and its 487 is no failure (RFC 3261 §15.1.2)', async () => {
    const t = invited(talk(), 1000).down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
    const r = await found(
      ended(t, 2000)
        .down(2020, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down'))
        .up(2030, sip(`ACK ${BOB}`, { toTag: 'b' })),
    );
    assert.deepEqual(callCodes(r), []);
    assert.deepEqual([r.calls[0].state, r.calls[0].releasedBy, r.calls[0].failure], ['cancelled', 'caller', undefined]);
  });

  test('200 and CANCEL cross: the call was answered, and is ended at once', async () => {
    const t = invited(talk(), 1000).up(2000, sip(`CANCEL ${BOB}`));
    answered(t, 2005).down(2010, sip('200 OK CANCEL', { toTag: 'b' }, 'down'));
    const r = await found(ended(t, 2020));
    assert.deepEqual(callCodes(r), []);
    assert.deepEqual([r.calls[0].state, seconds(r.calls[0].durationMs)], ['ended', 0]);
  });
});

describe('a dialog that one side has lost (RFC 5057 §5)', () => {
  const REFUSED = '481 Call/Transaction Does Not Exist';
  const start = () => both(answered(invited(talk(), 1000), 1200), 1210, 90);
  const asked = (t: Talk, ms: number, method: string, answer: string, cseq = 2) =>
    t
      .up(ms, sip(`${method} ${BOB}`, { toTag: 'b', cseq }))
      .down(ms + 50, sip(`${answer} ${method}`, { toTag: 'b', cseq }, 'down'));

  test('the call is over', async () => {
    for (const answer of [REFUSED, '408 Request Timeout'])
      for (const method of ['INVITE', 'UPDATE', 'INFO']) {
        const r = await found(asked(start(), 3150, method, answer));
        assert.deepEqual(codes(r), ['call.dialog-lost'], `${answer} ${method}`);
        assert.deepEqual([r.calls[0].state, seconds(r.calls[0].durationMs)], ['ended', 2]);
      }
  });

  test('for the side that was called too, and the BYE that follows changes nothing', async () => {
    const theirs = { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE, cseq: 1, branch: 'z9hG4bKtheirs' };
    const t = start()
      .down(3150, sip(`UPDATE ${ALICE}`, theirs, 'down'))
      .up(3200, sip(`${REFUSED} UPDATE`, theirs));
    const r = await found(ended(t, 3300));
    assert.deepEqual(codes(r), ['call.dialog-lost']);
    assert.deepEqual([r.calls[0].state, seconds(r.calls[0].durationMs)], ['ended', 2]);
  });

  test('what concerns other usages, or comes after BYE, says nothing of the call', async () => {
    const r = await found(ended(asked(asked(start(), 3150, 'REFER', REFUSED), 3250, 'MESSAGE', REFUSED, 3), 4000));
    assert.equal(seconds(r.calls[0].durationMs), 2.8);
    assert.equal(r.calls[0].releasedBy, 'caller');
    assert.ok(!codes(await found(asked(ended(start(), 3100), 3200, 'INFO', REFUSED))).includes('call.dialog-lost'));
  });

  test('a later answer shows that it goes on', async () => {
    const t = asked(asked(start(), 3150, 'UPDATE', '408 Request Timeout'), 3300, 'UPDATE', '200 OK', 3);
    const r = await t.report({ end: 'none' });
    assert.equal(r.calls[0].state, 'established');
    assert.ok(!codes(r).includes('call.dialog-lost'));
  });
});

test('a re-INVITE of the callee makes no dialog, whatever its CSeq', async () => {
  const theirs = { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE, cseq: 1, branch: 'z9hG4bKtheirs' };
  const t = answered(invited(talk(), 1000), 1200)
    .down(2000, sip(`INVITE ${ALICE}`, { ...theirs, sdp: sdp(CORE, 40_000) }, 'down'))
    .up(2010, sip('200 OK INVITE', { ...theirs, sdp: sdp(UE, 30_000) }))
    .down(2020, sip(`ACK ${ALICE}`, { ...theirs, branch: 'z9hG4bKacked' }, 'down'));
  const r = await found(both(ended(t, 5000), 1210, 180));
  assert.deepEqual([r.calls[0].state, r.calls[0].dialogs.length], ['ended', 1]);
  assert.deepEqual(codes(r), []);
});

test('another call under the same Call-ID is told as another', async () => {
  const p = { fromTag: 'z', branch: 'z9hG4bKagain' };
  const t = ended(answered(invited(talk(), 1000), 1200), 3200)
    .up(5000, sip(`INVITE ${BOB}`, { ...p, sdp: sdp(UE, 30_000) }))
    .down(5200, sip('200 OK INVITE', { ...p, toTag: 'y', sdp: sdp(CORE, 40_000) }, 'down'))
    .up(5210, sip(`ACK ${BOB}`, { ...p, toTag: 'y', branch: 'z9hG4bKack' }))
    .up(9200, sip(`BYE ${BOB}`, { ...p, toTag: 'y', cseq: 2 }));
  both(t, 1210, 95);
  for (let i = 0; i < 190; i++)
    t.up(5220 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, 11)).down(5225 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 12));
  const r = await found(t);
  assert.deepEqual(
    r.calls.map((c: Json) => [c.state, seconds(c.durationMs), c.media.length]),
    [
      ['ended', 2, 2],
      ['ended', 4, 2],
    ],
  );
  assert.deepEqual(codes(r), []);
});

describe('a call that does not come about', () => {
  test('the UE does not answer', async () => {
    const t = talk();
    for (const ms of [1000, 3000, 7000]) t.down(ms, sip(`INVITE ${ALICE}`, { sdp: sdp(CORE, 40_000) }, 'down'));
    assert.deepEqual(codes(await t.report({ end: 'none' }, 60_000)), ['call.ue-silent']);
  });

  test('the callee is elsewhere, and the caller goes there', async () => {
    const [carol, other] = ['sip:carol@ims.example', { callId: 'call-2@10.0.0.2' }];
    const contact = [['Contact', `<${carol}>`]] as const;
    const t = invited(talk(), 1000)
      .down(1100, sip('302 Moved Temporarily INVITE', { toTag: 'x', headers: contact }, 'down'))
      .up(1110, sip(`ACK ${BOB}`, { toTag: 'x' }))
      .up(1200, sip(`INVITE ${carol}`, { ...other, sdp: sdp(UE, 30_000) }))
      .down(1300, sip('200 OK INVITE', { ...other, toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1310, sip(`ACK ${carol}`, { ...other, toTag: 'b' }))
      .up(5000, sip(`BYE ${carol}`, { ...other, toTag: 'b', cseq: 2 }));
    const r = await found(both(t, 1310, 180));
    assert.deepEqual([codes(r), callCodes(r)], [[], ['call.redirected']]);
    assert.match(finding(r, 'call.redirected').meaning, /302 Moved Temporarily/);
  });
});

describe('a call that is tried again', () => {
  const refused = (what: string) =>
    invited(talk(), 1000)
      .down(1100, sip(`${what} INVITE`, { toTag: 'x' }, 'down'))
      .up(1110, sip(`ACK ${BOB}`, { toTag: 'x' }));

  for (const what of ['407 Proxy Authentication Required', '415 Unsupported Media Type', '503 Service Unavailable'])
    test(`after ${what} it may succeed (RFC 3261 §8.1.3.5)`, async () => {
      const t = ended(answered(invited(refused(what), 1200, 2), 1400, 'b', 2), 3400);
      const r = await found(both(t, 1410, 90));
      assert.deepEqual(codes(r), []);
      assert.deepEqual([r.calls[0].state, r.calls[0].failure, seconds(r.calls[0].durationMs)], ['ended', undefined, 2]);
    });

  test('the ACK of a refusal acknowledges no answer', async () => {
    const t = invited(refused('407 Proxy Authentication Required'), 1200, 2);
    t.down(1400, sip('200 OK INVITE', { toTag: 'b', cseq: 2, sdp: sdp(CORE, 40_000) }, 'down'));
    t.down(35_000, sip(`BYE ${ALICE}`, { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE, cseq: 7 }, 'down'));
    assert.deepEqual(codes(await found(both(t, 1410, 1650))), ['call.no-ack']);
  });
});

test('two reliable responses of one status are two, each with its PRACK (RFC 3262 §3)', async () => {
  const progress = (rseq: number, more: SipParts = {}) =>
    sip(
      '183 Session Progress INVITE',
      {
        toTag: 'b',
        headers: [
          ['Require', '100rel'],
          ['RSeq', String(rseq)],
        ],
        ...more,
      },
      'down',
    );
  const prack = (rseq: number) =>
    sip(`PRACK ${BOB}`, { toTag: 'b', cseq: 1 + rseq, headers: [['RAck', `${rseq} 1 INVITE`]] });
  const t = invited(talk(), 1000)
    .down(1100, progress(1, { sdp: sdp(CORE, 40_000) }))
    .up(1110, prack(1))
    .down(1300, progress(2))
    .up(1310, prack(2));
  const r = await found(both(ended(answered(t, 2000), 5000), 2010, 140));
  assert.deepEqual(codes(r), []);
  assert.deepEqual(r.calls[0].reliable, { responses: 2, acknowledged: 2 });
  assert.equal(
    r.calls[0].messages.reduce((n: number, m: Json) => n + m.retransmissions, 0),
    0,
  );
});

describe('transfers', () => {
  const refer = (cseq: number, target: string) =>
    sip(`REFER ${BOB}`, { toTag: 'b', cseq, headers: [['Refer-To', `<${target}>`]] });
  const reply = (what: string, cseq: number) => sip(`${what} REFER`, { toTag: 'b', cseq }, 'down');

  test('a challenge does not make them fail', async () => {
    const t = both(called(talk(), 1000, 4000), 1210, 190)
      .up(3000, refer(3, 'sip:carol@ims.example'))
      .down(3010, reply('407 Proxy Authentication Required', 3))
      .up(3020, refer(4, 'sip:carol@ims.example'))
      .down(3030, reply('202 Accepted', 4));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.deepEqual(
      r.calls[0].transfers.map((x: Json) => x.status),
      [202],
    );
  });

  test('of which nobody says how they end', async () => {
    const notify = (state: string, fragment: string, cseq = 21) =>
      sip(
        `NOTIFY ${ALICE}`,
        {
          ...{ fromTag: 'b', toTag: 'a', from: BOB, to: ALICE, cseq, sdp: fragment },
          headers: [
            ['Event', 'refer'],
            ['Subscription-State', state],
          ],
        },
        'down',
      );
    const accepted = (what = '202 Accepted') =>
      called(talk(), 1000, 0, false).up(3000, refer(3, 'sip:carol@ims.example')).down(3010, reply(what, 3));
    const told = async (t: Talk, beyond: number) => {
      const f = finding(await found(t, beyond, 'none'), 'call.transfer-unknown');
      return f === undefined ? undefined : `${f.severity}: ${f.meaning.split(' The party')[0]}`;
    };
    const target = 'It was to sip:carol@ims.example.';
    assert.equal(await told(accepted(), 40_000), `warn: ${target} No NOTIFY came in 40 s.`);
    assert.equal(await told(accepted(), 20_000), undefined);
    const trying = (state: string) => accepted().down(4000, notify(state, 'SIP/2.0 100 Trying\r\n'));
    const nothing = 'came in the 61 s after the last NOTIFY, which said 100.';
    assert.equal(await told(trying('active;expires=60'), 61_000), `warn: ${target} None ${nothing}`);
    // Without an interval the target may ring for as long as a proxy lets it.
    assert.equal(await told(trying('active'), 61_000), undefined);
    const closed = 'The last NOTIFY, which said 100, ended the subscription.';
    assert.equal(await told(trying('terminated;reason=noresource'), 0), `note: ${target} ${closed}`);
    const done = trying('active;expires=60').down(9000, notify('terminated', 'SIP/2.0 200 OK\r\n', 22));
    const left = trying('active;expires=60').up(9000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 4 }));
    for (const t of [done, left, accepted('204 No Notification'), accepted('603 Decline')])
      assert.equal(await told(t, 300_000), undefined);
  });

  test('a NOTIFY tells of the REFER that its event names (RFC 3515 §2.4.6)', async () => {
    const notify = (cseq: number, id: number, fragment: string) =>
      sip(
        `NOTIFY ${ALICE}`,
        { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE, cseq, headers: [['Event', `refer;id=${id}`]], sdp: fragment },
        'down',
      );
    const t = both(called(talk(), 1000, 4000), 1210, 190)
      .up(3000, refer(3, 'sip:carol@ims.example'))
      .down(3010, reply('202 Accepted', 3))
      .up(3100, refer(4, 'sip:dave@ims.example'))
      .down(3110, reply('202 Accepted', 4))
      .down(3200, notify(21, 3, 'SIP/2.0 603 Decline\r\n'))
      .down(3210, notify(22, 4, 'SIP/2.0 200 OK\r\n'));
    const r = await found(t);
    assert.deepEqual(
      r.calls[0].transfers.map((x: Json) => [x.target, x.progress]),
      [
        ['sip:carol@ims.example', 603],
        ['sip:dave@ims.example', 200],
      ],
    );
  });
});

test('a refresh that is refused is told of where the session runs out', async () => {
  const headers = [['Session-Expires', '90;refresher=uac']] as const;
  const t = invited(talk(), 1000)
    .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), headers }, 'down'))
    .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }))
    .up(46_000, sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 2, headers }))
    .down(46_010, sip('500 Server Internal Error UPDATE', { toTag: 'b', cseq: 2 }, 'down'));
  const r = await found(both(ended(t, 62_000), 1210, 60));
  assert.deepEqual(codes(r), ['call.session-expired', 'media.stopped']);
  assert.match(r.findings[0].meaning, /without a refresh\. The last try got 500\./);
});

test('a refresh that nothing answers is told of, too, where there was time for an answer', async () => {
  const headers = [['Session-Expires', '90;refresher=uac']] as const;
  const refresh = sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 2, headers });
  const asked = (over: number) =>
    ended(
      invited(talk(), 1000)
        .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), headers }, 'down'))
        .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }))
        .up(46_000, refresh)
        .up(48_000, refresh)
        .up(52_000, refresh),
      over,
    );
  const f = finding(await found(both(asked(62_000), 1210, 3000)), 'call.session-expired');
  assert.match(f.meaning, / The last try, an UPDATE of the caller, sent 3 times in 6 s, was not answered\. /);
  assert.equal(f.rows.length, 2);
  // One that came as the session ended had no time for an answer.
  const late = ended(
    invited(talk(), 1000)
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), headers }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }))
      .up(61_500, refresh),
    62_000,
  );
  assert.doesNotMatch(finding(await found(both(late, 1210, 3000)), 'call.session-expired').meaning, /The last try/);
});

test('a refresh without Session-Expires ends the timer (RFC 4028 §7.2)', async () => {
  const headers = [['Session-Expires', '90;refresher=uac']] as const;
  const t = invited(talk(), 1000)
    .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), headers }, 'down'))
    .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }))
    .up(40_000, sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 2, headers }))
    .down(40_010, sip('200 OK UPDATE', { toTag: 'b', cseq: 2 }, 'down'));
  const r = await found(both(ended(t, 140_000), 1210, 60));
  assert.equal(finding(r, 'call.session-expired'), undefined);
});
