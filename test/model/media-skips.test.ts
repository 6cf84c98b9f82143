import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BOB,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  finding,
  found,
  type Json,
  sdp,
  sip,
  speech,
  spoken,
  type Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

/** Numbers of each stream, 20 ms apart. */
const WHOLE = 1490;

describe('numbers that are missing where the session had no such medium', () => {
  const FAX = (where: string, port: number) =>
    ['v=0', `o=- 1 2 IN IP4 ${where}`, 's=-', `c=IN IP4 ${where}`, 't=0 0', `m=image ${port} udptl t38`, ''].join(
      '\r\n',
    );
  const BOTH = (where: string, port: number) =>
    `${sdp(where, 0).replace(/\r\na=.*/g, '')}m=image ${port} udptl t38\r\n`;
  const again = (t: Talk, ms: number, cseq: number, offer: string, answer: string, status = '200 OK'): Talk =>
    t
      .up(ms, sip(`INVITE ${BOB}`, { toTag: 'b', cseq, sdp: offer }))
      .down(ms + 50, sip(`${status} INVITE`, { toTag: 'b', cseq, sdp: answer }, 'down'))
      .up(ms + 60, sip(`ACK ${BOB}`, { toTag: 'b', cseq }));
  /** Speech of 30 s whose numbers go on while nothing is sent, from 5 s to 15 s after the answer. */
  const holed = (more = (_i: number): boolean => false): Talk => {
    const t = called(talk(), 1000, 30_000);
    spoken(t, 1210, WHOLE, 'up');
    return spoken(t, 1210, WHOLE, 'down', (i) => (i >= 250 && i < 750) || more(i));
  };
  const down = (r: Json): Json => r.media.find((m: Json) => m.direction === 'down');

  test('are lost where the session goes on', async () => {
    const r = await found(holed());
    assert.deepEqual(codes(r), ['media.loss']);
    assert.deepEqual([down(r).lost, down(r).skipped], [500, undefined]);
  });

  for (const [what, own, other] of [
    ['T.38', FAX(UE, 30_000), FAX(CORE, 40_000)],
    ['a medium with port 0', BOTH(UE, 30_002), BOTH(CORE, 40_002)],
    ['hold', sdp(UE, 30_000, ['a=sendonly']), sdp(CORE, 40_000, ['a=recvonly'])],
  ] as const)
    test(`are not: ${what}`, async () => {
      const changed = (t: Talk) => again(again(t, 6190, 5, own, other), 16_150, 6, sdp(UE, 30_000), sdp(CORE, 40_000));
      const r = await found(changed(holed()));
      assert.deepEqual(codes(r), []);
      const { lost, lostPercent, skipped, bursts, mos } = down(r);
      // What RTP alone says, as tshark does, stays.
      assert.deepEqual([lost, skipped, Math.round(lostPercent), bursts.count], [500, 500, 34, 0]);
      assert.ok(mos.value > 4);
      assert.deepEqual([r.summary.media.lost, r.summary.lostPercent.max], [0, 0]);
      // Others are lost all the same.
      const worse = await found(changed(holed((i) => i >= 1000 && i < 1030)));
      assert.deepEqual(codes(worse), ['media.loss']);
      assert.match(
        finding(worse, 'media.loss').meaning,
        /^30 of 990 packets \(3\.0 %\) did not come, up to 30 in a row\./,
      );
      assert.deepEqual([down(worse).lost, down(worse).skipped], [530, 500]);
    });

  test('nor where the offer of a fax was refused', async () => {
    const r = await found(again(holed(), 10_000, 5, FAX(UE, 30_000), '', '488 Not Acceptable Here'));
    assert.deepEqual([codes(r), down(r).skipped], [[], 500]);
  });

  test('a session that is only refreshed hides no loss', async () => {
    const r = await found(again(holed(), 10_000, 5, sdp(UE, 30_000), sdp(CORE, 40_000)));
    assert.deepEqual([codes(r), down(r).skipped], [['media.loss'], undefined]);
  });
});

describe('a source that goes on with other numbers behind a silence', () => {
  /** Two talks of the same SSRC and ports, 8 s apart, whose signalling is not seen; the second is numbered from `first`. */
  const talks = (first: number): Talk => {
    const t = spoken(talk(), 1000, 100, 'up');
    for (let i = 0; i < 100; i++) t.up(11_000 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, first + i, 1));
    return t;
  };
  const lost = async (first: number): Promise<number> => {
    const r = await found(talks(first));
    assert.equal(r.media.length, 1);
    assert.equal(codes(r).includes('media.loss'), r.media[0].lost > 0);
    return r.media[0].lost;
  };

  test('has lost none where they say that more time went by than did', async () => {
    for (const first of [600, 1500, 3000]) assert.equal(await lost(first), 0, `${first}`);
  });

  test('has lost those for which there was time', async () => {
    assert.equal(await lost(250), 150);
    assert.equal(await lost(290), 190);
  });
});
