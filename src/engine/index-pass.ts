import { TCP, UDP } from '../../dissectors/numbers.js';
import { FIN, SYN } from '../../dissectors/tcp/fields.js';
import { TcpNote } from '../../dissectors/tcp/note.js';
import type { CaptureInterface } from '../capture/chunk.js';
import type { EspKeys } from '../crypto/esp-keys.js';
import { type AnyDissector, type Pdu, Peek, type TableKey, View, Yes } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { EspSequences } from '../stream/esp-sequences.js';
import type { Flow, FlowTable } from '../stream/flow.js';
import type { Ledger } from '../stream/ledger.js';
import type { TlsServices } from '../tls/index.js';
import { Connection } from '../tunnel/connection.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { ConnectionHost } from '../tunnel/host.js';
import type { TlsPdu } from '../tunnel/tls-pdu.js';
import { Tunnel } from '../tunnel/tunnel.js';
import { DatagramFinder } from './datagram.js';
import { Duplicates } from './duplicates.js';
import type { Faults } from './faults.js';
import { type Caps, Followed, type FollowedOwner } from './followed.js';
import { type EspServices, followEsp } from './open-esp.js';
import { endsOf, type Packet } from './packet.js';
import { QuoteFinder } from './quoted.js';
import type { Registry } from './registry.js';
import {
  announcedReader,
  type Conversation,
  conversation,
  endpointKey,
  type FlowState,
  refusing,
  type Scope,
  UdpState,
} from './scope.js';
import { type TcpOwner, TcpState } from './tcp-state.js';
import { type Interest, TrackContext } from './track.js';

/** What is known of a TCP connection costs, and what a report keeps of it. */
const TCP_COST = 80;
const LIFE_COST = 900;

/** What the index pass opens, and which notes it is to leave on packets. */
export interface IndexOptions {
  /** For connections of the capture, and for those inside tunnels. */
  readonly tls: TlsServices;
  readonly innerTls: TlsServices;
  /** Keys of ESP. */
  readonly esp?: EspKeys | undefined;
  /** Heuristic RTP on UDP ports that no SDP names. */
  readonly heuristicRtp: boolean;
  /** Whether anyone wants tcp.analysis and what goes with it. */
  readonly analyseTcp: boolean;
  /** Whether anyone wants what TCP carries: what a segment that is sent again shows depends on why it is. */
  readonly showsTcp: boolean;
  /** Whether frames that were captured twice are to be marked. */
  readonly duplicates: boolean;
  /** Who makes a report of the packets: it keeps something of each connection. */
  readonly tap?: object | undefined;
  /** Numbers for tunnels, where they are others than those from 1 on. */
  readonly tunnelNumbers?: (() => number) | undefined;
  /** Caps, where they are others than {@link LIMITS} says. */
  readonly caps?: Caps | undefined;
}

/**
 * The pass that sees each packet once, in order: finds flows, puts fragments, streams and messages together, and leaves
 * with the {@link Packet} what its dissection needs to know about other packets.
 */
export class IndexPass implements ConnectionHost, TcpOwner, FollowedOwner {
  readonly dissectors;
  readonly probes: readonly AnyDissector[];
  readonly applications: readonly AnyDissector[];
  /** Of the capture, as many as are listed: see {@link LIMITS.tunnels}. */
  readonly tunnels: Tunnel[] = [];
  private tunnelCount = 0;
  /** What is read now is not of the packet at hand. */
  private other = false;
  /** Dissectors whose `track` runs. */
  readonly tracked: ReadonlySet<AnyDissector>;
  private readonly finder: DatagramFinder;
  private readonly followed: Followed;
  private readonly flows: FlowTable;
  private readonly peek = new Peek();
  private readonly quotes: QuoteFinder;
  private readonly track: TrackContext;
  private readonly ipv4: AnyDissector | undefined;
  private readonly ipv6: AnyDissector | undefined;
  private readonly icmp: AnyDissector | undefined;
  private readonly icmpv6: AnyDissector | undefined;
  private readonly espServices: EspServices;
  /** Undefined where nothing of it is followed. */
  private readonly esp: AnyDissector | undefined;
  private packet!: Packet;
  private scope!: Scope;
  /** Holds the addresses of the packet at hand. */
  private net: Uint8Array = new Uint8Array(0);
  private readonly duplicates: Duplicates | null;
  /** Where the outermost IP header of the packet at hand starts, -1 if it has none. */
  private ip = -1;

