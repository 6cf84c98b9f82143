import { type ArrowKind, itemText, type Ladder, type LadderItem, since } from './ladder.js';
import { escaped } from './markup.js';
import { fit, fitMiddle } from './width.js';

/** Pixels: of a line, of the names above, left of the first column, between columns. */
const LINE = 24;
const HEAD = 50;
const LEFT = 150;
const RIGHT = 100;
const GAP = 250;
/** Pixels of a cell of text. */
const CELL = 6.6;

const COLOURS: Readonly<Record<ArrowKind | 'bar' | 'bad' | 'note', string>> = {
  connection: '#555555',
  addressing: '#6a3d9a',
  request: '#0b7285',
  provisional: '#1864ab',
  success: '#2b8a3e',
  failure: '#c92a2a',
  other: '#9c6a00',
  bar: '#2b8a3e',
  bad: '#c92a2a',
  note: '#555555',
};

/** A ladder as one SVG element that needs nothing around it. */
export function ladderSvg(ladder: Ladder): string {
  const n = Math.max(1, ladder.columns.length);
  const width = LEFT + GAP * (n - 1) + RIGHT;
  const height = HEAD + LINE * ladder.items.length + 14;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(ladder.title)}</title>`,
  ];
  for (const [i, c] of ladder.columns.entries()) {
    const x = columnAt(i);
    parts.push(
      text(x, 16, c.title, 'text-anchor="middle" font-weight="bold"'),
      text(x, 34, fitMiddle(c.address, Math.floor((GAP - 10) / CELL)), 'text-anchor="middle"', c.address),
      `<path d="M${x} 42V${height - 6}" stroke="#999999" stroke-width="1"/>`,
    );
  }
  for (const [i, item] of ladder.items.entries()) parts.push(...drawn(ladder, item, HEAD + LINE * i + 16, width));
  parts.push('</svg>\n');
  return parts.join('\n');
}

const columnAt = (i: number): number => LEFT + GAP * i;

function text(x: number, y: number, s: string, attributes = '', whole = s): string {
  const tip = whole === s ? '' : `<title>${escaped(whole)}</title>`;
  return `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${tip}${escaped(s)}</text>`;
}

function drawn(ladder: Ladder, item: LadderItem, y: number, width: number): string[] {
  const time = text(52, y, since(ladder, item.at), 'text-anchor="end" fill="#555555"');
  const whole = itemText(item);
  if (item.kind === 'note') {
    const colour = COLOURS[item.bad ? 'bad' : 'note'];
    const most = Math.floor((width - 70) / CELL);
    return [
      time,
      text(
        64,
        y,
        fit(whole, most),
        `fill="${colour}" font-style="italic" paint-order="stroke" stroke="#ffffff" stroke-width="4"`,
        whole,
      ),
    ];
  }
  const colour = COLOURS[item.kind === 'bar' ? 'bar' : item.what];
  const row = item.kind === 'arrow' ? text(width - 4, y, item.row, 'text-anchor="end" fill="#888888"') : '';
  const a = columnAt(item.from);
  const b = columnAt(item.to);
  if (a === b) return [time, row, text(a + 6, y, whole, `fill="${colour}"`)];
  const most = Math.floor((Math.abs(b - a) - 20) / CELL);
  const label = fit(whole, most);
  const middle = text((a + b) / 2, y - 4, label, `text-anchor="middle" fill="${colour}"`, whole);
  if (item.kind === 'arrow') return [time, row, middle, arrow(a, b, y + 2, colour)];
  const [left, right] = [Math.min(a, b), Math.max(a, b)];
  const box = `<rect x="${left}" y="${y - 14}" width="${right - left}" height="17" fill="${colour}" fill-opacity="0.15"/>`;
  return [time, box, text((a + b) / 2, y - 1, label, `text-anchor="middle" fill="${colour}"`, whole)];
}

function arrow(a: number, b: number, y: number, colour: string): string {
  const back = b > a ? -7 : 7;
  return `<path d="M${a} ${y}H${b}" stroke="${colour}"/>` + `<path d="M${b} ${y}l${back} -4v8z" fill="${colour}"/>`;
}
