/*
 * What the records of a tunnel look like from outside, where nothing of it can be read: a call sends speech frames at a
 * steady pace and of one size.
 */

/** Frames with records of a tunnel. */
export interface Cadence {
  up: number;
  down: number;
  /** The longest time in which they came as those of a call do. */
  steady?: { upPerSecond: number; downPerSecond: number; durationMs: number };
}

/** Seconds that are looked at together. */
const SPAN = 0.5;
/** Spans in a row that are more than chance. */
const LEAST_SPANS = 2;
/** Frames of a direction in a span: speech comes each 20 ms, or two frames at once each 40 ms. */
const PACE = { least: 0.4 * 50 * SPAN, most: 1.4 * 50 * SPAN };
/** The share of frames in a span that are as long as the one before them. */
const ALIKE = 0.7;

/** The frames of one direction in a span. */
class Lane {
  frames = 0;
  alike = 0;
  private length = 0;

  take(length: number): void {
    this.frames++;
    if (length === this.length) this.alike++;
    this.length = length;
  }

  get isSpeech(): boolean {
    const { frames, alike } = this;
    return frames >= PACE.least && frames <= PACE.most && alike >= ALIKE * frames;
  }
}

/** Looks at the frames with records of a tunnel, one after the other. */
export class CadenceWatch {
  private readonly lanes = [new Lane(), new Lane()] as const;
  private readonly all = [0, 0];
  private readonly run = { up: 0, down: 0, spans: 0 };
  private best = { up: 0, down: 0, spans: 0 };
  private span = 0;

  /**
   * Takes a frame.
   * @param at seconds since the first frame of the capture
   * @param way 0 up, 1 down
   */
  take(at: number, way: 0 | 1, length: number): void {
    const span = Math.floor(at / SPAN);
    if (span !== this.span) this.next(span);
    this.lanes[way].take(length);
    this.all[way]++;
  }

  /** No more frames will come. */
  end(): Cadence {
    this.next(this.span + 1);
    const { best } = this;
    const [up, down] = this.all;
    if (best.spans < LEAST_SPANS) return { up, down };
    const seconds = best.spans * SPAN;
    const [upPerSecond, downPerSecond] = [Math.round(best.up / seconds), Math.round(best.down / seconds)];
    return { up, down, steady: { upPerSecond, downPerSecond, durationMs: seconds * 1000 } };
  }

  private next(to: number): void {
    const { lanes, run } = this;
    if (lanes[0].isSpeech && lanes[1].isSpeech) {
      run.up += lanes[0].frames;
      run.down += lanes[1].frames;
      run.spans++;
      if (run.spans > this.best.spans) this.best = { ...run };
    } else run.up = run.down = run.spans = 0;
    for (const l of lanes) l.frames = l.alike = 0;
    if (to > this.span + 1) run.up = run.down = run.spans = 0;
    this.span = to;
  }
}