  constructor(
    readonly registry: Registry,
    private readonly options: IndexOptions,
    interest: Interest,
    readonly faults: Faults,
  ) {
    this.followed = new Followed(this, options.caps);
    this.flows = this.followed.flows;
    const proto = (name: string): AnyDissector => {
      const d = registry.byProto(name);
      if (d === undefined) throw new Error(`no dissector ${name}`);
      return d;
    };
    this.dissectors = { tls: proto('tls'), http: proto('http'), fttims: proto('fttims'), data: proto('data') };
    this.quotes = new QuoteFinder(registry);
    this.ipv4 = registry.byProto('ip');
    this.ipv6 = registry.byProto('ipv6');
    this.icmp = registry.byProto('icmp');
    this.icmpv6 = registry.byProto('icmpv6');
    const keys = options.esp?.length === 0 && !options.esp.growing ? undefined : options.esp;
    this.espServices = { keys, sequences: options.analyseTcp ? new EspSequences() : null };
    this.esp = keys === undefined && !options.analyseTcp ? undefined : registry.byProto('esp');
    this.probes = registry.dissectors.filter(
      (d) =>
        d.probe !== undefined && d.pduLength !== undefined && d !== this.dissectors.fttims && d !== this.dissectors.tls,
    );
    this.applications = [...registry.table('tls.app')].filter(
      (d) => d.probe !== undefined && d !== this.dissectors.fttims,
    );
    this.tracked = new Set(registry.dissectors.filter((d) => interest.tracks(d)));
    this.finder = new DatagramFinder(
      registry,
      options.heuristicRtp ? registry.byProto('rtp') : undefined,
      interest.wants && ((d) => d.peek !== undefined || this.tracked.has(d) || interest.wants!(d)),
    );
    this.track = new TrackContext(registry, this.ledger, interest, faults);
    this.duplicates = options.duplicates ? new Duplicates() : null;
  }

  /**
   * The outer world of an interface of a file. `continued` is the interface of an earlier section or file that it goes on
   * from: its flows go on.
   */
  outer(iface: CaptureInterface, continued?: CaptureInterface): Scope {
    return this.followed.outer(iface, continued);
  }

  /** The inside of a tunnel. */
  inner(tunnel: Tunnel): Scope {
    return this.followed.inner(tunnel);
  }

  /** Takes one packet in; `table` and `key` say what it starts with. */
  index(packet: Packet, table: string, key: TableKey, scope: Scope): void {
    this.packet = packet;
    this.scope = scope;
    if (scope.tunnel === null) this.followed.tidy();
    const p = this.peek;
    const v = packet.view;
    p.buf = v.buf;
    p.off = v.off;
    p.end = v.end;
    p.wireEnd = Math.max(v.end, v.wireEnd); // what was captured was on the wire, whatever its length says
    p.table = table;
    p.key = key;
    p.net = 0;
    this.ip = -1;
    this.walk(p);
    if (this.duplicates === null || this.ip < 0 || scope.tunnel !== null) return;
    // What opens or closes a connection is repeated later than that.
    const bare = packet.protocol === TCP && p.off >= p.end && (p.buf[packet.header + 13] & (SYN | FIN)) === 0;
    packet.duplicateOf = this.duplicates.see(packet, this.ip, bare, scope.id);
    if (packet.duplicateOf === 0) return;
    packet.finding('capture.duplicate');
    packet.isFurtherLeg = packet.protocol === TCP && this.duplicates.file !== packet.iface.file;
  }

  private walk(p: Peek): void {
    let net: Uint8Array = p.buf;
    let d = this.registry.lookup(p.table, p.key);
    try {
      for (let depth = 0; depth < LIMITS.layers && d !== undefined; depth++) {
        const at = p.off;
        if (d.peek === undefined) {
          if (d === this.icmp || d === this.icmpv6) {
            this.packet.control = d;
            this.packet.transport = p.buf;
            this.packet.place(p, net);
            this.quote(p);
          }
          if (this.tracked.has(d)) this.follow(d, p, net, null);
          return;
        }
        if (d === this.ipv4 || d === this.ipv6) {
          // A copy may be wrapped otherwise: in GTP on one side of a gateway, in nothing on the other.
          if (this.ip < 0 || p.buf === this.packet.view.buf) this.ip = p.off;
          net = p.buf;
        }
        p.table = '';
        p.fragment = false;
        if (d !== this.esp || !followEsp(this.espServices, d, p, net, this.packet)) d.peek(p);
        if (p.fragment && !this.reassemble(p, d, at, net)) return;
        if (p.table === '') return;
        if (p.table === 'tcp') {
          this.segment(p, net);
          return;
        }
        d = p.table === 'udp' ? this.datagram(p, net) : this.registry.lookup(p.table, p.key);
      }
    } catch (e) {
      this.faults.add(this.packet, d?.proto ?? 'frame', e);
    }
  }

