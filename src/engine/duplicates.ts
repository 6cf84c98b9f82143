import { sumWords } from '../kit/index.js';

/** Packets captured twice are at most so far apart. Contract section 4. */
const WINDOW_SECONDS = 0.1;
const SLOTS = 1 << 15;
/** Octets of a packet that are looked at, from its IP header on and at its end. */
const HEAD = 120;
const TAIL = 24;

/**
 * Recognises packets that several interfaces or a mirror port captured twice: equal from the IP header on, TTL (or hop
 * limit) and header checksum aside, within 100 ms. Remembers hashes of the last packets in a table of fixed size.
 */
export class Duplicates {
  private readonly hashes = new Int32Array(SLOTS);
  private readonly checks = new Int32Array(SLOTS);
  private readonly times = new Float64Array(SLOTS).fill(-1);
  private readonly frames = new Float64Array(SLOTS);
  private readonly interfaces = new Int32Array(SLOTS);

  /**
   * The frame that this packet repeats, or 0. `[off, end)` is the packet from its IP header on; a packet without
   * payload counts only when another interface saw the first copy: acknowledgments do repeat.
   */
  see(buf: Uint8Array, off: number, end: number, bare: boolean, frame: number, iface: number, time: number): number {
    const six = buf[off] >> 4 === 6;
    const head = Math.min(end, off + HEAD);
    let hash = end - off;
    const ttl = off + (six ? 7 : 8);
    const sum = six ? -1 : off + 10;
    for (let i = off; i < head; i++)
      if (i !== ttl && i !== sum && i !== sum + 1) hash = Math.imul(hash ^ buf[i], 0x01000193);
    for (let i = Math.max(head, end - TAIL); i < end; i++) hash = Math.imul(hash ^ buf[i], 0x01000193);
    const check = sumWords(buf, off + 20, end, end - off) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const same =
      this.hashes[slot] === hash && this.checks[slot] === check && Math.abs(time - this.times[slot]) <= WINDOW_SECONDS;
    if (same && (!bare || this.interfaces[slot] !== iface)) return this.frames[slot];
    this.hashes[slot] = hash;
    this.checks[slot] = check;
    this.times[slot] = time;
    this.frames[slot] = frame;
    this.interfaces[slot] = iface;
    return 0;
  }
}
