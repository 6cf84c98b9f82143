import { earlier, isBefore, type Moment, millis } from './moment.js';

/** What a file holds, from its first frame to its last. */
export interface Watched {
  readonly file: number;
  readonly name: string;
  readonly start: Moment;
  readonly end: Moment;
}

/** Files that are so far apart, and are not called alike, are different captures. */
const APART_MS = 300_000;
/** Those of a rotation are called alike but for numbers and times; nobody's line is silent for longer. */
const APART_ALIKE_MS = 3_600_000;

/** What files of one rotation are called, without their numbers and times. */
const patternOf = (name: string): string => name.replace(/\d+/g, '');

/**
 * When somebody captured. Captures that are given together may be of different days: what went on between them nobody
 * saw, so that nothing was awaited in vain then.
 */
export class Watch {
  /** When the capture that a file is part of ended. */
  private readonly ends = new Map<number, Moment>();

  constructor(files: Iterable<Watched> = []) {
    let together: Watched[] = [];
    let end: Moment | undefined;
    for (const f of [...files].sort((a, b) => millis(b.start, a.start))) {
      const apart = end === undefined ? 0 : millis(end, f.start);
      const most = together.some((x) => patternOf(x.name) === patternOf(f.name)) ? APART_ALIKE_MS : APART_MS;
      if (apart > most) [together, end] = [[], undefined];
      together.push(f);
      if (end === undefined || isBefore(end, f.end)) end = f.end;
      for (const x of together) this.ends.set(x.file, end);
    }
  }

  /** Until when what was seen in these files could be heard: the last of them; `end` where that is not known. */
  until(files: Iterable<number>, end: Moment): Moment {
    let until: Moment | undefined;
    for (const f of files) {
      const over = this.ends.get(f);
      if (over !== undefined && (until === undefined || isBefore(until, over))) until = over;
    }
    return until === undefined ? end : earlier(until, end);
  }
}
