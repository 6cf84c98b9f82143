import { Exit } from './errors.js';

/** Signals that tell a command that lives on to end in good order: Ctrl-C, kill, and a terminal that goes away. */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls back on each of them, until the function that it returns is called. */
export function onEndSignal(told: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of ENDS) process.on(signal, told);
  return () => {
    for (const signal of ENDS) process.off(signal, told);
  };
}

/** Tells a command that lives on to end in good order; a second SIGINT ends it at once. */
export class EndSignals {
  /** One came. */
  came = false;
  /** It was Ctrl-C. */
  interrupted = false;
  /** Resolves when the first comes, with the exit code. */
  readonly told: Promise<number>;
  private readonly ending = new AbortController();
  /** Aborts when the first comes: nobody wants any more what has not begun. */
  readonly gone: AbortSignal = this.ending.signal;
  private tellAll!: (code: number) => void;
  /** Leaves the signals to the system again. */
  readonly leave: () => void;

  constructor() {
    this.told = new Promise((resolve) => {
      this.tellAll = resolve;
    });
    this.leave = onEndSignal(this.onSignal);
  }

  /** Ends the command as a signal would. */
  end(code: number = Exit.done): void {
    this.came = true;
    this.ending.abort();
    this.tellAll(code);
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.came && signal === 'SIGINT') process.exit(Exit.interrupted);
    this.interrupted = signal === 'SIGINT';
    this.end();
  };
}
