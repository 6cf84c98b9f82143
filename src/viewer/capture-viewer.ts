import { TCP } from '../../dissectors/numbers.js';
import type { Capture } from '../capture/source.js';
import type { PassOptions } from '../engine/pass.js';
import { SessionTap } from '../engine/session-tap.js';
import { compile, FilterError } from '../filter/index.js';
import { counted } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import type { CallsOver } from '../model/archive.js';
import { SessionModel } from '../model/session-model.js';
import { LINK_FIELDS } from '../report/columns.js';
import { Dialogs } from '../report/dialogs.js';
import type { Report } from '../report/report.js';
import { ReportShelf } from '../report/report-shelf.js';
import { limitSentence } from '../report/report-words.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { Again } from './again.js';
import { FirstPass } from './first-pass.js';
import { Frames } from './frames.js';
import { fileStatus, glances } from './glance.js';
import { KnownAtEnd } from './known-at-end.js';
import { LateKeys } from './late-keys.js';
import { Rows, type RowsAdded } from './rows.js';
import { RowsWriter } from './rows-writer.js';
import { Selected } from './selected.js';
import { ColumnTest, FilterSink, filterOptions, selectByColumns } from './selecting.js';
import { breath, Slices } from './slices.js';
import { type Story, storyOf } from './story.js';
import { columnsOf } from './values.js';
import type { ViewedCapture } from './viewed-capture.js';
import {
  type Choice,
  type Detail,
  type FollowedStream,
  NOTHING_READ,
  type Reopen,
  type RowValues,
  type ValuesRequest,
  type Viewer,
  type ViewerStatus,
  type Watch,
  type WriteRequest,
} from './viewer.js';

/** Milliseconds between two accounts of how far reading is. */
const EVERY_MS = 50;
/** Calls that are told of at a time. */
const MOST_OVER = 256;

/** Gets what is added to the rows, with how far reading is; `anew`: what was there before is gone. */
export type Added = (added: RowsAdded, status: ViewerStatus, anew: boolean) => void;

/**
 * Reads captures once, front to back, and keeps columns of every row; what else is asked it finds out by reading the
 * frames again that the answer rests on: those of one connection for a tree, all of them for a filter.
 */
export class CaptureViewer implements Viewer {
  readonly rows = new Rows();
  status: ViewerStatus;
  private frames: Frames;
  private writer: RowsWriter;
  private capture!: Capture;
  private tunnels: readonly Tunnel[] = [];
  /** Caps that were reached. */
  private limits: readonly LimitReached[] = [];
  /** What the report will be made of; null once it is. */
  private gathered: { readonly model: SessionModel; readonly tap: SessionTap } | null = null;
  /** Where calls that are over wait for the report. */
  private shelf!: ReportShelf;
  private again!: Again;
  private told: Report | null = null;
  private anew = false;
  private readonly listeners: (() => void)[] = [];
  private started = performance.now();
  private stopped = false;
  private ended = false;
  private more: (() => void)[] = [];

  private constructor(
    private viewed: ViewedCapture,
    private readonly onAdded: Added,
  ) {
    this.frames = new Frames(viewed.names.length > 1);
    this.writer = new RowsWriter(this.frames, viewed.names.length > 1);
    this.status = { ...NOTHING_READ, growing: viewed.grows };
  }

  /** Opens captures and begins to read them. @throws CaptureError where one cannot be opened */
  static async open(viewed: ViewedCapture, onAdded: Added = () => undefined): Promise<CaptureViewer> {
    const viewer = new CaptureViewer(viewed, onAdded);
    await viewer.begin();
    return viewer;
  }

  private async begin(): Promise<void> {
    const { viewed, frames, rows } = this;
    const { registry } = viewed;
    const severalFiles = viewed.names.length > 1;
    this.capture = await viewed.open();
    this.shelf = new ReportShelf();
    const model = new SessionModel(undefined, viewed.subscribers, this.shelf);
    model.issuers = viewed.issuers;
    const tap = new SessionTap(model, registry, severalFiles);
    this.gathered = { model, tap };
    const options: PassOptions = {
      ...viewed.keys(),
      rows: 'both',
      fields: LINK_FIELDS.flatMap((name) => [...registry.byName(name)]),
      labels: false,
      experts: true,
      info: true,
      frames: 0,
      heuristicRtp: true,
      analyseTcp: true,
      duplicates: true,
      severalFiles,
    };
    this.again = new Again(viewed, this.capture, frames, rows, options);
    const pass = new FirstPass(registry, { ...options, tap }, (row) => {
      if (row.outer.protocol === TCP && row.outer.tunnel !== null)
        frames.tunnels.set(frames.connection(row.outer.ordinal), row.outer.tunnel.id);
      this.writer.take(row);
      return undefined;
    });
    pass.stored = frames;
    pass.reads(this.capture.files);
    this.tunnels = pass.index.tunnels;
    void this.read(this.again, pass);
  }

