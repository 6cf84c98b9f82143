import {
  addressOption,
  type ClientMessage,
  type Dhcpv6Message,
  type Dhcpv6Option,
  Dhcpv6Type,
  dhcpv6Message,
  findOption,
  namesOption,
  numberOption,
} from '../../dissectors/dhcpv6/message.js';
import { equalBytes, u16 } from '../kit/index.js';
import type { Address } from './address.js';

/** What a stateless server tells. */
export interface Dhcpv6ServerOptions {
  duid: Uint8Array;
  dns?: readonly Address[];
  search?: readonly string[];
  /** P-CSCF. RFC 3319 */
  sipNames?: readonly string[];
  sipAddresses?: readonly Address[];
  /** When clients ask again, seconds. */
  refreshSeconds?: number;
}

/** Options of addresses and prefixes: a request that has one is not answered. RFC 9915 §16.12 */
const IDENTITY_ASSOCIATIONS = [3, 4, 25];

/** The answer to a message of a client, undefined where it gets none: this server gives no addresses. RFC 9915 §18.3.6 */
export function informationReply(m: Dhcpv6Message, o: Dhcpv6ServerOptions): ClientMessage | undefined {
  if (!('xid' in m) || m.type !== Dhcpv6Type.InformationRequest) return undefined;
  if (m.options.some((x) => IDENTITY_ASSOCIATIONS.includes(x.code))) return undefined;
  const server = findOption(m, 2);
  const mine = server?.length === o.duid.length && equalBytes(server, 0, o.duid, 0, o.duid.length);
  if (server && !mine) return undefined;
  const client = findOption(m, 1);
  const ids: Dhcpv6Option[] = [{ code: 2, bytes: o.duid }, ...(client ? [{ code: 1, bytes: client }] : [])];
  const wanted = findOption(m, 6) ?? new Uint8Array(0);
  const asked = new Set<number>();
  for (let i = 0; i + 2 <= wanted.length; i += 2) asked.add(u16(wanted, i));
  return dhcpv6Message(Dhcpv6Type.Reply, m.xid, [...ids, ...configuration(o).filter((x) => asked.has(x.code))]);
}

function configuration(o: Dhcpv6ServerOptions): Dhcpv6Option[] {
  const all: Dhcpv6Option[] = [];
  if (o.sipNames?.length) all.push(namesOption(21, o.sipNames));
  if (o.sipAddresses?.length) all.push(addressOption(22, ...o.sipAddresses));
  if (o.dns?.length) all.push(addressOption(23, ...o.dns));
  if (o.search?.length) all.push(namesOption(24, o.search));
  if (o.refreshSeconds) all.push(numberOption(32, o.refreshSeconds));
  return all;
}
