import { CODES } from '../../../dissectors/icmp-types.js';
import { CODES as CODES_6 } from '../../../dissectors/icmpv6/types.js';
import { type SipRepresentation, sip } from '../../../dissectors/sip/index.js';
import { encode } from '../../kit/index.js';
import { type Address, same } from '../address.js';
import type { IpHost } from '../host.js';

/** Where a message goes to, or came from. */
export interface SipPeer {
  address: Address;
  port: number;
  /** UDP without it. */
  protocol?: 'TCP';
}

/** Carries whole messages. */
export interface SipTransport {
  readonly hasTcp?: boolean;
  /** What stands in Via and Contact for a peer: our address and port towards it. */
  local(peer: SipPeer): SipPeer | undefined;
  send(octets: Uint8Array, peer: SipPeer): void;
  /** Ends the connection with a peer at once; who listens is not told. */
  drop?(peer: SipPeer, why: string): void;
  /** Set by who listens. */
  onOctets: ((octets: Uint8Array, from: SipPeer) => void) | undefined;
  /** The connection with a peer is gone, or never was: why, in words. */
  onLost?: ((peer: SipPeer, why: string) => void) | undefined;
  /** An ICMP error says that a datagram to a peer did not arrive: why, in words. RFC 3261 §18.4 */
  onUnreachable?: ((peer: SipPeer, why: string) => void) | undefined;
  close(): void;
}

/** Whether the transport repeats what is lost itself. RFC 3261 §17 */
export const isReliable = (peer: SipPeer): boolean => peer.protocol === 'TCP';

/** What a URI says of how its host is reached. RFC 3261 §19.1.1 */
export const uriTransport = (peer: SipPeer): string => (isReliable(peer) ? ';transport=tcp' : '');

/** The same address, port and protocol. */
export const samePeer = (a: SipPeer, b: SipPeer): boolean => a.protocol === b.protocol && sameEnd(a, b);

/** The same address and port, by whatever protocol. */
export const sameEnd = (a: SipPeer, b: SipPeer): boolean => a.port === b.port && same(a.address, b.address);

/** SIP over a UDP port of a host. @throws RangeError where the port is taken */
export function udpTransport(host: IpHost, port: number): SipTransport {
  const socket = host.udp(port, (d) => transport.onOctets?.(d.payload, { address: d.src, port: d.srcport }));
  const transport: SipTransport = {
    onOctets: undefined,
    local(peer) {
      const address = host.sourceFor(peer.address);
      return address && { address, port: socket.port };
    },
    send: (octets, peer) => void socket.send(peer.address, peer.port, octets),
    close: () => socket.close(),
  };
  socket.onError = ({ type, code, dst: address, dstport }) => {
    // Of too large a packet, or one that was under way for too long, another try may arrive.
    const isHard = address.length === 4 ? type === 3 && code !== 4 : type === 1;
    const words = (address.length === 4 ? CODES : CODES_6)[type]?.[code] ?? 'unreachable';
    if (isHard) transport.onUnreachable?.({ address, port: dstport }, words.toLowerCase());
  };
  return transport;
}

const codec = sip.codec!;

/** The message in a datagram; undefined for what is none. RFC 3261 §18.3 */
export function readSip(octets: Uint8Array): SipRepresentation | undefined {
  try {
    return codec.parse(octets, 0, octets.length);
  } catch {
    return undefined;
  }
}

/** A message as octets; it has the headers that it was given, and no other. */
export const writeSip = (m: SipRepresentation): Uint8Array => encode(codec, m);

/** Times of transactions, ms. RFC 3261 §17.1.1.1; TS 24.229 §7.7 table 7.7.1 */
export interface SipTimers {
  t1: number;
  t2: number;
  t4: number;
  /** How long a completed INVITE client transaction takes in repeated responses over UDP. */
  d: number;
}

/** The defaults. RFC 3261 §17.1.1.1, §17.1.1.2 */
export const RFC_TIMERS: SipTimers = { t1: 500, t2: 4000, t4: 5000, d: 32_000 };
/** Between a UE and its P-CSCF. */
export const IMS_TIMERS: SipTimers = { t1: 2000, t2: 16_000, t4: 17_000, d: 128_000 };
