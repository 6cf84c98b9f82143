import { Exit } from './errors.js';

/** SIGINT and SIGTERM tell a command that lives on to end in good order; a second SIGINT ends it at once. */
export class EndSignals {
  /** One came. */
  came = false;
  /** Resolves when the first comes. */
  readonly told: Promise<void>;
  private tellAll!: () => void;

  constructor() {
    this.told = new Promise((resolve) => {
      this.tellAll = resolve;
    });
    process.on('SIGINT', this.onSignal).on('SIGTERM', this.onSignal);
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.came && signal === 'SIGINT') process.exit(Exit.interrupted);
    this.came = true;
    this.tellAll();
  };
}
