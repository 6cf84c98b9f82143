import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ALICE,
  BOB,
  both,
  CORE,
  codes,
  finding,
  found,
  type Json,
  sdp,
  sip,
  spoken,
  type Talk,
  talk,
  UE,
} from './support.js';

/** What happens while a call goes on, and why it ends. */

type Header = readonly [string, string];

const invited = (headers: readonly Header[] = []) =>
  talk().up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000), headers }));
const answered = (t: Talk, ms = 1200, headers: readonly Header[] = []) =>
  t
    .down(ms, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), headers }, 'down'))
    .up(ms + 10, sip(`ACK ${BOB}`, { toTag: 'b' }));
const speaking = (headers: readonly Header[] = []) => both(answered(invited(), 1200, headers), 1210, 90);
/** Branch of the INVITE: an ACK that has it is of a refusal. RFC 3261 §17.1.1.3 */
const FIRST_BRANCH = 'z9hG4bKcall-1@10.0.0.21INVITE';
const theirs = { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE } as const;

describe('why a call ends (RFC 3326)', () => {
  const reasons = (...values: string[]): Header[] => values.map((v) => ['Reason', v]);
  const ended = (...values: string[]): Promise<Json> =>
    found(speaking().down(3100, sip(`BYE ${ALICE}`, { ...theirs, cseq: 7, headers: reasons(...values) }, 'down')));

  test('as people end it', async () => {
    for (const value of ['Q.850;cause=16;text="Normal call clearing"', 'SIP ;cause=200', 'RELEASE_CAUSE;cause=1'])
      assert.deepEqual(codes(await ended(value)), [], value);
    const r = await ended('q.850 ; cause = 16 ; text="Terminated, normally; \\"so\\""', 'USER;cause=1');
    assert.deepEqual(codes(r), []);
    assert.deepEqual(r.calls[0].release, { reason: 'q.850 16: Terminated, normally; \\"so\\"; USER 1.', q850: 16 });
    assert.equal((await ended()).calls[0].release, undefined);
    const many = await ended(Array.from({ length: 11 }, (_, i) => `USER;cause=${i}`).join());
    assert.match(many.calls[0].release.reason, /^USER 0; USER 1; .*; USER 7 and 3 more\.$/);
  });

  test('for a failure', async () => {
    for (const [value, said] of [
      ['Q.850;cause=38;text="network out of order"', 'Q.850 38: network out of order.'],
      ['SIP;cause=503;text="loss of bearer", Q.850;cause=31', 'SIP 503: loss of bearer; Q.850 31.'],
      ['RELEASE_CAUSE;cause=2;text="RTP/RTCP time-out"', 'RELEASE_CAUSE 2: RTP/RTCP time-out.'],
      ['preemption;cause=1;text="UA Preemption"', 'preemption 1: UA Preemption.'],
    ] as const) {
      const r = await ended(value);
      assert.deepEqual(codes(r), ['call.released'], value);
      assert.equal(r.calls[0].release.reason, said);
      assert.ok(r.findings[0].meaning.startsWith(said));
    }
  });

  test('before it is answered: elsewhere, or nobody took up', async () => {
    const cancelled = async (value: string): Promise<string[]> => {
      const r = await found(
        talk()
          .down(1000, sip(`INVITE ${ALICE}`, { from: BOB, to: ALICE, sdp: sdp(CORE, 40_000) }, 'down'))
          .up(1010, sip('180 Ringing INVITE', { from: BOB, to: ALICE, toTag: 'q' }))
          .down(3000, sip(`CANCEL ${ALICE}`, { from: BOB, to: ALICE, headers: reasons(value) }, 'down'))
          .up(3010, sip('200 OK CANCEL', { from: BOB, to: ALICE, toTag: 'q' }))
          .up(3020, sip('487 Request Terminated INVITE', { from: BOB, to: ALICE, toTag: 'q' })),
      );
      assert.equal(r.calls[0].state, 'cancelled');
      return codes(r);
    };
    for (const usual of ['SIP;cause=200;text="Call completed elsewhere"', 'Q.850;cause=102', 'SIP;cause=408'])
      assert.deepEqual(await cancelled(usual), [], usual);
    assert.deepEqual(await cancelled('FAILURE_CAUSE;cause=1'), ['call.released']);
  });
});

