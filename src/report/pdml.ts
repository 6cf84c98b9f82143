import type { Row } from '../engine/row.js';
import { Held, hex, type Source, type Tree } from '../kit/index.js';
import { Columns, type FieldColumn } from './fields.js';
import {
  expertsByNode,
  isBare,
  isRepeated,
  isShown,
  type LayerFilter,
  type ShownExpert,
  subtreeEnd,
} from './layers.js';
import { decimalSeconds, nodeLabel, shownText, wiresharkTime } from './value.js';
import { XML_HEAD, xml } from './xml.js';

/** Writes rows as Wireshark's PDML (`tshark -T pdml`). With columns, a packet has only those. */
export class PdmlWriter {
  private readonly columns: Columns | null;
  private experts: ReadonlyMap<number, readonly ShownExpert[]> = new Map();

  constructor(
    columns: readonly FieldColumn[] | null,
    private readonly filter: LayerFilter | null,
    private readonly creator: string,
    private readonly capture: string,
  ) {
    this.columns = columns === null ? null : new Columns(columns);
  }

  head(): string {
    const root = `<pdml version="0" creator="${xml(this.creator)}" capture_file="${xml(this.capture)}">`;
    return `${XML_HEAD}${root}\n`;
  }
  tail(): string {
    return '</pdml>\n';
  }

  row(row: Row): string {
    const t = row.dissection.tree;
    let s = `<packet>\n${general(row)}`;
    if (this.columns !== null) return `${s}${chosen(this.columns, row)}</packet>\n`;
    this.experts = expertsByNode(t);
    for (let i = 0; i < t.length; ) {
      const next = subtreeEnd(t, i);
      if (!isRepeated(t, i)) s += this.node(t, i, next, '  ');
      i = next;
    }
    return `${s}</packet>\n`;
  }

  private node(t: Tree, i: number, end: number, indent: string): string {
    const f = t.field(i);
    const element = f.type === 'protocol' ? 'proto' : 'field';
    const open = `${indent}<${element} name="${xml(f.name)}" showname="${xml(nodeLabel(t, i))}"${attributes(t, i)}`;
    const items = this.experts.get(i) ?? [];
    const others = aliases(t, i, indent);
    if (end === i + 1 && items.length === 0) return `${open}/>\n${others}`;
    let s = '';
    if (isShown(this.filter, t, i))
      for (let c = i + 1; c < end; ) {
        const next = subtreeEnd(t, c);
        s += this.node(t, c, next, `${indent}  `);
        c = next;
      }
    for (const e of items) s += expert(e, `${indent}  `);
    return `${open}>\n${s}${indent}</${element}>\n${others}`;
  }
}

/** The other names of a field (`ip.addr`), which tshark writes as hidden fields beside it. */
function aliases(t: Tree, i: number, indent: string): string {
  let s = '';
  for (const name of t.field(i).aliases ?? [])
    s += `${indent}<field name="${name}" showname="${xml(nodeLabel(t, i))}" hide="yes"${attributes(t, i)}/>\n`;
  return s;
}

/**
 * Where positions in a source are counted from: where it lies in one before it as it is, as a message in a frame or in a
 * datagram that was put together, from the start of that, as in tshark.
 */
function start({ sources, sourceCount }: Tree, s: Source): number {
  for (let i = 0; i < sourceCount; i++) {
    const whole = sources[i];
    if (whole.buf === s.buf && s.start >= whole.start && s.end <= whole.end) return whole.start;
  }
  return s.start;
}

/** The octets that a node lies in, which need not be those of its value: a prefix is an address, however few it has. */
const placed = (t: Tree, i: number, s: Source): Uint8Array =>
  s.buf.subarray(t.off[i], Math.max(t.off[i], Math.min(s.end, t.off[i] + t.len[i])));

/** Where the node lies in its source, and what it holds. */
function attributes(t: Tree, i: number): string {
  const f = t.field(i);
  const source = t.sources[t.source(i)];
  const octets = source !== undefined && t.len[i] > 0 ? placed(t, i, source) : t.octets(i);
  const pos = octets.length === 0 || source === undefined ? 0 : t.off[i] - start(t, source);
  let s = `${f.hidden ? ' hide="yes"' : ''} size="${octets.length}" pos="${Math.max(0, pos)}"`;
  if (f.type === 'protocol') return s;
  s += ` show="${isBare(t, i) ? '' : xml(shownText(t, i))}"`;
  if (octets.length === 0) return isBare(t, i) ? `${s} value=""` : s;
  const raw = hex(octets, 0, octets.length, '');
  if (f.mask === undefined || t.held(i) !== Held.Number) return `${s} value="${raw}"`;
  return `${s} value="${t.number[i].toString(16).toUpperCase()}" unmaskedvalue="${raw}"`;
}

function expert(e: ShownExpert, indent: string): string {
  const message = xml(e.message);
  const none = 'size="0" pos="0"';
  return `${indent}<field name="_ws.expert" showname="Expert Info (${e.name}): ${message}" ${none}>
${indent}  <field name="_ws.expert.message" showname="Message: ${message}" ${none} show="${message}"/>
${indent}  <field name="_ws.expert.severity" showname="Severity level: ${e.name}" ${none} show="${e.severity}"/>
${indent}  <field name="finding.code" showname="Finding: ${e.code}" ${none} show="${e.code}"/>
${indent}</field>\n`;
}

/** What every packet begins with. */
function general(row: Row): string {
  const captured = row.outer.view.length;
  const field = (name: string, showname: string, show: string, value: string): string =>
    `    <field name="${name}" pos="0" show="${show}" showname="${showname}" value="${value}" size="${captured}"/>\n`;
  return `  <proto name="geninfo" pos="0" showname="General information" size="${captured}">
${field('num', 'Number', String(row.frame), row.frame.toString(16))}${field(
  'len',
  'Frame Length',
  String(row.frameLength),
  row.frameLength.toString(16),
)}${field('caplen', 'Captured Length', String(captured), captured.toString(16))}${field(
  'timestamp',
  'Captured Time',
  wiresharkTime(row.seconds, row.nanos),
  decimalSeconds(row.seconds, row.nanos),
)}  </proto>\n`;
}

function chosen(columns: Columns, row: Row): string {
  columns.collect(row);
  let s = '';
  columns.columns.forEach(({ name }, i) => {
    for (const v of columns.values[i]) s += `  <field name="${xml(name)}" value="${xml(v)}"/>\n`;
  });
  return s;
}
