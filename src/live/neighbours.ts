import {
  type Icmpv6Message,
  codec as icmpv6,
  listenerReport,
  neighborAdvertisement,
  neighborSolicitation,
  nonceOption,
  readAdvertisement,
  readMtu,
  readPrefixes,
  readRdnss,
  readTarget,
  routerSolicitation,
  TYPE,
} from '../../dissectors/icmpv6/messages.js';
import { ICMPV6 } from '../../dissectors/numbers.js';
import { concat, encode, equalBytes } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import {
  type Address,
  ALL_MLD_ROUTERS,
  ALL_NODES,
  ALL_ROUTERS,
  ANY6,
  address,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  same,
  solicitedNode,
} from './address.js';
import type { Machine } from './clock.js';
import type { IpHost } from './host.js';
import { icmpv6Packet, ipPacket, netPair } from './ip-packet.js';
import { octets, type Random } from './random.js';
import { isFrom, isUsable, lifetimeEnd, type OwnAddress, refresh, stableAddress } from './slaac.js';

/*
 * The host's side of neighbor discovery, without I/O: link-local address, duplicate address detection, router
 * solicitation, addresses from prefixes, what routers advertise. RFC 4861, RFC 4862, TS 24.322 §6.3.1
 *
 * The link is a tunnel: no link-layer addresses, one neighbour. Addresses are not resolved, and that the neighbour is
 * there is what the tunnel itself shows.
 */

/** What became of addresses and routers of the link. */
export type NeighbourEvent =
  | { type: 'address'; address: Address; linkLocal: boolean; preferredSeconds: number; validSeconds: number }
  | { type: 'deprecated' | 'expired'; address: Address }
  /** Somebody else has it; `final` where no other is tried. */
  | { type: 'duplicate'; address: Address; final: boolean }
  | { type: 'router'; address: Address; lifetimeSeconds: number; managed: boolean; other: boolean }
  | { type: 'router lost'; address: Address }
  /** Three solicitations were not answered; they go on, ever more slowly. */
  | { type: 'no router' }
  /** The first of its kind that is not taken, as there are so many already; others are counted alone. */
  | { type: 'enough'; what: 'prefix' | 'router' | 'DNS server'; address: Address; already: number };

/** How addresses are made, and how carefully. */
export interface NeighbourOptions {
  host: IpHost;
  random: Random;
  /** What identifiers are made from, RFC 7217 §5; by chance without it. */
  secret?: Uint8Array;
  /** Solicitations for each address; 0 does without detection. RFC 4862 §5.1: DupAddrDetectTransmits */
  probes?: number;
  onEvent(event: NeighbourEvent): void;
}

/** RFC 4861 §10 */
const SOLICITATION_DELAY = 1000;
const SOLICITATION_INTERVAL = 4000;
const SOLICITATIONS = 3;
/** RFC 7559 §2 */
const LONGEST_INTERVAL = 3_600_000;
/** RFC 7217 §7: IDGEN_RETRIES, IDGEN_DELAY */
const ADDRESSES_TRIED = 3;
const RETRY_DELAY = 1000;
const LINK_LOCAL = address('fe80::');
/** Hop-by-hop options with a router alert for MLD, then ICMPv6. RFC 2711 §2.1, RFC 9777 §5 */
const ROUTER_ALERT = Uint8Array.of(ICMPV6, 0, 5, 2, 0, 0, 1, 0);

interface Until {
  address: Address;
  until: number;
}

/** What a host knows and does on its link: routers, prefixes, own addresses and whether they are its own. */
export class Neighbours implements Machine {
  readonly addresses: OwnAddress[] = [];
  /** Default routers, and until when they are. */
  readonly routers: Until[] = [];
  /** DNS servers that routers advertise. RFC 8106 */
  readonly dns: Until[] = [];
  private readonly secret: Uint8Array;
  private retransmit = 1000;
  private solicitAt = Number.POSITIVE_INFINITY;
  private solicited = 0;
  private interval = SOLICITATION_INTERVAL;
  /** When it is clear that there is no router. */
  private concludeAt = Number.POSITIVE_INFINITY;
  private running = false;

