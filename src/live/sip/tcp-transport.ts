import { sipLength } from '../../../dissectors/sip/index.js';
import { concat, Framing } from '../../kit/index.js';
import { addressText } from '../address.js';
import type { IpHost } from '../host.js';
import type { TcpConnection, TcpUser } from '../tcp-connection.js';
import type { TcpHost } from '../tcp-host.js';
import { isReliable, type SipPeer, type SipTransport, udpTransport } from './transport.js';

const NONE = new Uint8Array(0);
const PING = 4;

/** A connection that carries messages: cuts them out of its stream. RFC 3261 §18.3 */
class Flow implements TcpUser {
  connection: TcpConnection | undefined;
  private rest: Uint8Array = NONE;
  private readonly framing = new Framing();

  constructor(
    private readonly owner: Flows,
    readonly peer: SipPeer,
    /** Whether the peer opened it, and so it is the peer that pings. RFC 5626 §4.4.1 */
    private readonly isAccepted: boolean,
  ) {}

  onOpen(connection: TcpConnection): void {
    this.connection = connection;
  }

  onData(octets: Uint8Array): void {
    let b = concat([this.rest, octets]);
    for (;;) {
      const n = sipLength(b, 0, b.length, this.framing);
      if (n < 0) {
        this.connection?.abort('what came is no SIP');
        return;
      }
      const isPingCut = this.isAccepted && b[0] < 0x41 && n > 0 && n < PING && b.length < PING;
      if (n === 0 || n > b.length || isPingCut) break;
      this.framing.restart();
      this.owner.give(b.subarray(0, n), this.peer);
      b = b.subarray(n);
    }
    this.rest = b.slice();
  }

  /** Whoever ends its direction answers nothing more. */
  onEnd(): void {
    this.connection?.close();
    this.owner.lost(this, 'ended by the peer');
  }

  onClose(why: string | undefined): void {
    this.owner.lost(this, why ?? 'ended');
  }
}

/** The connections of a SIP element, one to each peer. RFC 3261 §18 */
class Flows implements SipTransport {
  onOctets: SipTransport['onOctets'];
  onLost: SipTransport['onLost'];
  private readonly flows = new Map<string, Flow>();
  private readonly deaf: () => void;

  constructor(
    private readonly tcp: TcpHost,
    private readonly host: IpHost,
    private readonly port: number,
  ) {
    this.deaf = tcp.listen(port, ({ address, port }) => this.add({ address, port, protocol: 'TCP' }, true));
  }

  local(peer: SipPeer): SipPeer | undefined {
    const address = this.host.sourceFor(peer.address);
    return address && { address, port: this.port, protocol: 'TCP' };
  }

  send(octets: Uint8Array, peer: SipPeer): void {
    const flow = this.flows.get(keyOf(peer)) ?? this.open(peer);
    if (flow?.connection?.send(octets) !== true) this.onLost?.(peer, 'there is no connection');
  }

  drop(peer: SipPeer, why: string): void {
    const key = keyOf(peer);
    const flow = this.flows.get(key);
    this.flows.delete(key);
    flow?.connection?.abort(why);
  }

  close(): void {
    this.deaf();
    const flows = [...this.flows.values()];
    this.flows.clear();
    for (const f of flows) f.connection?.close();
  }

  give(octets: Uint8Array, from: SipPeer): void {
    this.onOctets?.(octets, from);
  }

  lost(flow: Flow, why: string): void {
    const key = keyOf(flow.peer);
    if (this.flows.get(key) !== flow) return;
    this.flows.delete(key);
    this.onLost?.(flow.peer, why);
  }

  private open(peer: SipPeer): Flow | undefined {
    const flow = this.add(peer, false);
    flow.connection = this.tcp.connect(peer, flow);
    return flow;
  }

  private add(peer: SipPeer, isAccepted: boolean): Flow {
    const flow = new Flow(this, peer, isAccepted);
    this.flows.set(keyOf(peer), flow);
    return flow;
  }
}

const keyOf = (p: SipPeer): string => `${addressText(p.address)} ${p.port}`;

/** SIP over a TCP port of a host, and over connections that it opens. @throws RangeError where the port is taken */
export const tcpTransport = (tcp: TcpHost, host: IpHost, port: number): SipTransport => new Flows(tcp, host, port);

/** SIP over both at a port: a peer says which of them it is reached by. RFC 3261 §18.1.1 @throws RangeError where it is taken */
export function bothTransports(host: IpHost, tcpHost: TcpHost, port: number): SipTransport {
  const udp = udpTransport(host, port);
  const tcp = tcpTransport(tcpHost, host, port);
  const of = (peer: SipPeer): SipTransport => (isReliable(peer) ? tcp : udp);
  const both: SipTransport = {
    hasTcp: true,
    onOctets: undefined,
    onLost: undefined,
    onUnreachable: undefined,
    local: (peer) => of(peer).local(peer),
    send: (octets, peer) => of(peer).send(octets, peer),
    drop: (peer, why) => of(peer).drop?.(peer, why),
    close() {
      udp.close();
      tcp.close();
    },
  };
  udp.onOctets = tcp.onOctets = (octets, from) => both.onOctets?.(octets, from);
  tcp.onLost = (peer, why) => both.onLost?.(peer, why);
  udp.onUnreachable = (peer, why) => both.onUnreachable?.(peer, why);
  return both;
}
