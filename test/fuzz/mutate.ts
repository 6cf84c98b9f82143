/** Changes to octets and to representations, all drawn from one {@link Chance}. */

import { concat, put16, put24, put32, u16 } from 'fttscope/kit';
import { random } from '../capture/support.js';

/** Draws numbers, choices and octets; the same from the same seed. */
export class Chance {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
  }
  /** From 0 up to, but without, `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  is(probability: number): boolean {
    return this.next() < probability;
  }
  /** From 1 to `most`, small ones more often. */
  few(most: number): number {
    return 1 + Math.floor(this.next() ** 3 * most);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  octets(n: number): Uint8Array {
    const narrow = this.is(0.3) ? 8 : 256;
    return Uint8Array.from({ length: n }, () => this.below(narrow));
  }
}

/** Octets that lengths, counts and texts fear. */
const FEARED = [0, 1, 2, 3, 4, 0x0a, 0x0d, 0x20, 0x22, 0x3a, 0x3c, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const WORDS = [0, 1, 2, 4, 7, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const LARGE = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];
const TEXTS = [
  '\r\n',
  '\r\n\r\n',
  '"',
  '<',
  '>',
  ';',
  ',',
  ':',
  '=',
  '%',
  '\\',
  '\0',
  '--',
  '&#x41;',
  '<![CDATA[',
  '\xff',
];

type Change = (b: Uint8Array, c: Chance) => Uint8Array;

const text = (s: string): Uint8Array => Uint8Array.from(s, (ch) => ch.charCodeAt(0));

/** A range of at most `most` octets. */
function range(b: Uint8Array, c: Chance, most = 64): readonly [number, number] {
  const from = c.below(b.length);
  return [from, Math.min(b.length, from + c.few(most))];
}

const splice = (b: Uint8Array, from: number, to: number, by: Uint8Array): Uint8Array =>
  concat([b.subarray(0, from), by, b.subarray(to)]);

const CHANGES: readonly Change[] = [
  function bit(b, c) {
    b[c.below(b.length)]! ^= 1 << c.below(8);
    return b;
  },
  function octet(b, c) {
    b[c.below(b.length)] = c.is(0.6) ? c.of(FEARED) : c.below(256);
    return b;
  },
  function byOne(b, c) {
    b[c.below(b.length)]! += c.is(0.5) ? 1 : 255;
    return b;
  },
  function word(b, c) {
    if (b.length < 2) return b;
    put16(b, c.below(b.length - 1), c.is(0.5) ? c.of(WORDS) : c.is(0.5) ? b.length - c.below(8) : c.below(65_536));
    return b;
  },
  function shiftedWord(b, c) {
    if (b.length < 2) return b;
    const at = c.below(b.length - 1);
    put16(b, at, u16(b, at) + c.below(9) - 4);
    return b;
  },
  function long(b, c) {
    if (b.length >= 4) put32(b, c.below(b.length - 3), c.of(LARGE));
    return b;
  },
  function length24(b, c) {
    if (b.length >= 3) put24(b, c.below(b.length - 2), c.is(0.5) ? c.below(b.length) : 0xff_ffff);
    return b;
  },
  function swap(b, c) {
    const i = c.below(b.length);
    const j = c.below(b.length);
    [b[i], b[j]] = [b[j]!, b[i]!];
    return b;
  },
  function swapBlocks(b, c) {
    const [from, to] = range(b, c);
    const at = c.below(b.length - (to - from) + 1);
    const held = b.slice(from, to);
    b.copyWithin(from, at, at + held.length);
    b.set(held, at);
    return b;
  },
  function truncate(b, c) {
    return b.slice(0, c.below(b.length));
  },
  function remove(b, c) {
    const [from, to] = range(b, c);
    return splice(b, from, to, new Uint8Array(0));
  },
  function repeat(b, c) {
    const [from, to] = range(b, c);
    const times = c.few(c.is(0.05) ? 400 : 6);
    return splice(b, to, to, concat(Array.from({ length: times }, () => b.subarray(from, to))));
  },
  function fill(b, c) {
    const [from, to] = range(b, c);
    b.fill(c.of(FEARED), from, to);
    return b;
  },
  function insert(b, c) {
    const at = c.below(b.length + 1);
    return splice(b, at, at, c.is(0.5) ? c.octets(c.few(16)) : text(c.of(TEXTS)));
  },
];

/** A copy with one to `most` changes; never longer than 64 KiB. */
export function mutate(octets: Uint8Array, c: Chance, most = 8): Uint8Array {
  let b: Uint8Array = octets.slice();
  for (let n = c.few(most); n > 0 && b.length > 0; n--) b = c.of(CHANGES)(b, c);
  return b.length > 65_535 ? b.slice(0, 65_535) : b;
}

/** A copy of plain data in which one to `most` values are others of their type. */
export function mutateValue<T>(value: T, c: Chance, most = 4): T {
  const copy = structuredClone(value);
  for (let n = c.few(most); n > 0; n--) change(copy, c, 0);
  return copy;
}

/** Changes one value inside `o`. */
function change(o: unknown, c: Chance, depth: number): void {
  if (o === null || typeof o !== 'object' || o instanceof Uint8Array || depth > 8) return;
  if (Array.isArray(o) && c.is(0.3)) {
    reorder(o, c);
    return;
  }
  const holder = o as Record<string, unknown>;
  const keys = Object.keys(holder);
  if (keys.length === 0) return;
  const key = c.of(keys);
  const value = holder[key];
  if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array)) change(value, c, depth + 1);
  else holder[key] = other(value, c);
}

function reorder(list: unknown[], c: Chance): void {
  const at = c.below(list.length + 1);
  const kind = c.below(3);
  if (kind === 0) list.splice(at, 1);
  else if (kind === 1 && list.length > 0) list.splice(at, 0, structuredClone(c.of(list)));
  else list.reverse();
}

function other(value: unknown, c: Chance): unknown {
  switch (typeof value) {
    case 'number':
      return c.is(0.4) ? c.of(WORDS) : c.is(0.3) ? Math.max(0, value + c.below(5) - 2) : c.below(256);
    case 'bigint':
      return BigInt(c.of(LARGE));
    case 'boolean':
      return !value;
    case 'string':
      return Buffer.from(mutate(Buffer.from(value, 'latin1'), c, 3)).toString('latin1');
    default:
      return value instanceof Uint8Array ? mutate(value, c, 4) : value;
  }
}

/** The same piece over and over, up to `octets`: what takes a parser long if its work grows faster than its input. */
export function swollen(piece: Uint8Array, octets: number): Uint8Array {
  const out = new Uint8Array(octets);
  if (piece.length > 0) for (let at = 0; at < octets; at += piece.length) out.set(piece.subarray(0, octets - at), at);
  return out;
}
