import { Held, type Tree } from '../kit/index.js';
import type { Pattern } from './fill.js';
import { formOf } from './form.js';
import { type Phrase, WORD } from './phrase.js';
import type { TextBytes } from './text-bytes.js';

/** Most nodes of a row, and rows, that are remembered. */
const NODES = 256;
const SHAPES = 256;
/** Places for the hashes of rows that were seen, a power of two; how often a row is seen before its shape is remembered. */
const SEEN = 4096;
const OFTEN = 3;
/** Octets up to which a value is kept as one number. */
const PACKED = 6;
/** Factor of the hash. */
const MIX = 0x9e3779b1;

/** Few octets and how many they are; undefined where they are more. */
function packed(t: Tree, node: number): number | undefined {
  const n = t.len[node];
  const off = t.off[node];
  const s = t.sources[t.source(node)];
  if (n > PACKED || off < s.start || off + n > s.end) return undefined;
  let v = n + 1;
  for (let i = off; i < off + n; i++) v = v * 256 + s.buf[i];
  return v;
}

/**
 * What tells whether a value is the same as in another row; undefined where nothing does: a time, many octets, or octets
 * of its own, which may be others by then.
 */
function mark(t: Tree, node: number): unknown {
  const held = t.held(node);
  if (held === Held.Number) return t.number[node];
  if (held === Held.Time) return undefined;
  if (held !== Held.Made) return packed(t, node);
  const made = t.made[node];
  return typeof made === 'object' ? undefined : made;
}

/**
 * The text of rows, or of parts of them, that have the same fields in the same order: what all of them had in common so
 * far, with holes where values were others. Of the next row only the holes have to be filled. Nodes are counted from the
 * first of the part, which in other rows may be another of the tree.
 */
export class Shape implements Pattern {
  /** By node: 1 where its value is a hole. */
  private readonly varies: Uint8Array;
  readonly node: Int32Array;
  readonly cut: Int32Array;
  readonly form: Uint8Array;
  readonly said: unknown[] = [];
  readonly saidAs: (Phrase | undefined)[] = [];
  holes = 0;
  /** Nodes whose values the text has: numbers, and others. */
  private readonly number: Int32Array;
  private readonly numberIs: Float64Array;
  private numbers = 0;
  private readonly other: Int32Array;
  private readonly otherIs: unknown[] = [];
  private others = 0;
  /** The text, from 0; {@link length} is 0 before there is one. */
  private octets = new Uint8Array(0);
  text = new DataView(this.octets.buffer);
  length = 0;
  /** End of the hole before, in the row that the text is taken from. */
  private taken = 0;
  /** It was used since it was last asked. */
  used = true;
  /** By {@link NodesByName.idOf}: 1 for the names that stand here; null: nobody asked yet. */
  names: Uint8Array | null = null;
  /** The names that stand here as a list; null: nobody asked yet. */
  list: readonly number[] | null = null;

  /** @param nodes {@link Tree.kind} of each node */
  constructor(readonly nodes: Int32Array) {
    const n = nodes.length;
    this.varies = new Uint8Array(n);
    this.node = new Int32Array(n);
    this.form = new Uint8Array(n);
    this.cut = new Int32Array(n);
    this.number = new Int32Array(n);
    this.numberIs = new Float64Array(n);
    this.other = new Int32Array(n);
  }

  /** Whether the part from `base` on is the text with its holes filled. What it has as another value will be a hole. */
  fits(t: Tree, base: number): boolean {
    if (this.length === 0) return false;
    const { number, numberIs, numbers, other, otherIs, others, varies } = this;
    let all = true;
    for (let k = 0; k < numbers; k++)
      if (t.number[base + number[k]] !== numberIs[k]) {
        varies[number[k]] = 1;
        all = false;
      }
    for (let k = 0; k < others; k++)
      if (mark(t, base + other[k]) !== otherIs[k]) {
        varies[other[k]] = 1;
        all = false;
      }
    return all;
  }

  /** Begins to take the text of a row, of which each value is then added. */
  begin(): void {
    this.holes = 0;
    this.numbers = 0;
    this.others = 0;
    this.length = 0;
    this.taken = 0;
  }

