import { createHash } from 'node:crypto';
import { TcpNote } from '../../dissectors/tcp/note.js';
import { Peek } from '../../src/kit/index.js';
import type { StreamConsumer, TcpStream } from '../../src/stream/tcp.js';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

/** A segment as a test writes it down. */
export interface Sent {
  readonly direction: 0 | 1;
  readonly seq: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  /** Octets of the payload on the wire, where the snaplen cut it. */
  readonly wire?: number;
  readonly window?: number;
  readonly options?: Uint8Array;
  /** Seconds. */
  readonly time?: number;
  readonly frame?: number;
}

const NOTHING = new Uint8Array(0);

/** The octets of a segment, ports 1000 and 2000. */
export function segmentOctets(s: Sent): Uint8Array {
  const { payload = NOTHING, options = NOTHING } = s;
  const b = new Uint8Array(20 + options.length + payload.length);
  const d = new DataView(b.buffer);
  d.setUint16(0, s.direction === 0 ? 1000 : 2000);
  d.setUint16(2, s.direction === 0 ? 2000 : 1000);
  d.setUint32(4, s.seq >>> 0);
  d.setUint32(8, (s.ack ?? 0) >>> 0);
  d.setUint16(12, ((20 + options.length) << 10) | (s.flags ?? ACK));
  d.setUint16(14, s.window ?? 1000);
  b.set(options, 20);
  b.set(payload, 20 + options.length);
  return b;
}

/** Gives a segment to a stream, in a buffer that is overwritten afterwards. */
export function give(stream: TcpStream, s: Sent, note: TcpNote | null = null): boolean {
  const b = segmentOctets(s);
  const p = new Peek();
  p.buf = b;
  p.header = 0;
  p.off = 20 + (s.options?.length ?? 0);
  p.end = b.length;
  p.wireEnd = p.off + (s.wire ?? p.end - p.off);
  p.seq = s.seq >>> 0;
  p.ack = (s.ack ?? 0) >>> 0;
  p.flags = s.flags ?? ACK;
  p.window = s.window ?? 1000;
  const time = s.time ?? 0;
  const taken = stream.segment(s.direction, p, s.frame ?? 1, Math.floor(time), Math.round((time % 1) * 1e9), note);
  b.fill(0xee);
  return taken;
}

/** What a consumer was given, by direction: octets, with the gaps between them. */
export class Log implements StreamConsumer {
  readonly parts: [(string | Uint8Array)[], (string | Uint8Array)[]] = [[], []];
  readonly frames: number[] = [];

  data(direction: 0 | 1, buf: Uint8Array, off: number, end: number, frame: number): void {
    this.parts[direction].push(buf.slice(off, end));
    this.frames.push(frame);
  }
  gap(direction: 0 | 1, octets: number): void {
    this.parts[direction].push(`gap ${octets}`);
  }
  close(direction: 0 | 1, how: 'fin' | 'rst'): void {
    this.parts[direction].push(how);
  }

  /** Octets run together as Latin-1, gaps and ends in brackets: `ab[gap 3]c[fin]`. */
  text(direction: 0 | 1): string {
    return this.parts[direction]
      .map((p) => (typeof p === 'string' ? `[${p}]` : Buffer.from(p).toString('latin1')))
      .join('');
  }

  /** The same, where there may be much of it. */
  hash(direction: 0 | 1): string {
    return createHash('sha256').update(this.text(direction), 'latin1').digest('hex');
  }
}

export const ascii = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'latin1'));

/** A fresh note; notes are for one segment each. */
export const note = (): TcpNote => new TcpNote();
