import { LIMITS } from '../limits.js';
import { type Address, address, inPrefix, linkLocal } from './address.js';
import { type Clock, realClock } from './clock.js';
import type { LeaseFile } from './dhcp-lease-file.js';
import { hostDiscards, listed, routerDrops } from './discard-words.js';
import { Faults } from './fault.js';
import { type AnyFault, EftfFaults, isEftfFault } from './fault-eftf.js';
import { LabNetwork } from './lab-network.js';
import { type Random, seededRandom, systemRandom } from './random.js';
import type { Link } from './router.js';
import { Router } from './router.js';
import type { Subscriber } from './subscriber-file.js';
import type { TunDevice } from './tun.js';
import { LearningSwitch } from './tun-learn.js';
import { type ServedTunnel, type ServerOptions, TunnelServer } from './tunnel-server.js';

/** Seconds between keep-alives of UEs that offer them: NATs forget TCP no sooner, and often UDP. RFC 6223 */
const KEEP = 110;

/** Addresses with a prefix length. */
export interface Cidr {
  readonly prefix: Address;
  readonly length: number;
}

/** What an EFTF listens on, gives to its UEs, and does wrong. */
export interface EftfOptions extends Omit<ServerOptions, 'onTunnel' | 'faults'> {
  /** Leased to UEs by DHCP; its first address is the gateway's. Absent: no IPv4. */
  readonly pool?: Cidr;
  /** Each UE gets a /64 out of it. Absent: no IPv6. */
  readonly prefix?: Cidr;
  /** Announced to UEs. */
  readonly dns?: readonly Address[];
  readonly pcscf?: readonly Address[];
  /** Leases are read from it, and kept in it. */
  readonly leases?: LeaseFile;
  /** The way out of the tunnels. */
  readonly tun?: TunDevice;
  /** Real servers behind the device lease addresses and advertise themselves: there is no router of ours. */
  readonly bare?: boolean;
  /** With them there is a P-CSCF of ours, which is announced. */
  readonly subscribers?: readonly Subscriber[];
  /** On from the start: in each tunnel, or to all UEs. */
  readonly faults?: readonly AnyFault[];
  /** Repeats all that chance does, challenges included. */
  readonly seed?: number;
  readonly clock?: Clock;
}

/** A tunnel with its place in the router. */
export interface EftfTunnel extends ServedTunnel {
  readonly faults: Faults;
  /** Its place in the router, if there is one. */
  readonly inner: Link | undefined;
}

/** An EFTF: tunnels outside, a gateway and router inside. TS 24.322 §5.2.3, §6.2.2 */
export class Eftf {
  readonly server: TunnelServer;
  readonly router: Router;
  readonly tunnels = new Map<number, EftfTunnel>();
  /** What went through tunnels that have ended. */
  readonly passed = { up: { packets: 0, octets: 0 }, down: { packets: 0, octets: 0 } };
  /** What it does wrong to all UEs. */
  readonly faults = new EftfFaults();
  /** Tunnels of which was told that they get no address. */
  private readonly told = new Set<number>();
  private readonly random: Random;
  private readonly clock: Clock;
  private readonly lab: LabNetwork | undefined;
  private readonly bare: LearningSwitch | undefined;

  /** @throws RangeError where pool or prefix do not serve, Error of TLS for the certificate, or of the system for the leases */
  constructor(private readonly o: EftfOptions) {
    const { pool, prefix, dns = [], subscribers } = o;
    for (const f of o.faults ?? []) if (isEftfFault(f)) this.faults.apply(f);
    this.clock = o.clock ?? realClock;
    this.random = o.seed === undefined ? systemRandom : seededRandom(o.seed);
    const four = (list: readonly Address[]): Address[] => list.filter((a) => a.length === 4);
    const six = (list: readonly Address[]): Address[] => list.filter((a) => a.length === 16);
    const gateway = pool && firstOf(pool);
    const own6 = prefix && withLast(prefix.prefix, 1);
    const own = subscribers === undefined ? [] : [gateway, own6].filter((a) => a !== undefined);
    const pcscf = [...(o.pcscf ?? []), ...own];
    const servers = dns.length > 0 ? dns : own;
    this.router = new Router({
      clock: this.clock,
      random: this.random,
      faults: this.faults,
      ...(pool && {
        ipv4: {
          server: gateway!,
          pool,
          routers: [gateway!],
          dns: four(servers),
          sipServers: four(pcscf),
          reserved: [...four(dns), ...four(pcscf)].filter((a) => inPrefix(a, pool.prefix, pool.length)),
          onBinding: (b) => o.leases?.add(b),
          onRefused: (link, why) => this.refused(link, why),
        },
      }),
      ...(prefix && {
        ipv6: { ...prefix, linkLocal: linkLocal(own6!.slice(8)), dns: six(servers), sipAddresses: six(pcscf) },
      }),
    });
    this.takeOver();
    if (subscribers !== undefined) this.lab = this.startLab(subscribers);
    if (o.tun !== undefined && o.bare)
      this.bare = new LearningSwitch(o.tun, () =>
        o.tell(`more than ${LIMITS.learntAddresses} addresses in tunnels: what is for further ones goes to all`),
      );
    else if (o.tun !== undefined) this.router.setUplink(o.tun);
    this.server = new TunnelServer({
      ...o,
      families: { ip4: pool !== undefined, ip6: prefix !== undefined },
      faults: this.faults,
      onTunnel: (t) => this.attach(t),
    });
  }

