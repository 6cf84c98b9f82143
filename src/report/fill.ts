import type { Tree } from '../kit/index.js';
import { BILLION, colonPairs, decimal, digits, fraction, MOST, quad, THOUSAND, upToNine } from './digits.js';
import { Form } from './form.js';
import { FALSE, type Phrase, TRUE, WORD } from './phrase.js';
import type { TextBytes } from './text-bytes.js';

const QUOTE = 34;
const ZERO = 48;
const LETTER_Z = 90;
/** Octets that a value takes at most, where it is neither text nor hex. */
const VALUE = 64;
const IP4 = 4;
const IP6 = 16;

/** A text with holes. */
export interface Pattern {
  /** May be read a word beyond its end. */
  readonly text: DataView;
  readonly length: number;
  readonly holes: number;
  /**
   * By hole: where in the text it is, the node whose value stands there, counted from the first, and how that is written
   * ({@link Form}).
   */
  readonly cut: Int32Array;
  readonly node: Int32Array;
  readonly form: Uint8Array;
  /** By hole: what stood there last, and the same as JSON; undefined: nothing that came before. */
  readonly said: unknown[];
  readonly saidAs: (Phrase | undefined)[];
}

/** Writes texts with holes. One instance serves all of one output. */
export class Filler {
  /** The octets written last as hex, and where. */
  private buf: Uint8Array | null = null;
  private off = 0;
  private end = 0;
  private at = 0;

  /** Begins a row: octets that were written as hex may be others now. */
  begin(): void {
    this.buf = null;
  }

  /**
   * Fills the holes of a text with values of a tree, whose node `base` is its first. Nearly all rows go through this one
   * loop, which keeps its position in variables of its own and leaves to {@link TextBytes.value} what is not common.
   */
  fill(p: Pattern, t: Tree, base: number, out: TextBytes): void {
    const { text, length, holes, cut, node, form } = p;
    const { number } = t;
    let view = out.claim(out.size, length + holes * VALUE);
    let at = out.size;
    let from = 0;
    for (let k = 0; k < holes; k++) {
      const end = cut[k];
      for (; from < end; from += WORD, at += WORD) view.setFloat64(at, text.getFloat64(from, true), true);
      at -= from - end;
      from = end;
      const as = form[k];
      const i = base + node[k];
      if (as === Form.Number) {
        const v = number[i];
        const n = v | 0;
        if (n === v && n >= 0 && n < BILLION) {
          at = n < THOUSAND ? digits(view, at, n) : upToNine(view, at, n);
          continue;
        }
      } else if (as === Form.Hex) {
        view = out.claim(at, 3 * t.len[i] + length - from + (holes - k) * VALUE);
        at = this.hex(view, at, t, i);
        continue;
      }
      const to = as === Form.Made ? made(view, at, p, k, t.made[i], out) : value(view, at, as, t, i, out);
      if (to !== 0) {
        at = to;
        continue;
      }
      out.claim(at, 0);
      out.value(t, i);
      view = out.claim(out.size, length - from + (holes - k) * VALUE);
      at = out.size;
    }
    for (; from < length; from += WORD, at += WORD) view.setFloat64(at, text.getFloat64(from, true), true);
    out.claim(at - (from - length), 0);
  }

  /** Writes octets as hex. A payload is part of the payload around it, whose hex stands in the same row. */
  private hex(view: DataView, at: number, t: Tree, i: number): number {
    const { buf, start, end } = t.sources[t.source(i)];
    const first = Math.max(start, t.off[i]);
    const last = Math.max(first, Math.min(end, t.off[i] + t.len[i]));
    const n = 3 * (last - first);
    if (buf === this.buf && first >= this.off && last <= this.end && n > 0) {
      const from = this.at + 3 * (first - this.off);
      const to = at + 1;
      for (let j = 0; j < n; j += WORD) view.setFloat64(to + j, view.getFloat64(from + j, true), true);
      return quoted(view, at + n, at);
    }
    this.buf = buf;
    this.off = first;
    this.end = last;
    this.at = at + 1;
    return quoted(view, colonPairs(view, at + 1, buf, first, last), at);
  }
}

/** Writes a phrase at `at`, where there is room for it; returns where it ends. */
function write(view: DataView, at: number, { words, length }: Phrase): number {
  for (let j = 0, to = at; j < words.length; j++, to += WORD) view.setFloat64(to, words[j], true);
  return at + length;
}

/** Writes a text that came before and takes little room; 0: it is something else. */
function made(view: DataView, at: number, p: Pattern, k: number, is: unknown, out: TextBytes): number {
  let phrase = p.saidAs[k];
  if (phrase === undefined || is !== p.said[k]) phrase = p.saidAs[k] = out.known((p.said[k] = is));
  return phrase === undefined || phrase.length > VALUE ? 0 : write(view, at, phrase);
}

/** Writes a value of the common kinds; returns where it ends, 0: it is not as it should be. */
function value(view: DataView, at: number, as: number, t: Tree, i: number, out: TextBytes): number {
  if (as === Form.Number) {
    const v = t.number[i];
    return v >= 0 && v < MOST && Math.floor(v) === v ? decimal(view, at, v) : 0;
  }
  if (as === Form.Bool) return write(view, at, t.number[i] !== 0 ? TRUE : FALSE);
  if (as === Form.Ip4 || as === Form.Ip6) {
    const size = as === Form.Ip4 ? IP4 : IP6;
    const { buf, start, end } = t.sources[t.source(i)];
    const off = t.off[i];
    if (t.len[i] !== size || off < start || off + size > end) return 0;
    return size === IP4 ? quoted(view, quad(view, at + 1, buf, off), at) : write(view, at, out.ip6.of(buf, off));
  }
  return as === Form.Duration || as === Form.Epoch || as === Form.Iso ? time(view, at, as, t, i, out) : 0;
}

/** Puts quotes around what stands from behind `at` to `end`. */
function quoted(view: DataView, end: number, at: number): number {
  view.setUint8(at, QUOTE);
  view.setUint8(end, QUOTE);
  return end + 1;
}

function time(view: DataView, at: number, as: number, t: Tree, i: number, out: TextBytes): number {
  const seconds = t.number[i];
  const nanos = t.made[i] as number;
  if (!(seconds >= 0 && seconds < MOST && Math.floor(seconds) === seconds && nanos >= 0 && nanos < BILLION)) return 0;
  if (as === Form.Epoch) return quoted(view, fraction(view, decimal(view, at + 1, seconds), nanos), at);
  if (as === Form.Iso) {
    const end = fraction(view, write(view, at, out.secondOf(seconds)), nanos);
    view.setUint8(end, LETTER_Z);
    view.setUint8(end + 1, QUOTE);
    return end + 2;
  }
  let end = decimal(view, at, seconds);
  if (nanos === 0) return end;
  end = fraction(view, end, nanos);
  while (view.getUint8(end - 1) === ZERO) end--;
  return end;
}
