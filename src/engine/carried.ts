import type { EnvelopeNote } from '../../dissectors/ftt-ims.js';
import type { View } from '../kit/index.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { Datagram, Packet } from './packet.js';

/** The carrying datagram whose header or payload starts at `v`. */
export function carrierOf(carriers: readonly Datagram[], v: View): Datagram | undefined {
  for (const c of carriers) if (c.buf === v.buf && (c.header === v.off || c.payload === v.off)) return c;
  return undefined;
}

/** What the dissector of envelopes is told about the one around a packet. */
export function envelopeNote(packet: Packet, e: Envelope): EnvelopeNote {
  const { lane, segments, resync } = e;
  const tunnel = lane.connection.tunnel!;
  return {
    tunnel: tunnel.id,
    direction: tunnel.direction(lane.side),
    number: packet.number,
    frames: segments?.length ?? 1,
    resync,
  };
}
