import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SpeechFrames } from '../../src/model/speech-frames.js';
import {
  addressed,
  CORE,
  CORE_MEDIA,
  codes,
  found,
  type Json,
  registered,
  rtpPacket,
  sdp,
  sip,
  Talk,
  UE,
  UE_MEDIA,
} from './support.js';

const take = (name: string, parameters: string, payloads: readonly Uint8Array[]) => {
  const s = SpeechFrames.of(name, parameters)!;
  for (const p of payloads) s.take(p, 0, p.length);
  return s;
};
/** Octets that begin with these and have so many in all. */
const payload = (n: number, ...first: number[]): Uint8Array => {
  const b = new Uint8Array(n);
  b.set(first);
  return b;
};

/** Bits of a frame of AMR by its type: TS 26.101 tables 2 and A.1b. */
const AMR_BITS = [95, 103, 118, 134, 148, 159, 204, 244, 39];

/** A packet of AMR with these frame types, bit by bit (RFC 4867 §4.3, §4.4). */
function packed(aligned: boolean, types: readonly number[]): Uint8Array {
  let bits = aligned ? '11110000' : '1111';
  const toOctet = () => {
    while (bits.length % 8 > 0) bits += '0';
  };
  for (const [i, type] of types.entries()) {
    bits += `${i < types.length - 1 ? 1 : 0}${type.toString(2).padStart(4, '0')}1`;
    if (aligned) toOctet();
  }
  for (const type of types) {
    bits += '110'.repeat(100).slice(0, AMR_BITS[type] ?? 0);
    if (aligned) toOctet();
  }
  toOctet();
  return Uint8Array.from(bits.match(/.{8}/g)!, (octet) => Number.parseInt(octet, 2));
}

describe('frames of speech', () => {
  test('AMR, two frames in a packet, in both packings and taken for the other', () => {
    const frames = [
      [7, 4],
      [7, 4],
      [7, 7],
      [7, 8],
      [15, 15],
    ] as const;
    const all = (aligned: boolean) => [...frames, ...frames].map((types) => packed(aligned, types));
    for (const aligned of [true, false]) {
      const s = take('AMR', `octet-align=${aligned ? 1 : 0}`, all(aligned));
      assert.deepEqual(s.entry, { modes: { '7.4': 4, '12.2': 10 }, sid: 2, noData: 4 });
      assert.deepEqual([s.isForeign, s.packetMs], [false, 40]);
      const other = take('AMR', `octet-align=${aligned ? 0 : 1}`, all(aligned));
      assert.ok(other.isForeign);
      assert.ok(other.misfits <= 10, 'a packet counts once, whatever is in it');
    }
  });

  test('very many frames in a packet', () => {
    const types = new Array<number>(40).fill(0);
    for (const aligned of [true, false]) {
      const s = take('AMR', `octet-align=${aligned ? 1 : 0}`, [packed(aligned, types)]);
      assert.deepEqual([s.entry, s.misfits, s.packetMs], [{ modes: { 4.75: 40 } }, 0, 800]);
    }
    const evs = take('EVS', 'hf-only=1', [payload(40 + 40 * 33, ...types.map((_, i) => (i < 39 ? 0x44 : 0x04)))]);
    assert.deepEqual([evs.entry, evs.misfits], [{ modes: { 13.2: 40 } }, 0]);
  });

  test('AMR, bandwidth-efficient: CMR 4 bits, then F, FT and Q (RFC 4867 §4.3)', () => {
    // 12.2: 4 + 6 + 244 bits are 32 octets; SID: 4 + 6 + 39 are 7; no data: 2; CMR 5 asks for 7.95.
    const s = take('AMR', 'mode-set=7', [
      payload(32, 0xf3, 0xc0),
      payload(32, 0x53, 0xc0),
      payload(7, 0xf4, 0x40),
      payload(2, 0xf7, 0xc0),
    ]);
    assert.deepEqual(s.entry, { modes: { 12.2: 2 }, sid: 1, noData: 1, requests: { 7.95: 1 } });
    assert.equal(s.isForeign, false);
  });

  test('AMR-WB, octet-aligned, two frames in a packet (RFC 4867 §4.4)', () => {
    // CMR 15, two entries of FT 2 (the first with F), twice 32 octets for 253 bits.
    const s = take('AMR-WB', 'octet-align=1', [payload(67, 0xf0, 0x94, 0x14), payload(34, 0xf0, 0x10)]);
    assert.deepEqual(s.entry, { modes: { 12.65: 3 }, damaged: 1 });
    assert.equal(s.mode, '12.65');
  });

  test('the other packing does not fit', () => {
    const aligned = Array.from({ length: 12 }, () => payload(34, 0xf0, 0x14));
    assert.equal(take('AMR-WB', 'octet-align=1', aligned).isForeign, false);
    assert.equal(take('AMR-WB', '', aligned).isForeign, true);
  });

  test('EVS: compact by length, else with header; its AMR-WB mode (TS 26.445 annex A.2)', () => {
    const s = take('EVS', '', [
      payload(33), // 13.2, compact
      payload(61), // 24.4
      payload(6), // SID
      payload(32), // AMR-WB IO 12.65, compact
      payload(2 + 33, 0xa4, 0x04), // CMR for WB 13.2, header-full 13.2
      payload(1 + 2 + 3, 0x0f), // no data, and padding: six octets would be compact
    ]);
    assert.deepEqual(s.entry!.modes, { 13.2: 2, 24.4: 1, 'AMR-WB 12.65': 1 });
    assert.equal(s.entry!.sid, 2);
    assert.deepEqual(s.entry!.requests, { 'WB 13.2': 1 });
  });

  test('EVS: seven octets are a frame of 2.8 or a silence of its AMR-WB mode (TS 26.445 §A.2.1.3)', () => {
    // The first bit of a primary frame is 0; else it is a request, then the header of AMR-WB IO SID.
    const s = take('EVS', '', [payload(7, 0x40), payload(7, 0xff, 0x39), payload(7, 0x92, 0x39)]);
    assert.deepEqual(s.entry, { modes: { 2.8: 1 }, sid: 2, requests: { 'AMR-WB 12.65': 1 } });
  });

  test('other codecs have none', () => {
    assert.equal(SpeechFrames.of('opus'), null);
    assert.deepEqual(take('PCMA', '', [payload(160)]).entry, { modes: { 64: 1 } });
  });
});

