import type { Address } from './address.js';
import type { ReadPacket } from './ip-packet.js';

/** A datagram that arrived at a socket. The payload is the receiver's own. */
export interface ReceivedDatagram {
  src: Address;
  srcport: number;
  dst: Address;
  dstport: number;
  ttl: number;
  payload: Uint8Array;
}

/** Where a datagram goes, and what is set by hand. */
export interface SendOptions {
  /** Chosen by the host where it is not given. */
  src?: Address;
  ttl?: number;
  ds?: number;
}

/** A port of the host, held by who opened it. */
export interface UdpSocket {
  readonly port: number;
  /** Sends a datagram. False where this host has no address to send it from. */
  send(dst: Address, dstport: number, payload: Uint8Array, options?: SendOptions): boolean;
  /** Called where an ICMP error says that a datagram did not arrive. */
  onError?: (error: { type: number; code: number; dst: Address; dstport: number }, now: number) => void;
  close(): void;
}

/** A protocol on top of IP. */
export interface UpperProtocol {
  receive(packet: ReadPacket, now: number): void;
  /** An ICMP error came about a packet of ours. `quoted`: what stands behind its IP header, four octets at least. */
  failed(src: Address, dst: Address, quoted: Uint8Array, type: number, code: number): void;
}

/** An address of the host. */
export interface HostAddress {
  address: Address;
  /** Bits that the link shares; 32 and 128 where it shares none. */
  prefixLength: number;
  /** Not for new conversations. RFC 4862 §5.5.4 */
  deprecated?: boolean;
}

/** What was thrown away, and why. */
export interface HostCounters {
  received: number;
  sent: number;
  /** Packets of a family that is not supported. */
  family: number;
  /** Headers or checksums that are wrong. */
  damaged: number;
  /** For an address that this host does not have. */
  notMine: number;
  /** For a port that nobody listens at. */
  noPort: number;
  /** Parts of datagrams that never became whole, or did not fit. */
  fragments: number;
  /** Not taken of routers, as there were enough: prefixes, routers, DNS servers. */
  prefixes: number;
  routers: number;
  servers: number;
  /** Destinations whose path MTU was forgotten for others. */
  paths: number;
  /** Errors not sent because there were too many. */
  errorsHeld: number;
}

/** An ICMP error, and the beginning of the packet that it is about. */
export interface IcmpErrorNote {
  version: 4 | 6;
  type: number;
  code: number;
  src: Address;
  quoted: Uint8Array;
}

/** An answer to an echo request. */
export interface EchoReply {
  src: Address;
  ident: number;
  sequence: number;
  ttl: number;
  data: Uint8Array;
}

/** The counters of a host that has neither sent nor received. */
export const zeroCounters = (): HostCounters => ({
  received: 0,
  sent: 0,
  family: 0,
  damaged: 0,
  notMine: 0,
  noPort: 0,
  fragments: 0,
  prefixes: 0,
  routers: 0,
  servers: 0,
  paths: 0,
  errorsHeld: 0,
});
