import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AnyDissector, encode } from 'fttscope/kit';
import { type H264Payload, h264 } from '../../../dissectors/h264.js';
import { type H265Payload, h265 } from '../../../dissectors/h265.js';
import { rtp } from '../../../dissectors/rtp.js';
import { announced, octets, values, World } from '../rtp/world.js';

/** A packet of the payload type that SDP gave to the dissector's encoding. */
const see = (d: AnyDissector, payload: Uint8Array) => {
  const types = new Map([[96, { name: d.proto, clock: 90_000 }]]);
  const b = octets(`8060 0001 000000a0 11223344 ${Buffer.from(payload).toString('hex')}`);
  return new World([rtp, h264, h265]).see(rtp, b, { expected: announced(types) });
};
/** What tshark 4.0 says about headers of H.264, RFC 6184 §5.3 to §5.8. */
test('H.264: single units, aggregation and fragmentation', () => {
  const single = see(h264, octets('67 42c01e aa'));
  assert.deepEqual(values(single, 'h264.nal_nri'), ['3']);
  assert.deepEqual(values(single, 'h264.nal_unit_hdr'), ['7']);
  assert.deepEqual(values(single, 'h264.profile_idc'), ['66']);
  assert.deepEqual(values(single, 'h264.constraint_set1_flag'), ['1']);
  assert.deepEqual(values(single, 'h264.level_id'), ['30']);
  const stap = see(h264, octets('78 0004 6742c01e 0003 68ce38'));
  assert.deepEqual(values(stap, 'h264.nal_unit_hdr'), ['24', '7', '8']);
  assert.deepEqual(values(stap, 'h264.nalu_size'), ['4', '3']);
  const fu = see(h264, octets('7c 85 3333'));
  assert.deepEqual(values(fu, 'h264.nal_unit_hdr'), ['28']);
  assert.deepEqual(values(fu, 'h264.start.bit'), ['1']);
  assert.deepEqual(values(fu, 'h264.end.bit'), ['0']);
  assert.deepEqual(values(fu, 'h264.nal_unit_type'), ['5']);
  const mtap = see(h264, octets('7a 0001 0002 03 0010 0930'));
  assert.deepEqual(values(mtap, 'h264.don'), ['1']);
  assert.deepEqual(values(mtap, 'h264.don_delta'), ['3']);
  assert.deepEqual(values(mtap, 'h264.ts_offset16'), ['16']);
  assert.deepEqual(see(h264, octets('78 0009 67')).stopped, ['h264']);
});

/** RFC 7798 §1.1.4 and §4.4. */
test('H.265: single units, aggregation and fragmentation', () => {
  const vps = see(h265, octets('4001 0c01'));
  assert.deepEqual(values(vps, 'h265.nal_unit_type'), ['32']);
  assert.deepEqual(values(vps, 'h265.temporal_id'), ['1']);
  const ap = see(h265, octets('6001 0004 40010c01 0003 420101'));
  assert.deepEqual(values(ap, 'h265.nal_unit_type'), ['48', '32', '33']);
  const fu = see(h265, octets('6201 53 55'));
  assert.deepEqual(values(fu, 'h265.nal_unit_type'), ['49', '19']);
  assert.deepEqual(values(fu, 'h265.start.bit'), ['0']);
  assert.deepEqual(values(fu, 'h265.end.bit'), ['1']);
  assert.deepEqual(see(h265, octets('6001 0009 40')).stopped, ['h265']);
});

const plain = { noNullPrototype: true } as const;
const bytes = (minLength: number) => fc.uint8Array({ minLength, maxLength: 30 });
const part = { start: fc.boolean(), end: fc.boolean(), data: bytes(1) };

test('the codecs write what they read', () => {
  const avc: fc.Arbitrary<H264Payload> = fc.oneof(
    bytes(5).map((unit) => ({ unit: Uint8Array.of(0x61, ...unit) })),
    fc.record(
      {
        nri: fc.nat(3),
        units: fc.array(
          bytes(0).map((u) => Uint8Array.of(0x61, ...u)),
          { minLength: 1, maxLength: 4 },
        ),
      },
      plain,
    ),
    fc.record({ nri: fc.nat(3), type: fc.constantFrom(1, 5), ...part }, plain),
  );
  const hevc: fc.Arbitrary<H265Payload> = fc.oneof(
    bytes(2).map((unit) => ({ unit: Uint8Array.of(0x02, 0x01, ...unit) })),
    fc.record(
      { layer: fc.nat(63), temporal: fc.nat(7), units: fc.array(bytes(2), { minLength: 1, maxLength: 4 }) },
      plain,
    ),
    fc.record({ layer: fc.nat(63), temporal: fc.nat(7), type: fc.nat(47), ...part }, plain),
  );
  fc.assert(
    fc.property(avc, hevc, (a, b) => {
      const first = encode(h264.codec!, a);
      assert.deepEqual(h264.codec!.parse(first, 0, first.length), a);
      assert.deepEqual(see(h264, first).stopped, []);
      const second = encode(h265.codec!, b);
      assert.deepEqual(h265.codec!.parse(second, 0, second.length), b);
      assert.deepEqual(see(h265, second).stopped, []);
    }),
  );
});
