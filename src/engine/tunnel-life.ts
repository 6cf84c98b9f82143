import { HEADER, IP_PACKET, innerLength } from '../../dissectors/ftt-ims.js';
import { Item } from '../../dissectors/tcp/note.js';
import { CLOSE_NOTIFY, ContentType, RECORD_HEADER, Version } from '../../dissectors/tls/numbers.js';
import { type Peek, u32 } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { AddressUse } from '../model/address-use.js';
import { CadenceWatch } from '../model/cadence.js';
import { LegTimes } from '../model/leg-times.js';
import { type Arrival, isBefore, type Moment, rowName, type Seen } from '../model/moment.js';
import { PacketSizes, targetOf } from '../model/packet-sizes.js';
import { PathWatch } from '../model/path-watch.js';
import { type Ending, Flag, type SegmentFacts, type Stall, TcpLife } from '../model/tcp-life.js';
import { Unreached } from '../model/unreached.js';
import type { TlsRecord } from '../tls/index.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { ProxyExchange } from '../tunnel/proxy-exchange.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { Pace } from './pace.js';
import type { Packet } from './packet.js';
import { Stacks } from './stacks.js';
import type { TcpState } from './tcp-state.js';

/** Where the source address stands in an IPv4 header. RFC 791 §3.1 */
const IPV4_SOURCE = 12;
/** RFC 8446 §5.2: an alert, its type, and the tag; no message of a handshake is that short. RFC 6655 §6.1 has shorter tags */
const VEILED_ALERT = 2 + 1 + 16;
const VEILED_ALERT_CCM8 = 2 + 1 + 8;
const CCM_8 = 0x1305;

/** What a report keeps of a tunnel beside what the tunnel knows itself. */
export class TunnelLife {
  established: Seen | null = null;
  connect: Seen | null = null;
  connectAnswer: Seen | null = null;
  clientHello: Seen | null = null;
  /** When each alert of the session came, by its place in the list. */
  readonly alerts: (Seen | undefined)[] = [];
  private alerted = 0;
  /** When the first record came that is longer than its receiver takes, by direction of the session. */
  readonly tooLong: [Seen | null, Seen | null] = [null, null];
  /** When it was found that octets are missing, by the place in the list of the tunnel. */
  readonly gaps: Seen[] = [];
  /** A protected record of TLS 1.3 that nobody can read: the only one of its side, and too short for anything but an alert. */
  veiled: { readonly at: Seen; readonly side: 0 | 1 } | null = null;
  private readonly covered: [number, number] = [0, 0];
  /** The first envelope of either direction. */
  firstEnvelope: Seen | null = null;
  innerOctets = 0;
  resyncs = 0;
  readonly dscp = new Uint32Array(64);
  /** Addresses from which the UE sent inside, and to which it was sent. */
  readonly sources = new AddressUse();
  readonly targets = new AddressUse();
  /** Its rows by protocol. */
  readonly stacks = new Stacks();
  readonly path = new PathWatch();
  /** The clocks of both ends; null: they do not tell. */
  pace: Pace | null = null;
  /** How large the packets inside are. */
  readonly sizes = new PacketSizes();
  readonly unreached = new Unreached();
  /** When its segments passed, where several files are read. */
  times: LegTimes | null = null;
  /** Frames that carried it, by file. */
  readonly files = new Set<number>();
  private lastFile = 0;
  /** Both randoms of its session, '' while unknown. */
  session = '';
  /** The tunnel of which it is a further leg, and its own further legs. */
  leg: TunnelLife | null = null;
  readonly legs: TunnelLife[] = [];
  /** Not all of its frames repeat those of another file. */
  isOwn = false;
  /** The leg in which the tunnel goes on where the captures of this one end. */
  heir: TunnelLife | null = null;
  /** The last record that was opened, up and down: its number, and how often numbers began anew (KeyUpdate). */
  private readonly last = [
    { sequence: -1, round: 0 },
    { sequence: -1, round: 0 },
  ];
  /** Whether what comes up and down here is beyond what the first leg had. */
  private readonly beyond: [boolean, boolean] = [false, false];
  /** An envelope that came before the handshake was over, as far as that is known. */
  premature: Seen | null = null;
  /** The last envelope of unknown type of each direction: up, down. */
  readonly unknown: [Seen | null, Seen | null] = [null, null];
  /** What its records look like from outside; null where they are opened. */
  outside: CadenceWatch | null = null;
  /** The stall that the frame at hand ended. */
  stall: Stall | null = null;

