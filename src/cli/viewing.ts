import { existsSync } from 'node:fs';
import type { GrowingReader } from '../capture/growing.js';
import { openCapture, openGrowing } from '../capture/open.js';
import type { Capture } from '../capture/source.js';
import type { Pseudonyms } from '../report/redact.js';
import { type Report, redactedReportOf, reportOf } from '../report/report.js';
import { type KeySource, SessionCache } from '../tls/index.js';
import type { PassKeys, ReportSources, RowFile, ViewedCapture } from '../viewer/viewed-capture.js';
import type { Reopen, WriteRequest } from '../viewer/viewer.js';
import { reportOptions } from './commands/report.js';
import { closeGaps, closeMoreGaps, collect } from './engine-thread.js';
import { FrameFile } from './frame-file.js';
import { InnerFile } from './inner-file.js';
import { JsonFile } from './json-file.js';
import { KeyLogTail } from './key-log-tail.js';
import { keyLines, sidecars, wantKeys } from './keys.js';
import type { ReadOptions } from './options.js';
import { Reading } from './reading.js';
import { tlsServices } from './services.js';
import { version } from './version.js';

/** The captures that the screens show, as the command line names them. */
export class Viewing implements ViewedCapture {
  private readonly cache = new SessionCache();
  /** What a capture that grows says of itself; saved, it says so again. */
  private comment = '';

  private constructor(
    private readonly captures: readonly string[],
    private readonly o: ReadOptions,
    private readonly reading: Reading,
    private readonly growing: GrowingFollowed | undefined,
  ) {}

  /**
   * Gathers the keys. Key logs beside a capture that grows may grow, too, and need not be there yet.
   * @throws UserError
   */
  static async of(captures: readonly string[], o: ReadOptions, growing?: GrowingReader): Promise<Viewing> {
    return Viewing.with(captures, o, growing && { reader: growing, tails: tailsOf(captures, o), learned: [] });
  }

  private static async with(
    captures: readonly string[],
    o: ReadOptions,
    growing: GrowingFollowed | undefined,
  ): Promise<Viewing> {
    const keylog = growing === undefined ? o.keylog : o.keylog?.filter((path) => existsSync(path));
    const reading = new Reading(captures, { ...o, ...(keylog && { keylog }), quiet: true });
    await reading.prepare(false);
    reading.keys.esp.growing = true; // challenges may carry keys
    for (const text of growing?.learned ?? []) reading.keys.text(text, 'dsb', 'Decryption Secrets Block');
    const viewing = new Viewing(captures, o, reading, growing);
    for (const file of o.handshakeFrom ?? []) await reading.lend(file, viewing.keys());
    return viewing;
  }

  get registry() {
    return this.reading.registry;
  }
  get names(): readonly string[] {
    return this.reading.names;
  }
  get grows(): boolean {
    return this.growing !== undefined || this.names.includes('-');
  }

  async open(): Promise<Capture> {
    const { growing } = this;
    if (growing === undefined) return openCapture(this.names, { spool: true });
    const capture = await openGrowing(growing.reader, { spool: true });
    this.comment = capture.files[0].comments.join('\n');
    return capture;
  }

  learn(keyLog: string): void {
    const { growing, reading } = this;
    if (growing === undefined) reading.keys.log.add(keyLog, 'dsb');
    else {
      growing.learned.push(keyLog);
      reading.keys.text(keyLog, 'dsb', 'Decryption Secrets Block');
    }
  }

  moreKeys(): string {
    let all = '';
    for (const { tail, source, path } of this.growing?.tails ?? []) {
      const text = Buffer.from(tail.more()).toString('latin1');
      if (text === '') continue;
      this.reading.keys.text(text, source, path);
      all += text;
    }
    return all;
  }

  keys(): PassKeys {
    const { keys } = this.reading;
    return tlsServices(keys.log, this.o.verifyAll === true, keys.esp, this.cache);
  }

  get issuers(): readonly string[] {
    return this.o.eftfIssuer ?? [];
  }

  get subscribers() {
    return this.reading.keys.subscribers;
  }

  keyState(): { lines: number; used: number; sources: string[]; warnings: readonly string[] } {
    const { log, warnings } = this.reading.keys;
    const { lines: used, sources } = log.served;
    return { lines: log.length, used, sources, warnings };
  }

  collect(): void {
    collect();
    closeGaps();
  }

  report({ model, tap, files, damage, limits }: ReportSources, names?: Pseudonyms): Report {
    // Pseudonyms are given in the order of the report: nothing may be told before.
    if (names === undefined) model.shelve();
    collect(); // before there is the report as well as what reading left
    closeMoreGaps();
    const { o, reading } = this;
    const parts = {
      generator: { name: 'fttscope', version: version() },
      options: reportOptions(names === undefined ? o : { ...o, redact: true }),
      files,
      damage,
      limits: [...limits, ...reading.keyLimits, ...this.cache.limits],
      tap,
    };
    return names === undefined ? reportOf(model, parts) : redactedReportOf(model, parts, names);
  }

  file(request: WriteRequest): RowFile {
    const { inputs, keys } = this.reading;
    if (request.what === 'json') return new JsonFile(request.path, inputs);
    const file =
      request.what === 'inner'
        ? new InnerFile(request.path, inputs)
        : new FrameFile(request.path, inputs, this.comment);
    if (request.withKeys) file.secrets(keyLines(keys.texts));
    return {
      options: { fields: [] },
      take: (row) => file.take(row),
      end: () => {
        file.end();
        return file.count;
      },
      abandon: () => file.abandon(),
    };
  }

  /** @throws UserError, CaptureError for key logs that are of no use */
  async again({ keylog = [], decodeAs = [] }: Reopen): Promise<Viewing> {
    await wantKeys(keylog);
    const { o, growing } = this;
    const more = { keylog: [...keylog, ...(o.keylog ?? [])], decodeAs: [...(o.decodeAs ?? []), ...decodeAs] };
    const options = { ...o, ...more };
    return Viewing.with(this.captures, options, growing && { ...growing, tails: tailsOf(this.captures, options) });
  }
}

/** A capture that grows, and what has come with it. */
interface GrowingFollowed {
  readonly reader: GrowingReader;
  readonly tails: readonly { readonly tail: KeyLogTail; readonly source: KeySource; readonly path: string }[];
  /** Key logs of its Decryption Secrets Blocks so far: a later reading has them from the start. */
  readonly learned: string[];
}

/** Key logs that may grow. What they have now is gathered with all others, so it is passed over here. */
function tailsOf(captures: readonly string[], { keylog = [], autoKeys }: ReadOptions): GrowingFollowed['tails'] {
  const beside = autoKeys
    ? captures
        .filter((name) => name !== '-')
        .flatMap(sidecars)
        .filter((path) => !keylog.includes(path))
    : [];
  const environment = autoKeys ? process.env.SSLKEYLOGFILE : undefined;
  const named = keylog.map((path) => ({ path, source: 'option' as const }));
  const all = [
    ...named,
    ...beside.map((path) => ({ path, source: 'sidecar' as const })),
    ...(environment === undefined ? [] : [{ path: environment, source: 'environment' as const }]),
  ];
  return all.map(({ path, source }) => {
    const tail = new KeyLogTail(path);
    while (tail.more().length > 0);
    return { tail, source, path };
  });
}
