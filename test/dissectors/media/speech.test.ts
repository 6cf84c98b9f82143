import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encode } from 'fttscope/kit';
import { type AmrPayload, amr, amrCodec, amrWb, speechBits } from '../../../dissectors/amr.js';
import { type EvsPayload, evs, frameOctets } from '../../../dissectors/evs.js';
import { rtp } from '../../../dissectors/rtp.js';
import { announced, octets, values, World } from '../rtp/world.js';

const world = (): World => new World([rtp, amr, amrWb, evs]);

/** A packet of a type that SDP announced as `name` with `parameters`. */
function spoken(name: string, parameters: string | undefined, payload: Uint8Array) {
  const types = new Map([[96, { name, clock: 16_000, ...(parameters !== undefined && { parameters }) }]]);
  const b = octets(`8060 0001 000000a0 11223344 ${Buffer.from(payload).toString('hex')}`);
  return world().see(rtp, b, { expected: announced(types) });
}

const ALIGNED = 'octet-align=1';

describe('AMR', () => {
  /** RFC 4867 §4.3.5.1: one frame of 7.4 kbit/s, no mode request: CMR 15, F 0, FT 4, Q 1. */
  test('one frame in bandwidth-efficient mode', () => {
    const payload = new Uint8Array(Math.ceil((4 + 6 + 148) / 8));
    payload[0] = 0b1111_0010;
    payload[1] = 0b0100_0000;
    const seen = spoken('AMR', '', payload);
    assert.deepEqual(values(seen, 'amr.nb.cmr'), ['15']);
    assert.deepEqual(values(seen, 'amr.toc.f'), ['0']);
    assert.deepEqual(values(seen, 'amr.nb.toc.ft'), ['4']);
    assert.deepEqual(values(seen, 'amr.toc.q'), ['1']);
    assert(seen.labels.includes('Speech: AMR 7,40 kbit/s (TDMA-EFR), 148 bits'));
  });
  test('what SDP says goes before what the octets look like', () => {
    // Frame type 0 leaves four zero bits behind CMR, as if the payload were octet-aligned.
    const seen = spoken('AMR', 'mode-set=0; octet-align=0', octets(`f0 7f ${'55'.repeat(12)}`));
    assert.deepEqual(values(seen, 'amr.nb.toc.ft'), ['0']);
    assert.deepEqual(values(seen, 'amr.toc.q'), ['1']);
    assert.deepEqual(values(spoken('AMR', ALIGNED, octets('f0 3c aa')), 'amr.nb.toc.ft'), ['7']);
  });
  /** RFC 4867 §4.4.5.1 and §4.4.5.2: two frames of 12.2 kbit/s; interleaving puts an octet behind CMR. */
  test('octet-aligned mode, with interleaving and CRCs', () => {
    const two = spoken('AMR', ALIGNED, octets(`60 bc 3c ${'aa'.repeat(62)}`));
    assert.deepEqual(values(two, 'amr.nb.toc.ft'), ['7', '7']);
    assert.deepEqual(values(two, 'amr.toc.f'), ['1', '0']);
    assert.equal(two.labels.filter((s) => s.startsWith('Speech: ')).length, 2);
    const mixed = spoken('AMR-WB', 'interleaving=4; crc=1', octets(`80 31 44 77 ${'bb'.repeat(60)}`));
    assert.deepEqual(values(mixed, 'amr.wb.cmr'), ['8']);
    assert.deepEqual(values(mixed, 'amr.wb.toc.ft'), ['8']);
    assert(mixed.labels.includes('Speech: AMR-WB 23.85 kbit/s, 477 bits'));
    const cut = spoken('AMR-WB', ALIGNED, octets('80 44 77'));
    assert(cut.labels.includes('Not enough octets for AMR-WB 23.85 kbit/s'));
  });
  test('very many frames', () => {
    const aligned = spoken('AMR', ALIGNED, octets(`f0 ${'bc '.repeat(99)} 3c ${'aa'.repeat(3100)}`));
    const frames = Array.from({ length: 100 }, () => ({ type: 15, good: true, data: new Uint8Array(0) }));
    const dense = spoken('AMR-WB', '', encode(amrCodec(true, false), { cmr: 15, frames }));
    for (const seen of [aligned, dense]) assert.equal(values(seen, 'amr.toc.f').join('').indexOf('0'), 99);
    assert.equal(aligned.labels.filter((s) => s.startsWith('Speech: ')).length, 100);
  });
  test('the codecs of both modes write what they read', () => {
    const frame = (wide: boolean) =>
      fc
        .record(
          { type: fc.integer({ min: 0, max: 15 }), good: fc.boolean(), seed: fc.nat(255) },
          { noNullPrototype: true },
        )
        .map(({ type, good, seed }) => {
          const bits = speechBits(wide, type);
          const data = new Uint8Array(Math.ceil(bits / 8)).fill(seed);
          if (bits % 8 !== 0) data[data.length - 1] &= 0xff << (8 - (bits % 8));
          return { type, good, data };
        });
    for (const wide of [false, true])
      for (const aligned of [false, true])
        fc.assert(
          fc.property(fc.nat(15), fc.array(frame(wide), { minLength: 1, maxLength: 5 }), (cmr, frames) => {
            const r: AmrPayload = { cmr, frames };
            const b = encode(amrCodec(wide, aligned), r);
            assert.deepEqual(amrCodec(wide, aligned).parse(b, 0, b.length), r);
            const seen = spoken(wide ? 'AMR-WB' : 'AMR', aligned ? ALIGNED : 'octet-align=0', b);
            const field = wide ? 'amr.wb.toc.ft' : 'amr.nb.toc.ft';
            assert.deepEqual(
              values(seen, field),
              frames.map((f) => String(f.type)),
            );
            assert.deepEqual(seen.stopped, []);
            assert(!seen.labels.some((s) => s.startsWith('Not enough')));
          }),
          { numRuns: 40 },
        );
  });
});

