import { ICMPV6, TCP, UDP } from '../../dissectors/numbers.js';
import { checksum, pseudoHeader, u16 } from '../kit/index.js';
import type { Packet } from './packet.js';

/** Where the source address stands in an IPv4 header, and what the checksum is counted over. RFC 791 §3.1 */
const SOURCE = 12;

/** Which checksum of a packet is wrong, outermost first; '' where none is, or where it cannot be told. */
export function wrongChecksum(p: Packet): 'an IPv4 header' | 'ICMP' | 'UDP' | 'TCP' | '' {
  if (p.addresses === null || p.transport === null || p.payloadEnd < p.payloadWireEnd) return '';
  if (p.net === 4) {
    const at = p.source - SOURCE;
    if (at >= 0 && checksum(p.addresses, at, at + 4 * (p.addresses[at] & 15)) !== 0) return 'an IPv4 header';
  }
  if (p.control !== null) return p.payload < p.payloadEnd && isWrongControl(p) ? 'ICMP' : '';
  if (p.protocol === UDP) return isWrongDatagram(p) ? 'UDP' : '';
  return p.protocol === TCP && sumOf(p, TCP, p.header, p.payloadEnd) !== 0 ? 'TCP' : '';
}

const pairOf = ({ net, addresses, source, destination }: Packet) => ({
  version: net === 6 ? (6 as const) : (4 as const),
  buf: addresses!,
  src: source,
  dst: destination,
});

const sumOf = (p: Packet, protocol: number, from: number, end: number): number =>
  checksum(p.transport!, from, end, pseudoHeader(pairOf(p), protocol, end - from));

/** RFC 792: over the message alone; RFC 4443 §2.3: with a pseudo-header. */
const isWrongControl = (p: Packet): boolean =>
  (p.net === 6 ? sumOf(p, ICMPV6, p.payload, p.payloadEnd) : checksum(p.transport!, p.payload, p.payloadEnd)) !== 0;

/** RFC 768: 0 says that there is none; RFC 8200 §8.1: over IPv6 there must be one. */
function isWrongDatagram(p: Packet): boolean {
  const b = p.transport!;
  const end = p.header + u16(b, p.header + 4);
  if (end > p.payloadEnd || end < p.header + 8) return false;
  if (u16(b, p.header + 6) === 0) return p.net === 6;
  return sumOf(p, UDP, p.header, end) !== 0;
}
