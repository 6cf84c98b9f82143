import { Flag, OWN } from '../../src/tui/style.js';
import { paletteColour } from '../../src/tui/theme.js';
import { CELL, isDrawn, pathOf } from './glyphs.js';

/* A screen as a picture: every run of cells that look the same is one text, as wide as its cells. */

const MARGIN = 10;
const BAR = 26;

/** A painted screen: its lines, and the style of each cell. */
export interface Painted {
  readonly lines: readonly string[];
  readonly styles: readonly (readonly number[])[];
}

/** Colours of a terminal that is dark. */
const TEXT = '#d8d8d8';
const GROUND = '#16181d';

const escaped = (s: string): string => s.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'));
const colour = (c: number, own: string): string =>
  c === OWN ? own : `#${paletteColour(c).toString(16).padStart(6, '0')}`;

interface Run {
  readonly x: number;
  readonly cells: number;
  readonly text: string;
  readonly style: number;
}

function* runsOf(line: string, styles: readonly number[]): Generator<Run> {
  for (let x = 0; x < styles.length; ) {
    const style = styles[x];
    let end = x;
    let text = '';
    const drawn = isDrawn(line[x] ?? ' ');
    // Blanks part runs, so that a font of another width does no harm.
    while (
      end < styles.length &&
      styles[end] === style &&
      !/\S {2,}$/.test(text) &&
      isDrawn(line[end] ?? ' ') === drawn
    )
      text += line[end++] ?? ' ';
    yield { x, cells: end - x, text, style };
    x = end;
  }
}

function runSvg({ x, cells, text, style }: Run, y: number): string {
  const flags = style >> 18;
  let ink = colour((style >> 9) & 0x1ff, TEXT);
  let ground = colour(style & 0x1ff, GROUND);
  if ((flags & Flag.reverse) !== 0) [ink, ground] = [ground, ink];
  const left = MARGIN + x * CELL.width;
  const top = BAR + MARGIN + y * CELL.height;
  const box =
    ground === GROUND
      ? ''
      : `<rect x="${left.toFixed(1)}" y="${top}" width="${(cells * CELL.width).toFixed(1)}" height="${CELL.height}" fill="${ground}"/>`;
  if (text.trim() === '') return box;
  if (isDrawn(text.charAt(0))) return `${box}<path d="${pathOf(text, left, top)}" fill="${ink}"/>`;
  const lead = text.length - text.trimStart().length;
  const body = text.trim();
  const looks = `${(flags & Flag.bold) !== 0 ? ' font-weight="bold"' : ''}${(flags & Flag.underline) !== 0 ? ' text-decoration="underline"' : ''}`;
  const at = left + lead * CELL.width;
  const length = [...body].length * CELL.width;
  return `${box}<text x="${at.toFixed(1)}" y="${top + 13.5}" textLength="${length.toFixed(1)}" fill="${ink}"${looks}>${escaped(body)}</text>`;
}

/** A picture of a screen, in a window with a title. */
export function svgOf(screen: Painted, title: string): string {
  const columns = Math.max(...screen.styles.map((s) => s.length));
  const lines = screen.lines.map((line, y) => [...runsOf(line, screen.styles[y])].map((r) => runSvg(r, y)).join(''));
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = lines.length * CELL.height + 2 * MARGIN + BAR;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" rx="8" fill="${GROUND}" stroke="#3a3f4b"/>
<rect width="${width}" height="${BAR}" rx="8" fill="#2a2e37"/>
<text x="${width / 2}" y="17" text-anchor="middle" fill="#9aa3b2" font-family="system-ui, sans-serif" font-size="12">${escaped(title)}</text>
<g font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve" shape-rendering="crispEdges">
${lines.join('\n')}
</g>
</svg>
`;
}
