import type { Source } from './bytes.js';
import { type Field, fieldCount, fieldOf } from './fields.js';
import { utf8Text } from './text.js';

/** How bad something is: Wireshark's severities. */
export type Severity = 'comment' | 'chat' | 'note' | 'warn' | 'error';

/** Something that a dissector may notice. `code` is `layer.kebab-words` and stable for ever. */
export interface Expert {
  readonly code: string;
  readonly severity: Severity;
  /** Wireshark's wording where it has the item. */
  readonly message: string;
  readonly clause?: string;
  /** The octets contradict the format: Wireshark counts the packet as malformed then. */
  readonly malformed?: boolean;
}

/** An expert item at its place in the tree. */
export interface ExpertItem {
  readonly expert: Expert;
  readonly message: string;
  /** The node that it was added under or after; -1: none. */
  readonly node: number;
}

/** Declares what a dissector may notice. */
export const experts = <const T extends Record<string, Expert>>(table: T): T => table;

/** How a node holds its value. */
export const Held = {
  /** no value: a layer, a heading */
  Nothing: 0,
  /** a number up to 53 bits, or 0 and 1 */
  Number: 1,
  /** a string, a bigint, or octets that are not in the packet */
  Made: 2,
  /** the octets of the node are the value */
  Octets: 3,
  /** the octets of the node are UTF-8 text */
  Text: 4,
  /** seconds in the number, nanoseconds beside it */
  Time: 5,
} as const;

const STRAY: Expert = { code: 'text.stray-characters', severity: 'warn', message: 'Trailing stray characters' };

const FIRST = 256;
/** Of a number that also says how deep a node stands. A frame has octets for fewer sources. */
const SOURCE_BITS = 20;

/**
 * One packet dissected: a flat list of nodes in reading order, each with its depth. It is filled by dissectors, read by
 * tree, filter and export, and used again for the next packet ({@link reset}). Text and addresses are not made into
 * strings before somebody asks.
 *
 * Only fields that somebody wants are kept ({@link wants}), so that a field which no column and no filter names costs a
 * table look-up. Depth follows `push` and `pop` whether or not the node itself was kept.
 */
export class Tree {
  /** Nodes kept. */
  length = 0;
  /** Offset in the source's buffer. */
  off = new Int32Array(FIRST);
  len = new Int32Array(FIRST);
  /** {@link field}, as its number, and {@link held} in one number. */
  kind = new Int32Array(FIRST);
  /** {@link depth} and {@link source} in one number. */
  private place = new Int32Array(FIRST);
  number = new Float64Array(FIRST);
  made: (string | bigint | Uint8Array | number | undefined)[] = new Array(FIRST);
  /** Text shown instead of "label: value", by node. */
  readonly texts = new Map<number, string>();
  readonly experts: ExpertItem[] = [];
  /** The first {@link sourceCount} are those of this packet. */
  readonly sources: Source[] = [];
  sourceCount = 0;
  /** By field id: 1 keeps the field. */
  wants: Uint8Array;
  /** Whether texts for people ({@link label}, {@link append}) are wanted. */
  labels = false;
  /** Whether expert items are wanted. */
  wantsExperts = true;
  /** Nodes and expert items that did not fit under the cap. */
  dropped = 0;
  /** Where the layer that is being dissected ends in its source, -1 if nobody said; set by the engine. */
  layerEnd = -1;
  /** Where {@link layer} puts names; null: nobody wants the protocol stack. */
  stack: string[] | null = null;
  private now = 0;
  private at = 0;

  /** @param cap most nodes, and most expert items, of one packet */
  constructor(
    wants?: Uint8Array,
    readonly cap = 100_000,
  ) {
    this.wants = wants ?? new Uint8Array(fieldCount()).fill(1);
  }

  /** Empties the tree for the next packet. */
  reset(): void {
    this.truncate(0, 0, 0);
    this.now = 0;
    this.dropped = 0;
    this.layerEnd = -1;
  }

  /** Drops every node, expert item and source from those counts on, and goes back to depth 0. */
  truncate(length: number, expertCount: number, sourceCount: number): void {
    this.length = length;
    this.sourceCount = sourceCount;
    this.at = 0;
    shorten(this.experts, expertCount);
    if (this.sources.length > FIRST) shorten(this.sources, sourceCount); // very many are not kept for the next packet
    if (this.texts.size > 0) for (const i of this.texts.keys()) if (i >= length) this.texts.delete(i);
  }

