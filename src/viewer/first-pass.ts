import type { CaptureInterface } from '../capture/chunk.js';
import type { Packet } from '../engine/packet.js';
import { Pass } from '../engine/pass.js';
import { append } from '../kit/index.js';
import type { Frames } from './frames.js';

/** The pass that reads the capture first: notes which numbers flows get. */
export class FirstPass extends Pass {
  stored!: Frames;

  protected override continued(packet: Packet): CaptureInterface | undefined {
    const before = super.continued(packet);
    if (before !== undefined) this.stored.continued.set(packet.iface, before);
    return before;
  }

  protected override number(packet: Packet): void {
    const { udpStreams, tcpStreams, stored } = this;
    super.number(packet);
    const tunnel = packet.carrier?.lane.connection.tunnel?.id ?? 0;
    if (tunnel === 0 && packet.protocol === 6 && packet.state !== null)
      stored.setConnection(packet.ordinal, packet.state.stream + 1);
    const connection = tunnel === 0 ? stored.connection(packet.ordinal) : 0;
    for (let n = udpStreams; n < this.udpStreams; n++)
      if (tunnel > 0) append(stored.innerUdp, tunnel, n);
      else append(stored.outerUdp, connection, n);
    if (tunnel > 0) for (let n = tcpStreams; n < this.tcpStreams; n++) append(stored.innerTcp, tunnel, n);
  }
}
