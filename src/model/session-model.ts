import { KEEP_ALIVE_TYPE } from '../../dissectors/rtp-payload-types.js';
import type { SipMessage } from '../../dissectors/sip/index.js';
import { asSaid, ours, type Tell, type Words, words } from '../kit/index.js';
import { LIMITS, type LimitReached, ReachedLimits } from '../limits.js';
import { AddressUse } from './address-use.js';
import { Addressing } from './addressing.js';
import type { SubscriberSecrets } from './aka.js';
import { Archive, type CallsOver, type Shelf } from './archive.js';
import { shakiness } from './capture-quality.js';
import { ClockSteps } from './clock.js';
import type { AddressingEntity, CallEntity, FindingEntity, MediaEntity, TunnelEntity } from './entities.js';
import { EspWatch } from './esp-watch.js';
import type { Content } from './events.js';
import { Findings, type KnownFindings, type Ref } from './findings.js';
import { heardUntil, judge } from './judge.js';
import { KeepAlives } from './keep-alives.js';
import { Media, type MediaFlow, sentUp } from './media.js';
import type { MediaStream, Negotiated } from './media-stream.js';
import { type Arrival, fileOf, type Moment, type Seen } from './moment.js';
import { OtherAttempts } from './other-attempts.js';
import { PacketSizes } from './packet-sizes.js';
import { BINDING } from './round-trips.js';
import type { Series } from './series.js';
import { Signalling } from './signalling.js';
import { isSipPort, SipConnections } from './sip-connections.js';
import type { SipEvent } from './sip-event.js';
import { Identity } from './subscriber.js';
import { CallTally, MediaTally, type Tallies } from './tally.js';
import { Flag } from './tcp-life.js';
import { Unreached } from './unreached.js';
import { Watch } from './watch.js';

/** Octets are missing. */
const GAP = 'capture.gap';
/** What is wrong with envelopes and packets inside: it counts which side sent them. */
const SENT: ReadonlySet<string> = new Set([
  'fttims.bad-length',
  'fttims.overlong',
  'fttims.empty-ip',
  'fttims.inner-length',
  'fttims.bad-ip-version',
  'inner.header',
]);

/** RFC 8489 §5: a Binding indication. */
const INDICATION = 0x0011;

/** What is known of the packets of a tunnel until it is over, and their life is told of. Nothing is added to it. */
const UNUSED = {
  sources: new AddressUse(),
  targets: new AddressUse(),
  sizes: new PacketSizes(),
  unreached: new Unreached(),
};

/** What is kept of the inside of one tunnel. */
export class Inside {
  readonly addressing: Addressing;
  readonly identity: Identity;
  readonly keepAlives = new KeepAlives();
  readonly esp: EspWatch;
  /** Where the first REGISTER or INVITE went. */
  pcscf = '';
  /** Between which ports: the UE's, and that of the P-CSCF. */
  ports: readonly [number, number] = [0, 0];
  /** When SIP last came from there. */
  heard: Seen | null = null;
  /** Addresses from which the UE sent, and to which it was sent. */
  sources = UNUSED.sources;
  targets = UNUSED.targets;
  sizes = UNUSED.sizes;
  unreached = UNUSED.unreached;
  /** Milliseconds from end to end of the tunnel and back, as its handshake took; 0 where that is not known, or not yet. */
  tripMs = 0;
  readonly connections: SipConnections;

  /** @param reached is told of what does not fit */
  constructor(reached: ReachedLimits) {
    this.addressing = new Addressing(reached);
    this.identity = new Identity(reached);
    this.esp = new EspWatch(reached);
    this.connections = new SipConnections(reached);
  }

  /** Address of the P-CSCF: where SIP went first, or was to go by the connections that the UE asked for. */
  get server(): string | undefined {
    const [first] = this.connections.servers.values();
    return this.pcscf === '' ? first?.address : this.pcscf;
  }
}

/** What happened in a capture, gathered in one pass from plain events. */
export class SessionModel {
  readonly signalling: Signalling;
  readonly media: Media;
  readonly insides = new Map<number, Inside>();
  readonly outside: OtherAttempts;
  tunnels: TunnelEntity[] = [];
  addressing: AddressingEntity[] = [];
  end: Moment = { seconds: 0, nanos: 0 };
  readonly findings: Findings;
  /** The caps that it reached. */
  readonly reached = new ReachedLimits();
  readonly clock = new ClockSteps(this.reached);
  private lastRow = '';
  private readonly byId = new Map<number, TunnelEntity>();

  /** When which files were captured. */
  watch = new Watch();
  /** Who may have issued the certificate of an EFTF, as a user expects; none: anybody. */
  issuers: readonly string[] = [];
  /** How sentences with words of others are told. */
  tell: Tell = asSaid;
  /** Undefined: everything is kept at hand. */
  private readonly archive: Archive | undefined;

