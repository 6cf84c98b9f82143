import type { AnyDissector } from '../kit/index.js';
import { PduBuffer } from '../stream/pdu-buffer.js';
import { anchored, type Deframer } from './deframe.js';
import { RECORD_HEADER, recordLength } from './records.js';

/**
 * - `detect`: the octets so far have not said what this is
 * - `wait`: a CONNECT was sent, its answer decides
 * - `pdus`: messages of the dissector in {@link Half.dissector}
 * - `tls`, `clear`: TLS records, envelopes in the clear
 * - `opaque`: nothing that is followed
 */
export type Mode = 'detect' | 'wait' | 'pdus' | 'tls' | 'clear' | 'opaque';

/** One direction of a connection. */
export class Half {
  readonly window = new PduBuffer();
  mode: Mode = 'detect';
  dissector: AnyDissector | null = null;
  /** Nothing is missing before the window: the SYN was captured, and all that followed. */
  begun = false;
  /** Octets that are known to be missing before it was said what this is. */
  missing = 0;
  /** Octets of the window in which {@link join} found nothing. */
  looked = 0;
  /** Octets are missing before the window: look for the next message. */
  lost = false;
  /** Octets to come that are the rest of a record whose middle is missing. */
  passing = 0;
  /** Octets of the stream are missing before the next record. */
  afterGap = false;
  deframer: Deframer | null = null;
  /** A record could not be read: plain text is missing before the next one. */
  unread = false;
  /** The last frame that carried octets. */
  frame = 0;

  /** Drops the rest of a record whose middle is missing. */
  pass(): void {
    const w = this.window;
    const n = Math.min(this.passing, w.end - w.off);
    w.skip(n);
    this.passing -= n;
  }

  /** Moves to the next place where a record starts: a header that is followed by another, or by fewer octets than that. */
  findRecord(): void {
    const w = this.window;
    for (let at = w.off; w.end - at >= RECORD_HEADER; at++) {
      const n = recordLength(w.buf, at);
      if (n < 0) continue;
      const next = at + n;
      if (next + RECORD_HEADER <= w.end && recordLength(w.buf, next) < 0) continue;
      w.skip(at - w.off);
      this.lost = false;
      return;
    }
    if (w.end - w.off >= RECORD_HEADER) w.skip(w.end - w.off - RECORD_HEADER + 1);
  }

  /**
   * Moves the window to the first record or envelope in it, where the start of the stream is missing. A record header
   * alone is not enough: another one, or the end of the octets, must stand where the record ends.
   */
  join(): 'tls' | 'fttims' | 'more' {
    const w = this.window;
    let at = w.off + this.looked;
    for (; at < w.end; at++) {
      const envelope = anchored(w.buf, at, w.end);
      if (envelope === 'yes') return this.joined('fttims', at);
      if (envelope === 'unsure' || w.end - at < RECORD_HEADER) break;
      const n = recordLength(w.buf, at);
      if (n < 0) continue;
      const next = at + n;
      if (next === w.end) return this.joined('tls', at);
      if (next + RECORD_HEADER > w.end) break;
      if (recordLength(w.buf, next) >= 0) return this.joined('tls', at);
    }
    this.looked = at - w.off;
    return 'more';
  }

  private joined(as: 'tls' | 'fttims', at: number): 'tls' | 'fttims' {
    this.window.skip(at - this.window.off);
    return as;
  }
}
