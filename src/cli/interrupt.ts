import type { CaptureFile, CaptureSource, Chunk, Damage } from '../capture/chunk.js';

/** How long the writer of a pipe, whom the same Ctrl-C reaches, has to deliver its last frames. */
const GRACE_MS = 1000;

/**
 * A source that ends early when the user says so (SIGINT, SIGTERM), so that what was read is printed whole. A file ends
 * at once, a pipe when its writer ends or after a second; a second signal ends both.
 */
export class Interruptible implements CaptureSource {
  /** A signal came before the end. */
  interrupted = false;
  private readonly stop: Promise<null>;
  private stopped = false;
  private readonly onSignal: () => void;

  /** @param pipe an input is a pipe: the end of its writer is the end of the capture */
  constructor(
    private readonly source: CaptureSource,
    readonly pipe: boolean,
  ) {
    let end = (): void => {};
    this.stop = new Promise((resolve) => {
      end = () => {
        this.stopped = true;
        resolve(null);
      };
    });
    this.onSignal = () => {
      if (!pipe || this.interrupted) end();
      else setTimeout(end, GRACE_MS).unref();
      this.interrupted = true;
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
    const chunk = this.source.next();
    chunk.catch(() => undefined); // it may fail when nobody waits for it any more
    return Promise.race([chunk, this.stop]);
  }

  async close(): Promise<void> {
    process.off('SIGINT', this.onSignal).off('SIGTERM', this.onSignal);
    await this.source.close();
  }
}
