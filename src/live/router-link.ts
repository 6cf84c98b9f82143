import { put16, u16 } from '../kit/index.js';
import type { Address } from './address.js';
import { type ReadPacket, TokenBucket } from './ip-packet.js';
import type { PacketPort } from './port.js';
import type { RouterAdvertiser } from './router-advertiser.js';

/** The router, RFC 8200; without it IPv6 is not supported. */
export interface Ipv6RouterOptions {
  /** Each UE gets a /64 out of it; the first is the router's own, with address 1. */
  prefix: Address;
  length: number;
  linkLocal: Address;
  dns?: readonly Address[];
  search?: readonly string[];
  sipNames?: readonly string[];
  sipAddresses?: readonly Address[];
  routerLifetime?: number;
  validLifetime?: number;
  preferredLifetime?: number;
}

/** What became of the packets of one UE. */
export interface LinkCounters {
  /** From the UE, and to it. */
  up: number;
  down: number;
  /** Of a family that is not supported: discarded. TS 24.322 §5.3.3.2 */
  family: number;
  damaged: number;
  /** From an address that is not the UE's. */
  spoofed: number;
  expired: number;
  tooBig: number;
  noRoute: number;
  /** ICMP errors not sent because there were too many. */
  errorsHeld: number;
}

/** Why a packet was not forwarded; each has a counter. */
export type DropReason = 'family' | 'damaged' | 'spoofed' | 'expired' | 'tooBig' | 'noRoute';

/** The tunnel of one UE as the router sees it, or the way out. */
export interface Link {
  readonly id: number;
  /** The UE's /64, if it has one. */
  readonly prefix: Address | undefined;
  readonly counters: LinkCounters;
}

/** A link with what the router needs to serve it. */
export class RouterLink implements Link {
  readonly counters: LinkCounters = {
    up: 0,
    down: 0,
    family: 0,
    damaged: 0,
    spoofed: 0,
    expired: 0,
    tooBig: 0,
    noRoute: 0,
    errorsHeld: 0,
  };
  readonly errors = new TokenBucket(20, 20);
  advertiser: RouterAdvertiser | undefined;
  constructor(
    readonly id: number,
    readonly port: PacketPort,
    /** Number of the UE's /64 within the router's prefix; 0: none. */
    readonly slot: number,
    readonly prefix: Address | undefined,
  ) {}
  send(packet: Uint8Array): void {
    this.counters.down++;
    this.port.send(packet);
  }
}

/** A copy with one hop less to go. RFC 1624 §3, RFC 8200 §3 */
export function hopOn(p: ReadPacket): Uint8Array {
  const out = p.packet.slice(0, p.end);
  if (p.version === 6) {
    out[7]--;
    return out;
  }
  out[8]--;
  const sum = u16(out, 10) + 0x100;
  put16(out, 10, (sum & 0xffff) + (sum >>> 16));
  return out;
}
