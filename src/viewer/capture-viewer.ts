import type { CaptureFile, Damage } from '../capture/chunk.js';
import type { Capture } from '../capture/source.js';
import type { EspKeys } from '../crypto/esp-keys.js';
import type { Packet } from '../engine/packet.js';
import { Pass, type PassOptions } from '../engine/pass.js';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { SessionTap } from '../engine/session-tap.js';
import { compile, FilterError } from '../filter/index.js';
import type { Field } from '../kit/index.js';
import { SessionModel } from '../model/session-model.js';
import { endpoints, LINK_FIELDS } from '../report/columns.js';
import type { Report } from '../report/report.js';
import type { LimitReached } from '../stream/ledger.js';
import type { TlsServices } from '../tls/index.js';
import { detailOf } from './detail.js';
import { FOLLOW_FIELDS, Follower } from './follow.js';
import { Frames, type FrameTest, StoredFrames } from './frames.js';
import { glances } from './glance.js';
import { Replay } from './replay.js';
import { Rows, type RowsAdded } from './rows.js';
import { RowsWriter } from './rows-writer.js';
import { Selected } from './selected.js';
import { ColumnTest, FilterSink, filterOptions, selectByColumns } from './selecting.js';
import { SubPass } from './sub-pass.js';
import { Superseded } from './superseded.js';
import type { Choice, Detail, FollowedStream, Reopen, Viewer, ViewerStatus, WriteRequest } from './viewer.js';

/** Milliseconds between two accounts of how far reading is. */
const EVERY_MS = 50;
/** Milliseconds after which long work lets others in. */
const SLICE_MS = 12;
/** How much longer than making a report of what is there so far reading goes on before the next. */
const REST = 10;
/** Connections that are kept half read, for the rows after the one that was shown. */
const REPLAYS = 3;

/** TLS and ESP keys of one reading. Each pass has its own decryptors; what sessions know of each other they share. */
export interface PassKeys {
  readonly tls: TlsServices;
  readonly innerTls: TlsServices;
  readonly esp: EspKeys | undefined;
}

/** What a report is made of, see {@link ViewedCapture.report}. */
export interface ReportSources {
  readonly model: SessionModel;
  readonly tap: SessionTap;
  readonly files: readonly CaptureFile[];
  readonly damage: readonly Damage[];
  readonly limits: readonly LimitReached[];
}

/** Takes rows that are written to a file. */
export interface RowFile {
  /** Fields that it needs of them. */
  readonly fields: readonly Field[];
  take(row: Row): void;
  /** Ends the file; returns how many packets are in it. */
  end(): number;
}

/** Captures to look at, as the command line means them. */
export interface ViewedCapture {
  readonly registry: Registry;
  readonly names: readonly string[];
  /** Opens the captures so that their octets can be read again. @throws CaptureError */
  open(): Promise<Capture>;
  keys(): PassKeys;
  /** Lines of key logs, and what is to be said about them. */
  keyState(): { lines: number; used: number; sources: string[]; warnings: readonly string[] };
  report(sources: ReportSources): Report;
  file(request: WriteRequest): RowFile;
  /** The same captures with other keys or rules. @throws an error in words */
  again(changes: Reopen): Promise<ViewedCapture>;
}

/** Gets what is added to the rows, with how far reading is; `anew`: what was there before is gone. */
export type Added = (added: RowsAdded, status: ViewerStatus, anew: boolean) => void;

/** The pass that reads the capture first: notes which numbers flows get. */
class FirstPass extends Pass {
  stored!: Frames;

  protected override number(packet: Packet): void {
    const { udpStreams, tcpStreams, stored } = this;
    super.number(packet);
    const tunnel = packet.carrier?.lane.connection.tunnel?.id ?? 0;
    if (tunnel === 0 && packet.protocol === 6 && packet.state !== null)
      stored.setConnection(packet.ordinal, packet.state.stream + 1);
    const connection = tunnel === 0 ? stored.connection(packet.ordinal) : 0;
    for (let n = udpStreams; n < this.udpStreams; n++)
      if (tunnel > 0) append(stored.innerUdp, tunnel, n);
      else append(stored.outerUdp, connection, n);
    if (tunnel > 0) for (let n = tcpStreams; n < this.tcpStreams; n++) append(stored.innerTcp, tunnel, n);
  }
}