  /** Makes `s` the source of the nodes that follow; returns the number of the source before it. Used by the engine. */
  enter(s: Source): number {
    const before = this.now;
    if (this.sourceCount === 0 || this.sources[before] !== s) this.now = this.numberOf(s);
    return before;
  }
  private numberOf(s: Source): number {
    for (let i = 0; i < this.sourceCount; i++) if (this.sources[i] === s) return i;
    this.sources[this.sourceCount] = s;
    return this.sourceCount++;
  }
  /** Returns to a source and a depth. Used by the engine after a dissector, whether it ended well or not. */
  leave(source: number, depth: number): void {
    this.now = source;
    this.at = depth;
  }
  /** Depth that the next node gets. */
  get level(): number {
    return this.at;
  }
  set level(depth: number) {
    this.at = depth;
  }

  /** Removes the nodes of fields whose place in `which` is not 0. Used by the engine for octets that stand once in a frame. */
  drop(which: Uint8Array): void {
    let to = 0;
    for (let i = 0; i < this.length; i++) {
      if (which[this.kind[i] >> 3] !== 0) continue;
      if (to < i) this.move(i, to);
      to++;
    }
    this.length = to;
  }

  private move(from: number, to: number): void {
    this.off[to] = this.off[from];
    this.len[to] = this.len[from];
    this.kind[to] = this.kind[from];
    this.place[to] = this.place[from];
    this.number[to] = this.number[from];
    this.made[to] = this.made[from];
    if (this.texts.size === 0) return;
    const text = this.texts.get(from);
    this.texts.delete(from);
    if (text === undefined) this.texts.delete(to);
    else this.texts.set(to, text);
  }

  /** Names a layer that stands within one's own, for the protocol stack: the parts of a certificate in TLS. */
  layer(name: string): void {
    if (this.stack !== null) this.stack.push(name);
  }

  /** Whether anyone wants the field: lets a dissector skip work whose only product it is. */
  wanted(f: Field): boolean {
    return this.wants[f.id] !== 0;
  }

  /** Whether anyone wants one of the fields; remembered for each list. */
  wantsAny(list: readonly Field[]): boolean {
    let any = this.known.get(list);
    if (any === undefined) this.known.set(list, (any = list.some((f) => this.wants[f.id] !== 0)));
    return any;
  }
  private readonly known = new Map<readonly Field[], boolean>();

  private add(f: Field, off: number, len: number, held: number): number {
    const i = this.length;
    if (i >= this.cap) {
      this.dropped++;
      return i - 1;
    }
    if (i === this.off.length) this.grow();
    this.length = i + 1;
    this.off[i] = off;
    this.len[i] = len;
    this.kind[i] = (f.id << 3) | held;
    this.place[i] = (this.at << SOURCE_BITS) | this.now;
    return i;
  }

  private grow(): void {
    const n = this.off.length * 2;
    this.off = widen(this.off, new Int32Array(n));
    this.len = widen(this.len, new Int32Array(n));
    this.kind = widen(this.kind, new Int32Array(n));
    this.place = widen(this.place, new Int32Array(n));
    this.number = widen(this.number, new Float64Array(n));
    this.made.length = n;
  }

  /**
   * A node without a value (a layer, a heading) that becomes the parent of what follows until {@link pop}. Its number is
   * {@link layerEnd}: `udp contains "x"` searches the whole datagram though the layer's octets are its header.
   */
  open(f: Field, off: number, len: number, label?: string): void {
    if (this.wants[f.id] !== 0) {
      const i = this.add(f, off, len, Held.Nothing);
      this.number[i] = this.layerEnd;
      if (label !== undefined) this.texts.set(i, label);
    }
    this.at++;
  }
  /** Makes the node added last the parent of what follows. */
  push(): void {
    this.at++;
  }
  /** Ends a parent. */
  pop(): void {
    this.at--;
  }

