import type { FrameNote } from '../../dissectors/frame.js';
import { HEADER, IP_PACKET, innerLength } from '../../dissectors/ftt-ims.js';
import type { CaptureSource, Chunk } from '../capture/chunk.js';
import { type AnyDissector, type Field, View } from '../kit/index.js';
import type { TlsServices } from '../tls/index.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { Dissection } from './dissect.js';
import { type FrameEnvelope, type FrameRecord, IndexPass } from './index-pass.js';
import { Packet } from './packet.js';
import type { Registry } from './registry.js';
import { Row } from './row.js';

export type RowKinds = 'inner' | 'outer' | 'both';

export interface PassOptions {
  /** For connections of the capture, and for those inside tunnels. */
  readonly tls: TlsServices;
  readonly innerTls: TlsServices;
  readonly rows: RowKinds;
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
  /** Several capture files are read: rows carry the file's number. */
  readonly severalFiles: boolean;
}

/** A frame between the index pass and its rows. */
interface Work {
  readonly packet: Packet;
  readonly file: number;
  records: FrameRecord[];
  envelopes: FrameEnvelope[];
}

/** Octets of outer layers that stand only in the first row of a frame: they would repeat with every envelope. */
const ONCE: ReadonlySet<string> = new Set(['tcp.payload', 'tcp.segment_data', 'tls.app_data', 'tls.segment.data']);

/**
 * One pass over a capture, a chunk of frames at a time: the frames are indexed in order, what they carry is decrypted in
 * one batch, and then the rows of each frame are dissected and handed out. Memory does not grow with the capture.
 */
export class Pass {
  readonly dissection: Dissection;
  readonly index: IndexPass;
  /** Frames taken so far. */
  frames = 0;
  private readonly row: Row;
  private readonly fttims: AnyDissector;
  private readonly frame: AnyDissector;
  private first: readonly [number, number] | null = null;
  private previous: readonly [number, number] = [0, 0];
  private tcpStreams = 0;
  private udpStreams = 0;
  /** No more frames are wanted; no more rows are wanted. */
  private stopped = false;
  private halted = false;
  /** The last frame with octets of its own, for envelopes that only the end of the capture sets free. */
  private last: { packet: Packet; file: number; rows: number } | null = null;

  constructor(
    readonly registry: Registry,
    private readonly options: PassOptions,
    private readonly give: (row: Row) => boolean | undefined,
  ) {
    this.dissection = new Dissection(registry, registry.wants(options.fields), options.info);
    this.dissection.tree.labels = options.labels;
    this.dissection.tree.wantsExperts = options.experts;
    this.row = new Row(this.dissection);
    this.row.severalFiles = options.severalFiles;
    this.fttims = registry.byProto('fttims')!;
    this.frame = registry.byProto('frame')!;
    this.index = new IndexPass(registry, options);
  }

  /** Reads a capture to its end, or to the frame that is asked for; `progress` is called after each chunk. */
  async run(source: CaptureSource, progress?: () => void): Promise<void> {
    for (;;) {
      const chunk = await source.next();
      if (chunk === null) break;
      for (const text of chunk.secrets) this.options.tls.keys.add(text, 'dsb');
      this.chunk(chunk);
      progress?.();
      if (this.stopped || this.halted) break;
    }
    this.finish();
  }

  private chunk(chunk: Chunk): void {
    const work: Work[] = [];
    for (let i = 0; i < chunk.count; i++) {
      if (this.options.frames > 0 && this.frames >= this.options.frames) {
        this.stopped = true;
        break;
      }
      work.push(this.take(chunk, i));
    }
    this.options.tls.decryptor.flush();
    for (const w of work) {
      if (this.halted) return;
      this.show(w);
    }
    const end = work[work.length - 1];
    if (end !== undefined) this.last = { file: end.file, packet: own(end.packet), rows: this.row.inner };
  }

