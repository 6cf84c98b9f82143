import { hex } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';

/** A packet of note for its size. */
export interface Sized extends Seen {
  readonly octets: number;
}

/** How large packets to an address may be: since when that is known, and when it was last said. */
interface Limit extends Sized {
  readonly again: Moment;
}

/** Where the IP packet at `off` goes, '' where that is cut off. */
export function targetOf(b: Uint8Array, off: number, end: number): string {
  const [at, n] = b[off] >> 4 === 6 ? [off + 24, 16] : [off + 16, 4];
  return at + n > end ? '' : hex(b, at, n, '');
}

/** What was under way when somebody was told of a limit may still be too big; later it may try again. RFC 8201 §4, §5.3 */
const UNDER_WAY_MS = 2000;
const TRIES_AGAIN_MS = 300_000;

/** How large packets inside a tunnel are, up and down, beside what somebody on the way said of it. */
export class PacketSizes {
  /** What is not larger is of no interest. */
  readonly bounds: [number, number] = [0, 0];
  readonly largest: [Sized | null, Sized | null] = [null, null];
  /** The smallest limit of the way to each address that a direction was told of. */
  private readonly limits = [new Map<string, Limit>(), new Map<string, Limit>()] as const;
  /** Limits that made room for others. */
  droppedLimits = 0;
  /** First packet that went past a limit, which was told before. */
  ignored: { readonly at: Sized; readonly limit: number } | null = null;

  /** A packet larger than the bound of its direction. */
  take(a: Arrival, octets: number, target: string): void {
    const way = a.up ? 0 : 1;
    if (octets > (this.largest[way]?.octets ?? 0)) this.largest[way] = { ...a.seen(), octets };
    const limits = this.limits[way];
    if (limits.size === 0) this.bounds[way] = octets;
    const limit = limits.get(target);
    if (limit === undefined || octets <= limit.octets) return;
    if (millis(limit, a) >= UNDER_WAY_MS && millis(limit.again, a) < TRIES_AGAIN_MS)
      this.ignored ??= { at: { ...a.seen(), octets }, limit: limit.octets };
  }

  /** The message at hand tells the other side how large its packets to an address may be. RFC 8201 §4, RFC 1191 §3 */
  bounded(a: Arrival, octets: number, target: string): void {
    if (octets === 0) return; // routers older than RFC 1191 do not say it
    const way = a.up ? 1 : 0;
    const limits = this.limits[way];
    const known = limits.get(target);
    limits.delete(target);
    if (limits.size >= LIMITS.pathLimits) {
      limits.delete(limits.keys().next().value!);
      this.droppedLimits++;
    }
    const again = a.seen();
    const isOld = known === undefined || millis(known.again, a) >= TRIES_AGAIN_MS;
    // A message never lets a limit grow (RFC 8201 §4).
    limits.set(
      target,
      isOld ? { ...again, octets, again } : { ...known, octets: Math.min(octets, known.octets), again },
    );
    this.bounds[way] = Math.min(...[...limits.values()].map((l) => l.octets));
  }
}
