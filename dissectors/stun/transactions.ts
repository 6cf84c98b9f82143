import { type AnyDissector, difference, hex, LIMITS, type Track } from 'fttscope/kit';

/** RFC 8489 §6.2.1: a client gives up after 39.5 s; a transaction that is older may make room unnoticed. */
const PATIENCE = 40;

/** The first request, and the first response or indication, of a transaction; frames are 0 before they came. */
interface Transaction {
  request: number;
  seconds: number;
  nanos: number;
  response: number;
}

/** What a message is among those of its conversation. */
export interface StunNote {
  /** Frame of the first message of the same kind with this identifier, 0 for the first itself. */
  readonly repeats: number;
  /** Frame of the other half of the transaction, 0 where it was not seen yet. */
  readonly other: number;
  /** From the request to this message, where {@link other} is the request. */
  readonly seconds: number;
  readonly nanos: number;
}

/** Follows the message whose transaction identifier is the `length` octets at `id`. RFC 8489 §6.3. */
export function follow(
  d: AnyDissector,
  cx: Track,
  b: Uint8Array,
  id: number,
  length: number,
  isRequest: boolean,
): void {
  const open = cx.flow(d, () => new Map<string, Transaction>());
  const key = hex(b, id, length, '');
  let known = open.get(key);
  if (known === undefined) {
    if (open.size >= LIMITS.transactions) {
      const [oldest, { request, response, seconds }] = open.entries().next().value!;
      open.delete(oldest);
      if (request !== 0 && response === 0 && cx.seconds - seconds < PATIENCE) cx.capped('transactions');
    }
    open.set(key, (known = { request: 0, seconds: 0, nanos: 0, response: 0 }));
  }
  const repeats = isRequest ? known.request : known.response;
  if (isRequest && repeats === 0) {
    known.request = cx.frame;
    known.seconds = cx.seconds;
    known.nanos = cx.nanos;
  } else if (repeats === 0) known.response = cx.frame;
  const other = isRequest ? known.response : known.request;
  if (repeats === 0 && other === 0) return; // nothing to say
  const [seconds, nanos] = difference(cx.seconds, cx.nanos, known.seconds, known.nanos);
  cx.note({ repeats, other, seconds, nanos } satisfies StunNote);
}
