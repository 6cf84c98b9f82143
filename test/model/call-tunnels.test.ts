import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder, type Shaper } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { clearConversation } from '../build/conversation.js';
import { at, type Endpoint } from '../build/packets.js';
import {
  addressed,
  BOB,
  both,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  ENDS,
  finding,
  type Json,
  reportOn,
  sdp,
  sip,
  speech,
  Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

/** A call whose UE has one tunnel after another, or whose sides are UEs that have one each. */

const CLOSED = 'tunnel.closed-in-call';
const BREAK = 'media.interrupted';

/** Tunnels beside each other, the capture so many milliseconds longer than the last. */
function several(...tunnels: readonly (readonly [Talk, Partial<ConnectionOptions>])[]): Promise<Json> {
  const builder = new CaptureBuilder();
  for (const [t, o] of tunnels) builder.connection(clearConversation(t.steps), { ...ENDS, step: 10, ...o });
  return reportOn(builder.build().octets);
}

/** The next tunnel of the UE, which is opened `start` milliseconds from the start of the capture. */
const next = (start: number, more: Partial<ConnectionOptions> = {}): Partial<ConnectionOptions> => ({
  client: at('192.0.2.10', 40_000 + start),
  isn: [5, 6],
  start,
  ...more,
});

const STREAMS = { up: 1, down: 2 } as const;

/** So many packets of the streams of {@link both} that go on, numbered from `first`, from an address of the UE. */
function goesOn(
  t: Talk,
  ms: number,
  n: number,
  first: number,
  own: Endpoint = UE_MEDIA,
  streams: { readonly up: number; readonly down: number } = STREAMS,
): Talk {
  for (let i = 0; i < n; i++) {
    t.up(ms + 20 * i, speech(own, CORE_MEDIA, first + i, streams.up));
    t.down(ms + 20 * i + 5, speech(CORE_MEDIA, own, first + i, streams.down));
  }
  return t;
}

const begun = (): Talk => both(called(talk(), 1000, 0, false), 1210, 90);
const goodbye = (t: Talk, ms: number, cseq = 2): Talk =>
  t.up(ms, sip(`BYE ${BOB}`, { toTag: 'b', cseq })).down(ms + 10, sip('200 OK BYE', { toTag: 'b', cseq }, 'down'));
const calls = (r: Json): unknown => r.media.map((m: Json) => [m.tunnel, m.call]);
const ALL = [
  [1, 1],
  [1, 1],
  [2, 1],
  [2, 1],
];

describe('a call that goes on in another tunnel', () => {
  /** The first connection is left behind: nothing answers the last data of the EFTF in it, which come again. */
  const leftBehind: Shaper = (frames) => {
    const own = frames.filter((f) => f.connection === frames[0]!.connection);
    const last = own.findLast((f) => f.side === 1 && f.payload > 0)!;
    const again = [300, 900, 2100].map((ms) => ({ ...last, time: last.time + ms * 1e6 }));
    const kept = frames.filter((f) => f.connection !== last.connection || f.time <= last.time);
    return [...kept, ...again].sort((a, b) => a.time - b.time);
  };

  test('is taken along by its UE where that changes its access: nobody says who uses the next tunnel', async () => {
    const moves = async (second: Talk): Promise<Json> => {
      const b = new CaptureBuilder({ shape: [leftBehind] });
      b.connection(clearConversation(begun().steps), { ...ENDS, step: 10, end: 'none' });
      const away = { ...ENDS, step: 10, ...next(3500, { client: at('198.18.0.7', 41_000) }) };
      return reportOn(b.connection(clearConversation(second.steps), away).build().octets);
    };
    const r = await moves(goodbye(goesOn(new Talk(), 100, 100, 100), 2200));
    const moved = finding(r, 'tunnel.moved');
    assert.match(
      moved.meaning,
      /^It was 192\.0\.2\.10, and is 198\.18\.0\.7; tunnel 1 was still there\. Call 1 went on in tunnel 2\./,
    );
    assert.deepEqual(moved.refs, [
      { kind: 'tunnel', id: 2 },
      { kind: 'tunnel', id: 1 },
    ]);
    assert.equal(finding(r, 'tunnel.dead').severity, 'warn');
    assert.equal(finding(await moves(talk()), 'tunnel.dead').severity, 'error');
  });

  test('has its media there, although nothing was said of them', async () => {
    for (const own of [UE_MEDIA, at('10.0.0.3', 30_000)]) {
      const r = await several([begun(), { end: 'rst' }], [goesOn(new Talk(), 100, 100, 100, own), next(3500)]);
      assert.deepEqual(calls(r), ALL);
      assert.deepEqual([r.calls[0].tunnels, r.calls[0].state], [[1, 2], 'established']);
      assert.equal(r.media[2].negotiated.kind, 'audio');
      // The second tunnel ends in the call, and the first did not end it.
      assert.deepEqual(finding(r, CLOSED).refs[0], { kind: 'tunnel', id: 2 });
      assert.equal(r.findings.filter((f: Json) => f.code === CLOSED).length, 1);
    }
  });

  test('has them under another SSRC', async () => {
    for (const own of [UE_MEDIA, at('10.0.0.3', 30_000)])
      for (const streams of [
        { up: 77, down: 2 },
        { up: 77, down: 78 },
      ]) {
        const r = await several([begun(), { end: 'rst' }], [goesOn(new Talk(), 100, 100, 0, own, streams), next(3500)]);
        assert.deepEqual(calls(r), ALL);
        assert.deepEqual(r.calls[0].tunnels, [1, 2]);
      }
    const other = goesOn(new Talk(), 100, 100, 0, at(UE, 30_002), { up: 77, down: 78 });
    assert.deepEqual((await several([begun(), { end: 'rst' }], [other, next(3500)])).calls[0].tunnels, [1]);
  });

  test('has none of what comes when it was over', async () => {
    for (const streams of [STREAMS, { up: 77, down: 78 }]) {
      const over = goodbye(begun(), 3200);
      const r = await several([over, {}], [goesOn(new Talk(), 100, 100, 500, UE_MEDIA, streams), next(9000)]);
      assert.deepEqual(calls(r), [
        [1, 1],
        [1, 1],
        [2, undefined],
        [2, undefined],
      ]);
      assert.deepEqual(r.calls[0].tunnels, [1]);
      assert.equal(finding(r, BREAK), undefined);
    }
  });

  test('is ended there', async () => {
    const r = await several([begun(), { end: 'rst' }], [goodbye(goesOn(new Talk(), 100, 100, 100), 2100), next(3500)]);
    assert.deepEqual(calls(r), ALL);
    assert.equal(finding(r, CLOSED), undefined);
    assert.equal(r.calls[0].state, 'ended');
  });

  test('is silent until then: for how long is told', async () => {
    const gone = [begun(), { end: 'rst' }] as const;
    const late = await several(gone, [goodbye(goesOn(new Talk(), 100, 100, 100), 2100), next(8000)]);
    const f = finding(late, BREAK);
    assert.equal(f.severity, 'warn');
    assert.match(f.meaning, /^It went on in tunnel 2 after tunnel 1: nothing came up for 5\.1 s, down for 5\.1 s\./);
    assert.deepEqual(
      f.refs.map((x: Json) => `${x.kind} ${x.id}`),
      ['call 1', 'media 3', 'media 4', 'tunnel 1', 'tunnel 2'],
    );
    const soon = await several(gone, [goodbye(goesOn(new Talk(), 100, 100, 100), 2100), next(4500)]);
    assert.equal(finding(soon, BREAK).severity, 'note');
    const beside = await several(gone, [goodbye(goesOn(new Talk(), 100, 100, 90), 2100), next(2900)]);
    assert.equal(finding(beside, BREAK), undefined);
  });

  test('that was on hold had nothing to say', async () => {
    const held = begun()
      .up(3100, sip(`INVITE ${BOB}`, { toTag: 'b', cseq: 2, sdp: sdp(UE, 30_000, ['a=sendonly']) }))
      .down(3110, sip('200 OK INVITE', { toTag: 'b', cseq: 2, sdp: sdp(CORE, 40_000, ['a=recvonly']) }, 'down'))
      .up(3120, sip(`ACK ${BOB}`, { toTag: 'b', cseq: 2 }));
    const again = new Talk()
      .up(0, sip(`INVITE ${BOB}`, { toTag: 'b', cseq: 3, sdp: sdp(UE, 30_000) }))
      .down(10, sip('200 OK INVITE', { toTag: 'b', cseq: 3, sdp: sdp(CORE, 40_000) }, 'down'))
      .up(20, sip(`ACK ${BOB}`, { toTag: 'b', cseq: 3 }));
    const r = await several([held, { end: 'rst' }], [goodbye(goesOn(again, 100, 100, 100), 2100, 4), next(20_000)]);
    assert.deepEqual(codes(r), ['tunnel.reset']);
  });

  test('is cut where that ends too', async () => {
    const again = goesOn(addressed(new Talk()), 100, 100, 100);
    again.up(2100, sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 2 }));
    again.down(2110, sip('200 OK UPDATE', { toTag: 'b', cseq: 2 }, 'down'));
    const r = await several([begun(), { end: 'rst' }], [again, next(3500, { end: 'rst' })]);
    assert.deepEqual(finding(r, CLOSED).refs.slice(0, 2), [
      { kind: 'tunnel', id: 2 },
      { kind: 'call', id: 1 },
    ]);
  });
});