  constructor(private readonly options: NeighbourOptions) {
    this.secret = options.secret ?? octets(options.random, 16);
  }

  /** Makes a link-local address and looks for routers. */
  start(now: number): void {
    this.running = true;
    this.options.host.onNeighbour = (message, src, dst, at) => this.handle(message, src, dst, at);
    this.form(LINK_LOCAL, 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, now);
  }

  /** Gives up all addresses. */
  stop(): void {
    this.running = false;
    this.options.host.onNeighbour = undefined;
    for (const a of this.addresses.splice(0)) this.options.host.removeAddress(a.address);
    this.routers.length = this.dns.length = 0;
    this.solicitAt = this.concludeAt = Number.POSITIVE_INFINITY;
  }

  pollAt(): number {
    let next = Math.min(this.solicitAt, this.concludeAt);
    for (const a of this.addresses) {
      next = Math.min(next, a.due, a.validUntil);
      if (a.state === 'preferred') next = Math.min(next, a.preferredUntil);
    }
    for (const r of this.routers) next = Math.min(next, r.until);
    for (const s of this.dns) next = Math.min(next, s.until);
    return next;
  }

  poll(now: number): void {
    if (!this.running) return;
    for (const a of [...this.addresses]) this.tend(a, now);
    for (const r of this.routers.filter((x) => x.until <= now)) this.loseRouter(r, now);
    for (const s of this.dns.filter((x) => x.until <= now)) this.dns.splice(this.dns.indexOf(s), 1);
    if (now >= this.concludeAt) this.conclude();
    if (now >= this.solicitAt) this.solicit(now);
  }

  private handle(m: Icmpv6Message, src: Address, dst: Address, now: number): void {
    if (!this.running || m.rest.length > 0) return; // RFC 4861 §4.6: an option of length 0 spoils the message
    if (m.type === TYPE.routerAdvertisement) this.advertised(m, src, now);
    else if (m.type === TYPE.neighborSolicitation) this.solicitation(m, src, dst, now);
    else if (m.type === TYPE.neighborAdvertisement) this.objection(m, dst, now);
  }

  // Addresses

  private form(prefix: Address, attempt: number, preferredUntil: number, validUntil: number, now: number): void {
    const a: OwnAddress = {
      address: stableAddress(this.secret, prefix, attempt),
      prefix,
      state: 'tentative',
      preferredUntil,
      validUntil,
      attempt,
      // RFC 4862 §5.4.2, RFC 7217 §6: hosts that one packet wakes do not speak at the same time
      due: now + this.options.random.next() * (attempt === 0 ? SOLICITATION_DELAY : RETRY_DELAY),
      probes: 0,
      nonce: octets(this.options.random, 6),
    };
    this.addresses.push(a);
    if (this.probes === 0) this.assign(a, now);
  }

  private get probes(): number {
    return this.options.probes ?? 1;
  }

  private tend(a: OwnAddress, now: number): void {
    if (now >= a.validUntil) {
      this.drop(a);
      if (a.state !== 'tentative') this.options.onEvent({ type: 'expired', address: a.address });
    } else if (a.state === 'tentative' && now >= a.due) {
      if (a.probes < this.probes) this.probe(a, now);
      else this.assign(a, now);
    } else if (a.state === 'preferred' && now >= a.preferredUntil) {
      a.state = 'deprecated';
      this.options.host.addAddress({ address: a.address, prefixLength: 64, deprecated: true });
      this.options.onEvent({ type: 'deprecated', address: a.address });
    }
  }

  /** Asks whether somebody has the address. RFC 4862 §5.4.2 */
  private probe(a: OwnAddress, now: number): void {
    const group = solicitedNode(a.address);
    if (a.probes === 0) this.report(group);
    a.probes++;
    a.due = now + this.retransmit;
    this.send(ANY6, group, neighborSolicitation(a.address, [nonceOption(a.nonce)]));
  }

  private assign(a: OwnAddress, now: number): void {
    a.state = a.preferredUntil > now ? 'preferred' : 'deprecated';
    a.due = Number.POSITIVE_INFINITY;
    if (isLinkLocal(a.address)) this.solicitAt = now + this.options.random.next() * SOLICITATION_DELAY; // RFC 4861 §6.3.7
    this.use(a, now);
  }

