/** The command, after {@link file://./fttscope.ts} has loaded it. */
import { explain } from './errors.js';
import { run } from './program.js';

/** Runs the command line and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  process.on('uncaughtException', (e) => {
    process.exit(explain(e));
  });
  const code = await run(argv[0] === '-G' ? ['fields', ...argv.slice(argv[1] === 'fields' ? 2 : 1)] : argv);
  process.exitCode = code;
  // A shell that runs several commands stops only if this one dies of the signal.
  if (code === 130) process.kill(process.pid, 'SIGINT');
}
