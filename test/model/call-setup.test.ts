import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BOB,
  both,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  finding,
  found,
  type Json,
  note,
  type SipParts,
  sdp,
  sip,
  speech,
  type Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

/** What becomes of an INVITE that is neither answered by one callee nor plainly refused; each beside what is in order. */

const LONG = 60_000;
const report = (t: Talk): Promise<Json> => found(t, LONG, 'none');
const invited = (t = talk(), p: SipParts = {}): Talk =>
  t.up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000), ...p })).down(1010, sip('100 Trying INVITE', {}, 'down'));
const goodbye = (t: Talk, ms: number, cseq: number, toTag = 'b', answer = '200 OK'): Talk =>
  t.up(ms, sip(`BYE ${BOB}`, { toTag, cseq })).down(ms + 10, sip(`${answer} BYE`, { toTag, cseq }, 'down'));

describe('preconditions (RFC 3312) that are not met', () => {
  const qos = (local: string, remote: string): string[] => [
    `a=curr:qos local ${local}`,
    `a=curr:qos remote ${remote}`,
    'a=des:qos mandatory local sendrecv',
    'a=des:qos mandatory remote sendrecv',
  ];
  /** Both sides have answered, and nobody is told of the call yet. */
  const waiting = (): Talk =>
    invited(talk(), { sdp: sdp(UE, 30_000, qos('none', 'none')) })
      .down(
        1300,
        sip('183 Session Progress INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000, qos('none', 'none')) }, 'down'),
      )
      .up(1400, sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 2, sdp: sdp(UE, 30_000, qos('sendrecv', 'none')) }));
  const told = (t: Talk, own: string): Talk =>
    t.down(1450, sip('200 OK UPDATE', { toTag: 'b', cseq: 2, sdp: sdp(CORE, 40_000, qos(own, 'sendrecv')) }, 'down'));

  test('hold the call for ever: whose resources are missing is told', async () => {
    const r = await report(told(waiting(), 'none'));
    assert.deepEqual(codes(r), ['call.preconditions']);
    assert.match(
      finding(r, 'call.preconditions').meaning,
      /^Nobody was told of the call in 60 s\. The resources of the callee \(the network\) are missing\./,
    );
  });

  test('hold it until the caller gives it up', async () => {
    const t = told(waiting(), 'none')
      .up(31_000, sip(`CANCEL ${BOB}`))
      .down(31_010, sip('200 OK CANCEL', { toTag: 'b' }, 'down'))
      .down(31_020, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down'))
      .up(31_030, sip(`ACK ${BOB}`, { toTag: 'b' }));
    const r = await report(t);
    assert.deepEqual(codes(r), ['call.preconditions']);
    assert.match(
      finding(r, 'call.preconditions').meaning,
      /^Nobody was told .* 30 s\. The caller gave the call up then\./,
    );
  });

  test('for a while, or where the callee is told all the same, are nothing', async () => {
    const soon = told(waiting(), 'none')
      .up(9000, sip(`CANCEL ${BOB}`))
      .down(9010, sip('200 OK CANCEL', { toTag: 'b' }, 'down'))
      .down(9020, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down'))
      .up(9030, sip(`ACK ${BOB}`, { toTag: 'b' }));
    const ringing = told(waiting(), 'none').down(1500, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
    const met = told(waiting(), 'sendrecv').down(1500, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
    for (const t of [soon, ringing, met]) assert.deepEqual(codes(await report(t)), []);
  });
});

describe('a call that is sent on', () => {
  const tried = (t: Talk, i: number, to: string, on: string): Talk =>
    t
      .up(1000 * i, sip(`INVITE sip:${to}@ims.example`, { cseq: i, sdp: sdp(UE, 30_000) }))
      .down(
        1000 * i + 100,
        sip(
          '302 Moved Temporarily INVITE',
          { toTag: `t${i}`, cseq: i, headers: [['Contact', `<sip:${on}@ims.example;q=1>`]] },
          'down',
        ),
      )
      .up(1000 * i + 110, sip(`ACK sip:${to}@ims.example`, { toTag: `t${i}`, cseq: i }));

  test('to where it was before goes in a circle', async () => {
    const r = await report(tried(tried(tried(talk(), 1, 'bob', 'desk'), 2, 'desk', 'mail'), 3, 'mail', 'bob'));
    assert.deepEqual(codes(r), ['call.redirect-loop']);
    note(r, 'call.redirected');
  });

  test('once, or from one to the next, does not', async () => {
    const t = tried(tried(talk(), 1, 'bob', 'desk'), 2, 'desk', 'mail');
    assert.deepEqual(codes(await report(t.copy())), []);
    t.up(3000, sip('INVITE sip:mail@ims.example', { cseq: 3, sdp: sdp(UE, 30_000) }))
      .down(3010, sip('100 Trying INVITE', { cseq: 3 }, 'down'))
      .down(3200, sip('200 OK INVITE', { cseq: 3, toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(3210, sip('ACK sip:mail@ims.example', { cseq: 3, toTag: 'b' }));
    const r = await report(goodbye(both(t, 3220, 100), 5300, 4));
    assert.deepEqual([codes(r), r.calls[0].state], [[], 'ended']);
  });
});

describe('a call that several answer', () => {
  /** The forks b and c; the answer of c is acknowledged with the branch of the other ACK where `own` is none. */
  const forked = (): Talk =>
    invited()
      .down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'))
      .down(1110, sip('180 Ringing INVITE', { toTag: 'c' }, 'down'))
      .down(2000, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .down(2010, sip('200 OK INVITE', { toTag: 'c', sdp: sdp(CORE, 41_000) }, 'down'))
      .up(2020, sip(`ACK ${BOB}`, { toTag: 'b' }));

  test('is ended with all but one of them', async () => {
    for (const branch of [undefined, 'z9hG4bKother']) {
      const t = forked().up(2030, sip(`ACK ${BOB}`, { toTag: 'c', ...(branch !== undefined && { branch }) }));
      const r = await report(goodbye(both(goodbye(t, 2040, 2, 'c'), 2060, 100), 4100, 3));
      assert.deepEqual([codes(r), r.calls[0].state], [[], 'ended']);
    }
  });

  test('has an ACK for each: one of them waits for it, and has no call', async () => {
    const t = forked();
    for (const ms of [2510, 3510, 5510])
      t.down(ms, sip('200 OK INVITE', { toTag: 'c', sdp: sdp(CORE, 41_000) }, 'down'));
    const r = await report(goodbye(both(t, 2060, 100), 4100, 3));
    assert.deepEqual([codes(r), r.calls[0].state], [['call.no-ack'], 'ended']);
    assert.match(finding(r, 'call.no-ack').meaning, /^Several answered the call, and the answer of one of them/);
  });
});

describe('a CANCEL that an answer passes', () => {
  const crossed = (): Talk =>
    invited()
      .down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'))
      .up(5000, sip(`CANCEL ${BOB}`))
      .down(5001, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .down(5020, sip('200 OK CANCEL', { toTag: 'b' }, 'down'))
      .up(5030, sip(`ACK ${BOB}`, { toTag: 'b' }));

  test('is followed by a BYE', async () => {
    assert.deepEqual(codes(await report(goodbye(crossed(), 5040, 2))), []);
  });

  test('leaves a call behind that nobody wants where it is not', async () => {
    const t = crossed();
    for (let i = 0; i < 100; i++) t.down(5100 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    const r = await report(t);
    assert.equal(codes(r)[0], 'call.not-ended');
    assert.match(
      finding(r, 'call.not-ended').meaning,
      /^The answer came 1 ms after the CANCEL, and no BYE in the 62 s after that\./,
    );
  });

  /** What is captured near the callee: its answer comes by first. */
  const passed = (cseq: number): Talk =>
    invited()
      .up(2000, sip(`INVITE ${BOB}`, { cseq: 2, sdp: sdp(UE, 30_000) }))
      .down(5000, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(5008, sip(`CANCEL ${BOB}`, { cseq }))
      .down(5020, sip('200 OK CANCEL', { toTag: 'b', cseq }, 'down'))
      .up(5030, sip(`ACK ${BOB}`, { toTag: 'b' }));

  test('may come by behind the answer', async () => {
    assert.match(
      finding(await report(passed(1)), 'call.not-ended').meaning,
      /^The CANCEL came 8 ms after the answer, and/,
    );
  });

  test('cancels the INVITE of its CSeq, and not another one that was answered', async () => {
    assert.equal(finding(await report(passed(2)), 'call.not-ended'), undefined);
  });
});

describe('a BYE that is answered with 481', () => {
  const UNKNOWN = '481 Call/Transaction Does Not Exist';
  const up = (): Talk => both(called(talk(), 1000, 0, false), 1210, 90);

  test('went to who had no call any more', async () => {
    const r = await report(goodbye(up(), 3100, 2, 'b', UNKNOWN));
    assert.deepEqual(codes(r), []);
    note(r, 'call.dialog-lost');
    assert.match(finding(r, 'call.dialog-lost').meaning, /^The answer to the BYE was 481\./);
  });

  test('passed that of the other side', async () => {
    const theirs = { from: BOB, to: 'sip:alice@ims.example', fromTag: 'b', toTag: 'a', cseq: 1 };
    const t = up()
      .up(3100, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }))
      .down(3105, sip('BYE sip:alice@10.0.0.2', theirs, 'down'))
      .up(3110, sip(`${UNKNOWN} BYE`, theirs))
      .down(3120, sip(`${UNKNOWN} BYE`, { toTag: 'b', cseq: 2 }, 'down'));
    assert.equal(finding(await report(t), 'call.dialog-lost'), undefined);
  });
});

test('a refusal that names what it wants is told with it', async () => {
  const refused = async (answer: string, headers: SipParts['headers'], body = ''): Promise<Json> => {
    const t = invited()
      .down(
        1300,
        sip(`${answer} INVITE`, { toTag: 'b', ...(headers && { headers }), ...(body && { sdp: body }) }, 'down'),
      )
      .up(1310, sip(`ACK ${BOB}`, { toTag: 'b' }));
    return report(t);
  };
  const reason = async (answer: string, name: string, value: string): Promise<string> =>
    (await refused(answer, [[name, value]])).calls[0].failure.reason;
  assert.match(
    await reason('420 Bad Extension', 'Unsupported', 'precondition, timer'),
    /It does not know precondition, timer\.$/,
  );
  assert.match(await reason('421 Extension Required', 'Require', 'sec-agree'), /It demands sec-agree\.$/);
  assert.match(await reason('415 Unsupported Media Type', 'Accept', 'application/sdp'), /It takes application\/sdp\.$/);
  assert.match(await reason('422 Session Interval Too Small', 'Min-SE', '1800'), /It wants 1800 s at least\.$/);
  const service = (inside: string): string =>
    `<ims-3gpp><alternative-service>${inside}</alternative-service></ims-3gpp>`;
  const sos = await refused(
    '380 Alternative Service',
    undefined,
    service('<type>emergency</type><action>emergency-registration</action>'),
  );
  assert.deepEqual(codes(sos), ['call.emergency-redirected']);
  assert.match(sos.calls[0].failure.reason, /It asks for emergency, by emergency-registration\.$/);
  const anew = await refused(
    '380 Alternative Service',
    undefined,
    service('<type>restoration</type><action>initial-registration</action>'),
  );
  assert.deepEqual(codes(anew), ['sip.restoration', 'call.server-failure']);
  assert.match(
    anew.calls[0].failure.reason,
    /^The network does not serve the UE any more, and asks it to register anew/,
  );
});
