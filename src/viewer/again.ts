import type { Capture } from '../capture/source.js';
import type { Hindsight } from '../engine/hindsight.js';
import type { PassOptions } from '../engine/pass.js';
import type { Row } from '../engine/row.js';
import { SessionTap } from '../engine/session-tap.js';
import type { References } from '../filter/index.js';
import { SessionModel } from '../model/session-model.js';
import { endpoints } from '../report/columns.js';
import { Pseudonyms } from '../report/redact.js';
import type { Report } from '../report/report.js';
import { ReportShelf } from '../report/report-shelf.js';
import { detailOf } from './detail.js';
import { type Conversation, FOLLOW_FIELDS, Follower } from './follow.js';
import { type Frames, type FrameTest, StoredFrames } from './frames.js';
import { Replay } from './replay.js';
import type { Rows } from './rows.js';
import { Slices } from './slices.js';
import { SubPass } from './sub-pass.js';
import { Stopped, Superseded } from './superseded.js';
import { cellsOfRow, frameLook } from './values.js';
import type { ReportSources, ViewedCapture } from './viewed-capture.js';
import type { Detail, FollowedStream, RowValues, ValuesRequest, Watch, WriteRequest } from './viewer.js';

/** Connections that are kept half read, for the rows after those that were shown: as trees, as lines of a list. */
const REPLAYS = { trees: 3, lines: 6 };
/** Of those that are let go of, so many are collected together. */
const LET_GO = 6;
/** Milliseconds that lines may take before those that are done are given. */
const MOMENT = 60;
/** Milliseconds between two accounts of how far something is. */
const EVERY_MS = 50;

/** Adds to a row what is known of it. */
function known(row: Row, hindsight: Hindsight | undefined): Row {
  hindsight?.add(row);
  return row;
}

const everyFrame: FrameTest = () => true;

/** Options of a pass whose rows nobody looks at as such. */
const BARE = { info: false, experts: false, labels: false } as const;

/** Rows that are read again for one purpose: the newest question counts, and what is half read serves the next. */
interface Purpose {
  asked: number;
  readonly keeps: number;
  readonly replays: { group: number; replay: Replay }[];
}

/** A pass over some frames, and how far it has come. */
export interface SomeFrames {
  readonly pass: SubPass;
  readonly source: StoredFrames;
}

/**
 * Finds out what is asked about a capture that was read, by reading the frames again that the answer rests on. It goes
 * with the reading that found these frames.
 */
export class Again {
  /** The capture is read anew: nothing of this counts any more. */
  over = false;
  private readonly trees: Purpose = { asked: 0, keeps: REPLAYS.trees, replays: [] };
  private readonly lines: Purpose = { asked: 0, keeps: REPLAYS.lines, replays: [] };
  /** Rows whose conversation is followed: all of it is read then, and nothing that is half read is of use. */
  private readonly followed: Purpose = { asked: 0, keeps: 0, replays: [] };
  /** Replays that were let go of. */
  private letGo = 0;

  constructor(
    private readonly viewed: ViewedCapture,
    private readonly capture: Capture,
    private readonly frames: Frames,
    private readonly rows: Rows,
    private readonly options: PassOptions,
  ) {}

  /** A pass over the frames that a test takes; its decryptors are its own. */
  some(takes: FrameTest, changes: Partial<PassOptions>, give: (row: Row) => boolean | undefined): SomeFrames {
    const { viewed, frames, capture } = this;
    const source = new StoredFrames(frames, capture, takes);
    const options = { ...this.options, ...BARE, ...changes, ...viewed.keys() };
    return { source, pass: new SubPass(viewed.registry, options, frames, source, give) };
  }

  /** Runs a pass over the frames that there are now. @throws Superseded where the capture is read anew meanwhile */
  private async run({ pass, source }: SomeFrames, enough: () => boolean = () => false): Promise<void> {
    const until = this.frames.count;
    const slices = new Slices();
    while (!enough() && source.at < until && pass.more()) {
      await slices.between();
      if (this.over) throw new Superseded('the capture is being read again');
    }
  }

  /** The number of a row that is read again. */
  private numberOf({ outer, inner }: Row): number {
    return this.rows.byOrdinal(outer.ordinal, inner);
  }

