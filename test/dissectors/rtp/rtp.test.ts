import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { rtcp } from '../../../dissectors/rtcp/index.js';
import { headerLength, isRtcp, type RtpPacket, rtp } from '../../../dissectors/rtp.js';
import { type TelephoneEvent, telephoneEvent } from '../../../dissectors/telephone-event.js';
import { fieldText } from '../../../src/report/value.js';
import { at, udp } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { comparePlacesIn } from '../../support/places.js';
import { forRows } from '../../support/rows.js';
import { frames } from '../../support/tshark.js';
import { askTshark, tsharkMissing } from './tshark.js';
import { announced, octets, type Sent, values, World } from './world.js';

const world = (): World => new World([rtp, rtcp, telephoneEvent]);
const media = (types: Record<number, string>) =>
  announced(new Map(Object.entries(types).map(([n, name]) => [Number(n), { name, clock: 8000 }])), 7);

/** A header of version 2 with flags and payload type, sequence 9, timestamp 160, SSRC 0x11223344. */
const packet = (first: number, second: number, rest: string, sequence = 9): Uint8Array => {
  const head = [first, second, sequence >> 8, sequence & 255].map((n) => n.toString(16).padStart(2, '0')).join('');
  return octets(`${head} 000000a0 11223344 ${rest}`);
};

/** Packets that tshark 4.0 reads to their end. */
const PACKETS = [
  packet(0x80, 0, '01020304'),
  packet(0x80, 0x88, '01020304'),
  packet(0x80, 96, '01020304'),
  packet(0x80, 101, '050a00a0'),
  packet(0x80, 101, '0b8a00a0'),
  packet(0xa0, 0, '01020304 00000004'),
  packet(0xa0, 0, '0102000000ff'),
  packet(0xa0, 0, '04000004'),
  packet(0x82, 0, 'aaaaaaaa bbbbbbbb 0102'),
  packet(0x90, 0, '12340002 deadbeef cafebabe 0102'),
  packet(0x90, 0, '12340000 0102'),
  packet(0x90, 0, 'bede0002 10ff32aa bbcc0000 0102'),
  packet(0x90, 0, 'bede0003 10ff0032 aabbccdd 00000000 0102'),
  packet(0x90, 0, '10000002 0102aabb 03000000 0102'),
  packet(0x90, 0, '10050002 0102aabb 0301cc00 0102'),
  packet(0x80, 13, '01020304'),
  packet(0x80, 20, '01020304'),
  packet(0x80, 72, '01020304'),
  packet(0x80, 127, '01020304'),
  packet(0x80, 0, ''),
];

test('fields lie where tshark sees them', { skip: tsharkMissing }, async () => {
  const packets = PACKETS.map((b) => udp(at('192.0.2.1', 5004), at('192.0.2.2', 5004), b));
  const { same, different } = await comparePlacesIn(packets, { decodeAs: ['udp.port==5004,rtp'] });
  assert.deepEqual(different, []);
  for (const name of ['ssrc', 'csrc.item', 'ext.profile', 'padding.count', 'payload'])
    assert.ok(same.has(`rtp.${name}`), name);
});

test('fields and Info are those of tshark', { skip: tsharkMissing }, () => {
  const own = /^(rtp\.(?!setup|extseq)|rtpevent\.)/;
  const references = askTshark(PACKETS, 'rtp', own);
  for (const [i, b] of PACKETS.entries()) {
    const seen = world().see(rtp, b);
    const name = Buffer.from(b).toString('hex');
    assert.deepEqual(
      seen.fields.filter(([f]) => own.test(f)),
      references[i].fields,
      name,
    );
    assert.equal(seen.summary, references[i].info, name);
    assert.deepEqual(seen.stopped, [], name);
  }
});

