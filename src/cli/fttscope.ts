#!/usr/bin/env node
/** Entry of the command. `--version` answers at once; everything else is one file and its code cache (ADR 0004). */
import { writeSync } from 'node:fs';
import { loadBundle } from './load.js';
import { version } from './version.js';

const argv = process.argv.slice(2);

if (argv[0] === '--version' || argv[0] === '-v') {
  let text = `fttscope ${version()}\n`;
  if (argv[1] === '--verbose' || argv[1] === '-v' || argv[1] === '--version') {
    const { LIMITS } = await import('../limits.js');
    const lines = Object.entries(LIMITS).map(([name, cap]) => `  ${name.padEnd(24)} ${cap}\n`);
    text = `fttscope ${version()}, Node ${process.version}\nLimits:\n${lines.join('')}`;
  }
  writeSync(1, text);
} else {
  await loadBundle().main(argv);
}
