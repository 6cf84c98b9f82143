import type { EspNote } from '../../dissectors/esp.js';
import { TCP, UDP } from '../../dissectors/numbers.js';
import { isRtcp, HEADER as RTP_HEADER } from '../../dissectors/rtp.js';
import type { MediaNote } from '../../dissectors/sdp/index.js';
import type { SipMessage, SipNote } from '../../dissectors/sip/index.js';
import type { CaptureFile, CaptureInterface } from '../capture/chunk.js';
import { type AnyDissector, ours, type Peek, u16, u32, type View } from '../kit/index.js';
import { LIMITS, type LimitReached, ReachedLimits } from '../limits.js';
import type { CapturePoint, ProtocolCounts } from '../model/entities.js';
import { Content } from '../model/events.js';
import { MediaFlow } from '../model/media.js';
import { Arrival, fileOf, type Moment, type Seen } from '../model/moment.js';
import { targetOf } from '../model/packet-sizes.js';
import { limitOf } from '../model/path-messages.js';
import type { SessionModel } from '../model/session-model.js';
import { Flag } from '../model/tcp-life.js';
import { Watch, type Watched } from '../model/watch.js';
import { Working } from '../model/working.js';
import type { Flow } from '../stream/flow.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { Attempts } from './attempts.js';
import { capturePoints } from './capture-point.js';
import { judgeConnection } from './connection-findings.js';
import { wrongChecksum } from './inner-checksum.js';
import { type Leap, Pace, timestamp } from './pace.js';
import type { Packet } from './packet.js';
import type { Tap } from './pass.js';
import { ICMP_HEADER, pathMessage, quotedEnds, tellPath } from './path-told.js';
import { judgeRebound } from './rebound.js';
import type { Registry } from './registry.js';
import type { Expectation, UdpState } from './scope.js';
import { Stacks } from './stacks.js';
import { tally } from './tally-envelope.js';
import type { TcpState } from './tcp-state.js';
import { tunnelEntity } from './tunnel-entity.js';
import { Facts, TunnelLife, tcpLife } from './tunnel-life.js';

/** First and last time of the frames of a file, and how many were captured twice. */
export interface FileSpan {
  readonly start: Moment;
  readonly end: { seconds: number; nanos: number };
  /** Number of the last frame. */
  frame: number;
  duplicates: number;
  firstDuplicate?: Seen;
  /** The last place where the frame before is a second old. */
  leap: Leap | null;
}

/** Interfaces and cores deliver frames out of order by less. */
const LEAP_MS = 1000;
/** Over TCP two octets before a message of the DNS say how long it is. RFC 1035 §4.2.2 */
const DNS_PREFIX = 2;
/** First octet of a message of SigComp, where SIP is expected. */
const SIGCOMP = 0xf8;
const SIP_PORT = 5060;
/** Fewer frames that repeat others were doubled on their way, or are said twice. */
const MIRRORED = 5;

/** Whether a report tells of a tunnel; of further ones only the packets are counted. */
const isListed = (t: Tunnel): boolean => t.id <= LIMITS.tunnels;

/** Hands the packets of a pass to the model, as plain events. */
export class SessionTap implements Tap {
  readonly tracks: ReadonlySet<string> = new Set(['sip', 'sdp', 'mime_multipart']);
  readonly tunnels: TunnelLife[] = [];
  readonly files = new Map<number, FileSpan>();
  /** Where each file was captured, where it shows. */
  points: ReadonlyMap<number, CapturePoint> = new Map();
  /** When the first frame came. */
  private start: Moment | undefined;
  /** The file of the frame at hand. */
  private file: FileSpan | undefined;
  private fileId = 0;
  /** By both randoms of their sessions, and by that of the client. */
  private readonly sessions = new Map<string, TunnelLife>();
  private readonly clients = new Map<string, TunnelLife>();
  private readonly attempts: Attempts;
  /** Rows outside of the tunnels that are listed. */
  private readonly stacks = new Stacks();
  private readonly at: Arrival;
  private readonly box = new Content();
  private readonly facts = new Facts();
  private readonly rtp: AnyDissector | undefined;
  private readonly sip: AnyDissector | undefined;
  private readonly http: AnyDissector | undefined;
  private readonly dns: AnyDissector | undefined;
  private readonly esp: AnyDissector | undefined;