test('SDP gives a stream its frame and its dynamic types their names', () => {
  const sent: Sent = { frame: 12, expected: media({ 96: 'AMR-WB', 97: 'telephone-event', 101: 'opus' }) };
  const seen = world().see(rtp, packet(0x80, 96, '0102'), sent);
  assert.deepEqual(values(seen, 'rtp.setup-frame'), ['7']);
  assert.deepEqual(values(seen, 'rtp.setup-method'), ['SDP']);
  assert.equal(seen.summary, 'PT=AMR-WB, SSRC=0x11223344, Seq=9, Time=160');
  const event = world().see(rtp, packet(0x80, 97, '01 80 0320'), sent);
  assert.deepEqual(event.protocols, ['rtp', 'rtpevent']);
  assert.equal(event.summary, 'Payload type=RTP Event, DTMF One 1 (end)');
  // what SDP calls something else is not an event, whatever Wireshark's default says
  assert.deepEqual(world().see(rtp, packet(0x80, 101, '01800320'), sent).protocols, ['rtp']);
});

test('sequence numbers are extended over wraps, each source and direction on its own', () => {
  const w = world();
  const seq = (n: number, direction: 0 | 1 = 0): string =>
    values(w.see(rtp, packet(0x80, 0, '00', n), { direction }), 'rtp.extseq')[0];
  // tshark starts at 65536, so that a first packet near the end of the numbers stays below
  assert.deepEqual(
    [65_534, 65_535, 1, 0, 65_533].map((n) => seq(n)),
    ['65534', '65535', '65537', '65536', '65533'],
  );
  assert.equal(seq(100, 1), '65636');
  const long = world();
  const numbers = [65_534, 30_000, 60_000, 20_000].map((n) => long.see(rtp, packet(0x80, 0, '00', n)));
  assert.deepEqual(
    numbers.flatMap((seen) => values(seen, 'rtp.extseq')),
    ['65534', '95536', '125536', '151072'],
  );
});

test('RTCP on the port of RTP is told apart', () => {
  // RFC 5761 §4: packet types 192 to 223 are RTCP
  const report = octets('80c80006 11223344 dd3ac170 4d614df8 00007d00 000000c8 00007d00');
  const seen = world().see(rtp, report, { expected: media({}) });
  assert.deepEqual(seen.protocols, ['rtp', 'rtcp']);
  assert.deepEqual(values(seen, 'rtcp.setup-frame'), ['7']);
  assert.equal(seen.summary, 'Sender Report   ');
  assert.deepEqual(
    [191, 192, 223, 224].map((n) => isRtcp(Uint8Array.of(0x80, n), 0)),
    [false, true, true, false],
  );
});

test('other versions are only named', () => {
  const seen = world().see(rtp, packet(0x40, 0, '0102'));
  assert.deepEqual(values(seen, 'rtp.version'), ['1']);
  assert.equal(seen.summary, 'Unknown RTP version 1');
  assert.deepEqual(seen.protocols, ['rtp']);
});

test('header and padding must fit', () => {
  for (const b of [
    packet(0x8f, 0, 'aaaaaaaa'), // fifteen sources announced, one there
    packet(0xa0, 0, ''), // padding without an octet
    packet(0xa0, 0, '010200000000'), // padding of no octets
    packet(0x90, 0, 'bede0008 10aabbcc'), // the extension is longer than the packet
  ])
    assert.deepEqual(world().see(rtp, b).stopped, ['rtp']);
  assert.equal(headerLength(packet(0x91, 0, 'aaaaaaaa bede0001 00000000 01'), 0, 25), 24);
  assert.equal(headerLength(packet(0x91, 0, 'aaaaaaaa bede0001 00'), 0, 21), -1);
});

test('octets look like RTP or do not', () => {
  const probe = (b: Uint8Array) => rtp.probe!(b, 0, b.length);
  assert.equal(probe(packet(0x80, 0, '01020304')), Yes);
  assert.equal(probe(packet(0x80, 96, '01020304')), Yes);
  assert.equal(probe(packet(0x80, 200, '01020304')), No);
  assert.equal(probe(packet(0x40, 0, '01020304')), No);
  assert.equal(probe(packet(0xa0, 0, '01020309')), No);
  assert.equal(probe(packet(0x80, 0, '').slice(0, 5)), Unsure);
});

