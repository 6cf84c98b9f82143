import { LIMITS } from '../limits.js';
import type { Cancel, Clock } from './clock.js';

/** What a step could not do. */
export class StepFailed extends Error {}

/** What an end tells, a line each: it can be waited for. */
export class Lines {
  private readonly listeners = new Set<(line: string) => void>();
  /** Lines that no expectation has looked at, and how many of them are kept no more. */
  private readonly unseen: string[] = [];
  private lost = 0;
  /** Gives up what is waited for: one of each that waits. */
  private readonly waits = new Set<() => void>();
  private isOver = false;

  /** @param last begins a line after which nothing is waited for any more */
  constructor(
    private readonly clock: Clock,
    private readonly out: (line: string) => void,
    private readonly last?: string,
  ) {}

  /** Tells a line; returns nothing before those who listen have heard it. */
  tell(line: string): void {
    this.out(line);
    this.unseen.push(line);
    if (this.unseen.length > LIMITS.liveLines) {
      this.unseen.shift();
      this.lost++;
    }
    for (const hear of [...this.listeners]) hear(line);
  }

  /** Hears all lines from now on, until the function that it returns is called. */
  listen(hear: (line: string) => void): () => void {
    this.listeners.add(hear);
    return () => this.listeners.delete(hear);
  }

  /** The first line since the last expectation that matches, now or within `ms`. @throws StepFailed */
  async expect(pattern: RegExp, ms: number): Promise<string> {
    const at = this.unseen.findIndex((line) => pattern.test(line));
    const lost = this.lost === 0 ? '' : ` (of the last ${LIMITS.liveLines}: ${this.lost} before them are kept no more)`;
    const [line] =
      at < 0 ? [await this.hear(pattern, ms, `no line like ${pattern.source}${lost}`)] : this.unseen.slice(at, at + 1);
    this.unseen.splice(0, this.unseen.lastIndexOf(line) + 1);
    this.lost = 0;
    return line;
  }

  /**
   * The first line from now on that matches, and is the one that is meant.
   * @throws StepFailed after `ms`, or after the last line
   */
  hear(
    pattern: RegExp,
    ms: number,
    otherwise = `no line like ${pattern.source}`,
    isMeant: (line: string) => boolean = () => true,
  ): Promise<string> {
    const heard = new Promise<string>((resolve, reject) => {
      const done = (): void => {
        cancel();
        stop();
      };
      const stop = this.listen((line) => {
        const hit = pattern.test(line) && isMeant(line);
        if (!hit && !(this.last !== undefined && line.startsWith(this.last))) return;
        done();
        if (hit) resolve(line);
        else reject(new StepFailed(`${otherwise}; the ${line}`));
      });
      const late = (why: string): void => {
        done();
        reject(new StepFailed(`${otherwise} ${why}`));
      };
      const cancel = this.after(
        ms,
        () => late(`within ${ms / 1000} s`),
        () => late('before the end'),
      );
    });
    heard.catch(() => {}); // who waited may have failed before
    return heard;
  }

  /** Waits so long. @throws StepFailed where it all ends before */
  pause(ms: number): Promise<void> {
    const over = new Promise<void>((resolve, reject) => {
      this.after(ms, resolve, () => reject(new StepFailed('it ended before')));
    });
    over.catch(() => {}); // nobody may wait for it any more
    return over;
  }

  /** It all ends: nothing is waited for any more, and no timer is left that would hold the program. */
  end(): void {
    this.isOver = true;
    for (const giveUp of [...this.waits]) giveUp();
  }

  /** Calls `late` after `ms`, or `givenUp` where it all ends before. */
  private after(ms: number, late: () => void, givenUp: () => void): Cancel {
    const cancel = this.clock.after(this.isOver ? 0 : ms, () => {
      this.waits.delete(giveUp);
      (this.isOver ? givenUp : late)();
    });
    const done = (): void => {
      cancel();
      this.waits.delete(giveUp);
    };
    const giveUp = (): void => {
      done();
      givenUp();
    };
    this.waits.add(giveUp);
    return done;
  }

  /** Waits until something is so, looked at now and after each line. @returns whether it became so within `ms` */
  async until(so: () => boolean, ms: number): Promise<boolean> {
    const end = this.clock.now() + ms;
    while (!so()) {
      const left = end - this.clock.now();
      const came = left > 0 && (await this.hear(/^/, left).catch(() => undefined)) !== undefined;
      if (!came) return so();
    }
    return true;
  }
}
