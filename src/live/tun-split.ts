import { ICMP, ICMPV6, UDP } from '../../dissectors/numbers.js';
import { u16 } from '../kit/bytes.js';
import type { PacketPort } from './port.js';
import type { TunDevice } from './tun.js';

const DHCP_CLIENT = 68;
const DHCPV6_CLIENT = 546;
/** ICMPv6: router solicitation to redirect; echo reply. ICMP: echo reply. */
const [FIRST_NEIGHBOUR, LAST_NEIGHBOUR, ECHO_REPLY_6, ECHO_REPLY] = [133, 137, 129, 0];
/** Multicast listener messages: the kernel's are about a link that is not there. */
const LISTENER = new Set([130, 131, 132, 143]);

/**
 * A tunnel's port at a UE with a TUN device: addresses are got by the machines of the UE, which see DHCP and neighbour
 * discovery; all else is the kernel's.
 */
export class TunSplit implements PacketPort {
  private receive: ((ip: Uint8Array) => void) | undefined;

  constructor(
    private readonly tunnel: PacketPort,
    private readonly device: TunDevice,
  ) {
    tunnel.onPacket((packet) => {
      const whose = kindOf(packet);
      if (whose !== 'kernel') this.receive?.(packet);
      if (whose !== 'machine') device.send(packet);
    });
    device.onPacket((packet) => {
      if (!isLinkChatter(packet)) tunnel.send(packet);
    });
  }

  send(packet: Uint8Array): void {
    this.tunnel.send(packet);
  }

  onPacket(receive: (ip: Uint8Array) => void): void {
    this.receive = receive;
  }

  close(): void {
    this.device.onPacket(() => {});
    this.tunnel.close();
  }
}

function kindOf(p: Uint8Array): 'machine' | 'kernel' | 'both' {
  if (p[0] >> 4 === 4) {
    const at = (p[0] & 15) * 4;
    if (p[9] === UDP && p.length >= at + 4 && u16(p, at + 2) === DHCP_CLIENT) return 'machine';
    return p[9] === ICMP && p[at] === ECHO_REPLY ? 'both' : 'kernel';
  }
  if (p[6] === UDP && p.length >= 44 && u16(p, 42) === DHCPV6_CLIENT) return 'machine';
  if (p[6] !== ICMPV6) return 'kernel';
  if (p[40] >= FIRST_NEIGHBOUR && p[40] <= LAST_NEIGHBOUR) return 'machine';
  return p[40] === ECHO_REPLY_6 ? 'both' : 'kernel';
}

/** What the kernel says about the device as a link: solicitations and listener reports that the machines say better. */
function isLinkChatter(p: Uint8Array): boolean {
  if (p[0] >> 4 !== 6) return false;
  const at = p[6] === 0 ? 48 : 40; // behind hop-by-hop options of eight octets, as reports have them
  const next = p[6] === 0 ? p[40] : p[6];
  return next === ICMPV6 && ((p[at] >= FIRST_NEIGHBOUR && p[at] <= LAST_NEIGHBOUR) || LISTENER.has(p[at]));
}