  /**
   * @param muted codes of findings that are not wanted
   * @param secrets keys of subscribers, where a user has them
   * @param shelf takes what is over, where the capture may be long
   * @param kept calls and streams that stay all the same
   */
  constructor(muted: ReadonlySet<string> = new Set(), secrets?: SubscriberSecrets, shelf?: Shelf, kept?: number) {
    this.signalling = new Signalling(this.reached, secrets);
    this.media = new Media(
      this.reached,
      (call) => this.signalling.calls.at(call)?.isOver ?? true,
      (callId, tunnel) => this.signalling.call(callId, tunnel)?.id,
    );
    this.outside = new OtherAttempts(this.reached);
    this.findings = new Findings(muted, this.reached);
    this.archive = shelf && new Archive(this, shelf, kept);
  }

  /** Something that the engine noticed about the packet at hand. */
  noticed(at: Arrival, code: string): void {
    // That of a tunnel may come to light in a frame of another one, and is told with it.
    if (code === GAP && at.tunnel !== 0) return;
    this.findings.raise(code, at.seen(), at.tunnel === 0 ? [] : [{ kind: 'tunnel', id: at.tunnel }]);
    if (at.tunnel === 0 || !SENT.has(code)) return;
    const name = `${code} ${at.tunnel}`;
    const sent = this.wrong.get(name) ?? { code, tunnel: at.tunnel, up: 0, down: 0 };
    this.wrong.set(name, sent);
    sent[at.up ? 'up' : 'down']++;
  }

  /** How often either side sent what is wrong. */
  private readonly wrong = new Map<string, { code: string; tunnel: number; up: number; down: number }>();

  /** Adds to what was noticed which side it came from. */
  private tellSenders(): void {
    for (const { code, tunnel, up, down } of this.wrong.values()) {
      const both = ours`${up} came from the UE, and ${down} from the EFTF.`;
      const one = down === 0 ? ours`${up} came from the UE.` : ours`${down} came from the EFTF.`;
      this.findings.amend(code, tunnel, { detail: up > 0 && down > 0 ? both : one });
    }
  }

  /** The frame at hand was not captured whole. */
  cut(at: Arrival): void {
    this.findings.raise('capture.snaplen', at.seen(), [{ kind: 'file', id: at.file }]);
  }

  /** The time of the frame at hand is so much before that of the frame before it. */
  wentBack(at: Arrival, before: Moment, ms: number): void {
    const detail = ours`From one frame to the next it goes back by ${Math.round(ms)} ms.`;
    this.findings.raise('capture.clock-jump', at.seen(), [{ kind: 'file', id: at.file }], { detail });
    this.clock.add({ file: at.file, before: { ...before }, at: at.seen(), ms: -ms });
  }

  /** Tells where clocks were set forward. */
  private tellSteps(): void {
    for (const { file, at, ms } of this.clock.steps)
      if (ms > 0)
        this.findings.raise('capture.clock-jump', at, [{ kind: 'file', id: file }], {
          detail: ours`From one frame to the next it goes forward by ${Math.round(ms / 1000)} s that passed for neither end of the connection, as timestamps of TCP tell.`,
        });
  }

  /** A file could not be read to its end. */
  damaged(file: number, message: Words): void {
    const at = { ...this.end, row: this.lastRow };
    this.findings.raise('capture.cut', at, [{ kind: 'file', id: file }], { detail: words`${message}.` });
  }

  private inside(tunnel: number): Inside {
    let i = this.insides.get(tunnel);
    if (i === undefined) this.insides.set(tunnel, (i = new Inside(this.reached)));
    return i;
  }

  /** The addresses that the packets of a tunnel bear, how large they are, and which did not arrive. */
  used(tunnel: number, use: Pick<Inside, 'sources' | 'targets' | 'sizes' | 'unreached' | 'tripMs'>): void {
    Object.assign(this.inside(tunnel), use);
  }

  dhcp(at: Arrival, c: Content): void {
    if (at.tunnel !== 0) this.inside(at.tunnel).addressing.dhcp.take(at, c);
  }

  dhcpv6(at: Arrival, c: Content): void {
    if (at.tunnel !== 0) this.inside(at.tunnel).addressing.configured(at, c);
  }

  dns(at: Arrival, c: Content): void {
    if (at.tunnel !== 0) this.inside(at.tunnel).addressing.resolved(at, c);
    else this.outside.names.take(at, c);
  }

  icmpv6(at: Arrival, c: Content): void {
    if (at.tunnel !== 0) this.inside(at.tunnel).addressing.slaac.take(at, c);
  }

