import type { Row } from '../engine/row.js';
import { type Field, fieldCount, Held, type Tree } from '../kit/index.js';
import { Filler } from './fill.js';
import { KINDS } from './form.js';
import { Phrase } from './phrase.js';
import { type Shape, Shapes } from './row-shapes.js';
import type { TextBytes } from './text-bytes.js';

/**
 * Collects the nodes of a tree by field name, so that each name is written once with all its values in order. The
 * arrays are made once and used for every row.
 */
class NodesByName {
  /** First and last node of each name; index: the id that stands for the name. */
  readonly first = new Int32Array(fieldCount()).fill(-1);
  private readonly last = new Int32Array(fieldCount());
  /** Next node of the same name; -1: none. */
  next = new Int32Array(512);
  /** The first {@link names} are ids in order of appearance. */
  readonly order = new Int32Array(fieldCount());
  names = 0;
  /** By field id: the id that stands for its name; -1: not asked for yet. */
  private readonly canonical = new Int32Array(fieldCount()).fill(-1);
  private readonly ids = new Map<string, number>();

  /** Takes in the nodes `[from, end)` of a tree; layers and headings are left out. */
  collect(t: Tree, from: number, end: number): void {
    const { first, last, order } = this;
    for (let k = 0; k < this.names; k++) first[order[k]] = -1;
    if (this.next.length < t.length) this.next = new Int32Array(t.length * 2);
    const { next } = this;
    let names = 0;
    for (let i = from; i < end; i++) {
      const f = t.field(i);
      if (t.held(i) === Held.Nothing && f.type !== 'none') continue;
      const id = this.idOf(f);
      if (first[id] < 0) {
        first[id] = i;
        order[names++] = id;
      } else next[last[id]] = i;
      last[id] = i;
      next[i] = -1;
    }
    this.names = names;
  }

  /** The id that stands for the name of a field. */
  idOf({ id, name }: Field): number {
    const known = this.canonical[id];
    if (known >= 0) return known;
    const same = this.ids.get(name) ?? id;
    this.ids.set(name, same);
    return (this.canonical[id] = same);
  }
}

const COMMA = 44;
const DOT = 46;
/** Layers above which packets differ in more than values. */
const TRANSPORT: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);
/** What a node is: one of those, another layer, or part of a layer. */
const Place = { Transport: 1, Layer: 2, Within: 3 } as const;
/** Most protocol stacks that are remembered. */
const STACKS = 256;
const OF = {
  row: new Phrase('{"row":"'),
  file: new Phrase('","file":'),
  frame: new Phrase(',"frame":'),
  inner: new Phrase(',"inner":'),
  time: new Phrase(',"time":'),
  epoch: new Phrase(',"epoch":'),
  relative: new Phrase(',"relative":'),
  frameLength: new Phrase(',"frameLength":'),
  packetLength: new Phrase(',"packetLength":'),
  tunnel: new Phrase(',"tunnel":'),
  up: new Phrase(',"direction":"up"'),
  down: new Phrase(',"direction":"down"'),
  protocols: new Phrase(',"protocols":'),
  info: new Phrase(',"info":'),
  noFindings: new Phrase(',"findings":[]'),
  fields: new Phrase(',"fields":{'),
  end: new Phrase('}}\n'),
  lastEnd: new Phrase(']}}\n'),
};

/** Writes rows as one JSON object a line. */
export class NdjsonWriter {
  private readonly nodes = new NodesByName();
  private out!: TextBytes;
  /** `],"name":[` by the id that stands for the name; for the first of a row without the `],`. */
  private readonly keys: (Phrase | undefined)[] = new Array(fieldCount()).fill(undefined);
  private readonly firstKeys: (Phrase | undefined)[] = [];
  private readonly shapes = new Shapes();
  /** Those that stand behind others. */
  private readonly upper = new Shapes();
  private readonly filler = new Filler();
  /** Protocol stacks as JSON. */
  private readonly stacks = new Map<string, Phrase>();

  print(row: Row, out: TextBytes): void {
    this.out = out;
    out.forget();
    this.head(row);
    out.phrase(OF.fields);
    this.fields(row.dissection.tree);
  }

  private head(row: Row): void {
    const { out } = this;
    out.phrase(OF.row);
    if (row.severalFiles) out.ascii(row.id);
    else {
      out.number(row.frame);
      if (row.inner > 0) {
        out.octet(DOT);
        out.number(row.inner);
      }
    }
    out.phrase(OF.file);
    out.number(row.file);
    out.phrase(OF.frame);
    out.number(row.frame);
    if (row.inner > 0) {
      out.phrase(OF.inner);
      out.number(row.inner);
    }
    out.phrase(OF.time);
    out.isoTime(row.seconds, row.nanos);
    out.phrase(OF.epoch);
    out.decimalSeconds(row.seconds, row.nanos);
    out.phrase(OF.relative);
    const [seconds, nanos] = row.relative;
    out.jsonSeconds(seconds, nanos);
    out.phrase(OF.frameLength);
    out.number(row.frameLength);
    if (row.inner > 0) {
      out.phrase(OF.packetLength);
      out.number(row.packetLength);
    }
    this.rest(row);
  }

