import { u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';

/** Sequence numbers of ESP by SPI, as Wireshark follows them: each is to be one more than the one before. RFC 4303 §2.2. */
export class EspSequences {
  private readonly last = new Map<number, number>();

  /** Takes a packet's header in, at `off`; what is wrong with its number, '' if nothing. */
  see(b: Uint8Array, off: number): string {
    const spi = u32(b, off);
    const sequence = u32(b, off + 4);
    const before = this.last.get(spi);
    if (before === undefined && this.last.size >= LIMITS.transactions) this.last.delete(this.last.keys().next().value!);
    this.last.set(spi, sequence);
    if (before === undefined) return '';
    const expected = (before + 1) >>> 0;
    if (sequence === expected) return '';
    if (sequence === before) return `${sequence} repeated`;
    return sequence > expected ? `${sequence - expected} missing` : `${expected - sequence} less than expected`;
  }
}
