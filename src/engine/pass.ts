import { PROTOCOLS } from '../../dissectors/frame.js';
import { HEADER } from '../../dissectors/ftt-ims.js';
import { TCP, UDP } from '../../dissectors/numbers.js';
import type { CaptureFile, CaptureInterface, CaptureSource, Chunk } from '../capture/chunk.js';
import type { EspKeys } from '../crypto/esp-keys.js';
import { type AnyDissector, type Field, type Peek, View } from '../kit/index.js';
import type { TlsServices } from '../tls/index.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { columnFields, Dissection, expertFields } from './dissect.js';
import type { Caps } from './followed.js';
import { GuardedTap } from './guarded-tap.js';
import type { Hindsight } from './hindsight.js';
import { IndexPass } from './index-pass.js';
import { Packet } from './packet.js';
import { PlainDatagrams, PlainHeaders } from './plain-datagrams.js';
import { Depth } from './plan.js';
import type { Registry } from './registry.js';
import { Rotations } from './rotations.js';
import { Row } from './row.js';
import type { UdpState } from './scope.js';
import { tally } from './tally-envelope.js';
import { TcpState } from './tcp-state.js';
import type { Interest } from './track.js';

/** Which rows a pass hands out: those of envelopes, those of frames without one, or all. */
export type RowKinds = 'inner' | 'outer' | 'both';

/** What a pass over a capture is to find out: each of these that nobody wants makes it faster. */
export interface PassOptions {
  /** For connections of the capture, and for those inside tunnels. */
  readonly tls: TlsServices;
  readonly innerTls: TlsServices;
  /** Keys of ESP. */
  readonly esp?: EspKeys | undefined;
  readonly rows: RowKinds | 'none';
  /** Fields to keep in the tree; null: all. */
  readonly fields: Iterable<Field> | null;
  /** Whether texts for people are wanted in the tree. */
  readonly labels: boolean;
  readonly experts: boolean;
  /** Whether the Info column or the protocol stack of rows is asked for. */
  readonly info: boolean;
  /** Stop after so many frames; 0: never. */
  readonly frames: number;
  readonly heuristicRtp: boolean;
  readonly analyseTcp: boolean;
  readonly duplicates: boolean;
  /** Several capture files are read: rows carry the file's number. */
  readonly severalFiles: boolean;
  /** Takes the packets; where it is the only one who wants them, `rows` is `none` and nothing is dissected. */
  readonly tap?: Tap | undefined;
  /** Numbers for tunnels, where they are others than those from 1 on. */
  readonly tunnelNumbers?: (() => number) | undefined;
  /** False where nobody looks at {@link Row.content}: plain datagrams are then shown without it. */
  readonly contents?: boolean | undefined;
  /** What is known of rows from a reading before. */
  readonly hindsight?: Hindsight | undefined;
  /** Caps, where they are others than those of the program. */
  readonly caps?: Caps | undefined;
}

/** Takes every packet of a pass as the index left it. Octets are valid during the call. */
export interface Tap {
  /** Protocols whose `track` has to run. */
  readonly tracks: ReadonlySet<string>;
  /** Which files the frames come from. */
  reads?(files: readonly CaptureFile[]): void;
  /** A frame, after its records were read and before its envelopes are given. */
  frame(packet: Packet): void;
  /** The content of envelope number `k` (from 1) that the frame completes. */
  inner(packet: Packet, k: number, tunnel: Tunnel): void;
  /**
   * Such content, where it is a whole datagram of a flow that the model follows: `d` takes the payload at which `p`
   * stands. False: it is to be handed over as a packet.
   */
  plain(e: Envelope, k: number, p: Peek, d: AnyDissector | null, state: UdpState, direction: 0 | 1): boolean;
}

/** Options of a pass whose rows nobody reads. */
export const NO_ROWS = {
  rows: 'inner',
  fields: [],
  labels: false,
  experts: false,
  info: false,
  frames: 0,
  heuristicRtp: false,
  analyseTcp: false,
  duplicates: false,
  severalFiles: false,
} as const;

