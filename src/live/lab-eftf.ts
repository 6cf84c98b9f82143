import { type Address, address, inPrefix } from './address.js';
import type { Clock } from './clock.js';
import { LabDns } from './lab-dns.js';
import { LabPcscf } from './lab-pcscf.js';
import type { LabRegistrarOptions, LabSubscriber } from './lab-registrar.js';
import { LabServices } from './lab-services.js';
import type { Random } from './random.js';
import { Router } from './router.js';
import { SipLayer } from './sip/layer.js';
import { IMS_TIMERS, type SipTimers, udpTransport } from './sip/transport.js';

export interface LabEftfOptions {
  clock: Clock;
  random: Random;
  /** Both families, or one. */
  families: readonly (4 | 6)[];
  /** IPv4 addresses of UEs; the first is the gateway's. 10.64.0.0/16 without it. */
  pool?: { prefix: Address; length: number };
  /** Each UE gets a /64 out of it. 2001:db8:64::/48 without it. */
  prefix?: { prefix: Address; length: number };
  mtu?: number;
  leaseSeconds?: number;
  /** DNS servers and P-CSCFs to announce instead of those built in. */
  dns?: readonly Address[];
  pcscf?: readonly Address[] | readonly string[];
  domain?: string;
  subscribers?: readonly LabSubscriber[];
  timers?: SipTimers;
  keepSeconds?: number;
  onRegistrar?: LabRegistrarOptions['onEvent'];
}

const LINK_LOCAL = address('fe80::1');

/**
 * The inner side of an EFTF with all that a UE needs: router with DHCP and router advertisements, DNS, P-CSCF, and
 * somebody to call. Tunnels are given to {@link router}.
 */
export class LabEftf {
  readonly router: Router;
  /** Where it serves SIP and DNS, by family. */
  readonly addresses: Address[];
  readonly pcscf: LabPcscf | undefined;
  private readonly dns: LabDns | undefined;
  private readonly layer: SipLayer | undefined;
  private readonly services: LabServices | undefined;

  constructor(options: LabEftfOptions) {
    const { clock, random, domain = 'lab.example', subscribers = [] } = options;
    const gateway = gatewayOf(options.pool ?? { prefix: address('10.64.0.0'), length: 16 });
    this.router = this.makeRouter(options, gateway, domain);
    const { host } = this.router;
    this.addresses = host.addresses.map((a) => a.address).filter((a) => !inPrefix(a, LINK_LOCAL, 64));
    if (options.dns === undefined) this.dns = new LabDns(host, { domain, pcscf: this.addresses });
    if (options.pcscf !== undefined) return;
    const { timers = IMS_TIMERS, keepSeconds, onRegistrar } = options;
    this.layer = new SipLayer({ transport: udpTransport(host, 5060), clock, random, timers });
    const pcscfs = this.addresses.map((a) => ({ address: a, port: 5060 }));
    this.services = new LabServices({ host, clock, random, pcscfs, domain });
    this.pcscf = new LabPcscf(this.layer, {
      domain,
      subscribers,
      services: this.services.list,
      ...(keepSeconds ? { keepSeconds } : {}),
      ...(onRegistrar ? { onEvent: onRegistrar } : {}),
    });
  }

  stop(): void {
    this.services?.stop();
    this.layer?.close();
    this.dns?.close();
    this.router.stop();
  }

  private makeRouter(options: LabEftfOptions, gateway: Address, domain: string): Router {
    const { clock, random, families, mtu, leaseSeconds } = options;
    const pool = options.pool ?? { prefix: address('10.64.0.0'), length: 16 };
    const { prefix, length } = options.prefix ?? { prefix: address('2001:db8:64::'), length: 48 };
    const own6 = prefix.slice();
    own6[15] = 1;
    const sip = options.pcscf ?? [];
    const names = sip.filter((s) => typeof s === 'string');
    const numbers = sip.filter((s) => typeof s !== 'string');
    const of = (list: readonly Address[] | undefined, octets: number, own: Address) =>
      list === undefined ? [own] : list.filter((a) => a.length === octets);
    const common = { search: [domain] };
    const sip4 = names.length > 0 ? names : of(options.pcscf && numbers, 4, gateway);
    const ipv4 = {
      ...common,
      server: gateway,
      pool,
      routers: [gateway],
      domain,
      dns: of(options.dns, 4, gateway),
      sipServers: sip4 as readonly string[] | readonly Address[],
      ...(leaseSeconds ? { leaseSeconds } : {}),
      ...(mtu ? { mtu } : {}),
    };
    const ipv6 = {
      ...common,
      prefix,
      length,
      linkLocal: LINK_LOCAL,
      dns: of(options.dns, 16, own6),
      sipNames: names,
      sipAddresses: of(options.pcscf && numbers, 16, own6),
    };
    return new Router({
      clock,
      random,
      ...(families.includes(4) ? { ipv4 } : {}),
      ...(families.includes(6) ? { ipv6 } : {}),
      ...(mtu ? { mtu } : {}),
    });
  }
}

/** The first address of a pool that a host may have. */
function gatewayOf(pool: { prefix: Address; length: number }): Address {
  const out = pool.prefix.slice();
  out[3] += 1;
  return out;
}
