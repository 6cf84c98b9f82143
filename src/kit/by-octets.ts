/** Longer ones are not remembered. */
const MOST_OCTETS = 16 << 10;

/**
 * Values by octets that they were made of, for what packets say again and again: no text is made to look one up. When
 * `most` are kept all are forgotten; of two with one hash the earlier is.
 */
export class ByOctets<T> {
  private readonly byHash = new Map<number, { readonly octets: Uint8Array; readonly value: T }>();

  constructor(private readonly most: number) {}

  /** Values that are kept. */
  get size(): number {
    return this.byHash.size;
  }

  /** The value of the octets `[off, end)`; undefined where it is not known. */
  find(b: Uint8Array, off: number, end: number): T | undefined {
    const known = this.byHash.get(hashOf(b, off, end));
    if (known === undefined || known.octets.length !== end - off) return undefined;
    const { octets } = known;
    for (let i = 0; i < octets.length; i++) if (octets[i] !== b[off + i]) return undefined;
    return known.value;
  }

  /** Remembers the value of the octets `[off, end)`, of which it keeps a copy; returns it. */
  set(b: Uint8Array, off: number, end: number, value: T): T {
    if (end - off > MOST_OCTETS) return value;
    if (this.byHash.size >= this.most) this.byHash.clear();
    const octets = new Uint8Array(end - off);
    for (let i = 0; i < octets.length; i++) octets[i] = b[off + i];
    this.byHash.set(hashOf(b, off, end), { octets, value });
    return value;
  }
}

/** A small integer, which a map finds without making anything. */
function hashOf(b: Uint8Array, off: number, end: number): number {
  let h = end - off;
  for (let i = off; i < end; i++) h = Math.imul(h ^ b[i], 0x01000193) ^ (h >>> 15);
  return (h ^ (h >>> 13)) & 0x3fff_ffff;
}