const plain = { noNullPrototype: true } as const;
const word = fc.integer({ min: 0, max: 0xffffffff });
const arbitrary: fc.Arbitrary<RtpPacket> = fc
  .record(
    {
      marker: fc.boolean(),
      payloadType: fc.integer({ min: 0, max: 127 }),
      sequence: fc.integer({ min: 0, max: 0xffff }),
      timestamp: word,
      ssrc: word,
      csrc: fc.array(word, { maxLength: 15 }),
      extension: fc.option(
        fc.record(
          {
            profile: fc.integer({ min: 0, max: 0xffff }),
            data: fc.uint8Array({ maxLength: 40 }).map((b) => b.slice(0, b.length & ~3)),
          },
          plain,
        ),
        { nil: undefined },
      ),
      payload: fc.uint8Array({ maxLength: 60 }),
      padding: fc.integer({ min: 0, max: 12 }),
    },
    plain,
  )
  .map(({ extension, ...r }) => (extension === undefined ? r : { ...r, extension }));

test('what is built is parsed again', () => {
  const { codec } = rtp;
  fc.assert(
    fc.property(arbitrary, (r) => {
      const b = encode(codec!, r);
      assert.deepEqual(codec!.parse(b, 0, b.length), r);
      assert.ok(!world().see(rtp, b).stopped.includes('rtp'));
    }),
  );
  const events: fc.Arbitrary<TelephoneEvent> = fc.record(
    {
      event: fc.integer({ min: 0, max: 255 }),
      end: fc.boolean(),
      reserved: fc.boolean(),
      volume: fc.integer({ min: 0, max: 63 }),
      duration: fc.integer({ min: 0, max: 0xffff }),
    },
    plain,
  );
  fc.assert(
    fc.property(events, (r) => {
      const b = encode(telephoneEvent.codec!, r);
      assert.deepEqual(telephoneEvent.codec!.parse(b, 0, b.length), r);
    }),
  );
});

test('octets cut or changed anywhere never throw anything but Short and Malformed', () => {
  const w = world();
  for (const b of PACKETS)
    for (let n = 0; n < b.length; n++) {
      w.see(rtp, b.slice(0, n));
      w.see(rtp, b.slice(0, n), { wire: b.length, expected: media({ 96: 'telephone-event' }) });
    }
  fc.assert(
    fc.property(fc.constantFrom(...PACKETS), fc.nat(), fc.nat({ max: 255 }), (b, at, value) => {
      const changed = b.slice();
      changed[at % b.length] = value;
      w.see(rtp, changed);
    }),
    { numRuns: 2000 },
  );
});

test('each direction of a conversation that nobody announced is set up by its own first packet', () => {
  const world = new World([rtp]);
  const frames = (
    [
      [4, 0],
      [5, 1],
      [6, 0],
      [7, 1],
    ] as const
  ).map(([frame, direction]) =>
    values(world.see(rtp, octets('80000001000000a01122334455'), { frame, direction }), 'rtp.setup-frame'),
  );
  assert.deepEqual(frames, [['4'], ['5'], ['4'], ['5']]); // as tshark 4.0.17 with its heuristic
});

test('RTCP that is known as RTP sets its direction up as well, as in tshark', { skip: tsharkMissing }, async () => {
  const [a, b] = [at('192.0.2.1', 40_000), at('192.0.2.2', 3478)];
  const report = octets('81d0000287fab2d7ca6c437980000002ce8ba969f2f3d16b4d27');
  const speech = octets('807800010002f30087fab2d7bc520aa468874599509306c4');
  const path = file('mux.pcap', rawPcap(udp(a, b, report), udp(a, b, speech), udp(b, a, speech)));
  const fields = ['frame.number', 'rtp.setup-frame', 'frame.protocols'];
  const theirs = await frames(path, ['--enable-heuristic', 'rtp_udp', '--enable-heuristic', 'rtcp_udp'], fields);
  const seen: string[] = [];
  await forRows(path, { heuristicRtp: true }, ({ frame, dissection: { tree, protocols } }) => {
    const setups: string[] = [];
    for (let i = 0; i < tree.length; i++) if (tree.field(i).name === 'rtp.setup-frame') setups.push(fieldText(tree, i));
    assert.deepEqual(theirs.get(frame)?.get('rtp.setup-frame') ?? [], setups);
    assert.deepEqual(theirs.get(frame)?.get('frame.protocols'), [protocols.join(':')]);
    seen.push(setups.join());
  });
  assert.deepEqual(seen, ['', '1', '3']);
});
