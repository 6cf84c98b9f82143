import { ahead } from '../../kit/index.js';

/** Octets that wait for those before them, a direction. */
const MOST_WAITING = 4 << 20;

/** One direction of a connection. */
class Way {
  /** Sequence number that comes next; -1: none is known yet. */
  next = -1;
  readonly waiting: { readonly sequence: number; readonly octets: Uint8Array }[] = [];
  size = 0;
}

/** Puts the segments of a TCP connection in order, each octet once; a hole that is never filled is passed over. */
export class StreamOrder {
  private readonly ways: readonly [Way, Way] = [new Way(), new Way()];

  constructor(private readonly give: (side: 0 | 1, octets: Uint8Array) => void) {}

  /** A SYN with this sequence number was seen. */
  start(side: 0 | 1, sequence: number): void {
    const way = this.ways[side];
    if (way.next < 0) way.next = (sequence + 1) >>> 0;
  }

  /** Takes the payload of a segment; its octets are copied where they wait. */
  segment(side: 0 | 1, sequence: number, syn: boolean, octets: Uint8Array): void {
    const way = this.ways[side];
    const at = (sequence + (syn ? 1 : 0)) >>> 0; // RFC 9293 §3.4: the SYN has a number of its own
    if (way.next < 0) way.next = at;
    if (ahead(at, way.next) > 0) {
      way.waiting.push({ sequence: at, octets: octets.slice() });
      way.size += octets.length;
      if (way.size > MOST_WAITING) this.skip(side);
      return;
    }
    this.pass(side, at, octets);
    this.drain(side);
  }

  /** What still waits is given, holes left out. */
  finish(): void {
    for (const side of [0, 1] as const) while (this.ways[side].waiting.length > 0) this.skip(side);
  }

  private pass(side: 0 | 1, at: number, octets: Uint8Array): void {
    const way = this.ways[side];
    const known = ahead(way.next, at);
    if (known >= octets.length) return;
    this.give(side, octets.subarray(known));
    way.next = (at + octets.length) >>> 0;
  }

  private drain(side: 0 | 1): void {
    const way = this.ways[side];
    for (;;) {
      const i = way.waiting.findIndex((w) => ahead(w.sequence, way.next) <= 0);
      if (i < 0) return;
      const [w] = way.waiting.splice(i, 1);
      way.size -= w.octets.length;
      this.pass(side, w.sequence, w.octets);
    }
  }

  /** Gives up the hole before the octets that wait for least. */
  private skip(side: 0 | 1): void {
    const way = this.ways[side];
    let least = Number.POSITIVE_INFINITY;
    for (const w of way.waiting) least = Math.min(least, ahead(w.sequence, way.next));
    way.next = (way.next + least) >>> 0;
    this.drain(side);
  }
}
