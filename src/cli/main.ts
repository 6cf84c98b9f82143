#!/usr/bin/env node
/** Entry of the command. `--version` answers at once; everything else loads what it needs and no more. */
import { writeSync } from 'node:fs';

const argv = process.argv.slice(2);

if (argv[0] === '--version' || argv[0] === '-v') {
  const { version } = await import('./version.js');
  let text = `fttscope ${version()}\n`;
  if (argv[1] === '--verbose' || argv[1] === '-v' || argv[1] === '--version') {
    const { LIMITS } = await import('../limits.js');
    const lines = Object.entries(LIMITS).map(([name, cap]) => `  ${name.padEnd(24)} ${cap}\n`);
    text = `fttscope ${version()}, Node ${process.version}\nLimits:\n${lines.join('')}`;
  }
  writeSync(1, text);
} else {
  const { run } = await import('./program.js');
  process.on('uncaughtException', async (e) => {
    const { explain } = await import('./errors.js');
    process.exit(explain(e));
  });
  const code = await run(argv[0] === '-G' ? ['fields', ...argv.slice(argv[1] === 'fields' ? 2 : 1)] : argv);
  process.exitCode = code;
  // A shell that runs several commands stops only if this one dies of the signal.
  if (code === 130) process.kill(process.pid, 'SIGINT');
}
