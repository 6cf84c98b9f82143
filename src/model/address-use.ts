import { checksum, hex } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Arrival, Seen } from './moment.js';

/** The addresses of one kind that packets bear, each with the first packet: hexadecimal digits, in order of appearance. */
export class AddressUse {
  readonly first = new Map<string, Seen>();
  /** The last one that was seen, so that most packets cost a comparison. */
  private readonly last = new Uint8Array(16);
  private length = 0;
  /** Whether there was one more than fits. */
  isShort = false;

  /**
   * @param n 4 or 16 octets at `off`
   * @param header where the IP header starts that bears it; a damaged one of IPv4 says nothing
   * @param except of the other end: a packet that bears one of these, at `other`, does not count
   */
  take(a: Arrival, b: Uint8Array, off: number, n: number, header: number, except?: AddressUse, other = 0): void {
    let same = n === this.length;
    for (let i = 0; same && i < n; i++) same = b[off + i] === this.last[i];
    if (same || this.isShort || except?.first.has(hex(b, other, n, '')) === true) return;
    this.length = n;
    this.last.set(b.subarray(off, off + n));
    const digits = hex(b, off, n, '');
    if (this.first.has(digits) || (n === 4 && isDamaged(b, header))) return;
    if (this.first.size < LIMITS.tunnelAddresses) this.first.set(digits, a.seen());
    else this.isShort = true;
  }
}

/** Whether the checksum of an IPv4 header is wrong. RFC 791 §3.1 */
const isDamaged = (b: Uint8Array, header: number): boolean =>
  header >= 0 && checksum(b, header, header + 4 * (b[header] & 15)) !== 0;
