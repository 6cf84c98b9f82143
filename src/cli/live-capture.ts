import { devNull } from 'node:os';
import { CaptureError } from '../capture/errors.js';
import { GrowingFile } from '../capture/growing.js';
import { u32le } from '../kit/bytes.js';
import { LIMITS } from '../limits.js';
import { BLOCK, statisticsOf } from '../live/capture-blocks.js';
import { CaptureFiles } from '../live/capture-files.js';
import { CannotCapture, type Capturing, startCapture } from '../live/capture-source.js';
import type { LiveConsole, LiveStep } from '../tui/live-console.js';
import { count, octets, plural } from '../tui/words.js';
import { boundsOf, type CaptureCommandOptions, keysCut } from './commands/capture.js';
import { traffic } from './commands/interfaces.js';
import { Exit, UserError } from './errors.js';
import { KeyLogTail } from './key-log-tail.js';
import { NothingYet } from './live-nothing.js';
import { clockOf, Happenings, type LiveRun, Rates } from './live-run.js';
import type { ScreenOptions } from './options.js';
import { hasTerminal } from './screens.js';
import { version } from './version.js';

const BUFFER = 256 << 10;
const FLUSH_MS = 50;

/** What came on one interface. */
interface Seen {
  packets: number;
  dropped: number;
}

/** A capture that is looked at while it goes on. With `-w` it is written as well, as without the screens. */
export class LiveCapture implements LiveRun, LiveConsole {
  readonly title: string;
  readonly verbs = [{ name: 'stop', words: 'stop capturing; what was captured stays' }];
  readonly faults: readonly string[] = [];
  private readonly happenings = new Happenings(() => this.watch());
  private readonly file: GrowingFile;
  private readonly files: CaptureFiles;
  private readonly keyLogs: KeyLogTail[];
  private readonly seen: Seen[];
  private readonly rates = new Rates();
  /** Interfaces that the kernel keeps an account of. */
  private readonly known = new Set(traffic().keys());
  private readonly buf = new Uint8Array(BUFFER);
  private used = 0;
  private capturing: Capturing | undefined;
  private finished: Promise<void> = Promise.resolve();
  private packets = 0;
  private octets = 0;
  private endedAfter: number | undefined;
  private why = '';
  private isSaved = false;
  /** What is captured can be written no more. */
  private isLost = false;

  private constructor(private readonly o: CaptureCommandOptions) {
    const names = o.interface.map((i) => i.device).join(', ');
    const filters = [...new Set(o.interface.map((i) => i.filter))].filter((f) => f !== '');
    this.title = `capture on ${names}${filters.length > 0 ? ` (${filters.join('; ')})` : ''}`;
    const { stop, ring } = boundsOf(o);
    this.seen = o.interface.map(() => ({ packets: 0, dropped: 0 }));
    this.keyLogs = o.withKeys && o.write !== undefined ? (o.keylog ?? []).map((path) => new KeyLogTail(path)) : [];
    this.file = new GrowingFile(names, LIMITS.spoolOctets);
    this.files = new CaptureFiles({
      target: o.write ?? devNull,
      stop,
      ...(ring && { ring }),
      onCut: (n) => this.happenings.note(keysCut(n), 'warn'),
      onStop: (why) => {
        this.why = why;
        this.capturing?.stop();
      },
    });
  }

  /** Begins to capture. @param gone nobody wants it any more @throws UserError in words where that is not possible */
  static async start(o: CaptureCommandOptions, gone?: AbortSignal): Promise<LiveCapture> {
    const run = new LiveCapture(o);
    try {
      await run.begun(gone);
    } catch (e) {
      run.happenings.stop();
      run.files.end();
      run.file.close();
      if (!(e instanceof CannotCapture)) throw e;
      throw new UserError(e.message, Exit.usage, e.hint);
    }
    return run;
  }

  private async begun(gone: AbortSignal | undefined): Promise<void> {
    const { interface: interfaces, snaplen, bufferSize: bufferMiB, promiscuous, backend } = this.o;
    const application = `fttscope ${version()}`;
    const options = { interfaces, snaplen, bufferMiB, promiscuous, backend, application };
    const capturing = await startCapture(options, (block, type) => this.take(block, type), gone);
    this.capturing = capturing;
    if (this.why !== '' || this.isLost) capturing.stop();
    this.happenings.note(`capturing by ${capturing.backend === 'pcap' ? 'libpcap' : 'dumpcap'}`);
    const tick = setInterval(() => this.tick(), FLUSH_MS);
    this.finished = capturing.ended.then(
      () => this.finish(tick, this.why === '' ? 'capturing was stopped' : `capturing has ended: ${this.why}`),
      (e: Error) => this.finish(tick, e.message, e instanceof CannotCapture ? e.hint : ''),
    );
  }

  get console(): LiveConsole {
    return this;
  }
  get reader() {
    return this.file.reader;
  }

  private take(block: Uint8Array, type: number): void {
    this.write(() => this.files.add(block, type));
    if (type === BLOCK.packet) {
      const of = this.seen[u32le(block, 8)];
      if (of !== undefined) of.packets++;
      this.packets++;
      this.octets += u32le(block, 20);
    } else if (type === BLOCK.statistics) this.statistics(block);
    if (this.used + block.length > BUFFER) this.flush();
    if (block.length > BUFFER) this.keep(block);
    else {
      this.buf.set(block, this.used);
      this.used += block.length;
    }
  }