describe('a call between two UEs', () => {
  const INVITED = `INVITE sip:bob@${UE}`;
  /** The side that is called, behind another EFTF whose pool has the same addresses. */
  const answering = (): Talk =>
    addressed(new Talk())
      .down(1050, sip(INVITED, { sdp: sdp(CORE, 40_000) }, 'down'))
      .up(1060, sip('180 Ringing INVITE', { toTag: 'b' }))
      .up(1150, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(UE, 30_000) }))
      .down(1260, sip(`ACK sip:bob@${UE}`, { toTag: 'b' }, 'down'));
  /** What the other side says comes down, and what this one says is the other stream. */
  function spokenWith(t: Talk): Talk {
    for (let i = 0; i < 400; i++) {
      t.down(1300 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, STREAMS.up));
      t.up(1305 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, STREAMS.down));
    }
    return t;
  }
  const there: Partial<ConnectionOptions> = {
    client: at('203.0.113.7', 40_000),
    server: at('198.51.100.2', 443),
    end: 'none',
  };

  test('with the same address inside: the tunnel of one is not that of the other', async () => {
    for (const more of [{}, { start: 500 }]) {
      const r = await several([begun(), { end: 'rst' }], [spokenWith(answering()), { ...there, ...more }]);
      assert.deepEqual(r.calls[0].tunnels, [1, 2]);
      const f = finding(r, CLOSED);
      assert.deepEqual(f.refs[0], { kind: 'tunnel', id: 1 });
      assert.match(f.meaning, /^Call 1 had been up for/);
      assert.equal(finding(r, BREAK), undefined);
    }
  });
});
