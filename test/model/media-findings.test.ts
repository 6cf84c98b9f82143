import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../build/packets.js';
import {
  addressed,
  CORE_MEDIA,
  called,
  codes,
  finding,
  found,
  healthy,
  type Json,
  registered,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  UE_MEDIA,
} from './support.js';

test('a healthy tunnel has nothing worse than a note', async () => {
  const r = await found(healthy());
  assert.deepEqual(codes(r), []);
  assert.equal(r.tunnels[0].pcscf.source, 'dhcp');
  assert.equal(r.tunnels[0].failure, undefined);
  assert.equal(r.registrations[0].state, 'registered');
  assert.equal(r.calls[0].state, 'ended');
  assert.equal(Math.round(r.calls[0].pddMs / 10), 10);
  assert.equal(Math.round(r.calls[0].setupMs / 10), 20);
  assert.equal(Math.round(r.calls[0].durationMs / 10), 200);
  assert.deepEqual(
    r.media.map((m: Json) => [m.direction, m.packets, m.lost, m.codec, m.call]),
    [
      ['up', 90, 0, 'PCMA', 1],
      ['down', 90, 0, 'PCMA', 1],
    ],
  );
});

describe('media', () => {
  const talk = (duration = 4000) => called(registered(addressed(new Talk())), 1000, duration);

  test('none at all', async () => {
    assert.deepEqual(codes(await found(talk())), ['media.none']);
  });

  test('one way', async () => {
    const up = await found(spoken(talk(), 1210, 150, 'up'));
    assert.deepEqual(codes(up), ['media.one-way']);
    assert.match(
      up.findings[0].meaning,
      /^Nothing came from the callee \(the network\); it was to send to 10\.0\.0\.2:30000\./,
    );
    const down = await found(spoken(talk(), 1210, 150, 'down'));
    assert.deepEqual(codes(down), ['media.one-way']);
    assert.match(down.findings[0].meaning, /^Nothing came from the caller/);
  });

  test('one way where both sides look for it by themselves (ICE)', async () => {
    const candidate = (where: string, port: number) => [`a=candidate:1 1 UDP 2130706431 ${where} ${port} typ host`];
    const agreed = (answering: readonly string[]) => {
      const t = registered(addressed(new Talk()));
      t.up(1000, sip('INVITE sip:bob@ims.example', { sdp: sdp('10.0.0.2', 30_000, candidate('10.0.0.2', 30_000)) }));
      t.down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp('10.0.0.1', 40_000, answering) }, 'down'));
      return t
        .up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }))
        .up(9000, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 2 }));
    };
    const both = candidate('10.0.0.1', 40_000);
    const r = await found(spoken(agreed(both), 1210, 350, 'up'));
    assert.deepEqual(codes(r), ['media.one-way']);
    assert.equal(r.findings[0].confidence, 'likely');
    // RFC 8445 §12.1: before a pair is nominated each side may send on another one, which nobody here sees.
    assert.deepEqual(codes(await found(spoken(agreed(both), 1210, 100, 'up'))), []);
    assert.deepEqual(codes(await found(agreed(both))), []);
    assert.deepEqual(codes(await found(spoken(spoken(agreed(both), 1210, 350, 'up'), 1210, 350, 'down'))), []);
    // One side alone does not use it.
    assert.deepEqual(codes(await found(spoken(agreed([]), 1210, 100, 'up'))), ['media.one-way']);
  });

  test('on hold silence is wanted', async () => {
    const t = registered(addressed(new Talk()));
    t.up(1000, sip('INVITE sip:bob@ims.example', { sdp: sdp('10.0.0.2', 30_000, ['a=sendonly']) }));
    t.down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp('10.0.0.1', 40_000, ['a=recvonly']) }, 'down'));
    t.up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
    t.up(6000, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 2 }));
    const r = await found(spoken(t, 1210, 150, 'up'));
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls[0].messages[0].hold, true);
  });

  test('loss', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down', (i) => i >= 50 && i < 56);
    const r = await found(t);
    assert.deepEqual(codes(r), ['media.loss']);
    assert.match(r.findings[0].meaning, /That was before the tunnel, in the EFTF or the network behind it\./);
    const lossy = await found(
      spoken(
        spoken(talk(), 1210, 150, 'up', (i) => i % 20 === 7),
        1210,
        150,
        'down',
      ),
    );
    assert.match(finding(lossy, 'media.loss').meaning, /That was before the tunnel, in the UE or what is behind it\./);
    const [down] = r.media.filter((m: Json) => m.direction === 'down');
    assert.deepEqual([down.lost, down.lostPercent, down.bursts], [6, 4, { count: 1, longest: 6 }]);
  });

  test('duplicates and late packets are no loss', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down', (i) => i === 70 || i === 71);
    t.down(2700, speech(CORE_MEDIA, UE_MEDIA, 71, 2)).down(2701, speech(CORE_MEDIA, UE_MEDIA, 70, 2));
    t.down(2702, speech(CORE_MEDIA, UE_MEDIA, 70, 2));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    const [down] = r.media.filter((m: Json) => m.direction === 'down');
    assert.deepEqual([down.packets, down.lost, down.duplicates, down.reordered], [151, 0, 1, 2]);
  });

  test('jitter', async () => {
    const t = spoken(talk(), 1210, 150, 'up');
    for (let i = 0; i < 150; i++) t.down(1215 + 20 * i + (i % 2) * 100, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    assert.deepEqual(codes(await found(t)), ['media.jitter']);
  });

  test('a payload type that was not agreed', async () => {
    const t = spoken(talk(), 1210, 150, 'up');
    for (let i = 0; i < 150; i++) t.down(1215 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2, 3));
    assert.deepEqual(codes(await found(t)), ['media.payload-type']);
  });

  test('media past the session description', async () => {
    const t = spoken(talk(), 1210, 150, 'up');
    for (let i = 0; i < 150; i++) t.down(1215 + 20 * i, speech(at('10.0.0.9', 41_000), at('10.0.0.2', 31_000), i, 2));
    const r = await found(t);
    assert.ok(codes(r).includes('media.outside'));
  });

  test('two packets that strayed are no stream past it', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down');
    for (let i = 0; i < 2; i++) t.down(1215 + 20 * i, speech(CORE_MEDIA, at('10.0.0.2', 31_000), i, 2));
    assert.deepEqual(codes(await found(t)), []);
  });

  test('keep-alives are no error', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down');
    for (let i = 0; i < 3; i++) t.up(1500 + 1000 * i + 1, speech(UE_MEDIA, CORE_MEDIA, 900 + i, 77, 20));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.equal(
      r.media.reduce((n: number, m: Json) => n + m.keepAlives, 0),
      3,
    );
    const [{ kind, intervalMs }] = r.tunnels[0].keepAlives;
    assert.deepEqual([kind, Math.round(intervalMs / 10)], ['rtp-pt20', 100]);
  });
});
