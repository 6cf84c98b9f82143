import type { Row } from '../engine/row.js';
import { type Field, Held, type Tree } from '../kit/index.js';
import { Columns, type FieldColumn } from './fields.js';
import {
  expertsByNode,
  indexName,
  isBare,
  isRepeated,
  isShown,
  type LayerFilter,
  Members,
  oneOrAll,
  subtreeEnd,
} from './layers.js';
import { isoTime, jsonText, shownText } from './value.js';

const key = (name: string): string => name.replaceAll('.', '_');
const jsonKey = (name: string): string => `${jsonText(name)}:`;
const EXPERT = jsonKey('_ws_expert');

/**
 * Writes rows for the bulk interface of Elasticsearch and OpenSearch, as `tshark -T ek` does but without `_type`, which
 * they refuse today: two lines a row, an action and `{timestamp, layers}`. A layer holds all its fields side by side,
 * each named `LAYER_FIELD` with dots as `_`; repeated ones are arrays. With columns, `layers` has only those.
 */
export class EkWriter {
  private readonly columns: Columns | null;
  /** What a field and its other names are called within a layer, by the numbers of both, as keys of JSON: `"tcp_tcp_flags":`. */
  private readonly keys = new Map<number, readonly string[]>();

  constructor(
    columns: readonly FieldColumn[] | null,
    private readonly filter: LayerFilter | null,
  ) {
    this.columns = columns === null ? null : new Columns(columns);
  }

  row(row: Row): string {
    const layers = this.columns === null ? this.layers(row.dissection.tree) : chosen(this.columns, row);
    const ms = row.seconds * 1000 + Math.floor(row.nanos / 1e6);
    return `{"index":{"_index":"${indexName(row)}"}}\n{"timestamp":"${ms}","layers":${layers}}\n`;
  }

  private layers(t: Tree): string {
    const members = new Members<string>();
    const experts = expertsByNode(t);
    for (let i = 0; i < t.length; ) {
      const next = subtreeEnd(t, i);
      if (!isRepeated(t, i)) members.add(jsonKey(key(t.field(i).name)), this.layer(t, i, next, experts));
      i = next;
    }
    return object(members);
  }

  private layer(t: Tree, top: number, end: number, experts: ReturnType<typeof expertsByNode>): string {
    const layer = t.field(top);
    if (layer.type !== 'protocol' && end === top + 1) return value(t, top);
    if (!isShown(this.filter, t, top)) return `{"filtered":${jsonText(layer.name)}}`;
    const members = new Members<string>();
    for (let i = top; i < end; i++) {
      if (i > top) {
        const text = value(t, i);
        for (const name of this.within(layer, t.field(i))) members.add(name, text);
      }
      for (const e of experts.get(i) ?? []) {
        const message = `"_ws_expert__ws_expert_message":${jsonText(e.message)}`;
        const rest = `"_ws_expert__ws_expert_severity":"${e.severity}","_ws_expert_finding_code":"${e.code}"`;
        members.add(EXPERT, `{${message},${rest}}`);
      }
    }
    return object(members);
  }

  private within(layer: Field, f: Field): readonly string[] {
    const pair = layer.id * 0x1_0000 + f.id;
    let names = this.keys.get(pair);
    if (names === undefined) {
      const prefix = `${key(layer.name)}_`;
      names = [f.name, ...(f.aliases ?? [])].map((name) => jsonKey(prefix + key(name)));
      this.keys.set(pair, names);
    }
    return names;
  }
}

function object(members: Members<string>): string {
  let s = '';
  members.each((name, values) => {
    s += `${s === '' ? '' : ','}${name}${oneOrAll(values)}`;
  });
  return `{${s}}`;
}

function value(t: Tree, i: number): string {
  const { type, name } = t.field(i);
  if (isBare(t, i)) return 'null';
  if (type === 'bool') return t.number[i] !== 0 ? 'true' : 'false';
  if (t.held(i) === Held.Time && type === 'time' && name !== 'frame.time_epoch')
    return `"${isoTime(t.number[i], t.made[i] as number)}"`;
  return jsonText(shownText(t, i));
}

function chosen(columns: Columns, row: Row): string {
  columns.collect(row);
  const parts: string[] = [];
  columns.columns.forEach(({ name }, i) => {
    const values = columns.values[i];
    if (values.length > 0) parts.push(`${jsonText(key(name))}:[${values.map(jsonText).join(',')}]`);
  });
  return `{${parts.join(',')}}`;
}
