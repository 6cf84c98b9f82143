import { ours, tenths } from '../kit/index.js';
import type { Remark } from './findings.js';
import { type Moment, millis, type Seen } from './moment.js';

/** An answer on its way crosses one repetition of its request: who hears it repeats nothing a while after. */
const CROSSING_MS = 1000;
const CROSSING_TIMES = 2;

/**
 * A request that is repeated though it was answered: who sent it does not get the answer, or takes it for none of its own.
 * Responses end the repetition of a request over UDP. RFC 3261 §17.1.1.2, §17.1.2.2
 */
export class Unheard {
  /** The first repetition behind the answer, and whether the UE sent it. */
  first: { readonly at: Seen; readonly answerRow: string; readonly up: boolean } | null = null;
  private times = 0;
  private longestMs = 0;

  /** The request came again, behind its answer. */
  repeated(answered: Moment, answerRow: string, at: Seen, up: boolean): void {
    this.first ??= { at, answerRow, up };
    this.times++;
    this.longestMs = Math.max(this.longestMs, millis(answered, at));
  }

  /**
   * What is to be told, where answers that were on their way cannot explain it.
   * @param what came again
   * @param answer to it
   * @param tripMs to whoever hears it and back, where that is known: repetitions of so long are on their way
   */
  judge(
    what: 'REGISTER' | 'INVITE' | 'the answer to INVITE',
    answer: 'an answer to it' | 'its ACK',
    tripMs: number,
    raise: (at: Seen, remark: Remark) => void,
  ): boolean {
    const { first } = this;
    if (first === null || this.times < CROSSING_TIMES || this.longestMs < CROSSING_MS + tripMs) return false;
    const after = tenths(this.longestMs / 1000);
    const detail = ours`The ${first.up ? 'UE' : 'network'} sent ${what} ${this.times} times again after ${answer} had come by here, the last ${after} s after that.`;
    raise(first.at, { detail, rows: [first.answerRow] });
    return true;
  }
}
