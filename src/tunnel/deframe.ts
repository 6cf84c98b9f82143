import { HEADER, IP_PACKET, innerLength } from '../../dissectors/ftt-ims.js';
import { checksum, type Segment, u16 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Ledger } from '../stream/ledger.js';
import { PduBuffer } from '../stream/pdu-buffer.js';
import type { Connection } from './connection.js';

/** One direction of a connection that carries envelopes. */
export interface Lane {
  readonly connection: Connection;
  /** Of the flow. */
  readonly side: 0 | 1;
}

/** One envelope of a tunnel, whole. */
export interface Envelope {
  readonly lane: Lane;
  readonly type: number;
  /** The octets `[off, end)` of `buf`, header included. They stay as they are until the next envelope is asked for. */
  readonly buf: Uint8Array;
  readonly off: number;
  readonly end: number;
  /** The frames that carried it, where it took more than one. */
  readonly segments: readonly Segment[] | undefined;
  /** Framing was lost before it. */
  readonly resync: boolean;
}

/** Octets that say whether an envelope starts: its header and the longest IPv4 header, which is longer than IPv6's. */
export const ANCHOR_OCTETS = HEADER + 60;

/**
 * Finds envelopes in the decrypted octets of one direction (TS 24.322 §7.1.2), however records and segments cut them.
 * Where framing is lost (Length below 3, or octets missing), it is found again at the next type 1 envelope whose inner
 * IP packet agrees with its Length.
 */
export class Deframer {
  /** The octets at hand. */
  readonly window: PduBuffer;

  /** @param ledger counts what waits for the rest of an envelope */
  constructor(
    private readonly lane: Lane,
    ledger: Ledger | null = null,
  ) {
    this.window = new PduBuffer(LIMITS.messageOctets, ledger);
  }

  /** Times that framing was lost and found again. */
  resyncs = 0;
  /** The octets at hand need not start with an envelope. */
  lost = false;
  /** Framing was found again at the next envelope. */
  private found = false;

  /** Hands in the next octets; take envelopes with {@link next}, then call {@link settle}. */
  feed(buf: Uint8Array, off: number, end: number, frame: number): void {
    this.window.feed(buf, off, end, frame);
  }

  /** Octets are missing before what comes next. */
  gap(): void {
    this.window.clear();
    this.lost = true;
  }

  /** What comes next begins anew: what waits for its rest will not get it. */
  restart(): void {
    this.window.clear();
  }

  /** Keeps what is left for the next {@link feed}. */
  settle(): void {
    this.window.settle();
  }

  /** Nothing more is fed: what waits no longer counts. */
  release(): void {
    this.window.release();
  }

  /** Octets that wait for the rest of their envelope. */
  get waiting(): number {
    return this.window.end - this.window.off;
  }

  /** Octets of the envelope that would not be whole if the stream ended here; 0 while framing is lost. */
  get torn(): number {
    return this.lost ? 0 : this.waiting;
  }

  /** The envelope that starts at `off` of octets that were not handed in, where it is whole and nothing waits before it. */
  ahead(buf: Uint8Array, off: number, end: number): Envelope | undefined {
    if (this.lost || this.waiting > 0 || end - off < HEADER) return undefined;
    const n = u16(buf, off + 1);
    if (n < HEADER || n > end - off) return undefined;
    const resync = this.found;
    this.found = false;
    return { lane: this.lane, type: buf[off], buf, off, end: off + n, segments: undefined, resync };
  }

  /**
   * The next whole envelope; `undefined`: more octets are needed; `'lost'`: the octets at hand cannot be an envelope
   * (said once, then the search for the next one begins).
   */
  next(): Envelope | 'lost' | undefined {
    const w = this.window;
    if (this.lost && !this.find()) return undefined;
    if (w.end - w.off < HEADER) return undefined;
    const n = u16(w.buf, w.off + 1);
    if (n < HEADER) {
      // TS 24.322 §7.1.2.1: Length counts the header, so the stream can no longer be framed.
      this.lost = true;
      w.skip(1);
      return 'lost';
    }
    if (w.end - w.off < n) return undefined;
    const type = w.buf[w.off];
    const { buf, off, end, segments } = w.take(n);
    const resync = this.found;
    this.found = false;
    return { lane: this.lane, type, buf, off, end, segments, resync };
  }

  /** Moves to the next place that is surely an envelope; false: more octets are needed. */
  private find(): boolean {
    const w = this.window;
    let at = w.off;
    while (at < w.end && anchored(w.buf, at, w.end) === 'no') at++;
    w.skip(at - w.off);
    if (at >= w.end || anchored(w.buf, at, w.end) !== 'yes') return false;
    this.lost = false;
    this.found = true;
    this.resyncs++;
    return true;
  }
}

/** Whether an envelope that is surely one starts somewhere from `off` on. */
export function anchorAfter(b: Uint8Array, off: number, end: number): boolean {
  for (let at = off; at < end; at++) if (anchored(b, at, end) === 'yes') return true;
  return false;
}

/** Whether a type 1 envelope with a consistent IP header starts at `off`. */
export function anchored(b: Uint8Array, off: number, end: number): 'yes' | 'no' | 'unsure' {
  if (b[off] !== IP_PACKET) return 'no';
  if (end - off > HEADER) {
    const version = b[off + HEADER] >> 4;
    if (version !== 4 && version !== 6) return 'no';
    const inner = innerLength(b, off + HEADER, end);
    if (inner >= 0) {
      if (inner !== u16(b, off + 1) - HEADER) return 'no';
      if (version === 6) return 'yes';
      const header = (b[off + HEADER] & 15) * 4;
      if (header < 20) return 'no';
      if (end - off >= HEADER + header) return checksum(b, off + HEADER, off + HEADER + header) === 0 ? 'yes' : 'no';
    }
  }
  return 'unsure'; // fewer than ANCHOR_OCTETS are there
}
