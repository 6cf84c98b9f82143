import type { Row } from '../engine/row.js';
import { DEFAULT_RULES, RowColours } from '../tui/colour-rules.js';
import { Flag, OWN, type Style } from '../tui/style.js';
import { depthOf, usualTheme } from '../tui/theme.js';
import type { ScreenOptions } from './options.js';

/** Colours of rows that are printed as lines: those of the screens, in the sequences of ECMA-48 §8.3.117. */

const SGR = { [Flag.bold]: 1, [Flag.underline]: 4, [Flag.reverse]: 7 };

/** What colours the line of a row as `--color` and `--theme` have it; null where the terminal has no colours. */
export function lineColours({
  color = 'never',
  theme = usualTheme(process.env),
}: ScreenOptions): ((line: string, row: Row) => string) | null {
  const depth = depthOf(process.env, color);
  if (depth === 0) return null;
  const rules = new RowColours(DEFAULT_RULES, theme, depth);
  const sequences = new Map<Style, string>();
  return (line, row) => {
    const { dissection } = row;
    const glance = { protocol: dissection.protocol(), info: dissection.info(), findings: row.codes() };
    const style = rules.styleOf(0, glance);
    if (style === undefined) return line;
    let sequence = sequences.get(style);
    if (sequence === undefined) sequences.set(style, (sequence = sequenceOf(style)));
    return sequence === '' ? line : `${sequence}${line.slice(0, -1)}\x1b[0m\n`;
  };
}

function sequenceOf(style: Style): string {
  const codes = Object.entries(SGR).flatMap(([flag, code]) => (((style >> 18) & Number(flag)) === 0 ? [] : [code]));
  const [foreground, background] = [(style >> 9) & OWN, style & OWN];
  if (foreground !== OWN) codes.push(...colour(foreground, 30));
  if (background !== OWN) codes.push(...colour(background, 40));
  return codes.length === 0 ? '' : `\x1b[${codes.join(';')}m`;
}

/** @param base 30 for the foreground, 40 for the background */
const colour = (index: number, base: number): number[] =>
  index < 8 ? [base + index] : index < 16 ? [base + 60 + index - 8] : [base + 8, 5, index];
