import { RIGHT_HALF } from './cells.js';

/** What stands for characters of ours where a terminal has only ASCII. */
const INSTEAD: Readonly<Record<string, string>> = {
  '─': '-',
  '━': '=',
  '═': '=',
  '│': '|',
  '┃': '|',
  '┌': '+',
  '┐': '+',
  '└': '+',
  '┘': '+',
  '├': '+',
  '┤': '+',
  '┬': '+',
  '┴': '+',
  '┼': '+',
  '▸': '+',
  '▾': '-',
  '▴': '^',
  '▶': '>',
  '◀': '<',
  '►': '>',
  '◄': '<',
  '→': '>',
  '←': '<',
  '↔': '-',
  '↑': '^',
  '↓': 'v',
  '…': '~',
  '·': '.',
  '•': '*',
  '●': '*',
  '○': 'o',
  '×': 'x',
  '✓': 'v',
  '█': '#',
  '▓': '#',
  '▒': '=',
  '░': '.',
  '–': '-',
  '—': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '›': '>',
  '‹': '<',
  '≠': '!',
  '≥': '>',
  '≤': '=',
  '§': 'S',
  µ: 'u',
};

/** A character as ASCII: one of ours by its likeness, a bar by its height, and `?` for what is somebody's text. */
export function asciiOf(char: string, next = ''): string {
  // It takes two cells; there is a blank before it.
  if (next === '≤' && char === ' ') return '<';
  if (char === RIGHT_HALF || char <= '~') return char;
  const known = INSTEAD[char];
  if (known !== undefined) return known;
  const code = char.charCodeAt(0);
  if (code >= 0x2581 && code <= 0x2588) return '__..--=#'[code - 0x2581];
  if (code >= 0x2589 && code <= 0x258f) return '#';
  if (code > 0x2800 && code <= 0x28ff) return '*';
  if (code === 0x2800) return ' ';
  return '?';
}

/** Text as ASCII, as long as it was. */
export const asciiText = (text: string): string =>
  text.replace(/[^\x00-\x7f]| (?=≤)/gu, (c, at: number) => asciiOf(c, text[at + 1]));
