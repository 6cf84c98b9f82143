/** What a reader has to find in a capture, from its layout alone. */

import type { Frame } from './capture.js';
import type { Connection, Segment } from './connection.js';
import type { Inner, Side } from './conversation.js';

/** An envelope and when it can be read. */
export interface InnerTruth {
  readonly inner: Inner;
  /** Frame (from 1) that fills the last hole before the end of its last record; 0: that hole is never filled. */
  readonly frame: number;
  /** Whether all of its records are in the capture, whatever else is missing. */
  readonly captured: boolean;
  /** Number of the run of octets without a hole that they are in, from 0; -1: none. */
  readonly run: number;
}

/** The parts of a stream that the frames so far have brought. */
class Coverage {
  /** Sorted ranges, apart from each other. */
  readonly ranges: [number, number][] = [];

  /** @param start position of the first octet that counts */
  constructor(readonly start: number) {}

  add(from: number, to: number): void {
    const last = this.ranges[this.ranges.length - 1];
    if (last !== undefined && last[1] === from) {
      last[1] = to;
      return;
    }
    const { ranges } = this;
    let i = ranges.findIndex((r) => r[1] >= from);
    if (i < 0) i = ranges.length;
    let [a, b] = [from, to];
    let n = 0;
    for (; i + n < ranges.length && ranges[i + n]![0] <= to; n++) {
      a = Math.min(a, ranges[i + n]![0]);
      b = Math.max(b, ranges[i + n]![1]);
    }
    ranges.splice(i, n, [a, b]);
  }

  /** End of what is there from the start on without a hole. */
  get end(): number {
    const first = this.ranges[0];
    return first === undefined || first[0] > this.start ? this.start : first[1];
  }

  /** Index of the range that holds `[from, to)`, or -1. */
  holder(from: number, to: number): number {
    return this.ranges.findIndex((r) => r[0] <= from && r[1] >= to);
  }
}

/** The truth about each connection, in the order of the streams of each side. */
export function truthOf(frames: readonly Frame[], connections: readonly Connection[]): InnerTruth[][] {
  const followed = new Map(connections.map((c) => [c, [followerOf(frames, c, 0), followerOf(frames, c, 1)] as const]));
  const parts = new Map<Segment, Set<number>>();
  frames.forEach((f, i) => {
    if (f.connection === null || f.segment === null) return;
    const { from } = f.segment;
    let have = f.payload - (f.wire - f.octets.length);
    if (f.fragments > 1) {
      if (f.wire > f.octets.length) return;
      const seen = parts.get(f.segment) ?? new Set();
      parts.set(f.segment, seen.add(f.fragment));
      if (seen.size !== f.fragments) return;
      have = f.payload;
    }
    if (have > 0) followed.get(f.connection)![f.side].take(from, from + have, i + 1);
  });
  return connections.map((c) => c.conversation.inner.map((inner) => followed.get(c)![inner.side].truth(inner)));
}

/** Notes for the envelopes of one side in which frame each becomes readable. */
class Follower {
  private readonly coverage: Coverage;
  private readonly inner: Inner[];
  private readonly frames = new Map<Inner, number>();
  private next = 0;

  constructor(connection: Connection, side: Side, start: number) {
    this.coverage = new Coverage(start);
    this.inner = connection.conversation.inner.filter((i) => i.side === side);
    while (this.next < this.inner.length && this.inner[this.next]!.from < start) this.next++;
  }

  take(from: number, to: number, frame: number): void {
    this.coverage.add(from, to);
    const { end } = this.coverage;
    for (let i = this.inner[this.next]; i !== undefined && i.to <= end; i = this.inner[++this.next])
      this.frames.set(i, frame);
  }

  truth(inner: Inner): InnerTruth {
    const run = this.coverage.holder(inner.from, inner.to);
    return { inner, frame: this.frames.get(inner) ?? 0, captured: run >= 0, run };
  }
}

/** A stream counts from its start where the opening was captured, else from its first octet that was. */
function followerOf(frames: readonly Frame[], c: Connection, side: Side): Follower {
  const mine = frames.filter((f) => f.connection === c && f.side === side);
  const opened = mine.some((f) => f.segment !== null && (f.segment.flags & 2) !== 0);
  const first = opened ? 0 : (mine.find((f) => f.payload > 0)?.segment?.from ?? 0);
  return new Follower(c, side, first);
}
