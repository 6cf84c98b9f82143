import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { CaptureError } from '../../src/capture/errors.js';
import { random } from '../capture/support.js';
import { forSource } from '../support/rows.js';
import { openStream } from '../support/stream.js';
import { samples } from './packets.js';

/** A block or packet record of a file. */
interface Block {
  readonly end: number;
  /** Frames up to here. */
  readonly frames: number;
}

/** The blocks or packet records of a little-endian file. */
function blocks(b: Buffer): Block[] {
  const out: Block[] = [];
  const pcapng = b.readUInt32LE(0) === 0x0a0d0d0a;
  let frames = 0;
  for (let off = pcapng ? 0 : 24; off + 16 <= b.length; ) {
    if (!pcapng || b.readUInt32LE(off) === 6) frames++;
    off += pcapng ? b.readUInt32LE(off + 4) : 16 + b.readUInt32LE(off + 8);
    out.push({ end: off, frames });
  }
  return out;
}

/** What the rows of a file say, as far as it can be read. */
async function rowsOf(octets: Uint8Array, keylog: readonly string[]): Promise<string[]> {
  const rows: string[] = [];
  try {
    const source = await openStream(Readable.from([octets], { objectMode: false }), 'cut');
    await forSource(source, { keylog }, (row) => {
      const { dissection } = row;
      rows.push(`${row.id} ${dissection.protocols.join(':')} ${dissection.info()} ${row.codes()}`);
    });
  } catch (e) {
    if (!(e instanceof CaptureError)) throw e;
  }
  return rows;
}

/** Without the rows that only the end of the capture sets free: the first of them says that something is missing. */
function before(rows: readonly string[], frames: number): readonly string[] {
  const free = rows.findIndex((row) => Number.parseInt(row, 10) === frames && /^\d+\.\d+ .*capture\.gap/.test(row));
  return free < 0 ? rows : rows.slice(0, free);
}

describe('a sample that ends early gives the rows of its frames, and no others', () => {
  const next = random(24_322);
  for (const { path, keylog } of samples())
    test(basename(path), async () => {
      const whole = readFileSync(path);
      const rows = await rowsOf(whole, keylog);
      const list = blocks(whole);
      const place = (n: number): number => Math.floor(next() * n);
      // The first is near: there each octet of what frames a block is tried.
      const chosen = [list[place(list.length)]!, list[place(list.length)]!, list[list.length - 1]!];
      const places = [-3, -2, -1, 0, 1, 2, 3].map((d) => list[0]!.end + d);
      places.push(...chosen.flatMap(({ end }) => [-1, 0, 1].map((d) => end + d)));
      for (let i = 0; i < 5; i++) places.push(place(whole.length));
      for (const at of places) {
        const cut = await rowsOf(whole.subarray(0, at), keylog);
        const frames = list.findLast((b) => b.end <= at)?.frames ?? 0;
        assert.equal(Number.parseInt(cut[cut.length - 1] ?? '0', 10), frames, `cut at ${at}`);
        const shown = before(cut, frames);
        assert.deepEqual(shown, rows.slice(0, shown.length), `cut at ${at}`);
      }
    });
});
