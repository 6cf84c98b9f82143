import { codec as dhcpCodec } from '../../dissectors/dhcp/message.js';
import { codec as dhcpv6Codec } from '../../dissectors/dhcpv6/message.js';
import { codec as icmpv6, TYPE, verified } from '../../dissectors/icmpv6/messages.js';
import { ICMPV6, UDP } from '../../dissectors/numbers.js';
import { encode, put16, put32, u16, u32 } from '../kit/index.js';
import {
  type Address,
  ALL_DHCP,
  addressText,
  BROADCAST,
  inPrefix,
  isLinkLocal,
  isLocalMulticast,
  isMulticast,
  isUnspecified,
  lastAddress,
  plain,
  same,
  withIdentifier,
} from './address.js';
import { type Clock, type Machine, Pacer } from './clock.js';
import { DhcpServer, type DhcpServerOptions } from './dhcp-server.js';
import { type Dhcpv6ServerOptions, informationReply } from './dhcpv6-server.js';
import type { EftfFaults } from './fault-eftf.js';
import { IpHost } from './host.js';
import {
  ERRORS,
  type ErrorName,
  fragments,
  icmpErrorPacket,
  ipVersion,
  netPair,
  type ReadPacket,
  readPacket,
  udpPacket,
  udpPayload,
} from './ip-packet.js';
import type { PacketPort } from './port.js';
import type { Random } from './random.js';
import { RouterAdvertiser } from './router-advertiser.js';
import { type DropReason, hopOn, type Ipv6RouterOptions, type Link, RouterLink } from './router-link.js';

export type { DropReason, Ipv6RouterOptions, Link } from './router-link.js';

/** What the EFTF's router gives to the UEs behind their tunnels. */
export interface RouterOptions {
  clock: Clock;
  random: Random;
  /** The gateway, RFC 791, with its DHCP server; without it IPv4 is not supported. */
  ipv4?: DhcpServerOptions;
  ipv6?: Ipv6RouterOptions;
  /** Octets of the largest packet that goes to a UE; 1500 without it. */
  mtu?: number;
  /** What it does wrong. */
  faults?: EftfFaults;
}

/**
 * The IP side of an EFTF: gateway and router between the tunnels of UEs, services of its own, and an uplink.
 * TS 24.322 §6.2.2, RFC 791, RFC 1812, RFC 8200, RFC 4861
 *
 * Services (DNS, P-CSCF) are sockets of {@link host}, which has the router's addresses.
 */
export class Router implements Machine {
  readonly host: IpHost;
  readonly dhcp: DhcpServer | undefined;
  /** Told of each packet that is thrown away. */
  onDrop: ((link: Link, reason: DropReason) => void) | undefined;
  private readonly links = new Map<number, RouterLink>();
  private readonly slots = new Map<number, RouterLink>();
  private readonly pacer: Pacer;
  private readonly clock: Clock;
  private readonly mtu: number;
  private readonly dhcpv6: Dhcpv6ServerOptions | undefined;
  private out: RouterLink | undefined;
  private nextId = 1;
  private nextSlot = 1;
  private due = Number.POSITIVE_INFINITY;
  /** What the router sends to itself: taken up when nothing else is being done. */
  private readonly own: Uint8Array[] = [];
  /** The link that an answer to a link-local address goes to. */
  private current: RouterLink | undefined;

  /** @throws RangeError for a prefix that has no room for UEs, or more than fits 32 bits */
  constructor(private readonly options: RouterOptions) {
    const { clock, random, ipv4, ipv6, faults } = options;
    this.clock = clock;
    this.mtu = options.mtu ?? 1500;
    this.pacer = new Pacer(clock);
    this.pacer.add(this);
    const families: (4 | 6)[] = [...(ipv4 ? [4 as const] : []), ...(ipv6 ? [6 as const] : [])];
    this.host = new IpHost({ families, random, mtu: this.mtu, send: (packet) => this.fromHost(packet) });
    if (ipv4) {
      this.dhcp = new DhcpServer({ ...ipv4, ...(faults && { faults }) });
      this.host.addAddress({ address: ipv4.server, prefixLength: 32 });
    }
    if (ipv6) {
      if (ipv6.length < 32 || ipv6.length > 63) throw new RangeError('the prefix of the UEs has 32 to 63 bits');
      this.host.addAddress({ address: ipv6.linkLocal, prefixLength: 64 });
      this.host.addAddress({ address: this.address6!, prefixLength: 64 });
      this.dhcpv6 = { ...ipv6, duid: duidOf(ipv6.linkLocal) };
    }
  }