  constructor(
    private readonly model: SessionModel,
    registry: Registry,
    private readonly severalFiles: boolean,
  ) {
    this.at = new Arrival(severalFiles);
    this.attempts = new Attempts(model.outside);
    this.rtp = registry.byProto('rtp');
    this.sip = registry.byProto('sip');
    this.http = registry.byProto('http');
    this.dns = registry.byProto('dns');
    this.esp = registry.byProto('esp');
  }

  reads(files: readonly CaptureFile[]): void {
    this.sources = files;
  }
  private sources: readonly CaptureFile[] = [];

  frame(packet: Packet): void {
    const { at } = this;
    at.file = packet.iface.file;
    at.frame = packet.frame;
    at.inner = 0;
    at.seconds = packet.seconds;
    at.nanos = packet.nanos;
    at.length = Math.max(0, packet.view.wireLength);
    at.tunnel = packet.tunnel !== null && isListed(packet.tunnel) ? packet.tunnel.id : 0;
    this.span(packet.iface, packet.duplicateOf !== 0 && !packet.isFurtherLeg);
    if (packet.duplicateOf !== 0) {
      // Envelopes in the clear are counted with the first copy of their frame.
      const { tunnel } = packet;
      if (packet.isFurtherLeg && (tunnel === null || tunnel.transport === 'tls' || tunnel.proxy !== undefined))
        this.segment(packet);
      return;
    }
    if (packet.tunnel !== null) at.up = packet.tunnel.direction(packet.direction) === 'up';
    if (packet.view.length < packet.view.wireLength) this.model.cut(at);
    if (packet.findings !== null) for (const code of packet.findings) this.model.noticed(at, code);
    if (packet.protocol === TCP) this.segment(packet);
    else if (packet.quote !== null) tellPath(at.seen(), packet, this.tunnels);
    if (packet.envelopes === null) (this.tunnels[at.tunnel - 1]?.stacks ?? this.stacks).count(packet, false, at.length);
    // What a connection carries that turned out to be no tunnel is outside of tunnels.
    if (packet.tunnel !== null) at.tunnel = 0;
    if (packet.tunnel === null || packet.pdus !== null) this.content(packet);
  }

  private span(iface: CaptureInterface, duplicate: boolean): void {
    const { at } = this;
    let f = this.file;
    if (f === undefined || iface.file !== this.fileId) {
      f = this.files.get(iface.file);
      if (f === undefined) {
        const t = at.seen();
        this.start ??= t;
        this.files.set(
          iface.file,
          (f = { start: t, end: { seconds: 0, nanos: 0 }, frame: 0, duplicates: 0, leap: null }),
        );
      }
      this.file = f;
      this.fileId = iface.file;
    }
    const back = (f.end.seconds - at.seconds) * 1000 + (f.end.nanos - at.nanos) / 1e6;
    if (back >= LEAP_MS) this.model.wentBack(at, f.end, back);
    else if (-back >= LEAP_MS && f.frame > 0)
      f.leap = { before: { ...f.end }, at: at.seen(), ms: -back, isStep: false };
    f.end.seconds = at.seconds;
    f.end.nanos = at.nanos;
    f.frame = at.frame;
    if (duplicate && f.duplicates++ === 0) f.firstDuplicate = at.seen();
  }

