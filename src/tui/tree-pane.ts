import type { Detail, DetailNode } from '../viewer/viewer.js';
import { type Area, cellsOf } from './cells.js';
import type { CommandId } from './keymap.js';
import { List, type ListLook } from './list.js';
import { type FindLook, markFound } from './packet-find.js';
import { SIGNS } from './style.js';

/** What a branch is remembered by: its field, or its words up to the first number. */
const nameOf = (n: DetailNode): string => n.field || n.label.replace(/[\d:].*$/, '');

/** Branches that are open at first, beside the innermost layer. */
const OPEN_AT_FIRST = ['fttims', 'sip.msg_hdr', 'sdp'];

/** Lines above the innermost layer at first. */
const ABOVE = 2;

/** The tree of a packet. Which branches are open is remembered by their fields, for all packets. */
export class TreePane {
  detail: Detail | undefined;
  readonly list = new List(() => this.shown.length);
  /** Numbers of the nodes in sight when all is scrolled through. */
  private shown: number[] = [];
  private readonly open = new Set<string>(OPEN_AT_FIRST);
  /** Layers that the user closed: the innermost one is open otherwise. */
  private readonly closed = new Set<string>();
  private innermost = -1;

  /** Another packet; the cursor goes to the same field, or else to the innermost layer. */
  set(detail: Detail): void {
    const before = this.current;
    // The field stays where it is on the screen; at first two layers are seen above it.
    const above = before === undefined ? ABOVE : this.list.cursor - this.list.top;
    this.detail = detail;
    const { nodes } = detail;
    this.innermost = innermostLayer(nodes);
    this.arrange();
    const same = before === undefined ? -1 : this.findNode(before);
    this.select(same >= 0 ? same : this.innermost);
    this.list.top = Math.max(0, this.list.cursor - above);
  }

  private findNode(before: DetailNode): number {
    const nodes = this.detail!.nodes;
    let last = -1;
    // Of several layers with the same field the innermost one.
    for (const i of this.shown) if (before.field !== '' && nodes[i].field === before.field) last = i;
    return last;
  }

  /** Forgets the packet. */
  clear(): void {
    this.detail = undefined;
    this.shown = [];
  }

  /** The node under the cursor. */
  get current(): DetailNode | undefined {
    return this.detail?.nodes[this.shown[this.list.cursor]];
  }
  /** Its number. */
  get at(): number {
    return this.shown[this.list.cursor] ?? -1;
  }

  private hasChildren(i: number): boolean {
    const { nodes } = this.detail!;
    return i + 1 < nodes.length && nodes[i + 1].depth > nodes[i].depth;
  }

  private isOpen(i: number): boolean {
    const name = nameOf(this.detail!.nodes[i]);
    return this.open.has(name) || (i === this.innermost && !this.closed.has(name));
  }

  private arrange(): void {
    this.shown = [];
    const { nodes } = this.detail!;
    let hidden = Number.POSITIVE_INFINITY;
    for (let i = 0; i < nodes.length; i++) {
      if (nodes[i].depth > hidden) continue;
      hidden = Number.POSITIVE_INFINITY;
      this.shown.push(i);
      if (this.hasChildren(i) && !this.isOpen(i)) hidden = nodes[i].depth;
    }
  }

  /** Opens or closes a branch. */
  private toggle(i: number, open: boolean): void {
    const name = nameOf(this.detail!.nodes[i]);
    if (open) {
      this.open.add(name);
      this.closed.delete(name);
    } else {
      this.open.delete(name);
      this.closed.add(name);
    }
    this.arrange();
    this.list.go(this.shown.indexOf(i));
  }

  /** Puts the cursor on a node and opens what it stands in. */
  select(i: number): void {
    if (this.detail === undefined || i < 0) return;
    const { nodes } = this.detail;
    let depth = nodes[i].depth;
    for (let j = i - 1; j >= 0 && depth > 0; j--)
      if (nodes[j].depth < depth) {
        depth = nodes[j].depth;
        this.open.add(nameOf(nodes[j]));
        this.closed.delete(nameOf(nodes[j]));
      }
    this.arrange();
    this.list.centre(this.shown.indexOf(i));
  }

  /** The node that says most about an octet: the shortest that covers it, the deepest of those; -1: none. */
  nodeAt(source: number, off: number): number {
    const { nodes } = this.detail!;
    let best = -1;
    for (let i = 0; i < nodes.length; i++) {
      const n = nodes[i];
      if (n.source !== source || off < n.off || off >= n.off + n.length) continue;
      if (
        best < 0 ||
        n.length < nodes[best].length ||
        (n.length === nodes[best].length && n.depth > nodes[best].depth && n.mask === undefined)
      )
        best = i;
    }
    return best;
  }

