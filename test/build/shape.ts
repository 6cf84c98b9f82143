/** What is missing from a capture, or in it twice. */

import type { Frame, Shaper } from './capture.js';
import type { Side } from './conversation.js';
import { SYN } from './packets.js';

/** Whether a frame carries data behind the first `after` octets of its stream. */
const carries = (f: Frame, after: number): boolean =>
  f.segment !== null && f.segment.to > f.segment.from && f.segment.from >= after;

/** Leaves out data segments that lie behind the first octets of each stream, with a chance. The receivers got them. */
export const drop =
  (chance: number, after: readonly [number, number] = [0, 0]): Shaper =>
  (frames, next) =>
    frames.filter((f) => !(carries(f, after[f.side]) && next() < chance));

/** Only what one side sent. */
export const only =
  (side: Side): Shaper =>
  (frames) =>
    frames.filter((f) => f.side === side);

/** The capture starts when so many octets of each stream are past, or later. */
export const late =
  (past: readonly [number, number]): Shaper =>
  (frames) => {
    const first = frames.findIndex(
      (f) => f.segment !== null && f.segment.from >= past[f.side] && f.segment.ack >= past[f.side === 0 ? 1 : 0],
    );
    return frames.slice(Math.max(0, first));
  };

/** Frames are cut after `octets`. */
export const snaplen =
  (octets: number): Shaper =>
  (frames) =>
    frames.map((f) => ({ ...f, octets: f.octets.subarray(0, octets) }));

/** Frames are captured a second time, microseconds later, with a chance; at another interface if one is named. */
export const twice =
  (chance: number, iface = 0): Shaper =>
  (frames, next) =>
    frames.flatMap((f) => (next() < chance ? [f, { ...f, iface, time: f.time + 1000 }] : [f]));

/** The place of capture delivers frames up to so many places too late, but none before the opening. */
export const jitter =
  (places: number): Shaper =>
  (frames, next) =>
    frames
      .map((f, i) => ({ f, at: f.segment !== null && f.segment.flags & SYN ? i : i + next() * places }))
      .sort((a, b) => a.at - b.at)
      .map(({ f }) => f);

/** Keeps the frames that `keep` says. */
export const where =
  (keep: (f: Frame, index: number) => boolean): Shaper =>
  (frames) =>
    frames.filter(keep);

/** The padding of the smallest Ethernet frames stands in the length of IP, as if TCP had sent it. */
export const padded = (): Shaper => (frames) =>
  frames.map((f) => {
    const room = 60 - f.octets.length;
    if (room <= 0 || f.segment === null || f.payload > 0) return f;
    const octets = new Uint8Array(60);
    octets.set(f.octets);
    octets[17] += room; // the total length of IPv4 behind Ethernet
    return { ...f, octets, wire: 60 };
  });