  /** What is known once the row was dissected. */
  private rest(row: Row): void {
    const { out } = this;
    if (row.tunnel !== null) {
      out.phrase(OF.tunnel);
      out.number(row.tunnel.id);
    }
    if (row.direction !== null) out.phrase(row.direction === 'up' ? OF.up : OF.down);
    out.phrase(OF.protocols);
    out.phrase(this.protocols(row.dissection));
    out.phrase(OF.info);
    out.string(row.dissection.info());
    const codes = row.codes();
    if (codes.length === 0) out.phrase(OF.noFindings);
    else out.ascii(`,"findings":${JSON.stringify(codes)}`);
  }

  private protocols(d: Row['dissection']): Phrase {
    const text = d.stack();
    let json = this.stacks.get(text);
    if (json === undefined) {
      if (this.stacks.size >= STACKS) this.stacks.clear();
      this.stacks.set(text, (json = new Phrase(JSON.stringify(d.protocols))));
    }
    return json;
  }

  /**
   * The layers up to the transport layer and those above it are shapes of their own, where no name stands in both: so
   * few are needed, which stay at hand.
   */
  private fields(t: Tree): void {
    const { shapes, upper } = this;
    const { length } = t;
    this.filler.begin();
    const cut = this.application(t);
    const lower = cut > 0 ? shapes.find(t, 0, cut) : null;
    const above = lower === null ? null : upper.find(t, cut, length);
    const any =
      lower === null || this.areMixed(lower, above, t, cut)
        ? this.part(t, 0, length, shapes.find(t, 0, length), false)
        : this.part(t, 0, cut, lower, false) && this.part(t, cut, length, above, true);
    this.out.phrase(any ? OF.lastEnd : OF.end);
  }

  /** The first node of the layers above the last transport layer; -1: there is none. */
  private application(t: Tree): number {
    const { kind } = t;
    let above = -1;
    for (let i = t.length - 1; i >= 0; i--) {
      const place = this.places[kind[i]] || this.placeOf(t, i);
      if (place === Place.Transport) return above;
      if (place === Place.Layer) above = i;
    }
    return -1;
  }
  /** By {@link Tree.kind}: a {@link Place}; 0: not asked for yet. */
  private readonly places = new Uint8Array(fieldCount() * KINDS);

  private placeOf(t: Tree, i: number): number {
    const { type, name } = t.field(i);
    const isLayer = t.held(i) === Held.Nothing && type === 'protocol';
    return (this.places[t.kind[i]] = !isLayer ? Place.Within : TRANSPORT.has(name) ? Place.Transport : Place.Layer);
  }

  /** Whether names that stand before `cut` stand behind it too, or none stands before: no part can be written by itself. */
  private areMixed(lower: Shape, above: Shape | null, t: Tree, cut: number): boolean {
    const names = (lower.names ??= this.namesOf(t, 0, cut));
    const behind = above === null ? this.listOf(t, cut, t.length) : (above.list ??= this.listOf(t, cut, t.length));
    for (const id of behind) if (names[id] !== 0) return true;
    return false;
  }

  /** By {@link NodesByName.idOf}: 1 for names that stand in `[from, end)`; where there are none, for all. */
  private namesOf(t: Tree, from: number, end: number): Uint8Array {
    const names = new Uint8Array(fieldCount());
    const list = this.listOf(t, from, end);
    for (const id of list) names[id] = 1;
    return list.length > 0 ? names : names.fill(1);
  }

  /** Ids of the names that stand in `[from, end)`. */
  private listOf(t: Tree, from: number, end: number): number[] {
    const list = [];
    for (let i = from; i < end; i++)
      if (t.held(i) !== Held.Nothing || t.field(i).type === 'none') list.push(this.nodes.idOf(t.field(i)));
    return list;
  }

  /** Writes the fields of the nodes `[from, end)`; returns false where there are none. `more`: names stand before. */
  private part(t: Tree, from: number, end: number, shape: Shape | null, more: boolean): boolean {
    if (shape?.fits(t, from) !== true) return this.all(t, from, end, shape, more);
    this.filler.fill(shape, t, from, this.out);
    return true;
  }

  /** Writes the fields, and shows the shape what stands where. */
  private all(t: Tree, from: number, end: number, shape: Shape | null, more: boolean): boolean {
    const { nodes, out, keys } = this;
    nodes.collect(t, from, end);
    const { order, first, next, names } = nodes;
    const start = out.size;
    shape?.begin();
    for (let k = 0; k < names; k++) {
      const id = order[k];
      let i = first[id];
      out.phrase(k === 0 && !more ? this.firstKey(t, i, id) : (keys[id] ??= new Phrase(`],${keyOf(t, i)}`)));
      for (;;) {
        const at = out.size;
        out.value(t, i);
        shape?.add(t, from, i, out, start, at);
        i = next[i];
        if (i < 0) break;
        out.octet(COMMA);
      }
    }
    shape?.end(out, start);
    return more || names > 0;
  }

  private firstKey(t: Tree, node: number, id: number): Phrase {
    return (this.firstKeys[id] ??= new Phrase(keyOf(t, node)));
  }
}

const keyOf = (t: Tree, node: number): string => `${JSON.stringify(t.field(node).name)}:[`;