describe('requests within a call', () => {
  for (const method of ['INVITE', 'UPDATE'] as const)
    test(`that nothing answers: ${method}`, async () => {
      const asked = () => speaking().up(3000, sip(`${method} ${BOB}`, { toTag: 'b', cseq: 2, sdp: sdp(UE, 30_000) }));
      const r = await found(asked(), 60_000, 'none');
      assert.deepEqual(
        codes(r).filter((c) => c.startsWith('call.')),
        ['call.request-unanswered'],
      );
      const trying = asked().down(3010, sip(`100 Trying ${method}`, { toTag: 'b', cseq: 2 }, 'down'));
      for (const fine of [trying, asked().up(9000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 3 }))])
        assert.ok(!codes(await found(fine, 60_000, 'none')).includes('call.request-unanswered'));
      // Where the tunnel ends at once there was no time for an answer.
      assert.ok(!codes(await found(asked(), 60_000)).includes('call.request-unanswered'));
    });

  test('who refreshes the session is told as the caller or the callee', async () => {
    const expires = (refresher: string): Header[] => [['Session-Expires', `90;refresher=${refresher}`]];
    const first = () => speaking(expires('uas'));
    assert.equal((await found(first())).calls[0].sessionTimer.refresher, 'uas');
    const update = { ...theirs, cseq: 7 };
    const refreshed = (refresher: string) =>
      first()
        .down(45_000, sip(`UPDATE ${ALICE}`, { ...update, headers: expires(refresher) }, 'down'))
        .up(45_010, sip('200 OK UPDATE', { ...update, headers: expires(refresher) }));
    // The UAC of its UPDATE is the callee.
    assert.equal((await found(refreshed('uac'))).calls[0].sessionTimer.refresher, 'uas');
    assert.equal((await found(refreshed('uas'))).calls[0].sessionTimer.refresher, 'uac');
  });

  test('a PRACK that is refused acknowledges nothing', async () => {
    const reliable: Header[] = [
      ['Require', '100rel'],
      ['RSeq', '1'],
    ];
    const prack = (cseq: number, answer: string) => (t: Talk) =>
      t
        .up(1100 + 20 * cseq, sip(`PRACK ${BOB}`, { toTag: 'b', cseq, headers: [['RAck', '1 1 INVITE']] }))
        .down(1110 + 20 * cseq, sip(`${answer} PRACK`, { toTag: 'b', cseq }, 'down'));
    const begun = () =>
      invited().down(1100, sip('183 Session Progress INVITE', { toTag: 'b', headers: reliable }, 'down'));
    const told = (t: Talk) =>
      found(both(answered(t, 1300), 1310, 60).up(2600, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 9 })));
    const r = await told(prack(2, '481 Call/Transaction Does Not Exist')(begun()));
    assert.deepEqual([r.calls[0].reliable, codes(r)], [{ responses: 1, acknowledged: 0 }, ['call.no-prack']]);
    assert.match(r.findings[0].meaning, /^The PRACK got 481\./);
    const again = await told(prack(3, '200 OK')(prack(2, '407 Proxy Authentication Required')(begun())));
    assert.deepEqual([again.calls[0].reliable, codes(again)], [{ responses: 1, acknowledged: 1 }, []]);
  });
});

