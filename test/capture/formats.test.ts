import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LIMITS } from '../../src/limits.js';
import { BE, drainFile, drainPieces, file, LE, padded, pattern } from './support.js';

const A = pattern(61, 1);
const B = pattern(40, 2);

for (const [order, O] of [
  ['little-endian', LE],
  ['big-endian', BE],
] as const) {
  describe(`pcap, ${order}`, () => {
    it('reads microseconds', async () => {
      const octets = [
        O.pcapHeader(0xa1b2c3d4, 1),
        O.pcapPacket(1_700_000_000, 123_456, A),
        O.pcapPacket(5, 0, B, 1500),
      ];
      const { frames, damage, source } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(damage, []);
      assert.equal(source.files[0].format, 'pcap');
      assert.equal(source.files[0].frames, 2);
      assert.equal(source.files[0].read, source.files[0].size);
      const [a, b] = frames;
      assert.deepEqual([a.seconds, a.nanos, a.wire, a.number, a.offset], [1_700_000_000, 123_456_000, 61, 1, 40]);
      assert.deepEqual(a.octets, A);
      assert.deepEqual([b.seconds, b.nanos, b.wire, b.number, b.offset], [5, 0, 1500, 2, 40 + 61 + 16]);
      assert.deepEqual(b.octets, B);
      assert.deepEqual(a.iface, { file: 1, index: 0, link: 1, snaplen: 65_535 });
    });

    it('reads nanoseconds, and carries a part that is more than a second', async () => {
      const octets = [
        O.pcapHeader(0xa1b23c4d, 101),
        O.pcapPacket(1, 999_999_999, A),
        O.pcapPacket(1, 2_000_000_001, B),
        O.pcapPacket(0xffff_ffff, 1, B),
      ];
      const { frames } = await drainFile(file(Buffer.concat(octets)));
      const times = frames.map((f) => [f.seconds, f.nanos]);
      assert.deepEqual(times, [
        [1, 999_999_999],
        [3, 1],
        [0xffff_ffff, 1],
      ]);
      assert.equal(frames[0].iface.link, 101);
    });

    it('reads the packet headers of 24 octets of modified pcap', async () => {
      const octets = [O.pcapHeader(0xa1b2cd34, 1), O.pcapPacket(7, 8, A, 61, 8), O.pcapPacket(9, 10, B, 40, 8)];
      const { frames, damage } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(damage, []);
      assert.deepEqual(
        frames.map((f) => f.octets),
        [A, B],
      );
    });

    it('sees by the first packets what has the headers of modified pcap, and the magic of pcap', async () => {
      const packets = (extra: number, part = 8) => [
        O.pcapHeader(0xa1b2c3d4, 1),
        ...[A, B, A, B].map((octets, i) => O.pcapPacket(7 + i, part, octets, octets.length, extra)),
      ];
      for (const octets of [packets(8), packets(0), packets(0, 5_000_000)]) {
        const { frames, damage } = await drainFile(file(Buffer.concat(octets)));
        assert.deepEqual(damage, []);
        assert.deepEqual(
          frames.map((f) => f.octets),
          [A, B, A, B],
        );
      }
    });

    it('reads the FCS length above the link type', async () => {
      const fcs = (field: number) =>
        drainFile(file(Buffer.concat([O.pcapHeader(0xa1b2c3d4, field), O.pcapPacket(1, 1, A)])));
      const four = (await fcs(0x2400_0001)).frames[0].iface;
      assert.deepEqual([four.link, four.fcsLength], [1, 4]);
      const unknown = (await fcs(0x2000_0001)).frames[0].iface;
      assert.deepEqual([unknown.link, unknown.fcsLength], [1, undefined]);
    });

    it('reads the lengths of version 2.2 the other way round', async () => {
      const swapped = Buffer.concat([O.u32(3), O.u32(4), O.u32(99), O.u32(B.length), B]);
      for (const version of [
        [2, 2],
        [2, 3],
      ] as [number, number][]) {
        const { frames } = await drainFile(file(Buffer.concat([O.pcapHeader(0xa1b2c3d4, 1, version), swapped])));
        assert.deepEqual([frames[0].octets, frames[0].wire], [B, 99]);
      }
      const more = [O.pcapHeader(0xa1b2c3d4, 1, [2, 4]), O.pcapPacket(1, 1, A, 40), O.pcapPacket(1, 2, B)];
      const { frames } = await drainFile(file(Buffer.concat(more)));
      assert.deepEqual([frames[0].octets, frames[0].wire, frames[1].octets], [A, 40, B], 'as they stand since 2.4');
    });
  });

  describe(`pcapng, ${order}`, () => {
    it('reads enhanced, simple and obsolete packets', async () => {
      const ticks = 1_700_000_000_123_456n;
      const old = [O.u16(1), O.u16(3), O.u32(Number(ticks >> 32n)), O.u32(Number(ticks & 0xffff_ffffn))];
      const octets = [
        O.section(),
        O.description(1, 50),
        O.description(113),
        O.packet(1, ticks, A, { wire: 70 }),
        O.block(3, O.u32(A.length), padded(A.subarray(0, 50))),
        O.block(2, ...old, O.u32(B.length), O.u32(200), B, O.option(1, 'dropped three'), O.u32(0)),
      ];
      const { frames, damage, source } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(damage, []);
      assert.equal(source.files[0].format, 'pcapng');
      const [enhanced, simple, obsolete] = frames;
      assert.deepEqual([enhanced.seconds, enhanced.nanos, enhanced.wire], [1_700_000_000, 123_456_000, 70]);
      assert.deepEqual([enhanced.octets, enhanced.iface.link], [A, 113]);
      assert.deepEqual([simple.seconds, simple.nanos, simple.wire, simple.iface.link], [0, 0, 61, 1]);
      assert.deepEqual(simple.octets, A.subarray(0, 50));
      assert.deepEqual([obsolete.seconds, obsolete.nanos, obsolete.wire], [1_700_000_000, 123_456_000, 200]);
      assert.deepEqual([obsolete.octets, obsolete.iface.link, obsolete.comments], [B, 113, ['dropped three']]);
      const whole = Buffer.concat(octets);
      for (const f of frames) assert.deepEqual(whole.subarray(f.offset, f.offset + f.octets.length), f.octets);
    });

    it('reads comments, flags, statistics and what interfaces say of themselves', async () => {
      const options = [
        O.option(2, 'eth0'),
        O.option(3, 'Uplink'),
        O.option(11, Buffer.from('\0port 53')),
        O.option(13, Buffer.from([4])),
        O.u32(0),
      ];
      const statistics = [O.u32(0), O.u64(0n), O.option(5, O.u64(7n)), O.option(7, O.u64(5n)), O.u32(0)];
      const note = [O.option(1, 'first'), O.option(2, O.u32(2)), O.option(1, 'zwölf'), O.u32(0)];
      const octets = [
        O.section(-1n, [O.option(1, 'a section'), O.option(4, 'dumpcap'), O.u32(0)]),
        O.description(1, 0, options),
        O.packet(0, 1n, A, { options: note }),
        O.packet(0, 2n, B),
        O.block(5, ...statistics),
      ];
      const { frames, source } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(source.files[0].comments, ['a section', 'dumpcap']);
      const { section, id, ...face } = frames[0].iface as unknown as Record<string, unknown>;
      assert.deepEqual([section, id], [1, 0]);
      const said = { name: 'eth0', description: 'Uplink', filter: 'port 53', fcsLength: 4, drops: 12n };
      assert.deepEqual(face, { file: 1, index: 0, link: 1, snaplen: 0, ...said });
      assert.deepEqual([frames[0].comments, frames[0].flags], [['first', 'zwölf'], 2]);
      assert.deepEqual([frames[1].comments, frames[1].flags], [undefined, undefined]);
    });

    it('adds up what packets say of drops before them, where statistics know of fewer', async () => {
      const missed = (n: bigint) => ({ options: [O.option(4, O.u64(n)), O.u32(0)] }); // epb_dropcount
      const statistics = (n: bigint) => O.block(5, O.u32(0), O.u64(0n), O.option(5, O.u64(n)), O.u32(0));
      const old = (n: number) =>
        O.block(2, O.u16(0), O.u16(n), O.u32(0), O.u32(1), O.u32(B.length), O.u32(B.length), B);
      const capture = async (...blocks: Buffer[]) => {
        const octets = Buffer.concat([O.section(), O.description(1), ...blocks]);
        return (await drainFile(file(octets))).frames[0].iface.drops;
      };
      const packets = [O.packet(0, 1n, A, missed(3n)), O.packet(0, 2n, B, missed(0n)), O.packet(0, 3n, A, missed(4n))];
      assert.equal(await capture(...packets), 7n);
      assert.equal(await capture(...packets, statistics(0n)), 7n);
      assert.equal(await capture(...packets, statistics(9n)), 9n);
      assert.equal(await capture(O.packet(0, 1n, A, missed(0n))), undefined);
      assert.equal(await capture(old(2), old(0xffff), old(1)), 3n);
    });

    it('reads options up to their end, or to one that does not fit', async () => {
      const more = [
        [O.option(1, 'a'), O.u32(0), O.option(1, 'behind the end')],
        [O.option(1, 'b'), O.u16(1), O.u16(400), Buffer.from('text')],
      ];
      const packets = more.map((options) => O.packet(0, 1n, A, { options }));
      const { frames, damage } = await drainFile(file(Buffer.concat([O.section(), O.description(1), ...packets])));
      assert.deepEqual([frames.map((f) => f.comments), damage], [[['a'], ['b']], []]);
    });

    it('ends texts of options at a zero octet', async () => {
      const zero = (code: number, text: string) => O.option(code, Buffer.from(`${text}\0\xff rest`, 'latin1'));
      const capture = [
        O.section(),
        O.description(1, 0, [zero(2, 'eth0')]),
        O.packet(0, 1n, A, { options: [zero(1, 'a comment')] }),
      ];
      const [{ iface, comments }] = (await drainFile(file(Buffer.concat(capture)))).frames;
      assert.deepEqual([iface.name, comments], ['eth0', ['a comment']]);
    });

    it('gives Custom Blocks numbers among the frames and the time of the frame before', async () => {
      const octets = [
        O.section(),
        O.block(0xbad, O.u32(32_473), Buffer.from('whatever')),
        O.description(1),
        O.packet(0, 7n, A),
        O.block(0x4000_0bad, O.u32(32_473)),
        O.packet(0, 9n, B),
        O.block(0xbad, O.u32(36_724), Buffer.from('more')),
      ];
      const { frames, damage } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(damage, []);
      assert.deepEqual(
        frames.map((f) => [f.number, f.nanos / 1000, f.octets.toString(), f.iface.customBlock]),
        [
          [1, 7, 'whatever', { pen: 32_473, copied: true }],
          [2, 7, A.toString(), undefined],
          [3, 7, '', { pen: 32_473, copied: false }],
          [4, 9, B.toString(), undefined],
          [5, 9, 'more', { pen: 36_724, copied: true }],
        ],
      );
    });

    it('tells the Custom Blocks of so many enterprises apart, and reads those of others all the same', async () => {
      const blocks = Array.from({ length: LIMITS.customBlocks + 2 }, (_, pen) => O.block(0xbad, O.u32(pen)));
      const { frames } = await drainFile(file(Buffer.concat([O.section(), ...blocks])));
      assert.equal(frames.length, blocks.length);
      assert.deepEqual(frames.at(-3)?.iface.customBlock, { pen: LIMITS.customBlocks - 1, copied: true });
      assert.deepEqual(frames.at(-1)?.iface.customBlock, { pen: undefined, copied: true });
      assert.equal(frames.at(-1)?.iface, frames.at(-2)?.iface);
    });

    it('passes over name resolution, unknown and very large blocks', async () => {
      const octets = [
        O.section(),
        O.block(4, O.u16(0), O.u16(0)),
        O.description(1),
        O.packet(0, 1n, A),
        O.block(0x7777, Buffer.alloc(20 << 20)),
        O.block(0x7777),
        O.packet(0, 2n, B),
      ];
      const { frames, damage } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(damage, []);
      assert.deepEqual(
        frames.map((f) => f.octets),
        [A, B],
      );
    });

    it('reads key logs of Decryption Secrets Blocks before, among and after frames', async () => {
      const dsb = (s: string, type = 0x544c534b) => O.block(10, O.u32(type), O.u32(s.length), padded(Buffer.from(s)));
      const octets = [
        O.section(),
        dsb('CLIENT_RANDOM 1'),
        O.description(1),
        O.packet(0, 1n, A),
        dsb('CLIENT_RANDOM 22'),
        dsb('wireguard', 0x57474b4c),
        O.packet(0, 2n, B),
        dsb('CLIENT_RANDOM 333'),
      ];
      const { frames, secrets } = await drainFile(file(Buffer.concat(octets)));
      assert.equal(frames.length, 2);
      assert.deepEqual(secrets, ['CLIENT_RANDOM 1', 'CLIENT_RANDOM 22', 'CLIENT_RANDOM 333']);
      assert.deepEqual((await drainFile(file(Buffer.concat(octets.slice(0, 2))))).secrets, ['CLIENT_RANDOM 1']);
    });

    it('reads several sections, of either byte order and with their lengths given', async () => {
      const other = O === LE ? BE : LE;
      const first = [O.description(1), O.packet(0, 1n, A)];
      const octets = [
        O.section(BigInt(Buffer.concat(first).length)),
        ...first,
        other.section(),
        other.description(101),
        other.description(228),
        other.packet(1, 2n, B),
        O.section(-1n, [], [1, 2]),
        O.description(276),
        O.packet(0, 3n, A),
      ];
      const { frames, damage, source } = await drainFile(file(Buffer.concat(octets)));
      assert.deepEqual(damage, []);
      const faces = frames.map((f) => f.iface as typeof f.iface & { id: number; section: number });
      assert.deepEqual(
        faces.map((f) => [f.link, f.index, f.section, f.id]),
        [
          [1, 0, 1, 0],
          [228, 2, 2, 1],
          [276, 3, 3, 0],
        ],
      );
      assert.equal(source.files[0].interfaces.length, 4);
    });
  });
}

