import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode } from 'fttscope/kit';
import { codec, type Rtcp, rtcp } from '../../../dissectors/rtcp/index.js';
import { at, udp } from '../../build/packets.js';
import { comparePlacesIn } from '../../support/places.js';
import { askTshark, tsharkMissing } from './tshark.js';
import { octets, values, World } from './world.js';

const S = '11223344';
const M = '55667788';
const REPORT = '0a0b0c0d 19 fffffe 00012345 00000010 c1704d61 00010000';
const SENDER = `${S} dd3ac170 4d614df8 00007d00 000000c8 00007d00`;

/** A packet: type, count and body in hex, filled up to whole words. */
function packet(type: number, count: number, body: string, padded = false): string {
  let hex = body.replace(/\s+/g, '');
  while (hex.length % 8 !== 0) hex += '00';
  const first = 0x80 | (padded ? 0x20 : 0) | count;
  return [first, type, 0, hex.length / 8].map((n) => n.toString(16).padStart(2, '0')).join('') + hex;
}
const text = (s: string): string => Buffer.from(s).toString('hex');
const item = (type: number, s: string): string =>
  type.toString(16).padStart(2, '0') + s.length.toString(16).padStart(2, '0') + text(s);

/** Compounds that tshark 4.0 reads to their end. */
const COMPOUNDS = [
  packet(200, 1, `${SENDER} ${REPORT}`),
  packet(200, 2, `${SENDER} ${REPORT} ${REPORT}`) + packet(202, 1, `${S} ${item(1, 'a@b')} 00`),
  packet(201, 0, S),
  packet(201, 1, `${S} ${REPORT} 0001000c aabbccdd 01020304`),
  packet(201, 0, `${S} 00630008 aabbccdd`),
  packet(200, 0, `${S} ${'00'.repeat(20)}`),
  packet(200, 0, `${S} 00000001 00000000 ${'00'.repeat(12)}`),
  packet(202, 1, `${S} ${item(1, 'a@b')} ${item(2, 'N')} ${item(8, '\x03foobar')} ${item(9, 'x')} 00`),
  packet(202, 2, `${S} ${item(1, 'a')} 00 ${M} ${item(1, 'bcd')} ${item(2, '')} 00`),
  packet(202, 0, ''),
  packet(203, 1, S),
  packet(203, 2, `${S} ${M} 03 ${text('bye')}`),
  packet(203, 1, `${S} 05 ${text('hello')} 00 01`),
  packet(203, 1, `${S} 00 000000`),
  packet(203, 0, ''),
  packet(204, 3, `${S} ${text('ABCD')} 01020304`),
  packet(204, 0, `${S} ${text('ABCD')} ${text('text')}`),
  packet(204, 2, `${S} ${text('AB D')} 61000000`),
  packet(204, 1, `${S} 41424300 00010203`),
  packet(205, 1, `${S} ${M} 00018001 0010ffff`),
  packet(205, 3, `${S} ${M} 0a0b0c0d 07fffeff`),
  packet(205, 4, `${S} ${M} 0a0b0c0d 12345678`),
  packet(205, 5, `${S} ${M}`),
  packet(205, 8, `${S} ${M} 00010203`),
  packet(205, 15, `${S} ${M} 0001 0005 00010002 2005 04 08 0c 10 14 00`),
  packet(206, 1, `${S} ${M}`),
  packet(206, 2, `${S} ${M} 12345678`),
  packet(206, 3, `${S} ${M} 08001122`),
  packet(206, 4, `${S} ${M} 0a0b0c0d 05000000`),
  packet(206, 5, `${S} ${M} 0a0b0c0d 05000000`),
  packet(206, 15, `${S} ${M} ${text('REMB')} 02041234 0a0b0c0d 01020304`),
  packet(206, 27, `${S} ${M}`),
  packet(207, 0, `${S} 03030003 0a0b0c0d 00010010 00001234`),
  packet(207, 0, `${S} 04000002 dd3ac170 4d614df8`),
  packet(207, 0, `${S} 05000003 0a0b0c0d c1704d61 00010000`),
  packet(207, 0, `${S} 06f80009 0a0b0c0d 00010010 00000005 00000006 00000007 00000008 00000009 0000000a 01020304`),
  packet(207, 0, `${S} 07000008 0a0b0c0d 10203040 00500060 00700080 90a0b010 5d7f2a2b c5000001 00020003`),
  packet(207, 0, `${S} 08000008 00010010 00010002 00000003 00040005 00000006 00000007 00000008 00000009`),
  packet(193, 0, `${S} 00010002`),
  packet(192, 0, S),
  packet(201, 0, S) + packet(202, 1, `${S} ${item(1, 'a@b')} 000000 00000004`, true),
  `${packet(201, 0, S)}0102`,
].map(octets);