  constructor(
    readonly tunnel: Tunnel,
    readonly tcp: TcpLife,
  ) {}

  /**
   * What its proxy was asked and said. Where it closes behind a 407, a CONNECT that the UE still sends there has no answer, and
   * the 407 is what it said. RFC 9112 §9.3.1
   */
  get proxy(): ProxyExchange | undefined {
    const { proxy } = this.tunnel;
    const { end } = this.tcp;
    const isClosed = end !== null && end.side !== this.tunnel.ue && proxy?.status === undefined;
    return (isClosed && proxy?.before) || proxy;
  }

  /**
   * Notes when a segment passed, for comparison with other captures of the same session. What counts is the place behind
   * the ClientHello, and in the octets of the server behind what that acknowledges: NATs and proxies number anew.
   */
  clock(a: Arrival, side: 0 | 1, s: SegmentFacts): void {
    const { tunnel } = this;
    if (s.length === 0 || s.again || tunnel.id > LIMITS.comparedTunnels) return;
    const way = side === tunnel.ue ? 0 : 1;
    const end = s.seq + s.length;
    if (this.times === null) {
      if (way === 1 || s.ack < 0 || tunnel.session?.clientHelloFrame !== a.frame) return;
      this.times = new LegTimes(a, [end, s.ack]);
    }
    this.times.take(a, way, end);
  }

  /** Notes how far the records of a frame bring it. */
  opened({ records }: Packet): void {
    if (records === null) return;
    for (const { record, side } of records) {
      const { sequence } = record;
      // Those of a handshake have keys, and numbers, of their own.
      if (record.plain === null || sequence < 0 || record.contentType !== ContentType.ApplicationData) continue;
      const last = this.last[side === this.tunnel.ue ? 0 : 1];
      if (sequence < last.sequence) last.round++;
      last.sequence = sequence;
    }
  }

  /** Whether the record at hand comes after all that another leg had of its direction; then all that follow do. */
  isBeyond(other: TunnelLife, way: 0 | 1): boolean {
    const [here, there] = [this.last[way], other.last[way]];
    return (this.beyond[way] ||= here.round !== there.round || here.sequence > there.sequence);
  }

  /** Tells of the caps that it reached. */
  tellLimits(reached: ReachedLimits): void {
    const { droppedStalls, ways } = this.tcp;
    const droppedHoles = ways[0].droppedHoles + ways[1].droppedHoles;
    if (droppedStalls > 0) reached.capped('stalls', droppedStalls);
    if (droppedHoles > 0) reached.capped('holes', droppedHoles);
    if (this.sizes.droppedLimits > 0) reached.capped('pathLimits', this.sizes.droppedLimits);
    if (this.unreached.dropped > 0) reached.capped('unreached', this.unreached.dropped);
    if (this.sources.isShort || this.targets.isShort) reached.capped('tunnelAddresses');
  }

  /** The capture is over: what octets were waited for until then are missing, too. @param end where it ends */
  close(end: Moment, severalFiles: boolean): void {
    const { gaps } = this.tunnel;
    for (const { file, frame } of gaps.slice(this.gaps.length))
      this.gaps.push({ seconds: end.seconds, nanos: end.nanos, row: rowName(severalFiles ? file : 0, frame, 0) });
  }

  /** Takes a frame of its connection. @param start of the capture */
  frame(a: Arrival, packet: Packet, start: Moment): void {
    if (a.file !== this.lastFile) this.files.add((this.lastFile = a.file));
    const { session, gaps } = this.tunnel;
    // Later frames of the chunk may have been looked at already; one that came twice is not taken here, but may tell
    // that octets are missing.
    while (this.gaps.length < gaps.length && gaps[this.gaps.length].ordinal <= packet.ordinal) {
      const { file, frame } = gaps[this.gaps.length];
      this.gaps.push({ ...a.seen(), row: rowName(a.severalFiles ? file : 0, frame, 0) });
    }
    if (this.established === null) this.establish(a, session?.finished[1]?.frame === a.frame);
    if (session !== undefined) {
      if (session.clientHelloFrame === a.frame) this.clientHello ??= a.seen();
      this.alarm(a, packet);
    }
    if (packet.records !== null && !isOpened(packet.records[0].record)) {
      this.outside ??= new CadenceWatch();
      this.outside.take(a.seconds - start.seconds + (a.nanos - start.nanos) / 1e9, a.up ? 0 : 1, a.length);
    }
    if (packet.pdus !== null && this.tunnel.proxy !== undefined && this.connectAnswer === null) this.proxied(a, packet);
  }