  private segment(packet: Packet): void {
    const { at } = this;
    const tcp = tcpLife(packet.state as TcpState, at);
    const facts = this.facts.of(packet, packet.envelopes);
    const stall = tcp.segment(at, packet.direction, facts);
    const { tunnel } = packet;
    if (tunnel === null) {
      if (!packet.isFurtherLeg && packet.payload >= packet.payloadWireEnd)
        this.attempts.segment(at, packet, tcp, facts.flags);
      return;
    }
    if (!isListed(tunnel)) return;
    let life = this.tunnels[tunnel.id - 1];
    if (life === undefined) {
      this.tunnels[tunnel.id - 1] = life = new TunnelLife(tunnel, tcp);
      if (this.severalFiles && tunnel.id > LIMITS.comparedTunnels) this.model.reached.capped('comparedTunnels');
    }
    life.stall = stall;
    life.isOwn ||= !packet.isFurtherLeg;
    life.path.segment(at, packet.direction, facts);
    life.frame(at, packet, this.start!);
    this.pace(life, packet);
    if (this.severalFiles) {
      life.clock(at, packet.direction, facts);
      life.opened(packet);
    }
    if (life.session === '') this.join(life);
  }

  /** Compares the clocks of both ends with that of the capture. */
  private pace(life: TunnelLife, packet: Packet): void {
    const { at } = this;
    const { leap } = this.file!;
    if (life.pace?.isDue(at, packet.direction, leap) === false) return;
    const ticks = timestamp(packet);
    if (ticks >= 0) (life.pace ??= new Pace()).take(at, packet.direction, ticks, leap, this.model.clock);
  }

  /** One session that is seen at two places, both ends of a proxy or of the path, is one tunnel: it is counted once. */
  private join(life: TunnelLife): void {
    const { session } = life.tunnel;
    if (session === undefined || session.clientRandom === '') return;
    const { clientRandom, serverRandom } = session;
    if (serverRandom === '' && session.clientHelloFrame !== undefined) return; // it may come
    life.session = clientRandom + serverRandom;
    // Of a handshake that was not captured the key log tells the random of the client.
    const first = this.sessions.get(life.session) ?? (serverRandom === '' ? this.clients.get(clientRandom) : undefined);
    if (first === undefined) {
      this.sessions.set(life.session, life);
      this.clients.set(clientRandom, life);
    } else {
      life.leg = first;
      first.legs.push(life);
    }
  }

  /** The life that an envelope counts for; null: it was counted where the tunnel was seen first. */
  private counting(life: TunnelLife, way: 0 | 1): TunnelLife | null {
    const { leg } = life;
    if (leg === null) return life.isOwn ? life : null;
    if (leg.heir === null && leg.tcp.end === null && [...leg.files].every((f) => this.isOver(f))) leg.heir = life;
    return leg.heir === life && life.isBeyond(leg, way) ? leg : null;
  }

  /** Whether the last frame of a file was taken. */
  private isOver(file: number): boolean {
    const source = this.sources.find((f) => f.id === file);
    return source?.ended === true && source.frames === this.files.get(file)?.frame;
  }

  inner(packet: Packet, k: number, tunnel: Tunnel): void {
    const { at } = this;
    at.inner = k;
    if (!isListed(tunnel)) {
      this.stacks.count(packet, true, Math.max(0, packet.view.wireLength));
      return;
    }
    const { lane } = packet.carrier!;
    at.up = tunnel.direction(lane.side) === 'up';
    at.length = Math.max(0, packet.view.wireLength);
    const own: TunnelLife | undefined = this.tunnels[tunnel.id - 1];
    // A connection of which every frame repeats one of another interface has no life.
    const life = own === undefined ? null : this.counting(own, at.up ? 0 : 1);
    at.tunnel = life === null ? tunnel.id : life.tunnel.id;
    if (life === null) return;
    if (life !== own) tally(life.tunnel, at.up ? 0 : 1, packet.carrier!);
    life.envelope(at, packet);
    if (packet.findings !== null) for (const code of packet.findings) this.model.noticed(at, code);
    life.stacks.count(packet, true, at.length);
    if (packet.dissector !== this.rtp) this.check(packet);
    if (packet.control !== null) this.told(packet, life);
    if (packet.protocol === TCP) this.opened(packet);
    this.content(packet);
  }

