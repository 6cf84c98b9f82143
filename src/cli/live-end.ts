import { GrowingFile } from '../capture/growing.js';
import { LIMITS } from '../limits.js';
import { readLine, type Step, type Verbs } from '../live/scenario.js';
import { FAULT_LISTS, isFaultKind, type Kind, kindInWords } from '../live/scenario-values.js';
import type { LiveConsole, LiveEvent, LiveStep } from '../tui/live-console.js';
import type { Completion } from '../tui/prompt.js';
import { octets } from '../tui/words.js';
import { Exit, UserError } from './errors.js';
import { clockOf, Happenings, type LiveRun } from './live-run.js';
import type { LiveOptions, Traces } from './live-settings.js';

/** Lines that tell of something that went wrong. */
const WRONG =
  /\b(fail(ed|s)|refused|reset|truncation|broke|gone|cut off|no answer|nothing came|cannot|is written no more|left out)\b(?!: released)/;

/** The verb that both ends have here and not in scenarios. */
const STOP = { name: 'stop', words: 'release what there is and end; the packets stay to be looked at' };

/** What the runs of both ends of a tunnel have in common: the file that the screens follow, and what happened. */
export abstract class LiveEnd implements LiveRun, LiveConsole {
  abstract readonly title: string;
  abstract readonly steps: readonly LiveStep[];
  abstract readonly figures: readonly string[];
  abstract readonly faults: readonly string[];
  readonly keyed = true;
  protected readonly happenings = new Happenings(() => this.watch());
  protected readonly file: GrowingFile;
  private isFull = false;
  /** Octets of the run when all of it was saved. */
  private savedAt = 0;
  private halting: Promise<void> | undefined;
  private endedAfter: number | undefined;
  private code: number = Exit.done;

  /** @param name what the title calls it @throws UserError */
  constructor(
    name: string,
    protected readonly o: LiveOptions,
  ) {
    if (o.write === '-') throw new UserError('-w -: standard output is the terminal');
    this.file = new GrowingFile(name, LIMITS.spoolOctets);
  }

  /** It could not begin: keeps nothing. */
  protected letGo(): void {
    this.happenings.stop();
    this.file.close();
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

  /** Its verbs, beside the one that ends it. */
  protected abstract readonly own: LiveConsole['verbs'];
  /** How it is while it runs. */
  protected abstract readonly running: string;

  get verbs(): LiveConsole['verbs'] {
    return [...this.own, STOP];
  }
  get state(): string {
    return this.endedAfter === undefined ? this.running : `STOPPED after ${clockOf(this.endedAfter)}`;
  }
  get over(): boolean {
    return this.halting !== undefined;
  }

  /** Tells a line. */
  protected readonly say = (words: string): void => this.happenings.note(words, WRONG.test(words) ? 'warn' : 'note');

  /** The file of the screens stays within its bound. */
  private watch(): void {
    if (this.isFull || this.over || this.file.written <= LIMITS.spoolOctets) return;
    this.isFull = true;
    this.traces.tape?.leave(this.file.reader.fd);
    this.file.end();
    this.happenings.note(`the screens show no more packets: ${octets(LIMITS.spoolOctets)} are kept`, 'error');
  }

  /** Whether packets may still come. */
  protected abstract readonly goesOn: string | undefined;

  get unsaved(): string | undefined {
    if (this.goesOn !== undefined && !this.over) return this.goesOn;
    const saved = this.o.write !== undefined || this.file.written <= this.savedAt;
    return saved ? undefined : 'The run is not saved';
  }

  saved(): void {
    this.savedAt = this.file.written;
  }

  abstract complete(text: string): Completion | undefined;

  async type(line: string): Promise<string | undefined> {
    if (this.over) throw new Error('it was stopped; its packets are there still');
    if (line.trim() === STOP.name) return this.stop();
    this.happenings.note(`> ${line}`);
    return this.perform(line);
  }

  /** Does a verb. @throws Error in words */
  protected abstract perform(line: string): Promise<string | undefined>;

  stop(): string | undefined {
    if (this.over) return undefined;
    void this.halt();
    return `the ${this.title} is stopped`;
  }

  /** Ends what runs; returns the exit code. */
  protected abstract close(): Promise<number>;

  halt(): Promise<void> {
    this.halting ??= this.finish();
    return this.halting;
  }

  private async finish(): Promise<void> {
    this.code = await this.close();
    this.endedAfter = Date.now() - this.happenings.since;
    this.file.end();
    this.say('stopped; its packets stay until something else is shown');
    this.happenings.stop();
  }

  async end(): Promise<number> {
    await this.halt();
    this.file.close();
    return this.code;
  }
}

type Word = Completion['words'][number];

/** Ways to go on with a verb; `more`: values of the argument that needs no name. */
export function completeVerb<E>(text: string, verbs: Verbs<E>, more: readonly Word[] = []): Completion | undefined {
  const name = text.trimStart().split(' ')[0];
  if (!Object.hasOwn(verbs, name)) return undefined;
  const words = [...more, ...Object.entries(verbs[name].takes).flatMap(([arg, kind]) => wordsOf(arg, kind))];
  const from = text.lastIndexOf(' ') + 1;
  const typed = text.slice(from);
  return { from, words: words.filter((w) => w.text.startsWith(typed)) };
}

/** How an argument is typed. */
function wordsOf(name: string, kind: Kind): Word[] {
  if (isFaultKind(kind))
    return [...Object.entries(FAULT_LISTS[kind]).map(([text, note]) => ({ text, note })), { text: 'off' }];
  if (kind === 'flag') return [{ text: name }, { text: `${name}=false` }];
  if (typeof kind === 'string' || 'from' in kind) return [{ text: `${name}=`, note: kindInWords(kind) }];
  return kind.map((value) => ({ text: `${name}=${value}` }));
}

/** A line as a step. @throws Error in words */
export function stepOf<E>(line: string, verbs: Verbs<E>): Step<E> | undefined {
  try {
    return readLine(line, verbs);
  } catch (e) {
    throw new Error((e as Error).message.replace(/^console: /, ''));
  }
}