describe('a call with AMR-WB', () => {
  const described = (where: string, port: number, fmtp: string) =>
    `${sdp(where, port).replace('RTP/AVP 8', 'RTP/AVP 104 8')}a=rtpmap:104 AMR-WB/16000\r\na=fmtp:104 ${fmtp}\r\n`;
  const call = (fmtp: string): Talk => {
    const t = registered(addressed(new Talk()))
      .up(1000, sip('INVITE sip:bob@ims.example', { sdp: described(UE, 30_000, fmtp) }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: described(CORE, 40_000, fmtp) }, 'down'))
      .up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
    for (let i = 0; i < 60; i++) {
      const parts = { payloadType: 104, sequence: i, timestamp: 320 * i, payload: payload(33, 0xf1, 0x40) };
      t.up(1210 + 20 * i, rtpPacket(UE_MEDIA, CORE_MEDIA, parts));
      t.down(1215 + 20 * i, rtpPacket(CORE_MEDIA, UE_MEDIA, { ...parts, ssrc: 2 }));
    }
    return t.up(2500, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 2 }));
  };

  test('modes, an opinion of them, and the pinhole with what flowed', async () => {
    const r = await found(call('mode-change-capability=2'));
    assert.deepEqual(codes(r), []);
    assert.deepEqual(
      r.media.map((m: Json) => [m.codec, m.speech]),
      [
        ['AMR-WB', { modes: { 12.65: 60 } }],
        ['AMR-WB', { modes: { 12.65: 60 } }],
      ],
    );
    assert.equal(r.media[0].mos.method, 'ITU-T G.107.1');
    assert.deepEqual(r.calls[0].pinholes, [
      {
        kind: 'audio',
        caller: { address: UE, port: 30_000, flowing: 'sendrecv' },
        callee: { address: CORE, port: 40_000, flowing: 'sendrecv' },
        codecs: ['AMR-WB', 'PCMA', 'telephone-event'],
        toCaller: 60,
        toCallee: 60,
      },
    ]);
  });

  test('packed in another way than agreed', async () => {
    const r = await found(call('octet-align=1'));
    assert.deepEqual(codes(r), ['media.framing', 'media.framing']);
    const aligned = (where: string, port: number) =>
      sdp(where, port, ['a=ptime:40', 'a=rtpmap:97 AMR/8000', 'a=fmtp:97 octet-align=1']).replace('AVP 8', 'AVP 97 8');
    const t = registered(addressed(new Talk()))
      .up(1000, sip('INVITE sip:bob@ims.example', { sdp: aligned(UE, 30_000) }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: aligned(CORE, 40_000) }, 'down'))
      .up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
    for (let i = 0; i < 60; i++) {
      const parts = { payloadType: 97, sequence: i, timestamp: 320 * i, payload: packed(false, [7, 4]) };
      t.up(1210 + 40 * i, rtpPacket(UE_MEDIA, CORE_MEDIA, parts));
    }
    // Frames that are none tell nothing of how long packets are.
    const two = (await found(t)).findings.filter(
      (f: Json) => f.code.startsWith('media.') && f.code !== 'media.one-way',
    );
    assert.deepEqual(
      two.map((f: Json) => f.code),
      ['media.framing'],
    );
    assert.match(two[0].meaning, /^Of 60 packets the length is not/);
  });
});
