const WORDS: Readonly<Record<string, string>> = {
  '→': '->',
  '↑': '-up',
  '↓': '-down',
  '…': '...',
  '·': '.',
  '§': 'clause ',
};

/** Text for a terminal that shows ASCII alone: our own signs in words, everything else outside ASCII as `?`. */
export const ascii = (s: string): string => s.replace(/[^\x00-\x7f]/gu, (c) => WORDS[c] ?? '?');
