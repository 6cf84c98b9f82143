import { hex } from '../kit/index.js';
import { type Arrival, millis, type Seen } from './moment.js';

/** A packet of note for its size. */
export interface Sized extends Seen {
  readonly octets: number;
}

/** A limit of the way to an address, which is as {@link targetOf} tells it. */
interface Limit extends Sized {
  readonly target: string;
}

/** Where the IP packet at `off` goes, '' where that is cut off. */
export function targetOf(b: Uint8Array, off: number, end: number): string {
  const [at, n] = b[off] >> 4 === 6 ? [off + 24, 16] : [off + 16, 4];
  return at + n > end ? '' : hex(b, at, n, '');
}

/** What was under way when somebody was told of a limit may still be too big. */
const UNDER_WAY_MS = 2000;

/** How large packets inside a tunnel are, up and down, beside what somebody on the way said of it. */
export class PacketSizes {
  /** What is not larger is of no interest. */
  readonly bounds: [number, number] = [0, 0];
  readonly largest: [Sized | null, Sized | null] = [null, null];
  /** The last limit that each direction was told of. */
  private readonly limits: [Limit | null, Limit | null] = [null, null];
  /** First packet that went past a limit, which was told before. */
  ignored: { readonly at: Sized; readonly limit: number } | null = null;

  /** A packet larger than the bound of its direction. */
  take(a: Arrival, octets: number, target: string): void {
    const way = a.up ? 0 : 1;
    if (octets > (this.largest[way]?.octets ?? 0)) this.largest[way] = { ...a.seen(), octets };
    const limit = this.limits[way];
    this.bounds[way] = limit === null ? octets : limit.octets;
    if (limit === null || limit.target !== target || millis(limit, a) < UNDER_WAY_MS) return;
    this.ignored ??= { at: { ...a.seen(), octets }, limit: limit.octets };
  }

  /** The message at hand tells the other side how large its packets to an address may be. RFC 8201 §4, RFC 1191 §3 */
  bounded(a: Arrival, octets: number, target: string): void {
    if (octets === 0) return; // routers older than RFC 1191 do not say it
    const way = a.up ? 1 : 0;
    this.limits[way] = { ...a.seen(), octets, target };
    this.bounds[way] = octets;
  }
}
