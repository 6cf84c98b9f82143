import { PROTOCOLS } from '../../dissectors/frame.js';
import { fieldLines } from '../../dissectors/http/message.js';
import { TCP, UDP } from '../../dissectors/numbers.js';
import { FIN, RST } from '../../dissectors/tcp/fields.js';
import { RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { unpack } from '../capture/unpack.js';
import {
  type AnyDissector,
  type Ctx,
  type Field,
  isDamage,
  type NetPair,
  No,
  type PayloadTypes,
  type Pdu,
  Peek,
  type Severity,
  Short,
  type Source,
  shorten,
  type TableKey,
  Tree,
  Unsure,
  View,
  Yes,
} from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { CATALOGUE } from '../model/catalogue.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { carrierOf, envelopeNote } from './carried.js';
import { engineExperts as E, engineFields as F, FINDING_SEVERITIES, SEVERITIES } from './engine-fields.js';
import { type Fault, Faults } from './faults.js';
import { FrameFacts } from './frame-facts.js';
import type { Datagram, Packet } from './packet.js';
import { PlainFrames } from './plain-frames.js';
import { Depth, Plan, type Step } from './plan.js';
import type { Registry } from './registry.js';
import { ShortCut } from './short-cut.js';
import { StackTexts } from './stack-texts.js';

export { columnFields, engineFields, expertFields } from './engine-fields.js';

/** A place to go back to. */
export interface Mark {
  nodes: number;
  experts: number;
  sources: number;
  protocols: number;
  nodeless: number;
}

const NO_NET: NetPair = { version: 4, buf: new Uint8Array(0), src: 0, dst: 0 };

/** Wireshark cuts messages to less than so many characters. */
const MESSAGE = 240;

/** What tshark calls a layer that it could not read, where that is not its name in the protocol column. */
const CALLED: Readonly<Record<string, string>> = {
  classicstun: 'CLASSICSTUN',
  dhcp: 'DHCP/BOOTP',
  'ipv6.hopopts': 'IPv6 Hop-by-Hop',
  'ipv6.routing': 'IPv6 Routing',
  'ipv6.fraghdr': 'IPv6 Fragment',
  'ipv6.dstopts': 'IPv6 Destination',
  mdns: 'mDNS',
};

/** Whether a segment shows messages: a FIN may end one; octets in a reset are its reason, RFC 9293 §3.5.3. */
const carries = ({ flags }: Peek, payload: View): boolean =>
  (flags & RST) !== 0 && payload.length > 0 ? false : payload.wireLength > 0 || (flags & FIN) !== 0;

/**
 * Runs dissectors over one packet and fills a {@link Tree}. Stateless between packets: everything that depends on other
 * packets stands in the {@link Packet}.
 */
export class Dissection implements Ctx {
  readonly tree: Tree;
  /** Protocol stack, outermost first. */
  readonly protocols: string[] = [];
  /** Protocols of layers that are there, and were too short for a node of their own. */
  readonly nodeless: string[] = [];
  net: NetPair = NO_NET;
  sport = 0;
  dport = 0;
  quoted = false;
  frame = 0;
  seconds = 0;
  nanos = 0;
  tunnel = 0;
  readonly unpack = unpack;
  mediaParameters = '';
  payloadParameters: string | undefined = undefined;
  payloadTypes: PayloadTypes | undefined = undefined;
  mediaType = '';
  readonly faults = new Faults();
  /** Layers that describe the row in the Info column: how many, who reads them, and where they lie. */
  private leaves = 0;
  private readonly leafOf: AnyDissector[] = [];
  private readonly leafAt: View[] = [];
  private packet!: Packet;
  private layers = 0;
  readonly plan: Plan;
  private readonly peek = new Peek();
  private readonly facts = new FrameFacts();
  /** Null: every layer is dissected. */
  private readonly shortCut: ShortCut | null;
  private readonly plainFrames: PlainFrames | null;
  private readonly dataStep: Step;
  private readonly frameDissector: AnyDissector;
  private readonly fttims: AnyDissector | undefined;
  private readonly udp: AnyDissector | undefined;
  private readonly tcp: AnyDissector | undefined;
  private readonly http: AnyDissector | undefined;

  /**
   * @param wants fields to keep, by id
   * @param everything the protocol list or the Info column is wanted, so that no layer may be passed over
   */
  constructor(
    readonly registry: Registry,
    wants: Uint8Array,
    private readonly everything: boolean,
  ) {
    this.tree = new Tree(wants, LIMITS.treeNodes);
    this.everything ||= wants[PROTOCOLS.id] !== 0;
    if (this.everything) this.tree.stack = this.protocols;
    this.plan = new Plan(registry, wants, this.everything);
    this.shortCut = this.everything ? null : new ShortCut(this.plan, registry, this);
    const wanted = (f: Field): boolean => wants[f.id] !== 0;
    this.plainFrames = this.shortCut && new PlainFrames(this.plan, registry, this.shortCut, this, wanted);
    this.dataStep = this.plan.of(registry.byProto('data')!);
    this.frameDissector = registry.byProto('frame')!;
    this.fttims = registry.byProto('fttims');
    this.udp = registry.byProto('udp');
    this.tcp = registry.byProto('tcp');
    this.http = registry.byProto('http');
  }

  /** Dissects an outer frame into an empty tree. `first` is the time of the first frame, for relative times. */
  run(packet: Packet, first: readonly [number, number]): void {
    this.tree.reset();
    shorten(this.protocols, 0);
    shorten(this.nodeless, 0);
    if (this.plainFrames?.add(packet, this.tree) === true) return;
    this.first = first;
    this.more(packet, this.frameDissector);
  }
  private first: readonly [number, number] = [0, 0];
  /** Whether the packet at hand came out of an envelope. */
  private isInside = false;

  /** Adds the layers of another packet (the content of an envelope) to those that stand. */
  more(packet: Packet, d: AnyDissector): void {
    if (d === this.fttims && this.shortCut?.add('tls.app', 'fttims', packet.view, packet, this.tree)) return;
    this.begin(packet);
    this.isInside = d !== this.frameDissector;
    this.layer(this.plan.of(d), packet.view);
    if (packet.fault !== null) this.fault(packet.fault, packet.view.end);
  }

  /** Adds what a segment or datagram carries to the headers that stand. */
  above(packet: Packet, p: Peek, source: Source): void {
    const payload = new View(source, p.off, p.end, p.wireEnd);
    if (packet.protocol === TCP && !carries(p, payload)) return;
    this.begin(packet);
    this.net = { version: p.net as 4 | 6, buf: p.buf, src: p.src, dst: p.dst };
    this.sport = this.peek.sport = p.sport;
    this.dport = this.peek.dport = p.dport;
    this.current = packet.protocol === UDP ? this.udp : this.tcp;
    this.payload(payload);
    this.current = undefined;
  }

  private begin(packet: Packet): void {
    this.packet = packet;
    this.frame = packet.frame;
    this.seconds = packet.seconds;
    this.nanos = packet.nanos;
    this.net = NO_NET;
    this.quoted = false;
    this.layers = 0;
    this.mediaType = '';
    this.mediaParameters = '';
    this.payloadParameters = undefined;
    this.payloadTypes = undefined;
    this.leaves = 0;
  }

  /** Remembers what stands, for {@link back}. */
  mark(): Mark {
    const { length, experts, sourceCount } = this.tree;
    return {
      nodes: length,
      experts: experts.length,
      sources: sourceCount,
      protocols: this.protocols.length,
      nodeless: this.nodeless.length,
    };
  }

  /** Drops what was added since `m`. */
  back(m: Mark): void {
    this.tree.truncate(m.nodes, m.experts, m.sources);
    shorten(this.protocols, m.protocols);
    shorten(this.nodeless, m.nodeless);
  }

  /**
   * Adds what is known when all layers are: the tunnel, the expert items as fields, and frame.protocols.
   * @param findings codes of what else was found
   * @param missing octets of each gap before it
   */
  finish(
    tunnel: Tunnel | null,
    direction: string | null,
    findings: readonly string[],
    missing: readonly number[],
  ): void {
    const t = this.tree;
    if (tunnel !== null) t.num(F.tunnel, 0, 0, tunnel.id);
    if (direction !== null) t.text(F.direction, 0, 0, direction);
    for (const octets of missing) t.num(F.gap, 0, 0, octets);
    if (t.experts.length > 0)
      for (const { expert, message } of t.experts) {
        t.text(F.message, 0, 0, message.length < MESSAGE ? message : message.slice(0, MESSAGE - 1));
        t.num(F.severity, 0, 0, SEVERITIES[expert.severity]);
        if (FINDING_SEVERITIES[expert.severity] > 0) this.found(expert.code, expert.severity);
        if (expert.malformed === true) t.text(F.malformedItem, 0, 0, F.malformed.name);
      }
    for (const code of findings)
      if (!t.experts.some((e) => e.expert.code === code)) this.found(code, CATALOGUE[code]?.severity ?? 'note');
    if (!t.wanted(PROTOCOLS)) return;
    for (let i = 0; i < t.length; i++)
      if (t.field(i) === PROTOCOLS) {
        t.made[i] = this.stack();
        return;
      }
  }

  private found(code: string, severity: Severity): void {
    this.tree.text(F.code, 0, 0, code);
    this.tree.num(F.findingSeverity, 0, 0, FINDING_SEVERITIES[severity]);
  }

  /** The protocol stack as `frame.protocols` has it. */
  stack(): string {
    return this.stacks.of(this.protocols);
  }
  private readonly stacks = new StackTexts();

  wantsBelow(d: AnyDissector): boolean {
    return this.everything || this.plan.below(d);
  }

  get stream(): boolean {
    return this.packet.protocol === TCP;
  }

  next(table: string, key: TableKey, payload: View): void {
    if (table === 'link' && (this.packet.isEnd || this.shortCut?.add(table, key, payload, this.packet, this.tree)))
      return;
    if (table === 'media_type') this.mediaType = String(key);
    if (table === 'ethertype') this.protocols.push('ethertype');
    const step = this.plan.lookup(table, key);
    if (step === undefined) this.data(payload);
    else this.layer(step, payload);
  }

  verifies(proto: string): boolean {
    return this.isInside || this.registry.verified.has(proto);
  }

  takes(table: string, key: TableKey): boolean {
    return this.plan.lookup(table, key) !== undefined;
  }

  call(proto: string, payload: View): boolean {
    const d = this.registry.byProto(proto);
    if (d === undefined) return false;
    this.layer(this.plan.of(d), payload);
    return true;
  }

  payload(v: View): void {
    const { packet } = this;
    if (this.quoted || packet.protocol === 0) {
      this.quotedPayload(v);
      return;
    }
    const carrier = packet.carriers === null ? undefined : carrierOf(packet.carriers, v);
    if (carrier !== undefined) {
      this.layer(this.plan.of(carrier.dissector!), v);
      return;
    }
    if (packet.protocol === UDP) {
      if (packet.refused !== null) this.refusal(packet.refused, v);
      if (packet.dissector === null) this.data(v);
      else this.layer(this.plan.of(packet.dissector), v);
      return;
    }
    if (packet.pdus !== null) {
      this.messages(packet.pdus);
      const last = packet.pdus[packet.pdus.length - 1];
      if (packet.goesOn && last.dissector.proto === 'tls' && !this.headerSplit(last)) this.begun(last);
    } else if (packet.begun !== null) this.begun({ ...packet.begun, view: v });
  }

  /** Why somebody refuses what was announced for them. Like tshark we do not list them. */
  private refusal(d: AnyDissector, v: View): void {
    const listed = this.protocols.length;
    this.layer(this.plan.of(d), v);
    this.protocols.length = listed;
  }

  /** A record that goes on in later segments: like tshark it is only listed, with the CONNECT that it is in. */
  private begun(pdu: Pdu): void {
    if (pdu.around !== undefined) this.around(pdu);
    if (this.everything || this.plan.of(pdu.dissector).depth !== Depth.Skip) this.protocols.push(pdu.dissector.proto);
  }

  private ofPorts(table: string): Step | undefined {
    const d = this.registry.ofPorts(table, this.sport, this.dport, this.quoted ? 0 : this.packet.server);
    return d && this.plan.of(d);
  }

  /** Gives octets to who may be found for them, and takes them or is `known` to have taken others; else they are data. */
  private offer(step: Step | undefined, v: View, known = false): void {
    const found = step?.dissector.probe?.(v.buf, v.off, v.end, known, v.wireEnd) ?? Yes;
    if (step === undefined || found === No || (found === Unsure && !known && v.end === v.wireEnd)) this.data(v);
    else this.layer(step, v);
  }

  /** In a quoted packet nothing is followed: its flow and its ports say what it is, if anything does. */
  private quotedPayload(v: View): void {
    if (v.length === 0) return;
    const d = this.quotedDatagram(v)?.dissector ?? null;
    if (this.current !== this.udp && d === null) this.data(v);
    else if (d !== null) this.offer(this.plan.of(d), v, true);
    else this.offer(this.ofPorts('udp.port') ?? this.recognised(v), v);
  }
  /** Who recognises the octets of a datagram. */
  private recognised(v: View): Step | undefined {
    for (const d of this.registry.table('udp.heuristic'))
      if (d.probe?.(v.buf, v.off, v.end, false, v.wireEnd) === Yes) return this.plan.of(d);
    return undefined;
  }
  /** What is known about the quoted segment or datagram whose header or payload starts at `v`. */
  private quotedDatagram(v: View): Datagram | null {
    const { quote } = this.packet;
    return quote !== null && quote.buf === v.buf && (quote.header === v.off || quote.payload === v.off) ? quote : null;
  }
  /** The dissector that is at work. */
  private current: AnyDissector | undefined;

  /**
   * The messages that a segment completes. Those that lie in it one after the other stand once in the protocol stack, as
   * in tshark, where one call of a dissector takes them all.
   */
  private messages(pdus: readonly Pdu[], inTls = false): void {
    let before: Pdu | undefined;
    const outer = this.inTls;
    for (const pdu of pdus) {
      this.inTls = inTls;
      const said = this.leaves;
      if (before !== undefined && said > 0) {
        this.leafOf[said] = this.leafOf[said - 1];
        this.leafAt[said] = this.leafAt[said - 1];
        this.leaves++;
      }
      this.again =
        before?.dissector === pdu.dissector &&
        pdu.segments === undefined &&
        (before.segments === undefined || this.headerSplit(before));
      const listed = this.protocols.length;
      // The ports may say what nobody reads; a body inside a message is none of theirs.
      const isUnread = pdu.dissector === this.dataStep.dissector && this.current === this.tcp;
      const goesOn = isUnread && pdu.around?.dissector === this.http && pdu.around?.note === undefined;
      const begins = !this.again && before?.dissector !== pdu.around?.dissector;
      if (pdu.around !== undefined && begins && !goesOn) this.around(pdu);
      if (isUnread && pdu.around?.dissector !== this.http) this.unread(pdu, inTls);
      else if (goesOn && begins) this.layer(this.plan.of(this.http!), pdu.view);
      else this.layer(this.plan.of(pdu.dissector), pdu.view);
      if (pdu.unlisted === true) this.protocols.length = listed;
      if (pdu.messages) this.messages(pdu.messages, true);
      // Octets that nobody says anything of add nothing to Info.
      if (before !== undefined && this.leaves === said + 1 && this.leafAt[said] === this.leafAt[said - 1])
        this.leaves = said;
      before = pdu;
    }
    this.inTls = outer;
  }
  private again = false;
  inTls = false;

  /** Octets of a stream that nobody reads: on the ports of HTTP tshark names no layer for them, unless they look like fields. */
  private unread({ view, probes }: Pdu, inTls: boolean): void {
    const listed = this.protocols.length;
    const isHttp = !probes && this.ofPorts(inTls ? 'tls.name' : 'tcp.port')?.dissector === this.http;
    const fields = isHttp ? fieldLines(view.buf, view.off, view.end) : 0;
    if (probes) this.data(view);
    else if (fields > 0) {
      this.layer(this.plan.of(this.http!), view);
    } else if (inTls || !isHttp) this.offer(this.ofPorts(inTls ? 'tls.name' : 'tcp.name'), view);
    if (isHttp && fields === 0) shorten(this.protocols, listed);
  }

  /** Whether the header of a record was split over segments: tshark then takes what follows it in the same call. */
  private headerSplit({ dissector, segments }: Pdu): boolean {
    return dissector.proto === 'tls' && segments![segments!.length - 1].off < RECORD_HEADER;
  }

  private around(pdu: Pdu): void {
    const { source, off } = pdu.view;
    this.carried = pdu;
    this.layer(this.plan.of(pdu.around!.dissector), new View(source, off, off));
    this.carried = null;
  }
  /** The message whose {@link Pdu.around} is shown. */
  private carried: Pdu | null = null;

  /** Layers that were listed before the one at hand. */
  private listedBefore = 0;

  data(v: View, instead = false): void {
    if (instead) shorten(this.protocols, this.listedBefore);
    if (v.length > 0) this.layer(this.dataStep, v);
  }

  announced<T>(v: View): T | undefined {
    return this.quotedDatagram(v)?.announced as T | undefined;
  }

  note<T>(d: AnyDissector, v: View): T | undefined {
    const { packet, carried } = this;
    if (carried !== null && carried.around!.dissector === d) return carried.around!.note as T;
    if (d === this.udp || d === this.tcp) {
      if (this.quoted) return this.quotedDatagram(v)?.conversation as T | undefined;
      if (d === this.udp && packet.carriers !== null) {
        const carrier = carrierOf(packet.carriers, v);
        if (carrier !== undefined) return carrier.conversation as T;
      }
      if (packet.header !== v.off || packet.transport !== v.buf) return undefined;
      return (d === this.udp ? packet.conversation : (packet.tcp ?? undefined)) as T | undefined;
    }
    if (d === this.fttims)
      return (packet.carrier === null ? undefined : envelopeNote(packet, packet.carrier)) as T | undefined;
    if (d === this.frameDissector) return this.facts.of(packet, this.first) as T;
    return packet.find(d, v.buf, v.off) as T | undefined;
  }

  private layer(step: Step, v: View): void {
    if (step.depth === Depth.Skip) return;
    const t = this.tree;
    const d = step.dissector;
    if (step.depth === Depth.Pass && this.leadsNowhere(d)) return;
    if (this.layers >= LIMITS.layers) {
      t.expert(E.tooDeep);
      return;
    }
    this.layers++;
    const listed = this.protocols.length;
    if (this.everything) this.describe(d, v);
    const depth = t.level;
    const source = t.enter(v.source);
    const { current, listedBefore } = this;
    const { layerEnd } = t;
    t.level = 0;
    t.layerEnd = v.end;
    this.current = d;
    this.listedBefore = listed;
    const before = t.length;
    try {
      if (step.depth === Depth.Dissect || this.quoted) d.dissect(v, t, this);
      else this.pass(d, v);
    } catch (e) {
      // A layer that is too short for its own node is there all the same, for those who ask whether it is.
      if (t.length === before) this.nodeless.push(d.proto);
      // Of what is quoted so little may be there that tshark lists no layer.
      if (this.quoted && t.level === 0 && t.length === before && e instanceof Short) shorten(this.protocols, listed);
      this.failed(d, v, e);
    }
    this.current = current;
    this.listedBefore = listedBefore;
    t.layerEnd = layerEnd;
    t.leave(source, depth);
    this.layers--;
  }

  /** Whether a transport layer of which nothing is wanted carries nothing that is. */
  private leadsNowhere(d: AnyDissector): boolean {
    const { packet } = this;
    if (this.quoted || packet.carriers !== null) return false;
    if (packet.refused !== null && this.plan.of(packet.refused).depth !== Depth.Skip) return false;
    if (d === this.udp && packet.protocol === UDP)
      return packet.dissector === null
        ? this.dataStep.depth === Depth.Skip
        : this.plan.of(packet.dissector).depth === Depth.Skip;
    return d === this.tcp && packet.protocol === TCP && packet.pdus === null && packet.begun === null;
  }

  /** Notes the layer for the protocol stack and the Info column. */
  private describe(d: AnyDissector, v: View): void {
    const name = d.layer ?? d.proto;
    if (d !== this.frameDissector && !this.again && name !== '') this.protocols.push(name);
    this.again = false;
    if (d.summary === undefined || this.quoted) return;
    if (this.leaves === 0) this.leaves = 1;
    this.leafOf[this.leaves - 1] = d;
    this.leafAt[this.leaves - 1] = v;
  }

  /** Leads on below a layer of which nothing is wanted. */
  private pass(d: AnyDissector, v: View): void {
    const { packet } = this;
    const noted = packet.notes !== null && packet.find(d, v.buf, v.off) !== undefined; // what was encrypted, or all parts
    if (noted || d.plain?.(v.buf, v.off, v.end, v.wireEnd) === false) {
      d.dissect(v, this.tree, this);
      return;
    }
    const p = this.peek;
    p.buf = v.buf;
    p.off = v.off;
    p.end = v.end;
    p.wireEnd = v.wireEnd;
    p.table = '';
    p.fragment = false;
    d.peek!(p);
    const { table } = p;
    if (p.fragment) d.dissect(v, this.tree, this); // a part of a datagram
    if (p.fragment || table === '') return;
    const payload = new View(v.source, p.off, p.end, p.wireEnd);
    this.sport = p.sport;
    this.dport = p.dport;
    if (table !== 'tcp' && table !== 'udp') this.next(table, p.key, payload);
    else if (table === 'tcp' ? carries(p, payload) : payload.wireLength > 0) this.payload(payload);
  }

  /** What a dissector could not read is shown as data, with what was wrong. */
  private failed(d: AnyDissector, v: View, e: unknown): void {
    const t = this.tree;
    t.level = 0;
    if (!isDamage(e)) {
      this.faults.count(d.proto, e);
      this.fault({ proto: d.proto, error: e }, v.end);
      return;
    }
    if (this.quoted && e instanceof Short) return; // RFC 792: eight octets of the payload are enough
    const cut = e instanceof Short && (e.cut || v.end < v.wireEnd);
    const name = CALLED[d.proto] ?? d.short;
    const what = cut ? `[Packet size limited during capture: ${name} truncated]` : `[Malformed Packet: ${name}]`;
    t.text(cut ? F.short : F.malformed, v.end, 0, what);
    if (t.labels) t.label(`${what} ${e.message}`);
    if (!cut) t.expert(E.malformed);
  }

  /** What a dissector failed on through no fault of the packet, said as Wireshark says it. */
  private fault({ proto, error }: Fault, at: number): void {
    const t = this.tree;
    const what = `Dissector bug, protocol ${proto}: ${String(error)}`;
    t.text(F.malformed, at, 0, `[${what}]`);
    if (t.labels) t.label(`[${what}]`);
    t.expert(E.fault, what);
  }

  /** What `test` says of the row with its columns in the tree: no writer gets to see them there. */
  withColumns(test: () => boolean): boolean {
    const before = this.mark();
    this.tree.text(F.columnProtocol, 0, 0, this.protocol());
    this.tree.text(F.columnInfo, 0, 0, this.info());
    const result = test();
    this.back(before);
    return result;
  }

  /** The Info column. */
  info(): string {
    let s = '';
    for (let k = 0; k < this.leaves; k++) {
      let part: string;
      try {
        part = this.leafOf[k].summary!(this.leafAt[k], this);
      } catch (e) {
        const { proto } = this.leafOf[k];
        if (!isDamage(e)) this.faults.count(proto, e);
        part = isDamage(e) ? '[Malformed Packet]' : `[Dissector bug, protocol ${proto}: ${String(e)}]`;
      }
      if (part !== '') s = s === '' ? part : `${s}, ${part}`;
    }
    return s;
  }

  /** The protocol column: the short name of what Info speaks of. */
  protocol(): string {
    if (this.leaves === 0) return '';
    const d = this.leafOf[this.leaves - 1];
    return d.column?.(this.leafAt[this.leaves - 1], this) ?? d.short;
  }
}
