import { isWide } from '../kit/text.js';
import type { Style } from './style.js';

/*
 * What a screen shows: cells with a character and a style each. Views write here and nowhere else, and everything that
 * they write is made harmless on its way in, so that nothing of a packet can reach the terminal as anything but text.
 */

/** What may not be shown stands as this. */
const DOT = '·';
/** The cell to the right of a wide character holds this. */
export const RIGHT_HALF = '';

const PLAIN = /^[\x20-\x7e]*$/;
/** Letters, digits, punctuation, symbols and the blank of the basic plane; surrogates are halves of what lies beyond. */
const SHOWN = /^[\p{L}\p{N}\p{P}\p{S} ]$/u;
/** Symbols that some terminals draw as pictures of two cells, or in two since Unicode 16. */
const PICTURE = /^[\p{Emoji_Presentation}\u2630-\u2637\u268a-\u268f]$/u;
/** Letters without a cell of their own: vowels and finals of Hangul, which join what is before them, and its fillers. */
const JOINED = /^[\p{Default_Ignorable_Code_Point}\u1160-\u11ff\ud7b0-\ud7ff]$/u;

/**
 * Text as a terminal may get it, one character a cell or two: control characters, marks of direction, combining marks
 * and pictures stand as a middle dot.
 */
export function harmless(text: string): string {
  if (PLAIN.test(text)) return text;
  let out = '';
  for (const c of text.normalize('NFC'))
    out += c.length === 1 && SHOWN.test(c) && !PICTURE.test(c) && !JOINED.test(c) ? c : DOT;
  return out;
}

/** Cells that a text takes once it is harmless. */
export function cellsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let n = 0;
  for (const c of harmless(text)) n += isWide(c.charCodeAt(0)) ? 2 : 1;
  return n;
}

/** The first `width` cells of a text; where it is longer the last of them is `…`. */
export function clip(text: string, width: number): string {
  const t = harmless(text);
  if (cellsOf(t) <= width) return t;
  if (width <= 0) return '';
  let n = 0;
  let out = '';
  for (const c of t) {
    n += isWide(c.charCodeAt(0)) ? 2 : 1;
    if (n > width - 1) break;
    out += c;
  }
  return `${out}…`;
}

/** A text in just `width` cells. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const t = clip(text, width);
  const blanks = ' '.repeat(Math.max(0, width - cellsOf(t)));
  return align === 'left' ? t + blanks : blanks + t;
}

/** An IPv6 address with a port, and the fewest cells that tell an address from others. */
const WITH_PORT = /^\[(.*)(\]:\d+)$/;
const LEAST_ADDRESS = 5;

/** The first and the last of a text, `…` between: `2001:db8:…:115`; of an address with a port those of the address. */
export function clipMiddle(text: string, width: number): string {
  const t = harmless(text);
  if (t.length <= width || cellsOf(t) !== t.length) return clip(t, width);
  if (width < 3) return clip(t, width);
  const [, address, port] = WITH_PORT.exec(t) ?? ['', '', ''];
  const room = width - 1 - port.length;
  if (port !== '' && room >= LEAST_ADDRESS) return `[${clipMiddle(address, room)}${port}`;
  const tail = Math.floor((width - 1) / 2);
  return `${t.slice(0, width - 1 - tail)}…${t.slice(t.length - tail)}`;
}

/** Lines of at most `width` cells, broken between words where that is possible. */
export function wrap(text: string, width: number): string[] {
  const out: string[] = [];
  for (const paragraph of text.split('\n')) {
    if (cellsOf(paragraph) <= width) {
      out.push(harmless(paragraph));
      continue;
    }
    let line = '';
    for (const word of harmless(paragraph).split(' ')) {
      let rest = word;
      if (line !== '' && cellsOf(line) + 1 + cellsOf(rest) > width) {
        out.push(line);
        line = '';
      }
      while (cellsOf(rest) > width && width > 1) {
        const head = clip(rest, width + 1).slice(0, -1);
        out.push(head);
        rest = rest.slice(head.length);
      }
      line = line === '' ? rest : `${line} ${rest}`;
    }
    out.push(line);
  }
  return out;
}

