import { type CaptureFile, type CaptureInterface, type CaptureSource, Chunk, type Damage } from '../capture/chunk.js';
import type { Capture } from '../capture/source.js';
import { LIMITS } from '../limits.js';
import { BLOCK_FRAMES, FrameBlock } from './columns.js';
import type { RowsAdded } from './rows.js';

/** Where every frame lies in its file, and which TCP connection it belongs to: so that it can be read again. */
export class Frames {
  count = 0;
  /** Tunnels by the connection that they are. */
  readonly tunnels = new Map<number, number>();
  /** Numbers that flows got, in the order in which they got them: of outer frames by connection, inner by tunnel. */
  readonly outerUdp = new Map<number, number[]>();
  readonly innerUdp = new Map<number, number[]>();
  readonly innerTcp = new Map<number, number[]>();
  /** Interfaces of later sections, and of files of a rotation, with those that they go on from. */
  readonly continued = new Map<CaptureInterface, CaptureInterface>();
  private readonly blocks: FrameBlock[] = [];
  private readonly interfaces: CaptureInterface[] = [];
  private readonly comments = new Map<number, string[]>();

  constructor(private readonly severalFiles: boolean) {}

  /** Adds the frames of a chunk. */
  take(chunk: Chunk): void {
    for (let i = 0; i < chunk.count; i++) {
      const at = this.count % BLOCK_FRAMES;
      if (at === 0) this.blocks.push(new FrameBlock(this.severalFiles));
      const b = this.blocks[this.blocks.length - 1];
      b.setOffset(at, chunk.fileOffset[i]);
      b.setSeconds(at, chunk.seconds[i]);
      b.nanos[at] = chunk.nanos[i];
      if (b.number !== null) b.number[at] = chunk.number[i];
      b.cap[at] = chunk.cap[i];
      b.wire[at] = chunk.wire[i];
      b.iface[at] = this.interfaceNumber(chunk.iface[i]);
      const comments = chunk.comments.get(i);
      if (comments !== undefined) this.comments.set(this.count, comments);
      this.count++;
    }
  }

  /** What was added since the last call. */
  added(): Pick<RowsAdded, 'frames' | 'files'> {
    const frames = this.blocks.slice(this.toldBlocks).map((b) => b.memory);
    const files = this.interfaces.slice(this.toldInterfaces).map((i) => i.file);
    this.toldBlocks = this.blocks.length;
    this.toldInterfaces = this.interfaces.length;
    return { frames, files };
  }
  private toldBlocks = 0;
  private toldInterfaces = 0;

  private interfaceNumber(iface: CaptureInterface): number {
    const { interfaces } = this;
    if (interfaces[interfaces.length - 1] === iface) return interfaces.length - 1;
    const n = interfaces.lastIndexOf(iface);
    return n >= 0 ? n : interfaces.push(iface) - 1;
  }

  private block(ordinal: number): FrameBlock {
    return this.blocks[Math.floor(ordinal / BLOCK_FRAMES)];
  }

  /** The TCP connection of a frame, from 1; 0: none. */
  connection(ordinal: number): number {
    return this.block(ordinal).connection[ordinal % BLOCK_FRAMES];
  }
  setConnection(ordinal: number, connection: number): void {
    this.block(ordinal).connection[ordinal % BLOCK_FRAMES] = connection;
  }

  /** Seconds and nanoseconds of a frame. */
  time(ordinal: number): readonly [number, number] {
    const b = this.block(ordinal);
    return [b.seconds(ordinal % BLOCK_FRAMES), b.nanos[ordinal % BLOCK_FRAMES]];
  }

  /** Puts the place of a frame into a chunk; its octets will lie at `off`. */
  fill(chunk: Chunk, ordinal: number, off: number): void {
    const b = this.block(ordinal);
    const at = ordinal % BLOCK_FRAMES;
    const i = chunk.count++;
    chunk.off[i] = off;
    chunk.cap[i] = b.cap[at];
    chunk.wire[i] = b.wire[at];
    chunk.seconds[i] = b.seconds(at);
    chunk.nanos[i] = b.nanos[at];
    chunk.number[i] = b.number === null ? ordinal + 1 : b.number[at];
    chunk.fileOffset[i] = b.offset(at);
    chunk.iface[i] = this.interfaces[b.iface[at]];
    const comments = this.comments.get(ordinal);
    if (comments !== undefined) chunk.comments.set(i, comments);
  }

