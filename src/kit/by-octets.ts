/** Longer ones are not remembered. */
const MOST_OCTETS = 16 << 10;
/** Slots, and octets, to begin with. */
const LEAST_SLOTS = 16;
const LEAST_POOL = 256;

const NO_SLOTS = new Int32Array(1);
const NO_OCTETS = new Uint8Array(0);

/**
 * Values by octets that they were made of, for what packets say again and again: no text is made to look one up, and
 * nothing but the value to remember one. When `most` are kept all are forgotten.
 */
export class ByOctets<T> {
  /** One more than the place of a value, at its hash or the next free slot behind that; 0: free. At least half are. */
  private slots = NO_SLOTS;
  private readonly values: T[] = [];
  private readonly hashes: number[] = [];
  /** One past the octets of each value in the pool; they begin where those of the value before end. */
  private readonly ends: number[] = [];
  private pool = NO_OCTETS;

  constructor(private readonly most: number) {}

  /** Values that are kept. */
  get size(): number {
    return this.values.length;
  }

  /** The value of the octets `[off, end)`; undefined where it is not known. */
  find(b: Uint8Array, off: number, end: number): T | undefined {
    const place = this.placeOf(b, off, end, hashOf(b, off, end));
    return place < 0 ? undefined : this.values[place];
  }

  /** Remembers the value of the octets `[off, end)`, of which it keeps a copy; returns it. */
  set(b: Uint8Array, off: number, end: number, value: T): T {
    if (end - off > MOST_OCTETS) return value;
    if (this.size >= this.most) this.clear();
    const hash = hashOf(b, off, end);
    const known = this.placeOf(b, off, end, hash);
    if (known >= 0) this.values[known] = value;
    else this.add(b, off, end, hash, value);
    return value;
  }

  private placeOf(b: Uint8Array, off: number, end: number, hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    for (let i = hash & mask; slots[i] !== 0; i = (i + 1) & mask) {
      const place = slots[i] - 1;
      if (this.hashes[place] === hash && this.isAt(place, b, off, end)) return place;
    }
    return -1;
  }

  private isAt(place: number, b: Uint8Array, off: number, end: number): boolean {
    const { pool, ends } = this;
    const from = place === 0 ? 0 : ends[place - 1];
    if (ends[place] - from !== end - off) return false;
    for (let i = off, k = from; i < end; i++, k++) if (pool[k] !== b[i]) return false;
    return true;
  }

  private add(b: Uint8Array, off: number, end: number, hash: number, value: T): void {
    const place = this.size;
    const from = place === 0 ? 0 : this.ends[place - 1];
    const to = from + end - off;
    if (to > this.pool.length) {
      const larger = new Uint8Array(Math.max(LEAST_POOL, 2 * to));
      larger.set(this.pool);
      this.pool = larger;
    }
    for (let i = off, k = from; i < end; i++, k++) this.pool[k] = b[i];
    this.values.push(value);
    this.hashes.push(hash);
    this.ends.push(to);
    if (2 * (place + 1) <= this.slots.length) this.enter(place);
    else {
      this.slots = new Int32Array(Math.max(LEAST_SLOTS, 2 * this.slots.length));
      for (let i = 0; i <= place; i++) this.enter(i);
    }
  }

  private enter(place: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let i = this.hashes[place] & mask;
    while (slots[i] !== 0) i = (i + 1) & mask;
    slots[i] = place + 1;
  }

  private clear(): void {
    this.slots.fill(0);
    this.values.length = this.hashes.length = this.ends.length = 0;
  }
}

function hashOf(b: Uint8Array, off: number, end: number): number {
  let h = end - off;
  for (let i = off; i < end; i++) h = Math.imul(h ^ b[i], 0x01000193) ^ (h >>> 15);
  return (h ^ (h >>> 13)) & 0x3fff_ffff;
}
