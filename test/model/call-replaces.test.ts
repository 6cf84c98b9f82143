import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ALICE,
  BOB,
  both,
  CORE,
  CORE_MEDIA,
  codes,
  found,
  sdp,
  sip,
  speech,
  type Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

/** Calls that take the place of others: RFC 3891. */

const CAROL = 'sip:carol@ims.example';
/** The call that is there before: it lasts until `end`. */
const first = (end: number) =>
  both(
    talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' })),
    1210,
    90,
  ).up(end, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }));

const other = { callId: 'call-2@ims.example', from: CAROL, fromTag: 'c', to: ALICE } as const;
const replaces = [['Replaces', 'call-1@10.0.0.2;to-tag=a;from-tag=b']] as const;
/** Carol calls, in the place of Bob. */
const instead = (t: Talk) =>
  t.down(3000, sip(`INVITE ${ALICE}`, { ...other, headers: replaces, sdp: sdp(CORE, 40_000) }, 'down'));

describe('a call with Replaces', () => {
  test('is linked with the one that it takes the place of', async () => {
    const t = instead(first(3030))
      .up(3010, sip('200 OK INVITE', { ...other, toTag: 'z', sdp: sdp(UE, 30_000) }))
      .down(3020, sip(`ACK ${ALICE}`, { ...other, toTag: 'z' }, 'down'))
      .down(6000, sip(`BYE ${ALICE}`, { ...other, toTag: 'z', cseq: 2 }, 'down'));
    for (let i = 0; i < 140; i++)
      t.up(3040 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, 11)).down(3045 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 12));
    const r = await found(t);
    const [before, after] = r.calls;
    assert.deepEqual(codes(r), []);
    assert.deepEqual([before.state, before.replaces, before.replacedBy], ['ended', undefined, after.callId]);
    assert.deepEqual([after.state, after.replaces, after.replacedBy], ['ended', before.callId, undefined]);
  });

  test('that names itself takes the place of none', async () => {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { headers: replaces, sdp: sdp(UE, 30_000) }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }));
    const [call] = (await found(t)).calls;
    assert.deepEqual([call.replaces, call.replacedBy], [call.callId, undefined]);
  });

  const refused = (what: string) => instead(first(5000)).up(3010, sip(`${what} INVITE`, { ...other, toTag: 'z' }));

  for (const [what, said] of [
    ['481 Call/Transaction Does Not Exist', /^The call that it was to replace is not known there/],
    ['486 Busy Here', /^The call that it was to replace is no longer one that rings/],
    ['603 Decline', /^The call that it was to replace is over/],
  ] as const)
    test(`is refused with ${what}`, async () => {
      const r = await found(refused(what));
      assert.deepEqual(codes(r), ['call.not-replaced']);
      assert.match(r.findings[0].meaning, said);
      assert.match(r.calls[1].failure.reason, said);
      assert.equal(r.calls[0].replacedBy, undefined);
      assert.deepEqual([r.calls[0].state, r.calls[1].state], ['ended', 'failed']);
    });

  test('fails as others do, too', async () => {
    assert.deepEqual(codes(await found(refused('480 Temporarily Unavailable'))), ['call.unavailable']);
  });
});
