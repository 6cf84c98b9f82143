import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { treeText } from '../../src/report/text.js';
import { FrameSource, type RawFrame } from '../build/source.js';
import { random } from '../capture/support.js';
import { forSource } from '../support/rows.js';
import { type Kind, kinds } from './packets.js';

/** Where the IP header of a packet starts. */
const IP_AT: Readonly<Record<number, number>> = { 1: 14, 101: 0, 113: 16, 276: 20 };

/** A copy that comes from another address than the others, so that it belongs to a flow of its own. */
function elsewhere({ octets, link }: Kind, n: number): Uint8Array {
  const b = Uint8Array.from(octets);
  const ip = IP_AT[link]!;
  const at = b[ip]! >> 4 === 4 ? ip + 14 : ip + 22;
  if (at + 2 <= b.length) b.set([n >> 8, n & 255], at);
  return b;
}

/** Processor time of this process in seconds: other work on the machine does not count. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** So many rows are timed together: to ask for the time costs as much as a row. */
const TIMED = 64;

/** Reads frames with everything that a row can show; no dissector may fault, and no packet may take long. */
async function reads(frames: Iterable<RawFrame>, link: number, name: string): Promise<number> {
  let rows = 0;
  let before = spent();
  const timed = (frame: number): void => {
    const now = spent();
    assert.ok(now - before < 2, `${name}, up to frame ${frame}: ${now - before} s`);
    before = now;
  };
  await forSource(new FrameSource(frames, link), {}, (row) => {
    rows++;
    row.dissection.info();
    if (rows % 16 === 0) treeText(row);
    if (rows % TIMED === 0) timed(row.frame);
  });
  timed(rows);
  return rows;
}

const all = kinds();

describe('packets that are not whole', () => {
  test('every kind of packet, cut at every length: as by a snaplen, and on the wire', async () => {
    for (const kind of await all) {
      const { length } = kind.octets;
      const frames: RawFrame[] = [];
      for (let n = 0; n <= length; n++) {
        frames.push({ octets: elsewhere(kind, 2 * n).subarray(0, n), wire: length });
        frames.push({ octets: elsewhere(kind, 2 * n + 1).subarray(0, n) });
      }
      assert.equal(await reads(frames, kind.link, kind.name), frames.length);
    }
  });

  test('what stands behind a packet in memory is not read', async () => {
    const stacks = new Map((await all).map((kind) => [kind.name.split(' ')[0], kind]));
    for (const kind of stacks.values()) {
      const { link, name } = kind;
      const octets = kind.octets.subarray(0, 400);
      const seen = async (behind: (n: number) => Uint8Array): Promise<string[]> => {
        const frames = Array.from({ length: octets.length }, (_, n) => ({
          octets: elsewhere(kind, n).subarray(0, n),
          behind: behind(n),
        }));
        const rows: string[] = [];
        await forSource(new FrameSource(frames, link), { labels: true }, (row) => {
          rows.push(`${row.dissection.info()}\n${treeText(row)}`);
        });
        return rows;
      };
      const zeros = await seen(() => new Uint8Array(64));
      for (const other of [await seen(() => new Uint8Array(64).fill(0x31)), await seen((n) => octets.subarray(n))])
        other.forEach((text, n) => {
          if (text !== zeros[n]) assert.equal(text, zeros[n], `${name}, the first ${n} octets`);
        });
    }
  });

  test('every kind of packet with octets changed', async () => {
    const next = random(24_322);
    for (const kind of await all) {
      const frames = Array.from({ length: 150 }, (_, i) => {
        const octets = elsewhere(kind, i);
        const from = IP_AT[kind.link]! + (i % 3 === 0 ? 0 : 20);
        const changes = 1 + Math.floor(next() ** 2 * 12);
        for (let k = 0; k < changes; k++) octets[from + Math.floor(next() * (octets.length - from))] = value(next);
        return { octets };
      });
      await reads(frames, kind.link, kind.name);
    }
  });
});

/** An octet, often one that lengths and counts fear. */
function value(next: () => number): number {
  return next() < 0.5 ? [0, 1, 0x7f, 0x80, 0xff, 0x0d, 0x0a, 0x20][Math.floor(next() * 8)]! : Math.floor(next() * 256);
}
