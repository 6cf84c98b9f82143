import { equalBytes, LIMITS, type Track, u8, u16, u24 } from 'fttscope/kit';
import { HANDSHAKE_HEADER } from './handshake.js';

/** A handshake message whose last part ends in a datagram. */
export interface Whole {
  /** Offset of that part in the datagram. */
  readonly at: number;
  /** The body, without header. */
  readonly body: Uint8Array;
}

/** Stretches of octets of a message with holes between them that are kept. */
const STRETCHES = 64;
/** By so many octets a hello, whose random they hold, is told from one that is sent again. */
const HEAD = 34;

/** A message of which some octets are here. */
class Parts {
  private readonly ranges: [number, number][] = [];
  /** How the body began, once it was whole and let go. */
  private head: Uint8Array | null = null;

  constructor(public body: Uint8Array | null) {}

  /** The body, which is whole. */
  release(): Uint8Array {
    const body = this.body!;
    this.body = null;
    this.head = body.slice(0, HEAD);
    return body;
  }

  /** Whether octets from `off` on of a message of `length` are of another one, as in a later handshake. */
  isOther(octets: Uint8Array, off: number, length: number): boolean {
    if (this.body !== null) return this.body.length !== length;
    const { head } = this;
    return off === 0 && head !== null && !equalBytes(head, 0, octets, 0, Math.min(head.length, octets.length));
  }

  /** Adds octets from `off` on; whether the message is whole now. */
  add(octets: Uint8Array, off: number): boolean {
    const { body, ranges } = this;
    if (body === null || ranges.length >= STRETCHES) return false;
    body.set(octets, off);
    let [from, to] = [off, off + octets.length];
    let i = 0;
    while (i < ranges.length && ranges[i][1] < from) i++;
    while (i < ranges.length && ranges[i][0] <= to) {
      from = Math.min(from, ranges[i][0]);
      to = Math.max(to, ranges[i][1]);
      ranges.splice(i, 1);
    }
    ranges.splice(i, 0, [from, to]);
    return ranges[0][0] === 0 && ranges[0][1] === body.length;
  }
}

/** Messages of a flight that are under way at a time: the longest that RFC 6347 §4.2.4 knows has five. */
const UNDER_WAY = 8;

/**
 * The handshake messages under way in one direction, RFC 6347 §4.2.3: their parts come in any order, some of them twice, and
 * those of one message between those of another.
 */
export class Assembly {
  /** By message_seq, oldest first. */
  private readonly messages = new Map<number, Parts>();
  /** What it holds, in octets. */
  octets = 0;

  /** Takes the parts in the record `[from, end)` of a datagram that starts at `start`. */
  take(b: Uint8Array, start: number, from: number, end: number, cx: Track): Whole[] {
    const out: Whole[] = [];
    for (let at = from; at + HANDSHAKE_HEADER <= end; ) {
      const stop = at + HANDSHAKE_HEADER + u24(b, at + 9);
      if (stop > end) break;
      const body = u24(b, at + 9) < u24(b, at + 1) ? this.part(b, at, cx) : undefined;
      if (body !== undefined) out.push({ at: at - start, body });
      at = stop;
    }
    return out;
  }

  /** Adds a part; the body of the message that is whole now. */
  private part(b: Uint8Array, at: number, cx: Track): Uint8Array | undefined {
    const length = u24(b, at + 1);
    const off = u24(b, at + 6);
    const n = u24(b, at + 9);
    if (n === 0 || off + n > length || u8(b, at) === 0) return undefined;
    if (length > LIMITS.handshakeOctets) {
      cx.capped('handshakeOctets');
      return undefined;
    }
    const from = at + HANDSHAKE_HEADER;
    const sequence = u16(b, at + 4);
    const octets = b.subarray(from, from + n);
    if (this.messages.get(sequence)?.isOther(octets, off, length) === true) this.forget(sequence);
    const message = this.messages.get(sequence) ?? this.begin(sequence, length);
    if (!message.add(octets, off)) return undefined;
    this.octets -= length;
    return message.release();
  }

  private begin(sequence: number, length: number): Parts {
    for (const oldest of this.messages.keys()) {
      if (this.messages.size < UNDER_WAY && this.octets + length <= LIMITS.handshakeOctets) break;
      this.forget(oldest);
    }
    const message = new Parts(new Uint8Array(length));
    this.messages.set(sequence, message);
    this.octets += length;
    return message;
  }

  private forget(sequence: number): void {
    this.octets -= this.messages.get(sequence)?.body?.length ?? 0;
    this.messages.delete(sequence);
  }
}
