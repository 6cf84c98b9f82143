import { CALM_MS } from '../model/archive.js';
import { millis } from '../model/moment.js';
import type { Rows } from '../viewer/rows.js';
import type { Story } from './told.js';

/** Rows of the SIP dialog that a row belongs to, and words for it; undefined: it belongs to none that the report tells. */
export function dialogOf(
  story: Story | undefined,
  all: Rows,
  row: number,
): { readonly rows: ReadonlySet<string>; readonly words: string } | undefined {
  if (story === undefined) return undefined;
  const id = all.id(row);
  const at = { seconds: all.seconds(row), nanos: all.nanos(row) };
  for (const c of story.calls) {
    if (millis(c.start, at) < 0 || (c.end !== undefined && millis(c.end, at) > CALM_MS)) continue;
    const rows = c.messages.map((m) => m.row);
    if (rows.includes(id)) return { rows: new Set(rows), words: `call ${c.id}` };
  }
  for (const r of story.registrations) {
    const rows = r.transactions.flatMap((t) => (t.responseRow === undefined ? [t.row] : [t.row, t.responseRow]));
    if (rows.includes(id)) return { rows: new Set(rows), words: `registration ${r.id}` };
  }
  for (const m of [...story.messages, ...story.subscriptions])
    if (m.rows.includes(id)) return { rows: new Set(m.rows), words: `dialog ${m.callId}` };
  return undefined;
}

/** Whether two rows are of one stream: the same ends, tunnel and protocol. */
export function sameStream(rows: Rows, a: number, b: number): boolean {
  if (rows.tunnel(a) !== rows.tunnel(b) || rows.inner(a) > 0 !== rows.inner(b) > 0) return false;
  const [s, d] = [rows.source(a), rows.destination(a)];
  const same =
    (rows.source(b) === s && rows.destination(b) === d) || (rows.source(b) === d && rows.destination(b) === s);
  return same && rows.protocol(a) === rows.protocol(b);
}

/** Whether something was noticed about a row that somebody should look at. */
export function isNoticed(rows: Rows, row: number): boolean {
  const s = rows.severity(row);
  return s === 'warn' || s === 'error' || rows.findings(row).length > 0;
}
