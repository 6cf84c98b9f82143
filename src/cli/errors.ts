import { CaptureError } from '../capture/errors.js';
import { PipeClosed } from './output.js';
import { tell } from './tell.js';

/** Exit codes, as the README lists them. */
export const Exit = {
  done: 0,
  /** Usage, rights, device. */
  usage: 1,
  /** Input, filter or output, after printing what could be read. */
  input: 2,
  failOn: 3,
  /** A tunnel that is not known to be something else could not be decrypted. */
  undecrypted: 4,
  /** A step of a scenario failed. */
  stepFailed: 5,
  /** The tunnel was not established. */
  notEstablished: 6,
  /** A fault in fttscope itself. */
  fault: 70,
} as const;

/** An error that the user can do something about: printed without a stack, ends the program with `exit`. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly exit: number = Exit.usage,
    /** What to do about it. */
    readonly hint?: string,
    /** Lines that show it: the expression with a mark under what is wrong, a list of what there is. */
    readonly shown: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Says on stderr what went wrong, in words and without a stack; returns the exit code. */
export function explain(e: unknown): number {
  if (e instanceof PipeClosed || (e instanceof CaptureError && e.code === 'FTT_E_PIPE')) return Exit.done;
  if (e instanceof UserError || e instanceof CaptureError) {
    tell(`fttscope: ${e.message}`, ...(e.hint === undefined ? [] : [`  ${e.hint}`]));
    if (e instanceof UserError) tell(...e.shown);
    return e instanceof UserError ? e.exit : Exit.input;
  }
  const [what, where = ''] = (e instanceof Error ? (e.stack ?? String(e)) : String(e)).split(/\n\s*at /);
  const place = /([\w.-]+:\d+:\d+)\)?$/.exec(where)?.[1];
  tell(`fttscope: this is a fault in fttscope: ${what.replace(/\s*\n\s*/g, ' ')}${place ? ` (${place})` : ''}`);
  tell('  Please report it with the command line and, if it may leave your hands, the capture.');
  return Exit.fault;
}
