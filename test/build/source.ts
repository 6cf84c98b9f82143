/** Captures that are no file: frames straight from memory. */

import { type CaptureFile, type CaptureInterface, type CaptureSource, Chunk } from '../../src/capture/chunk.js';

/** A frame; `wire` octets of it were on the wire (all, if nothing is said). Frames are a millisecond apart. */
export interface RawFrame {
  readonly octets: Uint8Array;
  readonly wire?: number;
  /** What stands behind it in the memory of the reader. */
  readonly behind?: Uint8Array;
}

const CHUNK = 512;
const NOTHING = new Uint8Array(0);

/** Delivers frames as they are asked for. Their octets are copied into a buffer that is used again, as a file's are. */
export class FrameSource implements CaptureSource {
  readonly damage = [];
  readonly files: readonly CaptureFile[];
  private readonly iface: CaptureInterface;
  private readonly chunk = new Chunk(CHUNK);
  private readonly frames: Iterator<RawFrame>;
  private count = 0;

  /** @param link LINKTYPE number */
  constructor(frames: Iterable<RawFrame>, link: number) {
    this.frames = frames[Symbol.iterator]();
    this.iface = { file: 1, index: 0, link, snaplen: 0 };
    const file = { id: 1, name: 'memory', format: 'memory', interfaces: [this.iface], comments: [] };
    this.files = [{ ...file, read: 0, frames: 0, ended: false }];
  }

  async next(): Promise<Chunk | null> {
    const { chunk } = this;
    chunk.reset();
    const taken: RawFrame[] = [];
    let octets = 0;
    while (taken.length < CHUNK) {
      const { value, done } = this.frames.next();
      if (done) break;
      taken.push(value);
      octets += value.octets.length + (value.behind?.length ?? 0);
    }
    if (taken.length === 0) return null;
    if (chunk.buf.length < octets) chunk.buf = new Uint8Array(2 * octets);
    let off = 0;
    for (const { octets, wire, behind = NOTHING } of taken) {
      const i = chunk.count++;
      chunk.buf.set(octets, off);
      chunk.off[i] = off;
      chunk.cap[i] = octets.length;
      chunk.wire[i] = wire ?? octets.length;
      chunk.seconds[i] = 1_700_000_000 + Math.floor(this.count / 1000);
      chunk.nanos[i] = (this.count % 1000) * 1_000_000;
      chunk.number[i] = ++this.count;
      chunk.iface[i] = this.iface;
      chunk.buf.set(behind, off + octets.length);
      off += octets.length + behind.length;
    }
    return chunk;
  }

  async close(): Promise<void> {}
}
