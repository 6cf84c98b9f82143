import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTranslated } from '../../src/model/translation.js';
import { at } from '../build/packets.js';
import { codes, found, type Json, sdp, sip, speech, type Talk, talk, UE } from './support.js';

/** Media by IPv6 of a call whose descriptions name IPv4: a network between translates. */

// RFC 6052 §2.4: 192.0.2.33 behind prefixes of each length.
const WRITTEN = [
  '2001:db8:c000:221::',
  '2001:db8:1c0:2:21::',
  '2001:db8:122:c000:2:2100::',
  '2001:db8:122:3c0:0:221::',
  '2001:db8:122:344:c0:2:2100::',
  '2001:db8:122:344::192.0.2.33',
  '64:ff9b::192.0.2.33',
];

test('an IPv4 address in an IPv6 address (RFC 6052 §2.4)', () => {
  for (const six of WRITTEN) assert.ok(isTranslated(six, '192.0.2.33'), six);
  for (const [six, four] of [
    ['64:ff9b::192.0.2.34', '192.0.2.33'],
    ['192.0.2.33', '192.0.2.33'],
    ['64:ff9b::192.0.2.33', 'media.example'],
  ] as const)
    assert.ok(!isTranslated(six, four), six);
});

describe('media of a call that are translated', () => {
  const OWN = at('2001:db8:9::2', 30_000);
  const BOB = 'sip:bob@ims.example';
  /** Speech between the UE and a place that stands for the 203.0.113.7 of the answer, or does not. */
  function spoken(far: string, own: string): Talk {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: own }))
      .down(1100, sip('200 OK INVITE', { toTag: 'b', sdp: sdp('203.0.113.7', 40_000) }, 'down'))
      .up(1110, sip(`ACK ${BOB}`, { toTag: 'b' }));
    for (let i = 0; i < 90; i++)
      t.up(1210 + 20 * i, speech(OWN, at(far, 40_000), i, 1)).down(1215 + 20 * i, speech(at(far, 40_000), OWN, i, 2));
    return t
      .up(3200, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }))
      .down(3210, sip('200 OK BYE', { toTag: 'b', cseq: 2 }, 'down'));
  }
  const media = async (t: Talk): Promise<string[]> =>
    codes((await found(t, 0, 'none')) as Json).filter((code) => code.startsWith('media.'));
  const FOUR = sdp(UE, 30_000);
  const SIX = sdp('2001:db8:9::2', 30_000).replaceAll('IP4', 'IP6');

  test('come from where the description says, and go there', async () => {
    for (const own of [FOUR, SIX]) assert.deepEqual(await media(spoken('64:ff9b::cb00:7107', own)), []);
  });

  test('another address is none of those', async () => {
    assert.deepEqual(await media(spoken('64:ff9b::cb00:7108', SIX)), ['media.outside', 'media.foreign-source']);
  });
});
