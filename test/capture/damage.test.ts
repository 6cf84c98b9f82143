import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openCapture } from '../../src/capture/open.js';
import { openStream } from '../support/stream.js';
import {
  BE,
  CORPUS,
  type Drained,
  drain,
  drainFile,
  drainPieces,
  essence,
  file,
  LE,
  next,
  padded,
  pattern,
  random,
} from './support.js';

const A = pattern(61, 1);

/** A capture as its records: each ends where a file may end. */
type Records = readonly Buffer[];

const PCAP: Records = [
  BE.pcapHeader(0xa1b2c3d4, 1),
  ...Array.from({ length: 30 }, (_, i) => BE.pcapPacket(i, i, pattern(i * 9, i))),
];
const MODIFIED: Records = [
  LE.pcapHeader(0xa1b2cd34, 1),
  ...Array.from({ length: 12 }, (_, i) => LE.pcapPacket(i, i, pattern(i * 9, i), i * 9, 8)),
];
const PCAPNG: Records = [
  LE.section(-1n, [LE.option(1, 'comment'), LE.u32(0)]),
  LE.description(1, 0, [LE.option(2, 'eth0'), LE.u32(0)]),
  ...Array.from({ length: 10 }, (_, i) =>
    LE.packet(0, BigInt(i), pattern(i * 9, i), { options: [LE.option(2, LE.u32(1))] }),
  ),
  LE.block(10, LE.u32(0x544c534b), LE.u32(5), padded(Buffer.from('RSA 1'))),
  LE.block(0x7777, pattern(100, 5)),
  LE.block(3, LE.u32(30), padded(pattern(30, 2))),
  BE.section(),
  BE.description(1),
  ...Array.from({ length: 10 }, (_, i) => BE.packet(0, BigInt(i), pattern(i * 9, i))),
];

/** Whether a record holds a frame: a packet of pcap, an EPB or SPB. */
function isFrame(records: Records, i: number): boolean {
  if (records !== PCAPNG) return i > 0;
  const type = records[i].readUInt8(0) | records[i].readUInt8(3);
  return type === 6 || type === 3;
}

/** Reads the first `n` octets of a capture; exactly the whole records must come out, and damage if one is cut. */
async function checkCut(records: Records, n: number, read: (octets: Buffer) => Promise<Drained>): Promise<void> {
  const { frames, damage, source } = await read(Buffer.concat(records).subarray(0, n));
  let end = 0;
  let whole = 0;
  let expected = 0;
  for (const [i, record] of records.entries()) {
    if (end + record.length > n) break;
    end += record.length;
    whole = i + 1;
    if (isFrame(records, i)) expected++;
  }
  assert.equal(frames.length, expected, `${n} octets`);
  assert.equal(source.files[0].frames, expected);
  if (end === n && whole > 0) {
    assert.deepEqual(damage, []);
    return;
  }
  assert.equal(damage.length, 1, `${n} octets`);
  const frameWord = expected === 1 ? 'frame was' : 'frames were';
  assert.match(
    damage[0].message,
    new RegExp(`cut short in the middle of .* at offset \\d+; ${expected} ${frameWord} read$`),
  );
  assert.ok(damage[0].offset >= end && damage[0].offset <= n);
  assert.doesNotMatch(damage[0].message, /\n/);
}

