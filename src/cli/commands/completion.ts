import type { Command } from 'commander';
import { completionScript } from '../completion.js';
import { Exit } from '../errors.js';
import type { Shell } from '../options.js';
import { Output } from '../output.js';

/** `fttscope completion SHELL`: a script that completes commands, options, field and protocol names. */
export function completion(program: Command, shell: Shell): number {
  const out = new Output();
  out.write(completionScript(program, shell));
  out.flush();
  return Exit.done;
}