/** The same for `name   value`: what goes on stands beneath the value, or behind the blanks that the line begins with. */
export function wrapBeneath(text: string, width: number): string[] {
  const begins = [/^\s*\S.*?\s{2,}(?=\S)/, /^\s+/].map((begin) => begin.exec(text)?.[0] ?? '');
  const begin = begins.find((b) => b !== '' && 2 * cellsOf(b) <= width);
  if (begin === undefined || cellsOf(text) <= width) return wrap(text, width);
  const indent = cellsOf(begin);
  const lines = wrap(text.slice(begin.length), width - indent);
  return lines.map((line, i) => (i === 0 ? harmless(begin) : ' '.repeat(indent)) + line);
}

/** All cells of a screen. */
export class Grid {
  /** A character a cell, {@link RIGHT_HALF} beside a wide one. */
  readonly chars: string[];
  readonly styles: Int32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.chars = new Array(width * height).fill(' ');
    this.styles = new Int32Array(width * height);
  }

  /** Blanks everything. */
  clear(style: Style): void {
    this.chars.fill(' ');
    this.styles.fill(style);
  }

  /** The whole of it to draw on. */
  area(): Area {
    return new Area(this, 0, 0, this.width, this.height);
  }

  /** A line as text, without blanks at its end. */
  line(y: number): string {
    return this.chars
      .slice(y * this.width, (y + 1) * this.width)
      .join('')
      .trimEnd();
  }
}

/** A rectangle of a {@link Grid}; what is drawn beyond its edges is lost. */
export class Area {
  constructor(
    private readonly grid: Grid,
    private readonly left: number,
    private readonly top: number,
    readonly width: number,
    readonly height: number,
  ) {}

  /** A part of it, clipped to what there is. */
  part(x: number, y: number, width: number, height: number): Area {
    const x0 = Math.min(Math.max(0, x), this.width);
    const y0 = Math.min(Math.max(0, y), this.height);
    const w = Math.max(0, Math.min(width - (x0 - x), this.width - x0));
    const h = Math.max(0, Math.min(height - (y0 - y), this.height - y0));
    return new Area(this.grid, this.left + x0, this.top + y0, w, h);
  }

  /** Writes text from a cell on; returns the cell after it, whether or not it fitted. */
  text(x: number, y: number, text: string, style: Style): number {
    let at = x;
    const inside = y >= 0 && y < this.height;
    const base = (this.top + y) * this.grid.width + this.left;
    const { chars, styles } = this.grid;
    for (const c of harmless(text)) {
      const wide = isWide(c.charCodeAt(0));
      if (inside && at >= 0 && at < this.width) {
        const half = wide && at + 1 >= this.width;
        chars[base + at] = half ? ' ' : c;
        styles[base + at] = style;
        if (wide && !half) {
          chars[base + at + 1] = RIGHT_HALF;
          styles[base + at + 1] = style;
        }
      }
      at += wide ? 2 : 1;
    }
    return at;
  }

  /** Writes text that is cut with `…` where it takes more than `width` cells. */
  clipped(x: number, y: number, text: string, width: number, style: Style): number {
    return this.text(x, y, clip(text, Math.min(width, this.width - x)), style);
  }

  /** Writes text that ends before a cell. */
  right(end: number, y: number, text: string, style: Style): void {
    this.text(end - cellsOf(text), y, text, style);
  }

  /** Fills a rectangle with one character. */
  fill(x: number, y: number, width: number, height: number, char: string, style: Style): void {
    const part = this.part(x, y, width, height);
    for (let row = 0; row < part.height; row++) part.text(0, row, char.repeat(part.width), style);
  }

  /** Blanks everything. */
  clear(style: Style): void {
    this.fill(0, 0, this.width, this.height, ' ', style);
  }

  /** Gives cells another style and leaves what stands in them. */
  restyle(x: number, y: number, width: number, style: Style): void {
    this.each(x, y, width, () => style);
  }

  private each(x: number, y: number, width: number, change: (s: Style) => Style): void {
    if (y < 0 || y >= this.height) return;
    const base = (this.top + y) * this.grid.width + this.left;
    for (let i = Math.max(0, x); i < Math.min(x + width, this.width); i++)
      this.grid.styles[base + i] = change(this.grid.styles[base + i]);
  }

  /** A horizontal rule, with words in it. */
  rule(y: number, style: Style, words = ''): void {
    this.fill(0, y, this.width, 1, '─', style);
    if (words !== '') this.text(1, y, clip(` ${words} `, this.width - 2), style);
  }
}
