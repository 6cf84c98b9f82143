/** Which response answers which query: what the index pass remembers of each conversation. */
import { type AnyDissector, difference, LIMITS, type Track } from 'fttscope/kit';

/** Nobody waits longer for an answer, in seconds: a query that is older may make room unnoticed. */
const PATIENCE = 60;
/** A query with the identifier of one that was not answered is a retransmission for so many seconds. */
const AGAIN = 5;

interface Transaction {
  readonly query: number;
  readonly seconds: number;
  readonly nanos: number;
  /** Frame of the first response, 0 without one. */
  response: number;
}

/** What a message is in its conversation; frames are numbers in the file. */
export interface DnsNote {
  /** The query that this response answers, and how long that took. */
  readonly answers?: { readonly query: number; readonly seconds: number; readonly nanos: number };
  /** The query or response that this one repeats. */
  readonly repeats?: number;
  /** A response that nobody asked for. */
  readonly unsolicited?: boolean;
}

/** Follows one message: identifier `id`, and whether it is a response. */
export function follow(d: AnyDissector, cx: Track, id: number, isResponse: boolean): void {
  const open = cx.flow(d, () => new Map<number, Transaction>());
  const known = open.get(id);
  if (isResponse) {
    if (known === undefined) cx.note({ unsolicited: true } satisfies DnsNote);
    else if (known.response !== 0) cx.note({ repeats: known.response } satisfies DnsNote);
    else {
      known.response = cx.frame;
      cx.note({ answers: since(known, cx) } satisfies DnsNote);
    }
    return;
  }
  if (known !== undefined && known.response === 0 && since(known, cx).seconds < AGAIN) {
    cx.note({ repeats: known.query } satisfies DnsNote);
    return;
  }
  open.delete(id);
  if (open.size >= LIMITS.transactions) {
    const [oldest, { response, seconds }] = open.entries().next().value!;
    open.delete(oldest);
    if (response === 0 && cx.seconds - seconds < PATIENCE) cx.capped('transactions');
  }
  open.set(id, { query: cx.frame, seconds: cx.seconds, nanos: cx.nanos, response: 0 });
}

function since(t: Transaction, cx: Track): { query: number; seconds: number; nanos: number } {
  const [seconds, nanos] = difference(cx.seconds, cx.nanos, t.seconds, t.nanos);
  return { query: t.query, seconds, nanos };
}
