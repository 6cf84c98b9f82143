import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Shaper } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import { SYN } from '../build/packets.js';
import {
  ALICE,
  addressed,
  BOB,
  CORE,
  called,
  captured,
  codes,
  finding,
  found,
  registered,
  reportOn,
  sdp,
  sip,
  Talk,
  talk,
  UE,
} from './support.js';

/**
 * Requests that come again behind their answers, as those of a UE of sipp that takes no answer for its own (its Call-ID is
 * another): RFC 3261 §17.1.1.2 and §17.1.2.2 end the repetition of a request with any answer to it.
 */

const CODE = 'sip.answer-unheard';
const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example' };
const register = sip('REGISTER sip:ims.example', p);
const challenge = sip(
  '401 Unauthorized REGISTER',
  { ...p, toTag: 'r', headers: [['WWW-Authenticate', 'Digest realm="ims.example", nonce="abc", algorithm=MD5']] },
  'down',
);

/** REGISTER sent again and again, each time with the challenge after it. */
function deafRegistering(after: readonly number[]): Talk {
  const t = addressed(new Talk());
  for (const ms of after) t.up(100 + ms, register).down(110 + ms, challenge);
  return t;
}

describe('answers that come by, and are not heard', () => {
  test('a UE that repeats its REGISTER behind the challenge', async () => {
    const r = await found(deafRegistering([0, 500, 1500, 3500, 7500, 11_500]), 60_000, 'none');
    assert.deepEqual(codes(r), [CODE]);
    const f = finding(r, CODE);
    assert.equal(f.severity, 'error');
    assert.match(
      f.meaning,
      /^The UE sent REGISTER 5 times again after an answer to it had come by here, the last 11\.5 s after/,
    );
    assert.deepEqual(f.rows.length, 2);
  });

  test('a UE that repeats its INVITE behind the answer: no ACK is lost', async () => {
    const t = talk();
    for (const ms of [0, 500, 1500, 3500, 7500, 15_500, 31_500]) {
      t.up(1000 + ms, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }));
      t.down(1010 + ms, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'));
    }
    const r = await found(t, 60_000, 'none');
    assert.equal(codes(r)[0], CODE);
    assert.match(finding(r, CODE).meaning, /^The UE sent INVITE 6 times again/);
    assert.equal(finding(r, 'call.no-ack'), undefined);
  });

  test('a network that does not hear that the UE rings', async () => {
    const theirs = { from: BOB, to: ALICE } as const;
    const t = talk();
    for (const ms of [0, 500, 1500, 3500]) {
      t.down(1000 + ms, sip(`INVITE ${ALICE}`, { ...theirs, sdp: sdp(CORE, 40_000) }, 'down'));
      t.up(1010 + ms, sip('180 Ringing INVITE', { ...theirs, toTag: 'u' }));
    }
    assert.match(finding(await found(t, 60_000, 'none'), CODE).meaning, /^The network sent INVITE 3 times again/);
  });

  test('an ACK that does not get to the callee: as of a UE that leaves out the Route, at Kamailio', async () => {
    const t = called(talk(), 1000, 0, false);
    const answer = sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down');
    for (const ms of [1700, 2700, 4700]) t.down(ms, answer).up(ms + 1, sip(`ACK ${BOB}`, { toTag: 'b' }));
    const bye = t.copy().up(9000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }));
    const r = await found(bye.down(9010, sip('404 Not here BYE', { toTag: 'b', cseq: 2 }, 'down')), 20_000, 'none');
    assert.match(
      finding(r, 'call.no-ack').meaning,
      /^The network sent the answer to INVITE 3 times again after its ACK had come by here, the last 3\.5 s after that\./,
    );
    assert.match(finding(r, 'call.end-refused').meaning, /^The answer to the BYE was 404\./);
    // It came late, and once more.
    const late = called(talk(), 1000, 0, false).down(1700, answer);
    assert.equal(finding(await found(late, 20_000, 'none'), 'call.no-ack'), undefined);
    // One that is refused for want of credentials, and taken with them.
    const asked = sip('407 Proxy Authentication Required BYE', { toTag: 'b', cseq: 2 }, 'down');
    const taken = sip('200 OK BYE', { toTag: 'b', cseq: 3 }, 'down');
    const again = called(talk(), 1000, 0, false)
      .up(3000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }))
      .down(3010, asked)
      .up(3020, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 3 }))
      .down(3030, taken);
    assert.equal(finding(await found(again, 20_000, 'none'), 'call.end-refused'), undefined);
  });

  test('an answer that crosses a repetition on its way, and a UE that hears late', async () => {
    assert.equal(finding(await found(deafRegistering([0, 500]), 60_000, 'none'), CODE), undefined);
    assert.equal(finding(await found(deafRegistering([0, 200, 400, 600]), 60_000, 'none'), CODE), undefined);
    const late = registered(deafRegistering([0, 500, 1500]), 2000);
    const r = await found(late, 3000);
    assert.equal(r.registrations[0].state, 'registered');
    assert.equal(finding(r, CODE).severity, 'warn');
  });

  test('by way of a satellite it comes as late as the handshake of the tunnel shows', async () => {
    const t = registered(deafRegistering([0, 500, 1500]), 2000);
    /** Captured at the EFTF; the UE takes so long to hear its SYN/ACK, and to answer. */
    const told = async (ms: number) => {
      const early: Shaper = (frames) =>
        frames.map((f) => ((f.segment?.flags ?? 0) & SYN ? { ...f, time: f.time - 1e6 * ms } : f));
      const { octets } = captured(clearConversation(t.steps), { start: 5000, end: 'none' }, { shape: [early] });
      return finding(await reportOn(octets), CODE);
    };
    assert.equal((await told(20)).severity, 'warn');
    assert.equal(await told(1400), undefined);
  });
});