describe('who refuses', () => {
  test('the UE that is called speaks for itself', async () => {
    const refused = (what: string) =>
      found(
        talk()
          .down(1000, sip(`INVITE ${ALICE}`, { from: BOB, to: ALICE, sdp: sdp(CORE, 40_000) }, 'down'))
          .up(1010, sip(`${what} INVITE`, { from: BOB, to: ALICE, toTag: 'q' })),
      );
    for (const [what, said] of [
      ['403 Forbidden', 'The UE does not take the call'],
      ['404 Not Found', 'The UE does not know whom the call is for'],
      ['500 Server Internal Error', 'The UE failed'],
      ['503 Service Unavailable', 'The UE is out of service, or overloaded'],
      ['513 Message Too Large', 'The message is too large'],
    ] as const) {
      const r = await refused(what);
      assert.deepEqual(codes(r), ['call.ue-refused'], what);
      assert.ok(r.findings[0].meaning.startsWith(`${said} (${what}).`), r.findings[0].meaning);
    }
    for (const [what, code] of [
      ['480 Temporarily Unavailable', 'call.unavailable'],
      ['488 Not Acceptable Here', 'call.not-acceptable'],
    ] as const)
      assert.deepEqual(codes(await refused(what)), [code]);
    for (const wish of ['486 Busy Here', '433 Anonymity Disallowed']) assert.deepEqual(codes(await refused(wish)), []);
  });

  test('a proxy that does not take the credentials', async () => {
    const asked = (t: Talk, ms: number, cseq: number, headers: readonly Header[]) =>
      t
        .up(ms, sip(`INVITE ${BOB}`, { cseq, sdp: sdp(UE, 30_000), headers }))
        .down(ms + 10, sip('407 Proxy Authentication Required INVITE', { cseq, toTag: `q${cseq}` }, 'down'));
    const credentials = ['Proxy-Authorization', 'Digest username="alice", response="0"'] as const;
    const first = () => asked(talk(), 1000, 1, []);
    assert.match((await found(first())).calls[0].failure.reason, /^A proxy asked for credentials, and no call/);
    const again = await found(asked(first(), 1100, 2, [credentials]));
    assert.match(again.calls[0].failure.reason, /^A proxy did not take the credentials/);
  });

  test('what the network finds to be an emergency is one', async () => {
    const number = { to: 'tel:112', callId: 'e1' };
    const body =
      '<ims-3gpp version="1"><alternative-service><type>emergency</type><reason/></alternative-service></ims-3gpp>';
    const t = talk()
      .up(1000, sip('INVITE tel:112', { ...number, sdp: sdp(UE, 30_000) }))
      .down(1010, sip('380 Alternative Service INVITE', { ...number, toTag: 'x', sdp: body }, 'down'));
    const r = await found(t);
    assert.deepEqual([r.calls[0].emergency, codes(r)], [true, ['call.emergency-redirected']]);
  });
});

test('an offer that nothing answers (RFC 3261 §13.2.1)', async () => {
  const call = (offer: string, answer: string, last: string) =>
    talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: offer }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: answer }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b', sdp: last }))
      .up(3000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }));
  const [own, other] = [sdp(UE, 30_000), sdp(CORE, 40_000)];
  for (const bare of [call(own, '', ''), call('', other, '')]) {
    const r = await found(bare);
    assert.deepEqual(codes(r), ['sdp.answer-misfit']);
    assert.match(r.findings[0].meaning, /^Nothing answers the offer\./);
  }
  for (const whole of [call(own, other, ''), call('', other, own)])
    assert.deepEqual(codes(await found(both(whole, 1210, 85))), []);
});

test('a call of which nothing but 100 comes', async () => {
  const tried = () => invited().down(1010, sip('100 Trying INVITE', {}, 'down'));
  const told = async (t: Talk, beyond: number) =>
    (await found(t, beyond, 'none')).findings
      .filter((f: Json) => f.code === 'call.no-progress')
      .map((f: Json) => f.meaning);
  assert.deepEqual(await told(tried(), 10_000), []);
  assert.match((await told(tried(), 60_000))[0], /^Nothing came for 60 s\. Whoever/);
  const cancelled = tried()
    .up(26_000, sip(`CANCEL ${BOB}`))
    .down(26_010, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down'));
  assert.match((await told(cancelled, 60_000))[0], /^Nothing came for 25 s\. The caller gave it up then\./);
  const acknowledged = cancelled.up(26_020, sip(`ACK ${BOB}`, { toTag: 'b', branch: FIRST_BRANCH }));
  assert.match((await told(acknowledged, 60_000))[0], /^Nothing came for 25 s\. The caller gave it up then\./);
  const refused = tried().down(30_000, sip('480 Temporarily Unavailable INVITE', { toTag: 'b' }, 'down'));
  const rung = tried().down(15_000, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
  for (const t of [refused, rung]) assert.deepEqual(await told(t, 60_000), []);
});

describe('an ACK tells of an answer that the capture lacks', () => {
  const branch = 'z9hG4bK1';
  const asked = talk().up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000), branch }));

  test('a branch of its own: of a 2xx (RFC 3261 §13.2.2.4)', async () => {
    const t = asked.copy().up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }));
    const [going] = (await found(t.copy(), 300_000, 'none')).calls;
    assert.deepEqual([going.state, going.answer, going.failure], ['established', undefined, undefined]);
    const r = await found(t.up(3000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 })));
    assert.deepEqual([r.calls[0].state, r.calls[0].releasedBy], ['ended', 'caller']);
  });

  test('that of the INVITE: of a refusal, and another INVITE may follow (§17.1.1.3)', async () => {
    const refused = asked.copy().up(1210, sip(`ACK ${BOB}`, { toTag: 'b', branch }));
    assert.equal((await found(refused.copy(), 300_000)).calls[0].state, 'in-progress');
    refused
      .up(1220, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000), cseq: 2 }))
      .down(1400, sip('200 OK INVITE', { toTag: 'c', cseq: 2, sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1410, sip(`ACK ${BOB}`, { toTag: 'c', cseq: 2 }));
    const [call] = (await found(refused)).calls;
    assert.equal(call.state, 'established');
    assert.ok(call.setupMs > 390 && call.setupMs < 410, String(call.setupMs));
  });
});

