import { openCapture } from '../capture/open.js';
import type { Capture } from '../capture/source.js';
import type { Report } from '../report/report.js';
import { reportOf } from '../report/report.js';
import { SessionCache } from '../tls/index.js';
import type { PassKeys, ReportSources, RowFile, ViewedCapture } from '../viewer/viewed-capture.js';
import type { Reopen, WriteRequest } from '../viewer/viewer.js';
import { reportOptions } from './commands/report.js';
import { FrameFile } from './frame-file.js';
import { InnerFile } from './inner-file.js';
import { keyLines } from './keys.js';
import type { ReadOptions } from './options.js';
import { Reading } from './reading.js';
import { tlsServices } from './services.js';
import { version } from './version.js';

/** The captures that the screens show, as the command line names them. */
export class Viewing implements ViewedCapture {
  private readonly cache = new SessionCache();

  private constructor(
    private readonly captures: readonly string[],
    private readonly o: ReadOptions,
    private readonly reading: Reading,
  ) {}

  /** Gathers the keys. @throws UserError */
  static async of(captures: readonly string[], o: ReadOptions): Promise<Viewing> {
    const reading = new Reading(captures, { ...o, quiet: true });
    await reading.prepare(false);
    const viewing = new Viewing(captures, o, reading);
    for (const file of o.handshakeFrom ?? []) await reading.lend(file, viewing.keys());
    return viewing;
  }

  get registry() {
    return this.reading.registry;
  }
  get names(): readonly string[] {
    return this.reading.names;
  }

  open(): Promise<Capture> {
    return openCapture(this.names, { spool: true });
  }

  keys(): PassKeys {
    const { keys } = this.reading;
    return tlsServices(keys.log, this.o.verifyAll === true, keys.esp, this.cache);
  }

  keyState(): { lines: number; used: number; sources: string[]; warnings: readonly string[] } {
    const { log, warnings } = this.reading.keys;
    const { lines: used, sources } = log.served;
    return { lines: log.length, used, sources, warnings };
  }

  report({ model, tap, files, damage, limits }: ReportSources): Report {
    return reportOf(model, {
      generator: { name: 'fttscope', version: version() },
      options: reportOptions(this.o),
      files,
      damage,
      limits,
      tap,
    });
  }

  file(request: WriteRequest): RowFile {
    const { names, keys } = this.reading;
    const file = request.what === 'inner' ? new InnerFile(request.path, names) : new FrameFile(request.path, names);
    if (request.withKeys) file.secrets(keyLines(keys.texts));
    return {
      fields: [],
      take: (row) => file.take(row),
      end: () => {
        file.end();
        return file.count;
      },
    };
  }

  again({ keylog = [], decodeAs = [] }: Reopen): Promise<Viewing> {
    const { o } = this;
    const more = { keylog: [...keylog, ...(o.keylog ?? [])], decodeAs: [...(o.decodeAs ?? []), ...decodeAs] };
    return Viewing.of(this.captures, { ...o, ...more });
  }
}
