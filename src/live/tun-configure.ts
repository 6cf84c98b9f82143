import { type Address, addressText, same } from './address.js';
import type { InnerUe, InnerUeEvent } from './inner-ue.js';
import type { PacketPort } from './port.js';
import type { TunDevice } from './tun.js';

/** Joins two ports: what one receives the other sends. */
export function join(a: PacketPort, b: PacketPort): void {
  a.onPacket((packet) => b.send(packet));
  b.onPacket((packet) => a.send(packet));
}

/** Gives a device what DHCP and routers give the UE, and takes it back with them: addresses, routes, MTU. */
export class TunConfiguration {
  /** Addresses that the device has, with their lengths. */
  private readonly given = new Map<string, { address: Address; length: number }>();

  constructor(private readonly tun: TunDevice) {}

  /** Does what an event says. @throws CannotTun */
  take(e: InnerUeEvent, inner: InnerUe): void {
    const { tun } = this;
    if (e.layer === 'dhcp' && e.event.type === 'bound') {
      const { address, prefixLength, mtu } = e.event.lease;
      if (mtu !== undefined) tun.setMtu(mtu);
      this.takeBack((a) => a.length === 4 && !same(a, address)); // before: the first of a subnet takes the others with it
      this.give(address, prefixLength);
      tun.addRoute('default', 4);
      for (const server of hosts(inner)) if (server.length === 4) tun.addRoute(`${addressText(server)}/32`, 4);
    } else if (e.layer === 'dhcp' && e.event.type === 'lost') {
      this.takeBack((a) => a.length === 4); // RFC 2131 §4.4.5: not used any more
    } else if (e.layer === 'nd' && e.event.type === 'address') {
      this.give(e.event.address, e.event.linkLocal ? 64 : 128);
      if (!e.event.linkLocal) tun.addRoute('default', 6);
    } else if (e.layer === 'nd' && e.event.type === 'deprecated') {
      const known = this.given.get(addressText(e.event.address));
      if (known !== undefined) tun.deprecate(known.address, known.length);
    } else if (e.layer === 'nd' && (e.event.type === 'expired' || e.event.type === 'duplicate')) {
      const { address } = e.event;
      this.takeBack((a) => same(a, address));
    } else if (e.layer === 'dhcpv6' && e.event.type === 'configured') {
      for (const server of hosts(inner)) if (server.length === 16) tun.addRoute(`${addressText(server)}/128`, 6);
    }
  }

  /** The tunnel is gone, and with it every address that it gave: the next one gives others. */
  clear(): void {
    this.takeBack(() => true);
  }

  private give(address: Address, length: number): void {
    this.tun.addAddress(address, length);
    this.given.set(addressText(address), { address, length });
  }

  private takeBack(which: (a: Address) => boolean): void {
    for (const [text, { address, length }] of this.given) {
      if (!which(address)) continue;
      this.tun.removeAddress(address, length);
      this.given.delete(text);
    }
  }
}

/** Servers that were announced: the way to them is the tunnel, whatever other routes there are. */
function hosts(inner: InnerUe): Address[] {
  return [...inner.dnsServers, ...inner.pcscfs.filter((s): s is Address => typeof s !== 'string')];
}