  /** Reads to the end. What the pass follows is let go of then. */
  private async read(again: Again, pass: FirstPass): Promise<void> {
    const { capture, frames, viewed } = this;
    const late = new LateKeys(
      viewed,
      () => this.tunnels,
      () => this.publish(),
    );
    this.late = late;
    let next = 0;
    try {
      await breath();
      if (viewed.grows && !again.over) this.publish(); // the first packet may take its time
      for (;;) {
        const chunk = await capture.next();
        if (again.over) return;
        if (chunk === null) break;
        for (const text of chunk.secrets) {
          viewed.learn(text);
          late.note(text);
        }
        late.look();
        frames.take(chunk);
        pass.feed(chunk);
        if (performance.now() >= next) {
          this.publish();
          next = performance.now() + EVERY_MS;
        } else this.publishing ??= setTimeout(() => this.publish(), EVERY_MS); // the next packet may take its time
        await breath();
        if (again.over) return;
        if (this.stopped) break;
      }
      if (!this.stopped) pass.finish();
    } catch (error) {
      this.say('error', error instanceof Error ? error.message : String(error));
    }
    late.end();
    this.ended = true;
    for (const { message } of capture.damage) this.say('error', message);
    this.limits = pass.index.ledger.limits;
    for (const l of this.limits) this.say('warn', limitSentence(l));
    for (const [proto, n] of pass.dissection.faults.counts)
      this.say(
        'error',
        `a fault in fttscope: the dissector of ${proto} failed ${counted(n, 'time')}; the rest is not affected`,
      );
    this.publish();
  }

  private late: LateKeys | undefined;
  private publishing: NodeJS.Timeout | undefined;
  private readonly messages: { severity: 'note' | 'warn' | 'error'; text: string }[] = [];

  /** Warnings about keys among them. */
  private warned = 0;

  private say(severity: 'note' | 'warn' | 'error', text: string): void {
    this.messages.push({ severity, text });
  }

  /** Lets everyone know what there is now. */
  private publish(): void {
    clearTimeout(this.publishing);
    this.publishing = undefined;
    const { capture, viewed } = this;
    const { warnings, ...keys } = viewed.keyState();
    for (; this.warned < warnings.length; this.warned++) this.say('warn', warnings[this.warned]);
    const sizes = capture.files.map((f) => f.size);
    const size = sizes.includes(undefined) ? undefined : sizes.reduce<number>((sum, n) => sum + n!, 0);
    const added = this.writer.added();
    this.rows.add(added);
    this.status = {
      files: capture.files.map(fileStatus),
      frames: this.frames.count,
      rows: this.rows.count,
      read: capture.files.reduce((sum, f) => sum + f.read, 0),
      ...(size !== undefined && { size }),
      done: this.ended,
      cancelled: this.stopped,
      growing: !this.ended && viewed.grows,
      late: this.late?.found ?? false,
      elapsedMs: performance.now() - this.started,
      keys,
      ...glances(this.tunnels),
      messages: [...this.messages],
    };
    this.onAdded(added, this.status, this.anew);
    this.anew = false;
    const { more } = this;
    this.more = [];
    for (const go of more) go();
    for (const listener of this.listeners) listener();
  }

  /** What filters and columns may ask of rows besides what is in them. */
  private readonly known = new KnownAtEnd(
    {
      isEnded: () => this.ended,
      grows: () => !this.ended && this.viewed.grows,
      news: () => this.news(),
      telling: (make) => this.telling(make),
    },
    () => this.viewed.registry,
  );

  /** Resolves when there are more rows than before, or reading has ended. */
  private news(): Promise<void> {
    return new Promise((resolve) => this.more.push(resolve));
  }

  onStatus(listener: () => void): void {
    this.listeners.push(listener);
  }

  check(filter: string): FilterError | null {
    try {
      compile(filter, this.viewed.registry, 'at the end');
      return null;
    } catch (e) {
      if (e instanceof FilterError) return e;
      throw e;
    }
  }

  select(choice: Choice): Selected {
    const s = new Selected(choice, () => undefined);
    void this.fill(s, this.again).catch((e: unknown) => s.fail(e instanceof Error ? e.message : String(e)));
    return s;
  }

