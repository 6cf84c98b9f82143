import { i32, ip6 } from '../kit/index.js';
import { Phrase } from './phrase.js';

/** Addresses that are remembered; a power of two. */
const SLOTS = 2048;
const SIZE = 16;
/** Factor of the hash. */
const MIX = 0x9e3779b1;

/** IPv6 addresses as JSON: the same few come again and again, and each takes a while to be made. */
export class Ip6Phrases {
  private readonly octets = new Uint8Array(SLOTS * SIZE);
  private readonly phrases: (Phrase | undefined)[] = new Array(SLOTS).fill(undefined);

  /** The address at `off`. */
  of(b: Uint8Array, off: number): Phrase {
    const { octets } = this;
    // Words whose lowest bits are those of the last octet, in which the addresses of one network differ: multiplying
    // carries a difference upwards alone.
    let hash = 0;
    for (let i = off; i < off + SIZE; i += 4) hash = Math.imul(hash ^ i32(b, i), MIX) ^ (hash >>> 15);
    const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
    const known = this.phrases[slot];
    const at = slot * SIZE;
    let i = 0;
    while (i < SIZE && octets[at + i] === b[off + i]) i++;
    if (i === SIZE && known !== undefined) return known;
    for (i = 0; i < SIZE; i++) octets[at + i] = b[off + i];
    return (this.phrases[slot] = new Phrase(`"${ip6(b, off)}"`));
  }
}
