import type { Detail, DetailNode } from '../viewer/viewer.js';
import { type Area, cellsOf } from './cells.js';
import type { CommandId } from './keymap.js';
import { List, type ListLook } from './list.js';
import type { FindLook, Wanted } from './packet-find.js';
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

  /** Goes to the next place, or the one before, that has what is looked for, and round; else to one in another source. */
  find(wanted: Wanted, step: 1 | -1): boolean {
    const own = wanted.inOctets(this.octets);
    const { cursor } = this;
    const next = step > 0 ? own.find((s) => s.at > cursor) : own.findLast((s) => s.at < cursor);
    const to = next ?? own.at(step > 0 ? 0 : -1);
    if (to !== undefined) this.go(this.source, to.at);
    return to !== undefined || this.findElsewhere(wanted);
  }

  private findElsewhere(wanted: Wanted): boolean {
    for (const [source, { octets }] of (this.detail?.sources ?? []).entries()) {
      const [first] = wanted.inOctets(octets);
      if (first === undefined) continue;
      this.go(source, first.at);
      return true;
    }
    return false;
  }

  /** By octet: 1 where something was found. */
  private foundIn(wanted: Wanted): Uint8Array {
    const { octets } = this;
    if (this.found?.wanted !== wanted || this.found.octets !== octets) {
      const flags = new Uint8Array(octets.length);
      for (const { at, length } of wanted.inOctets(octets)) flags.fill(1, at, at + length);
      this.found = { wanted, octets, flags };
    }
    return this.found.flags;
  }
  private found: { wanted: Wanted; octets: Uint8Array; flags: Uint8Array } | undefined;

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
    const long = sources.map((s, i) => ({ i, text: ` ${s.name} (${s.octets.length} B) ` }));
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
    return this.linesOf(this.source);
  }

  /** All octets of a source under its name. */
  linesOf(source: number): string[] {
    const { name, octets } = this.detail?.sources[source] ?? { name: 'no octets', octets: new Uint8Array(0) };
    const lines = Array.from({ length: Math.ceil(octets.length / 16) }, (_, i) => {
      const part = [...octets.subarray(16 * i, 16 * i + 16)];
      const hex = part.map((o) => HEX[o]).join(' ');
      const text = part.map((o) => (o >= 0x20 && o < 0x7f ? String.fromCharCode(o) : '.')).join('');
      return `${(16 * i).toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${text}`;
    });
    return [`${name}, ${octets.length} octets`, ...lines];
  }

  draw(area: Area, look: ListLook & FindLook): void {
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

  private drawLine(area: Area, y: number, from: number, look: ListLook & FindLook): void {
    const { octets, line, node } = this;
    const { theme } = look;
    if (from >= octets.length) return;
    const found = look.found === undefined ? undefined : this.foundIn(look.found);
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
      if (found?.[off] === 1) {
        area.restyle(x, y, 2, theme.found);
        area.restyle(text + i, y, 1, theme.found);
      }
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
