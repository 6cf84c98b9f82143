import { GrowingFile } from '../capture/growing.js';
import { LIMITS } from '../limits.js';
import type { LiveConsole, LiveEvent, LiveStep } from '../tui/live-console.js';
import type { Completion } from '../tui/prompt.js';
import { octets } from '../tui/words.js';
import { Exit, UserError } from './errors.js';
import { Happenings, type LiveRun } from './live-run.js';
import type { LiveOptions, Traces } from './live-settings.js';
import { hasTerminal } from './screens.js';

/** Lines that tell of something that went wrong. */
const WRONG = /\b(fail(ed|s)|refused|reset|truncation|broke|gone|cut off|no answer|cannot|is written no more)\b/;

/** What the runs of both ends of a tunnel have in common: the file that the screens follow, and what happened. */
export abstract class LiveEnd implements LiveRun, LiveConsole {
  abstract readonly title: string;
  abstract readonly state: string;
  abstract readonly steps: readonly LiveStep[];
  abstract readonly figures: readonly string[];
  abstract readonly faults: readonly string[];
  abstract readonly verbs: readonly { readonly name: string; readonly words: string }[];
  protected readonly happenings = new Happenings(() => this.watch());
  protected readonly file: GrowingFile;
  private isFull = false;
  /** Octets of the run when all of it was saved. */
  private savedAt = 0;
  private isOver = false;

  /** @param name what the title calls it @throws UserError where there is no terminal */
  constructor(
    name: string,
    protected readonly o: LiveOptions,
  ) {
    if (!hasTerminal()) throw new UserError('--ui: there is no terminal', Exit.usage, 'without it there is a console');
    if (o.write === '-') throw new UserError('--ui and -w -: standard output is the terminal');
    this.file = new GrowingFile(name, LIMITS.spoolOctets);
  }

  /** What the run is written to. */
  protected abstract readonly traces: Traces;

  get console(): LiveConsole {
    return this;
  }
  get reader() {
    return this.file.reader;
  }
  get events(): readonly LiveEvent[] {
    return this.happenings.events;
  }
  onChange(listener: () => void): void {
    this.happenings.onChange(listener);
  }

  /** Tells a line. */
  protected readonly say = (words: string): void => this.happenings.note(words, WRONG.test(words) ? 'warn' : 'note');

  /** The file of the screens stays within its bound. */
  private watch(): void {
    if (this.isFull || this.isOver || this.file.written <= LIMITS.spoolOctets) return;
    this.isFull = true;
    this.traces.tape?.leave(this.file.reader.fd);
    this.file.end();
    this.happenings.note(`the screens show no more packets: ${octets(LIMITS.spoolOctets)} are kept`, 'error');
  }

  /** Whether packets may still come. */
  protected abstract readonly goesOn: string | undefined;

  get unsaved(): string | undefined {
    if (this.goesOn !== undefined) return this.goesOn;
    const saved = this.o.write !== undefined || this.file.written <= this.savedAt;
    return saved || this.isOver ? undefined : 'The run is not saved';
  }

  saved(): void {
    this.savedAt = this.file.written;
  }

  abstract complete(text: string): Completion | undefined;
  abstract type(line: string): Promise<string | undefined>;

  stop(): string | undefined {
    return undefined;
  }

  /** Ends what runs. */
  protected abstract close(): Promise<number>;

  async end(): Promise<number> {
    const code = await this.close();
    this.isOver = true;
    this.happenings.stop();
    this.file.close();
    return code;
  }
}

/** Words that go on from the last word of a line. */
export function goOn(text: string, words: readonly { readonly text: string; readonly note?: string }[]): Completion {
  const from = text.lastIndexOf(' ') + 1;
  const typed = text.slice(from);
  return { from, words: words.filter((w) => w.text.startsWith(typed)) };
}
