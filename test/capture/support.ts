/** Capture files laid out octet by octet, and what a source makes of them. */

import { ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { CaptureInterface, CaptureSource, Damage } from '../../src/capture/chunk.js';
import { openCapture } from '../../src/capture/open.js';
import { openStream } from '../support/stream.js';

/** Folder of the captures that tests compare with tshark; they are not part of the project. */
export const CORPUS = resolve(process.env.FTTSCOPE_CORPUS ?? '../shared/captures');

/** A folder for the files of one test file, removed when the process ends. */
export const scratch = mkdtempSync(join(tmpdir(), 'fttscope-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

let files = 0;
/** Writes octets to a file of its own and returns the path. */
export function file(octets: Uint8Array, name = `capture-${files++}`): string {
  const path = join(scratch, name);
  writeFileSync(path, octets);
  return path;
}

const again = join(scratch, 'again');
let againFd = -1;
/** As {@link file}, for thousands of captures: each takes the place of the one before it. */
export function next(octets: Uint8Array): string {
  if (againFd < 0) againFd = openSync(again, 'w');
  writeSync(againFd, octets, 0, octets.length, 0);
  ftruncateSync(againFd, octets.length);
  return again;
}

export interface Frame {
  file: number;
  number: number;
  seconds: number;
  nanos: number;
  wire: number;
  octets: Buffer;
  offset: number;
  iface: CaptureInterface;
  comments?: string[];
  flags?: number;
}

export interface Drained {
  frames: Frame[];
  secrets: string[];
  damage: readonly Damage[];
  /** Frames of each chunk. */
  chunks: number[];
  source: CaptureSource;
}

/** Copies every frame out of a source and closes it. */
export async function drain(source: CaptureSource): Promise<Drained> {
  const frames: Frame[] = [];
  const secrets: string[] = [];
  const chunks: number[] = [];
  for (let chunk = await source.next(); chunk; chunk = await source.next()) {
    chunks.push(chunk.count);
    secrets.push(...chunk.secrets);
    for (let i = 0; i < chunk.count; i++) {
      const octets = Buffer.from(chunk.buf.subarray(chunk.off[i], chunk.off[i] + chunk.cap[i]));
      const frame: Frame = {
        file: chunk.iface[i].file,
        number: chunk.number[i],
        seconds: chunk.seconds[i],
        nanos: chunk.nanos[i],
        wire: chunk.wire[i],
        octets,
        offset: chunk.fileOffset[i],
        iface: chunk.iface[i],
      };
      const comments = chunk.comments.get(i);
      if (comments) frame.comments = comments;
      const flags = chunk.flags.get(i);
      if (flags !== undefined) frame.flags = flags;
      frames.push(frame);
    }
  }
  const { damage } = source;
  await source.close();
  return { frames, secrets, damage, chunks, source };
}

export const drainFile = async (path: string): Promise<Drained> => drain(await openCapture([path]));

/** Reads octets as a pipe delivers them: in the pieces given. */
export async function drainPieces(pieces: Iterable<Uint8Array>): Promise<Drained> {
  return drain(await openStream(Readable.from(pieces, { objectMode: false }), 'a pipe'));
}

/** Lays out numbers in one byte order. */
export class Octets {
  constructor(readonly little: boolean) {}
  u16(v: number): Buffer {
    const b = Buffer.alloc(2);
    this.little ? b.writeUInt16LE(v) : b.writeUInt16BE(v);
    return b;
  }
  u32(v: number): Buffer {
    const b = Buffer.alloc(4);
    this.little ? b.writeUInt32LE(v) : b.writeUInt32BE(v);
    return b;
  }
  u64(v: bigint): Buffer {
    const b = Buffer.alloc(8);
    this.little ? b.writeBigUInt64LE(BigInt.asUintN(64, v)) : b.writeBigUInt64BE(BigInt.asUintN(64, v));
    return b;
  }
  pcapHeader(magic: number, link: number, version: [number, number] = [2, 4]): Buffer {
    const { u16, u32 } = this.bound();
    return Buffer.concat([u32(magic), u16(version[0]), u16(version[1]), u32(0), u32(0), u32(65_535), u32(link)]);
  }
  pcapPacket(seconds: number, part: number, octets: Uint8Array, wire = octets.length, extra = 0): Buffer {
    const { u32 } = this.bound();
    return Buffer.concat([u32(seconds), u32(part), u32(octets.length), u32(wire), Buffer.alloc(extra, 0x55), octets]);
  }
  option(code: number, value: Uint8Array | string): Buffer {
    const octets = Buffer.from(value as Uint8Array);
    return Buffer.concat([this.u16(code), this.u16(octets.length), padded(octets)]);
  }
  block(type: number, ...body: Uint8Array[]): Buffer {
    const b = Buffer.concat(body);
    const total = this.u32(12 + b.length);
    return Buffer.concat([this.u32(type), total, b, total]);
  }
  section(length = -1n, options: Uint8Array[] = [], version: [number, number] = [1, 0]): Buffer {
    const { u16, u32 } = this.bound();
    const head = [u32(0x1a2b3c4d), u16(version[0]), u16(version[1]), this.u64(length)];
    return this.block(0x0a0d0d0a, ...head, ...options);
  }
  description(link: number, snaplen = 0, options: Uint8Array[] = []): Buffer {
    return this.block(1, this.u16(link), this.u16(0), this.u32(snaplen), ...options);
  }
  packet(
    iface: number,
    ticks: bigint,
    octets: Uint8Array,
    more: { wire?: number; options?: Uint8Array[] } = {},
  ): Buffer {
    const high = Number(BigInt.asUintN(64, ticks) >> 32n);
    const low = Number(ticks & 0xffff_ffffn);
    const fixed = [iface, high, low, octets.length, more.wire ?? octets.length].map((n) => this.u32(n));
    return this.block(6, ...fixed, padded(octets), ...(more.options ?? []));
  }
  private bound() {
    return { u16: this.u16.bind(this), u32: this.u32.bind(this) };
  }
}

/** Octets and zeros up to a multiple of four. */
export function padded(octets: Uint8Array): Buffer {
  return Buffer.concat([octets, Buffer.alloc(-octets.length & 3)]);
}

export const LE = new Octets(true);
export const BE = new Octets(false);

/** `n` octets that depend on `seed`. */
export function pattern(n: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: n }, (_, i) => (i * 31 + seed * 17) & 255));
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What of a drained capture must be the same however its octets arrive. */
export function essence(d: Drained): unknown {
  return { frames: d.frames.map(({ iface, ...rest }) => ({ ...rest, link: iface.link })), secrets: d.secrets };
}
