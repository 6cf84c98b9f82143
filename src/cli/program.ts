import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Argument, Command, CommanderError, Option } from 'commander';
import { CaptureError } from '../capture/errors.js';
import type { DecodeOptions } from './commands/decode.js';
import type { ReportOptions } from './commands/report.js';
import { elsewhere } from './elsewhere.js';
import { prepareEngine } from './engine-thread.js';
import { Exit, explain, UserError } from './errors.js';
import { addCaptureCommands, addEndCommands } from './live-options.js';
import {
  addFormatOptions,
  addInputOptions,
  addOutputOptions,
  addScreenOptions,
  collect,
  FORMS,
  failOnOption,
  hideOptions,
  issuerOption,
  type ReadOptions,
  type ScreenOptions,
  SHELLS,
  type Shell,
} from './options.js';
import { writeAll } from './output.js';
import { hasTerminal, wantsScreens } from './screens.js';
import { suggest } from './suggest.js';
import { tell } from './tell.js';
import { version } from './version.js';

const BARE = [
  '  fttscope FILE          a capture on screens, or its rows where there is no terminal; - is standard input',
  '  fttscope demo          a sample that comes with the program',
  '  fttscope --help        commands and options',
];

/** Runs the command line; returns the exit code. Errors of the user end in words on stderr, never in a stack. */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = Exit.done;
  let names: readonly string[] = [];
  try {
    if (argv.length === 0 && !hasTerminal()) throw new UserError('no capture given', Exit.usage, undefined, BARE);
    const program = build(argv[0] !== 'read', (n) => {
      code = n;
    });
    names = program.commands.map((c) => c.name());
    if (argv[0] === 'help' && argv.length > 1 && !names.includes(argv[1]))
      throw new UserError(`there is no command ${argv[1]}`, Exit.usage, meant(argv[1], names));
    if (isMistyped(argv[0], names)) throw new UserError(`${argv[0]}: ${NEITHER}`, Exit.input, meant(argv[0], names));
    const words = isLive(argv) ? ['capture', ...argv] : argv;
    await program.parseAsync(words as string[], { from: 'user' });
  } catch (e) {
    if (
      e instanceof CaptureError &&
      e.code === 'FTT_E_MISSING' &&
      /^[a-z]+$/.test(argv[0]) &&
      e.message.startsWith(`${argv[0]}:`)
    ) {
      tell(`fttscope: ${argv[0]}: ${NEITHER}`, `  ${meant(argv[0], names)}`);
      return Exit.input;
    }
    if (e instanceof CommanderError) return e.exitCode === 0 ? Exit.done : Exit.usage;
    return explain(e);
  }
  return code;
}

/** Whether options without a command name an interface, as tshark and dumpcap are told what to capture on. */
const isLive = (argv: readonly string[]): boolean =>
  argv[0]?.startsWith('-') === true && argv.some((a) => /^(-i|--interface$|--interface=)/.test(a));

const NEITHER = 'neither a command nor a file';

/** Whether the first word, before captures that there are, is meant as one of the commands. */
const isMistyped = (word: string | undefined, names: readonly string[]): boolean =>
  word !== undefined &&
  /^[a-z]+$/.test(word) &&
  ![...names, 'help'].includes(word) &&
  suggest(word, names) !== undefined &&
  !existsSync(word);

/** What to do about a word that is no command. */
function meant(word: string, names: readonly string[]): string {
  const near = suggest(word, names);
  return `${near === undefined ? '' : `did you mean ${near}? `}fttscope --help lists the commands`;
}

type Done = (code: number) => void;