  /** Octets that wait behind holes are set free by the end of the capture: their envelopes are rows of its last frame. */
  private finish(): void {
    const { last } = this;
    if (last === null || this.halted) return;
    this.index.flush(last.packet);
    this.options.tls.decryptor.flush();
    const w: Work = { packet: last.packet, file: last.file, ...this.collected() };
    this.envelopesOf(w);
    if (w.envelopes.length > 0 && this.options.rows !== 'outer') this.innerRows(w, last.rows);
  }

  /** Indexes frame `i` of a chunk. */
  private take(chunk: Chunk, i: number): Work {
    this.frames++;
    const iface = chunk.iface[i];
    const seconds = chunk.seconds[i];
    const nanos = chunk.nanos[i];
    const start = chunk.off[i];
    const end = start + chunk.cap[i];
    const source = { name: 'Frame', buf: chunk.buf, start, end };
    const packet = new Packet(
      chunk.number[i],
      seconds,
      nanos,
      new View(source, start, end, start + chunk.wire[i]),
      iface,
    );
    this.first ??= [seconds, nanos];
    const note: FrameNote = {
      link: iface.link,
      interfaceId: iface.index,
      relative: difference(seconds, nanos, this.first),
      delta: this.frames === 1 ? [0, 0] : difference(seconds, nanos, this.previous),
      ...(iface.name !== undefined && { interfaceName: iface.name }),
      ...(iface.description !== undefined && { interfaceDescription: iface.description }),
      ...(chunk.comments.size > 0 && chunk.comments.has(i) && { comments: chunk.comments.get(i)! }),
    };
    this.previous = [seconds, nanos];
    packet.note(this.frame, chunk.buf, start, note);
    this.index.index(packet, 'link', iface.link, this.index.outer(iface.file, iface.index));
    return { packet, file: iface.file, ...this.collected() };
  }

  /** Takes what the index pass found in the frame just indexed. */
  private collected(): { records: FrameRecord[]; envelopes: FrameEnvelope[] } {
    const { records, envelopes } = this.index;
    this.index.records = records.length > 0 ? [] : records;
    this.index.envelopes = envelopes.length > 0 ? [] : envelopes;
    return { records: records.length > 0 ? records : NONE, envelopes: envelopes.length > 0 ? envelopes : NONE };
  }

  /** The rows of a frame. */
  private show(w: Work): void {
    this.envelopesOf(w);
    const { rows } = this.options;
    this.row.inner = 0;
    if (w.envelopes.length > 0 && rows !== 'outer') this.innerRows(w, 0);
    else if (rows !== 'inner') {
      this.outer(w);
      this.emit();
    } else this.number(w.packet);
  }

  /** Reads the records of a frame: the envelopes that they complete, each with its inner packet indexed. */
  private envelopesOf(w: Work): void {
    for (const r of w.records) {
      const verified = r.record.verified;
      const give = (envelope: Envelope): void => {
        if (w.envelopes === NONE) w.envelopes = [];
        w.envelopes.push({ connection: r.connection, side: r.side, envelope, verified });
      };
      r.connection.plain(r.side, r.record, r.afterGap, give, () => w.packet.finding('fttims.bad-length'));
      if (r.record.status === 'failed') w.packet.finding('tls.bad-tag');
    }
  }

  private outer(w: Work): void {
    const d = this.dissection;
    const row = this.row;
    this.number(w.packet);
    d.tunnel = w.packet.tunnel?.id ?? 0;
    d.run(w.packet, this.frame);
    row.file = w.file;
    row.frame = w.packet.frame;
    row.seconds = w.packet.seconds;
    row.nanos = w.packet.nanos;
    [row.relativeSeconds, row.relativeNanos] = difference(row.seconds, row.nanos, this.first!);
    row.frameLength = w.packet.view.wireLength;
    row.outer = w.packet;
    row.content = null;
    row.packetLength = 0;
    row.inner = 0;
    row.tunnel = w.packet.tunnel;
    const { delivery } = w.packet;
    row.direction = row.tunnel === null || delivery === null ? null : row.tunnel.direction(delivery.direction);
    row.findings = w.packet.findings ?? NOTHING;
  }

