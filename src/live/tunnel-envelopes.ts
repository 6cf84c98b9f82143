import { HEADER, IP_PACKET } from '../../dissectors/ftt-ims.js';
import { put16, u16 } from '../kit/bytes.js';
import { PduBuffer } from '../stream/pdu-buffer.js';

/** The largest IP packet that an envelope can hold: Length has 16 bits and counts the header. TS 24.322 §7.1.2.1 */
export const LARGEST_PACKET = 0xffff - HEADER;

/** An IP packet in its envelope, TS 24.322 §7.1.2.2. */
export function ipEnvelope(ip: Uint8Array): Buffer {
  const n = HEADER + ip.length;
  const b = Buffer.allocUnsafe(n);
  b[0] = IP_PACKET;
  put16(b, 1, n);
  b.set(ip, HEADER);
  return b;
}

/** What arrived in envelopes, and what of it was discarded. */
export interface EnvelopeCounts {
  /** IP packets handed on, and their octets. */
  packets: number;
  octets: number;
  /** Discarded, by type. TS 24.322 §5.6 */
  readonly unknownTypes: Map<number, number>;
  /** Discarded: neither IPv4 nor IPv6, or not the family that this end supports. TS 24.322 §5.3 */
  otherVersions: number;
  /** Discarded: type 1 with a Length of 3. TS 24.322 §7.1.2.2 */
  empty: number;
}

/** What an end does with IP packets. */
export interface Families {
  readonly ip4: boolean;
  readonly ip6: boolean;
}

/**
 * The receiving side of one direction of a tunnel: cuts the octets into envelopes, however records cut them, hands the
 * IP packets on and discards what is to be discarded.
 */
export class EnvelopeReader {
  readonly counts: EnvelopeCounts = { packets: 0, octets: 0, unknownTypes: new Map(), otherVersions: 0, empty: 0 };
  private readonly window = new PduBuffer(LARGEST_PACKET + HEADER);

  constructor(
    private readonly families: Families,
    private readonly take: (ip: Uint8Array) => void,
  ) {}

  /** Octets that wait for the rest of their envelope. */
  get waiting(): number {
    return this.window.length;
  }

  /** Takes the next octets. False: a Length below 3, so that no envelope can be found any more (TS 24.322 §7.1.2.1). */
  feed(octets: Uint8Array): boolean {
    const w = this.window;
    w.feed(octets, 0, octets.length, 0);
    while (w.length >= HEADER) {
      const n = u16(w.buf, w.off + 1);
      if (n < HEADER) return false;
      if (w.length < n) break;
      const { buf, off, end } = w.take(n);
      this.envelope(buf, off, end);
    }
    return w.settle();
  }

  private envelope(b: Uint8Array, off: number, end: number): void {
    const { counts } = this;
    const type = b[off];
    if (type !== IP_PACKET) {
      counts.unknownTypes.set(type, (counts.unknownTypes.get(type) ?? 0) + 1); // TS 24.322 §5.6.2, §5.6.3: discard
      return;
    }
    if (end - off === HEADER) {
      counts.empty++;
      return;
    }
    const version = b[off + HEADER] >> 4;
    if (!(version === 4 && this.families.ip4) && !(version === 6 && this.families.ip6)) {
      counts.otherVersions++; // TS 24.322 §5.3.2.2, §5.3.3.2: discard
      return;
    }
    counts.packets++;
    counts.octets += end - off - HEADER;
    this.take(b.subarray(off + HEADER, end));
  }
}

/** Unknown types that are told one by one. */
const TYPES_TOLD = 5;

/** The discards in words, '' where there were none: `2 of unknown type 7, 1 of an IP version that is not supported`. */
export function discardsInWords(c: EnvelopeCounts): string {
  const types = [...c.unknownTypes].sort(([, a], [, b]) => b - a);
  const words = types.slice(0, TYPES_TOLD).map(([type, n]) => `${n} of unknown type ${type}`);
  const others = types.slice(TYPES_TOLD).reduce((sum, [, n]) => sum + n, 0);
  if (others > 0) words.push(`${others} of ${types.length - TYPES_TOLD} other unknown types`);
  if (c.otherVersions > 0) words.push(`${c.otherVersions} of an IP version that is not supported`);
  if (c.empty > 0) words.push(`${c.empty} without a packet`);
  return words.join(', ');
}