  /** The leases of the run before. */
  private takeOver(): void {
    const { dhcp } = this.router;
    const { leases } = this.o;
    if (dhcp === undefined || leases === undefined) return;
    dhcp.restore(leases.read());
    const now = this.clock.now();
    const n = dhcp.bindings().filter((b) => b.state === 'bound' && b.expires > now).length;
    if (n > 0) this.o.tell(`${n} ${n === 1 ? 'lease' : 'leases'} taken over from ${leases.path}`);
  }

  /** DNS, P-CSCF and who can be called, at the addresses of the router. */
  private startLab(subscribers: readonly Subscriber[]): LabNetwork {
    return new LabNetwork({
      host: this.router.host,
      clock: this.clock,
      random: this.random,
      domain: subscribers[0]?.domain ?? '',
      subscribers,
      faults: this.faults,
      keepSeconds: KEEP,
      tell: this.o.tell,
      withoutDns: this.o.dns !== undefined && this.o.dns.length > 0,
      onRegistrar: (e) => this.o.tell(`P-CSCF: ${e.impi} ${e.type}${e.why === undefined ? '' : `: ${e.why}`}`),
    });
  }

  /** Says, once for each tunnel, that a UE in it gets no address. */
  private refused(link: number, why: 'pool' | 'link'): void {
    const t = [...this.tunnels.values()].find(({ inner }) => inner?.id === link);
    if (t === undefined || this.told.has(t.id)) return;
    this.told.add(t.id);
    const words =
      why === 'pool' ? 'all addresses of the pool are taken' : `it has ${LIMITS.leasesPerTunnel} leases already`;
    this.o.tell(`tunnel ${t.id}: no IPv4 address is left for it: ${words}`);
  }

  private attach(t: ServedTunnel): void {
    const faults = new Faults(t.link, this.random, this.clock);
    for (const f of this.o.faults ?? []) if (!isEftfFault(f)) faults.apply(f);
    const inner = this.bare === undefined ? this.router.attach(faults.port) : undefined;
    this.bare?.attach(faults.port);
    this.tunnels.set(t.id, { ...t, faults, inner });
    this.o.tell(`tunnel ${t.id} established: ${t.ue}, ${t.tls}`);
    if (this.o.prefix !== undefined && inner !== undefined && inner.prefix === undefined)
      this.o.tell(`tunnel ${t.id}: no IPv6 prefix is left for it`);
    void t.link.ended.then(() => {
      if (inner !== undefined) {
        const dropped = routerDrops(inner.counters);
        if (dropped !== '') this.o.tell(`tunnel ${t.id}: dropped ${dropped}`);
        this.router.detach(inner);
      }
      this.bare?.detach(faults.port);
      const { up, down } = this.passed;
      for (const [sum, { packets, octets }] of [[up, t.link.counts] as const, [down, t.link.sent] as const]) {
        sum.packets += packets;
        sum.octets += octets;
      }
      this.tunnels.delete(t.id);
      this.told.delete(t.id);
    });
  }

  /** Commits a fault: one of tunnels in those given, one of its own to all UEs. */
  fault(f: AnyFault, tunnels: Iterable<EftfTunnel>): void {
    if (isEftfFault(f)) this.faults.apply(f);
    else for (const t of tunnels) t.faults.apply(f);
  }

  /** No faults from now on, in tunnels, or at all. */
  noFaults(tunnels?: Iterable<EftfTunnel>): void {
    if (tunnels === undefined) this.faults.off();
    for (const t of tunnels ?? this.tunnels.values()) t.faults.off();
  }

  /** See {@link TunnelServer.listen}. */
  listen(host: string, port: number, gone?: AbortSignal): Promise<{ address: string; port: number }> {
    return this.server.listen(host, port, gone);
  }

  /** A tunnel in words: who, since when, with which addresses. */
  describe(t: EftfTunnel): string {
    const { counts, sent } = t.link;
    return `tunnel ${t.id}: ${t.ue}, ${(t.inner && this.router.describe(t.inner)) || 'no address'}, ${counts.packets} packets up, ${sent.packets} down`;
  }

  /** What was thrown away beside the tunnels, by the router's own host and from the way out; '' where nothing was. */
  get discarded(): string {
    const { host, uplink } = this.router;
    const from = uplink === undefined ? '' : routerDrops(uplink.counters);
    return listed(hostDiscards(host.counters), from === '' ? '' : `from outside ${from}`);
  }

  /** Releases all tunnels and ends. */
  async close(): Promise<void> {
    await this.server.close();
    const { discarded } = this;
    if (discarded !== '') this.o.tell(`the router discarded ${discarded}`);
    this.lab?.stop();
    this.router.stop();
    this.o.leases?.close();
  }
}

/** The first address of a pool that a host may have. */
function firstOf({ prefix, length }: Cidr): Address {
  const out = prefix.slice();
  for (let bit = length; bit < 32; bit++) out[bit >> 3] &= ~(0x80 >> (bit & 7));
  if (length < 31) out[3]++;
  return out;
}

function withLast(prefix: Address, last: number): Address {
  const out = prefix.slice();
  out.fill(0, 8);
  out[15] = last;
  return out;
}

/** `10.0.0.0/24`, `2001:db8::/48`. @throws RangeError */
export function cidr(text: string, family: 4 | 6): Cidr {
  const [a, n, ...more] = text.split('/');
  const prefix = address(a);
  const length = Number(n);
  const most = family === 4 ? 30 : 63;
  if (
    more.length > 0 ||
    !/^\d+$/.test(n ?? '') ||
    prefix.length !== (family === 4 ? 4 : 16) ||
    length > most ||
    length < 8
  )
    throw new RangeError(`${text} is no IPv${family} prefix with room for UEs (ADDRESS/8 to ${most})`);
  return { prefix, length };
}