describe('a file that is cut', () => {
  for (const [name, records] of Object.entries({ pcap: PCAP, 'modified pcap': MODIFIED, pcapng: PCAPNG })) {
    it(`gives every frame before the cut, at every length (${name})`, async () => {
      const length = Buffer.concat(records).length;
      for (let n = 4; n <= length; n++) await checkCut(records, n, (octets) => drainFile(next(octets)));
    });

    it(`and from a pipe (${name})`, async () => {
      const length = Buffer.concat(records).length;
      for (let n = 4; n <= length; n += 5) await checkCut(records, n, (octets) => drainPieces([octets]));
    });
  }

  const tunnel = join(CORPUS, 'tunnel/tls13-gcm.pcapng');
  const large = join(CORPUS, 'tunnel/tls13-gcm256.pcap');
  const skip = existsSync(tunnel) && existsSync(large) ? false : `skipped: no ${tunnel}`;
  it('gives the same frames as the whole file, cut at 1,000 places', { skip }, async () => {
    const chance = random(24_322);
    for (const path of [tunnel, large]) {
      const octets = readFileSync(path);
      const whole = await drainFile(path);
      const edges = whole.frames.flatMap((f) => [-3, -2, -1, 0, 1, 2, 3].map((d) => f.offset + f.octets.length + d));
      const places = Array.from({ length: 400 }, () => Math.floor(chance() * octets.length));
      for (let i = 0; i < 100; i++) places.push(edges[Math.floor(chance() * edges.length)]);
      for (const n of places) {
        if (n < 4) continue;
        const { frames, damage } = await drainFile(next(octets.subarray(0, n)));
        assert.deepEqual(
          frames.map((f) => f.offset),
          whole.frames.slice(0, frames.length).map((f) => f.offset),
        );
        const following = whole.frames[frames.length];
        assert.ok(!following || n < following.offset + following.octets.length + 8);
        assert.ok(damage.length <= 1);
      }
    }
  });
});

describe('cut and damaged gzip', () => {
  const plain = Buffer.concat(PCAPNG);
  const packed = gzipSync(plain, { level: 1 });

  it('gives every frame before the cut, at every length', async () => {
    const whole = await drainFile(file(plain));
    let most = 0;
    for (let n = 12; n < packed.length; n++) {
      const octets = packed.subarray(0, n);
      let opened: Drained;
      try {
        opened = await drainFile(next(octets));
      } catch (error) {
        assert.match((error as { code: string }).code, /^FTT_E_(DAMAGED|EMPTY|NOT_A_CAPTURE)$/);
        continue;
      }
      const { frames, damage } = opened;
      assert.equal(damage.length, 1);
      assert.match(damage[0].message, /the gzip data is cut short at offset \d+; /);
      assert.deepEqual(frames, whole.frames.slice(0, frames.length));
      assert.ok(frames.length >= most, 'more octets never give fewer frames');
      most = frames.length;
    }
    assert.equal(most, whole.frames.length);
  });

  it('gives before wrong octets every frame that a cut there gives', async () => {
    const records = Array.from({ length: 12_000 }, (_, i) =>
      LE.pcapPacket(i, i * 7, pattern(20 + ((i * 7919) % 300), i)),
    );
    const octets = gzipSync(Buffer.concat([LE.pcapHeader(0xa1b2c3d4, 1), ...records]), { level: 1 });
    assert.ok(octets.length > 3 * 32_768, 'several pieces are decompressed');
    const chance = random(7);
    for (let round = 0; round < 12; round++) {
      const wrong = Math.floor((0.05 + 0.9 * chance()) * octets.length);
      const damaged = Buffer.from(octets).fill(0xff, wrong, wrong + 200);
      const cut = await drainFile(next(octets.subarray(0, wrong)));
      const { frames, damage } = await drainFile(next(damaged));
      assert.equal(damage.length, 1);
      assert.ok(
        cut.frames.length > 0 && frames.length >= cut.frames.length,
        `${frames.length} of ${cut.frames.length}`,
      );
      assert.equal(
        frames.slice(0, cut.frames.length).every((f, i) => f.octets.equals(cut.frames[i].octets)),
        true,
      );
    }
  });

  it('gives every frame where only the check value is wrong', async () => {
    const octets = gzipSync(plain);
    octets[octets.length - 6] ^= 1;
    const { frames, damage } = await drainFile(file(octets));
    assert.equal(frames.length, 21);
    assert.match(damage[0].message, /incorrect data check/);
  });
});

