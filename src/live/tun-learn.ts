import { ip4, ip6 } from '../kit/text.js';
import { LIMITS } from '../limits.js';
import type { PacketPort } from './port.js';

/**
 * Joins tunnels to a device with nothing between them: for real servers behind an EFTF that lease addresses and
 * advertise themselves. Which tunnel has an address is learnt from what it sends.
 */
export class LearningSwitch {
  private readonly ports = new Set<PacketPort>();
  private readonly owners = new Map<string, PacketPort>();
  private isFull = false;

  /** @param onFull called once, when an address is not learnt: what is for it goes to all from then on */
  constructor(
    private readonly device: PacketPort,
    private readonly onFull: () => void,
  ) {
    device.onPacket((packet) => this.down(packet));
  }

  attach(port: PacketPort): void {
    this.ports.add(port);
    port.onPacket((packet) => {
      const source = addressAt(packet, true);
      if (source !== undefined) this.learn(source, port);
      this.device.send(packet);
    });
  }

  private learn(source: string, port: PacketPort): void {
    if (this.owners.has(source) || this.owners.size < LIMITS.learntAddresses) this.owners.set(source, port);
    else if (!this.isFull) {
      this.isFull = true;
      this.onFull();
    }
  }

  detach(port: PacketPort): void {
    this.ports.delete(port);
    for (const [address, owner] of this.owners) if (owner === port) this.owners.delete(address);
  }

  /** To the tunnel that has the address; multicast, broadcast and what nobody has shown yet to all. */
  private down(packet: Uint8Array): void {
    const target = addressAt(packet, false);
    const owner = target === undefined ? undefined : this.owners.get(target);
    if (owner !== undefined) owner.send(packet);
    else for (const port of this.ports) port.send(packet);
  }
}

/** An address of a packet as text; undefined for the unspecified one and where there is none. */
function addressAt(p: Uint8Array, source: boolean): string | undefined {
  if (p[0] >> 4 === 4 && p.length >= 20) {
    const text = ip4(p, source ? 12 : 16);
    return text === '0.0.0.0' ? undefined : text;
  }
  if (p[0] >> 4 !== 6 || p.length < 40) return undefined;
  const text = ip6(p, source ? 8 : 24);
  return text === '::' ? undefined : text;
}
