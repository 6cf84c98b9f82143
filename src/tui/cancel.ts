import type { Desk, Message } from './view.js';

/** Milliseconds within which a second Ctrl-C quits, whatever the screen says by then. */
const QUIT_MS = 2000;

/** Ctrl-C: cancels what runs; once more, soon or while it is said that this quits, it ends the program. */
export class Cancel {
  private at = Number.NEGATIVE_INFINITY;
  /** The message that says that once more quits, while it stands there. */
  private said: Message | undefined;

  /** @param stop stops what brings packets, and says what that was */
  constructor(
    private readonly desk: Desk,
    private readonly stop: (() => string | undefined) | undefined,
    private readonly end: () => void,
  ) {}

  /** A key was pressed while a message stood there. */
  pressed(shown: Message | undefined): void {
    if (shown !== this.said) this.said = undefined;
  }

  run(): void {
    if (Date.now() - this.at < QUIT_MS || this.said !== undefined) {
      this.end();
      return;
    }
    const { keymap, messages } = this.desk;
    this.desk.say(keymap.words(this.cancelled()));
    this.at = Date.now();
    this.said = messages.at(-1);
  }

  private cancelled(): string {
    const { live, viewer } = this.desk;
    const stopped = this.stop?.();
    if (stopped !== undefined) return `${stopped}; {cancel} once more quits`;
    if (live !== undefined) return '{cancel} once more ends it and quits';
    if (viewer.status.done) return 'nothing to cancel; {cancel} once more quits';
    viewer.cancel();
    return 'reading was stopped; {cancel} once more quits';
  }
}