  /** A tunnel in the clear stands with its connection; TLS with the server's Finished (TS 24.322 §5.2.2.4, §5.2.3). */
  private establish(a: Arrival, finished: boolean): void {
    if (finished) this.established = a.seen();
  }

  private alarm(a: Arrival, packet: Packet): void {
    const session = this.tunnel.session!;
    for (const d of [0, 1] as const)
      if (this.tooLong[d] === null && session.tooLong(d)?.frame === a.frame) this.tooLong[d] = a.seen();
    const { alerts } = session; // in the order in which they were decrypted, not in that of the frames
    for (let i = 0; i < alerts.length && this.alerted < alerts.length; i++) {
      if (this.alerts[i] !== undefined || alerts[i].frame > a.frame) continue;
      // In each file frames are counted from 1.
      if (a.severalFiles && !hasAlert(packet, alerts[i].frame)) continue;
      this.alerts[i] = a.seen();
      this.alerted++;
      if (alerts[i].description === CLOSE_NOTIFY) this.tcp.notified(a, this.side(alerts[i].direction), true);
    }
    if (packet.records !== null && session.version === Version.Tls13) this.veil(a, packet.records, session.suite);
    // Below TLS 1.3 an alert that nobody can read is seen by its record type; after the handshake it is the farewell.
    const running = this.established !== null || session.clientHelloFrame === undefined;
    if (packet.records === null || !running) return;
    for (const { record, side } of packet.records)
      if (record.type === ContentType.Alert && record.status === 'no-keys') this.tcp.notified(a, side, false);
  }

  /** Looks for an alert in the place of what a side has to send in its handshake, where there are no keys. */
  private veil(a: Arrival, records: NonNullable<Packet['records']>, suite: number): void {
    const length = suite === CCM_8 ? VEILED_ALERT_CCM8 : VEILED_ALERT;
    for (const { record, side } of records) {
      if (record.type !== ContentType.ApplicationData) continue;
      const isFirst = this.covered[side]++ === 0;
      if (!isFirst && this.veiled?.side === side) this.veiled = null;
      else if (isFirst && record.status === 'no-keys' && record.end - record.off === RECORD_HEADER + length)
        this.veiled ??= { at: a.seen(), side };
    }
  }

  /** The side of the flow that a direction of the TLS session is. */
  private side(direction: 0 | 1): 0 | 1 {
    const { ue, session } = this.tunnel;
    return (direction === 0) !== session!.swapped ? ue : ue === 0 ? 1 : 0;
  }

  private proxied(a: Arrival, packet: Packet): void {
    for (const pdu of packet.pdus!) {
      if (pdu.dissector.proto !== 'http' || pdu.repeats) continue;
      if (packet.direction === this.tunnel.ue) this.connect ??= a.seen();
      else this.connectAnswer ??= a.seen();
    }
  }

  /** Takes an envelope. */
  envelope(a: Arrival, packet: Packet): void {
    this.firstEnvelope ??= a.seen();
    if (this.established === null) {
      if (this.tunnel.session === undefined) this.established = a.seen();
      else this.premature ??= a.seen();
    }
    const { buf, off, end } = packet.view;
    this.count(a, buf, off + HEADER, end, packet.carrier!.resync);
    const wrong = judgeEnvelope(buf, off, end);
    if (wrong !== '') {
      packet.finding(wrong);
      if (buf[off] !== IP_PACKET) this.unknown[a.up ? 0 : 1] = a.seen();
    }
    if (this.tcp.closeNotify !== null) this.late(a, packet, this.tcp.closeNotify);
    if (buf[off] !== IP_PACKET || end - off < HEADER + 20) return;
    this.marked(buf, off + HEADER);
    if (packet.addresses === null) return;
    this.ends(a, packet.addresses, packet.net === 4 ? 4 : 16, packet.source, packet.destination);
    // The tunnel keeps the order: what comes out of order inside was sent again.
    if (((packet.tcp?.items ?? 0) & (Item.Retransmission | Item.OutOfOrder)) !== 0) this.path.innerAgain(a);
  }

  /** Takes an envelope with a whole datagram, to which `p` points; false where there is more to say of it. */
  plain(a: Arrival, e: Envelope, p: Peek): boolean {
    if (this.firstEnvelope === null || this.established === null || this.tcp.closeNotify !== null) return false;
    this.count(a, e.buf, e.off + HEADER, e.end, e.resync);
    this.marked(e.buf, e.off + HEADER);
    this.ends(a, e.buf, p.net === 4 ? 4 : 16, p.src, p.dst);
    return true;
  }