describe('wrong lengths and magics', () => {
  const head = [LE.section(), LE.description(1)];
  const cases: [string, Buffer[], RegExp][] = [
    [
      'a packet too long for pcap',
      [
        LE.pcapHeader(0xa1b2c3d4, 1),
        LE.pcapPacket(1, 1, A),
        Buffer.concat([LE.u32(1), LE.u32(1), LE.u32(4_325_376), LE.u32(5)]),
      ],
      /a packet of 4325376 octets, more than the maximum of 262144 at offset 101; 1 frame was read/,
    ],
    [
      'two pcap files in one',
      [LE.pcapHeader(0xa1b2c3d4, 1), LE.pcapPacket(1, 1, A), LE.pcapHeader(0xa1b2c3d4, 1)],
      /another pcap file begins here .* at offset 101; 1 frame/,
    ],
    [
      'an old version of pcap',
      [LE.pcapHeader(0xa1b2c3d4, 1, [1, 0])],
      /pcap version 1\.0 is unknown at offset 0; 0 frames/,
    ],
    [
      'a new version of pcapng',
      [...head, LE.packet(0, 1n, A), LE.section(-1n, [], [2, 0])],
      /pcapng version 2\.0 is unknown at offset 144; 1 frame/,
    ],
    [
      'a section without byte order',
      [...head, LE.block(0x0a0d0d0a, LE.u32(0x11223344), LE.u32(1), LE.u64(0n))],
      /unknown byte-order magic 0x11223344/,
    ],
    [
      'a packet without its interface',
      [...head, LE.packet(1, 1n, A)],
      /a block of interface 1, but the section has described 1/,
    ],
    [
      'a simple packet without any',
      [LE.section(), LE.block(3, LE.u32(4), LE.u32(0))],
      /a block of interface 0, but the section has described none/,
    ],
    ['statistics without their interface', [...head, LE.block(5, LE.u32(9), LE.u64(0n))], /a block of interface 9/],
    [
      'a block too small for its packet',
      [...head, LE.block(6, LE.u32(0), LE.u64(0n), LE.u32(500), LE.u32(500), padded(A))],
      /a block of 96 octets is too small for a packet of 500/,
    ],
    [
      'a packet too long for pcapng',
      [...head, LE.block(6, LE.u32(0), LE.u64(0n), LE.u32(300_000), LE.u32(5), Buffer.alloc(300_000))],
      /a packet of 300000 octets, more than the maximum/,
    ],
    [
      'a packet too long, and cut',
      [
        ...head,
        LE.block(6, LE.u32(0), LE.u64(0n), LE.u32(300_000), LE.u32(5), Buffer.alloc(300_000)).subarray(0, 1000),
      ],
      /a packet of 300000 octets, more than the maximum/,
    ],
    [
      'a simple packet too long',
      [...head, LE.block(3, LE.u32(300_000), Buffer.alloc(300_000))],
      /a packet of 300000 octets, more than the maximum/,
    ],
    [
      'a block shorter than its kind',
      [...head, LE.block(6, LE.u32(0))],
      /a block of 16 octets, less than the minimum of 32/,
    ],
    [
      'a block of no length',
      [...head, LE.u32(0x99), LE.u32(0), LE.u32(0)],
      /a block of 0 octets, less than the minimum of 12/,
    ],
    [
      'two lengths of an unknown block',
      [...head, LE.u32(0x99), LE.u32(16), LE.u32(0), LE.u32(20)],
      /the two lengths of a block differ \(16 and 20\)/,
    ],
    [
      'two lengths of a packet block',
      [...head, LE.packet(0, 1n, A).subarray(0, 92), LE.u32(7)],
      /the two lengths of a block differ \(96 and 7\)/,
    ],
    [
      'a block larger than any',
      [...head, LE.u32(6), LE.u32(0xffff_fff0), Buffer.alloc(100)],
      /a block of 4294967280 octets, more than the maximum of 16777216/,
    ],
    [
      'secrets larger than their block',
      [...head, LE.block(10, LE.u32(0x544c534b), LE.u32(99))],
      /too small for secrets of 99/,
    ],
  ];
  for (const [name, records, message] of cases) {
    it(name, async () => {
      for (const read of [drainFile(file(Buffer.concat(records))), drainPieces([Buffer.concat(records)])]) {
        const { damage } = await read;
        assert.equal(damage.length, 1);
        assert.match(damage[0].message, message);
      }
    });
  }

  it('of options alone do not hide the packet', async () => {
    const bad = Buffer.concat([LE.u16(1), LE.u16(5000), LE.u32(0)]);
    const { frames, damage } = await drainFile(file(Buffer.concat([...head, LE.packet(0, 1n, A, { options: [bad] })])));
    assert.deepEqual([frames.length, damage.length, frames[0].comments], [1, 0, undefined]);
  });

  it('of packets that are no multiple of four are rounded up', async () => {
    const block = LE.packet(0, 1n, A);
    block.writeUInt32LE(93, 4);
    block.writeUInt32LE(93, 92);
    const { frames, damage } = await drainFile(file(Buffer.concat([...head, block, LE.packet(0, 2n, A)])));
    assert.deepEqual([frames.length, damage.length], [2, 0]);
    assert.deepEqual(frames[0].octets, A);
  });

  it('of interfaces beyond any number end the file', async () => {
    const { damage } = await drainFile(file(Buffer.concat([LE.section(), ...Array(65_540).fill(LE.description(1))])));
    assert.match(damage[0].message, /more than 65536 interfaces/);
  });
});

