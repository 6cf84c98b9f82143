import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, type Endpoint } from '../build/packets.js';
import {
  addressed,
  BOB,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  finding,
  found,
  type Json,
  note,
  registered,
  rtpPacket,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  UE,
  UE_MEDIA,
} from './support.js';

/** G.711 of 20 ms. */
const SILENCE = new Uint8Array(160);

/** A call of so many milliseconds with speech down the tunnel; both descriptions have more lines. */
function call(duration = 2000, more: readonly string[] = [], formats = ''): Talk {
  const described = (where: string, port: number) => sdp(where, port, more).replace('AVP 8 101', `AVP 8 101${formats}`);
  const end = 1200 + duration;
  return registered(addressed(new Talk()))
    .up(1000, sip('INVITE sip:bob@ims.example', { sdp: described(UE, 30_000) }))
    .down(1010, sip('100 Trying INVITE', {}, 'down'))
    .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: described(CORE, 40_000) }, 'down'))
    .up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }))
    .up(end, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 9 }))
    .down(end + 10, sip('200 OK BYE', { toTag: 'b', cseq: 9 }, 'down'));
}
const listened = (duration?: number, more?: readonly string[], formats?: string) =>
  spoken(call(duration, more, formats), 1210, 90, 'down');

describe('streams', () => {
  test('from another port than the description names', async () => {
    const sent = (from: Endpoint) => {
      const t = listened();
      for (let i = 0; i < 60; i++) t.up(1220 + 20 * i, speech(from, CORE_MEDIA, i, 1));
      return found(t);
    };
    assert.deepEqual(codes(await sent(UE_MEDIA)), []);
    const r = await sent(at(UE, 30_010));
    assert.deepEqual(codes(r), ['media.asymmetric-ports']);
    assert.match(finding(r, 'media.asymmetric-ports').meaning, /^It sends from 30010, and receives on 30000\./);
  });

  test('with packets of another length than was asked for', async () => {
    const r = await found(spoken(listened(2000, ['a=maxptime:10']), 1220, 80, 'up'));
    assert.deepEqual(codes(r), ['media.packet-time', 'media.packet-time']);
    assert.match(r.findings[0].meaning, /^Packets hold 20 ms, and maxptime is 10\./);
    const hint = await found(spoken(listened(2000, ['a=ptime:60', 'a=maxptime:240']), 1220, 80, 'up'));
    assert.deepEqual(codes(hint), []);
    note(hint, 'media.packet-time');
    const fine = await found(spoken(listened(2000, ['a=ptime:20']), 1220, 80, 'up'));
    assert.equal(finding(fine, 'media.packet-time'), undefined);
  });

  test('under another SSRC', async () => {
    const t = listened();
    for (let i = 0; i < 80; i++) t.up(1220 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, i < 40 ? 1 : 9));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    note(r, 'media.source-changed');
    assert.match(finding(r, 'media.source-changed').meaning, /^The SSRC was 0x1, and is 0x9\./);
  });

  test('whose timestamps jump, and whose packets are out of order', async () => {
    const sent = (place: (i: number) => number, time: (i: number) => number) => {
      const t = listened();
      for (let i = 0; i < 80; i++)
        t.up(
          1220 + 20 * i,
          rtpPacket(UE_MEDIA, CORE_MEDIA, {
            sequence: place(i),
            timestamp: time(place(i)),
            payloadType: 8,
            payload: SILENCE,
          }),
        );
      return found(t);
    };
    const straight = (i: number) => i;
    const steady = (i: number) => 160 * i;
    const fine = await sent(straight, steady);
    assert.deepEqual([finding(fine, 'media.timestamp-jump'), finding(fine, 'media.reordered')], [undefined, undefined]);
    const jumps = await sent(straight, (i) => steady(i) + (i >= 40 ? 80_000 : 0));
    assert.ok(codes(jumps).includes('media.timestamp-jump'));
    assert.match(finding(jumps, 'media.timestamp-jump').meaning, /^It happened once\./);
    const swapped = await sent((i) => (i % 10 === 3 ? i + 1 : i % 10 === 4 ? i - 1 : i), steady);
    assert.deepEqual(codes(swapped), []);
    note(swapped, 'media.reordered');
  });

  /** Packets of the UE: arrival in ms after the answer, number, timestamp, and what differs from G.711. */
  type Sent = readonly [ms: number, seq: number, time: number, type?: number, marker?: boolean];
  const streamed = async (sent: readonly Sent[], duration = 3000, more: readonly string[] = [], formats = '') => {
    const t = listened(duration, more, formats);
    for (const [ms, seq, time, type = 8, marker = false] of sent) {
      const octets = type === 101 ? Uint8Array.of(5, 10, 0, 160) : new Uint8Array(type === 20 ? 0 : 160);
      t.up(
        1220 + ms,
        rtpPacket(UE_MEDIA, CORE_MEDIA, {
          sequence: seq & 0xffff,
          timestamp: time >>> 0,
          payloadType: type,
          payload: octets,
          marker,
        }),
      );
    }
    const r = await found(t);
    return { r, up: r.media.find((m: Json) => m.direction === 'up') };
  };
  const run = (n: number, ms = 0, seq = 0, time = 160 * seq): Sent[] =>
    Array.from({ length: n }, (_, i): Sent => [ms + 20 * i, seq + i, time + 160 * i]);

  test('a sender that begins anew under its SSRC (RFC 3550 appendix A.1)', async () => {
    const { r } = await streamed([...run(50), ...run(50, 1000, 41_000, 3_000_000_000)]);
    assert.deepEqual(codes(r), []);
    note(r, 'media.timestamp-jump');
    assert.match(finding(r, 'media.timestamp-jump').meaning, /where its numbers begin anew too/);
  });

  test('a sender that is taken off hold may go on with any timestamp', async () => {
    const t = listened(14_000);
    const packet = (ms: number, i: number, time: number) => {
      const parts = { sequence: i, timestamp: time >>> 0, payloadType: 8, payload: SILENCE };
      t.up(ms, rtpPacket(UE_MEDIA, CORE_MEDIA, parts));
    };
    for (let i = 0; i < 100; i++) packet(1220 + 20 * i, i, 160 * i);
    for (const [ms, cseq, way] of [
      [3220, 2, 'sendonly'],
      [13_000, 3, 'sendrecv'],
    ] as const) {
      const [mine, theirs] = [`a=${way}`, way === 'sendonly' ? 'a=recvonly' : `a=${way}`];
      const p = { cseq, toTag: 'b' };
      t.up(ms, sip(`INVITE ${BOB}`, { ...p, sdp: sdp(UE, 30_000, [mine]) }))
        .down(ms + 10, sip('200 OK INVITE', { ...p, sdp: sdp(CORE, 40_000, [theirs]) }, 'down'))
        .up(ms + 20, sip(`ACK ${BOB}`, p));
    }
    for (let i = 100; i < 200; i++) packet(13_040 + 20 * (i - 100), i, 160 * i + 900_000_000);
    assert.equal(finding(await found(t), 'media.timestamp-jump'), undefined);
  });

  test('a leap of the sender is no jitter of the network', async () => {
    const { r, up } = await streamed([...run(50), ...run(50, 1000, 50, 3_000_000_000)]);
    assert.deepEqual(codes(r), ['media.timestamp-jump']);
    assert.ok(up.jitterMs.max < 5, String(up.jitterMs.max));
    assert.ok(up.mos.value > 4);
  });

  test('a clock that stood still in a pause, as the marker tells (RFC 3551 §4.1), is none either', async () => {
    const [first, ...others] = run(50, 4000, 50);
    const { r, up } = await streamed([...run(50), [first![0], 50, first![2], 8, true], ...others], 8000);
    assert.deepEqual(codes(r), []);
    assert.ok(up.jitterMs.max < 5, String(up.jitterMs.max));
    // Without it what follows tells: after a stall it comes all at once.
    const silent = await streamed([...run(50), first!, ...others], 8000);
    assert.ok(silent.up.jitterMs.max < 5, String(silent.up.jitterMs.max));
    const burst = run(50, 4000, 50).map(([, seq, time], i): Sent => [4000 + i, seq, time]);
    const stalled = await streamed([...run(50), ...burst], 8000);
    assert.ok(stalled.up.jitterMs.max > 150);
  });

  test('a sender that is often silent, and whose clock stands still then, has no jitter', async () => {
    const spurts = Array.from({ length: 5 }, (_, k) => run(40, 4000 * k, 40 * k));
    const { r, up } = await streamed(spurts.flat(), 21_000);
    // Down nothing comes after two seconds.
    assert.deepEqual(codes(r), ['media.stopped']);
    assert.ok(up.jitterMs.max < 5, String(up.jitterMs.max));
    // One whose clock goes on has none either, be its packets silence (RFC 3389) or not.
    const noise = spurts.flatMap((s, k) =>
      s.map(([ms, seq, time]): Sent => [ms, seq, time + 25_600 * k, k % 2 ? 13 : 8]),
    );
    const going = await streamed(noise, 21_000);
    assert.deepEqual(codes(going.r), ['media.stopped']);
    assert.ok(going.up.jitterMs.max < 5);
  });

  test('one packet that is more than a second late leaps nowhere', async () => {
    const all = run(100);
    const late = all.splice(20, 1)[0]!;
    const { r, up } = await streamed([...all.slice(0, 80), [1610, late[1], late[2]], ...all.slice(80)]);
    assert.deepEqual(codes(r), []);
    assert.deepEqual([up.lost, up.reordered], [0, 1]);
    assert.ok(up.jitterMs.max < 5, String(up.jitterMs.max));
  });

  test('a packet that comes again much later is no jitter', async () => {
    const all = run(100);
    const { r, up } = await streamed([...all.slice(0, 40), [790, 2, 320], ...all.slice(40)]);
    assert.deepEqual(codes(r), []);
    assert.deepEqual([up.duplicates, up.reordered], [1, 0]);
    assert.ok(up.jitterMs.max < 5, String(up.jitterMs.max));
  });

  test('another payload type may have another clock, which starts anew (RFC 7160 §3)', async () => {
    const wide = run(50, 1000, 50).map(([ms, seq], i): Sent => [ms, seq, 900_000_000 + 320 * i, 97]);
    const { r, up } = await streamed([...run(50), ...wide], 3000, ['a=rtpmap:97 L16/16000'], ' 97');
    assert.deepEqual(codes(r), []);
    assert.ok(up.jitterMs.max < 5, String(up.jitterMs.max));
  });

  test('a stream that begins with a named event, or a keep-alive, is of the codec that follows', async () => {
    for (const type of [101, 20, 13]) {
      const { up } = await streamed([[0, 0, 0, type], [20, 1, 0, type], ...run(60, 40, 2)]);
      assert.deepEqual([up.payloadType, up.codec], [8, 'PCMA'], String(type));
    }
    const { up } = await streamed([
      [0, 0, 0, 20],
      [500, 1, 0, 20],
    ]);
    assert.deepEqual([up.payloadType, up.codec, up.mos], [20, undefined, undefined]);
  });

  test('a stream is of the codec that most of its packets have', async () => {
    const mixed = (share: number) => run(80).map(([ms, seq, time], i): Sent => [ms, seq, time, i < share ? 8 : 97]);
    const lines = ['a=rtpmap:97 AMR/8000'];
    const { r, up } = await streamed(mixed(5), 3000, lines, ' 97');
    assert.deepEqual([up.payloadType, up.codec], [97, 'AMR']);
    assert.equal(up.speech.modes['64'], undefined, 'frames are those of AMR');
    assert.ok(!codes(r).includes('media.timestamp-jump'));
    const other = (await streamed(mixed(75), 3000, lines, ' 97')).up;
    assert.deepEqual([other.payloadType, other.codec, other.speech], [8, 'PCMA', { modes: { 64: 75 } }]);
  });

  test('of a single packet there is neither jitter nor an opinion', async () => {
    const { up } = await streamed(run(1));
    assert.deepEqual([up.packets, up.codec, up.jitterMs, up.mos], [1, 'PCMA', undefined, undefined]);
  });

  test('the length of packets is that of speech, whatever events and keep-alives are between', async () => {
    const all = run(90).map(([ms, seq, time], i): Sent => [ms, seq, time, i % 3 > 0 ? 101 : 8]);
    const { r } = await streamed(all, 3000, ['a=ptime:20']);
    assert.equal(finding(r, 'media.packet-time'), undefined);
  });

  test('what came late is in no burst of loss', async () => {
    const all = run(80);
    for (let i = 3; i < 60; i += 10)
      [all[i], all[i + 1]] = [
        [all[i]![0], i + 1, 160 * (i + 1)],
        [all[i + 1]![0], i, 160 * i],
      ];
    all.splice(70, 1);
    const { up } = await streamed(all);
    assert.deepEqual([up.lost, up.reordered, up.bursts], [1, 6, { count: 1, longest: 1 }]);
  });

  test('numbers that start anew a little back, while the time goes on', async () => {
    for (const from of [0, 30, 58]) {
      const { r, up } = await streamed([...run(60), ...run(100, 1200, from, 160 * 60)], 5000);
      assert.deepEqual(codes(r), [], String(from));
      assert.deepEqual([up.packets, up.lost, up.duplicates, up.reordered], [160, 0, 0, 0], String(from));
    }
  });

  test('numbers that leap, while no time passes, are not those of lost packets', async () => {
    const { r, up } = await streamed([...run(60), ...run(100, 1200, 560, 160 * 60)], 5000);
    assert.deepEqual(codes(r), []);
    assert.deepEqual([up.packets, up.lost, up.duplicates], [160, 0, 0]);
    const lost = await streamed([...run(60), ...run(100, 3200, 160)], 7000);
    assert.deepEqual([lost.up.lost, codes(lost.r)], [100, ['media.loss']]);
  });

  test('every packet twice, one of them after a late one', async () => {
    const all = run(60);
    const late = all.splice(20, 1)[0]!;
    all.splice(22, 0, [all[21]![0] + 5, late[1], late[2]]);
    const twice = all.flatMap(([ms, seq, time]): Sent[] => [
      [ms, seq, time],
      [ms + 1, seq, time],
    ]);
    const { up } = await streamed(twice);
    assert.deepEqual([up.packets, up.lost, up.duplicates, up.reordered], [120, 0, 60, 1]);
  });

  test('numbers that go round, with loss and disorder there', async () => {
    const all = run(100, 0, 65_500, 0);
    [all[34], all[37]] = [
      [all[34]![0], all[37]![1], all[37]![2]],
      [all[37]![0], all[34]![1], all[34]![2]],
    ];
    all.splice(39, 2);
    const { up } = await streamed(all);
    assert.deepEqual([up.packets, up.lost, up.duplicates], [98, 2, 0]);
    assert.ok(up.bursts.count <= 2, JSON.stringify(up.bursts));
  });

  test('that do not listen to requests for a lower mode', async () => {
    // AMR 12.2 (RFC 4867 §4.3.1): a request of four bits, then F 0, frame type 7, Q 1, 244 bits of speech.
    const frame = (request: number) => {
      const b = new Uint8Array(32);
      b[0] = (request << 4) | 3;
      b[1] = 0xc0;
      return b;
    };
    const talk = (request: number, more: readonly string[] = []) => {
      const t = call(2000, ['a=rtpmap:97 AMR/8000', ...more], ' 97');
      for (let i = 0; i < 60; i++) {
        const head = { sequence: i, timestamp: 160 * i, payloadType: 97 };
        t.up(1220 + 20 * i, rtpPacket(UE_MEDIA, CORE_MEDIA, { ...head, payload: frame(request) }));
        t.down(1225 + 20 * i, rtpPacket(CORE_MEDIA, UE_MEDIA, { ...head, payload: frame(15) }));
      }
      return found(t);
    };
    assert.deepEqual(codes(await talk(15)), []);
    assert.deepEqual(codes(await talk(7)), []);
    const r = await talk(2);
    assert.deepEqual(codes(r), ['media.request-ignored']);
    assert.match(r.findings[0].meaning, /^5\.9 kbit\/s was asked for, and 100 % of the frames have more\./);
    // A mode that was not agreed on is no request.
    assert.deepEqual(codes(await talk(2, ['a=fmtp:97 mode-set=0,4,7'])), []);
    assert.deepEqual(codes(await talk(2, ['a=fmtp:97 mode-set=0,2,7; max-red=0'])), ['media.request-ignored']);
  });
});

