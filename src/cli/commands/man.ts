import type { Command } from 'commander';
import { Exit } from '../errors.js';
import { manualPage } from '../man.js';
import { Output } from '../output.js';
import { version } from '../version.js';

/** `fttscope man`: the manual page, for `man -l -` or a folder of pages. */
export function man(program: Command): number {
  const out = new Output();
  out.write(manualPage(program, version()));
  out.flush();
  return Exit.done;
}
