import { printable } from '../kit/text.js';
import { ascii } from '../report/ascii.js';
import { writeAll } from './output.js';

/** Whether the locale's character set is UTF-8, by the variables that the C library reads. */
export const UTF8 = /utf-?8/i.test(process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '');

/** Says something to the user on stderr, in as many lines as are given, whatever stands in them. */
export function tell(...lines: readonly string[]): void {
  write(lines.map((line) => `${forTerminal(line)}\n`).join(''));
}

/** Text as one line of a terminal of this locale, whatever stands in it made harmless: names of files have line feeds, too. */
export function forTerminal(text: string): string {
  const line = printable(text);
  return UTF8 ? line : ascii(line);
}

/** Writes text of ours on stderr as it stands: a line that says again and again how far something is. */
export function write(text: string): void {
  try {
    writeAll(2, Buffer.from(text, 'utf8'));
  } catch {
    // nobody listens
  }
}