  /** Memory for octets that are read and copied at once: used again, for such memory is given back late. */
  scratch(octets: number): Uint8Array {
    if (octets > this.memory.length) this.memory = new Uint8Array(octets);
    return this.memory;
  }
  private memory = new Uint8Array(0);

  cap(ordinal: number): number {
    return this.block(ordinal).cap[ordinal % BLOCK_FRAMES];
  }
  /** Offset of a frame in its file. */
  offset(ordinal: number): number {
    return this.block(ordinal).offset(ordinal % BLOCK_FRAMES);
  }
  file(ordinal: number): number {
    return this.interfaces[this.block(ordinal).iface[ordinal % BLOCK_FRAMES]].file;
  }
}

/** Frames of one chunk that is read again, and octets between its first and its last. */
const CHUNK_FRAMES = 512;
/** Octets between two frames that are rather read than passed over, and octets that are read in one go. */
const NEAR = 16 << 10;
const READ = 256 << 10;

/** Which frames to read again. */
export type FrameTest = (ordinal: number) => boolean;

/** Reads frames again, those that a test takes, in their order. */
export class StoredFrames implements CaptureSource {
  readonly damage: readonly Damage[] = [];
  /** By index in the last chunk: the frame's place in the capture. */
  readonly ordinals: number[] = [];
  /** The next frame to look at. */
  at = 0;
  private readonly chunk = new Chunk(CHUNK_FRAMES);
  private buf = new Uint8Array(0);

  constructor(
    private readonly frames: Frames,
    private readonly capture: Capture,
    private readonly takes: FrameTest,
  ) {}

  get files(): readonly CaptureFile[] {
    return this.capture.files;
  }

  /** The next chunk; null where there are no more frames so far. */
  async next(): Promise<Chunk | null> {
    return this.read();
  }

  /** The same, at once. */
  read(): Chunk | null {
    const { frames, ordinals, chunk } = this;
    ordinals.length = 0;
    chunk.reset();
    let octets = 0;
    while (this.at < frames.count && ordinals.length < CHUNK_FRAMES && octets < LIMITS.chunkOctets) {
      const ordinal = this.at++;
      if (!this.takes(ordinal)) continue;
      ordinals.push(ordinal);
      octets += frames.cap(ordinal);
    }
    if (ordinals.length === 0) return null;
    if (octets > this.buf.length) this.buf = new Uint8Array(octets);
    chunk.buf = this.buf;
    let off = 0;
    for (let i = 0; i < ordinals.length; ) off = this.run(i, (i = this.runEnd(i)), off);
    return chunk;
  }

  /** The end of a run of frames that lie near each other in one file. */
  private runEnd(i: number): number {
    const { frames, ordinals } = this;
    const file = frames.file(ordinals[i]);
    const start = frames.offset(ordinals[i]);
    let end = start + frames.cap(ordinals[i]);
    for (i++; i < ordinals.length; i++) {
      const at = frames.offset(ordinals[i]);
      if (frames.file(ordinals[i]) !== file || at < end || at > end + NEAR || at > start + READ) return i;
      end = at + frames.cap(ordinals[i]);
    }
    return i;
  }

  /** Reads frames `from` to `to` of the chunk to `off`; returns where they end. */
  private run(from: number, to: number, off: number): number {
    const { frames, ordinals, capture } = this;
    const start = frames.offset(ordinals[from]);
    const end = frames.offset(ordinals[to - 1]) + frames.cap(ordinals[to - 1]);
    const octets = capture.octets(frames.file(ordinals[from]), start, end - start, frames.scratch(end - start));
    for (let i = from; i < to; i++) {
      const at = frames.offset(ordinals[i]) - start;
      this.buf.set(octets.subarray(at, at + frames.cap(ordinals[i])), off);
      frames.fill(this.chunk, ordinals[i], off);
      off += frames.cap(ordinals[i]);
    }
    return off;
  }

  async close(): Promise<void> {}
}