function append(lists: Map<number, number[]>, key: number, n: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [n]);
  else list.push(n);
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets others in from time to time. */
class Slices {
  private until = performance.now() + SLICE_MS;

  async between(): Promise<void> {
    if (performance.now() < this.until) return;
    await breath();
    this.until = performance.now() + SLICE_MS;
  }
}

/**
 * Reads captures once, front to back, and keeps columns of every row; what else is asked it finds out by reading the
 * frames again that the answer rests on: those of one connection for a tree, all of them for a filter.
 */
export class CaptureViewer implements Viewer {
  readonly rows = new Rows();
  status: ViewerStatus;
  private frames = new Frames();
  private writer: RowsWriter;
  private capture!: Capture;
  private passKeys!: PassKeys;
  private pass!: FirstPass;
  private tap!: SessionTap;
  private model!: SessionModel;
  private told: Report | null = null;
  private anew = false;
  private readonly listeners: (() => void)[] = [];
  private readonly started = performance.now();
  private replays: { group: number; replay: Replay }[] = [];
  private asked = 0;
  private stopped = false;
  private ended = false;
  /** Counts the readings: what belongs to an earlier one is given up. */
  private reading = 0;
  private more: (() => void)[] = [];

  private constructor(
    private viewed: ViewedCapture,
    private readonly onAdded: Added,
  ) {
    this.writer = new RowsWriter(viewed.names.length > 1);
    this.status = {
      files: [],
      frames: 0,
      rows: 0,
      read: 0,
      done: false,
      cancelled: false,
      growing: viewed.names.includes('-'),
      elapsedMs: 0,
      keys: { lines: 0, used: 0, sources: [] },
      tunnels: [],
      moreTunnels: 0,
      messages: [],
    };
  }

  /** Opens captures and begins to read them. @throws CaptureError where one cannot be opened */
  static async open(viewed: ViewedCapture, onAdded: Added = () => undefined): Promise<CaptureViewer> {
    const viewer = new CaptureViewer(viewed, onAdded);
    await viewer.begin();
    return viewer;
  }

  private async begin(): Promise<void> {
    const { viewed } = this;
    this.capture = await viewed.open();
    this.passKeys = viewed.keys();
    this.model = new SessionModel();
    this.tap = new SessionTap(this.model, viewed.registry, viewed.names.length > 1);
    const fields = LINK_FIELDS.flatMap((name) => [...viewed.registry.byName(name)]);
    this.pass = new FirstPass(viewed.registry, this.options({ tap: this.tap, fields }), (row) => {
      if (row.outer.protocol === 6 && row.outer.tunnel !== null)
        this.frames.tunnels.set(this.frames.connection(row.outer.ordinal), row.outer.tunnel.id);
      this.writer.take(row);
      return undefined;
    });
    this.pass.stored = this.frames;
    void this.read(++this.reading);
  }

  /** Options of a pass that sees what the rows show. */
  private options(changes: Partial<PassOptions>): PassOptions {
    return {
      ...this.passKeys,
      rows: 'both',
      fields: null,
      labels: false,
      experts: true,
      info: true,
      frames: 0,
      heuristicRtp: true,
      analyseTcp: true,
      duplicates: true,
      severalFiles: this.viewed.names.length > 1,
      ...changes,
    };
  }

