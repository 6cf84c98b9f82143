import { concat, LIMITS, type Track, u24 } from 'fttscope/kit';

const HANDSHAKE_HEADER = 4;

/** Octets that a CRYPTO frame made available, in order: what TLS is given. */
export interface Delivery {
  /** Offset of the frame in the payload of its packet. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** The messages that end in them, each whole, and whether another begins and goes on later. */
  readonly messages: readonly Uint8Array[];
  readonly part: boolean;
  /** Nothing new was in the frame. */
  readonly reused: boolean;
}

interface Waiting {
  readonly off: number;
  readonly bytes: Uint8Array;
}

/**
 * The octets of one direction's CRYPTO frames, put in order (RFC 9000 §19.6). Like Wireshark it hands on at once what is
 * next in order; once something came early, it hands on nothing before all octets up to the furthest are there.
 */
export class CryptoStream {
  private next = 0;
  private furthest = 0;
  private waiting: Waiting[] = [];
  private held = 0;
  /** The beginning of a message that is not whole. */
  private begun: Uint8Array = new Uint8Array(0);

  /** Octets that it holds. */
  get octets(): number {
    return this.held + this.begun.length;
  }

  /** Takes the data of a frame at `at` of its packet; what it makes available, if anything. */
  add(at: number, off: number, data: Uint8Array, cx: Pick<Track, 'capped'>): Delivery | undefined {
    const stop = off + data.length;
    if (stop <= this.next && data.length > 0)
      return { at, bytes: data.subarray(0, 0), messages: [], part: false, reused: true };
    if (stop <= this.next) return undefined;
    if (Math.max(stop - this.next, this.held + data.length) > LIMITS.handshakeOctets) {
      cx.capped('handshakeOctets');
      return undefined;
    }
    if (this.waiting.length === 0 && off <= this.next) return this.deliver(at, data.subarray(this.next - off), cx);
    this.waiting.push({ off, bytes: data.slice() });
    this.held += data.length;
    this.furthest = Math.max(this.furthest, stop);
    const whole = this.whole();
    return whole === undefined ? undefined : this.deliver(at, whole, cx);
  }

  /** All that waits, if nothing is missing in it. */
  private whole(): Uint8Array | undefined {
    this.waiting.sort((a, b) => a.off - b.off);
    let end = this.next;
    const parts: Uint8Array[] = [];
    for (const { off, bytes } of this.waiting) {
      if (off > end) return undefined;
      if (off + bytes.length > end) {
        parts.push(bytes.subarray(end - off));
        end = off + bytes.length;
      }
    }
    if (end < this.furthest) return undefined;
    this.waiting = [];
    this.held = 0;
    return concat(parts);
  }

  private deliver(at: number, data: Uint8Array, cx: Pick<Track, 'capped'>): Delivery {
    const bytes = data.slice();
    this.next += bytes.length;
    this.furthest = this.next;
    const all = this.begun.length === 0 ? bytes : concat([this.begun, bytes]);
    const messages: Uint8Array[] = [];
    let o = 0;
    while (o + HANDSHAKE_HEADER <= all.length && o + HANDSHAKE_HEADER + u24(all, o + 1) <= all.length) {
      const end = o + HANDSHAKE_HEADER + u24(all, o + 1);
      messages.push(all.subarray(o, end));
      o = end;
    }
    const rest = all.subarray(o);
    const isTooLong = rest.length > LIMITS.handshakeOctets;
    if (isTooLong) cx.capped('handshakeOctets');
    this.begun = isTooLong ? new Uint8Array(0) : rest;
    return { at, bytes, messages, part: rest.length > 0, reused: false };
  }
}
