import { type DhcpMessage, codec as dhcpCodec, type Hardware } from '../../dissectors/dhcp/message.js';
import { type ClientMessage, codec as dhcpv6Codec, uuidDuid } from '../../dissectors/dhcpv6/message.js';
import { CODES } from '../../dissectors/icmp-types.js';
import { TYPE } from '../../dissectors/icmpv6/messages.js';
import { CODES as CODES_6 } from '../../dissectors/icmpv6/types.js';
import { ICMP, ICMPV6 } from '../../dissectors/numbers.js';
import { encode, u16 } from '../kit/index.js';
import { type Address, ALL_DHCP, addressText, same } from './address.js';
import { type Cancel, type Clock, Pacer } from './clock.js';
import { DhcpClient, type DhcpClientEvent } from './dhcp-client.js';
import { Dhcpv6Client, type Dhcpv6ClientEvent } from './dhcpv6-client.js';
import { IpHost } from './host.js';
import type { IcmpErrorNote, ReceivedDatagram, UdpSocket } from './host-types.js';
import { ipVersion, udpPacket } from './ip-packet.js';
import { type NeighbourEvent, Neighbours } from './neighbours.js';
import type { PacketPort } from './port.js';
import { integer, octets, type Random } from './random.js';
import { TcpHost } from './tcp-host.js';

/** What address configuration in the tunnel came to. */
export type InnerUeEvent =
  | { layer: 'dhcp'; event: DhcpClientEvent }
  | { layer: 'nd'; event: NeighbourEvent }
  | { layer: 'dhcpv6'; event: Dhcpv6ClientEvent };

/** The tunnel that a UE has its inner addresses in, and which of them it wants. */
export interface InnerUeOptions {
  port: PacketPort;
  clock: Clock;
  random: Random;
  /** Both, or one: packets of the other are discarded and counted. TS 24.322 §5.3.2.2 */
  families: readonly (4 | 6)[];
  /** RFC 3456 §4.1: `tunnelHardware` of the outer address, or `lanHardware`. */
  hardware: Hardware;
  mtu?: number;
  hostName?: string;
  onEvent(event: InnerUeEvent): void;
}

/** What became of an echo request. */
export type PingResult =
  | { answered: true; ms: number; ttl: number; sequence: number }
  /** `why`: what an ICMP error said about it, and who. */
  | { answered: false; why?: string };

/**
 * The IP side of a UE: host with TCP, DHCP client, address autoconfiguration, stateless DHCPv6 client, on a tunnel's port.
 * TS 24.322 §6.2.1, §6.3.1
 */
export class InnerUe {
  readonly host: IpHost;
  readonly tcp: TcpHost;
  readonly dhcp: DhcpClient;
  readonly neighbours: Neighbours;
  readonly dhcpv6: Dhcpv6Client;
  private readonly pacer: Pacer;
  private readonly clock: Clock;
  private readonly dhcpSocket: UdpSocket | undefined;
  private readonly dhcpv6Socket: UdpSocket | undefined;
  private readonly pings = new Map<number, (ttl: number, why?: string) => void>();
  private readonly pingIdent: number;
  private pingSequence = 0;
  private leased: Address | undefined;

  constructor(private readonly options: InnerUeOptions) {
    const { port, clock, random, families } = options;
    this.clock = clock;
    this.pacer = new Pacer(clock);
    const mtu = options.mtu ?? 1500;
    this.host = new IpHost({ families, random, mtu, send: (packet) => port.send(packet) });
    this.tcp = new TcpHost(this.host, clock, random);
    this.pingIdent = integer(random, 1, 0xffff);
    this.host.onEchoReply = (r) => {
      if (r.ident === this.pingIdent) this.pings.get(r.sequence)?.(r.ttl);
    };
    this.host.onIcmpError = (e) => {
      const request = quotedEcho(e);
      if (request?.ident === this.pingIdent) this.pings.get(request.sequence)?.(0, errorInWords(e));
    };
    const { hardware, hostName } = options;
    this.dhcp = new DhcpClient({
      hardware,
      random,
      ...(hostName ? { hostName } : {}),
      send: (m, src, dst) => this.sendDhcp(m, src, dst),
      onEvent: (event) => this.onDhcp(event),
    });
    this.neighbours = new Neighbours({ host: this.host, random, onEvent: (event) => this.onNeighbour(event) });
    this.dhcpv6 = new Dhcpv6Client({
      duid: uuidDuid(octets(random, 16)), // RFC 6355: there is no link-layer address
      random,
      send: (m) => this.sendDhcpv6(m),
      onEvent: (event) => options.onEvent({ layer: 'dhcpv6', event }),
    });
    for (const machine of [this.dhcp, this.neighbours, this.dhcpv6]) this.pacer.add(machine);
    if (families.includes(4)) this.dhcpSocket = this.host.udp(68, (d, now) => this.fromDhcpServer(d, now));
    if (families.includes(6)) this.dhcpv6Socket = this.host.udp(546, (d, now) => this.fromDhcpv6Server(d, now));
    port.onPacket((packet) => {
      this.host.handle(packet, clock.now());
      this.pacer.arrange();
    });
  }

  /** Asks for an IPv4 address, first for `former` where there was one. TS 24.322 §6.3.1 1) */
  startDhcp(former?: Address): void {
    this.dhcp.start(this.clock.now(), former);
    this.pacer.arrange();
  }