  private async read(reading: number): Promise<void> {
    const { pass, capture, frames } = this;
    let next = 0;
    try {
      for (;;) {
        const chunk = await capture.next();
        if (reading !== this.reading) return;
        if (chunk === null) break;
        for (const text of chunk.secrets) this.passKeys.tls.keys.add(text, 'dsb');
        frames.take(chunk);
        pass.feed(chunk);
        if (performance.now() >= next) {
          this.publish();
          next = performance.now() + EVERY_MS;
        }
        await breath();
        if (reading !== this.reading) return;
        if (this.stopped) break;
      }
      if (!this.stopped) pass.finish();
    } catch (error) {
      this.say('error', error instanceof Error ? error.message : String(error));
    }
    this.ended = true;
    for (const { message } of capture.damage) this.say('error', message);
    for (const { name, cap, hit } of pass.index.ledger.limits)
      this.say('warn', `the limit ${name} (${cap}) was reached ${hit === 1 ? 'once' : `${hit} times`}`);
    for (const [proto, n] of pass.dissection.faults)
      this.say('error', `a fault in fttscope: the dissector of ${proto} failed on ${n} packets, shown as data`);
    this.publish();
  }

  private readonly messages: { severity: 'note' | 'warn' | 'error'; text: string }[] = [];

  private say(severity: 'note' | 'warn' | 'error', text: string): void {
    this.messages.push({ severity, text });
  }

  /** Lets everyone know what there is now. */
  private publish(): void {
    const { capture, pass, viewed } = this;
    const { warnings, ...keys } = viewed.keyState();
    const sizes = capture.files.map((f) => f.size);
    const size = sizes.includes(undefined) ? undefined : sizes.reduce<number>((sum, n) => sum + n!, 0);
    const added = this.writer.added();
    this.rows.add(added);
    this.status = {
      files: capture.files.map(({ name, format, size: octets, frames }) => ({
        name,
        format,
        frames,
        ...(octets !== undefined && { size: octets }),
      })),
      frames: this.frames.count,
      rows: this.rows.count,
      read: capture.files.reduce((sum, f) => sum + f.read, 0),
      ...(size !== undefined && { size }),
      done: this.ended,
      cancelled: this.stopped,
      growing: !this.ended && viewed.names.includes('-'),
      elapsedMs: performance.now() - this.started,
      keys,
      ...glances(pass.index.tunnels),
      messages: [...warnings.map((text) => ({ severity: 'warn' as const, text })), ...this.messages],
    };
    this.onAdded(added, this.status, this.anew);
    this.anew = false;
    const { more } = this;
    this.more = [];
    for (const go of more) go();
    for (const listener of this.listeners) listener();
  }

  /** Resolves when there are more rows than before, or reading has ended. */
  private news(): Promise<void> {
    return new Promise((resolve) => this.more.push(resolve));
  }

  onStatus(listener: () => void): void {
    this.listeners.push(listener);
  }

  check(filter: string): FilterError | null {
    try {
      compile(filter, this.viewed.registry);
      return null;
    } catch (e) {
      if (e instanceof FilterError) return e;
      throw e;
    }
  }

  select(choice: Choice): Selected {
    const s = new Selected(choice, () => undefined);
    void this.fill(s, this.reading).catch((e: unknown) => s.fail(e instanceof Error ? e.message : String(e)));
    return s;
  }

  private async fill(s: Selected, reading: number): Promise<void> {
    await breath(); // who asked has to say first where the answer goes
    const test = new ColumnTest(s.choice, this.rows);
    const { filter = '' } = s.choice;
    const go = filter.trim() === '' ? () => selectByColumns(s, test, this.rows) : this.filtering(s, test, filter);
    const slices = new Slices();
    let told = 0;
    for (;;) {
      const before = this.rows.count;
      const goesOn = go();
      if (s.count > told || !goesOn) s.tell();
      told = s.count;
      if (!goesOn) {
        if (this.ended) break;
        if (this.rows.count === before) await this.news();
      } else await slices.between();
      if (reading !== this.reading) throw new Error('the capture is being read again');
      if (s.done) return;
    }
    s.seen = this.rows.count;
    s.done = true;
    s.tell();
  }

