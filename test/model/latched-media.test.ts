import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../build/packets.js';
import {
  ALICE,
  BOB,
  both,
  CORE,
  CORE_MEDIA,
  codes,
  finding,
  found,
  note,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  talk,
  UE,
} from './support.js';

/**
 * A UE that names an address which is not the one that it sends from, as behind a NAT, and a gateway that sends back to
 * where its media come from: RFC 4961 §4, TS 23.228 annex G.2. Both hear each other.
 */

const HOME = '192.168.7.4';
const theirs = { from: BOB, to: ALICE } as const;

/** A call of the UE, or to it, in which the UE names another address as its own. */
function agreed(t: Talk, direction: 'originated' | 'terminated', home = HOME): Talk {
  const [own, other] = [sdp(home, 30_000), sdp(CORE, 40_000)];
  if (direction === 'originated')
    return t
      .up(1000, sip(`INVITE ${BOB}`, { sdp: own }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: other }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }))
      .up(6000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 9 }))
      .down(6010, sip('200 OK BYE', { toTag: 'b', cseq: 9 }, 'down'));
  return t
    .down(1000, sip(`INVITE ${ALICE}`, { ...theirs, sdp: other }, 'down'))
    .up(1200, sip('200 OK INVITE', { ...theirs, toTag: 'b', sdp: own }))
    .down(1210, sip(`ACK ${ALICE}`, { ...theirs, toTag: 'b' }, 'down'))
    .down(6000, sip(`BYE ${ALICE}`, { ...theirs, toTag: 'b', cseq: 9 }, 'down'))
    .up(6010, sip('200 OK BYE', { ...theirs, toTag: 'b', cseq: 9 }));
}

for (const direction of ['originated', 'terminated'] as const)
  describe(`media that go back to where they come from, call ${direction}`, () => {
    test('in a tunnel: a note that says so', async () => {
      const r = await found(both(agreed(talk(), direction), 1220, 230));
      assert.deepEqual(codes(r), []);
      note(r, 'media.outside');
      assert.match(
        finding(r, 'media.outside').meaning,
        /^It goes to 10\.0\.0\.2:30000, where the media of the UE come from: the other side sends back to there\./,
      );
    });

    test('outside of tunnels: both directions flow', async () => {
      assert.deepEqual(codes(await both(agreed(new Talk(), direction), 1220, 230).bare()), []);
    });

    test('one way alone is one way', async () => {
      const r = await found(spoken(agreed(talk(), direction), 1220, 230, 'up'));
      assert.deepEqual(codes(r), ['media.one-way']);
      const bare = await spoken(agreed(new Talk(), direction), 1220, 230, 'up').bare();
      assert.deepEqual(codes(bare), ['media.one-way']);
    });
  });

test('to another port of the address that the UE named is another thing: it listens there, and not where it sends', async () => {
  const t = agreed(talk(), 'originated', UE);
  const own = at(UE, 31_000);
  for (let i = 0; i < 200; i++)
    t.up(1220 + 20 * i, speech(own, CORE_MEDIA, i, 1)).down(1225 + 20 * i, speech(CORE_MEDIA, own, i, 2));
  assert.deepEqual(codes(await found(t)), ['media.outside', 'media.asymmetric-ports']);
});
