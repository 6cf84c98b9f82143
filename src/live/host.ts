import { echoRequest, type IcmpMessage, icmp } from '../../dissectors/icmp.js';
import {
  echoRequest as echoRequest6,
  type Icmpv6Message,
  codec as icmpv6,
  TYPE,
  verified,
} from '../../dissectors/icmpv6/messages.js';
import { ICMP, ICMPV6, UDP } from '../../dissectors/numbers.js';
import { checksum, u16, u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { FragmentTable } from '../stream/ip-fragments.js';
import { Ledger } from '../stream/ledger.js';
import {
  type Address,
  addressText,
  BROADCAST,
  commonBits,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  lastAddress,
  plain,
  same,
  solicitedNode,
} from './address.js';
import {
  type EchoReply,
  type HostAddress,
  type IcmpErrorNote,
  type ReceivedDatagram,
  type UdpSocket,
  type UpperProtocol,
  zeroCounters,
} from './host-types.js';
import {
  ERRORS,
  type ErrorName,
  fragments,
  IPV6_MINIMUM_MTU,
  icmpErrorPacket,
  icmpPacket,
  icmpv6Packet,
  ipVersion,
  isEmpty,
  netPair,
  type ReadPacket,
  readPacket,
  readReassembled,
  TokenBucket,
  udpPacket,
  udpPayload,
} from './ip-packet.js';
import { integer, type Random, word } from './random.js';

/** What an inner host supports, and where its packets go. */
export interface HostOptions {
  /** Families that this end supports; packets of others are discarded and counted. TS 24.322 §5.3.2.2 */
  families: readonly (4 | 6)[];
  random: Random;
  /** Octets of the largest packet that is sent; 1500 without it. */
  mtu?: number;
  /** Sends a packet. */
  send(packet: Uint8Array): void;
}

/** Takes neighbour discovery messages, whose hop limit and checksum were found right. RFC 4861 §7.1 */
export type NeighbourReceiver = (message: Icmpv6Message, src: Address, dst: Address, now: number) => void;

type Receive = (datagram: ReceivedDatagram, now: number) => void;
interface Bound extends UdpSocket {
  receive: Receive;
}

/** Ports that nobody has registered begin here. RFC 6335 §6 */
export const FIRST_EPHEMERAL = 49_152;

/**
 * An IP host without I/O: IPv4 and IPv6, UDP, ICMP; other protocols where they are given to it. It has no link layer: an FTT-IMS carries IP packets alone. It keeps
 * no timers. RFC 791, RFC 1122, RFC 8200, TS 24.322 §6.2.1
 */
export class IpHost {
  readonly counters = zeroCounters();
  readonly addresses: HostAddress[] = [];
  mtu: number;
  /** Hop limit of IPv6 packets, as routers advise. RFC 4861 §6.3.2 */
  hopLimit = 64;
  onEchoReply: ((reply: EchoReply, now: number) => void) | undefined;
  onNeighbour: NeighbourReceiver | undefined;
  /** Told of ICMP errors, whoever caused them. */
  onIcmpError: ((error: IcmpErrorNote, now: number) => void) | undefined;

  private readonly sockets = new Map<number, Bound>();
  private readonly upper = new Map<number, UpperProtocol>();
  private readonly parts = new FragmentTable(
    new Ledger(LIMITS.hostFragmentOctets),
    LIMITS.hostFragmented,
    LIMITS.hostFragmentOctets,
  );
  private readonly paths = new Map<string, number>();
  private readonly errorBudget = new TokenBucket(10, 10);
  private readonly random: Random;
  private identification: number;

  constructor(private readonly options: HostOptions) {
    this.mtu = options.mtu ?? 1500;
    this.random = options.random;
    this.identification = integer(options.random, 0, 0xffff);
  }

  supports(version: 4 | 6): boolean {
    return this.options.families.includes(version);
  }

  addAddress(a: HostAddress): void {
    this.removeAddress(a.address);
    this.addresses.push(a);
  }

  removeAddress(a: Address): void {
    const at = this.addresses.findIndex((x) => same(x.address, a));
    if (at >= 0) this.addresses.splice(at, 1);
  }

  has(a: Address): boolean {
    return this.addresses.some((x) => same(x.address, a));
  }

  /**
   * The address to talk to `dst` from: of its family, link-local for link-local destinations, not deprecated if there is
   * another; undefined without any. RFC 6724 §5, rules 1 to 3 and 8
   */
  sourceFor(dst: Address): Address | undefined {
    const usable = this.addresses.filter((a) => a.address.length === dst.length);
    const near = isLinkLocal(dst) || (dst.length === 16 && isMulticast(dst) && (dst[1] & 15) <= 2);
    const scoped = usable.filter((a) => isLinkLocal(a.address) === near);
    const pool = scoped.length > 0 ? scoped : near ? usable : [];
    if (pool.some((a) => same(a.address, dst))) return dst;
    const fresh = pool.filter((a) => !a.deprecated);
    const best = (fresh.length > 0 ? fresh : pool).sort(
      (a, b) => commonBits(b.address, dst) - commonBits(a.address, dst),
    );
    return best[0]?.address;
  }

  /** @throws RangeError where the port is taken */
  udp(port: number, receive: Receive): UdpSocket {
    const number = port === 0 ? this.freePort() : port;
    if (this.sockets.has(number)) throw new RangeError(`UDP port ${number} is taken`);
    const socket: Bound = {
      port: number,
      receive,
      send: (dst, dstport, payload, options = {}) => {
        const src = options.src ?? this.sourceFor(dst);
        if (src === undefined || src.length !== dst.length) return false;
        const header = this.header(src, dst);
        const { ttl = header.ttl, ds = 0 } = options;
        this.transmit(udpPacket({ ...header, ttl, ds }, number, dstport, payload), dst);
        return true;
      },
      close: () => {
        if (this.sockets.get(number) === socket) this.sockets.delete(number);
      },
    };
    this.sockets.set(number, socket);
    return socket;
  }

  /** Hands packets of a protocol over that the host itself does not know. */
  use(protocol: number, upper: UpperProtocol): void {
    this.upper.set(protocol, upper);
  }

  /** The header of a packet of ours, with the next identification. */
  header(src: Address, dst: Address): { src: Address; dst: Address; ttl: number; id: number } {
    const id = (this.identification = (this.identification + 1) & 0xffff);
    return { src, dst, ttl: dst.length === 16 ? this.hopLimit : 64, id };
  }

  /** Sends an echo request. False where there is no address to send it from. */
  ping(dst: Address, ident: number, sequence: number, data: Uint8Array, ttl?: number): boolean {
    const src = this.sourceFor(dst);
    if (src === undefined) return false;
    const h = { src, dst, ttl: ttl ?? (dst.length === 16 ? this.hopLimit : 64) };
    if (dst.length === 4) this.transmit(icmpPacket(h, echoRequest(ident, sequence, data)), dst);
    else this.transmit(icmpv6Packet(h, echoRequest6(ident, sequence, data)), dst);
    return true;
  }

  /** Octets of the largest packet that the path to `dst` takes, as far as is known. */
  pathMtu(dst: Address): number {
    const limit = Math.min(this.mtu, this.paths.get(addressText(dst)) ?? this.mtu);
    return dst.length === 16 ? Math.max(limit, IPV6_MINIMUM_MTU) : limit;
  }

  /** Sends a whole packet as it is, in parts where the path needs it; to an address of this host, it arrives here. */
  transmit(packet: Uint8Array, dst: Address): void {
    const pieces = fragments(packet, this.pathMtu(dst), word(this.random));
    for (const piece of pieces ?? []) {
      this.counters.sent++;
      this.options.send(piece);
    }
  }

  /** Takes a packet that arrived. */
  handle(packet: Uint8Array, now: number): void {
    this.counters.received++;
    const version = ipVersion(packet);
    if ((version !== 4 && version !== 6) || !this.supports(version)) {
      this.counters.family++; // TS 24.322 §5.3.2.2
      return;
    }
    const p = readPacket(plain(packet));
    if (typeof p === 'string') {
      this.counters.damaged++;
      return;
    }
    if (!this.accepts(p)) {
      this.counters.notMine++;
      return;
    }
    if (p.fragment) this.part(p, now);
    else this.deliver(p, p, now);
  }

  private accepts(p: ReadPacket): boolean {
    if (this.has(p.dst)) return true;
    if (p.version === 4) {
      if (same(p.dst, BROADCAST)) return true;
      if (this.addresses.some((a) => a.address.length === 4 && same(p.dst, lastAddress(a.address, a.prefixLength))))
        return true;
      // RFC 2131 §4.1: an answer may come to the address that it assigns.
      return p.protocol === UDP && this.sockets.has(68) && u16(p.packet, p.off + 2) === 68;
    }
    if (!isMulticast(p.dst)) return false;
    return (
      p.dst[15] === 1 ||
      this.onNeighbour !== undefined ||
      this.addresses.some((a) => same(solicitedNode(a.address), p.dst))
    );
  }

  private part(p: ReadPacket, now: number): void {
    const { id, offset, more } = p.fragment!;
    const [src, dst] = p.version === 4 ? [12, 16] : [8, 24];
    const at = { net: p.version, src, dst, buf: p.packet, off: p.off, end: p.end };
    const part = { ...at, key: p.protocol, fragmentId: id, fragmentOffset: offset, moreFragments: more };
    const whole = this.parts.add(0, part, p.packet, 0, now / 1000);
    this.counters.fragments = this.parts.dropped + this.parts.refused;
    if (whole === undefined) return;
    const r = readReassembled(p, whole.protocol, whole.bytes);
    if (typeof r === 'string') this.counters.damaged++;
    else this.deliver(r, p, now);
  }

  /** @param wire the packet (of a reassembled datagram, its last part) that an error would quote */
  private deliver(p: ReadPacket, wire: ReadPacket, now: number): void {
    if (p.problem) {
      this.error(wire, { type: 4, code: p.problem.code, word: p.problem.pointer }, now);
      return;
    }
    if (isEmpty(p)) return;
    const upper = this.upper.get(p.protocol);
    if (upper !== undefined) upper.receive(p, now);
    else if (p.protocol === UDP) this.datagram(p, wire, now);
    else if (p.protocol === ICMP && p.version === 4) this.control4(p, now);
    else if (p.protocol === ICMPV6 && p.version === 6) this.control6(p, now);
    else this.tell(wire, 'protocolUnreachable', now, p.version === 6 ? { word: wire.protocolAt } : {}); // RFC 4443 §3.4
  }

  private datagram(p: ReadPacket, wire: ReadPacket, now: number): void {
    const b = p.packet;
    const payload = udpPayload(p);
    if (payload === undefined) {
      this.counters.damaged++;
      return;
    }
    const dstport = u16(b, p.off + 2);
    const socket = this.sockets.get(dstport);
    if (socket === undefined) {
      this.counters.noPort++;
      this.tell(wire, 'portUnreachable', now);
      return;
    }
    const { src, dst, ttl } = p;
    socket.receive({ src, srcport: u16(b, p.off), dst, dstport, ttl, payload: payload.slice() }, now);
  }

  private control4(p: ReadPacket, now: number): void {
    if (p.end - p.off < 8 || checksum(p.packet, p.off, p.end) !== 0) {
      this.counters.damaged++;
      return;
    }
    const m: IcmpMessage = icmp.codec!.parse(p.packet, p.off, p.end);
    if (m.type === 8 && !isMulticast(p.dst) && !same(p.dst, BROADCAST)) {
      this.transmit(icmpPacket({ src: p.dst, dst: p.src }, { ...m, type: 0 }), p.src); // RFC 792
    } else if (m.type === 0) {
      const [ident, sequence] = [m.word >>> 16, m.word & 0xffff];
      this.onEchoReply?.({ src: p.src, ident, sequence, ttl: p.ttl, data: m.data }, now);
    } else if (m.type === 3 || m.type === 11 || m.type === 12) {
      if (m.type === 3 && m.code === 4) this.learnMtu(m.data, m.word & 0xffff);
      this.failed(4, p.src, m.type, m.code, m.data, now);
    }
  }

  private control6(p: ReadPacket, now: number): void {
    if (p.end - p.off < 8 || !verified(p.packet, p.off, p.end, netPair(p.src, p.dst))) {
      this.counters.damaged++;
      return;
    }
    const m = icmpv6.parse(p.packet, p.off, p.end);
    if (m.type >= TYPE.routerSolicitation && m.type <= TYPE.redirect) {
      if (p.ttl === 255 && m.code === 0)
        this.onNeighbour?.(m, p.src, p.dst, now); // RFC 4861 §7.1
      else this.counters.damaged++;
    } else if (m.type === TYPE.echoRequest) {
      const src = isMulticast(p.dst) ? this.sourceFor(p.src) : p.dst;
      if (src)
        this.transmit(icmpv6Packet({ src, dst: p.src, ttl: this.hopLimit }, { ...m, type: TYPE.echoReply }), p.src);
    } else if (m.type === TYPE.echoReply) {
      const [ident, sequence] = [u16(m.body, 0), u16(m.body, 2)];
      this.onEchoReply?.({ src: p.src, ident, sequence, ttl: p.ttl, data: m.body.slice(4) }, now);
    } else if (m.type < 128) {
      if (m.type === 2) this.learnMtu(m.body.subarray(4), u32(m.body, 0));
      this.failed(6, p.src, m.type, m.code, m.body.subarray(4), now);
    }
  }

  /** A router on the path takes no more than `mtu` octets. RFC 1191 §3, RFC 8201 §4 */
  private learnMtu(quoted: Uint8Array, mtu: number): void {
    const version = ipVersion(quoted);
    const least = version === 6 ? IPV6_MINIMUM_MTU : 68;
    if (quoted.length < (version === 6 ? 40 : 20) || mtu < least) return;
    const dst = version === 6 ? quoted.slice(24, 40) : quoted.slice(16, 20);
    const path = addressText(dst);
    const [oldest] = this.paths.keys();
    if (!this.paths.has(path) && this.paths.size >= LIMITS.hostPaths) {
      this.paths.delete(oldest);
      this.counters.paths++;
    }
    this.paths.set(path, Math.min(mtu, this.paths.get(path) ?? mtu)); // such a message never lets it grow
  }

  /** An ICMP error came about what we sent: the socket is told. */
  private failed(version: 4 | 6, src: Address, type: number, code: number, quoted: Uint8Array, now: number): void {
    this.onIcmpError?.({ version, type, code, src, quoted }, now);
    const header = version === 4 ? (quoted[0] & 15) << 2 : 40;
    const protocol = version === 4 ? quoted[9] : quoted[6];
    if (quoted.length < header + 4 || ipVersion(quoted) !== version) return;
    const [from, to, end] = version === 4 ? [12, 16, 20] : [8, 24, 40];
    const dst = quoted.slice(to, end);
    this.upper.get(protocol)?.failed(quoted.slice(from, to), dst, quoted.subarray(header), type, code);
    if (protocol !== UDP) return;
    const socket = this.sockets.get(u16(quoted, header));
    socket?.onError?.({ type, code, dst, dstport: u16(quoted, header + 2) }, now);
  }

  private tell(p: ReadPacket, name: ErrorName, now: number, more: { word?: number } = {}): void {
    this.error(p, { ...ERRORS[name][p.version === 4 ? 0 : 1], ...more }, now);
  }

  private error(p: ReadPacket, error: { type: number; code: number; word?: number }, now: number): void {
    if (isUnspecified(p.src)) return;
    const src = this.has(p.dst) ? p.dst : this.sourceFor(p.src);
    const packet = src && icmpErrorPacket(p, src, error);
    if (packet === undefined) return;
    if (!this.errorBudget.take(now)) {
      this.counters.errorsHeld++;
      return;
    }
    this.transmit(packet, p.src);
  }

  private freePort(): number {
    for (;;) {
      const port = integer(this.random, FIRST_EPHEMERAL, 0xffff);
      if (!this.sockets.has(port)) return port;
    }
  }
}
