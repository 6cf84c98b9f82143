import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { Exit, UserError } from './errors.js';
import type { ScreenOptions } from './options.js';

/** Options that mean printed rows, so that what people do with tshark works. */
const PRINTS = [
  'format',
  'tree',
  'octets',
  'count',
  'field',
  'E',
  'j',
  'J',
  'write',
  'P',
  'l',
  't',
  'u',
  'O',
  'failOn',
  'z',
  'quiet',
] as const;

/** Whether screens are wanted: the terminal is there both ways, and nothing asks for printed rows. */
export function wantsScreens(captures: readonly string[], o: ScreenOptions): boolean {
  if (PRINTS.some((name) => o[name] !== undefined) || o.requireDecrypt === true) return false;
  return process.stdout.isTTY && keyboard([...(o.read ?? []), ...captures]) !== undefined;
}

/** Whether there is a terminal both ways. */
export const hasTerminal = (): boolean => process.stdout.isTTY && process.stdin.isTTY;

/** @throws UserError where there is no terminal for screens */
export function needsTerminal(): void {
  if (!hasTerminal()) throw new UserError('--ui: there is no terminal', Exit.usage, 'without it there is a console');
}

let tty: ReadStream | undefined;

/** Where keys come from: standard input, or the terminal itself where that is the capture; undefined: from nowhere. */
export function keyboard(names: readonly string[] = []): ReadStream | undefined {
  if (process.stdin.isTTY) return process.stdin;
  if (!names.includes('-') && tty === undefined) return undefined;
  try {
    tty ??= new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return undefined;
  }
  return tty;
}
