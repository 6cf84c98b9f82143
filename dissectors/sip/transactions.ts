import { LIMITS, type Track } from 'fttscope/kit';
import { type SipMessage, trimEnd } from './message.js';
import { Header, METHODS } from './names.js';

/*
 * Which message repeats which, and which response answers which request: from the last message of each Call-ID in each
 * direction between two endpoints, as Wireshark decides it, so that one pass is enough. Like Wireshark it leaves streams
 * out: there the transport repeats what is lost (RFC 3261 §17).
 */

/** So many Call-IDs stay however old they are. The others go after a time in which any transaction is over (RFC 3261 §16.6). */
const KEPT_ENTRIES = 256;
const KEPT_SECONDS = 600;
/** So long an entry keeps its place among those that may have to go. */
const RECENT_SECONDS = 60;

/** What the index pass says about a message. */
export interface SipNote {
  /** As it was read: of use as long as its buffer is. */
  readonly message: SipMessage;
  /** Frame that carried the same message before; 0: this is the first. */
  readonly original: number;
  /** Frame of the request that this answers; 0: not known. */
  readonly request: number;
  /** Milliseconds since that request. */
  readonly sinceMs: number;
}

const REQUEST = 0;
const PROVISIONAL = 1;
const FINAL = 2;

/** The last message of a Call-ID in one direction. */
interface Last {
  number: number;
  method: string;
  state: typeof REQUEST | typeof PROVISIONAL | typeof FINAL;
  status: number;
  frame: number;
  seconds: number;
  nanos: number;
  /** When it was put last among the entries. */
  put: number;
}

/** State of one scope: the outer world or a tunnel. */
export class Transactions {
  private readonly entries = new Map<number, Last>();

  /** Messages that are remembered. */
  get size(): number {
    return this.entries.size;
  }

  /** Takes a message in the order of the capture and says what it repeats and answers. */
  see(m: SipMessage, cx: Track): SipNote {
    const cseq = m.cseq();
    if (cseq === undefined || cx.stream === true) return { message: m, original: 0, request: 0, sinceMs: 0 };
    const { net, sport, dport } = cx;
    const key = keyOf(m, net.buf, net.src, sport, net.dst, dport, net.version);
    const last = this.entries.get(key);
    const request = m.isRequest
      ? ackOf(m, last)
      : this.requestOf(cseq, keyOf(m, net.buf, net.dst, dport, net.src, sport, net.version));
    const sinceMs = request === undefined ? 0 : elapsed(request, cx);
    const original = repeats(m, cseq, last) ? last!.frame : 0;
    const note = { message: m, original, request: request?.frame ?? 0, sinceMs };
    if (original === 0) this.remember(key, m, cseq, cx, last);
    return note;
  }

  /** The request of the other direction that a response with this CSeq answers. RFC 3261 §17.1.3, without the branch. */
  private requestOf(cseq: { number: number; method: string }, key: number): Last | undefined {
    const r = this.entries.get(key);
    return r?.state === REQUEST && r.number === cseq.number && r.method === cseq.method ? r : undefined;
  }

  private remember(
    key: number,
    m: SipMessage,
    cseq: { number: number; method: string },
    cx: Track,
    last: Last | undefined,
  ): void {
    const state = m.isRequest ? REQUEST : m.status < 200 ? PROVISIONAL : FINAL;
    // A message with the number of the one before it (CANCEL, ACK) keeps the method that the number came with.
    const method = last?.number === cseq.number ? last.method : (METHODS.get(cseq.method) ?? cseq.method);
    const { frame, seconds, nanos } = cx;
    const { status } = m;
    if (last !== undefined && seconds - last.put < RECENT_SECONDS) {
      last.number = cseq.number;
      last.method = method;
      last.state = state;
      last.status = status;
      last.frame = frame;
      last.seconds = seconds;
      last.nanos = nanos;
      return;
    }
    this.entries.delete(key);
    if (this.entries.size > KEPT_ENTRIES) this.age(cx);
    this.entries.set(key, { number: cseq.number, method, state, status, frame, seconds, nanos, put: seconds });
  }

  /** Lets go of what was not heard of for long, the oldest first; where there are too many, of what was not heard of longest. */
  private age(cx: Track): void {
    for (const [key, last] of this.entries) {
      const { size } = this.entries;
      const isOld = cx.seconds - last.seconds > KEPT_SECONDS;
      if (size <= KEPT_ENTRIES || (size < LIMITS.sipDialogs && !isOld)) return;
      this.entries.delete(key);
      if (!isOld) cx.capped('sipDialogs');
    }
  }
}

/** A number of 53 bits for a direction between two endpoints, and a Call-ID: a tenth of the memory of a text. */
function keyOf(
  m: SipMessage,
  b: Uint8Array,
  src: number,
  sport: number,
  dst: number,
  dport: number,
  version: 4 | 6,
): number {
  const n = version === 4 ? 4 : 16;
  let low = Math.imul(sport, 0x9e3779b1) ^ dport;
  let high = Math.imul(dport, 0x85ebca6b) ^ sport;
  for (let i = 0; i < 2 * n; i++) {
    const octet = i < n ? b[src + i] : b[dst + i - n];
    low = Math.imul(low ^ octet, 0x01000193);
    high = Math.imul(high ^ octet, 0x85ebca6b) ^ (high >>> 15);
  }
  const h = m.find(Header.CallId);
  const end = h === undefined ? 0 : trimEnd(m.buf, h.valueOff, h.valueEnd);
  for (let i = h === undefined ? 0 : h.valueOff; i < end; i++) {
    low = Math.imul(low ^ m.buf[i], 0x01000193);
    high = Math.imul(high ^ m.buf[i], 0x85ebca6b) ^ (high >>> 15);
  }
  return (low >>> 0) * 0x20_0000 + ((high >>> 0) & 0x1f_ffff);
}

/** Whether the message before was the same: a request (never an ACK), or a final response with the same status. */
function repeats(m: SipMessage, cseq: { number: number; method: string }, last: Last | undefined): boolean {
  if (last === undefined || last.number !== cseq.number || last.method !== cseq.method) return false;
  if (m.isRequest) return last.state === REQUEST && cseq.method !== 'ACK';
  return last.state === FINAL && m.status >= 200 && last.status === m.status;
}

/** What an ACK follows: the message before it in its direction. */
const ackOf = (m: SipMessage, last: Last | undefined): Last | undefined => (m.method === 'ACK' ? last : undefined);

/** Milliseconds, seconds and nanoseconds each rounded apart as Wireshark does. */
const elapsed = (from: Last, cx: Track): number =>
  Math.max(0, (cx.seconds - from.seconds) * 1000 + Math.trunc((cx.nanos - from.nanos) / 1e6));