/** Times worked out with whole numbers alone. */
function timeOf(ticks: bigint, resolution: number, offset: bigint): [number, number] {
  const n = BigInt(resolution & 0x7f);
  const units = resolution >= 0x80 ? 2n ** n : 10n ** n;
  return [Number(ticks / units + offset), Number(((ticks % units) * 1_000_000_000n) / units)];
}

describe('pcapng times', () => {
  const TICKS = [
    0n,
    1n,
    999_999n,
    1_000_000n,
    0xffff_ffffn,
    0x1_0000_0000n,
    1_772_355_600_123_456n,
    1_772_355_600_123_456_789n,
    0x7fff_ffff_ffff_ffffn,
    0xffff_ffff_ffff_ffffn,
  ];
  const RESOLUTIONS = [
    0, 1, 3, 6, 7, 8, 9, 10, 12, 15, 16, 19, 20, 127, 0x80, 0x81, 0x8a, 0x94, 0x9e, 0x9f, 0xa0, 0xbf, 0xff,
  ];
  for (const resolution of RESOLUTIONS) {
    it(`are exact with if_tsresol 0x${resolution.toString(16)}`, async () => {
      for (const offset of [0n, 1_000_000_000n, -3600n]) {
        const options = [LE.option(9, Buffer.from([resolution])), LE.option(14, LE.u64(offset)), LE.u32(0)];
        const sane = TICKS.filter((ticks) => Number.isSafeInteger(timeOf(ticks, resolution, 2n ** 40n)[0]));
        const packets = sane.map((ticks) => LE.packet(0, ticks, A));
        const { frames } = await drainFile(
          file(Buffer.concat([LE.section(), LE.description(1, 0, options), ...packets])),
        );
        const expected = sane.map((ticks) => timeOf(ticks, resolution, offset));
        assert.deepEqual(
          frames.map((f) => [f.seconds, f.nanos]),
          expected,
        );
      }
    });
  }

  it('differ by interface', async () => {
    const nano = LE.description(1, 0, [LE.option(9, Buffer.from([9])), LE.u32(0)]);
    const octets = [
      LE.section(),
      LE.description(1),
      nano,
      LE.packet(1, 1_500_000_000n, A),
      LE.packet(0, 1_500_000n, A),
    ];
    const { frames } = await drainFile(file(Buffer.concat([...octets, LE.packet(1, 7n, A)])));
    const times = frames.map((f) => [f.seconds, f.nanos]);
    assert.deepEqual(times, [
      [1, 500_000_000],
      [1, 500_000_000],
      [0, 7],
    ]);
  });
});

