import { type Codec, put16, u16 } from 'fttscope/kit';

/** One packet of a compound; what follows the header is kept as it is, padding included. */
export interface RtcpPacket {
  /** Reception reports, sources, subtype or feedback format: the five bits beside the version. */
  count: number;
  type: number;
  padding: boolean;
  /** Whole 32-bit words after the header. */
  body: Uint8Array;
}

/** A compound packet, RFC 3550 §6.1. */
export interface Rtcp {
  packets: RtcpPacket[];
  /** Octets behind the last packet, as SRTCP puts there. */
  trailer: Uint8Array;
}

/** Octets of the header that all packets have. RFC 3550 §6.4.1 */
export const HEADER = 4;

/** Octets of the packet at `o`, header included. */
export const packetLength = (b: Uint8Array, o: number): number => HEADER + 4 * u16(b, o + 2);

/** A compound packet: its packets, each as octets behind the header. */
export const codec: Codec<Rtcp> = {
  parse(b, o, end) {
    const packets: RtcpPacket[] = [];
    let at = o;
    while (at + HEADER <= end && b[at] >> 6 === 2 && at + packetLength(b, at) <= end) {
      const next = at + packetLength(b, at);
      const padding = (b[at] & 0x20) !== 0;
      packets.push({ count: b[at] & 0x1f, type: b[at + 1], padding, body: b.slice(at + HEADER, next) });
      at = next;
    }
    return { packets, trailer: b.slice(at, end) };
  },
  size: (r) => r.packets.reduce((n, p) => n + HEADER + p.body.length, r.trailer.length),
  emit(r, b, o) {
    let at = o;
    for (const p of r.packets) {
      b[at] = 0x80 | (p.padding ? 0x20 : 0) | (p.count & 0x1f);
      b[at + 1] = p.type;
      put16(b, at + 2, p.body.length / 4);
      b.set(p.body, at + HEADER);
      at += HEADER + p.body.length;
    }
    b.set(r.trailer, at);
    return at + r.trailer.length - o;
  },
};
