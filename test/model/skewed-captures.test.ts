import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder, type Shaper } from '../build/capture.js';
import { answer, type Conversation, clearConversation, connect } from '../build/conversation.js';
import { at } from '../build/packets.js';
import { jitter } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import {
  BOB,
  both,
  CORE,
  called,
  codes,
  ENDS,
  finding,
  healthy,
  type Json,
  reportOn,
  sdp,
  sip,
  speech,
  talk,
  UE,
} from './support.js';

/** Both directions of a tunnel, one of which has a clock that goes before the other, or after it. */

const CODE = 'capture.order';
const RELIABLE = [
  ['Require', '100rel'],
  ['RSeq', '1'],
] as const;

/** What the EFTF sent has times that are so many milliseconds later. */
const skewed =
  (ms: number): Shaper =>
  (frames) =>
    frames.map((f) => (f.side === 1 ? { ...f, time: f.time + ms * 1e6 } : f)).sort((a, b) => a.time - b.time);

const captured = (shape: Shaper, c = clearConversation(healthy().steps)): Promise<Json> => {
  const b = new CaptureBuilder({ shape: [shape] }).connection(c, { ...ENDS, step: 10, start: 1000 });
  return reportOn(b.build().octets, c.keylog);
};

describe('answers that stand before what they answer', () => {
  for (const ms of [-300, -20, 20, 300])
    test(`by ${ms} ms: that is said, and nothing is claimed of what came first`, async () => {
      for (const c of [undefined, await tlsConversation(healthy().steps)]) {
        const r = await captured(skewed(ms), c);
        assert.deepEqual(codes(r), [CODE]);
        const f = finding(r, CODE);
        assert.deepEqual([f.kind, f.confidence, f.refs], ['capture', 'certain', [{ kind: 'tunnel', id: 1 }]]);
        const most = Number(/ by (\d+) ms at most\./.exec(f.meaning)?.[1]);
        assert.ok(most > Math.abs(ms) - 15 && most <= Math.abs(ms), f.meaning);
        assert.equal(r.registrations[0].state, 'registered');
      }
    });

  test('by less than a millisecond, as queues mix them up: a registration is answered all the same', async () => {
    const early: Shaper = (frames) => {
      const speaks = (f: (typeof frames)[number] | undefined): boolean =>
        f !== undefined && Buffer.from(f.octets).includes('CSeq: ') && Buffer.from(f.octets).includes(' REGISTER');
      const shaped = frames.map((f, i) => {
        const asked = frames.findLast((q, k) => k < i && q.side === 0 && speaks(q));
        return f.side === 1 && speaks(f) && asked !== undefined ? { ...f, time: asked.time - 100_000 } : f;
      });
      assert.notDeepEqual(shaped, frames);
      return shaped.sort((a, b) => a.time - b.time);
    };
    const r = await captured(early);
    const [whole] = (await captured(skewed(0))).registrations;
    const [mixed] = r.registrations;
    assert.deepEqual([mixed.state, codes(r)], ['registered', []]);
    const told = (x: Json) => x.transactions.map((t: Json) => [t.cseq, t.status]);
    assert.deepEqual(told(mixed), told(whole));
    assert.ok(mixed.transactions.every((t: Json) => t.ms === 0));
  });

  test('an answer of a description that stands before its offer, in a provisional response or to a change', async () => {
    const p = { toTag: 'b' };
    const early = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
      .down(1100, sip('183 Session Progress INVITE', { ...p, sdp: sdp(CORE, 40_000), headers: RELIABLE }, 'down'))
      .up(1150, sip(`PRACK ${BOB}`, { ...p, cseq: 2, headers: [['RAck', '1 1 INVITE']] }))
      .down(1170, sip('200 OK PRACK', { ...p, cseq: 2 }, 'down'))
      .down(3000, sip('200 OK INVITE', p, 'down'))
      .up(3010, sip(`ACK ${BOB}`, p))
      .up(8000, sip(`BYE ${BOB}`, { ...p, cseq: 3 }))
      .down(8010, sip('200 OK BYE', { ...p, cseq: 3 }, 'down'));
    const moved = called(talk(), 1000, 7000)
      .up(4000, sip(`INVITE ${BOB}`, { ...p, cseq: 2, sdp: sdp(UE, 30_004) }))
      .down(4050, sip('200 OK INVITE', { ...p, cseq: 2, sdp: sdp(CORE, 40_004) }, 'down'))
      .up(4060, sip(`ACK ${BOB}`, { ...p, cseq: 2 }));
    for (let i = 0; i < 190; i++) {
      moved.up(4060 + 20 * i, speech(at(UE, 30_004), at(CORE, 40_004), 140 + i));
      moved.down(4065 + 20 * i, speech(at(CORE, 40_004), at(UE, 30_004), 140 + i, 2));
    }
    for (const t of [both(early, 3020, 240), both(moved, 1220, 140)])
      for (const ms of [-2000, -500])
        assert.deepEqual(codes(await captured(skewed(ms), clearConversation(t.steps))), [CODE]);
  });

  test('of one clock: nothing of that, and nothing where queues mix up a few frames', async () => {
    for (const shape of [skewed(0), jitter(3)]) assert.equal(finding(await captured(shape), CODE), undefined);
  });
});

describe('an answer of a proxy that stands before its CONNECT', () => {
  const asked = (...prefaces: readonly ReturnType<typeof connect>[]): Conversation['flights'] =>
    prefaces.map((p) => ({ ...p, ordered: true, pause: 0 }));

  test('and what ran through it: it is the tunnel that it was', async () => {
    const c = await tlsConversation(healthy().steps);
    const flights = [...asked(connect(), answer(200, 'Connection established')), ...c.flights];
    for (const ms of [-300, -20]) {
      const r = await captured(skewed(ms), { ...c, flights });
      assert.deepEqual(codes(r), [CODE]);
      const [t] = r.tunnels;
      assert.deepEqual(
        [t.state, t.accessType, t.proxy.target, t.proxy.status],
        ['established', 'II', 'eftf.example:443', 200],
      );
      assert.equal(t.envelopes.up.total, c.inner.filter((x) => x.side === 0).length);
      assert.equal(t.envelopes.down.total, c.inner.filter((x) => x.side === 1).length);
    }
  });

  test('a refusal is one', async () => {
    const c = clearConversation([]);
    const flights = asked(connect(), answer(403, 'Forbidden'));
    const r = await captured(skewed(-300), { ...c, flights });
    assert.ok(codes(r).includes('proxy.refused'), codes(r).join());
    assert.equal(r.tunnels[0].failure.cause, 'The proxy refused the CONNECT with status 403.');
  });
});
