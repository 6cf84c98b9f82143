import { ReachedLimits } from '../limits.js';
import { DhcpClient } from './dhcp-client.js';
import { Dhcpv6Client } from './dhcpv6-client.js';
import type { AddressingEntity } from './entities.js';
import type { Content } from './events.js';
import type { Arrival, Moment } from './moment.js';
import { Resolver } from './resolver.js';
import { RouterDiscovery } from './router-discovery.js';
import { MadeSeries } from './series.js';
import { uid } from './uid.js';

/** More exchanges are told of when they are asked for. */
const FEW = 16;

/** Those of tunnels in which nobody asked. */
const NO_CLIENT = new Dhcpv6Client(new ReachedLimits());
const NO_RESOLVER = new Resolver();

/** How a UE gets its addresses and its P-CSCF inside one tunnel (TS 24.322 §6.2, §6.3). */
export class Addressing {
  readonly dhcp: DhcpClient;
  readonly slaac: RouterDiscovery;
  private client: Dhcpv6Client | null = null;
  private resolver: Resolver | null = null;

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {
    this.dhcp = new DhcpClient(reached);
    this.slaac = new RouterDiscovery(reached);
  }

  /** Few tunnels have it. */
  get dhcpv6(): Dhcpv6Client {
    return this.client ?? NO_CLIENT;
  }
  get dns(): Resolver {
    return this.resolver ?? NO_RESOLVER;
  }

  /** A message of DHCPv6. */
  configured(at: Arrival, c: Content): void {
    this.client ??= new Dhcpv6Client(this.reached);
    this.client.take(at, c);
  }

  /** A message of the DNS. */
  resolved(at: Arrival, c: Content): void {
    this.resolver ??= new Resolver(this.reached);
    this.resolver.take(at, c);
  }

  get empty(): boolean {
    return this.dhcp.exchanges.length === 0 && this.slaac.empty && this.dhcpv6.exchanges.length === 0;
  }

  /**
   * Where the UE may have learned of a P-CSCF at `address` (TS 24.229 §9.2.1): DHCP options 120, 21 and 22, the DNS by
   * way of server records or of a name; `static` where nothing in the tunnel named it.
   */
  pcscfSource(address: string): 'dhcp' | 'dhcpv6' | 'dns-srv' | 'dns' | 'static' {
    const named = (list: readonly string[]): boolean => list.some((s) => s === address || this.dns.leads(s, address));
    if (this.dhcp.exchanges.some((e) => named(e.entry.pcscf) || named(e.facts.offered))) return 'dhcp';
    if (this.dhcpv6.exchanges.some((e) => named(e.entry.pcscf))) return 'dhcpv6';
    const found = this.dns.found(address);
    return found === undefined ? 'static' : found === 'srv' ? 'dns-srv' : 'dns';
  }

  /** @param used addresses from which the UE sent */
  entity(id: number, tunnel: number, tunnelUid: string, used: readonly string[], end: Moment): AddressingEntity {
    this.dhcp.finish(end);
    const { exchanges } = this.dhcp;
    const few = exchanges.length <= FEW;
    const made = new MadeSeries(exchanges.length, (i) => exchanges[i].told);
    return {
      id,
      uid: uid('addressing', tunnelUid),
      tunnel,
      dhcp: { exchanges: few ? exchanges.map((e) => e.told) : made },
      slaac: this.slaac.entry(used, end),
      dhcpv6: { exchanges: this.dhcpv6.exchanges.map((e) => e.entry) },
    };
  }
}