  /** A segment inside a tunnel that opens a connection, or refuses to. */
  opened(at: Arrival, c: Content, flags: number): void {
    if ((flags & Flag.Rst) !== 0) this.signalling.reset(at, c);
    if (isSipPort(at.up ? c.dport : c.sport)) this.inside(at.tunnel).connections.take(at, c, flags);
  }

  /** A packet of ESP; `opened`: there was a key for it. */
  esp(at: Arrival, spi: number, sequence: number, opened: boolean): void {
    if (at.tunnel !== 0) this.inside(at.tunnel).esp.take(at, spi, sequence, opened);
  }

  /** A message of SigComp, which is not decompressed. */
  compressed(at: Arrival): void {
    this.noticed(at, 'sip.compressed');
  }

  /** Takes what came on a port of SIP, and returns the message; `read` is it if it was read before. */
  sip(at: Arrival, c: Content, read?: SipMessage): SipEvent | undefined {
    const e = this.signalling.take(at, c, read);
    if (e !== undefined) this.holding(e.callId, at.tunnel);
    this.archive?.tidy(at);
    if (at.tunnel === 0) {
      if (e !== undefined) this.outside.sip(at, e);
      return e;
    }
    const inside = this.inside(at.tunnel);
    if (e === undefined) {
      inside.keepAlives.lineEnds(at, c.stream);
      return e;
    }
    if (e.method === 'REGISTER') inside.keepAlives.registration(at, e);
    else if (e.method === 'OPTIONS' && !this.signalling.has(e.callId)) inside.keepAlives.options(at, e, this.reached);
    if (at.up) inside.identity.sent(e);
    else if (e.method === 'REGISTER') inside.identity.registered(e);
    else inside.identity.addressed(e);
    if (at.up && e.isRequest) this.upward(inside, at, e, c);
    if (!at.up && c.from === inside.pcscf) inside.heard = at.seen();
    return e;
  }

  /** Notes how much the UE has sent where a hold begins or ends: keep-alives go on while nobody speaks. */
  private holding(callId: string, tunnel: number): void {
    const call = this.signalling.call(callId, tunnel);
    if (call?.features.isChanged) call.features.heard(sentUp(this.media.streams, call.id));
  }

  private upward(inside: Inside, at: Arrival, e: SipEvent, c: Content): void {
    if (inside.pcscf === '' && (e.method === 'REGISTER' || e.method === 'INVITE'))
      Object.assign(inside, { pcscf: c.to, ports: [c.sport, c.dport] });
    if (e.method === 'OPTIONS') inside.keepAlives.take('sip', at);
  }

  /** A STUN message of the UE: a Binding request or indication keeps its flow open. RFC 5626 §4.4.2 */
  stun(at: Arrival, c: Content): void {
    const type = (c.buf[c.off] << 8) | c.buf[c.off + 1];
    if (at.tunnel === 0 || !at.up || (type !== BINDING && type !== INDICATION)) return;
    this.inside(at.tunnel).keepAlives.take('stun', at);
  }

  /** Takes an RTP packet; `note` is what a session description said about its endpoint. */
  rtp(
    at: Arrival,
    c: Content,
    flow: MediaFlow,
    direction: 0 | 1,
    note: Negotiated | undefined,
  ): MediaStream | undefined {
    const s = this.media.rtp(at, c, flow, direction, note);
    if (s === undefined) return undefined;
    if (s.call === 0 && note !== undefined && note.callId !== '') {
      const call = this.signalling.call(note.callId, at.tunnel);
      if (call !== undefined) s.belongTo(call.id, call.session);
    }
    if (at.up && at.tunnel !== 0 && (c.buf[c.off + 1] & 127) === KEEP_ALIVE_TYPE)
      this.inside(at.tunnel).keepAlives.take('rtp-pt20', at);
    return s;
  }

  /** Takes a compound RTCP packet; returns the round trip that it tells of, in milliseconds. */
  rtcp(at: Arrival, c: Content): number | undefined {
    return this.media.rtcp(at, c);
  }

  /** The capture has ended; whoever followed the connections of the tunnels says then what became of them. */
  finish(end: Seen, tunnels: () => TunnelEntity[]): void {
    this.end = end;
    this.lastRow = end.row;
    const numbers = this.media.finish(this.archive?.streams);
    this.archive?.renumber(numbers);
    this.findings.renumber('media', numbers);
    this.tellSteps();
    this.tunnels = tunnels();
    for (const t of this.tunnels) this.byId.set(t.id, t);
    if (this.clock.steps.length > 0) this.tellWaits();
    this.signalling.finish(
      {
        files: (tunnel, start) => this.filesOf(tunnel, start),
        end: (files) => this.watch.until(files, end),
        heard: (tunnels, start) => heardUntil(this, tunnels, start),
      },
      this.clock,
    );
    for (const s of this.media.streams) {
      this.signalling.calls.at(s.call)?.carry(s);
    }
    for (const t of this.tunnels) {
      this.furnish(t);
      this.outside.furnish(t);
    }
    this.tellSenders();
    judge(this);
    if (this.clock.steps.length > 0) this.findings.correct(this.clock, (t) => this.filesOf(t, end));
  }

