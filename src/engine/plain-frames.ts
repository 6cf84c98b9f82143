import { addHead, HEAD_FIELDS } from '../../dissectors/frame.js';
import { TCP } from '../../dissectors/numbers.js';
import { flagBits } from '../../dissectors/tcp/info.js';
import { type Field, Peek, type Tree, u16, type View } from '../kit/index.js';
import { addFixed } from './fixed-fields.js';
import type { Packet } from './packet.js';
import type { Plan, Step } from './plan.js';
import type { Registry } from './registry.js';
import type { Above, ShortCut } from './short-cut.js';

const ETHERNET = 1;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ETHERNET_HEADER = 14;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

/**
 * Shows in one step what nearly all frames are: a TCP segment right behind plain headers of Ethernet and IP. All others go the long way, which gives the same.
 */
export class PlainFrames {
  /** Whether all that is wanted of the frame and the headers is known without a walk over them. */
  private readonly usable: boolean;
  private readonly ethernet: Step;
  private readonly ip: Step;
  private readonly ipv6: Step;
  private readonly tcp: Step;

  constructor(
    plan: Plan,
    registry: Registry,
    private readonly shortCut: ShortCut,
    private readonly dissection: Above,
    wanted: (f: Field) => boolean,
  ) {
    const step = (proto: string): Step => plan.of(registry.byProto(proto)!);
    this.ethernet = step('eth');
    this.ip = step('ip');
    this.ipv6 = step('ipv6');
    this.tcp = step('tcp');
    const named = (table: string, key: number, { dissector }: Step): boolean =>
      registry.lookup(table, key) === dissector;
    this.usable =
      named('link', ETHERNET, this.ethernet) &&
      named('ethertype', IPV4, this.ip) &&
      named('ethertype', IPV6, this.ipv6) &&
      Object.values(registry.byProto('frame')!.fields).every((f) => HEAD_FIELDS.has(f) || !wanted(f)) &&
      [this.ethernet, this.ip, this.ipv6, this.tcp].every(({ quick }) => quick !== null);
  }

  /** Adds the wanted fields of the frame to the tree; false, and nothing is added, where it is not plain. */
  add(packet: Packet, t: Tree): boolean {
    const { view } = packet;
    if (!this.usable) return false;
    if (packet.protocol !== TCP || packet.iface.link !== ETHERNET || packet.transport !== view.buf) return false;
    const at = view.off + ETHERNET_HEADER;
    const tcp = packet.header;
    const ip = this.network(view, at, tcp);
    if (ip === null || packet.carriers !== null) return false;
    const { plain } = this.tcp.dissector;
    if (!plain!(view.buf, tcp, packet.payloadEnd, packet.payloadWireEnd)) return false;
    const before = t.enter(view.source);
    const { level } = t;
    addHead(view, t, packet);
    addFixed(this.ethernet.quick!, view.buf, view.off, t);
    addFixed(ip.quick!, view.buf, at, t);
    addFixed(this.tcp.quick!, view.buf, tcp, t);
    if (!this.shortCut.segment(packet)) this.dissection.above(packet, this.payload(packet), view.source);
    t.leave(before, level);
    return true;
  }

  /** What the segment carries, and its headers. */
  private payload({ view, header, payload, payloadEnd, payloadWireEnd, net, source, destination }: Packet): Peek {
    const { p } = this;
    p.buf = view.buf;
    p.off = payload;
    p.end = payloadEnd;
    p.wireEnd = payloadWireEnd;
    p.net = net;
    p.src = source;
    p.dst = destination;
    p.sport = u16(view.buf, header);
    p.dport = u16(view.buf, header + 2);
    p.flags = flagBits(view.buf, header);
    return p;
  }
  private readonly p = new Peek();

  /** The plain network layer at `at` that the transport layer at `tcp` follows; null: another, or none. */
  private network({ buf, end, wireEnd }: View, at: number, tcp: number): Step | null {
    const type = u16(buf, at - 2);
    const step = tcp === at + IPV4_HEADER && type === IPV4 ? this.ip : this.ipv6;
    if (step === this.ipv6 && (tcp !== at + IPV6_HEADER || type !== IPV6)) return null;
    return step.dissector.plain!(buf, at, end, wireEnd) ? step : null;
  }
}
