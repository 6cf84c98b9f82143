import type { Story } from '../viewer/story.js';
import type { Viewer } from '../viewer/viewer.js';
import { CallsSoFar } from './calls-so-far.js';
import { plural } from './words.js';

export type { Story };

/** Milliseconds between reports while a capture is being read, at least; and how many times as long as one took. */
const PAUSE_MS = 3000;
const PAUSE_TIMES = 10;
/** A report is not worth while if in so many times the time that it takes all is read, and there is the whole one. */
const WORTH_TIMES = 4;

/** A report of less than one part in so many of a capture takes as long as one of that: most of it is to begin at all. */
const LEAST_PARTS = 20;

/** Of how much a report tells that is not whole, for what it has none of: `in the first 1,234 frames`. */
export function untilThen({ capture }: Story): string {
  const frames = capture.files.reduce((n, f) => n + f.frames, 0);
  return frames === 0 ? 'so far' : `in the first ${plural(frames, 'frame')}`;
}

/** The same, and why there may be more. */
export const untilMore = (story: Story, { status }: Viewer): string =>
  `${untilThen(story)}; ${status.done ? 'the report is still being made' : 'the capture is still being read'}.`;

/** The same before what it counts, where more frames were read since: `in the first 1,234 frames: `. */
export function sinceThen({ told: { story }, viewer }: { readonly told: Told; readonly viewer: Viewer }): string {
  if (story === undefined || story.whole) return '';
  const frames = story.capture.files.reduce((n, f) => n + f.frames, 0);
  return frames < viewer.status.frames && frames > 0 ? `${untilThen(story)}: ` : '';
}

/**
 * The newest report of a capture. It is asked for when somebody looks ({@link want}), again every few seconds while
 * reading goes on, and once more when all is read.
 */
export class Told {
  /** Undefined until the first has come. */
  story: Story | undefined;
  /** The last report, without the calls that are known besides. */
  private report: Story | undefined;
  private readonly over: CallsSoFar;
  /** The report is that of the whole capture. */
  whole = false;
  /** Why there is none. */
  error: string | undefined;
  private asking = false;
  private wanted = false;
  private next = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Frames and rows that there were for the last report: frames may be counted before it can tell of them. */
  private had = -1;
  /** Milliseconds that it took for each octet that was read by then. */
  private pace = 0;

  constructor(
    private readonly viewer: Viewer,
    private readonly changed: () => void,
  ) {
    this.over = new CallsSoFar(viewer, () => {
      if (this.report === undefined || this.whole) return;
      this.story = { ...this.report, calls: this.over.with(this.report.calls) };
      this.changed();
    });
    viewer.onStatus(() => this.look());
  }

  /** Says that somebody looks. */
  want(): void {
    this.wanted = true;
    this.look();
  }

  /** Says that somebody looks at calls, so that those that are over come sooner than the report that tells of them. */
  wantCalls(): void {
    if (this.report !== undefined && !this.whole) this.over.look();
  }

  /** There are calls that the last report does not tell of. */
  get hasMoreCalls(): boolean {
    return this.story !== this.report;
  }

  /** What is known is of an older reading. */
  forget(): void {
    this.over.forget();
    this.story = this.report = undefined;
    this.whole = false;
    this.next = 0;
    this.had = -1;
    this.pace = 0;
    this.look();
  }

  private look(): void {
    const { done, frames, rows, read } = this.viewer.status;
    if (!this.wanted || this.asking || this.whole || (!done && !this.isWorthWhile())) return;
    const wait = this.next - Date.now();
    if (!done && (wait > 0 || frames + rows === this.had)) {
      // No packet may come that says when it is time.
      if (wait > 0) this.timer ??= setTimeout(() => this.late(), wait).unref();
      return;
    }
    this.had = frames + rows;
    this.asking = true;
    this.wanted = done;
    const began = Date.now();
    const rest = (): void => {
      this.asking = false;
      const took = Date.now() - began;
      this.pace = took / Math.max(1, read, (this.viewer.status.size ?? 0) / LEAST_PARTS);
      this.next = Date.now() + Math.max(PAUSE_MS, PAUSE_TIMES * took);
    };
    this.viewer.story().then(
      (story) => {
        rest();
        this.take(story);
      },
      (e: Error) => {
        rest();
        this.error = e.message;
        this.wanted = false;
        this.changed();
      },
    );
  }

  /** Whether another report is there well before that of the whole capture. */
  private isWorthWhile(): boolean {
    const { read, size, elapsedMs, growing } = this.viewer.status;
    if (size === undefined || growing || this.pace === 0) return true;
    // What a report of little took says nothing of one of much; but none takes longer than it took to read so far.
    const takes = Math.min(this.pace * read, elapsedMs);
    return (elapsedMs * (size - read)) / Math.max(1, read) > WORTH_TIMES * takes;
  }

  private late(): void {
    this.timer = undefined;
    this.look();
  }

  private take(story: Story): void {
    this.report = story;
    this.whole = story.whole;
    if (this.whole) this.over.forget();
    this.story = this.over.count === 0 ? story : { ...story, calls: this.over.with(story.calls) };
    this.error = undefined;
    this.changed();
    this.look();
  }
}