  /** Adds a fragment; true when the datagram is whole and `p` stands at its payload. */
  private reassemble(p: Peek, d: AnyDissector, at: number, net: Uint8Array): boolean {
    const { frame, seconds } = this.packet;
    if (this.scope.tunnel !== null) this.packet.finding('inner.fragment');
    // A cut fragment cannot be used; the first shows its headers.
    if (p.end < p.wireEnd || p.net === 0) return p.fragmentOffset === 0 && p.net !== 0;
    const whole = this.followed.fragments.add(this.scope.id, p, net, frame, seconds);
    if (whole === undefined) return false;
    this.packet.note(d, p.buf, at, {
      fragments: whole.fragments,
      bytes: whole.bytes,
      protocol: whole.protocol,
    });
    p.buf = whole.bytes;
    p.off = 0;
    p.end = whole.bytes.length;
    p.wireEnd = p.end;
    p.table = 'ip.proto';
    p.key = whole.protocol;
    return true;
  }

  private follow(d: AnyDissector, p: Peek, net: Uint8Array, flow: FlowState | null): void {
    const source = { name: 'Frame', buf: p.buf, start: p.off, end: p.end };
    this.followView(d, new View(source, p.off, p.end, p.wireEnd), p, net, flow);
  }

  private followView(d: AnyDissector, v: View, p: Peek, net: Uint8Array, flow: FlowState | null): void {
    const pair = { version: p.net === 6 ? 6 : 4, buf: net, src: p.src, dst: p.dst } as const;
    this.track.run(d, v, this.packet, this.scope, flow, pair, p);
  }

  /** Finds who takes a datagram; returns the dissector where it is one that packets go on in. */
  private datagram(p: Peek, net: Uint8Array): AnyDissector | undefined {
    if (p.net === 0) return undefined;
    const flow = this.flows.find(this.scope.id, UDP, p, net);
    const { direction } = this.flows;
    const state = this.datagrams(flow);
    const announced = announcedReader(state, direction, p);
    const d = announced ?? this.finder.find(p, state);
    const { packet } = this;
    packet.refused = announced === undefined ? refusing(state, direction, p) : null;
    packet.expectation = state.expectations[direction];
    packet.protocol = UDP;
    packet.conversation = conversation(state, direction);
    packet.transport = p.buf;
    packet.header = p.header;
    packet.flow = flow;
    packet.state = state;
    packet.direction = direction;
    packet.dissector = d;
    packet.place(p, net);
    if (d === null) return undefined;
    if (p.end > p.off && this.tracked.has(d)) this.follow(d, p, net, state);
    if (d.peek === undefined) return undefined;
    packet.carry({
      buf: p.buf,
      header: p.header,
      payload: p.off,
      conversation: packet.conversation,
      dissector: d,
    });
    return d;
  }

  /** What is known of a UDP conversation, what was announced for it included. */
  private datagrams(flow: Flow): UdpState {
    let state = flow.state as UdpState | null;
    if (state === null) flow.state = state = new UdpState();
    if (state.generation !== this.scope.generation) state.expect(this.scope, flow);
    return state;
  }

  /**
   * Who takes the datagram whose payload `p` stands at; null: nobody. Undefined where its flow is new, or was announced
   * anew, or who was announced refuses it: then it has to be indexed. {@link numbered} is what numbers it.
   */
  taker(p: Peek, scope: Scope): AnyDissector | null | undefined {
    const state = this.known(p, scope);
    if (state === null) return undefined;
    const { direction } = this.flows;
    const announced = announcedReader(state, direction, p);
    if (announced === undefined && refusing(state, direction, p) !== null) return undefined;
    this.numbered = conversation(state, direction);
    return announced ?? this.finder.find(p, state);
  }
  numbered!: Conversation;

  /** Who takes that datagram, `state` being that of its flow. */
  reader(p: Peek, state: UdpState): AnyDissector | null {
    return announcedReader(state, this.flows.direction, p) ?? this.finder.find(p, state);
  }

  /** The state of the flow of that datagram, whose {@link direction} it has; null where it has to be indexed. */
  known(p: Peek, scope: Scope): UdpState | null {
    const { flows } = this;
    let flow = scope.recent;
    if (flow === null || !flows.isOf(flow, p, p.buf)) scope.recent = flow = flows.find(scope.id, UDP, p, p.buf);
    const state = flow.state as UdpState | null;
    return state === null || state.generation !== scope.generation ? null : state;
  }

