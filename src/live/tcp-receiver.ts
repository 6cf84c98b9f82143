import { ahead } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { plus } from './tcp-segment.js';

/** Octets that this end takes ahead of what it has: all that fits the header, as whoever listens takes them at once. */
export const WINDOW = 0xffff;

interface Part {
  seq: number;
  payload: Uint8Array;
  fin: boolean;
}

/** The receiving half of a connection: puts octets in order. RFC 9293 §3.10.7.4 */
export class TcpReceiver {
  /** The next sequence number. */
  nxt = 0;
  /** Whether all came, the FIN, too. */
  ended = false;
  /** What came too early, in the order in which it came; no more than the window holds. */
  private early: Part[] = [];
  private held = 0;

  /** Whether something is missing before what came too early. */
  get hasGap(): boolean {
    return this.early.length > 0;
  }

  /** Whether some of a segment is what this end waits for. RFC 9293 §3.4, table 6 */
  accepts(seq: number, space: number): boolean {
    const from = ahead(seq, this.nxt);
    if (space === 0) return from >= 0 && from < WINDOW;
    return from < WINDOW && from + space > 0;
  }

  /** Takes the octets of a segment; returns those that are in order now, where it gives any. */
  take(seq: number, payload: Uint8Array, fin: boolean): Uint8Array[] {
    const part = { seq, payload, fin };
    const out: Uint8Array[] = [];
    if (ahead(seq, this.nxt) > 0) {
      this.hold(part);
      return out;
    }
    this.append(part, out);
    for (let next = this.nextEarly(); next !== undefined; next = this.nextEarly()) this.append(next, out);
    return out;
  }

  /** Keeps what came too early, unless it is there already, or there is too much of it: the peer sends it again. */
  private hold(part: Part): void {
    const { seq, payload, fin } = part;
    const isThere = this.early.some(
      (p) =>
        ahead(seq, p.seq) >= 0 &&
        ahead(plus(seq, payload.length), plus(p.seq, p.payload.length)) <= 0 &&
        (p.fin || !fin),
    );
    if (isThere || this.early.length >= LIMITS.tcpEarlySegments || this.held + payload.length > WINDOW) return;
    this.early.push({ ...part, payload: payload.slice() });
    this.held += payload.length;
  }

  /** A part that follows what is there, taken out of those that came too early. */
  private nextEarly(): Part | undefined {
    const at = this.early.findIndex((p) => ahead(p.seq, this.nxt) <= 0);
    if (at < 0) return undefined;
    const [part] = this.early.splice(at, 1);
    this.held -= part.payload.length;
    return part;
  }

  private append({ seq, payload, fin }: Part, out: Uint8Array[]): void {
    if (this.ended) return;
    const known = ahead(this.nxt, seq);
    const fresh = payload.subarray(known, known + WINDOW);
    if (fresh.length > 0) out.push(fresh);
    this.nxt = plus(this.nxt, fresh.length);
    if (!fin || this.nxt !== plus(seq, payload.length)) return;
    this.nxt = plus(this.nxt, 1);
    this.ended = true;
  }
}