  /**
   * The frames that the rows of some tunnels rest on, with the last of all: rows that the end of the capture sets free are
   * its rows. All frames where no tunnels are named.
   */
  framesOf(tunnels: readonly number[] | null | undefined): FrameTest {
    if (tunnels == null || tunnels.includes(0)) return everyFrame;
    const { frames } = this;
    const wanted = new Set(tunnels);
    return (ordinal) =>
      wanted.has(frames.tunnels.get(frames.connection(ordinal)) ?? -1) || ordinal === frames.count - 1;
  }

  /** The tunnels that rows ran through; 0 among them: some ran through none. */
  private tunnelsOf(rows: Iterable<number>): number[] {
    const tunnels = new Set<number>();
    for (const row of rows) tunnels.add(this.rows.tunnel(row));
    return [...tunnels];
  }

  /** Which frames the tree of a row rests on: those of its connection (its number), the rest (0), or all (-1). */
  private groupOf(row: number): number {
    const { frames, rows } = this;
    const connection = frames.connection(rows.ordinal(row));
    const tunnel = frames.tunnels.get(connection);
    if (rows.inner(row) > 0 && tunnel !== rows.tunnel(row)) return -1; // set free by the end of the capture
    return tunnel === undefined ? 0 : connection;
  }

  private takes(group: number): FrameTest {
    const { frames } = this;
    if (group < 0) return everyFrame;
    if (group > 0) return (ordinal) => frames.connection(ordinal) === group;
    return (ordinal) => !frames.tunnels.has(frames.connection(ordinal));
  }

  /** The tree and the octets of a row. @throws Superseded where another row is asked for meanwhile */
  async detail(row: number): Promise<Detail> {
    const { found } = await this.row(row, this.trees);
    return detailOf(found(), row);
  }

  /** What rows have in columns. @throws Superseded where others are asked for meanwhile */
  async values(
    { rows, frames }: ValuesRequest,
    columns: readonly (References | null)[],
    hindsight: Hindsight | undefined,
  ): Promise<readonly RowValues[]> {
    const began = performance.now();
    // Those of one connection after each other, as they are read.
    const order = rows.map((row) => ({ row, group: this.groupOf(row) }));
    order.sort((a, b) => a.group - b.group || a.row - b.row);
    const out: RowValues[] = [];
    for (const { row } of order) {
      if (out.length > 0 && performance.now() - began > MOMENT) break;
      const { replay, found: dissect } = await this.row(row, this.lines);
      const frame = frames ? replay.dissect(this.rows.ordinal(row), 0) : undefined;
      const look = frame === undefined ? undefined : frameLook(frame);
      const texts = columns.length === 0 ? [] : cellsOfRow(known(frame ?? dissect(), hindsight), columns);
      out.push({ row, texts, ...(look !== undefined && { frame: look }) });
    }
    return out;
  }

  /** Reads up to a row; `found` dissects it. */
  private async row(row: number, purpose: Purpose): Promise<{ replay: Replay; found: () => Row }> {
    const asked = ++purpose.asked;
    const ordinal = this.rows.ordinal(row);
    const group = this.groupOf(row);
    const replay = this.replayOf(group, ordinal, purpose);
    const slices = new Slices();
    while (!replay.has(ordinal) && replay.reached <= ordinal && replay.more()) {
      await slices.between();
      if (asked !== purpose.asked || this.over) throw new Superseded('a newer row was asked for');
    }
    if (group < 0) replay.finish();
    const found = (): Row => {
      const r = replay.dissect(ordinal, this.rows.inner(row));
      if (r === undefined) throw new Error(`row ${this.rows.id(row)} cannot be read again`);
      return r;
    };
    return { replay, found };
  }

  /** A replay that has the frame or has not come so far yet. */
  private replayOf(group: number, ordinal: number, { replays, keeps }: Purpose): Replay {
    const { viewed, frames, capture } = this;
    const i = replays.findIndex((r) => r.group === group && (r.replay.has(ordinal) || r.replay.reached <= ordinal));
    if (i >= 0 && group >= 0) {
      const [found] = replays.splice(i, 1);
      replays.push(found);
      return found.replay;
    }
    const options = { ...this.options, labels: true, fields: null, ...viewed.keys() };
    const replay = new Replay(viewed.registry, options, frames, capture, this.takes(group));
    replays.push({ group, replay });
    if (replays.length > keeps) {
      replays.shift();
      if (++this.letGo % LET_GO === 0) viewed.collect();
    }
    return replay;
  }