  /** The router's own global IPv6 address. */
  get address6(): Address | undefined {
    return this.options.ipv6 && withIdentifier(this.prefixOf(0), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1));
  }

  /** Takes a tunnel. It is advertised to at once. */
  attach(port: PacketPort): Link {
    const id = this.nextId++;
    const slot = this.freeSlot();
    const prefix = slot > 0 ? this.prefixOf(slot) : undefined;
    const link = new RouterLink(id, port, slot, prefix);
    this.links.set(id, link);
    this.dhcp?.attach(id);
    if (slot > 0) this.slots.set(slot, link);
    this.advertise(link);
    port.onPacket((packet) => this.receive(link, plain(packet)));
    this.touch(this.clock.now());
    return link;
  }

  /** A tunnel is gone. Its leases run on. */
  detach(link: Link): void {
    const known = this.links.get(link.id);
    if (known === undefined) return;
    this.links.delete(link.id);
    this.slots.delete(known.slot);
    this.dhcp?.detach(link.id);
  }

  /** Sends what is for nobody here to `port`, and takes from it what is for UEs. */
  setUplink(port: PacketPort): void {
    const out = new RouterLink(0, port, 0, undefined);
    this.out = out;
    port.onPacket((packet) => this.fromUplink(out, plain(packet)));
  }

  /** The way out, if there is one. */
  get uplink(): Link | undefined {
    return this.out;
  }

  /** Does nothing any more. */
  stop(): void {
    this.pacer.stop();
    this.links.clear();
    this.slots.clear();
  }

  pollAt(): number {
    return this.own.length > 0 ? Number.NEGATIVE_INFINITY : this.due;
  }

  poll(now: number): void {
    for (let packet = this.own.shift(); packet; packet = this.own.shift()) this.host.handle(packet, now);
    if (now < this.due) return;
    this.due = Number.POSITIVE_INFINITY;
    for (const link of this.links.values()) {
      link.advertiser?.poll(now);
      this.due = Math.min(this.due, link.advertiser?.due ?? this.due);
    }
  }

  private touch(at: number): void {
    this.due = Math.min(this.due, at);
    this.pacer.arrange();
  }

  private freeSlot(): number {
    const { ipv6 } = this.options;
    if (!ipv6) return 0;
    const most = Math.min(0xffff_ffff, 2 ** (64 - ipv6.length) - 1);
    if (this.slots.size >= most) return 0;
    while (this.slots.has(this.nextSlot)) this.nextSlot = this.nextSlot >= most ? 1 : this.nextSlot + 1;
    const slot = this.nextSlot;
    this.nextSlot = slot >= most ? 1 : slot + 1;
    return slot;
  }

  /** The /64 with this number. Its number fits the 32 bits before the interface identifier. */
  private prefixOf(slot: number): Address {
    const out = this.options.ipv6!.prefix.slice();
    put32(out, 4, u32(out, 4) + slot);
    return out.fill(0, 8);
  }

  private advertise(link: RouterLink): void {
    const { ipv6, random, faults } = this.options;
    if (!ipv6) return;
    const { prefix: _, ...rest } = ipv6;
    const parts = { ...(link.prefix && { prefix: link.prefix }), ...(faults && { faults }) };
    const about = { ...rest, mtu: this.mtu, other: true, ...parts };
    link.advertiser = new RouterAdvertiser(about, random, (p) => link.send(p), this.clock.now());
  }

  // From a UE

  private receive(link: RouterLink, packet: Uint8Array): void {
    if (!this.links.has(link.id)) return;
    link.counters.up++;
    this.current = link;
    const reason = this.take(link, packet, this.clock.now());
    this.current = undefined;
    if (reason) {
      link.counters[reason]++;
      this.onDrop?.(link, reason);
    }
    if (this.own.length > 0) this.pacer.arrange();
  }

  /** Does what a packet wants; says why if it had to be thrown away. */
  private take(link: RouterLink, packet: Uint8Array, now: number): DropReason | undefined {
    const version = ipVersion(packet);
    if ((version !== 4 && version !== 6) || !this.host.supports(version)) return 'family';
    const p = readPacket(packet);
    if (typeof p === 'string') return 'damaged';
    if (this.isDhcp(p)) return this.dhcpRequest(link, p, now);
    if (!this.isOf(link, p, now)) {
      if (version === 6) this.tell(link, p, 'prohibited', now); // RFC 4443 §3.1: source failed ingress policy
      return 'spoofed';
    }
    if (version === 6 && isNeighbour(p)) return this.neighbour(link, p, now);
    if (this.host.has(p.dst)) {
      this.host.handle(packet, now);
      return undefined;
    }
    if (isMulticast(p.dst) || same(p.dst, BROADCAST))
      return same(p.dst, ALL_DHCP) ? this.dhcpv6Request(link, p) : undefined;
    if (isLinkLocal(p.dst) || isLinkLocal(p.src)) return 'noRoute'; // RFC 4291 §2.5.6
    return this.forward(link, p, now);
  }

  /** Whether a UE may send from that address: what DHCP gave it, its prefix, its link-local address. */
  private isOf(link: RouterLink, p: ReadPacket, now: number): boolean {
    if (p.version === 4) return this.dhcp!.binding(p.src, now)?.link === link.id;
    if (isLinkLocal(p.src)) return true;
    if (isUnspecified(p.src)) return isLocalMulticast(p.dst); // RFC 4862 §5.4
    return link.prefix !== undefined && inPrefix(p.src, link.prefix, 64);
  }

  private isDhcp(p: ReadPacket): boolean {
    if (p.version !== 4 || p.protocol !== UDP || p.fragment || p.end - p.off < 8) return false;
    return u16(p.packet, p.off + 2) === 67 && (same(p.dst, BROADCAST) || this.host.has(p.dst));
  }

  private dhcpRequest(link: RouterLink, p: ReadPacket, now: number): DropReason | undefined {
    const payload = udpPayload(p);
    if (payload === undefined || payload.length < 240) return 'damaged';
    const message = dhcpCodec.parse(payload, 0, payload.length);
    const answer = this.dhcp!.handle(message, link.id, now);
    const header = { src: this.options.ipv4!.server, dst: answer?.dst ?? BROADCAST };
    if (answer) link.send(udpPacket(header, 67, 68, encode(dhcpCodec, answer.message)));
    return undefined;
  }

  private neighbour(link: RouterLink, p: ReadPacket, now: number): DropReason | undefined {
    const good = verified(p.packet, p.off, p.end, netPair(p.src, p.dst));
    if (!good || p.ttl !== 255 || p.packet[p.off + 1] !== 0) return 'damaged'; // RFC 4861 §6.1, §7.1
    link.advertiser?.handle(icmpv6.parse(p.packet, p.off, p.end), p.src, p.dst, now);
    if (link.advertiser) this.touch(link.advertiser.due);
    return undefined;
  }

  private dhcpv6Request(link: RouterLink, p: ReadPacket): DropReason | undefined {
    if (p.protocol !== UDP || p.fragment || u16(p.packet, p.off + 2) !== 547) return undefined;
    const payload = udpPayload(p);
    if (payload === undefined || payload.length < 34) return 'damaged';
    const answer = informationReply(dhcpv6Codec.parse(payload, 0, payload.length), this.dhcpv6!);
    const header = { src: this.options.ipv6!.linkLocal, dst: p.src };
    if (answer) link.send(udpPacket(header, 547, u16(p.packet, p.off), encode(dhcpv6Codec, answer)));
    return undefined;
  }

  // Forwarding

  private linkOf(dst: Address, now: number): RouterLink | undefined {
    if (dst.length === 4) {
      const b = this.dhcp?.binding(dst, now);
      return b && this.links.get(b.link);
    }
    const { ipv6 } = this.options;
    if (!ipv6 || !inPrefix(dst, ipv6.prefix, ipv6.length)) return undefined;
    return this.slots.get((u32(dst, 4) - u32(ipv6.prefix, 4)) >>> 0);
  }

  private forward(from: RouterLink, p: ReadPacket, now: number): DropReason | undefined {
    if (p.ttl <= 1) {
      this.tell(from, p, 'timeExceeded', now);
      return 'expired';
    }
    const to = this.linkOf(p.dst, now);
    if (to && to !== from) return this.pass(from, to, p, now);
    if (!to && this.out && this.out !== from && !this.isInside(p.dst)) {
      this.out.send(hopOn(p));
      return undefined;
    }
    // RFC 1812 §5.2.7.1, RFC 4443 §3.1: nobody has an address of ours, or there is no way to it at all
    this.tell(from, p, this.isInside(p.dst) ? 'addressUnreachable' : 'noRoute', now);
    return 'noRoute';
  }

  private pass(from: RouterLink, to: RouterLink, p: ReadPacket, now: number): DropReason | undefined {
    const packet = hopOn(p);
    const small = packet.length <= this.mtu;
    const pieces = small ? [packet] : p.version === 4 ? fragments(packet, this.mtu, 0) : undefined;
    for (const piece of pieces ?? []) to.send(piece);
    if (pieces) return undefined;
    this.tell(from, p, 'tooBig', now, this.mtu); // RFC 1191 §4, RFC 8200 §5, RFC 4443 §3.2
    return 'tooBig';
  }

  /** Whether an address belongs to the tunnels, whether or not one has it now. */
  private isInside(a: Address): boolean {
    const { ipv4, ipv6 } = this.options;
    if (a.length === 4) return ipv4 !== undefined && inPrefix(a, ipv4.pool.prefix, ipv4.pool.length);
    return ipv6 !== undefined && inPrefix(a, ipv6.prefix, ipv6.length);
  }

  private tell(link: RouterLink, p: ReadPacket, name: ErrorName, now: number, word = 0): void {
    const pool = this.options.ipv4?.pool;
    if (p.version === 4 && pool && same(p.dst, lastAddress(pool.prefix, pool.length))) return; // RFC 1812 §4.3.2.7
    const src = this.host.sourceFor(p.src);
    const packet = src && icmpErrorPacket(p, src, { ...ERRORS[name][p.version === 4 ? 0 : 1], word });
    if (packet === undefined) return;
    if (link.errors.take(now)) link.send(packet);
    else link.counters.errorsHeld++; // RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)
  }

  private fromUplink(out: RouterLink, packet: Uint8Array): void {
    out.counters.up++;
    const reason = this.enter(out, packet, this.clock.now());
    if (reason) out.counters[reason]++;
    if (this.own.length > 0) this.pacer.arrange();
  }

  /** Does what a packet from outside wants; says why if it had to be thrown away. What a kernel says to its link is no matter. */
  private enter(out: RouterLink, packet: Uint8Array, now: number): DropReason | undefined {
    const version = ipVersion(packet);
    if ((version !== 4 && version !== 6) || !this.host.supports(version)) return 'family';
    const p = readPacket(packet);
    if (typeof p === 'string') return 'damaged';
    if (this.host.has(p.dst)) {
      this.host.handle(packet, now);
      return undefined;
    }
    if (isMulticast(p.dst) || same(p.dst, BROADCAST) || isLinkLocal(p.dst) || isLinkLocal(p.src)) return undefined;
    return this.forward(out, p, now);
  }

  /** What a service sends: to itself, to a UE, or out. */
  private fromHost(packet: Uint8Array): void {
    const dst = ipVersion(packet) === 4 ? packet.slice(16, 20) : packet.slice(24, 40);
    if (this.host.has(dst)) {
      this.own.push(packet);
      this.pacer.arrange();
      return;
    }
    const link = isLinkLocal(dst) ? this.current : this.linkOf(dst, this.clock.now());
    if (link) link.send(packet);
    else if (!isLinkLocal(dst) && !this.isInside(dst)) this.out?.send(packet);
  }

  /** In words, for a log. */
  describe(link: Link): string {
    const leased = this.dhcp?.bindings().find((b) => b.link === link.id && b.state === 'bound');
    const parts = [leased && addressText(leased.address), link.prefix && `${addressText(link.prefix)}/64`];
    return parts.filter((x) => x !== undefined).join(', ');
  }
}

/** Whether a packet belongs to neighbor discovery. RFC 4861 §4 */
function isNeighbour(p: ReadPacket): boolean {
  if (p.protocol !== ICMPV6 || p.fragment || p.end - p.off < 8) return false;
  const type = p.packet[p.off];
  return type >= TYPE.routerSolicitation && type <= TYPE.redirect;
}

/** A DHCP unique identifier made from an address of ours (type 4, UUID). RFC 6355 */
function duidOf(a: Address): Uint8Array {
  const out = new Uint8Array(18);
  put16(out, 0, 4);
  out.set(a, 2);
  return out;
}
