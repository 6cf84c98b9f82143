import type { CallEntity, CallState, MediaEntity } from './entities.js';
import { lossOf } from './quality.js';

/** Whether a call was on when its tunnel ended: nobody released it, and nobody heard anything any more. */
export const isCutOff = ({ state, failure }: CallEntity): boolean => state === 'established' && failure !== undefined;

/** What a summary says of calls, however many there are. */
export class CallTally {
  readonly byState: Record<CallState, number>;
  /** Of those that are established. */
  cutOff: number;
  readonly pddMs: number[];
  readonly setupMs: number[];

  /** @param first those that are counted already */
  constructor(first?: CallTally) {
    this.byState = { ...(first?.byState ?? NO_CALLS) };
    this.cutOff = first?.cutOff ?? 0;
    this.pddMs = [...(first?.pddMs ?? [])];
    this.setupMs = [...(first?.setupMs ?? [])];
  }

  add(c: CallEntity): void {
    const { state, pddMs, setupMs } = c;
    this.byState[state]++;
    if (isCutOff(c)) this.cutOff++;
    if (pddMs !== undefined) this.pddMs.push(pddMs);
    if (setupMs !== undefined) this.setupMs.push(setupMs);
  }
}

const NO_CALLS = { established: 0, failed: 0, cancelled: 0, ringing: 0, 'in-progress': 0, ended: 0 };

/** What a summary says of media: their packets, duplicates aside, those lost, and each stream's share and jitter. */
export class MediaTally {
  streams: number;
  packets: number;
  duplicates: number;
  lost: number;
  readonly lostPercent: number[];
  readonly jitterMs: number[];

  /** @param first those that are counted already */
  constructor(first?: MediaTally) {
    this.streams = first?.streams ?? 0;
    this.packets = first?.packets ?? 0;
    this.duplicates = first?.duplicates ?? 0;
    this.lost = first?.lost ?? 0;
    this.lostPercent = [...(first?.lostPercent ?? [])];
    this.jitterMs = [...(first?.jitterMs ?? [])];
  }

  add(m: MediaEntity): void {
    if (m.copyOf !== undefined) return; // what was seen behind the EFTF too counts once
    this.streams++;
    this.packets += m.packets - m.duplicates;
    this.duplicates += m.duplicates;
    const { lost, percent } = lossOf(m);
    this.lost += lost;
    this.lostPercent.push(percent);
    if (m.jitterMs !== undefined) this.jitterMs.push(m.jitterMs.mean);
  }
}

/** Of all calls and media of a report. */
export interface Tallies {
  readonly calls: CallTally;
  readonly media: MediaTally;
}
