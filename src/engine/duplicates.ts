import type { Packet } from './packet.js';

/** Packets captured twice are at most so far apart. */
const WINDOW_SECONDS = 0.1;
const SLOTS = 1 << 15;
/** Numbers of a slot; the first two are as many words of 32 bits again. */
const DOUBLES = 4;
const TIME = 2;
const FRAME = 3;
/** Words of 32 bits. */
const HASH = 0;
const CHECK = 1;
const INTERFACE = 2;
const FILE = 3;
/**
 * Octets of a packet whose order counts, from its IP header on and at its end. All are summed, but a checksum inside
 * makes the sums of two packets equal.
 */
const HEAD = 128;
const TAIL = 24;

/** A hash with a word of 32 bits. */
function mixed(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x85ebca6b);
  return h ^ (h >>> 15);
}

/**
 * Recognises packets that several interfaces or a mirror port captured twice: equal from the innermost IP header on, TTL
 * (or hop limit) and header checksum aside, within 100 ms. Remembers hashes of the last packets in a table of fixed size.
 */
export class Duplicates {
  /** Of the packet that was last found to be a copy: the file of the first. */
  file = 0;
  /** All that is known of a packet lies together: it is mostly not in the processor's cache. */
  private readonly numbers = new Float64Array(SLOTS * DOUBLES);
  private readonly words = new Int32Array(this.numbers.buffer);
  /** The octets at hand, read a word at a time. Those of a chunk stand in one buffer. */
  private buf: Uint8Array = new Uint8Array(0);
  private octets: DataView = new DataView(this.buf.buffer);

  constructor() {
    for (let i = TIME; i < this.numbers.length; i += DOUBLES) this.numbers[i] = -1;
  }

  /**
   * The frame that a packet of the outer world repeats, or 0. A `bare` acknowledgment counts only when another interface saw
   * the first copy, or where each packet has an identification of its own: acknowledgments do repeat.
   * @param off where its IP header begins
   * @param iface number of its interface among all
   */
  see(
    { view: { buf, end }, frame, seconds, nanos, iface: { file } }: Packet,
    off: number,
    bare: boolean,
    iface: number,
  ): number {
    if (buf !== this.buf) {
      this.buf = buf;
      this.octets = new DataView(buf.buffer, buf.byteOffset, buf.length);
    }
    const { octets } = this;
    const time = seconds + nanos / 1e9;
    const six = buf[off] >> 4 === 6;
    // TTL and header checksum stand in the third word of IPv4, the hop limit in the second of IPv6; the protocol too.
    const except = six ? off + 4 : off + 8;
    let hash = ((end - off) << 8) | buf[six ? off + 6 : off + 9];
    const head = Math.min(end, off + HEAD) - 3;
    let i = off;
    for (; i < head; i += 4) if (i !== except) hash = mixed(hash, octets.getInt32(i));
    for (i = Math.max(i, end - TAIL); i < end - 3; i += 4) hash = mixed(hash, octets.getInt32(i));
    let check = end - off;
    for (i = off + 20; i < end - 3; i += 4) check = (check + octets.getInt32(i)) | 0;
    for (; i < end; i++) check = (check + buf[i]) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const { numbers, words } = this;
    const n = slot * DOUBLES;
    const w = 2 * n;
    const same =
      words[w + HASH] === hash && words[w + CHECK] === check && Math.abs(time - numbers[n + TIME]) <= WINDOW_SECONDS;
    const named = !six && (buf[off + 4] | buf[off + 5]) !== 0; // RFC 6864 §4.1: 0 or anything in atomic datagrams
    if (same && (!bare || named || words[w + INTERFACE] !== iface)) {
      this.file = words[w + FILE];
      return numbers[n + FRAME];
    }
    words[w + HASH] = hash;
    words[w + CHECK] = check;
    words[w + INTERFACE] = iface;
    words[w + FILE] = file;
    numbers[n + TIME] = time;
    numbers[n + FRAME] = frame;
    return 0;
  }
}
