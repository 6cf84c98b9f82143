import { headAnswerLength } from '../../dissectors/http/message.js';
import type { AnyDissector } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Side } from './client-side.js';

/** Which answers of an HTTP connection are to a HEAD: they say of a body that does not follow. RFC 9112 §6.3. */
export class Answers {
  /** Requests that wait for their answers, from the first HEAD on: whether each is one. */
  private readonly heads: boolean[] = [];
  private asker: Side = 0;

  /** `side` sent a message with this first line; `status` is 0 where it is no response. */
  see(side: Side, line: string, status: number): void {
    const { heads } = this;
    if (status >= 200 && side !== this.asker) heads.shift();
    if (status !== 0 || !/ HTTP\/1\.\d$/.test(line)) return;
    const isHead = line.startsWith('HEAD ');
    if (isHead && heads.length === 0) this.asker = side;
    if (side === this.asker && (isHead || heads.length > 0) && heads.length < LIMITS.transactions) heads.push(isHead);
  }

  /** How long the next message of `side` is, where that is not as the dissector has it. */
  length(side: Side): AnyDissector['pduLength'] {
    return side !== this.asker && this.heads[0] ? headAnswerLength : undefined;
  }
}