  /** The report of the frames that there are now; null where nobody wants it any more. */
  async report(unwanted: () => boolean): Promise<Report | null> {
    this.shelf?.close();
    this.shelf = new ReportShelf();
    const sources = await this.retold(this.model(this.shelf), false, unwanted);
    return sources && this.viewed.report(sources);
  }

  /**
   * The same with pseudonyms: sentences get them while packets are read, so those of a report that was made are of no use.
   * `whole`: the capture was read to its end.
   */
  async redactedReport(whole: boolean, watch: Watch): Promise<Report> {
    const names = new Pseudonyms();
    const shelf = new ReportShelf();
    const model = this.model(shelf);
    model.tell = names.tell;
    try {
      const sources = await this.retold(model, whole, this.unwanted(watch));
      if (sources === null) throw new Stopped();
      return this.viewed.report(sources, names);
    } finally {
      shelf.close();
      this.viewed.collect();
    }
  }

  /** Says whether something is not wanted any more; asked with the frame that was reached, it tells how far that is. */
  private unwanted({ progress, signal }: Watch): (at: number) => boolean {
    const until = Math.max(1, this.frames.count);
    let next = 0;
    return (at) => {
      if (performance.now() >= next) {
        progress(at / until);
        next = performance.now() + EVERY_MS;
      }
      return signal.aborted;
    };
  }

  private model(shelf: ReportShelf): SessionModel {
    const { subscribers, issuers } = this.viewed;
    const model = new SessionModel(undefined, subscribers, shelf);
    model.issuers = issuers;
    return model;
  }

  /**
   * Tells a model of the frames that there are now; `whole`: of the end of the capture, too. Null where nobody wants it any
   * more, which is asked with the frame that was reached.
   */
  private async retold(
    model: SessionModel,
    whole: boolean,
    unwanted: (at: number) => boolean,
  ): Promise<ReportSources | null> {
    const { viewed, capture } = this;
    const tap = new SessionTap(model, viewed.registry, viewed.names.length > 1);
    const some = this.some(everyFrame, { rows: 'none', fields: [], tap }, () => undefined);
    const { pass, source } = some;
    pass.reads(capture.files);
    await this.run(some, () => unwanted(source.at));
    if (unwanted(source.at)) return null;
    if (whole) pass.finish();
    tap.finish();
    const { files, damage } = capture;
    return { model, tap, files, damage: whole ? damage : [], limits: pass.index.ledger.limits };
  }

  /** What waits there is read by the last report. */
  private shelf: ReportShelf | undefined;

  /** Ends the passes that go on, and the last report of them. */
  close(): void {
    this.over = true;
    this.shelf?.close();
  }

  /** What the sides of the conversation of a row sent, or the envelopes of its tunnel: also where a carried packet has no ports. */
  async follow(row: number, wanted: 'payload' | 'envelopes'): Promise<FollowedStream> {
    const { viewed, rows } = this;
    const fields = FOLLOW_FIELDS.flatMap((name) => [...viewed.registry.byName(name)]);
    const conversation = wanted === 'payload' ? await this.conversationOf(row) : null;
    const what = conversation === null && rows.tunnel(row) > 0 ? 'envelopes' : wanted;
    const follower = new Follower(what, conversation, rows.tunnel(row));
    const some = this.some(this.takes(this.groupOf(row)), { fields, analyseTcp: true }, (r) => {
      follower.take(r, this.numberOf(r), endpoints(r));
      return follower.full ? false : undefined;
    });
    await this.run(some, () => follower.full);
    return follower.end();
  }

  /** The innermost flow of a row. */
  private async conversationOf(row: number): Promise<Conversation | null> {
    const { found } = await this.row(row, this.followed);
    return Follower.of(found());
  }

  /** Writes rows to a file; returns how many packets. What is stopped, or fails, leaves no file. */
  async write(request: WriteRequest, watch?: Watch): Promise<number> {
    const file = this.viewed.file(request);
    const wanted = request.rows === undefined ? null : new Set(request.rows);
    const some = this.some(this.framesOf(wanted && this.tunnelsOf(wanted)), file.options, (r) => {
      if (wanted === null || wanted.has(this.numberOf(r))) file.take(r);
      return undefined;
    });
    const unwanted = watch === undefined ? () => false : this.unwanted(watch);
    try {
      await this.run(some, () => unwanted(some.source.at));
      if (unwanted(some.source.at)) throw new Stopped();
      some.pass.finish();
      return file.end();
    } catch (e) {
      file.abandon();
      throw e;
    }
  }
}
