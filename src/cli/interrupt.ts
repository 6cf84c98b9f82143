import type { CaptureFile, CaptureSource, Chunk, Damage } from '../capture/chunk.js';
import type { EndSignal } from './signals.js';

/** How long the writer of a pipe, whom the same Ctrl-C reaches, has to deliver its last frames. */
const GRACE_MS = 1000;

/**
 * A source that ends early when the user says so (SIGINT, SIGTERM), so that what was read is printed whole. A file ends
 * at once, a pipe when its writer ends or after a second; a second signal ends both.
 */
export class Interruptible implements CaptureSource {
  /** The first signal that came before the end. */
  stopper: EndSignal | undefined;
  private stopped = false;
  /** Ends the wait for a chunk. */
  private wake = (): void => {};
  private readonly onSignal: (signal: EndSignal) => void;

  /** @param pipe an input is a pipe: the end of its writer is the end of the capture */
  constructor(
    private readonly source: CaptureSource,
    readonly pipe: boolean,
  ) {
    const end = (): void => {
      this.stopped = true;
      this.wake();
    };
    this.onSignal = (signal) => {
      if (!pipe || this.stopper !== undefined) end();
      else setTimeout(end, GRACE_MS).unref();
      this.stopper ??= signal;
    };
    process.on('SIGINT', this.onSignal).on('SIGTERM', this.onSignal);
  }

  get files(): readonly CaptureFile[] {
    return this.source.files;
  }
  get damage(): readonly Damage[] {
    return this.source.damage;
  }

  /** The next chunk; null at the end, or when the user ended it. Lets signals in, which reading alone does not. */
  async next(): Promise<Chunk | null> {
    await new Promise(setImmediate);
    if (this.stopped) return null;
    // A race with one promise of the end would leave something with that for each chunk.
    return new Promise((resolve, reject) => {
      this.wake = () => resolve(null);
      this.source.next().then(resolve, reject);
    });
  }

  async close(): Promise<void> {
    process.off('SIGINT', this.onSignal).off('SIGTERM', this.onSignal);
    await this.source.close();
  }
}