  private async fill(s: Selected, again: Again): Promise<void> {
    await breath(); // who asked has to say first where the answer goes
    const test = new ColumnTest(s.choice, this.rows);
    const { filter = '', parties } = s.choice;
    const columnsTell = filter.trim() === '' && parties === undefined;
    const go = columnsTell ? () => selectByColumns(s, test, this.rows) : await this.filtering(s, test, filter, again);
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
      if (again.over) throw new Error('the capture is being read again');
      if (s.done) return;
    }
    s.seen = this.rows.count;
    s.done = true;
    s.tell();
  }

  /** Reads packets again to see whether a filter takes them. */
  private async filtering(s: Selected, test: ColumnTest, text: string, again: Again): Promise<() => boolean> {
    const { rows, viewed } = this;
    const { registry } = viewed;
    const { parties, tunnels } = s.choice;
    const filter = text.trim() === '' ? null : compile(text, registry, 'at the end');
    const dialogs = parties === undefined ? null : new Dialogs(parties, registry);
    const asked = [...(filter?.fields ?? []), ...(dialogs?.fields ?? [])];
    const hindsight = await this.known.of(asked);
    if (again.over) throw new Error('the capture is being read again');
    const sink = new FilterSink(s, filter, dialogs, test, rows);
    const options = filterOptions(asked, hindsight);
    const { pass, source } = again.some(again.framesOf(tunnels), options, sink.take);
    let ended = false;
    let told = false;
    return () => {
      // Only what the rows show already.
      const goesOn = source.at < this.shown && pass.more();
      const { limits = [] } = filter ?? {};
      if (!told) for (const l of limits) this.say('warn', `the filter: ${limitSentence(l)}`);
      told ||= limits.length > 0;
      if (goesOn) return true;
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

  detail(row: number): Promise<Detail> {
    return this.again.detail(row);
  }
  async values(request: ValuesRequest): Promise<readonly RowValues[]> {
    const { again } = this;
    const columns = columnsOf(request.columns, this.viewed.registry);
    return again.values(request, columns, await this.known.of(columns.flatMap((c) => c?.fields ?? [])));
  }
  follow(row: number, what: 'payload' | 'envelopes'): Promise<FollowedStream> {
    return this.again.follow(row, what);
  }
  write(request: WriteRequest, watch?: Watch): Promise<number> {
    return this.again.write(request, watch);
  }

  report(): Promise<Report> {
    return this.telling((report) => report);
  }
  redactedReport(watch: Watch): Promise<Report> {
    return this.again.redactedReport(this.ended && !this.stopped, watch);
  }
  story(): Promise<Story> {
    return this.telling(storyOf);
  }

  async over(from: number): Promise<CallsOver> {
    return this.gathered?.model.over(from, MOST_OVER) ?? { calls: [], next: from };
  }

  /**
   * Makes something of the report, `whole` where it is that of all that there is; one after the other, for it may be
   * read from the shelf.
   */
  telling<T>(make: (report: Report, whole: boolean) => T | Promise<T>): Promise<T> {
    const made = this.busy.then(async () => {
      // A report cannot be asked for twice of one model: the frames so far are read again for another.
      const soFar = this.ended ? null : await this.again.report(() => this.ended);
      const value = await (soFar === null ? make(this.whole(), true) : make(soFar, false));
      this.viewed.collect();
      return value;
    });
    const over = (): void => undefined; // what was made is not kept
    this.busy = made.then(over, over);
    return made;
  }
  private busy: Promise<unknown> = Promise.resolve();

  private whole(): Report {
    if (this.told !== null) return this.told;
    const { limits, capture } = this;
    const { model, tap } = this.gathered!;
    const { files, damage } = capture;
    tap.finish();
    this.told = this.shelf.aside(this.viewed.report({ model, tap, files, damage, limits }));
    this.gathered = null;
    return this.told;
  }

  cancel(): void {
    this.stopped = true;
  }

  async reopen(changes: Reopen): Promise<void> {
    this.viewed = await this.viewed.again(changes);
    this.started = performance.now();
    this.again.over = true;
    await this.busy;
    await this.release();
    this.frames = new Frames(this.viewed.names.length > 1);
    this.writer = new RowsWriter(this.frames, this.viewed.names.length > 1);
    this.rows.clear();
    this.anew = true;
    this.told = null;
    this.known.forget();
    this.messages.length = this.warned = 0;
    this.stopped = this.ended = false;
    await this.begin();
    // Nobody is to take the account of the old reading for that of the new one.
    this.publish();
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.release();
  }

  private release(): Promise<void> {
    clearTimeout(this.publishing);
    this.publishing = undefined;
    this.late?.end();
    this.again.close();
    this.shelf.close();
    return this.capture.close();
  }
}