/** Octets of outer layers that stand only in the first row of a frame: they would repeat with every envelope. */
const ONCE = ['tcp.payload', 'tcp.segment_data', 'tls.app_data', 'tls.segment.data'];

/**
 * One pass over a capture, a chunk of frames at a time: the frames are indexed in order, what they carry is decrypted in
 * one batch, and then the rows of each frame are dissected and handed out. Memory does not grow with the capture.
 */
export class Pass {
  readonly dissection: Dissection;
  readonly index: IndexPass;
  private readonly tap: GuardedTap | undefined;
  /** Null: each row has its packet. */
  private readonly plain: PlainDatagrams | null;
  /** Frames taken so far. */
  frames = 0;
  protected readonly row: Row;
  private readonly fttims: AnyDissector;
  /** Fields of {@link ONCE}, by id; null: none is wanted. */
  private readonly once: Uint8Array | null;
  protected first: readonly [number, number] = [0, 0];
  private previousSeconds = 0;
  private previousNanos = 0;
  /** Flows that have numbers so far. */
  tcpStreams = 0;
  udpStreams = 0;
  private rotations = new Rotations([]);
  /** No more frames are wanted; no more rows are wanted. */
  private stopped = false;
  private halted = false;
  /** The last frame with octets of its own, for envelopes that only the end of the capture sets free. */
  private last: { packet: Packet; rows: number } | null = null;

  constructor(
    readonly registry: Registry,
    private readonly options: PassOptions,
    private readonly give: (row: Row) => boolean | undefined,
  ) {
    const { fields, hindsight } = options;
    const wants = registry.wants(fields === null ? null : [...fields, ...(hindsight?.basis ?? [])]);
    // What dissectors notice they notice while they dissect: no layer may be passed over.
    const experts = options.experts || Object.values(expertFields).some((f) => wants[f.id] !== 0);
    const columns = Object.values(columnFields).some((f) => wants[f.id] !== 0);
    this.dissection = new Dissection(registry, wants, options.info || experts || columns);
    this.dissection.tree.labels = options.labels;
    this.dissection.tree.wantsExperts = experts;
    this.row = new Row(this.dissection);
    this.row.severalFiles = options.severalFiles;
    this.fttims = registry.byProto('fttims')!;
    const once = ONCE.flatMap((name) => registry.byName(name)).filter((f) => wants[f.id] !== 0);
    this.once = once.length === 0 ? null : registry.wants(once);
    const { plan, faults } = this.dissection;
    this.tap = options.tap && new GuardedTap(options.tap, faults);
    const analyseTcp = options.analyseTcp || experts || columns;
    const duplicates =
      options.duplicates || experts || registry.byName('frame.duplicate').some((f) => wants[f.id] !== 0);
    const showsTcp = options.rows !== 'none' && plan.of(registry.byProto('tcp')!).depth !== Depth.Skip;
    const tracks = options.tap?.tracks;
    const bare = options.contents === false && options.tap === undefined && !options.info && !experts && !columns;
    const passes = bare && wants[PROTOCOLS.id] === 0;
    const dataWanted = plan.of(registry.byProto('data')!).depth !== Depth.Skip;
    const interest: Interest = {
      tracks: (d) =>
        (options.rows !== 'none' && plan.tracks(d)) || (d.track !== undefined && tracks?.has(d.proto) === true),
      ...(passes && !dataWanted && { wants: (d) => plan.of(d).depth !== Depth.Skip }),
      announced: (d) => {
        plan.announce(d);
        this.plain?.forget();
      },
    };
    this.index = new IndexPass(registry, { ...options, analyseTcp, duplicates, showsTcp }, interest, faults);
    this.plain = passes ? new PlainDatagrams(plan, this.index, registry) : null;
  }

  /** Says which files the chunks come from: those of a rotation are one capture. */
  reads(files: readonly CaptureFile[]): void {
    this.rotations = new Rotations(files);
    this.options.tap?.reads?.(files);
  }

