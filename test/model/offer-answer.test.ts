import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../build/packets.js';
import {
  ALICE,
  BOB,
  both,
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
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

/** Of a call that lasts from 1.2 s to 7.2 s, with speech all the time. */
const call = () => both(called(talk(), 1000, 6000), 1210, 290);

/** A request of the UE inside the dialog, and its answer; those of the network have tags the other way round. */
const mine = { toTag: 'b' } as const;
const theirs = { fromTag: 'b', toTag: 'a', from: BOB, to: ALICE } as const;
const again = (cseq: number, description: string, method = 'INVITE') =>
  sip(`${method} ${BOB}`, { ...mine, cseq, sdp: description });
const reply = (what: string, cseq: number, description = '') => sip(what, { ...mine, cseq, sdp: description }, 'down');
const ack = (cseq: number, description = '') => sip(`ACK ${BOB}`, { ...mine, cseq, sdp: description });

const described = (r: Json): string[] =>
  r.calls[0].messages.flatMap((m: Json) => (m.sdp === undefined ? [] : [`${m.status ?? ''}${m.method} ${m.sdp}`]));
const ports = (r: Json): number[] => [r.calls[0].pinholes[0].caller.port, r.calls[0].pinholes[0].callee.port];

describe('offer and answer', () => {
  const media = (where: string, ...lines: readonly string[]): string =>
    ['v=0', `o=- 1 1 IN IP4 ${where}`, 's=-', `c=IN IP4 ${where}`, 't=0 0', ...lines, ''].join('\r\n');
  const audio = (port: number) => `m=audio ${port} RTP/AVP 8`;
  const video = (port: number) => `m=video ${port} RTP/AVP 96\r\na=rtpmap:96 H264/90000`;

  test('a re-INVITE without an offer has it in its 200, and the answer in ACK (RFC 3261 §14.1)', async () => {
    const t = call()
      .up(3000, again(2, ''))
      .down(3010, reply('200 OK INVITE', 2, sdp(CORE, 40_000)))
      .up(3020, ack(2, sdp(UE, 30_000)));
    const r = await found(t);
    assert.deepEqual(described(r), ['INVITE offer', '200INVITE answer', '200INVITE offer', 'ACK answer']);
    assert.deepEqual(codes(r), []);
  });

  test('a change that is refused leaves all as it was (RFC 3261 §14.1)', async () => {
    const t = call()
      .up(3000, again(2, sdp(UE, 30_020, ['a=sendonly'])))
      .down(3010, reply('488 Not Acceptable Here INVITE', 2))
      .up(3020, ack(2))
      .down(4000, sip(`UPDATE ${ALICE}`, { ...theirs, cseq: 5, sdp: sdp(CORE, 40_000) }, 'down'))
      .up(4010, sip('200 OK UPDATE', { ...theirs, cseq: 5, sdp: sdp(UE, 30_000) }));
    const r = await found(t);
    assert.deepEqual(described(r), [
      'INVITE offer',
      '200INVITE answer',
      'INVITE offer',
      'UPDATE offer',
      '200UPDATE answer',
    ]);
    assert.equal(r.calls[0].holds, undefined);
    assert.deepEqual(ports(r), [30_000, 40_000]);
    assert.deepEqual([r.calls[0].state, codes(r)], ['ended', []]);
  });

  test('glare: both are refused with 491, and one comes again (RFC 3261 §14.2)', async () => {
    const update = (cseq: number, port: number) =>
      sip(`INVITE ${ALICE}`, { ...theirs, cseq, sdp: sdp(CORE, port) }, 'down');
    const t = call()
      .up(3000, again(2, sdp(UE, 30_020, ['a=sendonly'])))
      .down(3005, update(7, 40_020))
      .down(3010, reply('491 Request Pending INVITE', 2))
      .up(3011, sip('491 Request Pending INVITE', { ...theirs, cseq: 7 }))
      .up(3020, ack(2))
      .down(3021, sip(`ACK ${ALICE}`, { ...theirs, cseq: 7 }, 'down'));
    const r = await found(t.copy());
    assert.deepEqual([ports(r), r.calls[0].holds, codes(r)], [[30_000, 40_000], undefined, []]);
    const next = t
      .up(5500, again(3, sdp(UE, 30_000, ['a=sendonly'])))
      .down(5510, reply('200 OK INVITE', 3, sdp(CORE, 40_000, ['a=recvonly'])))
      .up(5520, ack(3));
    const held = await found(next);
    assert.equal(held.calls[0].holds.length, 1);
    assert.equal(held.calls[0].pinholes[0].caller.flowing, 'sendonly');
  });

  test('what a refusal describes is no answer (RFC 3261 §21.4.26)', async () => {
    const t = call()
      .up(3000, again(2, sdp(UE, 30_020, ['a=sendonly'])))
      .down(3010, reply('488 Not Acceptable Here INVITE', 2, media(CORE, video(41_000), audio(0))))
      .up(3020, ack(2));
    const r = await found(t);
    assert.deepEqual([ports(r), r.calls[0].pinholes[0].kind, codes(r)], [[30_000, 40_000], 'audio', []]);
  });

  test('a hold goes on where its end is refused', async () => {
    const t = call()
      .up(3000, again(2, sdp(UE, 30_000, ['a=sendonly'])))
      .down(3010, reply('200 OK INVITE', 2, sdp(CORE, 40_000, ['a=recvonly'])))
      .up(3020, ack(2))
      .up(4000, again(3, sdp(UE, 30_000)))
      .down(4010, reply('500 Server Internal Error INVITE', 3))
      .up(4020, ack(3));
    const [{ holds, end }] = (await found(t)).calls;
    assert.equal(holds.length, 1);
    assert.equal(holds[0].end.epoch, end.epoch);
  });

  test('media that change places, or become others, are answered as what they are (RFC 3264 §8.3.3)', async () => {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: media(UE, audio(30_000), video(31_000)) }))
      .down(1200, reply('200 OK INVITE', 1, media(CORE, audio(40_000), video(0))))
      .up(1210, ack(1))
      .up(3000, again(2, media(UE, video(31_000), audio(30_000))))
      .down(3010, reply('200 OK INVITE', 2, media(CORE, video(0), audio(40_000))))
      .up(3020, ack(2))
      .up(4000, again(3, media(UE, 'm=image 32000 udptl t38', 'm=audio 0 RTP/AVP 8')))
      .down(4010, reply('200 OK INVITE', 3, media(CORE, 'm=image 42000 udptl t38', 'm=audio 0 RTP/AVP 8')))
      .up(4020, ack(3))
      .up(9000, sip(`BYE ${BOB}`, { ...mine, cseq: 4 }));
    const r = await found(both(t, 1210, 130));
    assert.deepEqual(codes(r), []);
    assert.deepEqual(
      r.calls[0].pinholes.map((p: Json) => [p.kind, p.caller.port, p.callee.port]),
      [
        ['image', 32_000, 42_000],
        ['audio', 0, 0],
      ],
    );
  });

  test('an answer does not fit its offer (RFC 3264 §6)', async () => {
    const told = async (offer: string, answer: string): Promise<string | undefined> => {
      const t = talk()
        .up(1000, sip(`INVITE ${BOB}`, { sdp: offer }))
        .down(1100, reply('183 Session Progress INVITE', 1, answer))
        .down(1200, reply('200 OK INVITE', 1, answer))
        .up(1210, ack(1))
        .up(3000, sip(`BYE ${BOB}`, { ...mine, cseq: 2 }));
      return finding(await found(both(t, 1210, 85)), 'sdp.answer-misfit')?.meaning.replace(/ Each medium.*/, '');
    };
    const two = media(UE, audio(30_000), video(31_000));
    assert.equal(await told(two, media(CORE, audio(40_000), video(41_000))), undefined);
    assert.equal(await told(two, media(CORE, audio(40_000))), 'The offer has 2 media, and the answer 1.');
    assert.equal(
      await told(two, media(CORE, video(41_000), audio(40_000))),
      'Medium 1 is audio in the offer, and video in the answer.',
    );
    const wide = media(
      CORE,
      'm=audio 40000 RTP/AVP 97 101',
      'a=rtpmap:97 AMR-WB/16000',
      'a=rtpmap:101 telephone-event/8000',
    );
    assert.equal(await told(sdp(UE, 30_000), wide), 'Medium 1 has no codec that was offered.');
    const secured = (where: string, port: number) => sdp(where, port).replace('RTP/AVP', 'RTP/SAVP');
    const plain = 'Medium 1 is to be encrypted (SRTP) in the offer, and not in the answer.';
    assert.equal(await told(secured(UE, 30_000), sdp(CORE, 40_000)), plain);
    assert.equal(await told(secured(UE, 30_000), secured(CORE, 40_000)), undefined);
    // An offer may leave the choice. RFC 5939
    assert.equal(await told(sdp(UE, 30_000), secured(CORE, 40_000)), undefined);
    // Whether a format without a name is the same nobody knows.
    assert.equal(await told(sdp(UE, 30_000), media(CORE, 'm=audio 40000 RTP/AVP 97')), undefined);
  });

  test('an answer that leaves out what was offered as refused does no harm', async () => {
    const told = async (offer: string, answer: string): Promise<Json> => {
      const t = talk()
        .up(1000, sip(`INVITE ${BOB}`, { sdp: offer }))
        .down(1200, reply('200 OK INVITE', 1, answer))
        .up(1210, ack(1))
        .up(3000, sip(`BYE ${BOB}`, { ...mine, cseq: 2 }));
      return finding(await found(both(t, 1210, 85)), 'sdp.answer-misfit');
    };
    // As phones do that have no video, and whose PBX offers it once more to say that there is none.
    const idle = media(UE, audio(30_000), video(0));
    const left = await told(idle, media(CORE, audio(40_000)));
    assert.deepEqual([left.severity, left.rows.length], ['note', 1]);
    assert.match(left.meaning, /^The offer has 2 media, and the answer 1\./);
    assert.equal((await told(idle, media(CORE, video(41_000)))).severity, 'warn');
    assert.equal((await told(media(UE, audio(30_000)), media(CORE, audio(40_000), video(0)))).severity, 'warn');
  });

  test('an INVITE that begins without media holds nothing', async () => {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000, ['a=inactive']) }))
      .down(1200, reply('200 OK INVITE', 1, sdp(CORE, 40_000, ['a=inactive'])))
      .up(1210, ack(1))
      .up(1300, again(2, sdp(UE, 30_000)))
      .down(1310, reply('200 OK INVITE', 2, sdp(CORE, 40_000)))
      .up(1320, ack(2))
      .up(4000, sip(`BYE ${BOB}`, { ...mine, cseq: 3 }));
    const r = await found(both(t, 1330, 120));
    assert.equal(r.calls[0].holds, undefined);
    assert.deepEqual(codes(r), []);
  });

  test('of two forks that describe media, that counts which answers', async () => {
    const reliable = (rseq: number) =>
      [
        ['Require', '100rel'],
        ['RSeq', String(rseq)],
      ] as const;
    const progress = (toTag: string, rseq: number, port: number) =>
      sip('183 Session Progress INVITE', { toTag, headers: reliable(rseq), sdp: sdp(CORE, port) }, 'down');
    const prack = (toTag: string, rseq: number, cseq: number) =>
      sip(`PRACK ${BOB}`, { toTag, cseq, headers: [['RAck', `${rseq} 1 INVITE`]] });
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
      .down(1100, progress('b', 1, 40_000))
      .up(1110, prack('b', 1, 2))
      .down(1200, progress('c', 5, 41_000))
      .up(1210, prack('c', 5, 2))
      .down(2000, sip('200 OK INVITE', { toTag: 'b' }, 'down'))
      .up(2010, sip(`ACK ${BOB}`, { toTag: 'b' }))
      .up(4000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 3 }));
    const r = await found(both(t, 2010, 90));
    assert.deepEqual(described(r), ['INVITE offer', '183INVITE answer', '183INVITE answer']);
    assert.deepEqual(ports(r), [30_000, 40_000]);
    assert.deepEqual(codes(r), []);
  });
});

