import type { Detail, DetailNode } from '../viewer/viewer.js';
import { type Area, cellsOf } from './cells.js';
import type { CommandId } from './keymap.js';
import { List, type ListLook } from './list.js';
import type { Theme } from './style.js';

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
/** Cells of the offset and the blank after it. */
const OFFSET = 5;

/** Cells that lines of so many octets take, with the scroll bar. */
export const widthFor = (line: number): number => OFFSET + 4 * line + (line > 8 ? 1 : 0) + 1;

/** Octets in a line, by the cells that there are. */
const perLine = (width: number): number => [16, 8, 4, 2].find((n) => widthFor(n) <= width) ?? 1;

/** The octets that a tree points into: of the frame, of a record, of a message put together; one at a time. */
export class OctetsPane {
  /** Number of what is shown among the sources. */
  source = 0;
  /** The octet under the cursor. */
  cursor = 0;
  private detail: Detail | undefined;
  private node: DetailNode | undefined;
  private line = 16;
  private width = 80;
  private readonly list = new List(() => Math.ceil(this.octets.length / this.line));

  private get octets(): Uint8Array {
    return this.detail?.sources[this.source]?.octets ?? new Uint8Array(0);
  }

  /** Shows where a field stands. */
  show(detail: Detail, node: DetailNode | undefined): void {
    if (this.detail === detail && this.node === node) return;
    this.detail = detail;
    this.node = node;
    if (node !== undefined && node.length > 0) {
      this.source = node.source;
      this.cursor = node.off;
      this.list.centre(Math.floor(node.off / this.line));
    } else if (this.source >= detail.sources.length) this.source = 0;
  }

  clear(): void {
    this.detail = undefined;
    this.node = undefined;
  }

  /** Goes to an octet of a source; the field follows by itself. */
  go(source: number, off: number): void {
    this.source = source;
    this.cursor = Math.max(0, Math.min(off, this.octets.length - 1));
    this.list.centre(Math.floor(this.cursor / this.line));
  }

  /** Moves the cursor; whether the command was one that moves. */
  run(command: CommandId): boolean {
    const { line, octets } = this;
    const page = line * 8;
    const by: Partial<Record<CommandId, number>> = {
      left: -1,
      right: 1,
      up: -line,
      down: line,
      'page-up': -page,
      'page-down': page,
      'half-up': -page >> 1,
      'half-down': page >> 1,
      top: -octets.length,
      bottom: octets.length,
    };
    const step = by[command];
    if (step === undefined) return false;
    const to = this.cursor + step;
    if ((command === 'up' && to < 0) || (command === 'down' && to >= octets.length)) return true;
    this.go(this.source, to);
    return true;
  }

  /** The next of the sources. */
  nextSource(): void {
    const n = this.detail?.sources.length ?? 0;
    if (n > 0) this.go((this.source + 1) % n, 0);
  }

  /** The next place that has octets or a text, after the cursor and round; -1: none. */
  find(test: (octets: Uint8Array, from: number) => number): number {
    const at = test(this.octets, this.cursor + 1);
    return at >= 0 ? at : test(this.octets, 0);
  }

  /** Goes to what was clicked: an octet or the name of a source; whether it was one. */
  click(x: number, y: number): boolean {
    const { detail, line } = this;
    if (detail === undefined) return false;
    if (y === 0) {
      const i = this.tabAt(x);
      if (i >= 0) this.go(i, 0);
      return i >= 0;
    }
    const row = this.list.lineAt(y - 1);
    if (row < 0) return false;
    const text = OFFSET + 3 * line + (line > 8 ? 1 : 0);
    const column = x >= text ? x - text : Math.floor((x - OFFSET - (line > 8 && x > OFFSET + 24 ? 1 : 0)) / 3);
    if (column < 0 || column >= line) return false;
    this.go(this.source, row * line + column);
    return true;
  }

  /** Names of the sources with their sizes, as far as they fit, and where they stand; the open one is always there. */
  private tabs(): { readonly i: number; readonly text: string }[] {
    const sources = this.detail?.sources ?? [];
    const long = sources.map((s, i) => ({ i, text: ` ${s.name} ${s.octets.length} ` }));
    const short = sources.map((s, i) => (i === this.source ? long[i] : { i, text: ` ${s.name} ` }));
    const size = (list: { text: string }[]): number => list.reduce((n, t) => n + cellsOf(t.text), 0);
    if (size(long) <= this.width) return long;
    let first = 0;
    while (first < this.source && size(short.slice(first, this.source + 1)) > this.width - 2) first++;
    return first === 0 ? short : [{ i: first - 1, text: '‹' }, ...short.slice(first)];
  }

  private tabAt(x: number): number {
    let end = 0;
    return this.tabs().find((t) => x < (end += cellsOf(t.text)))?.i ?? -1;
  }

  scroll(lines: number): void {
    this.list.scroll(lines);
  }