  /** Reads a capture to its end, or to the frame that is asked for; `progress` is called after each chunk. */
  async run(source: CaptureSource, progress?: () => void): Promise<void> {
    this.reads(source.files);
    for (;;) {
      const chunk = await source.next();
      if (chunk === null) break;
      for (const text of chunk.secrets) this.options.tls.keys.add(text, 'dsb');
      this.feed(chunk);
      progress?.();
      if (this.stopped || this.halted) break;
    }
    this.finish();
  }

  /** The frames of a chunk, indexed, decrypted and shown. What is kept of them is good until the next. */
  feed(chunk: Chunk): void {
    const packets: Packet[] = [];
    for (let i = 0; i < chunk.count; i++) {
      if (this.options.frames > 0 && this.frames >= this.options.frames) {
        this.stopped = true;
        break;
      }
      packets.push(this.take(chunk, i));
    }
    this.options.tls.decryptor.flush();
    for (const p of packets) {
      if (this.halted) return;
      this.show(p);
    }
    this.index.read();
    const end = packets[packets.length - 1];
    if (end !== undefined) this.last = { packet: endOf(end), rows: this.row.inner };
  }

  /**
   * Octets that wait behind holes are set free by the end of the capture: their envelopes are rows of its last frame,
   * without its layers, which are of whatever came last. Where reading stopped before the end, what they wait for may
   * still come.
   */
  finish(): void {
    const { last } = this;
    if (last === null || this.stopped || this.halted) return;
    const { packet } = last;
    this.index.flush(packet);
    this.options.tls.decryptor.flush();
    this.read(packet);
    const { rows } = this.options;
    if (rows === 'none') this.tapped(packet, last.rows);
    else if (packet.envelopes !== null && rows !== 'outer') {
      this.told = true;
      this.innerRows(packet, last.rows);
    }
  }
  /** What is to be said about the frame at hand was said in its own row. */
  private told = false;

  /** Gives the contents of the envelopes of a frame to the tap; `before` were given. */
  private tapped(packet: Packet, before: number): void {
    if (packet.envelopes === null) return;
    const { tap } = this;
    this.row.inner = before;
    if (tap === undefined) return;
    for (const e of packet.envelopes) {
      const k = ++this.row.inner;
      if (!this.handed(e, k, tap)) tap.inner(this.inner(packet, e), k, e.lane.connection.tunnel!);
    }
  }

  /** Hands over the content of an envelope without a packet of its own; false where it is not as plain as that. */
  private handed(e: Envelope, k: number, tap: GuardedTap): boolean {
    const { headers, index } = this;
    if (!headers.read(e)) return false;
    const tunnel = e.lane.connection.tunnel!;
    const state = index.known(headers.p, index.inner(tunnel));
    if (state === null || state.model === null) return false;
    if (!tap.plain(e, k, headers.p, index.reader(headers.p, state), state, index.direction)) return false;
    count(tunnel, e);
    return true;
  }
  private readonly headers = new PlainHeaders();

  /** Indexes frame `i` of a chunk. */
  private take(chunk: Chunk, i: number): Packet {
    const iface = chunk.iface[i];
    const start = chunk.off[i];
    const end = start + chunk.cap[i];
    const view = new View({ name: 'Frame', buf: chunk.buf, start, end }, start, end, start + chunk.wire[i]);
    const packet = new Packet(chunk.number[i], chunk.seconds[i], chunk.nanos[i], view, iface);
    packet.ordinal = this.frames;
    if (this.frames++ === 0) {
      this.first = [packet.seconds, packet.nanos];
      this.previousSeconds = packet.seconds;
      this.previousNanos = packet.nanos;
    }
    if (chunk.oddTimes.size > 0) packet.oddTime = chunk.oddTimes.get(i);
    if (chunk.comments.size > 0) packet.comments = chunk.comments.get(i);
    packet.previousSeconds = this.previousSeconds;
    packet.previousNanos = this.previousNanos;
    this.previousSeconds = packet.seconds;
    this.previousNanos = packet.nanos;
    this.taken(packet);
    const scope = this.index.outer(iface, this.continued(packet));
    packet.scope = scope.id;
    this.index.index(packet, 'link', iface.link, scope);
    this.rotations.saw(iface, packet.frame, packet.seconds, packet.nanos);
    return packet;
  }