describe('where media flow', () => {
  /** A call from the network, which the UE answers. */
  const taken = (offer: string, answer: string) =>
    talk()
      .down(1000, sip(`INVITE ${ALICE}`, { sdp: offer }, 'down'))
      .up(1200, sip('200 OK INVITE', { toTag: 'b', sdp: answer }))
      .down(1210, sip(`ACK ${ALICE}`, { toTag: 'b' }, 'down'))
      .down(7200, sip(`BYE ${ALICE}`, { toTag: 'b', cseq: 9 }, 'down'));

  test('where a port changes what went to the old one counts', async () => {
    const t = both(taken(sdp(CORE, 40_000), sdp(UE, 30_000)), 1210, 270)
      .down(6800, sip(`INVITE ${ALICE}`, { toTag: 'b', cseq: 2, sdp: sdp(CORE, 40_020) }, 'down'))
      .up(6810, sip('200 OK INVITE', { toTag: 'b', cseq: 2, sdp: sdp(UE, 30_000) }))
      .down(6820, sip(`ACK ${ALICE}`, { toTag: 'b', cseq: 2 }, 'down'));
    assert.deepEqual(codes(await found(t)), []);
  });

  test('nothing is to come where no address is (RFC 3264 §8.4)', async () => {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp('0.0.0.0', 30_000) }))
      .down(1200, reply('200 OK INVITE', 1, sdp(CORE, 40_000)))
      .up(1210, ack(1))
      .up(6000, sip(`BYE ${BOB}`, { ...mine, cseq: 3 }));
    assert.deepEqual(codes(await found(spoken(t, 1220, 150, 'up'))), []);
  });

  test('early media are no sign that the call has any', async () => {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
      .down(1100, reply('183 Session Progress INVITE', 1, sdp(CORE, 40_000)))
      .down(4000, reply('200 OK INVITE', 1, sdp(CORE, 40_000)))
      .up(4010, ack(1))
      .up(9000, sip(`BYE ${BOB}`, { ...mine, cseq: 3 }));
    const r = await found(spoken(spoken(t, 1110, 100, 'down'), 4020, 200, 'up'));
    assert.deepEqual(codes(r), ['media.one-way']);
    assert.match(finding(r, 'media.one-way').meaning, /^Nothing came from the callee/);
  });

  test('with ICE they may take a way that no description names (RFC 8445 §7.3.1.3)', async () => {
    const ice = (host: string, port: number) => [`a=candidate:1 1 UDP 2130706431 ${host} ${port} typ host`];
    const t = taken(sdp(CORE, 40_000, ice(CORE, 40_000)), sdp(UE, 30_000, ice(UE, 30_000)));
    const [ue, core] = [at(UE, 33_000), at('10.0.0.7', 44_000)];
    for (let i = 0; i < 250; i++)
      t.up(1300 + 20 * i, speech(ue, core, i, 1)).down(1305 + 20 * i, speech(core, ue, i, 2));
    assert.deepEqual(codes(await found(t)), []);
  });

  test('less bandwidth from the middle on is no promise for all of it', async () => {
    const t = taken(sdp(CORE, 40_000, ['b=AS:80']), sdp(UE, 30_000, ['b=AS:80']));
    for (let i = 0; i < 250; i++)
      t.up(1220 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, 1)).down(1225 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    t.down(6800, sip(`INVITE ${ALICE}`, { toTag: 'b', cseq: 2, sdp: sdp(CORE, 40_000, ['b=AS:8']) }, 'down'))
      .up(6810, sip('200 OK INVITE', { toTag: 'b', cseq: 2, sdp: sdp(UE, 30_000, ['b=AS:8']) }))
      .down(6820, sip(`ACK ${ALICE}`, { toTag: 'b', cseq: 2 }, 'down'));
    assert.deepEqual(codes(await found(t)), []);
  });
});
