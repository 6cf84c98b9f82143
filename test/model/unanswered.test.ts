import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALICE, BOB, both, called, codes, finding, found, sdp, sip, type Talk, talk, UE } from './support.js';

/** Requests that end something, or only ask whether somebody is there, and that nothing answers. RFC 3261 §17.1.2.2 */

/** When a request is sent again over UDP, after the first time: timer E with T1 500 ms and T2 4 s. */
const AGAIN = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

const theirs = { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE } as const;

/** A packet, and its repetitions for at most so long. */
function insisted(t: Talk, ms: number, way: 'up' | 'down', packet: Uint8Array, until = 32_000): Talk {
  for (const after of [0, ...AGAIN].filter((a) => a < until))
    way === 'up' ? t.up(ms + after, packet) : t.down(ms + after, packet);
  return t;
}

describe('the end of a call', () => {
  const speaking = () => both(called(talk(), 1000, 0, false), 1210, 90);
  const bye = sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 });
  const ended = 'call.end-unanswered';

  test('a BYE that nothing answers', async () => {
    const r = await found(insisted(speaking(), 3100, 'up', bye), 60_000, 'none');
    assert.deepEqual(codes(r), [ended]);
    const f = finding(r, ended);
    assert.deepEqual([f.severity, f.confidence, f.count], ['warn', 'certain', 1]);
    assert.match(
      f.meaning,
      /^It is the BYE of the caller, sent 11 times in 32 s\. The call is over for whoever ended it/,
    );
    assert.equal(r.calls[0].state, 'ended');
    assert.deepEqual(f.rows, [r.calls[0].messages.at(-1).row]);
    // Of the other side, and over a transport that repeats nothing.
    const down = await found(
      speaking().down(3100, sip(`BYE ${ALICE}`, { ...theirs, cseq: 7 }, 'down')),
      60_000,
      'none',
    );
    assert.match(finding(down, ended).meaning, /^It is the BYE of the callee\. /);
  });

  test('a BYE that was repeated for long, and whose tunnel ended then', async () => {
    const r = await found(insisted(speaking(), 3100, 'up', bye, 20_000), 60_000);
    assert.ok(codes(r).includes(ended));
  });

  test('no time for an answer, an answer of any kind, a BYE of both sides', async () => {
    const silent = async (t: Talk, end: 'fin' | 'none', beyond = 60_000): Promise<void> =>
      assert.equal(finding(await found(t, beyond, end), ended), undefined);
    await silent(speaking().up(3100, bye), 'fin');
    await silent(speaking().up(3100, bye), 'none', 20_000);
    for (const status of ['200 OK', '481 Call/Transaction Does Not Exist'])
      await silent(
        insisted(speaking(), 3100, 'up', bye, 5000).down(9000, sip(`${status} BYE`, { toTag: 'b', cseq: 2 }, 'down')),
        'none',
      );
    await silent(
      speaking()
        .up(3100, bye)
        .down(3110, sip(`BYE ${ALICE}`, { ...theirs, cseq: 7 }, 'down')),
      'none',
    );
  });

  test('a BYE that a proxy answers in the place of the other side, as Kamailio does', async () => {
    const timeout = sip('408 Request Timeout BYE', { toTag: 'b', cseq: 2 }, 'down');
    const t = insisted(speaking(), 3100, 'up', bye, 5000).down(9000, timeout);
    const r = await found(t.copy(), 60_000, 'none');
    assert.deepEqual(codes(r), [ended]);
    assert.match(
      finding(r, ended).meaning,
      /^The answer to the BYE was 408: a proxy waited for the other side in vain\./,
    );
    assert.equal(r.calls[0].state, 'ended');
    // Who has ended the call, too, need not answer.
    const mutual = t.down(3500, sip(`BYE ${ALICE}`, { ...theirs, cseq: 7 }, 'down'));
    mutual.up(3510, sip('200 OK BYE', { ...theirs, cseq: 7 }));
    assert.equal(finding(await found(mutual, 60_000, 'none'), ended), undefined);
  });

  test('a CANCEL that nothing answers', async () => {
    const rung = () =>
      talk()
        .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
        .down(1010, sip('100 Trying INVITE', {}, 'down'))
        .down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'));
    const r = await found(insisted(rung(), 5000, 'up', sip(`CANCEL ${BOB}`)), 60_000, 'none');
    assert.deepEqual(codes(r), [ended]);
    assert.match(finding(r, ended).meaning, /^It is the CANCEL of the caller, sent 11 times in 32 s\./);
    // The 200 to the CANCEL, or the 487 to the INVITE: one of them is enough.
    for (const answer of ['200 OK CANCEL', '487 Request Terminated INVITE']) {
      const t = rung()
        .up(5000, sip(`CANCEL ${BOB}`))
        .down(5010, sip(answer, { toTag: 'b' }, 'down'));
      assert.equal(finding(await found(t, 60_000, 'none'), ended), undefined);
    }
  });
});