  /** A node without a value, as a flag that is there or not. */
  none(f: Field, off: number, len: number): void {
    if (this.wants[f.id] !== 0) this.add(f, off, len, Held.Nothing);
  }
  /** A number of up to 53 bits, or a boolean as 0 and 1. */
  num(f: Field, off: number, len: number, value: number): void {
    if (this.wants[f.id] === 0) return;
    const i = this.add(f, off, len, Held.Number); // first: it may put larger arrays in place
    this.number[i] = value;
  }
  /** The masked bits of `word`, shifted down. */
  bits(f: Field, off: number, len: number, word: number): void {
    if (this.wants[f.id] === 0) return;
    const i = this.add(f, off, len, Held.Number);
    this.number[i] = (word & f.mask!) >>> f.shift;
  }
  /** A 64-bit number. */
  big(f: Field, off: number, len: number, value: bigint): void {
    if (this.wants[f.id] !== 0) this.made[this.add(f, off, len, Held.Made)] = value;
  }
  /** Text: the octets as UTF-8, or `value` where it is not what the octets say. Printed, octets end at a NUL. */
  text(f: Field, off: number, len: number, value?: string): void {
    if (this.wants[f.id] === 0) return;
    if (value === undefined) this.add(f, off, len, Held.Text);
    else this.made[this.add(f, off, len, Held.Made)] = value;
  }
  /** Text that has no business with a NUL but at its end: says so where more characters follow one. */
  plainText(f: Field, off: number, len: number): void {
    this.text(f, off, len);
    this.strays(off, len);
  }
  /**
   * Says of a text whether characters follow a NUL in it: most that read such a text do not see them. Wireshark does not
   * look farther than the octets are many in the text where each that is no ASCII has become three.
   */
  strays(off: number, len: number): void {
    if (!this.wantsExperts) return;
    const { buf, end } = this.sources[this.now];
    const stop = Math.min(end, off + len);
    let i = buf.indexOf(0, off);
    if (i < 0 || i >= stop) return;
    let place = 0;
    for (let at = off; at < i; at++) place += buf[at] < 0x80 ? 1 : 3;
    while (i < stop && buf[i] === 0) {
      i++;
      place++;
    }
    if (i < stop && place < len) this.expert(STRAY);
  }
  /** Octets (also addresses: `ipv4`, `ipv6`, `ether`, `guid` read theirs from here); `value` where they are made up. */
  bytes(f: Field, off: number, len: number, value?: Uint8Array): void {
    if (this.wants[f.id] === 0) return;
    if (value === undefined) this.add(f, off, len, Held.Octets);
    else this.made[this.add(f, off, len, Held.Made)] = value;
  }
  /** An absolute time or a duration. */
  time(f: Field, off: number, len: number, seconds: number, nanos = 0): void {
    if (this.wants[f.id] === 0) return;
    const i = this.add(f, off, len, Held.Time);
    this.number[i] = seconds;
    this.made[i] = nanos;
  }

  /** Replaces the text of the node added last. Ask {@link labels} before making the text. */
  label(text: string): void {
    if (this.labels && this.length > 0) this.texts.set(this.length - 1, text);
  }

  /** Something noticed about the node added last; `message` is what is said of it here. */
  expert(e: Expert, message: string = e.message): void {
    if (!this.wantsExperts) return;
    if (this.experts.length < this.cap) this.experts.push({ expert: e, message, node: this.length - 1 });
    else this.dropped++;
  }

  /** The field of node `i`. */
  field(i: number): Field {
    return fieldOf(this.kind[i] >> 3);
  }
  /** How node `i` holds its value: one of {@link Held}. */
  held(i: number): number {
    return this.kind[i] & 7;
  }
  /** How deep node `i` stands below its layer, which is at 0. */
  depth(i: number): number {
    return this.place[i] >> SOURCE_BITS;
  }
  /** The source of node `i`: index into {@link sources}. */
  source(i: number): number {
    return this.place[i] & ((1 << SOURCE_BITS) - 1);
  }

  /** The octets of node `i`, clipped to its source. */
  octets(i: number): Uint8Array {
    const made = this.made[i];
    if (this.held(i) === Held.Made && made instanceof Uint8Array) return made;
    const s = this.sources[this.source(i)];
    if (s === undefined) return new Uint8Array(0);
    const off = Math.max(s.start, this.off[i]);
    return s.buf.subarray(off, Math.max(off, Math.min(s.end, this.off[i] + this.len[i])));
  }

  /** The value of node `i`: number, bigint, text, octets, or undefined for a node without one. Times: see {@link Held}. */
  value(i: number): number | bigint | string | Uint8Array | undefined {
    switch (this.held(i)) {
      case Held.Number:
        return this.number[i];
      case Held.Made:
        return this.made[i] as string | bigint | Uint8Array;
      case Held.Octets:
        return this.octets(i);
      case Held.Text: {
        const o = this.octets(i);
        return utf8Text(o, 0, o.length);
      }
      case Held.Time:
        return this.number[i] + (this.made[i] as number) / 1e9;
      default:
        return undefined;
    }
  }
}

/** Takes the last items away until `length` are left: V8 has no quick way to set the length of an array. */
export function shorten(list: unknown[], length: number): void {
  while (list.length > length) list.pop();
}

function widen<T extends Uint16Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
