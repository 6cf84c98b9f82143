import { type Address, addressText } from './address.js';
import type { InnerUe, InnerUeEvent } from './inner-ue.js';
import type { PacketPort } from './port.js';
import type { TunDevice } from './tun.js';

/** Joins two ports: what one receives the other sends. */
export function join(a: PacketPort, b: PacketPort): void {
  a.onPacket((packet) => b.send(packet));
  b.onPacket((packet) => a.send(packet));
}

const bits = (a: Address): number => 8 * a.length;

/** Gives the device what DHCP and routers gave the UE: addresses, routes, MTU. @throws CannotTun */
export function configure(tun: TunDevice, e: InnerUeEvent, inner: InnerUe): void {
  if (e.layer === 'dhcp' && e.event.type === 'bound') {
    const { address, prefixLength, mtu } = e.event.lease;
    if (mtu !== undefined) tun.setMtu(mtu);
    tun.addAddress(address, prefixLength);
    tun.addRoute('default', 4);
    for (const server of hosts(inner)) if (server.length === 4) tun.addRoute(`${addressText(server)}/32`, 4);
  } else if (e.layer === 'nd' && e.event.type === 'address') {
    tun.addAddress(e.event.address, e.event.linkLocal ? 64 : 128);
    if (!e.event.linkLocal) tun.addRoute('default', 6);
  } else if (e.layer === 'nd' && (e.event.type === 'expired' || e.event.type === 'duplicate')) {
    tun.removeAddress(e.event.address, bits(e.event.address));
  } else if (e.layer === 'dhcpv6' && e.event.type === 'configured') {
    for (const server of hosts(inner)) if (server.length === 16) tun.addRoute(`${addressText(server)}/128`, 6);
  }
}

/** Servers that were announced: the way to them is the tunnel, whatever other routes there are. */
function hosts(inner: InnerUe): Address[] {
  return [...inner.dnsServers, ...inner.pcscfs.filter((s): s is Address => typeof s !== 'string')];
}