  private count(a: Arrival, b: Uint8Array, off: number, end: number, resync: boolean): void {
    const octets = end - off;
    this.innerOctets += octets;
    if (octets > this.sizes.bounds[a.up ? 0 : 1]) this.sizes.take(a, octets, targetOf(b, off, end));
    if (resync) this.resyncs++;
  }

  private marked(b: Uint8Array, ip: number): void {
    const v6 = b[ip] >> 4 === 6;
    this.dscp[v6 ? ((b[ip] & 15) << 2) | (b[ip + 1] >> 6) : b[ip + 1] >> 2]++;
  }

  /** @param n octets of an address */
  private ends(a: Arrival, b: Uint8Array, n: 4 | 16, source: number, destination: number): void {
    const header = n === 4 ? source - IPV4_SOURCE : source;
    if (a.up) this.sources.take(a, b, source, n, header);
    // What the UE sent itself, and a router sent back, is nobody else's.
    else this.targets.take(a, b, destination, n, header, this.sources, source);
  }

  /** An envelope after a close_notify: nobody may send more behind its own. RFC 8446 §6.1 */
  private late(a: Arrival, packet: Packet, end: Ending): void {
    const own = (this.tunnel.direction(end.side) === 'up') === a.up;
    if (own && isBefore(end, a)) packet.finding('fttims.after-close');
  }
}

/** Whether a protected record was opened. */
const isOpened = ({ type, plain }: TlsRecord): boolean => type === ContentType.ApplicationData && plain !== null;

/** Whether one of the records of a packet is an alert that began in a frame. */
const hasAlert = ({ records }: Packet, frame: number): boolean =>
  records?.some(({ record }) => record.contentType === ContentType.Alert && record.frame === frame) === true;

/** Code of what is wrong with an envelope, '' where nothing is. */
function judgeEnvelope(b: Uint8Array, off: number, end: number): string {
  if (b[off] !== IP_PACKET) return 'fttims.unknown-type'; // TS 24.322 §5.6
  const n = end - off - HEADER;
  if (n <= 0) return 'fttims.empty-ip'; // TS 24.322 §7.1.2.2
  const version = b[off + HEADER] >> 4;
  if (version === 4 && (b[off + HEADER] & 15) < 5) return 'inner.header'; // RFC 791 §3.1
  if (version !== 4 && version !== 6) return 'fttims.bad-ip-version'; // TS 24.322 §5.3.2.2
  return innerLength(b, off + HEADER, end) === n ? '' : 'fttims.inner-length';
}

/** The life of the connection that a segment belongs to; made on its first. */
export function tcpLife(state: TcpState, a: Arrival): TcpLife {
  state.model ??= new TcpLife(a);
  return state.model as TcpLife;
}

/** What there is to say of a segment. One instance serves all packets. */
export class Facts implements SegmentFacts {
  seq = 0;
  ack = -1;
  length = 0;
  flags = 0;
  hops = 0;
  again = false;
  late = false;
  ahead = false;
  needless = false;
  rtoMs = 0;
  zeroWindow = false;
  released = 0;
  began = 0;

  of(packet: Packet, envelopes: readonly Envelope[] | null): this {
    const b = packet.transport!;
    const at = packet.header;
    const { tcp } = packet;
    const isPadded = tcp !== null && (tcp.mayBePadding || tcp.followsPadding);
    const items = tcp === null ? 0 : isPadded ? tcp.items & Item.ZeroWindow : tcp.items;
    this.seq = u32(b, at + 4);
    this.ack = (b[at + 13] & Flag.Ack) === 0 ? -1 : u32(b, at + 8);
    this.length = tcp?.mayBePadding ? 0 : packet.payloadWireEnd - packet.payload;
    this.flags = b[at + 13] & (Flag.Fin | Flag.Syn | Flag.Rst | Flag.Ack);
    this.hops = packet.net === 6 ? packet.addresses![packet.source - 1] : packet.addresses![packet.source - 4];
    this.again = (items & Item.Retransmission) !== 0;
    this.late = (items & Item.OutOfOrder) !== 0;
    this.ahead = (items & Item.LostSegment) !== 0;
    this.needless = (items & Item.SpuriousRetransmission) !== 0;
    this.rtoMs = (tcp?.rto ?? 0) / 1e6;
    this.zeroWindow = (items & Item.ZeroWindow) !== 0;
    this.released = envelopes === null ? 0 : envelopes.length;
    this.began = envelopes === null ? 0 : (envelopes[0].segments?.[0].frame ?? 0);
    return this;
  }
}
