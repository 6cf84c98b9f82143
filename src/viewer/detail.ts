import { engineExperts, FINDING_SEVERITIES } from '../engine/engine-fields.js';
import type { Row } from '../engine/row.js';
import { type Expert, type Field, Held, ip4, ip6, printable, type Tree } from '../kit/index.js';
import { isRepeated } from '../report/layers.js';
import { colonHex, fieldText, nodeLabel, wholeText } from '../report/value.js';
import { severityShown } from './rows.js';
import type { Detail, DetailNode, DetailSource } from './viewer.js';

/** The longest value that a filter for it repeats. */
const FILTER_TEXT = 256;
const FILTER_OCTETS = 32;
/** The longest message that `_ws.expert.message` has whole. */
const MESSAGE_TEXT = 239;

/** The tree of a row as it stands in its dissection, with octets of its own. */
export function detailOf(row: Row, number: number): Detail {
  const { tree } = row.dissection;
  const nodes: DetailNode[] = [];
  const { experts } = tree;
  let next = 0;
  for (let i = 0; i < tree.length; i++) {
    if (tree.field(i).hidden !== true && !isRepeated(tree, i)) nodes.push(nodeOf(tree, i));
    for (; next < experts.length && experts[next].node <= i; next++)
      nodes.push(noticed(experts[next].expert, experts[next].message, nodes[nodes.length - 1]));
  }
  const sources: DetailSource[] = tree.sources
    .slice(0, tree.sourceCount)
    .map((s) => ({ name: s.name, octets: s.buf.slice(s.start, s.end) }));
  const fault = experts.find((e) => e.expert === engineExperts.fault)?.message;
  return { row: number, nodes, sources, ...(fault !== undefined && { fault }) };
}

function nodeOf(t: Tree, i: number): DetailNode {
  const f = t.field(i);
  const source = t.sources[t.source(i)];
  const size = source === undefined ? 0 : source.end - source.start;
  const off = source === undefined ? 0 : Math.min(Math.max(0, t.off[i] - source.start), size);
  const filter = filterOf(t, i);
  return {
    depth: t.depth(i),
    field: f.name,
    label: printable(nodeLabel(t, i)),
    source: t.source(i),
    off,
    length: Math.max(0, Math.min(t.len[i], size - off)),
    ...(f.mask !== undefined && { mask: f.mask }),
    ...(t.len[i] === 0 && f.type !== 'protocol' && { generated: true as const }),
    ...(filter !== undefined && { filter }),
    ...(f.type === 'frame' && t.held(i) === Held.Number && { frame: t.number[i] }),
  };
}

/** Something noticed stands below the node that it is about. */
function noticed(e: Expert, message: string, about: DetailNode | undefined): DetailNode {
  // What is only said has no code to be found by.
  const only = message.length > MESSAGE_TEXT ? undefined : `_ws.expert.message == ${inQuotes(message)}`;
  const filter = FINDING_SEVERITIES[e.severity] > 0 ? `finding.code == "${e.code}"` : only;
  return {
    depth: about === undefined ? 0 : about.depth + 1,
    field: '',
    label: printable(message),
    source: about?.source ?? 0,
    off: about?.off ?? 0,
    length: about?.length ?? 0,
    severity: severityShown(e.severity),
    ...(e.clause !== undefined && { clause: e.clause }),
    ...(filter !== undefined && { filter }),
  };
}

/** The display filter that finds the value of node `i`. */
function filterOf(t: Tree, i: number): string | undefined {
  const f = t.field(i);
  if (f.type === 'protocol' || t.held(i) === Held.Nothing) return f.name === '' ? undefined : f.name;
  const value = literal(f, t, i);
  return value === undefined ? undefined : `${f.name} == ${value}`;
}

/** A text as filters have it. */
const inQuotes = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/\r/g, '\\r').replace(/\n/g, '\\n').replace(/\t/g, '\\t')}"`;

function literal(f: Field, t: Tree, i: number): string | undefined {
  switch (f.type) {
    case 'bool':
      return t.number[i] !== 0 ? '1' : '0';
    case 'string': {
      const text = wholeText(t, i);
      return text.length > FILTER_TEXT ? undefined : inQuotes(text);
    }
    case 'bytes':
    case 'guid': {
      const octets = t.octets(i);
      return octets.length === 0 || octets.length > FILTER_OCTETS ? undefined : colonHex(octets, 0, octets.length);
    }
    case 'ipv4': {
      const octets = t.octets(i);
      return octets.length === 4 ? ip4(octets, 0) : undefined;
    }
    case 'ipv6': {
      const octets = t.octets(i);
      return octets.length === 16 ? ip6(octets, 0) : undefined;
    }
    case 'ether': {
      const octets = t.octets(i);
      return octets.length === 6 ? colonHex(octets, 0, 6) : undefined;
    }
    case 'time':
      return f.name === 'frame.time_epoch' ? fieldText(t, i) : undefined;
    default: {
      const text = fieldText(t, i);
      return /^-?[0-9a-fx.]+$/.test(text) ? text : undefined;
    }
  }
}