  /** Reads packets again to see whether a filter takes them. */
  private filtering(s: Selected, test: ColumnTest, text: string): () => boolean {
    const { viewed, frames, capture, rows } = this;
    const filter = compile(text, viewed.registry);
    const sink = new FilterSink(s, filter, test, rows);
    const source = new StoredFrames(frames, capture, this.framesOf(s.choice.tunnels));
    const options = filterOptions(this.options({}), filter);
    const pass = new SubPass(viewed.registry, { ...options, ...viewed.keys() }, frames, source, sink.take);
    let ended = false;
    return () => {
      // Only what the rows show already.
      if (source.at < this.shown && pass.more()) return true;
      if (this.ended && !ended) {
        ended = true;
        if (!this.stopped) pass.finish();
      }
      return false;
    };
  }

  /** Frames whose rows are in the lists. */
  private get shown(): number {
    const { rows } = this;
    return this.ended ? this.frames.count : rows.count === 0 ? 0 : rows.ordinal(rows.count - 1) + 1;
  }

  /** The frames that the rows of some tunnels rest on; all where none are named. */
  private framesOf(tunnels: readonly number[] | undefined): FrameTest {
    if (tunnels === undefined || tunnels.includes(0)) return () => true;
    const { frames } = this;
    const wanted = new Set(tunnels);
    return (ordinal) => wanted.has(frames.tunnels.get(frames.connection(ordinal)) ?? -1);
  }

  /** Which frames the tree of a row rests on: those of its connection (its number), the rest (0), or all (-1). */
  private groupOf(row: number, ordinal: number): number {
    const connection = this.frames.connection(ordinal);
    const tunnel = this.frames.tunnels.get(connection);
    if (this.rows.inner(row) > 0 && tunnel !== this.rows.tunnel(row)) return -1; // set free by the end of the capture
    return tunnel === undefined ? 0 : connection;
  }

  private takes(group: number): FrameTest {
    const { frames } = this;
    if (group < 0) return () => true;
    if (group > 0) return (ordinal) => frames.connection(ordinal) === group;
    return (ordinal) => !frames.tunnels.has(frames.connection(ordinal));
  }

  async detail(row: number): Promise<Detail> {
    const asked = ++this.asked;
    const ordinal = this.rows.ordinal(row);
    const k = this.rows.inner(row);
    const group = this.groupOf(row, ordinal);
    const replay = this.replayOf(group, ordinal);
    const slices = new Slices();
    while (!replay.has(ordinal) && replay.reached <= ordinal && replay.more()) {
      await slices.between();
      if (asked !== this.asked) throw new Superseded('a newer row was asked for');
    }
    if (group < 0) replay.finish();
    const faults = new Map(replay.dissection.faults);
    const found = replay.dissect(ordinal, k);
    if (found === undefined) throw new Error(`row ${this.rows.id(row)} cannot be read again`);
    const fault = [...replay.dissection.faults].find(([proto, n]) => faults.get(proto) !== n);
    return detailOf(found, row, fault?.[0]);
  }

  /** A replay that has the row or has not come so far yet. */
  private replayOf(group: number, ordinal: number): Replay {
    const { viewed, frames, capture } = this;
    const i = this.replays.findIndex(
      (r) => r.group === group && (r.replay.has(ordinal) || r.replay.reached <= ordinal),
    );
    if (i >= 0 && group >= 0) {
      const [found] = this.replays.splice(i, 1);
      this.replays.push(found);
      return found.replay;
    }
    const options = { ...this.options({ labels: true }), ...viewed.keys() };
    const replay = new Replay(viewed.registry, options, frames, capture, this.takes(group));
    this.replays.push({ group, replay });
    if (this.replays.length > REPLAYS) this.replays.shift();
    return replay;
  }

  async report(): Promise<Report> {
    if (this.told !== null) return this.told;
    const { viewed, pass, capture } = this;
    const { files, damage } = capture;
    if (this.ended) {
      this.tap.finish();
      const { model, tap } = this;
      this.told = viewed.report({ model, tap, files, damage, limits: pass.index.ledger.limits });
      return this.told;
    }
    return this.reportSoFar();
  }

