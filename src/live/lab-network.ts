import { type Address, isLinkLocal } from './address.js';
import type { Clock } from './clock.js';
import type { EftfFaults } from './fault-eftf.js';
import type { IpHost } from './host.js';
import { LabDns } from './lab-dns.js';
import { LabPcscf } from './lab-pcscf.js';
import type { LabRegistrarOptions, LabSubscriber } from './lab-registrar.js';
import { LabServices } from './lab-services.js';
import type { Random } from './random.js';
import { SipLayer } from './sip/layer.js';
import { bothTransports } from './sip/tcp-transport.js';
import { IMS_TIMERS, type SipTimers } from './sip/transport.js';
import { TcpHost } from './tcp-host.js';

/** Whom the laboratory's IMS serves, and where it stands. */
export interface LabNetworkOptions {
  /** A router's own host: its addresses are those of DNS server and P-CSCF, to be announced to UEs. */
  host: IpHost;
  clock: Clock;
  random: Random;
  domain: string;
  subscribers: readonly LabSubscriber[];
  timers?: SipTimers;
  /** Seconds between keep-alives that the P-CSCF asks for. RFC 6223 */
  keepSeconds?: number;
  /** Seconds of a registration at most. */
  longest?: number;
  onRegistrar?: LabRegistrarOptions['onEvent'];
  /** Told what it does not serve, as there is too much. */
  tell?: (words: string) => void;
  /** Without it, there is a DNS server; with it, another one answers. */
  withoutDns?: boolean;
  /** What all of them do wrong. */
  faults?: EftfFaults;
}

/** What UEs of the lab find behind the router: DNS, P-CSCF with registrar, and somebody to call. */
export class LabNetwork {
  readonly pcscf: LabPcscf;
  /** Where it serves, an address for each family. */
  readonly addresses: readonly Address[];
  private readonly dns: LabDns | undefined;
  private readonly tcp: TcpHost;
  private readonly layer: SipLayer;
  private readonly services: LabServices;

  /** @throws RangeError where ports 53 or 5060 of the host are taken */
  constructor(options: LabNetworkOptions) {
    const { host, clock, random, domain, subscribers, timers = IMS_TIMERS, keepSeconds, longest } = options;
    const { faults } = options;
    this.addresses = host.addresses.map((a) => a.address).filter((a) => !isLinkLocal(a));
    if (!options.withoutDns) this.dns = new LabDns(host, { domain, pcscf: this.addresses });
    this.tcp = new TcpHost(host, clock, random);
    this.layer = new SipLayer({ transport: bothTransports(host, this.tcp, 5060), clock, random, timers });
    this.layer.onFull = (most) =>
      options.tell?.(`P-CSCF: ${most} requests wait for their end, further ones are dropped`);
    const pcscfs = this.addresses.map((address) => ({ address, port: 5060 }));
    this.services = new LabServices({ host, clock, random, pcscfs, domain, ...(faults && { faults }) });
    this.pcscf = new LabPcscf(this.layer, {
      domain,
      subscribers,
      ...(faults && { faults }),
      services: this.services.list,
      ...(keepSeconds ? { keepSeconds } : {}),
      ...(longest ? { longest } : {}),
      ...(options.onRegistrar ? { onEvent: options.onRegistrar } : {}),
    });
  }

  stop(): void {
    this.services.stop();
    this.pcscf.stop();
    this.layer.close();
    this.tcp.stop();
    this.dns?.close();
  }
}
