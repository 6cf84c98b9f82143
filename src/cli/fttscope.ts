#!/usr/bin/env node
/** Entry of the command. `--version` answers at once; everything else is one file and its code cache (ADR 0004). */
import { existsSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { startEarly } from './engine-thread.js';
import { BUNDLE, loadBundle } from './load.js';
import { version } from './version.js';

const argv = process.argv.slice(2);

/** Words and options with which no capture is shown on screens. What is shown all the same starts its engine later. */
const PRINTS = /^(-[EGOPTVhilwxz]|--(help|fields|format|write|count|fail-on|interface|ui))/;
const COMMAND = /^[a-z]+$/;
const showsCapture = (): boolean =>
  argv.length > 0 && (argv[0] === 'demo' || !COMMAND.test(argv[0])) && !argv.some((a) => PRINTS.test(a)) && isatty(1);

if (argv[0] === '--version' || argv[0] === '-v') {
  let text = `fttscope ${version()}\n`;
  if (argv[1] === '--verbose' || argv[1] === '-v' || argv[1] === '--version') {
    const { LIMITS } = await import('../limits.js');
    const lines = Object.entries(LIMITS).map(([name, cap]) => `  ${name.padEnd(24)} ${cap}\n`);
    text = `fttscope ${version()}, Node ${process.version}\nLimits:\n${lines.join('')}`;
  }
  try {
    writeSync(1, text);
  } catch (e) {
    const { explain } = await import('./errors.js');
    const { systemError } = await import('../capture/errors.js');
    process.exitCode = explain(systemError('standard output', e, 'FTT_E_WRITE'));
  }
} else if (!existsSync(BUNDLE)) {
  // The compiler writes this file also where it finds errors, and then nothing bundles.
  writeSync(
    2,
    `fttscope: it is not wholly built: ${BUNDLE} is not there\n  npm run build makes it, and says what is wrong\n`,
  );
  process.exitCode = 1;
} else {
  // It takes as long to start as the bundle takes to load.
  const engine = showsCapture() ? startEarly() : undefined;
  await loadBundle().main(argv, engine);
}
