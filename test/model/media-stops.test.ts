import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { put32 } from 'fttscope/kit';
import { at, udp } from '../build/packets.js';
import {
  BOB,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  finding,
  found,
  type Json,
  rtpPacket,
  sdp,
  sip,
  speech,
  spoken,
  type Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

const CODE = 'media.stopped';

/** A call of 30 s in which each side speaks for so many packets of 20 ms. */
const speaking = (up: number, down: number, end = true): Talk =>
  spoken(spoken(called(talk(), 1000, 30_000, end), 1210, up, 'up'), 1210, down, 'down');
const WHOLE = 1490;

/** RTCP of the callee: what it counts as sent (RFC 3550 §6.4.1), and its end (§6.6). */
function counting(packets: number): Uint8Array {
  const b = new Uint8Array(28);
  b.set([0x80, 200, 0, 6, 0, 0, 0, 2]);
  put32(b, 20, packets);
  return udp(at(CORE, 40_001), at(UE, 30_001), b);
}
const goodbye = udp(at(CORE, 40_001), at(UE, 30_001), Uint8Array.of(0x81, 203, 0, 1, 0, 0, 0, 2));

const told = async (t: Talk, beyond = 0, end: 'fin' | 'none' = 'fin'): Promise<Json> =>
  finding(await found(t, beyond, end), CODE);

describe('media that end before the call does', () => {
  test('of one side: which, since when, and where', async () => {
    const r = await found(speaking(WHOLE, 300));
    assert.deepEqual(codes(r), [CODE]);
    const f = finding(r, CODE);
    assert.deepEqual([f.severity, f.confidence, f.count], ['warn', 'likely', 1]);
    assert.match(f.meaning, /^The callee \(the network\) sent nothing for the last 24 s before the BYE\. A hold would/);
    const down = r.media.find((m: Json) => m.direction === 'down');
    assert.deepEqual(f.refs, [
      { kind: 'call', id: 1 },
      { kind: 'media', id: down.id },
      { kind: 'tunnel', id: 1 },
    ]);
    const bye = r.calls[0].messages.find((m: Json) => m.method === 'BYE').row;
    assert.deepEqual([f.rows.length, f.rows[1], f.first], [2, bye, down.end]);
    assert.match((await told(speaking(300, WHOLE))).meaning, /^The caller \(the UE\) sent nothing for the last 24 s/);
  });

  test('of both sides', async () => {
    const f = await told(speaking(300, 500));
    assert.match(
      f.meaning,
      /^The caller \(the UE\) sent [^.]* 24 s before the BYE\. The callee \(the network\) sent [^.]* 20 s /,
    );
    assert.deepEqual([f.rows.length, f.confidence], [3, 'likely']);
  });

  test('without an end of the call in the capture', async () => {
    const one = await told(speaking(WHOLE, 300, false), 1000, 'none');
    assert.match(
      one.meaning,
      /^The callee \(the network\) sent nothing for the last \d\d s\..* The end of the call is not in/,
    );
    const both = await told(speaking(300, 300, false), 60_000, 'none');
    assert.equal(both.confidence, 'possible');
    // The tunnel took them along.
    assert.equal(await told(speaking(300, 300, false), 60_000), undefined);
  });

  test('what RTCP says of the sender', async () => {
    const t = (first: number, each: number) => {
      const s = speaking(WHOLE, 300);
      for (let i = 0; i < 5; i++) s.down(8500 + 5000 * i, counting(first + each * i));
      return s;
    };
    const lost = await told(t(310, 250));
    assert.match(lost.meaning, / Its RTCP counts packets all the same: they were lost before they came here\./);
    assert.equal(lost.severity, 'warn');
    const muted = await told(t(300, 0));
    assert.match(muted.meaning, / Its RTCP goes on and counts none: it is there, and sends none\./);
    assert.equal(muted.severity, 'note');
    assert.match((await told(speaking(WHOLE, 300).down(7300, goodbye))).meaning, / Its RTCP said BYE\./);
    assert.match((await told(speaking(WHOLE, 300).down(5000, counting(190)))).meaning, / Its RTCP ended too\./);
  });

  test('not to the end of the call, or only for a while', async () => {
    assert.equal(await told(speaking(WHOLE, WHOLE)), undefined);
    assert.equal(await told(speaking(WHOLE, 1050)), undefined);
    const again = speaking(WHOLE, 300);
    for (let i = 0; i < 300; i++) again.down(25_000 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, 300 + i, 2));
    assert.equal(await told(again), undefined);
    // Who paused for 11 s before may pause for 20 s now.
    const pausing = speaking(WHOLE, 0);
    for (const ms of [1300, 12_300])
      for (let i = 0; i < 20; i++) pausing.down(ms + 20 * i, speech(CORE_MEDIA, UE_MEDIA, ms + i, 2));
    assert.equal(await told(pausing), undefined);
  });

  test('silence that was told: comfort noise, keep-alives, a description of silence', async () => {
    const last = (type: number, octets: number) => {
      const payload = new Uint8Array(octets);
      const head = { sequence: 300, timestamp: 48_000, ssrc: 2 };
      return speaking(WHOLE, 300).down(7300, rtpPacket(CORE_MEDIA, UE_MEDIA, { ...head, payloadType: type, payload }));
    };
    for (const [type, octets] of [
      [13, 1],
      [20, 0],
      [8, 20],
    ] as const)
      assert.equal(await told(last(type, octets)), undefined, `${type}`);
    for (const [type, octets] of [
      [8, 160],
      [101, 4],
    ] as const)
      assert.equal((await told(last(type, octets)))?.severity, 'warn', `${type}`);
  });

  test('on hold, and after it', async () => {
    const change = (t: Talk, ms: number, cseq: number, own: string, other: string): Talk =>
      t
        .up(ms, sip(`INVITE ${BOB}`, { toTag: 'b', cseq, sdp: sdp(UE, 30_000, [`a=${own}`]) }))
        .down(ms + 50, sip('200 OK INVITE', { toTag: 'b', cseq, sdp: sdp(CORE, 40_000, [`a=${other}`]) }, 'down'))
        .up(ms + 60, sip(`ACK ${BOB}`, { toTag: 'b', cseq }));
    for (const [own, other] of [
      ['sendonly', 'recvonly'],
      ['inactive', 'inactive'],
    ] as const)
      assert.equal(await told(change(speaking(WHOLE, 300), 7200, 5, own, other)), undefined);
    const held = (until: number) =>
      change(change(speaking(WHOLE, 300), 7200, 5, 'sendonly', 'recvonly'), until, 6, 'sendrecv', 'sendrecv');
    assert.equal(await told(held(25_000)), undefined);
    assert.match(
      (await told(held(15_000))).meaning,
      /^The callee \(the network\) sent nothing for the last 16 s before/,
    );
  });

  test('media of a call that is transferred go elsewhere', async () => {
    const t = speaking(WHOLE, 300);
    t.up(7200, sip(`REFER ${BOB}`, { toTag: 'b', cseq: 3, headers: [['Refer-To', '<sip:carol@ims.example>']] }));
    t.down(7220, sip('202 Accepted REFER', { toTag: 'b', cseq: 3 }, 'down'));
    assert.equal(await told(t), undefined);
  });
});
