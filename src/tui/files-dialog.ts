import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ChoiceDialog, type ChoiceItem } from './choice-dialog.js';
import { entriesOf } from './files.js';
import type { Desk } from './view.js';
import { octets, plural } from './words.js';

const CAPTURE = /\.(pcap|pcapng|cap)(\.gz|\.zst|\.lz4)?$/i;

/** Opens a capture; with the key logs that it was opened with before. */
export type OpenFile = (path: string, keylogs: readonly string[]) => void;

/** Captures that were open lately, and a way to look for others. */
export function recentDialog(desk: Desk, open: OpenFile): void {
  const recent = desk.memory.state.recent.filter((r) => existsSync(r.path));
  const folder = recent.length > 0 ? dirname(recent[0].path) : process.cwd();
  const items: ChoiceItem[] = recent.map(({ path, keylogs }) => ({
    text: `${basename(path)}  ${dirname(path)}`,
    note: keylogs.length === 0 ? '' : plural(keylogs.length, 'key log'),
    take: () => open(path, keylogs),
  }));
  const others = [...new Set([folder, process.cwd()])].map((f) => ({
    text: `look in ${f}`,
    note: '',
    take: () => folderDialog(desk, f, open),
  }));
  desk.show(new ChoiceDialog(desk, 'Open a capture', () => [...items, ...others]));
}

/** What is in a folder: captures and other folders. */
function folderDialog(desk: Desk, folder: string, open: OpenFile): void {
  try {
    const { entries, more } = entriesOf(folder, (name) => CAPTURE.test(name));
    const items = entries.map((e) => ({
      text: e.folder ? `${e.name}/` : e.name,
      note: e.folder ? '' : octets(e.size),
      take: () => (e.folder ? folderDialog(desk, e.path, open) : open(e.path, keylogsOf(desk, e.path))),
    }));
    const words = entries.some((e) => !e.folder) ? [] : ['no capture here'];
    if (more > 0) words.push(`${plural(more, 'entry', 'entries')} more than fit the list: :open-file takes any path`);
    desk.show(new ChoiceDialog(desk, folder, () => items, words));
  } catch (e) {
    desk.say((e as Error).message, 'error');
  }
}

/** The key logs that a capture was opened with before. */
export function keylogsOf(desk: Desk, path: string): readonly string[] {
  const known = desk.memory.state.recent.find((r) => r.path === path)?.keylogs ?? [];
  return known.filter((k) => existsSync(k));
}
