import { RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import type { View } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Ledger } from '../stream/ledger.js';
import { PduBuffer } from '../stream/pdu-buffer.js';
import { anchored, type Deframer } from './deframe.js';
import { Undecided } from './detect.js';
import { type Messages, TCP_NAMES, viewOf } from './messages.js';
import { recordLength } from './records.js';

/**
 * - `detect`: the octets so far have not said what this is
 * - `wait`: a CONNECT was sent, its answer decides
 * - `pdus`: {@link Half.messages}
 * - `tls`, `clear`: TLS records, envelopes in the clear
 * - `opaque`: nothing that is followed
 */
export type Mode = 'detect' | 'wait' | 'pdus' | 'tls' | 'clear' | 'opaque';

/** One direction of a connection. */
export class Half {
  readonly window: PduBuffer;
  mode: Mode = 'detect';
  messages: Messages | null = null;
  readonly undecided = new Undecided();
  /** Octets at the end of what came last that are nobody's so far. */
  unclaimed = 0;
  /** Nothing is missing before the window: the SYN was captured, and all that followed. */
  begun = false;
  /** Octets that are known to be missing before it was said what this is. */
  missing = 0;
  /** Octets of the window in which no record starts but perhaps at {@link open}. */
  private looked = 0;
  /** Offsets in the window where a record may start whose end is still to come. */
  private open: number[] = [];
  /** Octets are missing before the window: look for the next message. */
  lost = false;
  /** Octets to come that are the rest of a record whose middle is missing. */
  passing = 0;
  /** The start of a ServerHello was seen, though its record may not be whole. */
  versioned = false;
  /** The snaplen cut that record. */
  snapped = false;
  /** Where the record ends that began last behind a hole, as a position in the stream. */
  private aheadEnd = 0;
  /** Where a segment behind a hole ends in whose middle a message of HTTP begins, as a position in the stream. */
  openAhead = -1;
  /** Octets behind a hole were shown as nobody's. */
  shownAsData = false;
  /** The last frame behind a hole whose octets are none of that record's. */
  private aheadFrame = 0;
  /** Octets of the stream are missing before the next record. */
  afterGap = false;
  deframer: Deframer | null = null;
  /** The last frame that carried octets. */
  frame = 0;
  /** The window starts with the first octet of that frame. */
  fresh = false;
  /** So many octets after those of that frame were cut off by the snaplen. */
  cut = 0;

  constructor(private readonly ledger: Ledger) {
    this.window = new PduBuffer(LIMITS.messageOctets, ledger);
  }

  /** Nothing waits before what comes next, and that starts with a record. */
  get isClear(): boolean {
    return !this.lost && this.passing === 0 && this.window.length === 0;
  }

  /** Octets to come are the rest of what the snaplen cut: as in tshark each segment of them is looked at for itself. */
  get isTorn(): boolean {
    return this.passing > 0 ? this.snapped : this.lost && this.cut > 0;
  }

  /** The octets that wait for others. */
  get waiting(): View {
    const { buf, off, end } = this.window;
    return viewOf(buf, off, end, TCP_NAMES[0]);
  }

  /** Line ends at the start of the window. */
  get lineEnds(): number {
    const { buf, off, end } = this.window;
    let n = 0;
    while (off + n < end && (buf[off + n] === 13 || buf[off + n] === 10)) n++;
    return n;
  }

  /** Octets to come of the record at the start of the window, or of what may be one. */
  get left(): number {
    const { buf, off, length } = this.window;
    return length < RECORD_HEADER ? 0 : recordLength(buf, off) - length;
  }

  /**
   * Notes octets behind a hole that no whole record takes: as in tshark they are TLS, but for the rest of a record. Returns
   * whether none begins with them.
   */
  beginAhead(buf: Uint8Array, off: number, end: number, at: number, frame: number): boolean {
    if (at < this.aheadEnd || off === end) return false;
    this.aheadFrame = frame;
    if (end - off < RECORD_HEADER) return false;
    const n = recordLength(buf, off);
    if (n > 0) this.aheadEnd = at + n;
    return n < 0;
  }

  /**
   * Whether TLS is listed for so many octets that `frame` carried: they stand behind a hole, or no record is under way
   * whose header is there, or may be.
   */
  begins(octets: number, frame: number): boolean {
    if (this.aheadFrame === frame) return true;
    if (this.frame !== frame) return false;
    const before = this.window.length - octets;
    return this.lost ? before <= 0 : before >= 0 && before < RECORD_HEADER;
  }

  /** Drops the rest of a record whose middle is missing. */
  pass(): void {
    const w = this.window;
    const n = Math.min(this.passing, w.end - w.off);
    w.skip(n);
    this.passing -= n;
  }

  /**
   * Moves to the next place where a record starts. A header alone is not enough (ciphertext holds a false one every two
   * million octets): another one, or the end of the octets, must stand where the record ends.
   */
  findRecord(): void {
    const w = this.window;
    const found = this.scan(w.end - w.off);
    if (found >= 0) {
      w.skip(found);
      this.restart();
      this.lost = false;
    } else this.skipTo(this.open[0] ?? this.looked);
  }

  /** Moves the window to the first record or envelope in it, where the start of the stream is missing. */
  join(): 'tls' | 'fttims' | 'more' {
    const w = this.window;
    let envelope: ReturnType<typeof anchored> = 'no';
    let at = w.off + this.looked;
    while (at < w.end && (envelope = anchored(w.buf, at, w.end)) === 'no') at++;
    const found = this.scan(at - w.off);
    if (found < 0 && envelope !== 'yes') return 'more';
    w.skip(found < 0 ? at - w.off : found);
    this.restart();
    return found < 0 ? 'fttims' : 'tls';
  }

  /** Looks for a record that starts before `stop`, an offset in the window; returns where it does, or -1. */
  private scan(stop: number): number {
    const { window: w, open } = this;
    for (let i = 0; i < open.length; ) {
      const fits = this.fits(open[i]);
      if (fits === 'yes') return open[i];
      if (fits === 'no') open.splice(i, 1);
      else i++;
    }
    const end = Math.min(stop, w.end - w.off - RECORD_HEADER + 1);
    for (; this.looked < end; this.looked++) {
      const fits = this.fits(this.looked);
      if (fits === 'yes') return this.looked;
      if (fits !== 'unsure') continue;
      if (open.length < LIMITS.recordStarts) open.push(this.looked);
      else this.ledger.capped('recordStarts');
    }
    return -1;
  }

  /** Whether a record starts at an offset of the window: unsure while its end is not in the window. */
  private fits(offset: number): 'yes' | 'no' | 'unsure' {
    const w = this.window;
    const n = recordLength(w.buf, w.off + offset);
    if (n < 0) return 'no';
    const next = w.off + offset + n;
    if (next > w.end) return 'unsure';
    return next + RECORD_HEADER > w.end || recordLength(w.buf, next) >= 0 ? 'yes' : 'no';
  }

  /** Drops `n` octets of the window. What was looked at counts from its new start. */
  private skipTo(n: number): void {
    this.window.skip(n);
    if (n > 0) this.fresh = false;
    this.looked = Math.max(0, this.looked - n);
    this.open = this.open.filter((at) => at >= n).map((at) => at - n);
  }

  /** Forgets what was looked at: the window starts anew. */
  restart(): void {
    this.looked = 0;
    this.open = [];
  }
}
