/** Whole captures from parts: see {@link CaptureBuilder}. */

import { concat } from 'fttscope/kit';
import { LE, random } from '../capture/support.js';
import { Connection, type ConnectionOptions, type Segment } from './connection.js';
import type { Conversation, Side } from './conversation.js';
import { frame as framed, LINKTYPES, type Link } from './link.js';
import { fragments } from './packets.js';
import { type InnerTruth, truthOf } from './truth.js';

/** A frame of a capture, with what of a connection it carries. */
export interface Frame {
  readonly octets: Uint8Array;
  /** Octets on the wire, where the snaplen cut it. */
  readonly wire: number;
  /** Nanoseconds since the start of the capture. */
  readonly time: number;
  /** Number of its interface. */
  readonly iface: number;
  /** Who sent it. */
  readonly side: Side;
  readonly connection: Connection | null;
  readonly segment: Segment | null;
  /** Octets of TCP payload at its end. */
  readonly payload: number;
  /** Fragments that its IP datagram was sent in, and which of them it is. */
  readonly fragments: number;
  readonly fragment: number;
}

/** Makes of the frames that pass the place of capture those that are in the file. */
export type Shaper = (frames: readonly Frame[], next: () => number) => Frame[];

export interface CaptureOptions {
  /** Link layer of each interface; a connection is seen at the first unless it says otherwise. */
  readonly link?: Link;
  /** For the shapers. */
  readonly seed?: number;
  readonly shape?: readonly Shaper[];
  /** Whether the key log stands in a Decryption Secrets Block at the start of the file. */
  readonly secrets?: boolean;
  /** Seconds since the epoch at which it starts. */
  readonly epoch?: number;
}

/** A capture and what is known about it. */
export interface Built {
  /** A pcapng file. */
  readonly octets: Uint8Array;
  /** Key logs of all conversations. */
  readonly keylog: string;
  readonly frames: readonly Frame[];
  readonly connections: readonly Connection[];
  /** By connection, in the order of the streams of each side: see {@link InnerTruth}. */
  readonly truth: readonly (readonly InnerTruth[])[];
}

/**
 * Lays out captures. Connections and packets are added in any order; times put their frames in order. What a file then
 * has of them is decided by shapers.
 */
export class CaptureBuilder {
  private readonly frames: Frame[] = [];
  private readonly connections: Connection[] = [];
  private id = 0;

  constructor(readonly options: CaptureOptions = {}) {}

  /** Adds a TCP connection. */
  connection(conversation: Conversation, o: ConnectionOptions): this {
    const connection = new Connection(conversation, o);
    this.connections.push(connection);
    for (const segment of connection.segments) {
      const packet = connection.packet(segment, ++this.id);
      const parts = o.fragment === undefined ? [packet] : fragments(packet, o.fragment, this.id);
      const payload = segment.to - segment.from;
      parts.forEach((octets, fragment) => {
        const { time, side } = segment;
        this.add(octets, { time, side, connection, segment, payload, fragments: parts.length, fragment });
      });
    }
    return this;
  }

  /** Adds a packet of its own. */
  packet(octets: Uint8Array, ms: number, side: Side = 0): this {
    const none = { connection: null, segment: null, payload: 0, fragments: 1, fragment: 0 };
    this.add(octets, { time: ms * 1e6, side, ...none });
    return this;
  }

  private add(packet: Uint8Array, rest: Omit<Frame, 'octets' | 'wire' | 'iface'>): void {
    const octets = framed(this.options.link ?? 'ethernet', packet, rest.side);
    this.frames.push({ octets, wire: octets.length, iface: 0, ...rest });
  }

  build(): Built {
    const { options: o } = this;
    const next = random(o.seed ?? 1);
    let frames = [...this.frames].sort((a, b) => a.time - b.time);
    for (const shape of o.shape ?? []) frames = shape(frames, next);
    const keylog = this.connections.map((c) => c.conversation.keylog).join('');
    return {
      octets: pcapng(frames, o, keylog),
      keylog,
      frames,
      connections: this.connections,
      truth: truthOf(frames, this.connections),
    };
  }
}

function pcapng(frames: readonly Frame[], o: CaptureOptions, keylog: string): Uint8Array {
  const interfaces = frames.reduce((n, f) => Math.max(n, f.iface + 1), 1);
  const nanoseconds = LE.option(9, Uint8Array.of(9)); // if_tsresol
  const link = LINKTYPES[o.link ?? 'ethernet'];
  const blocks: Uint8Array[] = [LE.section()];
  for (let i = 0; i < interfaces; i++) blocks.push(LE.description(link, 0, [nanoseconds, LE.option(0, '')]));
  if (o.secrets) {
    const octets = Buffer.from(keylog);
    blocks.push(LE.block(10, LE.u32(0x544c534b), LE.u32(octets.length), octets, Buffer.alloc(-octets.length & 3)));
  }
  const epoch = BigInt(o.epoch ?? 1_700_000_000) * 1_000_000_000n;
  for (const f of frames)
    blocks.push(LE.packet(f.iface, epoch + BigInt(Math.round(f.time)), f.octets, { wire: f.wire }));
  return concat(blocks);
}
