import { concat, LIMITS, type Track } from 'fttscope/kit';

/** What stands in a DATA chunk that holds a part of a message. */
interface Part {
  readonly octets: Uint8Array;
  readonly begins: boolean;
  readonly ends: boolean;
}

/** Parts of messages of SCTP that wait for others: the numbers (TSN) of those of one message follow each other. RFC 9260 §6.9 */
export class Parts {
  /** By association and direction, the one that was begun first first; its parts by their numbers. */
  private readonly waiting = new Map<string, Map<number, Part>>();
  private count = 0;

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return this.count;
  }

  /** Adds a part; returns the message that it completes, if any. */
  take(association: string, tsn: number, part: Part, cx: Track): Uint8Array | undefined {
    let parts = this.waiting.get(association);
    if (parts === undefined) this.waiting.set(association, (parts = new Map()));
    if (parts.has(tsn)) return undefined; // sent again
    if (this.count >= LIMITS.sctpParts) {
      const [[oldest, others]] = this.waiting;
      this.waiting.delete(oldest);
      this.count -= others.size;
      cx.capped('sctpParts');
      if (others === parts) this.waiting.set(association, (parts = new Map()));
    }
    parts.set(tsn, part);
    this.count++;
    const first = reach(parts, tsn, -1, 'begins');
    const last = first === undefined ? undefined : reach(parts, tsn, 1, 'ends');
    if (first === undefined || last === undefined) return undefined;
    const octets: Uint8Array[] = [];
    for (let n = first; ; n = (n + 1) >>> 0) {
      octets.push(parts.get(n)!.octets);
      parts.delete(n);
      this.count--;
      if (n === last) break;
    }
    if (parts.size === 0) this.waiting.delete(association);
    return concat(octets);
  }
}

/** The number of the part that begins or ends the message of the part `tsn`; undefined where one on the way is missing. */
function reach(
  parts: ReadonlyMap<number, Part>,
  tsn: number,
  step: 1 | -1,
  stop: 'begins' | 'ends',
): number | undefined {
  for (let n = tsn; ; n = (n + step) >>> 0) {
    const part = parts.get(n);
    if (part === undefined || part[stop]) return part === undefined ? undefined : n;
  }
}