describe('gzip', () => {
  const plain = Buffer.concat([LE.section(), LE.description(1), ...ticked(50)]);
  it('is told by its magic, whatever the name, and read member by member', async () => {
    const cut = plain.length >> 1;
    const members = [gzipSync(plain.subarray(0, cut)), gzipSync(Buffer.alloc(0)), gzipSync(plain.subarray(cut))];
    const reference = await drainFile(file(plain));
    for (const octets of [gzipSync(plain), Buffer.concat(members), Buffer.concat([...members, Buffer.alloc(512)])]) {
      const { frames, damage, source } = await drainFile(file(octets, 'odd.txt'));
      assert.deepEqual(damage, []);
      assert.equal(source.files[0].format, 'pcapng (gzip)');
      assert.equal(source.files[0].size, octets.length);
      assert.deepEqual(frames, reference.frames);
    }
  });

  it('is read from a pipe, however it is cut into pieces', async () => {
    const reference = await drainFile(file(plain));
    const octets = gzipSync(plain);
    for (const size of [1, 7, 100]) {
      const pieces = Array.from({ length: Math.ceil(octets.length / size) }, (_, i) =>
        octets.subarray(i * size, (i + 1) * size),
      );
      const { frames, damage } = await drainPieces(pieces);
      assert.deepEqual(damage, []);
      assert.deepEqual(frames, reference.frames);
    }
  });

  it('may expand without bound while little of it is held', async () => {
    const zeros = Buffer.concat([
      LE.section(),
      LE.description(1),
      LE.packet(0, 1n, A),
      LE.block(0x7777, Buffer.alloc(64 << 20)),
    ]);
    const { frames, damage } = await drainFile(file(gzipSync(zeros)));
    assert.deepEqual([frames.length, damage.length], [1, 0]);
  });
});

