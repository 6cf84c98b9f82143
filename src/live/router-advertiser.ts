import {
  dnsslOption,
  type Icmpv6Message,
  mtuOption,
  type NdOption,
  neighborAdvertisement,
  prefixOption,
  rdnssOption,
  readTarget,
  routerAdvertisement,
  TYPE,
} from '../../dissectors/icmpv6/messages.js';
import { type Address, ALL_NODES, isMulticast, isUnspecified, same, solicitedNode } from './address.js';
import type { EftfFaults } from './fault-eftf.js';
import { icmpv6Packet } from './ip-packet.js';
import type { Random } from './random.js';

/** What a router says about a link. Times in seconds. RFC 4861 §6.2.1 */
export interface AdvertiserOptions {
  /** The router's address on the link. */
  linkLocal: Address;
  /** The /64 of the UE on this link; none where no prefix is left. */
  prefix?: Address;
  mtu: number;
  dns?: readonly Address[];
  search?: readonly string[];
  /** Whether there is more to learn by DHCPv6. */
  other: boolean;
  routerLifetime?: number;
  validLifetime?: number;
  preferredLifetime?: number;
  faults?: EftfFaults;
}

/** RFC 4861 §10, ms */
const INITIAL_ADVERTISEMENTS = 3;
const INITIAL_INTERVAL = 16_000;
const ANSWER_DELAY = 500;
const LEAST_GAP = 3000;
/** RFC 4861 §6.2.1: MaxRtrAdvInterval, MinRtrAdvInterval. */
const LONGEST_GAP = 600_000;
const SHORTEST_GAP = 200_000;

/**
 * The router's side of neighbor discovery on one link, without I/O. The UE has its prefix for itself, and whatever has an
 * address of it lies behind the tunnel: the prefix is not on-link (RFC 8273 §4).
 */
export class RouterAdvertiser {
  due: number;
  private sent = 0;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: AdvertiserOptions,
    private readonly random: Random,
    private readonly send: (packet: Uint8Array) => void,
    now: number,
  ) {
    this.due = now; // RFC 4861 §6.2.4: the interface has become one that advertises
  }

  poll(now: number): void {
    if (now < this.due) return;
    this.sent++;
    this.last = now;
    const gap = SHORTEST_GAP + this.random.next() * (LONGEST_GAP - SHORTEST_GAP);
    this.due = now + (this.sent < INITIAL_ADVERTISEMENTS ? Math.min(INITIAL_INTERVAL, gap) : gap);
    this.transmit(ALL_NODES, this.advertisement());
  }

  /** Takes a neighbor discovery message whose hop limit and checksum were found right. */
  handle(m: Icmpv6Message, src: Address, dst: Address, now: number): void {
    if (m.rest.length > 0) return;
    if (m.type === TYPE.routerSolicitation) this.solicited(m, src, now);
    else if (m.type === TYPE.neighborSolicitation) this.asked(m, src, dst);
  }

  /** Answers to everybody, soon, but not more often than every three seconds. RFC 4861 §6.2.6 */
  private solicited(m: Icmpv6Message, src: Address, now: number): void {
    if (isUnspecified(src) && m.options.some((o) => o.type === 1)) return; // RFC 4861 §6.1.1
    this.due = Math.min(this.due, Math.max(now, this.last + LEAST_GAP) + this.random.next() * ANSWER_DELAY);
  }

  private asked(m: Icmpv6Message, src: Address, dst: Address): void {
    const target = readTarget(m);
    const { linkLocal } = this.options;
    if (target === undefined || isMulticast(target) || !same(target, linkLocal)) return;
    const anonymous = isUnspecified(src);
    if (anonymous && !same(dst, solicitedNode(target))) return;
    const answer = neighborAdvertisement(target, { router: true, solicited: !anonymous, override: true });
    this.transmit(anonymous ? ALL_NODES : src, answer); // RFC 4861 §7.2.4
  }

  private advertisement(): Icmpv6Message {
    const { prefix, mtu, dns, search, other, faults } = this.options;
    const lifetime = this.options.routerLifetime ?? 1800;
    const valid = this.options.validLifetime ?? 5400;
    const preferred = this.options.preferredLifetime ?? 2700; // RFC 9096 §4
    const list: NdOption[] = [mtuOption(mtu)];
    if (prefix && !faults?.has('no-prefix'))
      list.push(prefixOption({ prefix, length: 64, onLink: false, autonomous: true, valid, preferred }));
    if (dns?.length) list.push(rdnssOption(1800, dns)); // RFC 8106 §5.1: three times the longest interval
    if (search?.length) list.push(dnsslOption(1800, search));
    const head = { hopLimit: 64, managed: false, other, preference: 0, lifetime, reachable: 0, retransmit: 0 };
    return routerAdvertisement(head, list);
  }

  private transmit(dst: Address, message: Icmpv6Message): void {
    this.send(icmpv6Packet({ src: this.options.linkLocal, dst, ttl: 255 }, message));
  }
}
