import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, type Endpoint, udp } from '../build/packets.js';
import {
  BOB,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  found,
  type Json,
  rtpPacket,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

const PACKETS = 250;

/** A call of six seconds with these descriptions. */
const agreed = (offer: string, answer: string) =>
  talk()
    .up(1000, sip(`INVITE ${BOB}`, { sdp: offer }))
    .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: answer }, 'down'))
    .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }))
    .up(7200, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 9 }));

/** Octets as encryption leaves them, the same each time. */
function scrambled(n: number, seed: number): Uint8Array {
  let x = seed + 1;
  return Uint8Array.from({ length: n }, () => (x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff) >>> 16);
}

const packet = (
  from: Endpoint,
  to: Endpoint,
  sequence: number,
  payloadType: number,
  ssrc: number,
  octets: number,
  step = 160,
) =>
  rtpPacket(from, to, {
    ...{ sequence, timestamp: sequence * step, payloadType, ssrc },
    payload: scrambled(octets, sequence),
  });

describe('SRTP', () => {
  const secure = (where: string, port: number) =>
    [
      'v=0',
      `o=- 1 1 IN IP4 ${where}`,
      's=-',
      `c=IN IP4 ${where}`,
      't=0 0',
      `m=audio ${port} RTP/SAVP 104 100`,
      'a=rtpmap:104 AMR-WB/16000/1',
      'a=rtpmap:100 telephone-event/16000',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj',
      '',
    ].join('\r\n');

  test('nothing is read out of what is encrypted', async () => {
    const t = agreed(secure(UE, 30_000), secure(CORE, 40_000));
    for (let i = 0; i < PACKETS; i++) {
      const [type, octets] = i % 10 === 9 ? [100, 14] : [104, 43];
      t.up(1220 + 20 * i, packet(UE_MEDIA, CORE_MEDIA, i, type, 1, octets, 320));
      t.down(1225 + 20 * i, packet(CORE_MEDIA, UE_MEDIA, i, type, 2, octets, 320));
    }
    // A sender report: type, length and SSRC are in the clear (RFC 3711 §3.4).
    const report = scrambled(66, 7);
    report.set([0x81, 200, 0, 12, 0, 0, 0, 1]);
    const r = await found(t.up(2000, udp(at(UE, 30_001), at(CORE, 40_001), report)));
    assert.deepEqual(codes(r), []);
    const [up] = r.media;
    assert.deepEqual([up.codec, up.packets, up.dtmf, up.speech], ['AMR-WB', PACKETS, undefined, undefined]);
    assert.deepEqual(up.rtcp, { senderReports: 1, receiverReports: 0 });
    assert.equal(up.mos.value, r.media[1].mos.value);
  });

  test('the tag behind a packet of G.711 is no speech', async () => {
    const of = (where: string, port: number) =>
      sdp(where, port, ['a=maxptime:20', 'a=ptime:20']).replace('RTP/AVP', 'RTP/SAVP');
    const t = agreed(of(UE, 30_000), of(CORE, 40_000));
    for (let i = 0; i < PACKETS; i++)
      t.up(1220 + 20 * i, packet(UE_MEDIA, CORE_MEDIA, i, 8, 1, 170)).down(
        1225 + 20 * i,
        packet(CORE_MEDIA, UE_MEDIA, i, 8, 2, 170),
      );
    assert.deepEqual(codes(await found(t)), []);
  });
});

test('audio and video that share a port are each told as what they are (RFC 9143 §9)', async () => {
  const bundle = (where: string, port: number) =>
    sdp(where, port).replace('t=0 0', 't=0 0\r\na=group:BUNDLE 0 1') +
    `a=rtcp-mux\r\nm=video ${port} RTP/AVP 97\r\na=rtcp-mux\r\na=rtpmap:97 H264/90000\r\n`;
  const t = agreed(bundle(UE, 30_000), bundle(CORE, 40_000));
  for (let i = 0; i < PACKETS; i++) {
    t.up(1220 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, 1)).down(1225 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    t.up(1222 + 20 * i, packet(UE_MEDIA, CORE_MEDIA, i, 97, 3, 300, 1800));
    t.down(1226 + 20 * i, packet(CORE_MEDIA, UE_MEDIA, i, 97, 4, 300, 1800));
  }
  const r = await found(t);
  assert.deepEqual(codes(r), []);
  assert.deepEqual(
    r.media.map((m: Json) => [m.direction, m.codec, m.negotiated.kind]),
    [
      ['up', 'PCMA', 'audio'],
      ['up', 'H264', 'video'],
      ['down', 'PCMA', 'audio'],
      ['down', 'H264', 'video'],
    ],
  );
});

