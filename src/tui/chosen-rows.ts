import { Stopped } from '../viewer/superseded.js';
import type { Choice, Selection, Viewer, Watch } from '../viewer/viewer.js';
import type { Desk, Scope } from './view.js';

/** SIP dialogs of which the media are wanted, too, and the tunnels that they ran through; undefined: none. */
export interface DialogsWithMedia {
  readonly callIds: readonly string[];
  readonly tunnels?: readonly number[];
}

/** Rows that are listed somewhere: those that can be written instead of all. */
export interface Listed {
  readonly count: number;
  at(i: number): number;
  readonly words: string;
  /** Where they are the messages of calls: what finds the media of these. */
  readonly dialogs?: DialogsWithMedia;
}

/** The rows that a scope names one by one. */
export function listedOf(desk: Desk, scope: Scope | undefined): Listed | undefined {
  const rows = (scope?.rows ?? []).map((id) => desk.viewer.rows.byId(id)).filter((row) => row >= 0);
  if (rows.length === 0) return undefined;
  const { label: words = 'selected', dialogs } = scope!;
  return { count: rows.length, at: (i) => rows[i], words, ...(dialogs !== undefined && { dialogs }) };
}

/** The numbers of listed rows. */
export function rowNumbers({ count, at }: Listed): Uint32Array {
  const rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) rows[i] = at(i);
  return rows;
}

/** The same with the media of their dialogs, as `--call-id` of `read` takes them. @throws Stopped */
export async function withMedia({ viewer }: Desk, listed: Listed, watch: Watch): Promise<Uint32Array> {
  const rows = new Set(rowNumbers(listed));
  const { callIds, tunnels } = listed.dialogs!;
  for (const callId of callIds) {
    const found = await wholeOf(viewer, { kind: 'both', parties: { callId }, ...(tunnels && { tunnels }) }, watch);
    for (let i = 0; i < found.count; i++) rows.add(found.at(i));
  }
  return Uint32Array.from(rows).sort();
}

/** What a choice finds among the rows that there are now. */
function wholeOf(viewer: Viewer, choice: Choice, { signal, progress }: Watch): Promise<Selection> {
  return new Promise((resolve, reject) => {
    const selection = viewer.select(choice);
    const stop = (): void => {
      selection.cancel();
      reject(new Stopped());
    };
    selection.onMore(() => {
      const { seen, done, error } = selection;
      progress(seen / Math.max(1, viewer.rows.count));
      if (error !== undefined) reject(new Error(error));
      else if (done || (viewer.status.growing && seen >= viewer.rows.count)) {
        selection.cancel();
        resolve(selection);
      }
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}
