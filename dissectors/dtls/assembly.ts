import { LIMITS, type Track, u8, u16, u24 } from 'fttscope/kit';
import { HANDSHAKE_HEADER } from './handshake.js';

/** A handshake message whose last part ends in a datagram. */
export interface Whole {
  /** Offset of that part in the datagram. */
  readonly at: number;
  /** The body, without header. */
  readonly body: Uint8Array;
}

/** The handshake message under way in one direction, RFC 6347 §4.2.3: parts that come in order, some of them twice. */
export class Assembly {
  private sequence = -1;
  private body: Uint8Array = new Uint8Array(0);
  private have = 0;

  /** What it holds, in octets. */
  get octets(): number {
    return this.body.length;
  }

  /** Takes the parts in the record `[from, end)` of a datagram that starts at `start`. */
  take(b: Uint8Array, start: number, from: number, end: number, cx: Track): Whole[] {
    const out: Whole[] = [];
    for (let at = from; at + HANDSHAKE_HEADER <= end; ) {
      const stop = at + HANDSHAKE_HEADER + u24(b, at + 9);
      if (stop > end) break;
      if (u24(b, at + 9) < u24(b, at + 1) && this.part(b, at, cx)) {
        out.push({ at: at - start, body: this.body });
        this.body = new Uint8Array(0);
      }
      at = stop;
    }
    return out;
  }

  /** Adds a part; whether the message is whole now. */
  private part(b: Uint8Array, at: number, cx: Track): boolean {
    const length = u24(b, at + 1);
    const sequence = u16(b, at + 4);
    const off = u24(b, at + 6);
    const n = u24(b, at + 9);
    if (off + n > length || u8(b, at) === 0) return false;
    if (length > LIMITS.handshakeOctets) {
      cx.capped('handshakeOctets');
      return false;
    }
    if (sequence !== this.sequence) {
      this.sequence = sequence;
      this.body = new Uint8Array(length);
      this.have = 0;
    }
    if (this.body.length !== length || off > this.have || off + n <= this.have) return false;
    const body = at + HANDSHAKE_HEADER;
    this.body.set(b.subarray(body, body + n), off);
    this.have = off + n;
    return this.have === length;
  }
}
