import type { Row } from '../engine/row.js';
import type { Tree } from '../kit/index.js';
import { Columns, type FieldColumn } from './fields.js';
import {
  expertsByNode,
  indexName,
  isBare,
  isRepeated,
  isShown,
  type LayerFilter,
  Members,
  type ShownExpert,
  subtreeEnd,
} from './layers.js';
import { jsonText, shownText } from './value.js';

type Json = string | null | readonly Json[] | { readonly [key: string]: Json };

/** A node: its value, and what stands below it. */
interface Entry {
  readonly value: string | undefined;
  readonly below: { [key: string]: Json } | undefined;
}

type Experts = ReadonlyMap<number, readonly ShownExpert[]>;

/**
 * Writes rows as `tshark -T json --no-duplicate-keys` does: an array of `{_index, _type, _score, _source: {layers}}`,
 * children under `NAME_tree`, repeated keys as arrays. With columns, `layers` has only those, each an array.
 */
export class JsonWriter {
  private readonly columns: Columns | null;
  private rows = 0;

  constructor(
    columns: readonly FieldColumn[] | null,
    private readonly filter: LayerFilter | null,
  ) {
    this.columns = columns === null ? null : new Columns(columns);
  }

  head(): string {
    return '[\n';
  }
  tail(): string {
    return this.rows === 0 ? ']\n' : '\n]\n';
  }

  row(row: Row): string {
    const layers = this.columns === null ? this.layers(row.dissection.tree) : chosen(this.columns, row);
    const doc = { _index: indexName(row), _type: 'doc', _score: null, _source: { layers } };
    return `${this.rows++ === 0 ? '' : ',\n'}  ${written(doc, '  ')}`;
  }

  private layers(t: Tree): { [key: string]: Json } {
    return this.members(t, 0, t.length, expertsByNode(t));
  }

  /** The nodes from `from` on that stand side by side, up to `end`. */
  private members(t: Tree, from: number, end: number, experts: Experts): { [key: string]: Json } {
    const entries = new Members<Entry>();
    for (let i = from; i < end; ) {
      const next = subtreeEnd(t, i);
      if (!isRepeated(t, i)) {
        const entry = this.entry(t, i, next, experts);
        const { name, aliases } = t.field(i);
        entries.add(name, entry);
        for (const alias of aliases ?? []) entries.add(alias, { value: entry.value, below: undefined });
      }
      i = next;
    }
    const out: { [key: string]: Json } = Object.create(null);
    entries.each((name, list) => {
      const hasValue = list.some((e) => e.value !== undefined);
      if (hasValue) out[name] = only(list.map((e) => e.value ?? ''));
      const below = list.map((e) => e.below ?? {});
      if (list.some((e) => e.below !== undefined)) out[hasValue ? `${name}_tree` : name] = only(below);
    });
    return out;
  }

  private entry(t: Tree, i: number, next: number, experts: Experts): Entry {
    const items = experts.get(i);
    const parent = next > i + 1 || items !== undefined;
    const below = parent ? this.below(t, i, next, experts, items) : undefined;
    if (!isBare(t, i)) return { value: shownText(t, i), below };
    const { type, label } = t.field(i);
    return { value: parent ? undefined : type === 'protocol' ? label : '', below };
  }

  private below(
    t: Tree,
    i: number,
    next: number,
    experts: Experts,
    items: readonly ShownExpert[] | undefined,
  ): { [key: string]: Json } {
    if (!isShown(this.filter, t, i)) return { filtered: t.field(i).name };
    const out = this.members(t, i + 1, next, experts);
    if (items !== undefined) out['_ws.expert'] = only(items.map(expertMembers));
    return out;
  }
}

const only = (list: readonly Json[]): Json => (list.length === 1 ? list[0] : list);

const expertMembers = (e: ShownExpert): { [key: string]: Json } => ({
  '_ws.expert.message': e.message,
  '_ws.expert.severity': e.severity,
  'finding.code': e.code,
});

function chosen(columns: Columns, row: Row): { [key: string]: Json } {
  columns.collect(row);
  const out: { [key: string]: Json } = Object.create(null);
  columns.columns.forEach(({ name }, i) => {
    if (columns.values[i].length > 0) out[name] = [...columns.values[i]];
  });
  return out;
}

/** JSON on several lines, two blanks a level, as tshark's. */
function written(v: Json, indent: string): string {
  if (v === null) return 'null';
  if (typeof v === 'string') return jsonText(v);
  const deeper = `${indent}  `;
  if (Array.isArray(v)) return `[\n${v.map((x) => deeper + written(x, deeper)).join(',\n')}\n${indent}]`;
  const members = Object.entries(v).map(([key, x]) => `${deeper}${jsonText(key)}: ${written(x, deeper)}`);
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}
