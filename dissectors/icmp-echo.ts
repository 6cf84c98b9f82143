import { hex, LIMITS, type Track, u32, u32le, type View } from 'fttscope/kit';

/** What a reply knows about its request. */
export interface EchoNote {
  /** Frame number of the request. */
  readonly request: number;
  readonly milliseconds: number;
}

interface Request {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
}

/** Nobody waits longer for a reply, in seconds: a request that is older may make room unnoticed. */
const PATIENCE = 60;
/** A time in the data of a ping lies this many seconds around the time of its frame. */
const PLAUSIBLE = 86_400;

/** Echo requests of ICMP or ICMPv6 that wait for their replies. */
export class EchoTable {
  private readonly waiting = new Map<string, Request>();

  /** Requests that are remembered. */
  get size(): number {
    return this.waiting.size;
  }

  /** Takes a message in; `word` holds identifier and sequence number. Returns what a reply is to be told. */
  see(cx: Track, reply: boolean, word: number): EchoNote | undefined {
    const { buf, src, dst, version } = cx.net;
    const n = version === 4 ? 4 : 16;
    const key = `${word} ${hex(buf, reply ? dst : src, n)} ${hex(buf, reply ? src : dst, n)}`;
    if (!reply) {
      this.waiting.delete(key);
      if (this.waiting.size >= LIMITS.transactions) {
        const [oldest, { seconds }] = this.waiting.entries().next().value!;
        this.waiting.delete(oldest);
        if (cx.seconds - seconds < PATIENCE) cx.capped('transactions');
      }
      this.waiting.set(key, { frame: cx.frame, seconds: cx.seconds, nanos: cx.nanos });
      return undefined;
    }
    const request = this.waiting.get(key);
    if (request === undefined) return undefined;
    this.waiting.delete(key);
    const nanos = (cx.seconds - request.seconds) * 1e9 + cx.nanos - request.nanos;
    return { request: request.frame, milliseconds: nanos / 1e6 };
  }
}

/** The end of the Info column of a reply. */
export const responseLabel = (note: EchoNote | undefined): string =>
  note === undefined ? '' : ` (request in ${note.request})`;

/** The time of sending that ping programs put in front of their data: seconds and microseconds in either byte order. */
export function dataTime(v: View, seconds: number): { seconds: number; nanos: number } | undefined {
  if (v.length < 8) return undefined;
  const { buf, off } = v;
  for (const read of [u32, u32le]) {
    const s = read(buf, off);
    const micros = read(buf, off + 4);
    if (micros < 1_000_000 && Math.abs(s - seconds) < PLAUSIBLE) return { seconds: s, nanos: micros * 1000 };
  }
  return undefined;
}
