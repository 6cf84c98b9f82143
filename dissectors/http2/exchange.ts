import { concat, LIMITS, type Track, u8, u24, u32, type View } from 'fttscope/kit';
import { type HeaderField, HeaderReader } from './hpack.js';

/*
 * What the frames of a connection say of one another: header blocks go on in CONTINUATION frames and are compressed over
 * the whole connection, bodies go on in DATA frames. RFC 9113 §4.3, §8.1
 */
/** Octets before a frame. RFC 9113 §4.1 */
export const HEADER = 9;
/** Types of frames that are looked into. RFC 9113 §6 */
export const Type = {
  ...{ Data: 0, Headers: 1, Settings: 4, PushPromise: 5, Ping: 6, WindowUpdate: 8, Continuation: 9 },
} as const;
/** Their flags. */
const Flag = { EndStream: 1, EndHeaders: 4, Padded: 8, Priority: 0x20 } as const;
const PRIORITY_OCTETS = 5;
const PROMISED_OCTETS = 4;

/** A body, and what the headers before it say of it. */
export interface Body {
  /** Media type in lower case, and its parameters. */
  readonly type: string;
  readonly parameters: string;
  /** Content coding in lower case, '' if none. */
  readonly coding: string;
  /** Absent where the frame at hand carries all of it. */
  readonly octets?: Uint8Array;
}

/** What is known about a frame. */
export interface FrameNote {
  readonly fields?: readonly HeaderField[];
  /** The body that ends with it. */
  readonly body?: Body;
}

/** Where the content of a frame stands, without padding and priority. RFC 9113 §6.1, §6.2, §6.6 */
export function contentOf(v: View): { readonly off: number; readonly end: number } {
  const { buf, off } = v;
  const type = u8(buf, off + 3);
  const flags = u8(buf, off + 4);
  let start = off + HEADER;
  let end = Math.min(v.end, start + u24(buf, off));
  const mayBePadded = type === Type.Data || type === Type.Headers || type === Type.PushPromise;
  if (mayBePadded && (flags & Flag.Padded) !== 0 && start < end) {
    end -= u8(buf, start);
    start++;
  }
  if (type === Type.Headers && (flags & Flag.Priority) !== 0) start += PRIORITY_OCTETS;
  if (type === Type.PushPromise) start += PROMISED_OCTETS;
  return { off: start, end: Math.max(start, end) };
}

const named = (fields: readonly HeaderField[], name: string): string => fields.find(([n]) => n === name)?.[1] ?? '';

/** What the headers of a message say of its body. */
function describe(fields: readonly HeaderField[]): Omit<Body, 'octets'> {
  const [type, ...parameters] = named(fields, 'content-type').split(';');
  const coding = named(fields, 'content-encoding').trim().toLowerCase();
  return { type: type.trim().toLowerCase(), parameters: parameters.join(';').trim(), coding };
}

/** A body that goes on. */
interface Open {
  readonly about: Omit<Body, 'octets'>;
  readonly parts: Uint8Array[];
  octets: number;
}

/** One direction of a connection. */
export class Sender {
  private readonly reader = new HeaderReader();
  /** The header block under way. */
  private block: Uint8Array[] = [];
  private blockOctets = 0;
  /** Whether the frame that began it ends its stream. */
  private endsStream = false;
  /** By stream. */
  private readonly bodies = new Map<number, Open>();
  private bodyOctets = 0;

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return (this.reader.size + this.blockOctets + this.bodyOctets) >> 8;
  }

  /** Takes in a frame. */
  see(v: View, cx: Track): FrameNote | undefined {
    const { buf, off } = v;
    const type = u8(buf, off + 3);
    const flags = u8(buf, off + 4);
    const stream = u32(buf, off + 5) & 0x7fffffff;
    if (type === Type.Data) return this.data(v, stream, (flags & Flag.EndStream) !== 0, cx);
    if (type === Type.Headers || type === Type.PushPromise) {
      this.block = [];
      this.blockOctets = 0;
      this.endsStream = type === Type.Headers && (flags & Flag.EndStream) !== 0;
    } else if (type !== Type.Continuation) return undefined;
    const content = contentOf(v);
    this.blockOctets += content.end - content.off;
    if (this.blockOctets > LIMITS.headerBlockOctets) {
      cx.capped('headerBlockOctets');
      return undefined;
    }
    this.block.push(buf.slice(content.off, content.end));
    return (flags & Flag.EndHeaders) === 0 ? undefined : this.headers(stream, type === Type.PushPromise, cx);
  }

  private headers(stream: number, isPromise: boolean, cx: Track): FrameNote | undefined {
    const fields = this.reader.read(concat(this.block));
    this.block = [];
    this.blockOctets = 0;
    if (fields === undefined) return undefined;
    if (this.reader.isCut) cx.capped('headerListOctets');
    if (isPromise) return { fields };
    const open = this.bodies.get(stream);
    if (this.endsStream) {
      // Trailers, or a message without a body.
      this.close(stream);
      return open === undefined || open.octets === 0 ? { fields } : { fields, body: bodyOf(open) };
    }
    const about = describe(fields);
    if (about.type === '') return { fields };
    if (this.bodies.size >= LIMITS.httpStreams) {
      cx.capped('httpStreams');
      this.close(this.bodies.keys().next().value!);
    }
    this.close(stream);
    this.bodies.set(stream, { about, parts: [], octets: 0 });
    return { fields };
  }

  private close(stream: number): void {
    this.bodyOctets -= this.bodies.get(stream)?.octets ?? 0;
    this.bodies.delete(stream);
  }

  private data(v: View, stream: number, isLast: boolean, cx: Track): FrameNote | undefined {
    const open = this.bodies.get(stream);
    if (open === undefined) return undefined;
    const content = contentOf(v);
    const n = content.end - content.off;
    if (isLast && open.octets === 0) {
      this.close(stream);
      return n === 0 ? undefined : { body: open.about };
    }
    if (this.bodyOctets + n > LIMITS.messageOctets) {
      cx.capped('messageOctets');
      this.close(stream);
      return undefined;
    }
    if (n > 0) open.parts.push(v.buf.slice(content.off, content.end));
    open.octets += n;
    this.bodyOctets += n;
    if (!isLast) return undefined;
    this.close(stream);
    return { body: bodyOf(open) };
  }
}

const bodyOf = ({ about, parts }: Open): Body => ({ ...about, octets: concat(parts) });
