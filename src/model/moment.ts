/** A point in time: seconds since the epoch, and nanoseconds. */
export interface Moment {
  readonly seconds: number;
  readonly nanos: number;
}

/** Where and when something was seen. */
export interface Seen extends Moment {
  /** Row as people write it: `812`, `812.1`, `2:812.1`. */
  readonly row: string;
}

/** Milliseconds from one time to another; negative where the second is earlier. */
export const millis = (from: Moment, to: Moment): number =>
  (to.seconds - from.seconds) * 1000 + (to.nanos - from.nanos) / 1e6;

/** The earlier of two times; the first where they are the same. */
export const earlier = (a: Moment, b: Moment): Moment => (isBefore(b, a) ? b : a);

/** `seconds` after `m`; parts of a second count. */
export function later(m: Moment, seconds: number): Moment {
  const nanos = m.nanos + (seconds % 1) * 1e9;
  return { seconds: m.seconds + Math.floor(seconds) + Math.floor(nanos / 1e9), nanos: nanos % 1e9 };
}

/** Whether `a` is earlier than `b`. */
export const isBefore = (a: Moment, b: Moment): boolean =>
  a.seconds < b.seconds || (a.seconds === b.seconds && a.nanos < b.nanos);

/** A row as people write it. @param file 0 where there is only one */
export function rowName(file: number, frame: number, inner: number): string {
  const s = inner === 0 ? `${frame}` : `${frame}.${inner}`;
  return file === 0 ? s : `${file}:${s}`;
}

/** The number of the file of a row; 1 where there is only one. */
export const fileOf = ({ row }: { readonly row: string }): number => {
  const colon = row.indexOf(':');
  return colon < 0 ? 1 : Number(row.slice(0, colon));
};

/**
 * The packet at hand: where it stands and when it came. One instance serves all packets; {@link seen} makes what may be
 * kept.
 */
export class Arrival implements Seen {
  file = 1;
  frame = 0;
  /** From 1 for what a tunnel carried; 0: the frame itself. */
  inner = 0;
  seconds = 0;
  nanos = 0;
  /** Number of the tunnel that it belongs to, 0 if none. */
  tunnel = 0;
  /** In a tunnel: whether it comes from the UE. */
  up = false;
  /** Octets of the packet: the inner one, or the frame as it was on the wire. */
  length = 0;
  /** @param severalFiles rows carry the number of their file */
  constructor(readonly severalFiles: boolean) {}

  get row(): string {
    return rowName(this.severalFiles ? this.file : 0, this.frame, this.inner);
  }

  seen(): Seen {
    return { row: this.row, seconds: this.seconds, nanos: this.nanos };
  }
}