  /** One row an envelope: the outer layers stand once in the tree, the inner ones take turns behind them. */
  private innerRows(w: Work, before: number): void {
    const d = this.dissection;
    const row = this.row;
    this.outer(w);
    d.tree.experts.length > 0 && (row.findings = row.codes());
    let mark = d.mark();
    let k = before;
    for (const e of w.envelopes) {
      if (this.halted) return;
      if (k > before) d.back(mark);
      const packet = this.inner(w.packet, e);
      this.number(packet);
      d.tunnel = e.connection.tunnel!.id;
      d.more(packet, this.fttims);
      row.inner = ++k;
      row.content = packet;
      row.packetLength = Math.max(0, e.envelope.end - e.envelope.off - 3);
      row.tunnel = e.connection.tunnel;
      row.direction = row.tunnel!.direction(e.side);
      if (packet.findings !== null) row.findings = [...row.findings, ...packet.findings];
      this.emit();
      if (k === before + 1) {
        d.back(mark);
        d.tree.drop(ONCE);
        mark = d.mark();
        row.findings = NOTHING;
      }
    }
  }

  /** The inner packet of an envelope, indexed in the world inside its tunnel. */
  private inner(outer: Packet, e: FrameEnvelope): Packet {
    const { buf, off, end } = e.envelope;
    const view = new View({ name: 'Envelope', buf, start: off, end }, off, end);
    const packet = new Packet(outer.frame, outer.seconds, outer.nanos, view, outer.iface);
    const tunnel = e.connection.tunnel!;
    count(tunnel, e);
    this.index.index(packet, 'tls.app', 'fttims', this.index.inner(tunnel));
    if (this.index.records.length > 0) {
      this.options.innerTls.decryptor.flush();
      this.index.records = [];
    }
    return packet;
  }

  /** Gives the flow of a packet its number, in the order in which packets are shown, as tshark does. */
  private number(packet: Packet): void {
    const { delivery } = packet;
    if (delivery === null) return;
    const { state } = delivery;
    if (state.stream < 0) state.stream = delivery.protocol === 6 ? this.tcpStreams++ : this.udpStreams++;
    if (delivery.tcp !== null) delivery.tcp.stream = state.stream;
  }

  private emit(): void {
    const d = this.dissection;
    d.setProtocols();
    if (this.give(this.row) === false) this.halted = true;
  }
}

/** Stands for an empty list; never pushed to. */
const NONE: never[] = [];
const NOTHING: readonly string[] = [];

/** The packet with octets of its own: those of a chunk are used again. */
function own(p: Packet): Packet {
  const copy = p.view.buf.slice(p.view.off, p.view.end);
  const view = new View({ name: 'Frame', buf: copy, start: 0, end: copy.length }, 0, copy.length, p.view.wireLength);
  const out = new Packet(p.frame, p.seconds, p.nanos, view, p.iface);
  for (const n of p.notes) if (n.off === p.view.off && n.buf === p.view.buf) out.note(n.dissector, copy, 0, n.value);
  out.tunnel = p.tunnel;
  return out;
}

/** Counts an envelope for its tunnel. Invalid: type 1 without a whole IPv4 or IPv6 packet. */
function count(tunnel: Tunnel, e: FrameEnvelope): void {
  const { type, buf, off, end } = e.envelope;
  const c = tunnel.envelopes[tunnel.direction(e.side) === 'up' ? 0 : 1];
  c.total++;
  c.octets += end - off;
  if (type !== IP_PACKET) {
    c.unknown++;
    tunnel.unknownTypes.set(type, (tunnel.unknownTypes.get(type) ?? 0) + 1);
  } else if (innerLength(buf, off + HEADER, end) !== end - off - HEADER) c.invalid++;
  else if (buf[off + HEADER] >> 4 === 4) c.ip4++;
  else c.ip6++;
}

/** `[seconds, nanoseconds]` from `since`, both with the same sign. */
function difference(seconds: number, nanos: number, since: readonly [number, number]): readonly [number, number] {
  let s = seconds - since[0];
  let n = nanos - since[1];
  if (s > 0 && n < 0) {
    s--;
    n += 1e9;
  } else if (s < 0 && n > 0) {
    s++;
    n -= 1e9;
  }
  return [s, n];
}
