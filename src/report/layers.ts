import { SEVERITIES, SEVERITY_NAMES } from '../engine/engine-fields.js';
import type { Row } from '../engine/row.js';
import { append, Held, type Tree, twoDigits } from '../kit/index.js';

/** What `-j` and `-J` leave of a tree. */
export interface LayerFilter {
  readonly names: ReadonlySet<string>;
  /** Only layers are asked for their name (`-J`), not the parents below them too (`-j`). */
  readonly whole: boolean;
}

/** Whether the children of node `i` are shown. */
export const isShown = (filter: LayerFilter | null, t: Tree, i: number): boolean =>
  filter === null || (filter.whole && t.depth(i) > 0) || filter.names.has(t.field(i).name);

/** The node behind the last one below node `i`. */
export function subtreeEnd(t: Tree, i: number): number {
  let end = i + 1;
  while (end < t.length && t.depth(end) > t.depth(i)) end++;
  return end;
}

/** Fields that repeat the expert items at the end of a tree; where the items themselves are shown these are not. */
const REPEATED = new Set(['_ws.expert.message', '_ws.expert.severity', 'finding.code', 'finding.severity']);
export const isRepeated = (t: Tree, i: number): boolean => t.depth(i) === 0 && REPEATED.has(t.field(i).name);

/** An expert item as tshark's formats show it. */
export interface ShownExpert {
  readonly message: string;
  /** Wireshark's number of the severity. */
  readonly severity: string;
  readonly name: string;
  readonly code: string;
}

const NONE: ReadonlyMap<number, readonly ShownExpert[]> = new Map();

/** Expert items by the node that they stand under; those without one stand under the first. */
export function expertsByNode(t: Tree): ReadonlyMap<number, readonly ShownExpert[]> {
  if (t.experts.length === 0) return NONE;
  const out = new Map<number, ShownExpert[]>();
  for (const { expert, message, node } of t.experts) {
    const severity = SEVERITIES[expert.severity];
    const name = SEVERITY_NAMES[severity];
    append(out, Math.max(0, node), { message, severity: String(severity), name, code: expert.code });
  }
  return out;
}

/** Whether node `i` has no value: a layer, a heading, a flag that is there or not. */
export const isBare = (t: Tree, i: number): boolean => t.held(i) === Held.Nothing;

let second = Number.NaN;
let index = '';

/** `packets-2026-03-01`: the index that tshark names, by the local date of the frame. */
export function indexName(row: Row): string {
  if (row.seconds !== second) {
    second = row.seconds;
    index = indexOfDay(second);
  }
  return index;
}

function indexOfDay(seconds: number): string {
  const d = new Date(seconds * 1000);
  if (Number.isNaN(d.getTime())) return 'packets-1970-01-01';
  return `packets-${d.getFullYear()}-${twoDigits(d.getMonth() + 1)}-${twoDigits(d.getDate())}`;
}

/** Values by key in order of appearance; what comes twice becomes an array. */
export class Members<T> {
  private readonly lists = new Map<string, T[]>();

  add(key: string, value: T): void {
    append(this.lists, key, value);
  }

  /** Calls `take` with each key and its values. */
  each(take: (key: string, values: readonly T[]) => void): void {
    for (const [key, values] of this.lists) take(key, values);
  }
}

/** `[a,b]`, or the value itself where there is but one; the values are JSON. */
export const oneOrAll = (values: readonly string[]): string =>
  values.length === 1 ? values[0] : `[${values.join(',')}]`;