function ticked(n: number): Buffer[] {
  return Array.from({ length: n }, (_, i) => LE.packet(0, BigInt(i) * 1_000_003n, pattern(20 + i * 7, i)));
}

describe('chunks', () => {
  it('are small at first, so that the first frames come at once, and then as large as the limit', async () => {
    const packet = LE.pcapPacket(1, 1, pattern(1000, 3));
    const octets = Buffer.concat([LE.pcapHeader(0xa1b2c3d4, 1), ...Array.from({ length: 4000 }, () => packet)]);
    const { chunks, frames } = await drainFile(file(octets));
    assert.equal(frames.length, 4000);
    assert.deepEqual(frames[3999].octets, pattern(1000, 3));
    assert.ok(chunks[0] > 0 && chunks[0] * 1016 <= 64 << 10, `first chunk has ${chunks[0]} frames`);
    const largest = Math.max(...chunks) * 1016;
    assert.ok(
      largest > LIMITS.chunkOctets - 2 * 1016 && largest <= LIMITS.chunkOctets,
      `later chunks: ${largest} octets`,
    );
  });

  it('hold 8192 frames at most', async () => {
    const octets = Buffer.concat([LE.pcapHeader(0xa1b2c3d4, 1), Buffer.alloc(16 * 100_000)]);
    const { chunks, frames } = await drainFile(file(octets));
    assert.equal(frames.length, 100_000);
    assert.ok(Math.max(...chunks) <= 8192);
  });

  it('grow for a frame of the maximum length', async () => {
    const large = pattern(262_144, 9);
    const octets = Buffer.concat([LE.section(), LE.description(1), LE.packet(0, 1n, large), LE.packet(0, 2n, A)]);
    const { frames, damage } = await drainFile(file(octets));
    assert.deepEqual(damage, []);
    assert.deepEqual(
      frames.map((f) => f.octets),
      [large, A],
    );
  });
});