  /** Of the packet whose flow was last looked for. */
  get direction(): 0 | 1 {
    return this.flows.direction;
  }

  /** Finds the flow of the segment or datagram that an ICMP error quotes. */
  private quote(p: Peek): void {
    const q = this.quotes.find(p);
    if (q === null) return;
    if (q.table === 'tcp') this.quotedSegment(q);
    else this.quotedDatagram(q);
  }

  private quotedSegment(q: Peek): void {
    const { buf } = q;
    const flow = this.flows.find(this.scope.id, TCP, q, buf);
    const state = (flow.state as TcpState | null) ?? this.begin(flow, false);
    const dissector = state.connection?.reader ?? this.streamDissector(flow) ?? null;
    this.packet.quote = { buf, header: q.header, payload: q.off, conversation: state, dissector };
  }

  private quotedDatagram(q: Peek): void {
    const { buf } = q;
    const flow = this.flows.find(this.scope.id, UDP, q, buf);
    const { direction } = this.flows;
    const state = this.datagrams(flow);
    this.packet.quote = {
      buf,
      header: q.header,
      payload: q.off,
      conversation: conversation(state, direction),
      dissector: state.expectations[direction]?.dissector ?? known(state.recognised, q),
      announced: state.expectations[direction]?.note,
    };
  }

  private segment(p: Peek, net: Uint8Array): void {
    if (p.net === 0) return;
    const { packet, flows } = this;
    const flow = flows.find(this.scope.id, TCP, p, net);
    let state = (flow.state as TcpState | null) ?? this.begin(flow, false);
    const { analyseTcp, showsTcp } = this.options;
    const note = analyseTcp || (showsTcp && state.repeats) ? new TcpNote() : null;
    this.net = net;
    packet.place(p, net);
    this.carry(flow, state, p);
    const { pool } = this.followed;
    if (!state.segment(flows.direction, p, packet, note, pool)) {
      // The SYN of a new connection between the same endpoints.
      this.followed.replaced(state);
      const next = flows.find(this.scope.id, TCP, p, net);
      state = this.begin(next, true);
      this.carry(next, state, p);
      state.segment(flows.direction, p, packet, note, pool);
    }
    packet.tunnel = state.tunnel;
    packet.server = state.server;
    if (state.connection !== null) {
      const last = packet.pdus?.[packet.pdus.length - 1];
      if (last === undefined)
        packet.begun = state.connection.begun(packet.direction, packet.payloadEnd - packet.payload);
      else if (note === null || !last.repeats) {
        const spanned = last.segments !== undefined;
        state.completed(packet.direction, spanned);
        if (spanned) packet.goesOn = state.connection.waiting(packet.direction) === this.dissectors.tls.short;
      }
    }
    if (note === null) return;
    if (packet.pdus !== null) note.pdus = packet.pdus;
    const carries = packet.payloadEnd > packet.payload;
    if (state.connection !== null && carries) note.pending = state.connection.waiting(packet.direction);
    packet.tcp = note;
  }

  private carry(flow: Flow, state: TcpState, p: Peek): void {
    const { packet } = this;
    packet.protocol = TCP;
    packet.transport = p.buf;
    packet.header = p.header;
    packet.flow = flow;
    packet.state = state;
    packet.direction = this.flows.direction;
  }

  private begin(flow: Flow, reused: boolean): TcpState {
    const upkeep = this.options.tap === undefined ? TCP_COST : TCP_COST + LIFE_COST;
    const state = new TcpState(flow, this.scope, reused, this, upkeep);
    this.ledger.octets += upkeep;
    flow.state = state;
    return state;
  }

  /** The records of all packets so far were read: nothing of the chunk is needed any more. */
  read(): void {
    this.followed.read();
  }

  /** `packet`, indexed before, is at hand again: what its records say is read now. */
  resume(packet: Packet): void {
    this.packet = packet;
  }

  // TcpOwner

  connection(state: TcpState): Connection {
    const { tls, innerTls } = this.options;
    return new Connection(state.flow, this, state.scope.tunnel === null ? tls : innerTls);
  }

  finished(state: TcpState): void {
    this.followed.finished(state);
  }

  /**
   * The capture ended: octets that wait behind holes are set free, as if they were part of `last`. Those of connections
   * inside tunnels complete no row.
   */
  flush(last: Packet): void {
    this.packet = last;
    for (const { state } of this.flows)
      if (state instanceof TcpState && state.scope.tunnel === null) this.flushOther(state);
  }