test('an INVITE that comes twice, by two ways, is refused once (RFC 3261 §8.2.2.2)', async () => {
  const p = { from: BOB, to: ALICE } as const;
  const copy = { ...p, branch: 'z9hG4bKcopy' };
  const start = () =>
    talk()
      .down(1000, sip(`INVITE ${ALICE}`, { ...p, sdp: sdp(CORE, 40_000) }, 'down'))
      .down(1001, sip(`INVITE ${ALICE}`, { ...copy, sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1005, sip('482 Loop Detected INVITE', { ...copy, toTag: 'r' }))
      .up(1010, sip('180 Ringing INVITE', { ...p, toTag: 'q' }));
  const cancelled = await found(
    start()
      .down(3000, sip(`CANCEL ${ALICE}`, p, 'down'))
      .up(3010, sip('487 Request Terminated INVITE', { ...p, toTag: 'q' })),
  );
  assert.deepEqual([cancelled.calls[0].state, codes(cancelled)], ['cancelled', []]);
  const looped = await found(invited().down(1100, sip('482 Loop Detected INVITE', { toTag: 'r' }, 'down')));
  assert.deepEqual([looped.calls[0].state, codes(looped)], ['failed', ['call.failed']]);
});

test('a caller that hears nothing: 183, and neither 180 nor media', async () => {
  const progress = () =>
    invited()
      .down(1010, sip('100 Trying INVITE', {}, 'down'))
      .down(2000, sip('183 Session Progress INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'));
  const told = async (t: Talk, beyond = 60_000) => finding(await found(t, beyond, 'none'), 'call.silent-progress');
  const f = await told(progress());
  assert.equal(f.severity, 'warn');
  assert.match(f.meaning, /^Neither 180 nor media came in the 60 s after the first sign of progress\. A phone/);
  assert.equal(await told(progress(), 10_000), undefined);
  const cancelled = progress()
    .up(26_000, sip(`CANCEL ${BOB}`))
    .down(26_010, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down'))
    .up(26_020, sip(`ACK ${BOB}`, { toTag: 'b', branch: FIRST_BRANCH }));
  assert.match(
    (await told(cancelled)).meaning,
    /^Neither 180 nor media came in the 24 s .*The caller gave it up then\./,
  );
  const rung = progress().down(15_000, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
  const refused = progress().down(30_000, sip('480 Temporarily Unavailable INVITE', { toTag: 'b' }, 'down'));
  for (const t of [rung, refused, spoken(progress(), 3000, 50, 'down')]) assert.equal(await told(t), undefined);
  // What the UE sends is not what its user hears.
  assert.equal((await told(spoken(progress(), 3000, 50, 'up'))).severity, 'warn');
});

test('a service code that gets an error (TS 24.390 §5.1.3)', async () => {
  const USSD = 'application/vnd.3gpp.ussd+xml';
  const body = (error: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\r\n<ussd-data><language>en</language>${error}</ussd-data>\r\n`;
  const to = 'sip:*100%23;phone-context=ims.example@ims.example;user=dialstring';
  const said = async (type: string, text: string) => {
    // `sip` gives bodies the type of SDP beside their own, which comes first.
    const bye = { ...theirs, cseq: 7, headers: [['Content-Type', type] as const], sdp: text };
    const t = talk()
      .up(1000, sip(`INVITE ${to}`, { to, sdp: sdp(UE, 0) }))
      .down(1200, sip('200 OK INVITE', { to, toTag: 'b', sdp: sdp(CORE, 0) }, 'down'))
      .up(1210, sip(`ACK ${to}`, { to, toTag: 'b' }))
      .down(3100, sip(`BYE ${ALICE}`, bye, 'down'))
      .up(3110, sip('200 OK BYE', { ...theirs, cseq: 7 }));
    return finding(await found(t), 'call.ussd-error');
  };
  const f = await said(USSD, body('<error-code>3</error-code>'));
  assert.equal(f.severity, 'warn');
  assert.match(f.meaning, /^The callee \(the network\) says error-code 3\. SIP carried/);
  const parts = `--b\r\nContent-Type: ${USSD}\r\n\r\n${body('<u:error-code> 4 </u:error-code>')}--b--\r\n`;
  assert.match((await said('multipart/mixed;boundary=b', parts)).meaning, /error-code 4\./);
  assert.equal(await said(USSD, body('<ussd-string>5 EUR</ussd-string>')), undefined);
  assert.equal(await said('text/plain', body('<error-code>3</error-code>')), undefined);
});

describe('in an emergency', () => {
  const SOS = 'urn:service:sos';
  const p = { callId: 'sos', to: SOS } as const;
  const calling = () => talk().up(1000, sip(`INVITE ${SOS}`, { ...p, sdp: sdp(UE, 30_000) }));
  const told = async (t: Talk, beyond: number) =>
    (await found(t, beyond, 'none')).findings
      .filter((f: Json) => f.severity !== 'note')
      .map((f: Json) => `${f.severity} ${f.code} ${f.confidence}`);

  test('whatever refuses the call is an error, busy lines too', async () => {
    const refused = (what: string) =>
      calling()
        .down(1100, sip(`${what} INVITE`, { ...p, toTag: 'b' }, 'down'))
        .up(1110, sip(`ACK ${SOS}`, { ...p, toTag: 'b', branch: 'z9hG4bKsos1INVITE' }));
    assert.deepEqual(await told(refused('486 Busy Here'), 1000), ['error call.failed certain']);
    assert.deepEqual(await told(refused('480 Temporarily Unavailable'), 1000), ['error call.unavailable certain']);
    assert.match(
      (await found(refused('403 Forbidden'))).findings[0].meaning,
      / \(403 Forbidden\)\. It was an emergency call\. The network/,
    );
    assert.deepEqual(await told(refused('380 Alternative Service'), 1000), ['warn call.emergency-redirected certain']);
  });

  test('nobody waits for an answer as long as else (TS 24.229 table 7.8.1)', async () => {
    assert.deepEqual(await told(calling(), 10_000), []);
    assert.deepEqual(await told(calling(), 16_000), ['error call.no-answer certain']);
    const registration = { callId: 'r', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example' } as const;
    const headers = [['Contact', '<sip:alice@10.0.0.2;sos>;expires=600']] as const;
    const registering = talk().up(1000, sip('REGISTER sip:ims.example', { ...registration, headers }));
    assert.deepEqual(await told(registering, 15_000), []);
    assert.deepEqual(await told(registering, 21_000), ['error sip.register-timeout certain']);
    const refused = registering.down(1100, sip('403 Forbidden REGISTER', { ...registration, toTag: 'x' }, 'down'));
    assert.match(
      finding(await found(refused), 'sip.register-forbidden').meaning,
      /^The answer was 403\. It was to be an emergency registration\./,
    );
  });

  test('what the tunnel took with it was an emergency call', async () => {
    const answered = calling()
      .down(1100, sip('200 OK INVITE', { ...p, toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1110, sip(`ACK ${SOS}`, { ...p, toTag: 'b' }));
    const r = await both(answered, 1210, 90).report({ end: 'rst' });
    assert.match(finding(r, 'tunnel.closed-in-call').meaning, /^Emergency call 1 had been up for /);
  });
});
