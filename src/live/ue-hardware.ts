import { networkInterfaces } from 'node:os';
import { type Hardware, lanHardware, tunnelHardware } from '../../dissectors/dhcp/message.js';
import { address, unmapped } from './address.js';

/**
 * The hardware fields of DHCP for this machine: the MAC address of its first LAN interface, else what is made of the
 * address that the tunnel runs from. RFC 3456 §4.1, TS 24.322 §6.3.1
 * @param local the outer address of the tunnel, as text
 */
export function hardwareOf(local: string): Hardware {
  for (const list of Object.values(networkInterfaces())) {
    const own = list?.find((a) => !a.internal && a.mac !== '00:00:00:00:00:00');
    if (own !== undefined) return lanHardware(Uint8Array.from(own.mac.split(':'), (h) => Number.parseInt(h, 16)));
  }
  const plain = unmapped(local);
  return tunnelHardware(address(plain.includes(':') || plain === '' ? '0.0.0.0' : plain));
}