  plain(e: Envelope, k: number, p: Peek, d: AnyDissector | null, state: UdpState, direction: 0 | 1): boolean {
    const { at } = this;
    const tunnel = e.lane.connection.tunnel!;
    const life: TunnelLife | undefined = this.tunnels[tunnel.id - 1];
    if (d !== this.rtp || life === undefined || life.leg !== null) return false;
    at.inner = k;
    at.tunnel = tunnel.id;
    at.up = tunnel.direction(e.lane.side) === 'up';
    at.length = e.end - e.off;
    if (!life.plain(at, e, p)) return false;
    life.stacks.add(p.net, UDP, d, true, at.length);
    const c = this.box;
    c.buf = c.addresses = p.buf;
    c.off = p.off;
    c.end = p.end;
    c.wireEnd = p.wireEnd;
    c.net = p.net === 6 ? 6 : 4;
    c.source = p.src;
    c.destination = p.dst;
    c.sport = p.sport;
    c.dport = p.dport;
    c.stream = false;
    if (c.end - c.off >= 2 && isRtcp(c.buf, c.off)) this.control(c);
    else this.flowed(c, state, direction, state.expectations[direction]);
    return true;
  }

  /** Whether the checksums of a packet inside are right; of media, which are many, the first of each conversation. */
  private check(packet: Packet): void {
    const wrong = wrongChecksum(packet);
    if (wrong === '') return;
    const detail = ours`The first is that of ${wrong}.`;
    this.model.findings.raise('inner.checksum', this.at.seen(), [{ kind: 'tunnel', id: this.at.tunnel }], { detail });
  }

  /** A segment inside that opens a connection, or refuses to. */
  private opened(packet: Packet): void {
    if (packet.transport === null) return;
    const flags = packet.transport[packet.header + 13];
    if ((flags & (Flag.Syn | Flag.Rst)) !== 0) this.model.opened(this.at, this.fill(packet), flags);
  }

  /** A message of ICMP may name the largest packet that is not too big, or say that one did not arrive. */
  private told(packet: Packet, life: TunnelLife): void {
    const m = pathMessage(packet);
    if (m === undefined) return;
    const ends = quotedEnds(packet);
    if (ends !== undefined) life.unreached.take(this.at, m, ...ends);
    const limit = limitOf(m);
    if (limit !== undefined)
      life.sizes.bounded(this.at, limit, targetOf(packet.transport!, packet.payload + ICMP_HEADER, packet.payloadEnd));
  }

  /** Caps that the lives of tunnels reached. */
  get limits(): LimitReached[] {
    const all = new ReachedLimits();
    for (const life of this.tunnels) life?.tellLimits(all);
    return all.limits;
  }

  /** Rows and octets by protocol stack. */
  protocols(): ProtocolCounts {
    const lives = this.tunnels.filter((life) => life !== undefined);
    return Stacks.list([this.stacks, ...lives.map((life) => life.stacks)]);
  }

  /** Gives what stands above the transport layer to whom it is for. */
  private content(packet: Packet): void {
    const { dissector } = packet;
    if (packet.notes !== null && this.at.tunnel !== 0) this.security(packet.notes);
    if (packet.protocol === UDP) {
      if (dissector === null) {
        if (this.at.tunnel !== 0) this.unknown(packet);
      } else if (dissector === this.rtp || this.goesOn(packet)) this.media(packet);
      else this.datagram(packet, dissector.proto);
    } else if (packet.protocol === TCP) {
      if (packet.pdus === null) return;
      // The view of a TLS record is made when it is asked for.
      for (const pdu of packet.pdus)
        if (pdu.repeats) continue;
        else if (pdu.dissector === this.sip) this.message(packet, pdu.view);
        else if (pdu.dissector === this.dns) this.model.dns(this.at, this.within(packet, pdu.view, DNS_PREFIX));
        else if (pdu.dissector === this.http && this.at.tunnel === 0)
          this.model.outside.http(this.at, this.fill(packet), pdu.view, packet.state!);
    } else if (packet.control !== null && packet.net === 6) {
      const c = this.fill(packet);
      if (c.off < c.end) this.model.icmpv6(this.at, c);
    }
  }