/** @param screens a capture without a command may be shown on screens */
function build(screens: boolean, done: Done): Command {
  const program = new Command('fttscope')
    .description('Analyzer for FTT-IMS tunnels (3GPP TS 24.322): decrypts, dissects and shows what ran inside.')
    .usage('[command] [options] [capture...]')
    .version(`fttscope ${version()}`, '-v, --version', 'print the version; with --verbose, the limits too')
    .enablePositionalOptions();

  const read = readCommand(screens, done);
  program.addCommand(read, { isDefault: true });
  for (const make of [extractCommand, reportCommand, keysCommand, decodeCommand, fieldsCommand])
    program.addCommand(make(done));
  addCaptureCommands(program, done);
  addEndCommands(program, done);
  addHelpers(program, done);

  program.addHelpText('after', () => {
    const help = read.helpInformation();
    return `\nWithout a command it is read. Its options:\n${help.slice(help.indexOf('\n', help.indexOf('Options:')) + 1)}`;
  });
  for (const c of [program, ...program.commands])
    c.exitOverride()
      .showHelpAfterError(`  fttscope ${c === program || c === read ? '' : `${c.name()} `}--help lists the options`)
      .configureOutput({
        writeOut: (s) => writeAll(1, Buffer.from(s, 'utf8')),
        writeErr: (s) => tell(...s.replace(/\n$/, '').split('\n')),
        outputError: (s) => {
          // Below what is wrong, with words of the command line in it, there may be words that come near.
          const [, wrong, near] = /^(?:error: )?(.*?)(?:\n(\(Did you mean .*\)))?\n?$/s.exec(s)!;
          const unknown = /^unknown option '([^']+)'/.exec(wrong)?.[1];
          const instead = unknown === undefined ? undefined : elsewhere(unknown, c.name(), program);
          tell(
            `fttscope: ${wrong}`,
            ...(near === undefined ? [] : [near]),
            ...(instead === undefined ? [] : [`  ${instead}`]),
          );
        },
      });
  return program;
}

/**
 * Has V8 look for what is not in use in one go, which takes less time in all: of commands that read to the end, where nobody
 * waits for an answer. To be called when hardly anything is in memory: a process that is told so in the middle of marking in
 * steps goes on with them, and may die of objects that moved meanwhile (SIGSEGV in MarkCompactCollector).
 */
const markInOneGo = (): void => setFlagsFromString('--no-incremental-marking');

/** @param screens captures may be shown on screens */
function readCommand(screens: boolean, done: Done): Command {
  const read = new Command('read').description('print rows as text, tree, fields or JSON').argument('[capture...]');
  addScreenOptions(addOutputOptions(addInputOptions(read))).action(async (captures: string[], o: ScreenOptions) => {
    if (o.config !== undefined && !existsSync(o.config))
      throw new UserError(`--config ${o.config}: no such file`, Exit.input);
    if (screens && wantsScreens(captures, o)) {
      prepareEngine();
      done(await (await import('./commands/ui.js')).ui(captures, o));
    } else {
      markInOneGo();
      done(await (await import('./commands/read.js')).read(captures, o));
    }
  });
  return read;
}

function extractCommand(done: Done): Command {
  const extract = new Command('extract')
    .description('write what ran inside the tunnels, or the frames around it, to a pcapng file')
    .argument('[capture...]')
    .option('--inner', 'the decrypted inner IP packets with their original times (default)')
    .option('--outer', 'the outer frames; with --tunnel all frames of its TCP connection')
    .option('--with-keys', 'add the key-log lines that open them (a Decryption Secrets Block)')
    .option('--redact', 'inner packets with pseudonyms of the same length, without voice and bodies of messages')
    .requiredOption('-w, --write <file>', 'file to write; - is standard output');
  addInputOptions(extract).action(async (captures: string[], o: ReadOptions) => {
    markInOneGo();
    done(await (await import('./commands/extract.js')).extract(captures, o));
  });
  return extract;
}

