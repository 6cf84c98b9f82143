import { type Command, CommanderError, type Option } from 'commander';
import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import { FAULTS, type FaultList } from '../live/fault.js';
import { ALL_FAULTS } from '../live/fault-eftf.js';
import { completePath } from '../tui/files.js';
import type { Completion } from '../tui/prompt.js';
import { shellWords } from '../tui/shell-words.js';
import type { Starter, Starters } from '../tui/start.js';
import { boundsOf, type CaptureCommandOptions } from './commands/capture.js';
import type { EftfCommandOptions } from './commands/eftf.js';
import { listed, traffic } from './commands/interfaces.js';
import type { UeCommandOptions } from './commands/ue.js';
import { UserError } from './errors.js';
import { CODECS, captureCommand, eftfCommand, type RowOptions, screenOptions, ueCommand } from './live-options.js';
import type { LiveRun } from './live-run.js';
import { faultsOf, hostAndPort, type LiveOptions, versionsOf } from './live-settings.js';
import type { ScreenOptions } from './options.js';

type Word = Completion['words'][number];

const faultWords = (list: FaultList<string>): Word[] => Object.entries(list).map(([text, note]) => ({ text, note }));

/** Values of options, by the long name of the option, behind that of the command where it matters. */
const VALUES: Readonly<Record<string, readonly Word[]>> = {
  '--fault': faultWords(FAULTS),
  'eftf --fault': faultWords(ALL_FAULTS),
  '--codec': CODECS.map((text) => ({ text })),
  '--audio': [{ text: 'tone' }, { text: 'echo' }],
  '--subscriber': [
    { text: 'alice', note: 'of the lab' },
    { text: 'bob', note: 'of the lab' },
  ],
  '--tls': ['1.2..1.3', '1.2..1.2', '1.3..1.3'].map((text) => ({ text })),
};

/** Options whose values are files, by what their value is called. */
const isPath = ({ flags }: Option): boolean => /<(file|source)>/.test(flags) || flags.startsWith('--subscriber ');

/** Options that mean nothing where the screens are there already. */
const NOT_HERE = ['--ui', '--quiet', '--format', '--tree', '--field', '--rows'];

/** A command line, read as at the start of the program. */
interface Read {
  readonly target: string;
  readonly options: object;
}

/** A starter by the command of the command line. */
class CommandStarter implements Starter {
  readonly usage: string;

  /** @param words makes a command line of the words typed @param check what else can be wrong @throws UserError */
  constructor(
    private readonly command: () => Command,
    private readonly begin: (read: Read) => Promise<void>,
    private readonly words: (typed: readonly string[]) => readonly string[] = (w) => w,
    private readonly check: (read: Read) => void = () => undefined,
    usage = '',
  ) {
    this.usage = usage || command().usage().replace('[options]', '').trim();
  }

  /** @throws UserError, CommanderError */
  private read(line: string): Read {
    const { words, open } = shellWords(line);
    if (open) throw new UserError('a quote was opened and not closed');
    let read: Read | undefined;
    const c = this.command()
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .action((...args: unknown[]) => {
        const [target, options] = args.length > 2 ? [String(args[0]), args[1]] : ['', args[0]];
        read = { target, options: options as object };
      });
    c.parse([...this.words(words)], { from: 'user' });
    this.check(read!);
    return read!;
  }

  wrong(line: string): string | undefined {
    try {
      this.read(line);
      return undefined;
    } catch (e) {
      if (e instanceof CommanderError)
        return e.code === 'commander.helpDisplayed' || e.code === 'commander.help'
          ? 'Tab lists the options'
          : e.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
      if (e instanceof UserError) return e.hint === undefined ? e.message : `${e.message}; ${e.hint}`;
      throw e;
    }
  }

  start(line: string): Promise<void> {
    return this.begin(this.read(line));
  }

  private get options(): readonly Option[] {
    return this.command().options.filter((o) => !NOT_HERE.includes(o.long ?? ''));
  }

  /** The option whose value is typed, at the end of a line. */
  private valued(line: string): Option | undefined {
    const { words, from } = shellWords(line);
    const before = from < line.length ? words.at(-2) : words.at(-1);
    return this.options.find((o) => o.required && isCalled(o, before));
  }

  about(line: string): string | undefined {
    const { words } = shellWords(line);
    const last = words.at(-1) ?? '';
    const option = this.valued(line) ?? this.options.find((o) => isCalled(o, last));
    return option && `${option.flags}  ${option.description}`;
  }

