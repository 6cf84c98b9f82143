import { createHash, type Hash } from 'node:crypto';
import { HANDSHAKE_HEADER, handshakeLength } from '../../dissectors/tls/hello.js';
import { HandshakeType } from '../../dissectors/tls/numbers.js';
import { put24, u8, u16 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Span } from './record.js';
import type { ScheduleHash } from './schedule.js';

const HEARTBEAT_HEADER = 3;
/** Least octets of padding. */
const HEARTBEAT_PADDING = 16;
const NONE = new Uint8Array(0);
const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(HandshakeType));

/** Whether handshake content starts as a message in the clear would; encrypted octets do so once in a few hundred. */
export function looksClear(b: Uint8Array, off: number, end: number): boolean {
  if (end === off) return false;
  const type = u8(b, off);
  if (!KNOWN_TYPES.has(type)) return false;
  if (end - off < HANDSHAKE_HEADER) return true; // the header goes on in the next record; no MAC or tag is so short
  if (type === HandshakeType.HelloRequest) return end - off === HANDSHAKE_HEADER; // RFC 5246 §7.4.1.1
  return handshakeLength(b, off, end) <= LIMITS.handshakeOctets;
}

/** Whether a heartbeat stands in the clear: a type, and a payload that leaves room for its padding. RFC 6520 §4 */
export function looksHeartbeat(b: Uint8Array, off: number, end: number): boolean {
  if (end - off < HEARTBEAT_HEADER) return false;
  const type = u8(b, off);
  return (type === 1 || type === 2) && u16(b, off + 1) + HEARTBEAT_HEADER + HEARTBEAT_PADDING <= end - off;
}

/** Puts the handshake messages of one direction together from records. */
export class MessageReader {
  /** The start of a message that goes on in the next record. */
  private part = NONE;
  private length = 0;
  /** Octets of a message beyond the cap that are still to be passed over. */
  private skip = 0;
  /** Messages beyond the cap, which were passed over. */
  dropped = 0;

  /** Octets of storage. */
  get held(): number {
    return this.part.length;
  }

  /** Whether a message has begun and is not whole. */
  get pending(): boolean {
    return this.length > 0 || this.skip > 0;
  }

  /** What there is of a message that has begun. */
  get begun(): Span | undefined {
    return this.length > 0 ? { buf: this.part, off: 0, end: this.length } : undefined;
  }

  /** Takes the content of a record; returns the messages that are whole now, header included. */
  feed(b: Uint8Array, start: number, end: number): Span[] {
    const out: Span[] = [];
    let off = start;
    if (this.skip > 0) {
      const n = Math.min(this.skip, end - off);
      this.skip -= n;
      off += n;
    }
    if (this.length > 0) off = this.complete(b, off, end, out);
    while (end - off >= HANDSHAKE_HEADER) {
      const n = handshakeLength(b, off, end);
      if (n > LIMITS.handshakeOctets) {
        this.dropped++;
        const here = Math.min(n, end - off);
        this.skip = n - here;
        off += here;
        continue;
      }
      if (off + n > end) break;
      out.push({ buf: b, off, end: off + n });
      off += n;
    }
    if (off < end) this.keep(b, off, end);
    return out;
  }

  /** Adds to the message that has begun what belongs to it; returns where the next one starts. */
  private complete(b: Uint8Array, from: number, end: number, out: Span[]): number {
    let off = from;
    if (this.length < HANDSHAKE_HEADER) {
      const n = Math.min(HANDSHAKE_HEADER - this.length, end - off);
      this.keep(b, off, off + n);
      off += n;
      if (this.length < HANDSHAKE_HEADER) return off;
    }
    const whole = handshakeLength(this.part, 0, this.length);
    if (whole > LIMITS.handshakeOctets) {
      this.dropped++;
      const n = Math.min(whole - this.length, end - off);
      this.skip = whole - this.length - n;
      this.length = 0;
      return off + n;
    }
    const n = Math.min(whole - this.length, end - off);
    this.keep(b, off, off + n);
    if (this.length === whole) {
      out.push({ buf: this.part, off: 0, end: whole });
      this.reset();
    }
    return off + n;
  }

  private keep(b: Uint8Array, off: number, end: number): void {
    const need = this.length + end - off;
    if (need > this.part.length) {
      const wider = new Uint8Array(Math.max(need, 2 * this.part.length, 512));
      wider.set(this.part.subarray(0, this.length));
      this.part = wider;
    }
    this.part.set(b.subarray(off, end), this.length);
    this.length = need;
  }

  /** Forgets a message that has begun: octets are missing, or the keys have changed. */
  reset(): void {
    this.part = NONE;
    this.length = 0;
    this.skip = 0;
  }
}

/** The hash over the handshake messages of a session (RFC 5246 §7.4.9, RFC 8446 §4.4.1). */
export class Transcript {
  /** Messages from before the hash function was known. */
  private waiting: Uint8Array[] = [];
  private hash: Hash | null = null;
  /** A message is missing: nothing can be told from it any more. */
  broken = false;
  /** Octets of messages that wait for the hash function. */
  held = 0;

  add(m: Span): void {
    const octets = m.buf.subarray(m.off, m.end);
    if (this.hash !== null) this.hash.update(octets);
    else if (this.held + octets.length > LIMITS.handshakeOctets) this.release();
    else if (!this.broken) {
      this.held += octets.length;
      this.waiting.push(octets.slice());
    }
  }

  /** Nothing is told from it any more. */
  release(): void {
    this.broken = true;
    this.hash = null;
    this.waiting = [];
    this.held = 0;
  }

  /** Fixes the hash function. */
  start(hash: ScheduleHash): void {
    if (this.hash !== null) return;
    this.hash = createHash(hash);
    for (const w of this.waiting) this.hash.update(w);
    this.waiting = [];
    this.held = 0;
  }

  /** A HelloRetryRequest follows: the first ClientHello is replaced by its hash. RFC 8446 §4.4.1 */
  retry(hash: ScheduleHash): void {
    this.start(hash);
    const digest = this.hash!.digest();
    const message = new Uint8Array(HANDSHAKE_HEADER + digest.length);
    message[0] = HandshakeType.MessageHash;
    put24(message, 1, digest.length);
    message.set(digest, HANDSHAKE_HEADER);
    this.hash = createHash(hash).update(message);
  }

  /** The hash over all messages so far, or undefined. */
  digest(): Uint8Array | undefined {
    return this.broken || this.hash === null ? undefined : this.hash.copy().digest();
  }
}