  /** The interface of an earlier section, or file of the same rotation, that the one of a packet goes on from. */
  protected continued({ iface, seconds, nanos }: Packet): CaptureInterface | undefined {
    return this.rotations.continued(iface, seconds, nanos);
  }

  /** A frame is about to be indexed. */
  protected taken(_packet: Packet): void {}

  /** The rows of a frame. */
  protected show(packet: Packet): void {
    this.read(packet);
    const { rows } = this.options;
    this.row.inner = 0;
    this.tap?.frame(packet);
    if (rows === 'none') this.tapped(packet, 0);
    else if (packet.envelopes !== null && rows !== 'outer') this.innerRows(packet, 0);
    else if (rows !== 'inner') {
      this.outer(packet);
      this.emit();
    } else this.number(packet);
  }

  /** Reads the records of a packet: finds the envelopes and messages that they complete. */
  protected read(packet: Packet): void {
    if (packet.records === null) return;
    this.index.resume(packet);
    for (const r of packet.records) {
      try {
        if (!r.read) r.connection.plainText!.read(r);
      } catch (e) {
        this.dissection.faults.add(packet, 'tls', e);
      }
      if (r.record.status === 'failed') packet.finding('tls.bad-tag');
    }
  }

  /** Not all of a tree fitted under its cap: the row says so. */
  private cutTree(): void {
    const { row, index } = this;
    const packet = row.content ?? row.outer;
    this.cut = this.dissection.tree.dropped;
    index.resume(packet);
    index.ledger.capped('treeNodes');
    if (!row.findings.includes('capture.capped')) row.findings = [...row.findings, 'capture.capped'];
  }
  /** Nodes that the trees of the frame at hand had no room for so far. */
  private cut = 0;

  protected outer(packet: Packet): void {
    const d = this.dissection;
    this.cut = 0;
    const { row } = this;
    const { tunnel } = packet;
    this.number(packet);
    d.tunnel = tunnel === null ? 0 : tunnel.id;
    d.run(packet, this.first);
    row.file = packet.iface.file;
    row.frame = packet.frame;
    row.seconds = packet.seconds;
    row.nanos = packet.nanos;
    row.first = this.first;
    row.frameLength = packet.view.wireLength;
    row.outer = packet;
    row.content = null;
    row.packetLength = 0;
    row.inner = 0;
    row.tunnel = tunnel;
    row.direction = tunnel === null || packet.protocol !== TCP ? null : tunnel.direction(packet.direction);
    row.findings = packet.findings ?? NOTHING;
    row.missing = packet.missing ?? NO_GAPS;
  }

  /** One row an envelope: the outer layers stand once in the tree, the inner ones take turns behind them. */
  protected innerRows(outer: Packet, before: number): void {
    const d = this.dissection;
    const { row } = this;
    this.outer(outer);
    if (this.told) d.tree.experts.length = 0;
    let mark = d.mark();
    const last = before + outer.envelopes!.length;
    let k = before;
    for (const e of outer.envelopes!) {
      if (this.halted) return;
      k++;
      if (!this.plainRow(e, k)) {
        const packet = this.inner(outer, e);
        this.number(packet);
        this.tap?.inner(packet, k, e.lane.connection.tunnel!);
        this.within(packet, k);
      }
      this.emit();
      if (k === last) return;
      d.back(mark);
      if (k === before + 1) {
        // What was noticed about the frame, and its octets, stand in its first row alone.
        if (this.once !== null) d.tree.drop(this.once);
        mark = d.mark();
        mark.experts = 0;
        d.back(mark);
      }
      row.findings = NOTHING;
      row.missing = NO_GAPS;
    }
  }

  /** Shows envelope `k` of its frame without a packet of its own; false where it has to be looked at more closely. */
  private plainRow(e: Envelope, k: number): boolean {
    const { plain, index } = this;
    const tunnel = e.lane.connection.tunnel!;
    if (plain === null || !plain.takes(e, index.inner(tunnel))) return false;
    if (index.numbered.stream < 0) index.numbered.stream = this.udpStream();
    plain.show(e, this.dissection.tree);
    count(tunnel, e);
    this.describe(e, null, k);
    return true;
  }