  complete(line: string): Completion | undefined {
    const { from, words } = shellWords(line);
    const raw = line.slice(from);
    const option = this.valued(line);
    if (option === undefined) {
      const names = this.options.map((o): Word => ({ text: o.long ?? o.short!, note: noteOf(o) }));
      return { from, words: names.filter((w) => w.text.startsWith(raw)) };
    }
    const { long = '' } = option;
    const values = VALUES[`${this.command().name()} ${long}`] ?? VALUES[long] ?? [];
    const known = [...values, ...(option.argChoices ?? []).map((text) => ({ text }))];
    const fit = known.filter((w) => w.text.startsWith(raw));
    if (fit.length > 0 || !isPath(option)) return { from, words: fit };
    const typed = raw === '' ? '' : (words.at(-1) ?? '');
    const paths = completePath(typed, typed.length);
    return (
      paths && {
        from: from + raw.lastIndexOf('/') + 1,
        words: paths.words.map((w) => ({ text: w.text.replace(/[\s"'\\]/g, '\\$&') })),
      }
    );
  }
}

const isCalled = ({ long, short }: Option, name: string | undefined): boolean =>
  name !== undefined && (long === name || short === name);

const noteOf = ({ flags, description }: Option): string => {
  const value = /<[^>]+>/.exec(flags)?.[0];
  return value === undefined ? description : `${value}  ${description}`;
};

/** What can be told of the options of an end before it is made. @throws UserError */
function checkEnd(o: LiveOptions, faults: FaultList<string>): void {
  if (o.write === '-') throw new UserError('-w -: standard output is the terminal');
  versionsOf(o);
  faultsOf(o, faults);
}

/** Interfaces may stand alone, before all else: `eth0 lo -f udp` is as `-f udp -i eth0 -i lo`, `lo -- udp` as `-i lo udp`. */
function captureWords(typed: readonly string[]): string[] {
  const first = typed.findIndex((w) => w.startsWith('-'));
  const names = typed.slice(0, first < 0 ? undefined : first).flatMap((w) => w.split(',').filter((n) => n !== ''));
  const others = first < 0 ? [] : typed.slice(first);
  const last = others.includes('--') ? others.indexOf('--') : others.length;
  return [...others.slice(0, last), ...names.flatMap((name) => ['-i', name]), ...others.slice(last)];
}

/** Makes a run. @param gone nobody wants it any more */
type Make = (gone: AbortSignal) => Promise<LiveRun>;

/** Shows a run instead of what is shown now. @throws Error in words where it cannot begin */
export type Begin = (make: Make, options?: Partial<ScreenOptions>) => Promise<void>;

/**
 * What can be started from the screens, with the options of the command line.
 * @param keylogs key logs for a capture that names none
 */
export function startersOf(begin: Begin, keylogs: readonly string[] | undefined): Starters {
  return {
    interfaces: { list: listed, traffic },
    capture: new CommandStarter(
      captureCommand,
      ({ options }) => {
        const typed = options as CaptureCommandOptions & RowOptions;
        const o = { ...typed, ...(typed.keylog === undefined && keylogs && { keylog: [...keylogs] }) };
        return begin(async (gone) => (await import('./live-capture.js')).LiveCapture.start(o, gone), {
          ...screenOptions(o),
          ...(o.keylog && { keylog: o.keylog }),
        });
      },
      captureWords,
      ({ options }) => {
        const o = options as CaptureCommandOptions;
        if (o.write === '-') throw new UserError('-w -: standard output is the terminal');
        boundsOf(o);
      },
      'INTERFACE … [options] [filter]',
    ),
    ue: new CommandStarter(
      ueCommand,
      ({ target, options }) =>
        begin(async () => {
          const { LiveUe } = await import('./live-ue.js');
          return new LiveUe(target, options as UeCommandOptions);
        }),
      undefined,
      ({ target, options }) => {
        const o = options as UeCommandOptions;
        hostAndPort(target, 'EFTF', EFTF_PORT);
        checkEnd(o, FAULTS);
      },
      'HOST[:PORT] [options]',
    ),
    eftf: new CommandStarter(
      eftfCommand,
      ({ options }) =>
        begin(async (gone) => {
          const { LiveEftf } = await import('./live-eftf.js');
          return LiveEftf.open(options as EftfCommandOptions, gone);
        }),
      undefined,
      ({ options }) => {
        const o = options as EftfCommandOptions;
        hostAndPort(o.listen, '--listen', EFTF_PORT, 0);
        checkEnd(o, ALL_FAULTS);
      },
      '[options]',
    ),
  };
}
