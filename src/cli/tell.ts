import { printable } from '../kit/text.js';
import { ascii } from '../report/ascii.js';
import { writeAll } from './output.js';

/** Whether the locale's character set is UTF-8, by the variables that the C library reads. */
export const UTF8 = /utf-?8/i.test(process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '');

/** Says something to the user on stderr, whatever stands in it made harmless for a terminal. */
export function tell(text: string): void {
  write(`${forTerminal(text)}\n`);
}

/** Text as a terminal of this locale shows it, whatever stands in it made harmless. */
export function forTerminal(text: string): string {
  const lines = text.split('\n').map(printable).join('\n');
  return UTF8 ? lines : ascii(lines);
}

/** Writes text of ours on stderr as it stands: a line that says again and again how far something is. */
export function write(text: string): void {
  try {
    writeAll(2, Buffer.from(text, 'utf8'));
  } catch {
    // nobody listens
  }
}
