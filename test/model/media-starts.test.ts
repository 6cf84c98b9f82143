import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../build/packets.js';
import {
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

/** When the call is answered, and what it lasts. */
const ANSWERED = 1200;
const DURATION = 20_000;

/** A call in which each side speaks from so many milliseconds after the answer until the end. */
function begun(up: number, down: number, t: Talk = called(talk(), 1000, DURATION)): Talk {
  const packets = (late: number): number => Math.floor((DURATION - late) / 20) - 10;
  spoken(t, ANSWERED + up, packets(up), 'up');
  return spoken(t, ANSWERED + down, packets(down), 'down');
}

describe('media that begin late', () => {
  const CODE = 'media.late-start';
  const told = async (t: Talk): Promise<Json> => finding(await found(t), CODE);

  test('of the network: a warning that says who was silent, and for how long', async () => {
    const r = await found(begun(10, 4000));
    assert.deepEqual(codes(r), [CODE]);
    const f = finding(r, CODE);
    assert.deepEqual([f.severity, f.confidence], ['warn', 'likely']);
    assert.match(f.meaning, /^The callee \(the network\) sent nothing for the first 4\.0 s of the call\. /);
    assert.equal(f.rows.length, 2); // the answer, and the first packet
  });

  test('both sides, and a note for less than three seconds', async () => {
    assert.match(
      (await told(begun(3500, 4000))).meaning,
      /4\.0 s of the call\. The caller \(the UE\) sent nothing for .*3\.5 s/,
    );
    assert.equal((await told(begun(1500, 10))).severity, 'note');
    assert.equal(await told(begun(900, 900)), undefined);
  });

  test('a side that is silent as long later on, or that sent before the answer', async () => {
    const [first, rest] = [4000, 9000];
    const t = spoken(called(talk(), 1000, DURATION), ANSWERED, 900, 'up');
    for (let i = 0; i < 100; i++) t.down(ANSWERED + first + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    for (let i = 100; i < 500; i++) t.down(ANSWERED + first + 20 * i + rest, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    assert.equal(await told(t), undefined);
    const early = spoken(begun(10, 4000), ANSWERED - 80, 100, 'down');
    assert.equal(await told(early), undefined);
  });

  test('ICE looks for a way first (RFC 8445)', async () => {
    const ice = (where: string, port: number): string =>
      sdp(where, port, [`a=candidate:1 1 UDP 2130706431 ${where} ${port} typ host`]);
    const t = talk()
      .up(1000, sip('INVITE sip:bob@ims.example', { sdp: ice(UE, 30_000) }))
      .down(ANSWERED, sip('200 OK INVITE', { toTag: 'b', sdp: ice(CORE, 40_000) }, 'down'))
      .up(ANSWERED + 10, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
    assert.equal(await told(begun(4000, 4000, t.copy())), undefined);
    assert.equal((await told(begun(10, 6000, t))).severity, 'warn');
  });
});

describe('where media come from', () => {
  const CODE = 'media.foreign-source';
  const told = async (t: Talk): Promise<Json> => finding(await found(t), CODE);
  /** A call in which the UE gets its media from somewhere. */
  const from = (where: string, port: number, t = called(talk(), 1000, 4000)): Talk => {
    for (let i = 0; i < 150; i++) t.down(ANSWERED + 20 * i, speech(at(where, port), UE_MEDIA, i, 2));
    return spoken(t, ANSWERED, 150, 'up');
  };

  test('an address that no session description names', async () => {
    const r = await found(from('10.0.0.77', 40_000));
    assert.deepEqual(codes(r), [CODE]);
    assert.match(
      finding(r, CODE).meaning,
      /^They come from 10\.0\.0\.77:40000, and the other side named 10\.0\.0\.1\. /,
    );
  });

  test('another port of the same address, a few packets, and an address that another description names', async () => {
    assert.equal(await told(from(CORE, 40_010)), undefined);
    const stray = spoken(spoken(called(talk(), 1000, 4000), ANSWERED, 150, 'up'), ANSWERED, 150, 'down');
    for (let i = 0; i < 5; i++) stray.down(2000 + 20 * i, speech(at('10.0.0.77', 40_000), UE_MEDIA, i, 3));
    assert.equal(await told(stray), undefined);
    const early = called(talk(), 1000, 4000);
    early.down(1050, sip('183 Session Progress INVITE', { toTag: 'b', sdp: sdp('10.0.0.77', 40_000) }, 'down'));
    assert.equal(await told(from('10.0.0.77', 40_000, early)), undefined);
  });
});

test('media that nobody announced, to a port of another protocol, in packets that could be of that', async () => {
  // An RX header has its type, 1 to 13, where the ninth octet of speech is: Wireshark takes these for AFS on port 7000.
  const t = talk();
  for (let i = 0; i < 150; i++) t.up(2000 + 20 * i, speech(UE_MEDIA, at(CORE, 7000), 200 + i));
  const [m] = (await found(t)).media;
  assert.deepEqual([m.packets, m.lost], [150, 0]);
});
