/** Link layers around IP packets. */

import { concat, encode, put16, put32 } from 'fttscope/kit';
import { ethernet } from '../../dissectors/ethernet.js';

export type Link = 'ethernet' | 'vlan' | 'qinq' | 'pppoe' | 'sll' | 'sll2' | 'raw' | 'null' | 'loop';

/** LINKTYPE numbers of tcpdump.org/linktypes.html. */
export const LINKTYPES: Readonly<Record<Link, number>> = {
  ethernet: 1,
  vlan: 1,
  qinq: 1,
  pppoe: 1,
  sll: 113,
  sll2: 276,
  raw: 101,
  null: 0,
  loop: 108,
};

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const HOSTS = [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)] as const;

/** The frame that carries a packet; `side` is who sent it: 0 the client, 1 the server. */
export function frame(link: Link, packet: Uint8Array, side: 0 | 1): Uint8Array {
  const etherType = packet[0]! >> 4 === 4 ? IPV4 : IPV6;
  switch (link) {
    case 'ethernet':
      return ether(etherType, packet, side);
    case 'vlan':
      return ether(0x8100, tagged(100, etherType, packet), side); // IEEE 802.1Q §9.6
    case 'qinq':
      return ether(0x88a8, tagged(200, 0x8100, tagged(100, etherType, packet)), side);
    case 'pppoe':
      return ether(0x8864, pppoe(etherType, packet), side);
    case 'sll':
      return cooked(etherType, packet, side);
    case 'sll2':
      return cooked2(etherType, packet, side);
    case 'raw':
      return packet;
    default:
      return family(link, etherType, packet);
  }
}

function ether(type: number, payload: Uint8Array, side: 0 | 1): Uint8Array {
  return encode(ethernet.codec!, { dst: HOSTS[1 - side]!, src: HOSTS[side], type, payload });
}

function tagged(vlan: number, type: number, payload: Uint8Array): Uint8Array {
  const tag = new Uint8Array(4);
  put16(tag, 0, vlan);
  put16(tag, 2, type);
  return concat([tag, payload]);
}

/** A PPPoE session packet, RFC 2516 §4, with the PPP protocol number of RFC 1332 or RFC 5072. */
function pppoe(etherType: number, packet: Uint8Array): Uint8Array {
  const header = new Uint8Array(8);
  header[0] = 0x11;
  put16(header, 2, 1);
  put16(header, 4, packet.length + 2);
  put16(header, 6, etherType === IPV4 ? 0x21 : 0x57);
  return concat([header, packet]);
}

function cooked(etherType: number, packet: Uint8Array, side: 0 | 1): Uint8Array {
  const header = new Uint8Array(16);
  put16(header, 0, side === 0 ? 4 : 0);
  put16(header, 2, 1);
  put16(header, 4, 6);
  header.set(HOSTS[side], 6);
  put16(header, 14, etherType);
  return concat([header, packet]);
}

function cooked2(etherType: number, packet: Uint8Array, side: 0 | 1): Uint8Array {
  const header = new Uint8Array(20);
  put16(header, 0, etherType);
  put32(header, 4, 2);
  put16(header, 8, 1);
  header[10] = side === 0 ? 4 : 0;
  header[11] = 6;
  header.set(HOSTS[side], 12);
  return concat([header, packet]);
}

/** BSD loopback: the address family, in host order (`null`, here little-endian) or network order (`loop`). */
function family(link: 'null' | 'loop', etherType: number, packet: Uint8Array): Uint8Array {
  const header = new Uint8Array(4);
  header[link === 'null' ? 0 : 3] = etherType === IPV4 ? 2 : 30;
  return concat([header, packet]);
}