  /** Makes IPv6 addresses. TS 24.322 §6.3.1 2) */
  startSlaac(): void {
    this.neighbours.start(this.clock.now());
    this.pacer.arrange();
  }

  /** Gives the IPv4 address back. */
  releaseDhcp(): void {
    this.dhcp.release(this.clock.now());
    this.pacer.arrange();
  }

  /** DNS servers in the order DHCP, router, DHCPv6. */
  get dnsServers(): Address[] {
    const known = [
      ...(this.dhcp.lease?.dns ?? []),
      ...this.neighbours.dns.map((s) => s.address),
      ...(this.dhcpv6.configuration?.dns ?? []),
    ];
    return known.filter((a, i) => known.findIndex((b) => same(a, b)) === i);
  }

  /** P-CSCFs as they were announced: addresses, or names to be resolved. TS 24.229 §9.2.1 */
  get pcscfs(): (string | Address)[] {
    const v6 = this.dhcpv6.configuration;
    return [...(this.dhcp.lease?.sipServers ?? []), ...(v6?.sipAddresses ?? []), ...(v6?.sipNames ?? [])];
  }

  /** Sends an echo request; `done` is called with the answer or an ICMP error, or without one after `timeout` ms. */
  ping(dst: Address, done: (result: PingResult) => void, { timeout = 5000, size = 56 } = {}): void {
    const sequence = (this.pingSequence = (this.pingSequence + 1) & 0xffff);
    const began = this.clock.now();
    let cancel: Cancel = () => undefined;
    const finish = (result: PingResult) => {
      cancel();
      this.pings.delete(sequence);
      done(result);
    };
    this.pings.set(sequence, (ttl, why) =>
      finish(
        why === undefined ? { answered: true, ms: this.clock.now() - began, ttl, sequence } : { answered: false, why },
      ),
    );
    cancel = this.clock.after(timeout, () => finish({ answered: false }));
    const data = Uint8Array.from({ length: size }, (_, i) => i);
    this.host.ping(dst, this.pingIdent, sequence, data);
  }

  /** Does nothing any more; sends nothing but the end of its TCP connections. */
  stop(): void {
    for (const answered of [...this.pings.values()]) answered(0, 'the tunnel ended');
    this.tcp.stop();
    this.dhcp.stop();
    this.dhcpv6.stop();
    this.neighbours.stop();
    this.pacer.stop();
    this.dhcpSocket?.close();
    this.dhcpv6Socket?.close();
  }

  private sendDhcp(message: DhcpMessage, src: Address, dst: Address): void {
    this.host.transmit(udpPacket({ src, dst }, 68, 67, encode(dhcpCodec, message)), dst);
  }

  private fromDhcpServer(d: ReceivedDatagram, now: number): void {
    if (d.srcport === 67 && d.payload.length >= 236)
      this.dhcp.handle(dhcpCodec.parse(d.payload, 0, d.payload.length), now);
  }

  private onDhcp(event: DhcpClientEvent): void {
    if (this.leased) this.host.removeAddress(this.leased);
    this.leased = this.dhcp.lease?.address;
    if (this.leased) {
      this.host.addAddress({ address: this.leased, prefixLength: this.dhcp.lease!.prefixLength });
    }
    this.options.onEvent({ layer: 'dhcp', event });
  }

  private onNeighbour(event: NeighbourEvent): void {
    // RFC 4861 §4.2: O says that there is more to know; M, which TS 24.322 does not foresee, implies it.
    const more = event.type === 'router' && (event.other || event.managed);
    if (more && this.dhcpv6.configuration === undefined && this.dhcpv6.pollAt() === Number.POSITIVE_INFINITY)
      this.dhcpv6.start(this.clock.now());
    this.options.onEvent({ layer: 'nd', event });
  }

  private sendDhcpv6(message: ClientMessage): void {
    this.dhcpv6Socket?.send(ALL_DHCP, 547, encode(dhcpv6Codec, message), { ttl: 1 });
  }

  private fromDhcpv6Server(d: ReceivedDatagram, now: number): void {
    if (d.srcport === 547 && d.payload.length >= 34)
      this.dhcpv6.handle(dhcpv6Codec.parse(d.payload, 0, d.payload.length), now);
  }
}

/** The echo request that an ICMP error is about; undefined for other packets, and where it was too large: it is sent in parts from then on. */
function quotedEcho({ version, type, code, quoted }: IcmpErrorNote): { ident: number; sequence: number } | undefined {
  if (ipVersion(quoted) !== version || (version === 6 ? type === 2 : type === 3 && code === 4)) return undefined;
  const at = version === 4 ? (quoted[0] & 15) << 2 : 40;
  const [protocol, request] = version === 4 ? [quoted[9], 8] : [quoted[6], TYPE.echoRequest];
  if (quoted.length < at + 8 || protocol !== (version === 4 ? ICMP : ICMPV6) || quoted[at] !== request)
    return undefined;
  return { ident: u16(quoted, at + 4), sequence: u16(quoted, at + 6) };
}

function errorInWords({ version, type, code, src }: IcmpErrorNote): string {
  const words = (version === 4 ? CODES : CODES_6)[type]?.[code] ?? `ICMP error ${type}, code ${code}`;
  return `${words}, says ${addressText(src)}`;
}