  /** Drops are told when they happen: what is missing explains much. */
  private statistics(block: Uint8Array): void {
    const i = u32le(block, 8);
    const of = this.seen[i];
    const { dropped = 0 } = statisticsOf(block) ?? {};
    if (of === undefined || dropped <= of.dropped) return;
    const more = dropped - of.dropped;
    of.dropped = dropped;
    const device = this.o.interface[i].device;
    this.happenings.note(
      `${device}: ${plural(more, 'packet was', 'packets were')} dropped; -B gives more buffer, -f and -s make less work`,
      'warn',
    );
  }

  private flush(): void {
    const n = this.used;
    this.used = 0;
    if (n > 0) this.keep(this.buf.subarray(0, n));
  }

  /** Looks at what changes without a packet: libpcap does not say that an interface is gone. */
  private watch(): void {
    this.rates.of([this.packets, this.octets]);
    const there = traffic();
    const gone = this.o.interface.find(({ device }) => this.known.has(device) && !there.has(device));
    if (gone === undefined || this.endedAfter !== undefined || this.why !== '') return;
    this.why = `the interface ${gone.device} is gone`;
    this.happenings.note(this.why, 'error');
    this.capturing?.stop();
  }

  private keep(part: Uint8Array): void {
    const before = this.file.stopped;
    if (this.file.add(part) || before !== undefined || this.file.stopped === undefined) return;
    const goesOn = this.o.write === undefined ? '' : `; ${this.o.write} goes on`;
    this.happenings.note(`the screens show no more: ${this.file.stopped}${goesOn}`, 'error');
    if (this.o.write === undefined) this.capturing?.stop();
  }

  private tick(): void {
    this.write(() => {
      for (const log of this.keyLogs) {
        const lines = log.more();
        if (lines.length > 0) this.files.keys(lines);
      }
      this.files.tick();
    });
    this.flush();
  }

  /** Writes files; where that fails the capture ends, and what came stays on the screens. */
  private write(act: () => void): void {
    if (this.isLost) return;
    try {
      act();
    } catch (e) {
      if (!(e instanceof CaptureError)) throw e;
      this.isLost = true;
      this.happenings.note(e.message, 'error');
      this.capturing?.stop();
      try {
        this.files.end();
      } catch {
        // it is closed nevertheless
      }
    }
  }

  private finish(tick: NodeJS.Timeout, words: string, wrong?: string): void {
    clearInterval(tick);
    this.tick();
    this.file.end();
    this.write(() => this.files.end());
    this.endedAfter = Date.now() - this.happenings.since;
    this.happenings.note(words, wrong === undefined ? 'note' : 'error');
    if (wrong) this.happenings.note(wrong);
    this.happenings.stop();
  }

  get events() {
    return this.happenings.events;
  }
  onChange(listener: () => void): void {
    this.happenings.onChange(listener);
  }

  get state(): string {
    if (this.endedAfter !== undefined) return `STOPPED after ${clockOf(this.endedAfter)}`;
    return `CAPTURING ${clockOf(Date.now() - this.happenings.since)}`;
  }

  get steps(): readonly LiveStep[] {
    return this.o.interface.map(({ device }, i): LiveStep => {
      const { packets, dropped } = this.seen[i];
      const state = dropped > 0 ? 'failed' : this.endedAfter === undefined ? 'runs' : 'ok';
      return {
        name: device,
        state,
        text: `${plural(packets, 'packet')}${dropped > 0 ? `, ${count(dropped)} dropped` : ''}`,
      };
    });
  }

  get figures(): readonly string[] {
    const [packets, size] = this.endedAfter === undefined ? this.rates.of([this.packets, this.octets]) : [0, 0];
    const dropped = this.seen.reduce((n, s) => n + s.dropped, 0);
    const now = this.endedAfter === undefined ? `   now ${count(Math.round(packets))}/s  ${octets(size)}/s` : '';
    const { write, ring } = this.o;
    const at =
      ring === undefined ? write : `${this.files.paths.at(-1)} (${plural(this.files.paths.length, 'file')} of a ring)`;
    return [
      `${plural(this.packets, 'packet')}  ${octets(this.octets)}  ${count(dropped)} dropped${now}`,
      write === undefined ? 'kept until the program ends; w writes it to a file' : `writing ${at}`,
    ];
  }

  get over(): boolean {
    return this.endedAfter !== undefined;
  }

  get unsaved(): string | undefined {
    if (this.endedAfter === undefined) return 'The capture goes on';
    return this.o.write !== undefined || this.isSaved || this.packets === 0
      ? undefined
      : 'What was captured is not saved';
  }

  saved(): void {
    if (this.endedAfter !== undefined) this.isSaved = true;
  }

  async type(line: string): Promise<string | undefined> {
    if (line !== 'stop') throw new Error('there is one verb: stop');
    return this.stop() ?? 'nothing is captured any more';
  }

  stop(): string | undefined {
    if (this.endedAfter !== undefined) return undefined;
    this.capturing?.stop();
    return 'capturing was stopped';
  }

  async halt(): Promise<void> {
    this.stop();
    await this.finished;
  }

  async end(): Promise<number> {
    await this.halt();
    this.file.close();
    return this.isLost ? Exit.input : Exit.done;
  }
}

/** `fttscope capture` on screens; without an interface one is chosen there. Returns the exit code. @throws UserError */
export async function captureOnScreens(o: CaptureCommandOptions, rows: Partial<ScreenOptions>): Promise<number> {
  if (!hasTerminal()) throw new UserError('--ui: there is no terminal', Exit.usage, '-w FILE writes without one');
  if (o.write === '-') throw new UserError('--ui and -w -: standard output is the terminal');
  const run = o.interface.length === 0 ? new NothingYet('capture') : await LiveCapture.start(o);
  const { watch } = await import('./commands/ui.js');
  return watch(run, { ...rows, autoKeys: true, ...(o.keylog && { keylog: o.keylog }) });
}