  /** The host has the address from now on, as it is. */
  private use(a: OwnAddress, now: number): void {
    this.options.host.addAddress({ address: a.address, prefixLength: 64, deprecated: a.state === 'deprecated' });
    const seconds = (until: number) => Math.round((until - now) / 1000);
    this.options.onEvent({
      type: 'address',
      address: a.address,
      linkLocal: isLinkLocal(a.address),
      preferredSeconds: seconds(a.preferredUntil),
      validSeconds: seconds(a.validUntil),
    });
  }

  private drop(a: OwnAddress): void {
    this.addresses.splice(this.addresses.indexOf(a), 1);
    this.options.host.removeAddress(a.address);
  }

  private duplicate(a: OwnAddress, now: number): void {
    this.drop(a);
    const final = a.attempt + 1 >= ADDRESSES_TRIED;
    this.options.onEvent({ type: 'duplicate', address: a.address, final });
    if (!final) this.form(a.prefix, a.attempt + 1, a.preferredUntil, a.validUntil, now);
  }

  // Neighbours

  /** Somebody asks for an address, or whether it may have it. RFC 4861 §7.2.3, RFC 4862 §5.4.3 */
  private solicitation(m: Icmpv6Message, src: Address, dst: Address, now: number): void {
    const target = readTarget(m);
    if (target === undefined || isMulticast(target)) return;
    if (isUnspecified(src) && (!same(dst, solicitedNode(target)) || m.options.some((o) => o.type === 1))) return;
    const a = this.addresses.find((x) => same(x.address, target));
    if (a === undefined) return;
    if (a.state === 'tentative') {
      if (isUnspecified(src) && !isOwnProbe(m, a)) this.duplicate(a, now); // also where we have not asked yet
      return;
    }
    const anonymous = isUnspecified(src);
    const answer = neighborAdvertisement(target, { solicited: !anonymous, override: true });
    this.send(target, anonymous ? ALL_NODES : src, answer); // RFC 4861 §7.2.4
  }

  /** Somebody says that it has an address. RFC 4862 §5.4.4 */
  private objection(m: Icmpv6Message, dst: Address, now: number): void {
    if (isMulticast(dst) && (m.body[0] & 0x40) !== 0) return; // RFC 4861 §7.1.2: an answer goes to one alone
    const target = readTarget(m);
    const a = target && this.addresses.find((x) => same(x.address, target));
    if (a?.state === 'tentative') this.duplicate(a, now);
  }

  // Routers

  private solicit(now: number): void {
    const src = this.addresses.find((a) => isLinkLocal(a.address) && a.state === 'preferred')?.address ?? ANY6;
    const jitter = 0.2 * (this.options.random.next() - 0.5);
    // RFC 7559 §2: doubled each time, a tenth more or less, up to an hour
    const next = this.solicited === 0 ? SOLICITATION_INTERVAL * (1 + jitter) : this.interval * (2 + jitter);
    this.interval = next > LONGEST_INTERVAL ? LONGEST_INTERVAL * (1 + jitter) : next;
    this.solicited++;
    this.solicitAt = now + this.interval;
    if (this.solicited === SOLICITATIONS) this.concludeAt = now + SOLICITATION_DELAY; // RFC 4861 §6.3.7
    this.send(src, ALL_ROUTERS, routerSolicitation()); // the answer may come during the call
  }

  /** Nobody has answered the first solicitations. */
  private conclude(): void {
    this.concludeAt = Number.POSITIVE_INFINITY;
    this.options.onEvent({ type: 'no router' });
  }

