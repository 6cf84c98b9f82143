import { type AnyDissector, Framing, No, type Pdu, type Source, View, Yes } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { PduBuffer } from '../stream/pdu-buffer.js';

/** What octets of TCP are called: in one segment, and in several. */
export const TCP_NAMES = ['Frame', 'Reassembled TCP'] as const;
/** Most octets that say how long a message is. */
const LENGTH_OCTETS = 4;

/**
 * Cuts the octets of one direction of a stream into the messages of a dissector. What no message can start with is
 * given as data, up to where the dissector knows a message again.
 */
export class Messages {
  /** The octets at hand need not start with a message. */
  lost = false;
  /** The snaplen cut the segment that was fed last: nobody waits for the rest of what it begins. */
  cut = false;
  /** Instead of the dissector's `pduLength`, where the connection knows more. */
  length: AnyDissector['pduLength'];
  /** Source of the octets that were fed last, where it has one; theirs are a source of their own. */
  source: Source | null = null;
  /** What the dissector finds of each message by `cx.note`. */
  note: unknown;
  /** Octets that the message under way needs; it is not asked again before they are there. */
  private needed = 0;
  /** What is known of the message under way. */
  private readonly framing: Framing;

  /**
   * @param names what the octets of a message are called that came in one piece, and in several
   * @param data takes what is no message
   * @param port where the octets go to; 0: that says nothing of them
   */
  constructor(
    readonly dissector: AnyDissector,
    readonly window: PduBuffer,
    private readonly names: readonly [string, string],
    private readonly data: AnyDissector,
    port = 0,
  ) {
    this.length = dissector.pduLength;
    this.framing = new Framing(port);
  }

  /** What was given last are octets of a message whose end is known, and of which others are missing. */
  isRest = false;
  /** So many octets to come are of such a message. */
  private rest = 0;

  /** Octets to come of the message under way, or of one of which others are missing. */
  get left(): number {
    return Math.max(this.rest, this.needed - this.window.length);
  }

  /** The message under way, and those after it, are as long as this says. */
  measure(length: AnyDissector['pduLength']): void {
    this.length = length;
    this.begin();
  }

  /** So many octets are missing before what comes next; nobody knows how many if nothing is said. */
  gap(octets = Number.POSITIVE_INFINITY): void {
    this.rest = octets === Number.POSITIVE_INFINITY ? 0 : Math.max(0, this.left - octets);
    this.window.clear();
    this.begin();
    this.lost = true;
  }

  /** The next whole message; undefined: more octets are needed. `length` holds for this one instead of {@link length}. */
  next(length = this.length): Pdu | undefined {
    const { dissector, window } = this;
    const have = window.end - window.off;
    if (have === 0 || have < this.needed) return this.tooLong(have);
    if (this.lost && this.isLengthAlone(have)) return undefined;
    this.isRest = this.lost && this.rest > 0;
    if (this.lost && !this.find()) {
      this.rest = Math.max(0, this.rest - have);
      return this.take(this.data, have);
    }
    this.rest = 0;
    const n = length?.(window.buf, window.off, window.end, this.framing) ?? have;
    if (n < 0) {
      this.lost = true;
      return this.take(this.data, have);
    }
    if (n > 0 && n <= have) return this.take(dissector, n);
    this.needed = n;
    return this.tooLong(have);
  }

  /** The messages that are whole at the start of octets before which others are missing. */
  ahead(buf: Uint8Array, off: number, end: number): Pdu[] {
    const { dissector } = this;
    if (dissector.probe === undefined && (this.left > 0 || !wholeMessages(dissector, buf, off, end))) return [];
    return wholeAt(dissector, buf, off, end, this.names[0]);
  }

  /** The stream is at its end: what only that ends is whole now. */
  close(): Pdu | undefined {
    const { window } = this;
    const have = window.end - window.off;
    if (this.needed !== Number.POSITIVE_INFINITY || have === 0) return undefined;
    return this.take(this.dissector, have);
  }

  /** A message that is longer than is kept is given as far as it is there; what follows of it is data. */
  private tooLong(have: number): Pdu | undefined {
    if (have < LIMITS.messageOctets) return undefined;
    this.window.overflow();
    this.lost = true;
    return this.take(this.dissector, have);
  }