function reportCommand(done: Done): Command {
  const report = new Command('report')
    .description('tell what happened: tunnels, addressing, registrations, calls, media and findings, as JSON')
    .argument('[capture...]')
    .option('--markdown', 'for people, instead of JSON')
    .option('--html', 'for people, one page with pictures, instead of JSON')
    .option('--records <lists>', 'one JSON object a line instead: tunnels,calls,media,findings …, or all', collect)
    .option('--compare', 'two captures, a good and a bad one: step by step, the first difference marked')
    .option('--json', 'JSON, which a report is anyway, also with --compare')
    .option('--redact', 'pseudonyms instead of addresses, users, numbers and names; no key material')
    .option('--schema', 'print the JSON Schema of the report instead')
    .addOption(issuerOption())
    .option('--baseline <file>', 'an earlier report: its findings are left out')
    .option(
      '--mute <codes>',
      'findings that are not wanted: codes with commas between, dhcp.* for all that begin so',
      collect,
    )
    .addOption(failOnOption('exit with 3 if a finding that the report tells is this bad'));
  addInputOptions(report).action(async (captures: string[], o: ReportOptions) => {
    markInOneGo();
    done(await (await import('./commands/report.js')).report(captures, o));
  });
  hideOptions(report, '--filter', '--config', '--two-pass', '-n');
  return report;
}

function keysCommand(done: Done): Command {
  const keys = new Command('keys')
    .description('look into key logs: good, bad and unused lines, and which tunnels they open')
    .argument(
      '<keylog...>',
      'TLS key log, RSA private key (PEM), keys of subscribers or of ESP, or a directory of them',
    );
  addInputOptions(keys, '').action(async (files: string[], o: ReadOptions) => {
    markInOneGo();
    done(await (await import('./commands/keys.js')).keys(files, o));
  });
  hideOptions(
    keys,
    '--filter',
    '--config',
    '--two-pass',
    '--tunnel',
    '--user',
    '--call-id',
    '--from',
    '--to',
    '--enable-heuristic',
    '-n',
  );
  return keys;
}

function decodeCommand(done: Done): Command {
  const decode = new Command('decode')
    .description('show octets that are no capture: FTT-IMS envelopes, an IP packet, or any message')
    .argument('[octets...]', 'hex (blanks, colons, 0x and dumps with offsets are fine) or base64; - is standard input')
    .option('-r, --read <file>', 'file to read them from; - is standard input')
    .addOption(new Option('--in <form>', 'what the input is').choices(FORMS).default('auto'))
    .option('--as <protocol>', 'what the octets are: fttims, ip, sip, dhcp …; envelopes and IP packets tell it');
  addFormatOptions(decode, 'tree')
    .option('-d, --decode-as <rule>', 'for example udp.port==5070,sip', collect)
    .action(async (octets: string[], o: DecodeOptions) => {
      done(await (await import('./commands/decode.js')).decode(octets, o));
    });
  return decode;
}

function fieldsCommand(done: Done): Command {
  return new Command('fields')
    .description(
      'list the fields: name, type, label, protocol, clause (-G fields, protocols or values: as tshark prints them)',
    )
    .argument('[protocol]', 'only those of this protocol, or the one field of this name')
    .action(async (name: string | undefined) => {
      done(await (await import('./commands/fields.js')).fields(name));
    });
}

/** Commands that help with the program itself. */
function addHelpers(program: Command, done: Done): void {
  program
    .command('demo')
    .description('show a sample capture that comes with the program')
    .action(async () => {
      done(await (await import('./commands/demo.js')).demo());
    });

  program
    .command('doctor')
    .description('say what works on this machine, and what to do about what does not')
    .action(async () => {
      done(await (await import('./commands/doctor.js')).doctor());
    });

  program
    .command('completion')
    .description('print a script with which a shell completes fttscope: source <(fttscope completion bash)')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .action(async (shell: Shell) => {
      done((await import('./commands/completion.js')).completion(program, shell));
    });

  program
    .command('man')
    .description('print the manual page: fttscope man | man -l -')
    .action(async () => {
      done((await import('./commands/man.js')).man(program));
    });
}