test('what was agreed before the session changed was agreed (RFC 3264 §8.3.2)', async () => {
  const other = (where: string, port: number) =>
    sdp(where, port).replace('RTP/AVP 8', 'RTP/AVP 97').replace('8 PCMA/8000', '97 iLBC/8000');
  const t = spoken(spoken(called(talk(), 1000, 6000), 1210, 90, 'up'), 1210, 90, 'down')
    .up(3010, sip(`INVITE ${BOB}`, { toTag: 'b', cseq: 2, sdp: other(UE, 30_000) }))
    .down(3030, sip('200 OK INVITE', { toTag: 'b', cseq: 2, sdp: other(CORE, 40_000) }, 'down'))
    .up(3040, sip(`ACK ${BOB}`, { toTag: 'b', cseq: 2 }));
  for (let i = 95; i < PACKETS; i++)
    t.up(1220 + 20 * i, packet(UE_MEDIA, CORE_MEDIA, i - 5, 97, 1, 50)).down(
      1225 + 20 * i,
      packet(CORE_MEDIA, UE_MEDIA, i - 5, 97, 2, 50),
    );
  const r = await found(t);
  assert.deepEqual(codes(r), []);
  // One that neither description names is told of.
  const foreign = await found(t.up(6300, packet(UE_MEDIA, CORE_MEDIA, PACKETS, 3, 1, 33)));
  assert.deepEqual(codes(foreign), ['media.payload-type']);
  assert.match(foreign.findings[0].meaning, /^It is 3\. The receiver/);
});

test('a stream that changes its payload type is one of the type that most packets have', async () => {
  const all = (where: string, port: number) => sdp(where, port).replace('RTP/AVP 8 101', 'RTP/AVP 0 8 18 101');
  for (const [types, most] of [
    [[0, 40, 8, 40, 18, 20], 0],
    [[0, 20, 8, 40, 18, 30], 8],
    [[0, 30, 8, 20, 0, 10, 18, 40], 0],
    [[8, 10, 0, 20, 8, 15], 8],
  ] as const) {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: all(UE, 30_000) }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: all(CORE, 40_000) }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }));
    let n = 0;
    for (let k = 0; k < types.length; k += 2)
      for (let i = 0; i < types[k + 1]!; i++, n++)
        t.down(1220 + 20 * n, packet(CORE_MEDIA, UE_MEDIA, n, types[k]!, 2, types[k] === 18 ? 20 : 160));
    assert.equal((await found(t)).media[0].payloadType, most, types.join());
  }
});

describe('a phone whose streams have the same SSRC and the same ports in each call', () => {
  /** Each call of six seconds is followed by the next, whose packets are numbered from `first`. */
  const calls = (first: number, t = talk(), callIds = ['one', 'two']) => {
    for (const [i, callId] of callIds.entries()) {
      const ms = 1000 + 8000 * i;
      t.up(ms, sip(`INVITE ${BOB}`, { callId, sdp: sdp(UE, 30_000) }))
        .down(ms + 200, sip('200 OK INVITE', { callId, toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
        .up(ms + 210, sip(`ACK ${BOB}`, { callId, toTag: 'b' }));
      for (let n = 0; n < 300; n++) {
        t.up(ms + 220 + 20 * n, speech(UE_MEDIA, CORE_MEDIA, first * i + n, 1));
        t.down(ms + 225 + 20 * n, speech(CORE_MEDIA, UE_MEDIA, first * i + n, 2));
      }
      t.up(ms + 6300, sip(`BYE ${BOB}`, { callId, toTag: 'b', cseq: 2 }));
      t.down(ms + 6310, sip('200 OK BYE', { callId, toTag: 'b', cseq: 2 }, 'down'));
    }
    return t;
  };

  // Numbered anew, on, and somewhere else.
  for (const first of [0, 300, 5000])
    test(`each call has its own, from ${first}`, async () => {
      const r = await found(calls(first), 1000);
      assert.deepEqual(
        codes(r, 0).filter((c) => c.startsWith('media.')),
        [],
      );
      assert.deepEqual(
        r.media.map((m: Json) => [m.call, m.packets, m.lost, m.duplicates]),
        [1, 1, 2, 2].map((call) => [call, 300, 0, 0]),
      );
      assert.deepEqual(
        r.calls.map((c: Json) => c.media),
        [
          [1, 2],
          [3, 4],
        ],
      );
    });

  test('and whose calls have the same Call-ID, too, outside of tunnels: what comes later in the file is not known yet', async () => {
    const r = await calls(0, new Talk(), ['one', 'one']).bare();
    assert.deepEqual(codes(r), []);
    assert.deepEqual(
      r.media.map((m: Json) => [m.call, m.packets, m.duplicates]),
      [1, 1, 2, 2].map((call) => [call, 300, 0]),
    );
  });
});