test('OPTIONS and REFER within a call', async () => {
  const speaking = () => both(called(talk(), 1000, 60_000), 1210, 3000);
  for (const [method, what] of [
    ['OPTIONS', 'an OPTIONS'],
    ['REFER', 'a REFER'],
  ] as const) {
    const asked = () => speaking().up(3000, sip(`${method} ${BOB}`, { toTag: 'b', cseq: 7 }));
    const f = finding(await found(asked()), 'call.request-unanswered');
    assert.ok(f.meaning.startsWith(`It is ${what}. The other side`), f.meaning);
    const headers = [['Refer-Sub', 'false']] as const; // RFC 4488: no NOTIFY follows
    const answered = asked().down(3010, sip(`200 OK ${method}`, { toTag: 'b', cseq: 7, headers }, 'down'));
    assert.deepEqual(codes(await found(answered)), []);
  }
});

describe('OPTIONS beside calls', () => {
  const ping = (t: Talk, ms: number, n: number, way: 'up' | 'down', answered: boolean): Talk => {
    const p = { callId: `options-${n}`, cseq: n } as const;
    const [ask, answer] = way === 'up' ? (['up', 'down'] as const) : (['down', 'up'] as const);
    t[ask](ms, sip('OPTIONS sip:ims.example', p, ask));
    return answered ? t[answer](ms + 10, sip('200 OK OPTIONS', { ...p, toTag: 'o' }, answer)) : t;
  };
  const code = 'sip.options-unanswered';
  const told = async (...answered: readonly boolean[]) => {
    const t = talk();
    for (const [i, a] of answered.entries()) ping(t, 1000 + 30_000 * i, i + 1, 'up', a);
    return finding(await found(t, 60_000, 'none'), code);
  };

  test('of the UE', async () => {
    const f = await told(true, false, false);
    assert.deepEqual([f.severity, f.count, f.rows.length], ['warn', 2, 2]);
    assert.match(
      f.meaning,
      /^They come beside calls\. Of 3 that the UE sent 2 got no answer\. .* 128 s in IMS\. Whoever asks/,
    );
    assert.equal((await told(true, false, true)).severity, 'note');
    assert.equal((await told(false)).severity, 'warn');
    assert.equal(await told(true, true), undefined);
  });

  test('of the network, and with no time for an answer', async () => {
    const asked = () => ping(ping(talk(), 1000, 1, 'down', false), 1500, 1, 'down', false);
    assert.match(finding(await found(asked(), 60_000, 'none'), code).meaning, / Of 1 that the network sent 1 got no/);
    assert.equal(finding(await found(asked(), 60_000), code), undefined);
    assert.equal(finding(await found(asked(), 10_000, 'none'), code), undefined);
  });
});

describe('a REGISTER that is to end the registration', () => {
  const leave = (cseq = 3) =>
    sip('REGISTER sip:ims.example', {
      ...{ callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example', cseq },
      headers: [['Contact', '<sip:alice@10.0.0.2:5060>;expires=0']],
    });

  test('nothing answers it', async () => {
    const r = await found(insisted(talk(), 5000, 'up', leave()), 60_000, 'none');
    assert.deepEqual(codes(r), ['sip.register-timeout', 'sip.register-retransmitted']);
    const f = finding(r, 'sip.register-timeout');
    assert.equal(f.severity, 'warn');
    assert.match(f.meaning, /^It was to end the registration: until that runs out the network takes the UE for reach/);
    // A registration that its UE wanted to leave did not run out for want of a refresh.
    const later = await found(insisted(talk(), 5000, 'up', leave()), 4_000_000, 'none');
    assert.equal(later.registrations[0].state, 'expired');
    assert.equal(finding(later, 'sip.registration-expired'), undefined);
  });

  test('the UE does not wait for the answer, and ends the tunnel', async () => {
    const r = await found(talk().up(5000, leave()), 60_000);
    assert.deepEqual(codes(r), []);
  });
});
