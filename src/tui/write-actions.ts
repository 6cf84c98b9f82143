import { basename } from 'node:path';
import type { WriteRequest } from '../viewer/viewer.js';
import { ChoiceDialog } from './choice-dialog.js';
import { askForFile, stemOf } from './files.js';
import { watched } from './progress-dialog.js';
import type { Desk, Scope } from './view.js';
import { plural } from './words.js';

/** Rows that are listed somewhere: those that can be written instead of all. */
export interface Listed {
  readonly count: number;
  at(i: number): number;
  readonly words: string;
}

const INNER = 'inner: decrypted packets, for any tool';
const OUTER = 'outer: the frames as they were captured';

/**
 * Asks which packets to write, then where to. Keys are written only on request, and after a question.
 * @param file what is proposed as the name of the file; empty: a name made of that of the capture
 */
export function writeDialog(desk: Desk, listed: Listed | undefined, file = ''): void {
  const { tunnels } = desk.viewer.status;
  const hasInner = tunnels.some((t) => t.up + t.down > 0);
  const keyed = desk.viewer.status.keys.lines > 0;
  const item = (text: string, note: string, what: WriteRequest['what'], withKeys: boolean, some?: Listed) => ({
    text,
    note,
    take: () => ask(desk, what, withKeys, some, file),
  });
  const some = listed !== undefined && listed.count > 0 ? listed : undefined;
  const items = [
    ...(hasInner && some !== undefined
      ? [item(`${INNER}, ${some.words}`, plural(some.count, 'row'), 'inner', false, some)]
      : []),
    ...(hasInner ? [item(INNER, 'all', 'inner', false)] : []),
    ...(some !== undefined ? [item(`${OUTER}, ${some.words}`, plural(some.count, 'row'), 'outer', false, some)] : []),
    item(OUTER, 'all', 'outer', false),
    ...(keyed ? [item('keys included: the frames and what opens them', 'all', 'outer', true)] : []),
  ];
  const words = [
    ...(hasInner ? [] : ['No tunnel can be read, so there are no inner packets to write.']),
    ...(desk.viewer.status.done ? [] : ['The capture is still being read: what is written ends there.']),
  ];
  desk.show(new ChoiceDialog(desk, 'Write packets to a pcapng file', () => items, words));
}

function ask(desk: Desk, what: WriteRequest['what'], withKeys: boolean, some: Listed | undefined, file: string): void {
  const go = (): void => {
    const usual = `${stemOf(desk)}.${withKeys ? 'with-keys' : what}.pcapng`;
    askForFile(desk, 'write to', file === '' ? usual : file, async (path) => {
      const rows = some === undefined ? undefined : rowNumbers(some);
      const request = { path, what, withKeys, ...(rows !== undefined && { rows }) };
      const n = await watched(desk, `Writing ${basename(path)}`, (watch) => desk.viewer.write(request, watch));
      if (some === undefined && what === 'outer') desk.live?.saved();
      return `${path}: ${plural(n, 'packet')} written${withKeys ? ', with keys' : ''}`;
    });
  };
  if (withKeys) desk.confirm('Whoever gets the file can read all that the tunnels carried. Put the keys in?', go);
  else go();
}

function rowNumbers({ count, at }: Listed): Uint32Array {
  const rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) rows[i] = at(i);
  return rows;
}

/** The rows that a scope names one by one. */
export function listedOf(desk: Desk, scope: Scope | undefined): Listed | undefined {
  const rows = (scope?.rows ?? []).map((id) => desk.viewer.rows.byId(id)).filter((row) => row >= 0);
  if (rows.length === 0) return undefined;
  return { count: rows.length, at: (i) => rows[i], words: scope?.label ?? 'selected' };
}
