import { HEADER, IP_PACKET, innerLength } from '../../dissectors/ftt-ims.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { Tunnel } from '../tunnel/tunnel.js';

/** Counts an envelope up (0) or down; returns its number there. Invalid: type 1 without a whole IPv4 or IPv6 packet. */
export function tally(tunnel: Tunnel, way: 0 | 1, e: Envelope): number {
  const { type, buf, off, end } = e;
  const c = tunnel.envelopes[way];
  c.total++;
  c.octets += end - off;
  if (type !== IP_PACKET) {
    c.unknown++;
    tunnel.unknownTypes.set(type, (tunnel.unknownTypes.get(type) ?? 0) + 1);
  } else if (innerLength(buf, off + HEADER, end) !== end - off - HEADER) c.invalid++;
  else if (buf[off + HEADER] >> 4 === 4) c.ip4++;
  else c.ip6++;
  return c.total;
}