describe('random octets', () => {
  it('behind a magic neither throw nor hang, and a pipe gives what a file gives', async () => {
    const chance = random(1);
    for (let round = 0; round < 300; round++) {
      const body = Buffer.from(
        Uint8Array.from({ length: Math.floor(chance() * 600) }, () => Math.floor(chance() * 256)),
      );
      const starts = [PCAP[0], MODIFIED[0], PCAPNG[0], Buffer.concat(PCAPNG.slice(0, 2))];
      const octets = Buffer.concat([starts[round % 4], body]);
      const plain = await drainFile(next(octets));
      const piped = await drainPieces([octets]);
      assert.deepEqual(essence(piped), essence(plain));
      assert.ok(plain.damage.length <= 1);
    }
  });

  it('in good files neither throw nor hang', async () => {
    const chance = random(2);
    for (let round = 0; round < 600; round++) {
      const octets = Buffer.concat([PCAP, MODIFIED, PCAPNG][round % 3] as Buffer[]);
      for (let i = 0; i <= round % 5; i++)
        octets[Math.floor(chance() * (octets.length - 4)) + 4] = Math.floor(chance() * 256);
      const { damage, frames } = await drainFile(next(octets));
      assert.ok(damage.length <= 1);
      assert.ok(frames.every((f) => f.nanos >= 0 && f.nanos < 1e9));
    }
  });

  it('are refused where no magic is', async () => {
    const chance = random(3);
    for (let round = 0; round < 300; round++) {
      const octets = Buffer.from(
        Uint8Array.from({ length: Math.floor(chance() * 40) }, () => Math.floor(chance() * 256)),
      );
      await assert.rejects(openCapture([next(octets)]), { name: 'CaptureError' });
    }
  });
});

describe('a slow pipe', () => {
  for (const [name, records] of Object.entries({ pcap: PCAP, pcapng: PCAPNG })) {
    it(`delivers what is there, one octet at a time (${name})`, async () => {
      const octets = Buffer.concat(records as Buffer[]);
      const plain = await drainFile(file(octets));
      const slow = await drainPieces(Array.from(octets, (octet) => Uint8Array.of(octet)));
      assert.deepEqual(essence(slow), essence(plain));
      assert.deepEqual(slow.damage, []);
      assert.ok(slow.chunks.length > plain.chunks.length, 'frames do not wait for a full chunk');
    });
  }

  it('keeps nothing but a window', async () => {
    const packet = LE.pcapPacket(1, 1, pattern(60_000, 1));
    let produced = 0;
    function* pieces() {
      yield LE.pcapHeader(0xa1b2c3d4, 1);
      for (; produced < 2000; produced++) yield packet;
    }
    const source = await openStream(Readable.from(pieces(), { objectMode: false }), 'pipe');
    await source.next();
    assert.ok(produced < 100, `${produced} packets were produced for the first chunk`);
    const { frames } = await drain(source);
    assert.ok(frames.length > 1900);
  });
});
