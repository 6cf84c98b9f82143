/* Lines, blocks and dots of a screen as shapes: fonts leave seams between them, or are of another width. */

/** A cell of a picture, in pixels. */
export const CELL = { width: 8.4, height: 18 };

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Width of a line, and of a dot. */
const LINE = 1;
const DOT = 2;

/** What of a cell's cross is drawn: up, right, down, left. */
const ARMS: Readonly<Record<string, string>> = {
  '─': 'rl',
  '│': 'ud',
  '┌': 'rd',
  '┐': 'dl',
  '└': 'ur',
  '┘': 'ul',
  '├': 'urd',
  '┤': 'udl',
  '┬': 'rdl',
  '┴': 'url',
  '┼': 'urdl',
};

/** Dots of a braille pattern by the bits of its number (Unicode, Braille Patterns): column and row. */
const DOTS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
] as const;

function lines(arms: string): Box[] {
  const { width, height } = CELL;
  const [left, top] = [(width - LINE) / 2, (height - LINE) / 2];
  const out: Box[] = [];
  if (/[rl]/.test(arms)) {
    const from = arms.includes('l') ? 0 : left;
    out.push({ x: from, y: top, width: (arms.includes('r') ? width : left + LINE) - from, height: LINE });
  }
  if (/[ud]/.test(arms)) {
    const from = arms.includes('u') ? 0 : top;
    out.push({ x: left, y: from, width: LINE, height: (arms.includes('d') ? height : top + LINE) - from });
  }
  return out;
}

const dot = ([column, row]: readonly [number, number]): Box => ({
  x: ((column + 0.5) * CELL.width) / 2 - DOT / 2,
  y: ((row + 0.5) * CELL.height) / 4 - DOT / 2,
  width: DOT,
  height: DOT,
});

/** The shapes of a character in its cell; undefined: it is drawn as text. */
function shapes(char: string): Box[] | undefined {
  const arms = ARMS[char];
  if (arms !== undefined) return lines(arms);
  const code = char.charCodeAt(0);
  // From the lower eighth to the full block.
  const eighths = code - 0x2580;
  if (eighths >= 1 && eighths <= 8) {
    const height = (CELL.height * eighths) / 8;
    return [{ x: 0, y: CELL.height - height, width: CELL.width, height }];
  }
  const bits = code - 0x2800;
  return bits >= 0 && bits <= 0xff ? DOTS.filter((_, i) => (bits & (1 << i)) !== 0).map(dot) : undefined;
}

/** Whether a character is drawn and not written. */
export const isDrawn = (char: string): boolean => shapes(char) !== undefined;

const pixels = (n: number): string => `${Math.round(n * 10) / 10}`;

/** The path of characters that are drawn, from a place on; shapes that touch become one. */
export function pathOf(text: string, left: number, top: number): string {
  const boxes: Box[] = [];
  [...text].forEach((char, i) => {
    for (const b of shapes(char) ?? []) {
      const x = left + i * CELL.width + b.x;
      const last = boxes.at(-1);
      const touches = last?.y === top + b.y && last.height === b.height && Math.abs(last.x + last.width - x) < 0.01;
      if (last !== undefined && touches) boxes[boxes.length - 1] = { ...last, width: last.width + b.width };
      else boxes.push({ ...b, x, y: top + b.y });
    }
  });
  return boxes
    .map((b) => `M${pixels(b.x)} ${pixels(b.y)}h${pixels(b.width)}v${pixels(b.height)}h${pixels(-b.width)}z`)
    .join('');
}