test('a hold needs keep-alives', async () => {
  const invite = (cseq: number, flowing: string, port = 30_000) =>
    sip('INVITE sip:bob@ims.example', { toTag: 'b', cseq, sdp: sdp(UE, port, [`a=${flowing}`]) });
  const answer = (cseq: number, flowing: string) =>
    sip('200 OK INVITE', { toTag: 'b', cseq, sdp: sdp(CORE, 40_000, [`a=${flowing}`]) }, 'down');
  const held = (keep: boolean, again: boolean) => {
    const t = spoken(listened(120_000), 1220, 80, 'up');
    t.up(10_000, invite(2, 'inactive')).down(10_050, answer(2, 'inactive'));
    t.up(10_060, sip('ACK sip:bob@ims.example', { toTag: 'b', cseq: 2 }));
    if (keep) for (let i = 0; i < 6; i++) t.up(15_000 + 15_000 * i, speech(UE_MEDIA, CORE_MEDIA, 80 + i, 1, 20));
    if (!again) return found(t);
    t.up(100_000, invite(3, 'sendrecv')).down(100_050, answer(3, 'sendrecv'));
    t.up(100_060, sip('ACK sip:bob@ims.example', { toTag: 'b', cseq: 3 }));
    for (let i = 0; i < 40; i++) {
      const n = 5000 + i;
      t.up(
        100_100 + 20 * i,
        rtpPacket(UE_MEDIA, CORE_MEDIA, { sequence: 90 + i, timestamp: 160 * n, payloadType: 8, payload: SILENCE }),
      );
    }
    return found(t);
  };
  for (const again of [true, false]) {
    assert.equal(finding(await held(true, again), 'media.no-keep-alive'), undefined);
    const f = finding(await held(false, again), 'media.no-keep-alive');
    assert.deepEqual([f.severity, f.confidence], ['warn', 'likely']);
    assert.match(f.meaning, again ? /^The hold took 90 s\./ : /^The hold took 111 s\./);
  }
});

test('a call in which all is well has none of this', async () => {
  const t = spoken(spoken(called(registered(addressed(new Talk())), 1000, 2000), 1210, 90, 'up'), 1210, 90, 'down');
  const r = await found(t);
  assert.deepEqual(
    r.findings.filter((f: Json) => f.code.startsWith('media.')),
    [],
  );
});