  /** What comes next is the start of a message, or data. */
  private begin(): void {
    this.needed = 0;
    this.framing.restart();
  }

  /** Some write the length of a message in a segment of its own: what comes next shows whether it is one. */
  private isLengthAlone(have: number): boolean {
    const { dissector, window } = this;
    if (dissector.probe !== undefined || have > LENGTH_OCTETS || this.rest > 0) return false;
    const n = dissector.pduLength?.(window.buf, window.off, window.end) ?? 0;
    return n > have && n < LIMITS.messageOctets;
  }

  /** Whether a message starts here: where no octets say it, those at hand must be whole messages. */
  private find(): boolean {
    const { buf, off, end } = this.window;
    const { dissector } = this;
    this.lost = !(dissector.probe === undefined
      ? wholeMessages(dissector, buf, off, end)
      : dissector.probe(buf, off, end, this.cut || dissector.on === undefined) === Yes);
    return !this.lost;
  }

  private take(dissector: AnyDissector, n: number): Pdu {
    this.begin();
    const { buf, off, end, segments } = this.window.take(n);
    const { note } = this;
    if (segments === undefined) {
      const { source } = this;
      const inside = source !== null && source.buf === buf && off >= source.start && end <= source.end;
      return { dissector, view: inside ? new View(source, off, end) : viewOf(buf, off, end, this.names[0]), note };
    }
    return { dissector, view: View.of(buf.subarray(off, end), this.names[1]), segments, note };
  }
}

/** Whether messages end where the octets end. */
export function wholeMessages(d: AnyDissector, buf: Uint8Array, off: number, end: number): boolean {
  let at = off;
  while (at < end) {
    const n = d.pduLength?.(buf, at, end) ?? 0;
    if (n <= 0) return false;
    if (n === Number.POSITIVE_INFINITY) return true;
    at += n;
  }
  return at === end;
}

/** The whole messages that stand at the start of octets, as far as the dissector knows them. */
export function wholeAt(dissector: AnyDissector, buf: Uint8Array, off: number, end: number, name: string): Pdu[] {
  const out: Pdu[] = [];
  for (let at = off; at < end && (dissector.probe?.(buf, at, end) ?? Yes) === Yes; ) {
    const n = dissector.pduLength?.(buf, at, end) ?? 0;
    if (n <= 0 || at + n > end) break;
    out.push({ dissector, view: viewOf(buf, at, at + n, name) });
    at += n;
  }
  return out;
}

/**
 * A message that the end of the stream in `frame` ends, its last octets being in the frame `last`: as in Wireshark a frame with
 * nothing but that end is a segment of it, too.
 */
export function endedBy(pdu: Pdu, last: number, frame: number): Pdu {
  if (last === frame) return pdu;
  const { buf, off, end } = pdu.view;
  const len = end - off;
  const before = pdu.segments ?? [{ frame: last, off: 0, len }];
  const view = pdu.segments === undefined ? View.of(buf.subarray(off, end), TCP_NAMES[1]) : pdu.view;
  return { ...pdu, view, segments: [...before, { frame, off: len, len: 0 }] };
}

/** Octets of a frame, or of what was decrypted, as they stand; `cut`: so many behind them were not captured. */
export const viewOf = (buf: Uint8Array, off: number, end: number, name: string, cut = 0): View =>
  new View({ name, buf, start: off, end }, off, end, end + cut);

/**
 * The message that begins in the window and ends in octets that the snaplen cut off, `missing` of them; undefined where it
 * began in an earlier segment, or is none. `lost`: the window need not start with one.
 */
export function cutMessage(
  dissector: AnyDissector | undefined,
  window: PduBuffer,
  lost: boolean,
  missing: number,
  name: string,
): Pdu | undefined {
  if (dissector?.pduLength === undefined) return undefined;
  const probed = dissector.probe?.(window.buf, window.off, window.end) ?? Yes;
  if (probed === No || (probed !== Yes && lost)) return undefined;
  const { buf, off, end, segments } = window.take(window.length);
  if (segments !== undefined) return undefined;
  return { dissector, view: viewOf(buf, off, end, name, missing) };
}
