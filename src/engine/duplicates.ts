import { sumWords } from '../kit/index.js';

/** Packets captured twice are at most so far apart. Contract section 4. */
const WINDOW_SECONDS = 0.1;
const SLOTS = 1 << 15;
/**
 * Octets of a packet whose order counts, from its IP header on and at its end: RTP in GTP among them. All are summed, but a
 * checksum inside makes the sums of two packets equal.
 */
const HEAD = 128;
const TAIL = 24;

/** A hash with the word at `off`. */
function mixed(hash: number, b: Uint8Array, off: number): number {
  const word = (b[off] << 24) | (b[off + 1] << 16) | (b[off + 2] << 8) | b[off + 3];
  const h = Math.imul(hash ^ word, 0x85ebca6b);
  return h ^ (h >>> 15);
}

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
   * The frame that this packet repeats, or 0. `[off, end)` is the packet from its IP header on; a `bare`
   * acknowledgment counts only when another interface saw the first copy, or where each packet has an identification of
   * its own: acknowledgments do repeat.
   */
  see(buf: Uint8Array, off: number, end: number, bare: boolean, frame: number, iface: number, time: number): number {
    const six = buf[off] >> 4 === 6;
    // TTL and header checksum stand in the third word of IPv4, the hop limit in the second of IPv6; the protocol too.
    const except = six ? off + 4 : off + 8;
    let hash = ((end - off) << 8) | buf[six ? off + 6 : off + 9];
    const words = Math.min(end, off + HEAD) - 3;
    let i = off;
    for (; i < words; i += 4) if (i !== except) hash = mixed(hash, buf, i);
    for (i = Math.max(i, end - TAIL); i < end - 3; i += 4) hash = mixed(hash, buf, i);
    const check = sumWords(buf, off + 20, end, end - off) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const same =
      this.hashes[slot] === hash && this.checks[slot] === check && Math.abs(time - this.times[slot]) <= WINDOW_SECONDS;
    const named = !six && (buf[off + 4] | buf[off + 5]) !== 0; // RFC 6864 §4.2: 0 or anything in atomic datagrams
    if (same && (!bare || named || this.interfaces[slot] !== iface)) return this.frames[slot];
    this.hashes[slot] = hash;
    this.checks[slot] = check;
    this.times[slot] = time;
    this.frames[slot] = frame;
    this.interfaces[slot] = iface;
    return 0;
  }
}