  private advertised(m: Icmpv6Message, src: Address, now: number): void {
    const ra = readAdvertisement(m);
    if (ra === undefined || !isLinkLocal(src)) return; // RFC 4861 §6.1.2
    const { host } = this.options;
    if (ra.lifetime > 0) {
      this.solicitAt = this.concludeAt = Number.POSITIVE_INFINITY; // RFC 7559 §2.1: heard from a router
      this.solicited = 0;
    }
    if (ra.hopLimit > 0) host.hopLimit = ra.hopLimit;
    if (ra.retransmit > 0) this.retransmit = ra.retransmit;
    const mtu = readMtu(m);
    if (mtu !== undefined && mtu >= 1280 && mtu <= 0xffff) host.mtu = mtu; // RFC 4861 §6.3.4
    this.learnRouter(src, ra.lifetime, now);
    for (const p of readPrefixes(m)) {
      const known = this.addresses.filter((a) => isFrom(a, p.prefix));
      if (p.autonomous && !isLinkLocal(p.prefix)) for (const a of known) if (refresh(a, p, now)) this.use(a, now); // it was deprecated
      if (known.length > 0 || !isUsable(p)) continue;
      if (this.addresses.length >= LIMITS.hostAddresses) this.enough('prefix', p.prefix, LIMITS.hostAddresses);
      else this.form(p.prefix, 0, lifetimeEnd(now, p.preferred), lifetimeEnd(now, p.valid), now);
    }
    for (const { lifetime, servers } of readRdnss(m)) for (const s of servers) this.learnServer(s, lifetime, now);
    const { lifetime, managed, other } = ra;
    if (lifetime === 0 || this.routers.some((r) => same(r.address, src)))
      this.options.onEvent({ type: 'router', address: src, lifetimeSeconds: lifetime, managed, other });
  }

  private enough(what: 'prefix' | 'router' | 'DNS server', address: Address, already: number): void {
    const kind = ({ prefix: 'prefixes', router: 'routers', 'DNS server': 'servers' } as const)[what];
    if (++this.options.host.counters[kind] === 1) this.options.onEvent({ type: 'enough', what, address, already });
  }

  private learnRouter(router: Address, lifetime: number, now: number): void {
    const known = this.routers.find((r) => same(r.address, router));
    if (known) known.until = now + 1000 * lifetime;
    else if (lifetime > 0 && this.routers.length >= LIMITS.hostRouters)
      this.enough('router', router, LIMITS.hostRouters);
    else if (lifetime > 0) this.routers.push({ address: router, until: now + 1000 * lifetime });
    if (known && lifetime === 0) this.loseRouter(known, now);
  }

  private loseRouter(r: Until, now: number): void {
    this.routers.splice(this.routers.indexOf(r), 1);
    this.options.onEvent({ type: 'router lost', address: r.address });
    if (this.routers.length === 0) this.solicitAt = now + this.options.random.next() * SOLICITATION_DELAY;
  }

  private learnServer(server: Address, lifetime: number, now: number): void {
    const at = this.dns.findIndex((s) => same(s.address, server));
    if (at >= 0) this.dns.splice(at, 1);
    if (lifetime === 0) return;
    if (this.dns.length >= LIMITS.hostServers) this.enough('DNS server', server, LIMITS.hostServers);
    else this.dns.push({ address: server, until: lifetimeEnd(now, lifetime) });
  }

  // Sending

  private send(src: Address, dst: Address, message: Icmpv6Message): void {
    this.options.host.transmit(icmpv6Packet({ src, dst, ttl: 255 }, message), dst); // RFC 4861 §7.1: hop limit 255
  }

  /** Says that we listen to a group, from :: while there is no address. RFC 4862 §5.4.2, RFC 9777 §5.2.13 */
  private report(group: Address): void {
    const src = this.options.host.sourceFor(ALL_MLD_ROUTERS) ?? ANY6;
    const message = encode(icmpv6, listenerReport([group]), netPair(src, ALL_MLD_ROUTERS));
    const header = { src, dst: ALL_MLD_ROUTERS, protocol: 0, ttl: 1 };
    this.options.host.transmit(ipPacket(header, concat([ROUTER_ALERT, message])), ALL_MLD_ROUTERS);
  }
}

/** Whether a solicitation is ours, looped back. RFC 7527 §4.2 */
const isOwnProbe = (m: Icmpv6Message, a: OwnAddress): boolean =>
  m.options.some((o) => o.type === 14 && o.bytes.length === 6 && equalBytes(o.bytes, 0, a.nonce, 0, 6));
