import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openCapture } from '../../src/capture/open.js';
import { drain, drainFile, file, LE, padded, pattern, random } from './support.js';

/** A pcap file with frames at these milliseconds; the octets tell file and place. */
function at(id: number, times: readonly number[], size = 20): string {
  const packets = times.map((ms, i) =>
    LE.pcapPacket(
      1000 + Math.floor(ms / 1000),
      (ms % 1000) * 1000,
      Buffer.concat([Buffer.from([id]), pattern(size, i)]),
    ),
  );
  return file(Buffer.concat([LE.pcapHeader(0xa1b2c3d4, 1), ...packets]));
}

const merged = async (paths: string[]) => drain(await openCapture(paths));
const md5 = (octets: Buffer) => createHash('md5').update(octets).digest('hex');
const ms = (f: { seconds: number; nanos: number }) => (f.seconds - 1000) * 1000 + f.nanos / 1e6;

describe('several captures', () => {
  it('come by time, and in the order given where times are equal', async () => {
    const { frames, source } = await merged([at(1, [0, 10, 20, 30]), at(2, [5, 10, 30, 40]), at(3, [10, 12])]);
    assert.deepEqual(
      frames.map((f) => [ms(f), f.file, f.number]),
      [
        [0, 1, 1],
        [5, 2, 1],
        [10, 1, 2],
        [10, 2, 2],
        [10, 3, 1],
        [12, 3, 2],
        [20, 1, 3],
        [30, 1, 4],
        [30, 2, 3],
        [40, 2, 4],
      ],
    );
    assert.ok(frames.every((f) => f.octets[0] === f.file && f.iface.file === f.file));
    assert.deepEqual(
      source.files.map((f) => [f.id, f.frames]),
      [
        [1, 4],
        [2, 4],
        [3, 2],
      ],
    );
  });

  it('keep the order of each file where its times go backwards', async () => {
    const { frames } = await merged([at(1, [50, 10, 60]), at(2, [20, 55])]);
    assert.deepEqual(
      frames.map((f) => [f.file, ms(f)]),
      [
        [2, 20],
        [1, 50],
        [1, 10],
        [2, 55],
        [1, 60],
      ],
    );
  });

  it('put frames without a time behind the one before them', async () => {
    const simple = LE.block(3, LE.u32(4), padded(Buffer.from('none')));
    const octets = [LE.section(), LE.description(1), LE.packet(0, 1_000_020_000n, pattern(4, 1)), simple];
    const { frames } = await merged([at(1, [10, 30]), file(Buffer.concat(octets))]);
    assert.deepEqual(
      frames.map((f) => f.file),
      [1, 2, 2, 1],
    );
  });

  it('give every frame once, with its own number, comments, flags and secrets', async () => {
    const next = random(5);
    const options = [LE.option(1, 'note'), LE.option(2, LE.u32(1)), LE.u32(0)];
    const paths: string[] = [];
    const expected: unknown[] = [];
    for (let id = 1; id <= 5; id++) {
      const records = [
        LE.section(),
        LE.block(10, LE.u32(0x544c534b), LE.u32(4), Buffer.from(`KEY${id}`)),
        LE.description(1),
      ];
      let ticks = 0;
      for (let i = 1; i <= 3000; i++) {
        ticks += Math.floor(next() * 1000);
        const octets = pattern(Math.floor(next() * 1500), i + id);
        records.push(LE.packet(0, BigInt(ticks), octets, i % 100 === 0 ? { options } : {}));
      }
      const plain = Buffer.concat(records);
      paths.push(file(id === 3 ? gzipSync(plain, { level: 1 }) : plain));
    }
    for (const [i, path] of paths.entries()) {
      const alone = await drainFile(path);
      for (const { iface, ...frame } of alone.frames)
        expected.push({ ...frame, octets: md5(frame.octets), file: i + 1, link: iface.link });
    }
    const together = await merged(paths);
    const key = (f: { seconds: number; nanos: number; file: number; number: number }) => [
      f.seconds,
      f.nanos,
      f.file,
      f.number,
    ];
    const sorted = (expected as Parameters<typeof key>[0][]).toSorted((a, b) => {
      const [x, y] = [key(a), key(b)];
      const i = x.findIndex((v, j) => v !== y[j]);
      return i < 0 ? 0 : x[i] - y[i];
    });
    const got = together.frames.map(({ iface, ...frame }) => ({
      ...frame,
      octets: md5(frame.octets),
      link: iface.link,
    }));
    assert.equal(got.length, 15_000);
    for (const [i, frame] of got.entries()) assert.deepEqual(frame, sorted[i]);
    assert.deepEqual(together.secrets.toSorted(), ['KEY1', 'KEY2', 'KEY3', 'KEY4', 'KEY5']);
    assert.ok(together.chunks[0] < together.chunks[1], 'the first chunk is small');
  });

  it('report the damage of each and go on with the others', async () => {
    const cut = LE.pcapPacket(1, 1, pattern(50, 1)).subarray(0, 40);
    const broken = file(Buffer.concat([LE.pcapHeader(0xa1b2c3d4, 1), cut]));
    const { frames, damage } = await merged([at(1, [1, 2]), broken, at(3, [3])]);
    assert.equal(frames.length, 3);
    assert.deepEqual(
      damage.map((d) => [d.file, d.offset]),
      [[2, 24]],
    );
  });

  it('may be more than are kept open, with the largest frames', async () => {
    const paths = Array.from({ length: 150 }, (_, i) => at(i & 255, [i, 500 - i], i % 50 === 7 ? 262_143 : 30));
    const source = await openCapture(paths);
    const { frames } = await drain(source);
    assert.equal(frames.length, 300);
    assert.ok(frames.every((f, i) => i === 0 || ms(f) >= ms(frames[i - 1])));
  });
});
