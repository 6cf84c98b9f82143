import { Command, CommanderError } from 'commander';
import { Exit, UserError } from './errors.js';
import { addInputOptions, addOutputOptions, type ReadOptions } from './options.js';
import { PipeClosed } from './output.js';
import { version } from './version.js';

/** Runs the command line; returns the exit code. Errors of the user end in words on stderr, never in a stack. */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = Exit.done;
  const program = build((n) => {
    code = n;
  });
  try {
    await program.parseAsync(argv as string[], { from: 'user' });
  } catch (e) {
    if (e instanceof PipeClosed) return code;
    if (e instanceof CommanderError) return e.exitCode === 0 ? Exit.done : Exit.usage;
    if (e instanceof UserError) {
      process.stderr.write(`fttscope: ${e.message}\n${e.hint === undefined ? '' : `  ${e.hint}\n`}`);
      return e.exit;
    }
    throw e;
  }
  return code;
}

function build(done: (code: number) => void): Command {
  const program = new Command('fttscope')
    .description('Analyzer for FTT-IMS tunnels (3GPP TS 24.322): decrypts, dissects and shows what ran inside.')
    .version(`fttscope ${version()}`, '-v, --version')
    .exitOverride()
    .showHelpAfterError('(fttscope --help lists the options)')
    .enablePositionalOptions();

  const read = new Command('read').description('print rows as text, tree, fields or JSON').argument('[capture...]');
  addOutputOptions(addInputOptions(read)).action(async (captures: string[], o: ReadOptions) => {
    done(await (await import('./commands/read.js')).read(captures, o));
  });
  program.addCommand(read, { isDefault: true });

  const extract = new Command('extract')
    .description('write what ran inside the tunnels, or the frames around it, to a pcapng file')
    .argument('[capture...]')
    .option('--inner', 'the decrypted inner IP packets with their original times (default)')
    .option('--outer', 'the outer frames')
    .option('--with-keys', 'add the key-log lines that open them (a Decryption Secrets Block)')
    .requiredOption('-w, --write <file>', 'file to write; - is standard output');
  addInputOptions(extract).action(async (captures: string[], o: ReadOptions) => {
    done(await (await import('./commands/extract.js')).extract(captures, o));
  });
  program.addCommand(extract);

  program
    .command('fields')
    .description('list the fields: name, type, label, protocol, clause')
    .argument('[protocol]', 'only those of this protocol')
    .action(async (proto: string | undefined) => {
      done(await (await import('./commands/fields.js')).fields(proto));
    });

  program
    .command('demo')
    .description('show a sample capture that comes with the program')
    .action(async () => {
      done(await (await import('./commands/demo.js')).demo());
    });
  for (const c of program.commands) c.exitOverride().showHelpAfterError('(add --help for the options)');
  return program;
}
