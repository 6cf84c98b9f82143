#!/usr/bin/env node
/** Entry of the command. `--version` answers at once; everything else loads what it needs and no more. */
const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
  const { version } = await import('./version.js');
  process.stdout.write(`fttscope ${version()}\n`);
} else if (argv.includes('--version') && argv.includes('-v') && argv.length === 2) {
  const { version } = await import('./version.js');
  const { LIMITS } = await import('../limits.js');
  const lines = Object.entries(LIMITS).map(([name, cap]) => `  ${name.padEnd(24)} ${cap}\n`);
  process.stdout.write(`fttscope ${version()}, Node ${process.version}\nLimits:\n${lines.join('')}`);
} else {
  const { run } = await import('./program.js');
  process.exitCode = await run(argv[0] === '-G' ? ['fields', ...argv.slice(argv[1] === 'fields' ? 2 : 1)] : argv);
}