/** Compact payloads: first octet, size in octets, and what tshark 4.0 says about them. */
const COMPACT: readonly (readonly [number, number, Readonly<Record<string, string>>])[] = [
  [0x5a, 6, { 'evs.packet_length': '48', 'evs.sid.cng': '0', 'evs.bw': '1', 'evs.sid.core_sample_rate': '0' }],
  [0xd9, 6, { 'evs.sid.cng': '1', 'evs.bw': '2', 'evs.sid.celp_sample_rate': '1' }],
  [0x5a, 7, { 'evs.28.frame_type': '0', 'evs.28.bw_ppp_nelp': '2' }],
  [0x5a, 18, { 'evs.72.80.bwct_idx': '5' }],
  [0x5a, 24, { 'evs.bw': '1' }],
  [0x5a, 33, { 'evs.132.bwctrf_idx': '11' }],
  [0x5a, 61, { 'evs.bw': '1', 'evs.reserved_1bit': '0', 'evs.celp_mdct_core': '1', 'evs.tcx_hq_mdct_core': '1' }],
  [0x5a, 80, { 'evs.celp_mdct_core': '0', 'evs.320.bwct_idx': '11' }],
  [0xd9, 80, { 'evs.celp_mdct_core': '1', 'evs.tcx_hq_mdct_core': '1', 'evs.bw': '1' }],
  [0xef, 160, { 'evs.celp_switch_to_mdct_core': '1', 'evs.sid.celp_sample_rate': '1', 'evs.bw': '1' }],
  [0x5a, 17, { 'evs.packet_length': '136', 'evs.cmr_amr_io': '2' }],
  [0xff, 60, { 'evs.packet_length': '480', 'evs.cmr_amr_io': '7' }],
];

describe('EVS', () => {
  test('payloads of protected sizes are frames in Compact format', () => {
    for (const [first, size, expected] of COMPACT) {
      const seen = spoken('EVS', '', Uint8Array.of(first, ...new Uint8Array(size - 1).fill(0x96)));
      for (const [name, value] of Object.entries(expected))
        assert.equal(values(seen, name)[0], value, `${size} ${name}`);
      assert(seen.labels.includes('Framing Mode: Compact'));
    }
  });
  test('all others have a header', () => {
    const seen = spoken('EVS', '', octets(`a5 44 34 ${'5a'.repeat(33)} ${'a5'.repeat(40)}`));
    assert.deepEqual(values(seen, 'evs.cmr_t'), ['2']);
    assert.deepEqual(values(seen, 'evs.cmr_t3_d'), ['5']);
    assert(seen.labels.includes('CMR WB 16.4 kbps'));
    assert.deepEqual(values(seen, 'evs.f_bit'), ['1', '0']);
    assert.deepEqual(values(seen, 'evs.bit_rate_mode_0'), ['4']);
    assert.deepEqual(values(seen, 'evs.bit_rate_mode_1'), ['4']);
    assert.deepEqual(values(seen, 'evs.voice_data'), [`${'5a:'.repeat(32)}5a`, `${'a5:'.repeat(39)}a5`]);
    assert.deepEqual(values(spoken('EVS', '', octets('ff 0f')), 'evs.cmr_t7_d'), ['15']);
    assert.deepEqual(spoken('EVS', '', octets('80')).stopped, ['evs']);
    // 56 bits whose first is set: a request and a frame of AMR-WB IO comfort noise.
    assert.deepEqual(values(spoken('EVS', '', octets('90 39 1122334455')), 'evs.bit_rate_mode_1'), ['9']);
  });
  test('of a frame that is cut, what is there is shown', () => {
    // TS 26.445 §A.2.2.1.2: rate 4 has 33 octets. tshark shows all that follows without asking.
    const cut = spoken('EVS', undefined, octets(`04 ${'5a'.repeat(20)}`));
    assert.deepEqual(values(cut, 'evs.voice_data'), [`${'5a:'.repeat(19)}5a`]);
    assert.ok(cut.stopped.length > 0);
    const second = spoken('EVS', undefined, octets(`44 04 ${'5a'.repeat(33)}`));
    assert.deepEqual(values(second, 'evs.voice_data'), [`${'5a:'.repeat(32)}5a`]);
  });
  test('very many frames', () => {
    const seen = spoken('EVS', '', octets(`${'4f'.repeat(99)} 0f`));
    assert.equal(values(seen, 'evs.f_bit').join(''), `${'1'.repeat(99)}0`);
  });
  test('the codec writes what it reads', () => {
    const frame = fc.nat(0x3f).map((entry) => ({ entry, data: new Uint8Array(frameOctets(entry)).fill(entry) }));
    const full = fc.record(
      { request: fc.integer({ min: -1, max: 0x7f }), frames: fc.array(frame, { minLength: 1, maxLength: 4 }) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(full, (r: EvsPayload) => {
        const b = encode(evs.codec!, r);
        const back = evs.codec!.parse(b, 0, b.length);
        if (!('compact' in back)) assert.deepEqual(back, r);
        assert.deepEqual(encode(evs.codec!, back), b);
        assert.deepEqual(spoken('EVS', '', b).stopped, []);
      }),
    );
  });
});