/** The text of a bit rate is empty in tshark's exports, though its tree shows one. */
const comparable = ([name]: readonly [string, string]): boolean => !name.endsWith('.bitrate');

test('fields and Info are those of tshark', { skip: tsharkMissing }, () => {
  const references = askTshark(COMPOUNDS, 'rtcp', /^rtcp\.(?!setup|reserved|bye_|appl\.)/);
  for (const [i, b] of COMPOUNDS.entries()) {
    const seen = new World([rtcp]).see(rtcp, b);
    const name = Buffer.from(b).toString('hex');
    assert.deepEqual(seen.stopped, [], name);
    assert.deepEqual(seen.fields.filter(comparable), references[i].fields.filter(comparable), name);
    assert.equal(seen.summary, references[i].info, name);
  }
});

test('fields lie where tshark sees them', { skip: tsharkMissing }, async () => {
  const packets = COMPOUNDS.map((b) => udp(at('192.0.2.1', 5005), at('192.0.2.2', 5005), b));
  const { same, different } = await comparePlacesIn(packets, { decodeAs: ['udp.port==5005,rtcp'] });
  // RFC 5104 §4.2.1.1: the overhead has nine bits. tshark reads the last octet, and shows eight.
  assert.deepEqual(
    different.filter((d) => !d.includes('rtcp.rtpfb.tmmbr.fci.measuredoverhead')),
    [],
  );
  assert.ok(same.size > 80, String(same.size));
});

/** Compounds whose lengths are not those of what they count: the length in words goes behind the type. */
const stated = (hex: string, words: number): string =>
  hex.slice(0, 4) + words.toString(16).padStart(4, '0') + hex.slice(8);
const RECEIVER = packet(201, 1, `${S} ${REPORT}`);
const NAMED = packet(202, 1, `${S} ${item(1, 'abc')} 000000`);
const LEAVING = packet(203, 1, `${S} 03616263`);
const MISCOUNTED = [
  stated(RECEIVER, 6),
  stated(RECEIVER, 1),
  stated(RECEIVER, 5) + RECEIVER,
  `${RECEIVER}00`,
  `${RECEIVER}${RECEIVER.slice(0, 4)}`,
  `${RECEIVER}0000000000000000`,
  RECEIVER + stated(NAMED, 2),
  RECEIVER + NAMED.replace('81ca', '80ca'),
  RECEIVER + stated(LEAVING, 0),
  RECEIVER + stated(LEAVING, 1),
  stated(packet(200, 0, SENDER), 5),
  // a type without a meaning, alone and behind a report; and octets that a version or type makes none
  '80c7000200000000000001f40001040000000000',
  `${RECEIVER}80c7000100000000`,
  `${RECEIVER}40c5000100000000`,
  `${RECEIVER}40c5100000000000`,
  `${RECEIVER}80d4000100000000`,
  // a summary, whose timestamp stands behind the length that it states
  '81d1000154592824800000035b2a9fdd05fca51cbc95ffff',
].map(octets);

test('counts go before lengths, and what is wrong is said, as in tshark', { skip: tsharkMissing }, () => {
  const references = askTshark(MISCOUNTED, 'rtcp', /^rtcp\.(?!setup)/);
  for (const [i, b] of MISCOUNTED.entries()) {
    const seen = new World([rtcp]).see(rtcp, b);
    assert.deepEqual(seen.fields, references[i].fields, Buffer.from(b).toString('hex'));
  }
});

test('chunks of a loss run length report are runs, vectors and an end', () => {
  // RFC 3611 §4.1.1: run of ones of 5, bit vector 3, terminating null
  const seen = new World([rtcp]).see(
    rtcp,
    octets(packet(207, 0, `${S} 01020004 0a0b0c0d 00010010 4005 8003 0000 0000`)),
  );
  assert.deepEqual(values(seen, 'rtcp.xr.chunk.length'), ['5']);
  assert.deepEqual(values(seen, 'rtcp.xr.chunk.bit_vector'), ['3']);
  assert.equal(values(seen, 'rtcp.xr.chunk.null_terminator').length, 2);
});

