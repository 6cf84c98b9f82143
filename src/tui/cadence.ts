import { Direction, type Rows } from '../viewer/rows.js';

/*
 * What the records of a tunnel look like from outside, where nothing of it can be read: a call sends speech frames at a
 * steady pace and of one size.
 */

/** Records that come as those of a call do, for a while. */
export interface Steady {
  /** Frames with records in a second, up and down. */
  readonly up: number;
  readonly down: number;
  readonly seconds: number;
}

/** Frames with records of a tunnel. */
export interface Cadence {
  readonly up: number;
  readonly down: number;
  /** The longest time in which they came as those of a call do. */
  readonly steady: Steady | undefined;
}

/** Seconds that are looked at together. */
const SPAN = 0.5;
/** Spans in a row that are more than chance. */
const LEAST_SPANS = 2;
/** Frames of a direction in a span: speech comes each 20 ms, or two frames at once each 40 ms. */
const PACE = { least: 0.4 * 50 * SPAN, most: 1.4 * 50 * SPAN };
/** The share of frames in a span that are as long as the one before them. */
const ALIKE = 0.7;
/** Rows that are looked at between two breaths. */
const BREATH = 1 << 14;

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

/** Looks at the rows of a tunnel. */
export function* cadenceOf(rows: Rows, tunnel: number): Generator<void, Cadence> {
  const lanes = [new Lane(), new Lane()] as const;
  const all = [0, 0];
  const run = { up: 0, down: 0, spans: 0 };
  let best = { ...run };
  let span = 0;
  const next = (to: number): void => {
    if (lanes.every((l) => l.isSpeech)) {
      run.up += lanes[0].frames;
      run.down += lanes[1].frames;
      run.spans++;
      if (run.spans > best.spans) best = { ...run };
    } else run.up = run.down = run.spans = 0;
    for (const l of lanes) l.frames = l.alike = 0;
    if (to > span + 1) run.up = run.down = run.spans = 0;
    span = to;
  };
  for (let row = 0; row < rows.count; row++) {
    if (row % BREATH === 0) yield;
    if (rows.tunnel(row) !== tunnel || !rows.protocol(row).startsWith('TLS')) continue;
    const at = Math.floor(rows.relative(row) / SPAN);
    if (at !== span) next(at);
    const side = rows.direction(row) === Direction.up ? 0 : 1;
    lanes[side].take(rows.length(row));
    all[side]++;
  }
  next(span + 1);
  const seconds = best.spans * SPAN;
  const steady = { up: Math.round(best.up / seconds), down: Math.round(best.down / seconds), seconds };
  return { up: all[0], down: all[1], steady: best.spans < LEAST_SPANS ? undefined : steady };
}

/** `118 frames with records up, 115 down; 50 and 51 a second of one size for 1.5 s: looks like a voice call (inferred)`. */
export function cadenceWords({ up, down, steady: s }: Cadence): string {
  const frames = `${up} frames with records up, ${down} down`;
  if (s === undefined) return frames;
  const pace = s.up === s.down ? `${s.up} a second each way` : `${s.up} and ${s.down} a second`;
  return `${frames}; ${pace}, all of one size, for ${s.seconds} s: looks like a voice call (inferred)`;
}
