import type { Row } from '../engine/row.js';
import { fieldCount, Held, type Tree } from '../kit/index.js';
import type { TextBytes } from './text-bytes.js';
import { decimalSeconds, isoTime, jsonSeconds } from './value.js';

/**
 * Collects the nodes of a tree by field name, so that each name is written once with all its values in order. The
 * arrays are made once and used for every row.
 */
export class NodesByName {
  /** First and last node of each name; index: the id that stands for the name. */
  private readonly first: Int32Array;
  private readonly last: Int32Array;
  /** Next node of the same name. */
  private next = new Int32Array(512);
  /** Ids in order of appearance. */
  readonly order: number[] = [];
  private readonly canonical = new Int32Array(fieldCount()).fill(-1);
  private readonly ids = new Map<string, number>();

  constructor() {
    this.first = new Int32Array(fieldCount()).fill(-1);
    this.last = new Int32Array(fieldCount());
  }

  /** Takes in a tree; layers and headings are left out. */
  collect(t: Tree): void {
    for (const id of this.order) this.first[id] = -1;
    this.order.length = 0;
    if (this.next.length < t.length) this.next = new Int32Array(t.length * 2);
    for (let i = 0; i < t.length; i++) {
      const f = t.field[i];
      if (t.held[i] === Held.Nothing && f.type !== 'none') continue;
      let id = this.canonical[f.id];
      if (id < 0) id = this.canonical[f.id] = this.idOf(f.name, f.id);
      if (this.first[id] < 0) {
        this.first[id] = i;
        this.order.push(id);
      } else this.next[this.last[id]] = i;
      this.last[id] = i;
      this.next[i] = -1;
    }
  }

  private idOf(name: string, id: number): number {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    this.ids.set(name, id);
    return id;
  }

  firstOf(id: number): number {
    return this.first[id];
  }
  nextOf(node: number): number {
    return this.next[node];
  }
}

const COMMA = 44;
const CLOSE = 93;

/** Writes rows as one JSON object a line (contract section 4). */
export class NdjsonWriter {
  private readonly nodes = new NodesByName();
  private out!: TextBytes;
  /** `],"name":[` by the id that stands for the name. */
  private readonly keys: (Uint8Array | undefined)[] = new Array(fieldCount()).fill(undefined);
  private stack = '';
  private stackJson = '[]';

  print(row: Row, out: TextBytes): void {
    this.out = out;
    this.head(row);
    out.ascii(',"fields":{');
    this.fields(row.dissection.tree);
    out.ascii('}}\n');
  }

  private head(row: Row): void {
    const { out } = this;
    out.ascii(`{"row":"${row.id}","file":${row.file},"frame":${row.frame},`);
    if (row.inner > 0) out.ascii(`"inner":${row.inner},`);
    out.ascii(`"time":"${isoTime(row.seconds, row.nanos)}","epoch":"${decimalSeconds(row.seconds, row.nanos)}"`);
    out.ascii(`,"relative":${jsonSeconds(...row.relative)},"frameLength":${row.frameLength}`);
    if (row.inner > 0) out.ascii(`,"packetLength":${row.packetLength}`);
    if (row.tunnel !== null) out.ascii(`,"tunnel":${row.tunnel.id}`);
    if (row.direction !== null) out.ascii(`,"direction":"${row.direction}"`);
    out.ascii(`,"protocols":${this.protocols(row.dissection.protocols)},"info":`);
    out.string(row.dissection.info());
    const codes = row.codes();
    out.ascii(codes.length === 0 ? ',"findings":[]' : `,"findings":${JSON.stringify(codes)}`);
  }

  private protocols(list: readonly string[]): string {
    const key = list.join(':');
    if (key !== this.stack) {
      this.stack = key;
      this.stackJson = JSON.stringify(list);
    }
    return this.stackJson;
  }

  private fields(t: Tree): void {
    const { nodes, out, keys } = this;
    nodes.collect(t);
    const { order } = nodes;
    const start = out.size;
    for (let k = 0; k < order.length; k++) {
      const id = order[k];
      let i = nodes.firstOf(id);
      out.raw((keys[id] ??= Buffer.from(`],${JSON.stringify(t.field[i].name)}:[`)));
      out.value(t, i);
      for (i = nodes.nextOf(i); i >= 0; i = nodes.nextOf(i)) {
        out.octet(COMMA);
        out.value(t, i);
      }
    }
    if (order.length === 0) return;
    out.octet(CLOSE);
    out.cut(start, 2); // the `],` before the first name
  }
}
