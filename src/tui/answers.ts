import type { Story } from './told.js';

/** A message of a dialog, as far as it says what answers what. RFC 3261 §8.1.1.5 */
interface Numbered {
  readonly row: string;
  readonly method: string;
  readonly cseq: number;
  readonly status?: number | undefined;
}

/** The row of the last response to a request, or of the request that a response answers; undefined: there is none. */
export function answerTo(row: string, story: Story | undefined): string | undefined {
  for (const { messages } of story?.calls ?? []) {
    const own = messages.find((m) => m.row === row);
    if (own !== undefined) return among(own, messages);
  }
  for (const { transactions } of story?.registrations ?? []) {
    const t = transactions.find((x) => x.row === row || x.responseRow === row);
    if (t !== undefined) return t.row === row ? t.responseRow : t.row;
  }
  return undefined;
}

function among(own: Numbered, messages: readonly Numbered[]): string | undefined {
  const same = messages.filter((m) => m.cseq === own.cseq && m.method === own.method);
  if (own.status !== undefined) return same.find((m) => m.status === undefined)?.row;
  return same.findLast((m) => m.status !== undefined)?.row;
}
