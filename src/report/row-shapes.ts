import { Held, type Tree } from '../kit/index.js';
import { WORD } from './phrase.js';
import type { TextBytes } from './text-bytes.js';

/** Most nodes of a row, and rows, that are remembered. */
const NODES = 256;
const SHAPES = 256;
/** Places for the hashes of shapes that were seen; a power of two. */
const SEEN = 4096;
/** Octets up to which a value is kept as one number. */
const PACKED = 6;

/** How to tell whether a value is another than before. */
const Change = { Never: 0, Number: 1, Made: 2, Time: 3, Octets: 4 } as const;

function changeOf(held: number): number {
  if (held === Held.Nothing) return Change.Never;
  if (held === Held.Number) return Change.Number;
  if (held === Held.Made) return Change.Made;
  return held === Held.Time ? Change.Time : Change.Octets;
}

/** Few octets and how many they are; NaN, which equals nothing, where they are more. */
function packed(t: Tree, node: number): number {
  const n = t.len[node];
  const off = t.off[node];
  const s = t.sources[t.source[node]];
  if (n > PACKED || off < s.start || off + n > s.end) return Number.NaN;
  let v = n + 1;
  for (let i = off; i < off + n; i++) v = v * 256 + s.buf[i];
  return v;
}

/**
 * The text of the last row that had the same fields in the same order, and what stands where in it: of the next one only
 * the values that are others have to be written.
 */
export class Shape {
  /** By value in the order of the text: its node, its place in the text. */
  readonly node: Int32Array;
  readonly at: Int32Array;
  readonly end: Int32Array;
  private readonly change: Uint8Array;
  private readonly number: Float64Array;
  private readonly made: unknown[];
  private octets = new Uint8Array(0);
  /** The text, from 0. */
  view = new DataView(this.octets.buffer);
  length = 0;
  values = 0;

  /** @param nodes {@link Tree.kind} of each node */
  constructor(readonly nodes: Int32Array) {
    const n = nodes.length;
    this.node = new Int32Array(n);
    this.at = new Int32Array(n);
    this.end = new Int32Array(n);
    this.change = new Uint8Array(n);
    this.number = new Float64Array(n);
    this.made = new Array(n).fill(undefined);
  }

  /** Adds a value that was written to `[at, end)` of the text. */
  add(t: Tree, node: number, at: number, end: number): void {
    const k = this.values++;
    this.node[k] = node;
    this.at[k] = at;
    this.end[k] = end;
    this.change[k] = changeOf(t.held[node]);
    this.number[k] = Number.NaN;
    this.differs(t, k);
  }

  /** Whether value `k` is another than that of the row before; remembers it. */
  differs(t: Tree, k: number): boolean {
    const node = this.node[k];
    switch (this.change[k]) {
      case Change.Never:
        return false;
      case Change.Number:
        return this.isOther(k, t.number[node]);
      case Change.Octets:
        return this.isOther(k, packed(t, node));
      case Change.Time: {
        const other = this.isOther(k, t.number[node]);
        return this.wasMade(k, t.made[node]) || other;
      }
      default:
        return this.wasMade(k, t.made[node]);
    }
  }

  private isOther(k: number, v: number): boolean {
    if (this.number[k] === v) return false;
    this.number[k] = v;
    return true;
  }

  private wasMade(k: number, v: unknown): boolean {
    // Octets may be others in the same place.
    if (this.made[k] === v && typeof v !== 'object') return false;
    this.made[k] = v;
    return true;
  }

  /** Keeps the text that `out` has from `start` on. */
  keep(out: TextBytes, start: number): void {
    this.length = out.size - start;
    if (this.octets.length < this.length + WORD) {
      this.octets = new Uint8Array(this.length * 2 + WORD);
      this.view = new DataView(this.octets.buffer);
    }
    out.copyTo(this.octets, start);
  }
}

/** Remembers the rows that were written last, one of each shape. */
export class Shapes {
  private readonly known = new Map<number, Shape>();
  private readonly seen = new Int32Array(SEEN);

  /** The shape of a tree: without values the first time it is asked for; null where it is not worth to be remembered. */
  find(t: Tree): Shape | null {
    const { length, kind } = t;
    if (length > NODES) return null;
    let hash = length;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ kind[i], 0x9e3779b1) ^ (hash >>> 15);
    const shape = this.known.get(hash);
    if (shape === undefined) return this.made(hash, t);
    const { nodes } = shape;
    if (nodes.length !== length) return null;
    for (let i = 0; i < length; i++) if (kind[i] !== nodes[i]) return null;
    return shape;
  }

  /** A shape is remembered when it comes for the second time. */
  private made(hash: number, t: Tree): Shape | null {
    const place = hash & (SEEN - 1);
    if (this.seen[place] !== hash) {
      this.seen[place] = hash;
      return null;
    }
    if (this.known.size >= SHAPES) this.known.clear();
    const shape = new Shape(t.kind.slice(0, t.length));
    this.known.set(hash, shape);
    return shape;
  }
}