  /** Moves and folds; whether the command was for it. */
  run(command: CommandId): boolean {
    const i = this.at;
    if (i < 0) return false;
    if (command === 'right') {
      if (this.hasChildren(i) && !this.isOpen(i)) this.toggle(i, true);
      else if (this.hasChildren(i)) this.list.run('down');
      else this.list.sideways += 8;
      return true;
    }
    if (command === 'left') {
      if (this.list.sideways > 0) this.list.sideways = Math.max(0, this.list.sideways - 8);
      else if (this.hasChildren(i) && this.isOpen(i)) this.toggle(i, false);
      else this.toParent(i);
      return true;
    }
    if (command === 'open' || command === 'select') {
      if (!this.hasChildren(i)) return false;
      this.toggle(i, !this.isOpen(i));
      return true;
    }
    return this.list.run(command);
  }

  private toParent(i: number): void {
    const { nodes } = this.detail!;
    for (let j = i - 1; j >= 0; j--)
      if (nodes[j].depth < nodes[i].depth) {
        this.list.go(this.shown.indexOf(j));
        return;
      }
  }

  /** Finds the next label that has a text, from the cursor on and round; -1: none has. */
  find(test: (text: string) => boolean, step: 1 | -1): number {
    const { nodes } = this.detail!;
    for (let k = 1; k <= nodes.length; k++) {
      const i = (this.at + k * step + nodes.length * 2) % nodes.length;
      if (test(nodes[i].label)) return i;
    }
    return -1;
  }

  /** Selects the line at a place; whether it was on the mark of a branch. */
  click(x: number, y: number): boolean {
    const line = this.list.lineAt(y);
    if (line < 0) return false;
    this.list.go(line);
    const i = this.shown[line];
    const at = 2 * this.detail!.nodes[i].depth - this.list.sideways;
    if (!this.hasChildren(i) || x < at || x > at + 1) return false;
    this.toggle(i, !this.isOpen(i));
    return true;
  }

  /** The lines in sight when all is scrolled through, as text. */
  plain(): string[] {
    const { detail } = this;
    if (detail === undefined) return ['reading the packet'];
    return this.shown.map((i) => {
      const n = detail.nodes[i];
      const mark = n.severity ?? (!this.hasChildren(i) ? '' : this.isOpen(i) ? 'open' : 'closed');
      return `${'  '.repeat(n.depth)}${wordsOf(n)}${mark === '' ? '' : ` (${mark})`}`;
    });
  }

  draw(area: Area, look: ListLook & FindLook): void {
    const { detail } = this;
    if (detail === undefined) return;
    const { theme } = look;
    // Sideways no further than the longest line needs.
    const inSight = this.shown.slice(this.list.top, this.list.top + area.height);
    const longest = Math.max(0, ...inSight.map((i) => 2 * detail.nodes[i].depth + 3 + cellsOf(detail.nodes[i].label)));
    this.list.sideways = Math.max(0, Math.min(this.list.sideways, longest - area.width + 1));
    const found = (line: Area, k: number): void => {
      const n = detail.nodes[this.shown[k]];
      markFound(line, 2 * n.depth - this.list.sideways + 2, 0, wordsOf(n), look);
    };
    const drawLine = (line: Area, k: number): void => {
      const i = this.shown[k];
      const n = detail.nodes[i];
      const x = 2 * n.depth - this.list.sideways;
      const mark =
        n.severity !== undefined ? SIGNS[n.severity] : !this.hasChildren(i) ? ' ' : this.isOpen(i) ? '▾' : '▸';
      const style =
        n.severity !== undefined
          ? theme[n.severity]
          : n.generated === true
            ? theme.dim
            : n.depth === 0
              ? theme.strong
              : theme.text;
      line.text(x, 0, mark, n.severity !== undefined ? style : theme.key);
      const clause = n.clause === undefined ? '' : `  (${n.clause})`;
      line.clipped(x + 2, 0, wordsOf(n) + clause, line.width - x - 2, style);
    };
    this.list.draw(area, look, drawLine, found);
  }
}

/** What stands in a line of the tree: as in Wireshark, what is not read from the octets stands in brackets. */
export const wordsOf = (n: DetailNode): string =>
  n.generated === true && !n.label.startsWith('[') ? `[${n.label}]` : n.label;

/** The last layer that has octets. */
function innermostLayer(nodes: readonly DetailNode[]): number {
  let last = 0;
  for (let i = 0; i < nodes.length; i++) if (nodes[i].depth === 0 && nodes[i].length > 0) last = i;
  return last;
}
