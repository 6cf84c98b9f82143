/** Text measured in cells of a terminal: wide characters take two, combining ones none. */
import stringWidth from 'string-width';

let segmenter: Intl.Segmenter | undefined;
/** What people read as one character. It is loaded when it is first wanted, for that takes its time. */
const graphemes = (s: string): Intl.Segments =>
  (segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })).segment(s);
const PLAIN = /^[\x20-\x7e]*$/;

/** Cells that a text takes. */
export const cells = (s: string): number => (PLAIN.test(s) ? s.length : stringWidth(s));

/** The beginning of a text that takes no more than so many cells. */
function head(s: string, width: number): string {
  if (PLAIN.test(s)) return s.slice(0, width);
  let out = '';
  let used = 0;
  for (const { segment } of graphemes(s)) {
    used += stringWidth(segment);
    if (used > width) break;
    out += segment;
  }
  return out;
}

/** The end of a text that takes no more than so many cells. */
function tail(s: string, width: number): string {
  if (PLAIN.test(s)) return width <= 0 ? '' : s.slice(-width);
  const parts = [...graphemes(s)].map((g) => g.segment);
  let used = 0;
  let from = parts.length;
  while (from > 0) {
    used += stringWidth(parts[from - 1]);
    if (used > width) break;
    from--;
  }
  return parts.slice(from).join('');
}

/** A text in at most `width` cells; what does not fit at its end gives way to `…`. */
export const fit = (s: string, width: number): string =>
  cells(s) <= width ? s : width < 1 ? '' : `${head(s, width - 1)}…`;

/** A text in at most `width` cells, shortened in the middle: of an address both ends tell most. */
export function fitMiddle(s: string, width: number): string {
  if (cells(s) <= width) return s;
  if (width < 1) return '';
  const before = Math.ceil((width - 1) / 2);
  return `${head(s, before)}…${tail(s, width - 1 - before)}`;
}

/** A text in exactly `width` cells, blanks behind it. */
export function padEnd(s: string, width: number): string {
  const t = fit(s, width);
  return t + ' '.repeat(Math.max(0, width - cells(t)));
}

/** A text in exactly `width` cells, blanks before it. */
export function padStart(s: string, width: number): string {
  const t = fit(s, width);
  return ' '.repeat(Math.max(0, width - cells(t))) + t;
}

/** A text in lines of at most `width` cells, divided at blanks where that is possible. */
export function wrapped(s: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of s.split(' ')) {
    if (line !== '' && cells(line) + 1 + cells(word) > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (cells(line) > width) {
      const part = head(line, width);
      lines.push(part);
      line = line.slice(part.length);
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}