  /** A report cannot be asked for twice of one model: the frames so far are read again for another. */
  private async reportSoFar(): Promise<Report> {
    const { viewed, frames, capture, reading, soFar } = this;
    const began = performance.now();
    if (soFar !== null && began < soFar.next) return soFar.report;
    const model = new SessionModel();
    const tap = new SessionTap(model, viewed.registry, viewed.names.length > 1);
    const options = {
      ...this.options({ rows: 'none', fields: [], tap, info: false, experts: false }),
      ...viewed.keys(),
    };
    const source = new StoredFrames(frames, capture, () => true);
    const pass = new SubPass(viewed.registry, options, frames, source, () => undefined);
    const until = frames.count;
    const slices = new Slices();
    while (source.at < until && pass.more()) {
      await slices.between();
      if (reading !== this.reading) throw new Superseded('the capture is being read again');
      if (this.ended) return this.report();
    }
    tap.finish();
    const report = viewed.report({ model, tap, files: capture.files, damage: [], limits: pass.index.ledger.limits });
    const now = performance.now();
    this.soFar = { report, next: now + REST * (now - began) };
    return report;
  }
  /** The last report of a capture that is being read, and when another is worth its time. */
  private soFar: { readonly report: Report; readonly next: number } | null = null;

  async follow(row: number, what: 'payload' | 'envelopes'): Promise<FollowedStream> {
    const { viewed, frames, capture, rows } = this;
    const fields = FOLLOW_FIELDS.flatMap((name) => [...viewed.registry.byName(name)]);
    const ordinal = rows.ordinal(row);
    const wanted = what === 'payload' ? await this.conversationOf(row) : null;
    const follower = new Follower(what, wanted, rows.tunnel(row));
    const source = new StoredFrames(frames, capture, this.takes(this.groupOf(row, ordinal)));
    const options = { ...this.options({ fields, info: false, experts: false, analyseTcp: true }), ...viewed.keys() };
    const pass = new SubPass(viewed.registry, options, frames, source, (r) => {
      const first = rows.byOrdinal(r.outer.ordinal);
      follower.take(r, first + Math.max(0, r.inner - 1), endpoints(r));
      return follower.full ? false : undefined;
    });
    const slices = new Slices();
    while (!follower.full && pass.more()) await slices.between();
    return follower.end();
  }

  /** The innermost flow of a row. */
  private async conversationOf(row: number): Promise<{ kind: 'TCP' | 'UDP'; stream: number } | null> {
    await this.detail(row);
    const ordinal = this.rows.ordinal(row);
    const found = this.replayOf(this.groupOf(row, ordinal), ordinal).dissect(ordinal, this.rows.inner(row));
    return found === undefined ? null : Follower.of(found);
  }

  async write(request: WriteRequest): Promise<number> {
    const { viewed, frames, capture, rows } = this;
    const file = viewed.file(request);
    const wanted = request.rows === undefined ? null : new Set(request.rows);
    const source = new StoredFrames(frames, capture, () => true);
    const options = { ...this.options({ fields: file.fields, info: false, experts: false }), ...viewed.keys() };
    const pass = new SubPass(viewed.registry, options, frames, source, (r) => {
      const number = rows.byOrdinal(r.outer.ordinal) + Math.max(0, r.inner - 1);
      if (wanted === null || wanted.has(number)) file.take(r);
      return undefined;
    });
    const until = frames.count;
    const slices = new Slices();
    while (source.at < until && pass.more()) await slices.between();
    pass.finish();
    return file.end();
  }

  cancel(): void {
    this.stopped = true;
  }

  async reopen(changes: Reopen): Promise<void> {
    this.viewed = await this.viewed.again(changes);
    this.reading++;
    await this.capture.close();
    this.frames = new Frames();
    this.writer = new RowsWriter(this.viewed.names.length > 1);
    this.rows.clear();
    this.anew = true;
    this.replays = [];
    this.told = this.soFar = null;
    this.messages.length = 0;
    this.stopped = this.ended = false;
    await this.begin();
  }

  async close(): Promise<void> {
    this.reading++;
    this.stopped = true;
    await this.capture.close();
  }
}