  /** All octets, sixteen a line. */
  plain(): string[] {
    const { octets } = this;
    const name = this.detail?.sources[this.source]?.name ?? 'no octets';
    const lines = Array.from({ length: Math.ceil(octets.length / 16) }, (_, i) => {
      const part = octets.subarray(16 * i, 16 * i + 16);
      return `${(16 * i).toString(16).padStart(4, '0')}  ${[...part].map((o) => HEX[o]).join(' ')}`;
    });
    return [`${name}, ${octets.length} octets`, ...lines];
  }

  draw(area: Area, look: ListLook): void {
    const { detail } = this;
    if (detail === undefined) return;
    const { theme } = look;
    this.width = area.width;
    this.line = perLine(area.width);
    this.drawTabs(area, look);
    const foot = area.height >= 5 ? 1 : 0;
    const body = area.part(0, 1, area.width, area.height - 1 - foot);
    this.list.cursor = Math.floor(this.cursor / this.line);
    this.list.draw(
      body,
      { theme: { ...theme, cursor: theme.text, cursorElsewhere: theme.text }, focus: false },
      () => undefined,
    );
    for (let y = 0; y < body.height; y++) this.drawLine(body, y, (this.list.top + y) * this.line, look);
    if (foot > 0) area.clipped(0, area.height - 1, this.footText(), area.width, theme.dim);
  }

  private drawTabs(area: Area, { theme, focus }: ListLook): void {
    let x = 0;
    for (const { i, text } of this.tabs()) {
      const open = i === this.source;
      x = area.text(x, 0, text, !open ? theme.dim : focus ? theme.cursor : theme.cursorElsewhere);
    }
    if (x > area.width) area.text(area.width - 1, 0, '›', theme.dim);
  }

  private drawLine(area: Area, y: number, from: number, look: ListLook): void {
    const { octets, line, node } = this;
    const { theme } = look;
    if (from >= octets.length) return;
    area.text(0, y, from.toString(16).padStart(4, '0'), theme.dim);
    const text = OFFSET + 3 * line + (line > 8 ? 1 : 0);
    for (let i = 0; i < line && from + i < octets.length; i++) {
      const off = from + i;
      const x = OFFSET + 3 * i + (line > 8 && i >= 8 ? 1 : 0);
      const o = octets[off];
      const c = o >= 0x20 && o < 0x7f ? String.fromCharCode(o) : '·';
      const dim = c === '·' ? theme.dim : theme.text;
      area.text(x, y, HEX[o], theme.text);
      area.text(text + i, y, c, dim);
      if (node !== undefined && node.source === this.source && off >= node.off && off < node.off + node.length)
        this.markOctet(area, theme, { x, y, text: text + i }, node, off);
      if (off === this.cursor && look.focus) {
        area.restyle(x, y, 2, theme.cursor);
        area.restyle(text + i, y, 1, theme.cursor);
      }
    }
  }

  /** Marks what of an octet belongs to a field: both digits, or the one that its bits are in. */
  private markOctet(
    area: Area,
    theme: Theme,
    at: { x: number; y: number; text: number },
    node: DetailNode,
    off: number,
  ): void {
    const bits = bitsOf(node, off);
    const [high, low] = [(bits & 0xf0) !== 0, (bits & 0x0f) !== 0];
    if (high) area.restyle(at.x, at.y, 1, theme.mark);
    if (low) area.restyle(at.x + 1, at.y, 1, theme.mark);
    const joined =
      high && low && off + 1 < node.off + node.length && (off + 1) % this.line !== 0 && (off + 1) % 8 !== 0;
    if (joined && node.mask === undefined) area.restyle(at.x + 2, at.y, 1, theme.mark);
    if (bits !== 0) area.restyle(at.text, at.y, 1, theme.mark);
  }

  /** The field, where it stands, and its bits where it is not made of whole octets. */
  private footText(): string {
    const n = this.node;
    if (n === undefined) return `octet ${this.cursor}`;
    if (n.length === 0) return `${n.field || n.label}: computed, not in the octets`;
    if (n.source !== this.source) return `octet ${this.cursor}`;
    const where = n.length === 1 ? `octet ${n.off}` : `octets ${n.off}–${n.off + n.length - 1} (${n.length})`;
    const name = n.field || n.label.slice(0, 20);
    if (n.mask === undefined || n.length > 4) return `${where}  ${name}`;
    const bits = Array.from({ length: n.length }, (_, i) => bitText(this.octets[n.off + i], bitsOf(n, n.off + i))).join(
      ' ',
    );
    return `${bits}  ${where}  ${name}`;
  }
}

/** The bits of an octet that belong to a field. */
function bitsOf(n: DetailNode, off: number): number {
  let { mask } = n;
  if (mask === undefined || n.length > 6) return 0xff;
  // A mask may be that of a longer word, of which the field names the first octets.
  while (mask >= 2 ** (8 * n.length)) mask = Math.floor(mask / 256);
  return Math.floor(mask / 2 ** (8 * (n.off + n.length - 1 - off))) & 0xff;
}

/** The bits of an octet, those of others as dots: `.... 0101`. */
function bitText(octet: number, mask: number): string {
  let s = '';
  for (let bit = 7; bit >= 0; bit--) {
    s += (mask & (1 << bit)) === 0 ? '.' : (octet >> bit) & 1;
    if (bit === 4) s += ' ';
  }
  return s;
}