test('packet status of transport-wide feedback decides the size of each delta', () => {
  // two-bit vector: small, small, large, small, then nothing
  const body = `${S} ${M} 0001 0007 00010002 d640 04 08 0102 10`;
  const seen = new World([rtcp]).see(rtcp, octets(packet(205, 15, body)));
  assert.deepEqual(values(seen, 'rtcp.rtpfb.transportcc.recv_delta'), ['0x04', '0x08', '0x102', '0x10']);
});

test('an extension of a report that does not fit ends that report alone, as in tshark', () => {
  const b = octets(packet(201, 1, `${S} ${REPORT} cccd898c 01020304`) + packet(202, 1, `${S} ${item(1, 'a@b')} 00`));
  const seen = new World([rtcp]).see(rtcp, b);
  assert.deepEqual(seen.stopped, []);
  assert.deepEqual(values(seen, 'rtcp.sdes.text'), ['a@b']);
  assert.deepEqual(seen.experts, ['rtcp.extension-length']);
});

test('a reception report gives the round trip', () => {
  const world = new World([rtcp]);
  world.see(rtcp, octets(packet(200, 0, SENDER)), { frame: 10, seconds: 100, nanos: 0 });
  const answer = octets(packet(201, 1, `${M} 11223344 00000000 00000001 00000000 c1704d61 00008000`));
  const seen = world.see(rtcp, answer, { frame: 12, seconds: 100, nanos: 550_000_000, direction: 1 });
  // 550 ms since the sender report, of which the other side took 0x8000 / 65536 s
  assert.deepEqual(values(seen, 'rtcp.lsr-frame'), ['10']);
  assert.deepEqual(values(seen, 'rtcp.lsr-frame-captured'), ['550']);
  assert.deepEqual(values(seen, 'rtcp.roundtrip-delay'), ['50']);
  const same = world.see(rtcp, answer, { frame: 13, seconds: 101, direction: 0 });
  assert.deepEqual(values(same, 'rtcp.lsr-frame'), []);
});

test('contradictions stop the packet and say so', () => {
  const world = new World([rtcp]);
  for (const hex of [
    packet(201, 2, `${S} ${REPORT}`), // one report where two are announced
    packet(202, 1, `${S} 01056162`), // an item longer than the packet
    packet(207, 0, `${S} 01020009 0a0b0c0d`), // a block longer than the packet
    packet(207, 0, `${S} 07000001 0a0b0c0d`), // too short for its type
    packet(201, 0, `${S} 000000ff`, true), // more padding than octets
    packet(203, 1, `${S} ff`),
    packet(201, 0, S).slice(0, 12),
  ])
    assert.deepEqual(world.see(rtcp, octets(hex)).stopped, ['rtcp'], hex);
  const wrong = world.see(rtcp, octets(packet(201, 0, S, true) + packet(202, 0, '')));
  assert.deepEqual(wrong.experts, ['rtcp.not-final-padding']);
});

const plain = { noNullPrototype: true } as const;
const arbitrary: fc.Arbitrary<Rtcp> = fc.record(
  {
    packets: fc.array(
      fc.record(
        {
          count: fc.integer({ min: 0, max: 31 }),
          type: fc.integer({ min: 0, max: 255 }),
          padding: fc.boolean(),
          body: fc.uint8Array({ maxLength: 40 }).map((b) => b.slice(0, b.length & ~3)),
        },
        plain,
      ),
      { maxLength: 5 },
    ),
    trailer: fc.uint8Array({ maxLength: 3 }),
  },
  plain,
);

test('what is built is parsed again, octet for octet', () => {
  fc.assert(
    fc.property(arbitrary, (r) => {
      const b = encode(codec, r);
      assert.deepEqual(codec.parse(b, 0, b.length), r);
    }),
  );
  for (const b of COMPOUNDS) assert.deepEqual(encode(codec, codec.parse(b, 0, b.length)), b);
});

test('octets cut or changed anywhere never throw anything but Short and Malformed', () => {
  const world = new World([rtcp]);
  for (const b of COMPOUNDS)
    for (let n = 0; n < b.length; n++) {
      world.see(rtcp, b.slice(0, n));
      world.see(rtcp, b.slice(0, n), { wire: b.length });
    }
  fc.assert(
    fc.property(fc.constantFrom(...COMPOUNDS), fc.nat(), fc.nat({ max: 255 }), (b, at, value) => {
      const changed = b.slice();
      changed[at % b.length] = value;
      world.see(rtcp, changed);
    }),
    { numRuns: 2000 },
  );
});
