import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, parse, resolve } from 'node:path';
import { systemError } from '../capture/errors.js';
import { statsOf } from '../capture/stats.js';
import { LIMITS } from '../limits.js';
import { sayUnwritten } from './progress-dialog.js';
import type { Completion } from './prompt.js';
import type { Desk } from './view.js';

/* Files that the user names. Nothing is written over without asking. */

/** A path as a shell would take it: `~` is the home folder. */
export const pathOf = (typed: string): string => resolve(typed.replace(/^~(?=\/|$)/, homedir()));

/** The name of the first capture without its ending, for files that are proposed. */
export function stemOf(desk: Desk): string {
  const name = desk.viewer.status.files[0]?.name ?? 'capture';
  return name === '-' ? 'capture' : parse(name).name.replace(/\.(pcap|pcapng)$/, '');
}

/** Ways to go on with a path that is being typed. */
export function completePath(text: string, cursor: number): Completion | undefined {
  const typed = text.slice(0, cursor);
  const slash = typed.lastIndexOf('/') + 1;
  const start = typed.slice(slash);
  try {
    const folder = pathOf(typed.slice(0, slash) || '.');
    const names = readdirSync(folder)
      .filter((name) => name.startsWith(start) && (start !== '' || !name.startsWith('.')))
      .sort();
    const more = names.length - LIMITS.pathCompletions;
    const words = names.slice(0, LIMITS.pathCompletions).map((name) => ({
      text: isFolder(folder, name) ? `${name}/` : name,
      ...(more > 0 && { note: `${more} more begin like that` }),
    }));
    return { from: slash, words };
  } catch {
    return undefined;
  }
}

function isFolder(folder: string, name: string): boolean {
  return statsOf(join(folder, name))?.isDirectory() === true;
}

/** An entry of a folder. */
export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly folder: boolean;
  readonly size: number;
}

/** What is in a folder that is `wanted`, folders first, and how many more there are. @throws Error in words */
export function entriesOf(folder: string, wanted: (name: string) => boolean): { entries: Entry[]; more: number } {
  let names: string[];
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((e) => !e.name.startsWith('.') && (!e.isFile() || wanted(e.name)))
      .sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || (a.name < b.name ? -1 : 1))
      .map((e) => e.name);
  } catch (e) {
    throw new Error(`${folder} cannot be read (${(e as NodeJS.ErrnoException).code})`);
  }
  const entries = names.slice(0, LIMITS.folderEntries).flatMap((name): Entry[] => {
    const path = join(folder, name);
    const s = statsOf(path);
    if (s === undefined || !(s.isDirectory() || wanted(name))) return [];
    return [{ name, path, folder: s.isDirectory(), size: s.size }];
  });
  entries.sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name, 'en'));
  if (dirname(folder) !== folder) entries.unshift({ name: '..', path: dirname(folder), folder: true, size: 0 });
  return { entries, more: Math.max(0, names.length - LIMITS.folderEntries) };
}

/** Whether something has this path that can be looked at. */
export const exists = (path: string): boolean => existsSync(path);

/** Whether a path leads to one of the files that are being read. */
function isOpen({ viewer }: Desk, path: string): boolean {
  const file = statsOf(path);
  return viewer.status.files.some(({ name }) => {
    const open = statsOf(name);
    return open !== undefined && open.ino === file?.ino && open.dev === file.dev;
  });
}

/** Asks for a file, and before one is written over; then `write` gets its path. */
export function askForFile(
  desk: Desk,
  label: string,
  proposed: string,
  write: (path: string) => Promise<string>,
): void {
  const go = (path: string): void => {
    write(path).then(
      (said) => desk.say(said),
      (e: Error) => sayUnwritten(desk, e),
    );
  };
  desk.prompt({
    label,
    text: proposed,
    selected: true,
    complete: completePath,
    judge: (text) => {
      if (text.trim() === '') return { text: 'a file name; Tab completes', wrong: false };
      const there = exists(pathOf(text.trim()));
      return { text: there ? 'this file is there already; you will be asked' : 'Enter writes it', wrong: false };
    },
    done: (text) => {
      const typed = text.trim();
      if (typed === '') return 'a file name is needed; Esc cancels';
      const path = pathOf(typed);
      if (isFolder(dirname(path), basename(path))) return `${typed} is a folder`;
      if (!exists(dirname(path))) return `there is no folder ${dirname(path)}`;
      if (isOpen(desk, path)) return `${typed} is being read; what is written needs another name`;
      if (exists(path)) desk.confirm(`${path} is there already. Write over it?`, () => go(path));
      else go(path);
      return undefined;
    },
  });
}

/** Writes text where only the user can read it. @throws Error in words */
export function writeText(path: string, text: string | Uint8Array): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (e) {
    throw systemError(path, e, 'FTT_E_WRITE');
  }
}