  /** Sets free what waits in a connection that is not that of the packet at hand. Its messages are not of this packet. */
  flushOther(state: TcpState): void {
    const { scope } = this;
    this.scope = state.scope;
    this.other = true;
    try {
      state.tcp?.flush();
    } catch (e) {
      this.faults.add(this.packet, 'tcp', e);
    }
    this.other = false;
    this.scope = scope;
  }

  // FollowedOwner

  capped(): void {
    this.packet.finding('capture.capped');
  }

  // ConnectionHost

  /** What is kept, and the caps that were reached. */
  get ledger(): Ledger {
    return this.followed.ledger;
  }

  get frame(): number {
    return this.packet.frame;
  }
  get file(): number {
    return this.packet.iface.file;
  }
  get ordinal(): number {
    return this.packet.ordinal;
  }

  streamDissector(flow: Flow): AnyDissector | undefined {
    return this.registry.ofPorts('tcp.port', flow.aPort, flow.bPort, serverOf(flow)) ?? this.announcedStream(flow);
  }

  /** Who was announced for a stream (FTP's data). */
  private announcedStream({ a, aPort, b, bPort }: Flow): AnyDissector | undefined {
    const { expectations } = this.scope;
    if (expectations.size === 0) return undefined;
    const told = expectations.get(endpointKey(a, aPort)) ?? expectations.get(endpointKey(b, bPort));
    return told?.dissector.pduLength === undefined ? undefined : told.dissector;
  }

  applicationDissector(flow: Flow, alpn: string | undefined): AnyDissector | undefined {
    const named = alpn === undefined ? undefined : this.registry.lookup('tls.app', alpn);
    return named ?? this.registry.ofPorts('tls.port', flow.aPort, flow.bPort, serverOf(flow));
  }

  application(proto: string): AnyDissector | undefined {
    return this.registry.byProto(proto);
  }

  tunnel(connection: Connection): Tunnel {
    const { flow } = connection;
    const inside = this.scope.tunnel !== null; // TLS within a tunnel is none
    const number = inside ? 0 : (this.options.tunnelNumbers?.() ?? ++this.tunnelCount);
    const t = new Tunnel(number, [
      { address: flow.a, port: flow.aPort },
      { address: flow.b, port: flow.bPort },
    ]);
    (flow.state as TcpState).tunnel = t;
    if (inside) return t;
    if (this.tunnels.length < this.followed.caps.tunnels) this.tunnels.push(t);
    else this.ledger.capped('tunnels');
    return t;
  }

  pdu(pdu: Pdu): void {
    if (this.other) return;
    const { packet } = this;
    if (packet.pdus === null) packet.pdus = [pdu];
    else packet.pdus.push(pdu);
    if (this.tracked.has(pdu.dissector) && !pdu.repeats)
      this.followView(pdu.dissector, pdu.view, this.peek, this.net, packet.state);
  }

  message(message: Pdu, record: TlsPdu | null): void {
    if (this.other) return;
    const { packet } = this;
    const { state } = packet;
    if (record !== null) record.messages = [...(record.messages ?? []), message];
    else packet.pdus = [...(packet.pdus ?? []), message];
    // The end of the capture set free what waited: it announces nothing to anybody, and the packet is of another flow.
    const isForeign = record !== null && record.connection.flow !== packet.flow;
    if (isForeign || !this.tracked.has(message.dissector)) return;
    const ends = endsOf(packet);
    this.track.run(message.dissector, message.view, packet, (state as TcpState).scope, state, ends.net, ends);
  }

  record(pdu: TlsPdu): void {
    if (this.other && pdu.connection.tunnel!.content === 'other') return;
    if (this.packet.records === null) this.packet.records = [pdu];
    else this.packet.records.push(pdu);
  }

  clear(envelope: Envelope): void {
    if (this.packet.envelopes === null) this.packet.envelopes = [envelope];
    else this.packet.envelopes.push(envelope);
  }

  finding(code: string): void {
    this.packet.finding(code);
  }

  missing(octets: number): void {
    const { packet } = this;
    if (packet.missing === null) packet.missing = [octets];
    else packet.missing.push(octets);
  }
}

/** The port of a TCP flow that was connected to; 0: it is not known. */
const serverOf = ({ state }: Flow): number => (state as TcpState | null)?.server ?? 0;

/** `d`, where it knows octets for its own because it took others of the flow: data in the channels of TURN, say. */
const known = (d: AnyDissector | null, q: Peek): AnyDissector | null =>
  d?.probe?.(q.buf, q.off, q.end, true) === Yes ? d : null;