  /** Says which envelope the row shows. */
  private describe({ lane, off, end }: Envelope, content: Packet | null, k: number): void {
    const { row } = this;
    row.inner = k;
    row.content = content;
    row.packetLength = Math.max(0, end - off - HEADER);
    row.tunnel = lane.connection.tunnel!;
    row.direction = row.tunnel.direction(lane.side);
  }

  /** Adds the content of an envelope, number `k` of its frame, to the outer layers that stand. */
  protected within(packet: Packet, k: number): void {
    const { row, dissection } = this;
    dissection.tunnel = packet.carrier!.lane.connection.tunnel!.id;
    dissection.more(packet, this.fttims);
    this.describe(packet.carrier!, packet, k);
    if (packet.findings !== null) row.findings = [...row.findings, ...packet.findings];
  }

  /** The inner packet of an envelope, indexed in the world inside its tunnel. */
  protected inner(outer: Packet, e: Envelope): Packet {
    const { buf, off, end } = e;
    const view = new View({ name: 'Envelope', buf, start: off, end }, off, end);
    const packet = new Packet(outer.frame, outer.seconds, outer.nanos, view, outer.iface);
    const tunnel = e.lane.connection.tunnel!;
    packet.carrier = e;
    packet.number = count(tunnel, e);
    this.index.index(packet, 'tls.app', 'fttims', this.index.inner(tunnel));
    if (packet.records !== null) {
      this.options.innerTls.decryptor.flush();
      this.read(packet);
    }
    return packet;
  }

  /** Gives the flow of a packet its number, in the order in which packets are shown, as tshark does. */
  protected number(packet: Packet): void {
    const { state, conversation, quote, carriers } = packet;
    if (carriers !== null)
      for (const c of carriers) if (c.conversation.stream < 0) c.conversation.stream = this.udpStream();
    if (conversation !== null && packet.protocol === UDP) {
      if (conversation.stream < 0) conversation.stream = this.udpStream();
    } else if (state !== null) {
      if (state.stream < 0) state.stream = this.tcpStream();
      if (packet.tcp !== null) packet.tcp.stream = state.stream;
    }
    if (quote !== null && quote.conversation.stream < 0)
      quote.conversation.stream = quote.conversation instanceof TcpState ? this.tcpStream() : this.udpStream();
  }
  /** The next number of a flow. */
  protected udpStream(): number {
    return this.udpStreams++;
  }
  protected tcpStream(): number {
    return this.tcpStreams++;
  }

  protected emit(): void {
    if (this.dissection.tree.dropped > this.cut) this.cutTree();
    const { tunnel, direction, findings, missing } = this.row;
    this.dissection.finish(tunnel, direction, findings, missing);
    this.options.hindsight?.add(this.row);
    if (this.give(this.row) === false) this.halted = true;
  }
}

const NOTHING: readonly string[] = [];
const NO_GAPS: readonly number[] = [];

/** What the end of a capture sets free, as of its last frame: its own octets, for those of a chunk are used again. */
function endOf(p: Packet): Packet {
  const copy = p.view.buf.slice(p.view.off, p.view.end);
  const view = new View({ name: 'Frame', buf: copy, start: 0, end: copy.length }, 0, copy.length, p.view.wireLength);
  const out = new Packet(p.frame, p.seconds, p.nanos, view, p.iface);
  out.ordinal = p.ordinal;
  out.scope = p.scope;
  out.previousSeconds = p.previousSeconds;
  out.previousNanos = p.previousNanos;
  out.oddTime = p.oddTime;
  out.comments = p.comments;
  out.isEnd = true;
  return out;
}

/** Counts an envelope for its tunnel; returns its number in its direction. */
const count = (tunnel: Tunnel, e: Envelope): number => tally(tunnel, e.lane.side === tunnel.ue ? 0 : 1, e);
