import { equalBytes, ip4, ip6, u8, u16, u32 } from '../kit/index.js';
import type { Seen } from '../model/moment.js';
import { limitOf, type PathMessage, PathMessages } from '../model/path-messages.js';
import type { TcpLife } from '../model/tcp-life.js';
import type { Packet } from './packet.js';
import { TcpState } from './tcp-state.js';
import type { TunnelLife } from './tunnel-life.js';

/** Octets of a message of ICMP before what it quotes. RFC 792, RFC 4443 §3 */
export const ICMP_HEADER = 8;
/** Octets of the smallest IP and TCP headers. */
const HEADERS = { 4: 40, 6: 60 } as const;

/** The message of ICMP that a packet is, as far as it may say something of the way; undefined where it is cut short. */
export function pathMessage({
  transport: b,
  payload,
  payloadEnd,
  net,
  addresses,
  source,
}: Packet): PathMessage | undefined {
  if (b === null || addresses === null || net === 0 || payloadEnd - payload < ICMP_HEADER) return undefined;
  const mtu = net === 6 ? u32(b, payload + 4) : u16(b, payload + 6);
  const from = net === 6 ? ip6(addresses, source) : ip4(addresses, source);
  return { net, type: u8(b, payload), code: u8(b, payload + 1), mtu, from };
}

/** Where the segment or datagram came from and was to go that a message of ICMP quotes, with the port there. */
export function quotedEnds({
  transport: b,
  payload,
  quote,
}: Packet): [from: string, to: string, port: number] | undefined {
  if (b === null || quote === null) return undefined;
  const ip = payload + ICMP_HEADER;
  const port = u16(quote.buf, quote.header + 2);
  return u8(b, ip) >> 4 === 6 ? [ip6(b, ip + 8), ip6(b, ip + 24), port] : [ip4(b, ip + 12), ip4(b, ip + 16), port];
}

/** Notes what a message of ICMP says of the TCP connection whose segment it quotes; it goes to who sent that. */
export function tellPath(at: Seen, packet: Packet, lives: readonly (TunnelLife | undefined)[]): void {
  const { quote, addresses, destination, net } = packet;
  if (quote === null || !(quote.conversation instanceof TcpState)) return;
  const { flow, model, tunnel } = quote.conversation;
  const m = pathMessage(packet);
  if (model === null || m === undefined) return;
  const life = model as TcpLife;
  const { a } = flow;
  const side =
    equalBytes(addresses!, destination, a, 0, a.length) && u16(quote.buf, quote.header) === flow.aPort ? 0 : 1;
  life.told ??= new PathMessages();
  life.told.take(at, side, m);
  const most = (limitOf(m) ?? 0) - HEADERS[net === 6 ? 6 : 4];
  if (most > 0 && tunnel !== null) lives[tunnel.id - 1]?.path.bounded(side, most);
}
