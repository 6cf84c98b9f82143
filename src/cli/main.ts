#!/usr/bin/env node
/** Entry of the command. `--version` answers at once; everything else loads what it needs and no more. */
const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
  const { version } = await import('./version.js');
  process.stdout.write(`fttscope ${version()}\n`);
} else {
  const { run } = await import('./program.js');
  process.exitCode = await run(argv);
}