  /** Tells of the ESP among the layers of a packet. */
  private security(notes: NonNullable<Packet['notes']>): void {
    for (const { dissector, buf, off, value } of notes)
      if (dissector === this.esp)
        this.model.esp(this.at, u32(buf, off), u32(buf, off + 4), (value as EspNote).opened !== undefined);
  }

  private fill(packet: Packet): Content {
    const c = this.box;
    c.buf = packet.transport!;
    c.off = packet.payload;
    c.end = packet.payloadEnd;
    c.wireEnd = packet.payloadWireEnd;
    c.net = packet.net === 6 ? 6 : 4;
    c.addresses = packet.addresses!;
    c.source = packet.source;
    c.destination = packet.destination;
    c.stream = false;
    if (packet.protocol === 0) c.sport = c.dport = 0;
    else {
      c.sport = u16(c.buf, packet.header);
      c.dport = u16(c.buf, packet.header + 2);
    }
    return c;
  }

  private datagram(packet: Packet, proto: string): void {
    const { at, model } = this;
    const c = this.fill(packet);
    switch (proto) {
      case 'sip':
        this.signalled(packet, c);
        break;
      case 'sigcomp':
        model.compressed(at);
        break;
      case 'rtcp':
        this.control(c);
        break;
      case 'dhcp':
        model.dhcp(at, c);
        break;
      case 'isakmp':
      case 'udpencap':
        if (at.tunnel === 0) model.outside.ike(at, c);
        break;
      case 'stun':
        model.stun(at, c);
        this.tunnels[at.tunnel - 1]?.path.trips.stun(at, c);
        break;
      case 'dhcpv6':
        model.dhcpv6(at, c);
        break;
      case 'dns':
        model.dns(at, c);
        break;
    }
  }

  /** A datagram that nobody takes: on the port of SIP it may be compressed. RFC 3320 §7 */
  private unknown(packet: Packet): void {
    const c = this.fill(packet);
    if (c.off < c.end && c.buf[c.off] >= SIGCOMP && (c.sport === SIP_PORT || c.dport === SIP_PORT))
      this.model.compressed(this.at);
  }

  private message(packet: Packet, v: View): void {
    this.signalled(packet, this.within(packet, v));
  }

  /** A message of a stream behind so many octets that come before it. */
  private within(packet: Packet, v: View, prefix = 0): Content {
    const c = this.fill(packet);
    c.buf = v.buf;
    c.off = Math.min(v.end, v.off + prefix);
    c.end = v.end;
    c.wireEnd = v.wireEnd;
    c.stream = true;
    return c;
  }

  private signalled(packet: Packet, c: Content): void {
    const e = this.model.sip(this.at, c, this.read(packet, c));
    if (e !== undefined) this.tunnels[this.at.tunnel - 1]?.path.trips.sip(this.at, e);
  }

  /** The message of SIP in `c`, as its `track` has read it. */
  private read(packet: Packet, c: Content): SipMessage | undefined {
    return (packet.find(this.sip!, c.buf, c.off) as SipNote | undefined)?.message;
  }

  /**
   * Whether a datagram is of RTP that goes on where SDP has announced fax since: until the other side agrees, or when it
   * has refused.
   */
  private goesOn(packet: Packet): boolean {
    const flow = packet.state?.model;
    if (packet.dissector?.proto !== 't38' || !(flow instanceof MediaFlow)) return false;
    const { buf, off, end } = this.fill(packet);
    return (
      end - off >= RTP_HEADER && buf[off] >> 6 === 2 && flow.find(packet.direction, u32(buf, off + 8)) !== undefined
    );
  }

  private media(packet: Packet): void {
    const { at } = this;
    const c = this.fill(packet);
    const { off, end, buf } = c;
    if (end - off >= 2 && isRtcp(buf, off)) {
      this.control(c); // RFC 5761: both on one port
      return;
    }
    const state = packet.state as UdpState;
    if (state.model === null) {
      state.model = this.conversation(state, packet.flow!);
      if (at.tunnel !== 0) this.check(packet);
    }
    this.flowed(c, state, packet.direction, packet.expectation);
  }

