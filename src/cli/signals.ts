import { constants } from 'node:os';
import { Exit } from './errors.js';

/** Signals that tell a command that lives on to end in good order: Ctrl-C, kill, and a terminal that goes away. */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndSignal = (typeof ENDS)[number];

/** The exit code of a command that such a signal stopped before all was done, as shells have it. */
export const codeOf = (signal: EndSignal): number => 128 + constants.signals[signal];

/** The signal that stopped a command with this exit code, if one did. */
export const stopperOf = (code: number): EndSignal | undefined => ENDS.find((signal) => codeOf(signal) === code);

/** Calls back on each of them, until the function that it returns is called. */
export function onEndSignal(told: (signal: EndSignal) => void): () => void {
  for (const signal of ENDS) process.on(signal, told);
  return () => {
    for (const signal of ENDS) process.off(signal, told);
  };
}

/** Tells a command that lives on to end in good order; a second SIGINT ends it at once. */
export class EndSignals {
  /** One came. */
  came = false;
  /** Which came first; none where something else ended the command. */
  signal: EndSignal | undefined;
  /** Resolves when the first comes, with the exit code. */
  readonly told: Promise<number>;
  private readonly ending = new AbortController();
  /** Aborts when the first comes: nobody wants any more what has not begun. */
  readonly gone: AbortSignal = this.ending.signal;
  private tellAll!: (code: number) => void;
  private deaf: () => void = () => {};

  constructor() {
    this.told = new Promise((resolve) => {
      this.tellAll = resolve;
    });
  }

  /** Hears them from now on; until then the system ends the command, also where it stands still in `open`. */
  hear(): void {
    this.deaf = onEndSignal(this.onSignal);
  }

  /** Leaves the signals to the system again. */
  leave(): void {
    this.deaf();
  }

  /** Ends the command as a signal would. */
  end(code: number = Exit.done): void {
    this.came = true;
    this.ending.abort();
    this.tellAll(code);
  }

  /** The exit code where not all was done: that of the signal which came, if one did. */
  get unfinished(): number {
    return this.signal === undefined ? Exit.done : codeOf(this.signal);
  }

  private readonly onSignal = (signal: EndSignal): void => {
    if (this.came && signal === 'SIGINT') process.exit(codeOf(signal));
    this.signal ??= signal;
    this.end();
  };
}
