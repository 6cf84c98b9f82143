import { LIMITS } from '../limits.js';
import { Content } from './events.js';
import { Arrival, isBefore } from './moment.js';
import { SipEvent, type SipKnown } from './sip-event.js';

/** An answer that waits for its request. */
interface Waiting {
  readonly at: Arrival;
  readonly content: Content;
}

/**
 * The last answers that came before what they answer, as they do where a capture has both directions out of order: by the
 * queues of a network card, or because their clocks differ.
 */
export class EarlyAnswers {
  private readonly waiting = new Map<string, Waiting>();

  /** @param known what was seen before */
  constructor(private readonly known: SipKnown) {}

  /** An answer to nothing that was seen so far. */
  keep(at: Arrival, e: SipEvent): void {
    if (this.waiting.size >= LIMITS.earlyAnswers)
      for (const first of this.waiting.keys()) {
        this.waiting.delete(first); // of most answers the request came before the capture began
        break;
      }
    this.waiting.set(keyOf(at, e), { at: Object.assign(new Arrival(at.severalFiles), at), content: copied(e.content) });
  }

  /** The answer to a request, if it has come: no earlier than that. */
  answerTo(at: Arrival, e: SipEvent): { readonly at: Arrival; readonly event: SipEvent } | undefined {
    if (this.waiting.size === 0) return undefined;
    const key = keyOf(at, e);
    const found = this.waiting.get(key);
    if (found === undefined) return undefined;
    this.waiting.delete(key);
    const event = SipEvent.of(found.content, this.known);
    if (event === undefined) return undefined;
    if (isBefore(found.at, at)) Object.assign(found.at, { seconds: at.seconds, nanos: at.nanos });
    return { at: found.at, event };
  }
}

/** RFC 3261 §17.1.3 */
const keyOf = ({ tunnel }: Arrival, { callId, cseq, branch }: SipEvent): string =>
  `${tunnel} ${cseq} ${branch} ${callId}`;

/** The message, which lasts as long as the copy does. */
function copied(c: Content): Content {
  const copy = new Content();
  const first = Math.min(c.source, c.destination);
  copy.buf = c.buf.slice(c.off, c.end);
  copy.end = copy.buf.length;
  copy.wireEnd = copy.end + c.wireEnd - c.end;
  copy.net = c.net;
  copy.addresses = c.addresses.slice(first, first + 2 * (c.net === 4 ? 4 : 16));
  copy.source = c.source - first;
  copy.destination = c.destination - first;
  copy.sport = c.sport;
  copy.dport = c.dport;
  copy.stream = c.stream;
  return copy;
}