  /** Adds a value that was written at `at`; the part begins at `start`. */
  add(t: Tree, base: number, i: number, out: TextBytes, start: number, at: number): void {
    const held = t.held(i);
    const node = i - base;
    if (held === Held.Nothing) return;
    if (this.varies[node] === 0) {
      const is = mark(t, i);
      if (is !== undefined) {
        this.keep(node, held, is);
        return;
      }
    }
    this.take(out, start, at);
    this.taken = out.size - start;
    this.node[this.holes] = node;
    this.form[this.holes] = formOf(t.field(i), held);
    this.said[this.holes] = this.saidAs[this.holes] = undefined;
    this.cut[this.holes++] = this.length;
  }

  private keep(node: number, held: number, is: unknown): void {
    if (held === Held.Number) {
      this.number[this.numbers] = node;
      this.numberIs[this.numbers++] = is as number;
    } else {
      this.other[this.others] = node;
      this.otherIs[this.others++] = is;
    }
  }

  /** Takes what stands between the hole before and `end` of the row. */
  private take(out: TextBytes, start: number, end: number): void {
    const more = end - start - this.taken;
    if (this.octets.length < this.length + more + WORD) {
      const larger = new Uint8Array((this.length + more) * 2 + WORD);
      larger.set(this.octets.subarray(0, this.length));
      this.octets = larger;
      this.text = new DataView(larger.buffer);
    }
    out.copyTo(this.octets, this.length, start + this.taken, end);
    this.length += more;
  }

  /** All of the row was written. */
  end(out: TextBytes, start: number): void {
    this.take(out, start, out.size);
  }
}

/** Remembers the parts of rows that were written last, one of each shape. */
export class Shapes {
  private readonly known = new Map<number, Shape>();
  private readonly seen = new Int32Array(SEEN);
  private readonly times = new Uint8Array(SEEN);

  /** The shape of the nodes `[from, end)` of a tree; null where it is not worth to be remembered. */
  find(t: Tree, from: number, end: number): Shape | null {
    const { kind } = t;
    const length = end - from;
    if (length > NODES) return null;
    const hash = hashOf(kind, from, end);
    const shape = this.known.get(hash);
    if (shape === undefined) return this.made(hash, t, from, end);
    const { nodes } = shape;
    if (nodes.length !== length) return null;
    for (let i = 0; i < length; i++) if (kind[from + i] !== nodes[i]) return null;
    shape.used = true;
    return shape;
  }

  /** A shape is remembered when it has come often enough. */
  private made(hash: number, t: Tree, from: number, end: number): Shape | null {
    const place = hash & (SEEN - 1);
    if (this.seen[place] !== hash) {
      this.seen[place] = hash;
      this.times[place] = 1;
      return null;
    }
    if (++this.times[place] < OFTEN) return null;
    this.times[place] = 0;
    if (this.known.size >= SHAPES) this.forget();
    const shape = new Shape(t.kind.slice(from, end));
    this.known.set(hash, shape);
    return shape;
  }

  /** Forgets the first shape that was not used since it was last looked at. */
  private forget(): void {
    for (const [hash, shape] of this.known) {
      this.known.delete(hash);
      if (!shape.used) return;
      shape.used = false;
      this.known.set(hash, shape);
    }
  }
}

/** Four sums at a time: none waits for the other. */
function hashOf(kind: Int32Array, from: number, end: number): number {
  let a = end - from;
  let b = 1;
  let c = 2;
  let d = 3;
  let i = from + 3;
  for (; i < end; i += 4) {
    a = Math.imul(a ^ kind[i - 3], MIX) ^ (a >>> 15);
    b = Math.imul(b ^ kind[i - 2], MIX) ^ (b >>> 15);
    c = Math.imul(c ^ kind[i - 1], MIX) ^ (c >>> 15);
    d = Math.imul(d ^ kind[i], MIX) ^ (d >>> 15);
  }
  for (i -= 3; i < end; i++) a = Math.imul(a ^ kind[i], MIX) ^ (a >>> 15);
  return Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ d, MIX), MIX), MIX) | 0;
}
