import { TCP } from '../../dissectors/numbers.js';
import { ACK, FIN, PSH, RST, SYN } from '../../dissectors/tcp/fields.js';
import { type TcpSegment, tcp } from '../../dissectors/tcp/index.js';
import { checksum, encode, pseudoHeader, put16, u16 } from '../kit/index.js';
import { ipPacket, netPair, type PacketHeader, type ReadPacket } from './ip-packet.js';

/*
 * TCP segments as octets, and the arithmetic of sequence numbers. Headers are built by the codec of the dissector, so that
 * what is sent and what is shown agree.
 */

export { ACK, FIN, PSH, RST, SYN, type TcpSegment };

/** IP protocol number. */
const HEADER = 20;
const MSS_KIND = 2;
const NONE = new Uint8Array(0);

const codec = tcp.codec!;

/** `seq` and `n` octets more, modulo 2^32. */
export const plus = (seq: number, n: number): number => (seq + n) >>> 0;

/** What a segment takes of the sequence space: its octets, SYN and FIN. RFC 9293 §3.4 */
export const spaceOf = (s: TcpSegment): number =>
  s.payload.length + ((s.flags & SYN) !== 0 ? 1 : 0) + ((s.flags & FIN) !== 0 ? 1 : 0);

/** A whole TCP packet; what is not said of the segment is empty. */
export function tcpPacket(
  h: Omit<PacketHeader, 'protocol'>,
  segment: Omit<TcpSegment, 'urgent' | 'options' | 'payload'> & Partial<TcpSegment>,
): Uint8Array {
  const whole = { urgent: 0, options: NONE, payload: NONE, ...segment };
  return ipPacket({ ...h, protocol: TCP }, encode(codec, whole, netPair(h.src, h.dst)));
}

/** The segment in a packet; undefined where its header or checksum is wrong. RFC 9293 §3.1 */
export function readSegment(p: ReadPacket): TcpSegment | undefined {
  const { packet, off, end } = p;
  const header = end - off < HEADER ? 0 : (packet[off + 12] >> 4) << 2;
  if (header < HEADER || off + header > end) return undefined;
  if (checksum(packet, off, end, pseudoHeader(netPair(p.src, p.dst), TCP, end - off)) !== 0) return undefined;
  return codec.parse(packet, off, end);
}

/** The option that says the largest segment that this end takes. RFC 9293 §3.7.1 */
export function mssOption(octets: number): Uint8Array {
  const option = Uint8Array.of(MSS_KIND, 4, 0, 0);
  put16(option, 2, octets);
  return option;
}

/** What the maximum segment size option says; undefined without one. RFC 9293 §3.2 */
export function mssOf({ options }: TcpSegment): number | undefined {
  for (let i = 0; i < options.length && options[i] !== 0; ) {
    if (options[i] === MSS_KIND && options[i + 1] === 4 && i + 4 <= options.length) return u16(options, i + 2);
    i += options[i] === 1 ? 1 : Math.max(2, options[i + 1] ?? 2);
  }
  return undefined;
}