  /** A packet of media in a flow that is followed. */
  private flowed(c: Content, state: UdpState, direction: 0 | 1, told: Expectation | undefined): void {
    const { at } = this;
    const note = told !== undefined && told.dissector === this.rtp ? (told.note as MediaNote | undefined) : undefined;
    const agreed = note?.by === undefined ? note : undefined;
    const s = this.model.rtp(at, c, state.model as MediaFlow, direction, agreed);
    const stall = s === undefined || at.tunnel === 0 ? null : this.tunnels[at.tunnel - 1].stall;
    if (s === undefined || stall === null || (stall.side === this.tunnels[at.tunnel - 1].tunnel.ue) !== at.up) return;
    s.delayed(stall.id, stall.ms);
    stall.media.add(s);
  }

  /** Streams between two endpoints; when none of them is followed any longer the flow is let go of. */
  private conversation({ scope }: UdpState, flow: Flow): MediaFlow {
    return new MediaFlow(() => scope?.owner?.over(flow));
  }

  private control(c: Content): void {
    const ms = this.model.rtcp(this.at, c);
    if (ms !== undefined) this.tunnels[this.at.tunnel - 1]?.path.trips.take('RTCP', this.at, ms);
  }

  /** Says which files have frames twice: they count once. */
  private mirrored(): void {
    for (const [id, { duplicates, firstDuplicate }] of this.files)
      if (firstDuplicate !== undefined && duplicates >= MIRRORED) {
        const detail = ours`${duplicates} frames repeat others.`;
        this.model.findings.raise('capture.duplicate', firstDuplicate, [{ kind: 'file', id }], { detail });
      }
  }

  /** Says how many frames the capturing system dropped, where a file tells of it. */
  private dropped(end: Seen): void {
    for (const { id, interfaces, frames } of this.sources) {
      const drops = interfaces.reduce((n, i) => n + Number(i.drops ?? 0n), 0);
      if (drops === 0) continue;
      this.model.findings.raise('capture.dropped', end, [{ kind: 'file', id }], {
        detail: ours`The file says so of ${drops}, and has ${frames}.`,
        ...(drops * 100 < frames && { severity: 'note' }),
      });
    }
  }

  private watched(): Watched[] {
    const nameOf = (id: number): string => this.sources.find((f) => f.id === id)?.name ?? '';
    return this.files.size < 2 ? [] : [...this.files].map(([file, f]) => ({ file, name: nameOf(file), ...f }));
  }

  /** The tunnels as a report tells of them; call it when the pass has ended. */
  finish(): void {
    const end = this.at.seen();
    this.mirrored();
    this.dropped(end);
    // A connection that others took the place of before it was known for a tunnel has a number, and no life.
    const lives = this.tunnels.filter((life) => life !== undefined);
    const first = lives.filter((life) => life.leg === null && life.isOwn);
    judgeRebound(first, this.model.findings);
    for (const life of lives) life.close(end, this.severalFiles);
    for (const life of first) {
      judgeConnection(life, this.model.findings);
      const { sources, targets, sizes, unreached, tcp } = life;
      this.model.used(life.tunnel.id, { sources, targets, sizes, unreached, tripMs: tcp.tripMs });
    }
    const sessions = new Map(first.map(({ tunnel }) => [tunnel.session?.clientRandom ?? '', tunnel.id]));
    sessions.delete('');
    const { tell, clock } = this.model;
    const watch = new Watch(this.watched());
    this.model.watch = watch;
    const until = (life: TunnelLife): Moment =>
      watch.until(
        [life, ...life.legs].flatMap((l) => [...l.files]),
        end,
      );
    this.model.finish(end, () => first.map((life) => tunnelEntity(life, { end: until(life), sessions, tell, clock })));
    this.attempts.judge(
      (sent) => watch.until([fileOf(sent)], end),
      new Working(this.model.tunnels),
      this.model.findings,
    );
    this.points = capturePoints(lives, [...this.model.media.streams]);
  }
}
