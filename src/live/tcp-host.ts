import { TCP } from '../../dissectors/numbers.js';
import { u16, u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { type Address, addressText, isMulticast, isUnspecified } from './address.js';
import type { Clock } from './clock.js';
import { FIRST_EPHEMERAL, type IpHost } from './host.js';
import type { UpperProtocol } from './host-types.js';
import type { ReadPacket } from './ip-packet.js';
import { integer, type Random, word } from './random.js';
import { TcpConnection, type TcpEnd, type TcpUser } from './tcp-connection.js';
import { ACK, plus, RST, readSegment, SYN, spaceOf, type TcpSegment, tcpPacket } from './tcp-segment.js';

/** Octets of IP and TCP headers without options. */
const headersTo = (dst: Address): number => (dst.length === 4 ? 40 : 60);
const NONE = new Uint8Array(0);

/** Makes who uses a connection that a peer opens. */
type Accept = (remote: TcpEnd) => TcpUser;

/** TCP of an IP host: its connections, and the ports at which it listens. RFC 9293 §3.9 */
export class TcpHost implements UpperProtocol {
  /** Segments whose header or checksum is wrong; connections that made room for others. */
  damaged = 0;
  displaced = 0;
  /** In the order in which something came for them last. */
  private readonly connections = new Map<string, TcpConnection>();
  private readonly listeners = new Map<number, Accept>();
  private onIdle: (() => void) | undefined;

  constructor(
    private readonly host: IpHost,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    host.use(TCP, this);
  }

  /** Takes connections to a port, until the function that it returns is called. @throws RangeError where it is taken */
  listen(port: number, accept: Accept): () => void {
    if (this.listeners.has(port)) throw new RangeError(`TCP port ${port} is taken`);
    this.listeners.set(port, accept);
    return () => void this.listeners.delete(port);
  }

  /** Opens a connection; undefined where this host has no address to open it from. */
  connect(remote: TcpEnd, user: TcpUser): TcpConnection | undefined {
    const address = this.host.sourceFor(remote.address);
    if (address === undefined) return undefined;
    return this.add({ address, port: this.freePort(address, remote) }, remote, user);
  }

  /** Ends all connections; resolves when their peers did, too, or after `ms`. */
  end(ms: number): Promise<void> {
    for (const c of [...this.connections.values()]) c.close();
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, () => this.onIdle?.());
      this.onIdle = () => {
        this.onIdle = undefined;
        cancel();
        resolve();
      };
      this.lookIdle();
    });
  }

  /** Forgets all connections, and says so to their peers. */
  stop(): void {
    this.listeners.clear();
    for (const c of [...this.connections.values()]) c.forget();
    this.onIdle?.();
  }

  receive(p: ReadPacket): void {
    if (isMulticast(p.dst) || isUnspecified(p.src)) return; // RFC 9293 §3.9.2.3
    const s = readSegment(p);
    if (s === undefined) {
      this.damaged++;
      return;
    }
    const local = { address: p.dst, port: s.dstport };
    const remote = { address: p.src, port: s.srcport };
    const key = keyOf(local, remote);
    const known = this.connections.get(key);
    if (known !== undefined) {
      this.connections.delete(key);
      this.connections.set(key, known);
      known.receive(s);
      this.lookIdle();
      return;
    }
    const accept = this.listeners.get(s.dstport);
    if (accept !== undefined && (s.flags & (SYN | ACK | RST)) === SYN) this.add(local, remote, accept(remote), s);
    else if ((s.flags & RST) === 0) this.refuse(local, remote, s);
  }

  failed(src: Address, dst: Address, quoted: Uint8Array, type: number, code: number): void {
    const connection = this.connections.get(
      keyOf({ address: src, port: u16(quoted, 0) }, { address: dst, port: u16(quoted, 2) }),
    );
    const isTooBig = src.length === 4 ? type === 3 && code === 4 : type === 2;
    if (isTooBig && quoted.length >= 8) connection?.tooBig(u32(quoted, 4), this.host.pathMtu(dst) - headersTo(dst));
    const hard = src.length === 4 ? type === 3 && (code === 2 || code === 3) : type === 4 || (type === 1 && code === 4);
    if (hard) connection?.unreachable(); // RFC 1122 §4.2.3.9, RFC 5461 §2
  }

  /** Tells who waits for it that no connection goes on. */
  private lookIdle(): void {
    if (this.onIdle !== undefined && [...this.connections.values()].every((c) => c.state === 'time-wait'))
      this.onIdle();
  }

  private add(local: TcpEnd, remote: TcpEnd, user: TcpUser, syn?: TcpSegment): TcpConnection {
    const key = keyOf(local, remote);
    if (this.connections.size >= LIMITS.tcpConnections) this.displace();
    const headers = headersTo(remote.address);
    const cx = {
      clock: this.clock,
      mss: this.host.mtu - headers,
      pathMss: this.host.pathMtu(remote.address) - headers,
      emit: (segment: Omit<TcpSegment, 'srcport' | 'dstport' | 'urgent'>) => this.send(local, remote, segment),
      done: () => void this.connections.delete(key),
    };
    const connection = new TcpConnection(local, remote, cx, user, word(this.random), syn);
    this.connections.set(key, connection);
    connection.open();
    return connection;
  }

  /** Who never answered our SYN makes room first: a flood of SYNs ends no conversation. */
  private displace(): void {
    const all = [...this.connections.values()];
    const least = all.find((c) => c.state === 'syn-received') ?? all[0];
    this.displaced++;
    least.abort('made room for others');
  }

  /** Answers a segment for a connection that is not there. RFC 9293 §3.10.7.1 */
  private refuse(local: TcpEnd, remote: TcpEnd, s: TcpSegment): void {
    const isAck = (s.flags & ACK) !== 0;
    const seq = isAck ? s.ack : 0;
    const ack = isAck ? 0 : plus(s.seq, spaceOf(s));
    const flags = isAck ? RST : RST | ACK;
    this.send(local, remote, { seq, ack, flags, window: 0, options: NONE, payload: NONE });
  }

  private send(local: TcpEnd, remote: TcpEnd, segment: Omit<TcpSegment, 'srcport' | 'dstport' | 'urgent'>): void {
    const h = this.host.header(local.address, remote.address);
    this.host.transmit(tcpPacket(h, { srcport: local.port, dstport: remote.port, ...segment }), remote.address);
  }

  private freePort(address: Address, remote: TcpEnd): number {
    for (;;) {
      const port = integer(this.random, FIRST_EPHEMERAL, 0xffff);
      if (!this.connections.has(keyOf({ address, port }, remote)) && !this.listeners.has(port)) return port;
    }
  }
}

const keyOf = (local: TcpEnd, remote: TcpEnd): string =>
  `${addressText(local.address)} ${local.port} ${addressText(remote.address)} ${remote.port}`;