  /** The files in which a tunnel was seen at its first place; of what is outside of tunnels that in which it began. */
  filesOf(tunnel: number, start: Seen): ReadonlySet<number> {
    const legs = this.tunnel(tunnel)?.legs.filter((l) => l.tunnel === tunnel) ?? [];
    return new Set(legs.length === 0 ? [fileOf(start)] : legs.map((l) => l.file));
  }

  /** When the capture ended that a tunnel is in: others that are given with it go on, of other days maybe. */
  endOf(t: TunnelEntity): Moment {
    return this.watch.until(
      t.legs.map((l) => l.file),
      this.end,
    );
  }

  /** Where a clock was set forward nothing waited for a segment that came before it. */
  private tellWaits(): void {
    for (const s of this.media.streams) {
      const stalls = new Set(this.tunnel(s.tunnel)?.tcp.stalls.map((x) => x.id));
      // Of more stalls than are listed nobody knows any more.
      if (stalls.size < LIMITS.stalls) s.waited((id) => stalls.has(id));
    }
  }

  /** The tunnel with this number; undefined for one that is only a further leg of another. */
  tunnel(id: number): TunnelEntity | undefined {
    return this.byId.get(id);
  }

  /** Adds to a tunnel what its inside tells. */
  private furnish(t: TunnelEntity): void {
    const inside = this.insides.get(t.id);
    if (inside === undefined) return;
    const { addressing, identity, keepAlives } = inside;
    const subscriber = identity.entry;
    if (subscriber !== undefined) t.subscriber = subscriber;
    t.keepAlives = keepAlives.list();
    const entity = addressing.entity(this.addressing.length + 1, t.id, t.uid, t.addresses, this.endOf(t));
    if (!addressing.empty) this.addressing.push(entity);
    const pcscf = inside.server;
    if (pcscf !== undefined) t.pcscf = { address: pcscf, source: addressing.pcscfSource(pcscf) };
  }

  /** Tells of the caps that were reached. */
  limited(limits: readonly LimitReached[]): void {
    if (limits.length > 0) this.findings.capped({ ...this.end, row: this.lastRow }, limits);
  }

  /** What is wrong, the worst first; tunnels get the numbers of theirs. */
  findingEntities(known?: KnownFindings): FindingEntity[] {
    const { signalling, media } = this;
    const uidOf = ({ kind, id }: Ref): string | undefined => {
      if (kind === 'file') return undefined;
      if (kind === 'tunnel') return this.tunnel(id)?.uid;
      if (kind === 'registration') return signalling.registrations[id - 1]?.uid;
      const live = kind === 'call' ? signalling.calls.at(id) : media.streams.at(id);
      return live?.uid ?? this.archive?.uidOf(kind, id);
    };
    const list = this.findings.list(
      uidOf,
      known ?? new Map(),
      shakiness(this.findings, (id) => this.tunnel(id)),
      this.tell,
    );
    for (const f of list) for (const r of f.refs) if (r.kind === 'tunnel') this.tunnel(r.id)?.findings.push(f.id);
    return list;
  }

  /** Calls that were put away since, while packets come: of a capture with few none are. */
  over(from: number, most: number): CallsOver {
    return this.archive?.over(from, most) ?? { calls: [], next: from };
  }

  /** Puts calls and streams away that are many: the report is not written at once. */
  shelve(): void {
    this.archive?.rest();
  }

  /** What a summary says of calls and media. */
  tallies(): Tallies {
    const calls = new CallTally(this.archive?.tallies.calls);
    const media = new MediaTally(this.archive?.tallies.media);
    for (const c of this.signalling.calls) calls.add(c.entity(this.tell));
    for (const s of this.media.streams) media.add(s.entity(this.media.codecOf(s)));
    return { calls, media };
  }

  callEntities(): Series<CallEntity> {
    return this.archive?.callEntities() ?? Array.from(this.signalling.calls, (c) => c.entity(this.tell));
  }

  mediaEntities(): Series<MediaEntity> {
    return this.archive?.mediaEntities() ?? Array.from(this.media.streams, (s) => s.entity(this.media.codecOf(s)));
  }
}
