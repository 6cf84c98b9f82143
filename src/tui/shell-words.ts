import { homedir } from 'node:os';

/** A line parted into words. */
export interface ShellWords {
  readonly words: readonly string[];
  /** Where the last word begins; the length of the line behind a blank, where the next one does. */
  readonly from: number;
  /** A quote was opened and not closed. */
  readonly open: boolean;
}

/** Parts a line into words as a shell does: by blanks, but for those in quotes or behind a backslash; `~/` is the home folder. */
export function shellWords(line: string): ShellWords {
  const words: string[] = [];
  let from = line.length;
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (quote === '' && /\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      from = line.length;
      continue;
    }
    if (word === undefined) {
      word = '';
      from = i;
    }
    if (c === quote) quote = '';
    else if (quote === '' && (c === '"' || c === "'")) quote = c;
    else if (c === '\\' && quote !== "'" && i + 1 < line.length) word += line[++i];
    else if (c === '~' && i === from && /^(\/|\s|$)/.test(line.slice(i + 1))) word += homedir();
    else word += c;
  }
  if (word !== undefined) words.push(word);
  return { words, from, open: quote !== '' };
}

/** A word as it is typed so that {@link shellWords} finds it whole. */
export const typedWord = (word: string): string => (/[\s"'\\]/.test(word) ? `'${word.replace(/'/g, `'"'"'`)}'` : word);
