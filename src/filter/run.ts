import { type FieldType, nameOf, type Tree } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { binary, unary } from './arithmetic.js';
import type { RowView } from './catalogue.js';
import type { Quantifier, Range } from './parse.js';
import type { Checked, FieldRef, OrderOp, Term } from './term.js';
import {
  asText,
  compare,
  containsOctets,
  isOctets,
  type Kind,
  kindOf,
  layerOctets,
  lengthOf,
  read,
  type Value,
} from './value.js';

type Matcher = (row: RowView) => boolean;
type Accept = (v: Value) => boolean;
type AcceptNode = (t: Tree, i: number) => boolean;

/** Values of one side that are always compared, however many the other side has. */
const LEAST_VALUES = Math.sqrt(LIMITS.filterPairs);

/** Values of two sides of which every one meets every one of the other, no more than may be. */
function meeting(as: Value[], bs: Value[], reached: ReachedLimits): [Value[], Value[]] {
  if (as.length * bs.length <= LIMITS.filterPairs) return [as, bs];
  reached.capped('filterPairs');
  const n = Math.max(LEAST_VALUES, Math.floor(LIMITS.filterPairs / bs.length));
  const some = as.slice(0, n);
  return [some, bs.slice(0, Math.floor(LIMITS.filterPairs / some.length))];
}

/**
 * Turns a checked expression into one closure.
 * @param reached is told of rows that have more values than are compared
 */
export function compileTest(c: Checked, reached: ReachedLimits): Matcher {
  switch (c.op) {
    case 'and':
    case 'or':
    case 'xor': {
      const left = compileTest(c.left, reached);
      const right = compileTest(c.right, reached);
      if (c.op === 'and') return (row) => left(row) && right(row);
      if (c.op === 'or') return (row) => left(row) || right(row);
      return (row) => left(row) !== right(row);
    }
    case 'not': {
      const of = compileTest(c.of, reached);
      return (row) => !of(row);
    }
    case 'exists':
      return exists(c.ref);
    case 'present':
      return quantified(c.of, 'any', () => true, reached);
    case 'nonzero':
      return quantified(c.of, 'any', (v) => (isOctets(v) ? v.some((octet) => octet !== 0) : Number(v) !== 0), reached);
    case 'compare':
      return comparison(c.left, c.right, c.quantifier, ordered(c.order), reached);
    case 'contains':
      return comparison(c.left, c.right, c.quantifier, contains, reached);
    case 'matches': {
      const { pattern } = c;
      return quantified(c.left, c.quantifier, (v) => pattern.test(v), reached);
    }
    case 'in':
      return membership(c.left, c.members, c.quantifier, reached);
  }
}

function exists(ref: FieldRef): Matcher {
  const some = someNode(ref, () => true);
  if (ref.fields[0].type !== 'protocol' || ref.layers !== undefined || ref.side !== undefined)
    return (row) => some(row.tree);
  const { name } = ref.fields[0];
  return (row) => some(row.tree) || row.nodeless.includes(name);
}

/** Whether a node of the field is accepted. */
export function someNode(ref: FieldRef, accept: AcceptNode): (t: Tree) => boolean {
  const { wanted } = ref;
  if (ref.layers === undefined && ref.side === undefined)
    return (t) => {
      for (let i = 0; i < t.length; i++) if (wanted[t.field(i).id] === 1 && accept(t, i)) return true;
      return false;
    };
  return someNodeOfLayers(ref, accept);
}

/** The same where layers count: nodes of the layer are numbered from 1, in reading order, on each side of the envelope. */
function someNodeOfLayers(ref: FieldRef, accept: AcceptNode): (t: Tree) => boolean {
  const { wanted, layer, envelope, layers, side } = ref;
  return (t) => {
    let number = 0;
    let inner = false;
    let total = -1;
    for (let i = 0; i < t.length; i++) {
      const { id } = t.field(i);
      if (!inner && envelope[id] === 1) {
        inner = true;
        if (side === 'outer') return false;
        if (side === 'inner') number = 0;
      }
      if (layer[id] === 1) number++;
      if (wanted[id] !== 1 || (side === 'inner' && !inner)) continue;
      if (layers !== undefined) {
        if (total < 0) total = layers.some((r) => r.start < 0 || (r.last ?? 0) < 0) ? countLayers(ref, t) : 0;
        // Fields of what has no layer of its own, as of certificates in TLS, are of the first.
        if (!layers.some((r) => inRange(r, number || 1, total || 1))) continue;
      }
      if (accept(t, i)) return true;
    }
    return false;
  };
}

/** Layers of the whole row, or of the side that the field is bound to. */
function countLayers(ref: FieldRef, t: Tree): number {
  let n = 0;
  let inner = false;
  for (let i = 0; i < t.length; i++) {
    const { id } = t.field(i);
    if (!inner && ref.envelope[id] === 1) {
      if (ref.side === 'outer') break;
      if (ref.side === 'inner') n = 0;
      inner = true;
    }
    if (ref.layer[id] === 1) n++;
  }
  return n;
}

/** Layers count from 1, or from -1 backwards. */
function inRange(r: Range, layer: number, total: number): boolean {
  const absolute = (n: number) => (n < 0 ? total + 1 + n : n);
  const start = absolute(r.start);
  if (layer < start) return false;
  if (r.last !== undefined) return layer <= absolute(r.last);
  return r.length === undefined || layer < start + r.length;
}

/** Whether any value, or all values and at least one, are accepted. */
function quantified(term: Term, quantifier: Quantifier, accept: Accept, reached: ReachedLimits): Matcher {
  if (term.op === 'field') {
    const node = reader(term);
    const any = someNode(term.ref, (t, i) => {
      const v = node(t, i);
      return v !== undefined && accept(v);
    });
    if (quantifier === 'any') return (row) => any(row.tree);
    const there = someNode(term.ref, (t, i) => node(t, i) !== undefined);
    const refused = someNode(term.ref, (t, i) => {
      const v = node(t, i);
      return v !== undefined && !accept(v);
    });
    return (row) => !refused(row.tree) && there(row.tree);
  }
  const values = collect(term, reached);
  if (quantifier === 'any') return (row) => values(row).some(accept);
  return (row) => {
    const all = values(row);
    return all.length > 0 && all.every(accept);
  };
}

/** How the value of a node is read for a term. */
function reader(term: Extract<Term, { op: 'field' }>): (t: Tree, i: number) => Value | undefined {
  const { kind, ref } = term;
  if (term.whole && ref.fields.some((f) => f.type === 'protocol'))
    return (t, i) => (t.field(i).type === 'protocol' ? layerOctets(t, i) : read(t, i, kind));
  if (isHost(kind, ref)) return hostAt;
  return (t, i) => read(t, i, kind);
}

/** Whether an address is asked for as text: `ip.host`. */
const isHost = (kind: Kind, { fields }: FieldRef): boolean => kind === 'string' && ADDRESSES.includes(fields[0].type);

const ADDRESSES: readonly FieldType[] = ['ipv4', 'ipv6'];

function hostAt(t: Tree, i: number): string | undefined {
  const kind = kindOf(t.field(i).type);
  const v = read(t, i, kind);
  return v === undefined ? undefined : asText(v, kind);
}

const lengthOfHost = (t: Tree, i: number): number | undefined => hostAt(t, i)?.length;

type Pair = (a: Value, b: Value, prefix?: number) => boolean;

function comparison(left: Term, right: Term, quantifier: Quantifier, test: Pair, reached: ReachedLimits): Matcher {
  if (right.op === 'constant') {
    const { value, prefix, oneOf } = right.literal;
    if (oneOf === undefined) return quantified(left, quantifier, (v) => test(v, value, prefix), reached);
    const differs = !test(value, value);
    return quantified(left, quantifier, (v) => oneOf.some((o) => compare(v, o) === 0) !== differs, reached);
  }
  const rights = collect(right, reached);
  const lefts = collect(left, reached);
  return (row) => {
    const all = rights(row);
    if (all.length === 0) return false;
    const [as, bs] = meeting(lefts(row), all, reached);
    if (as.length === 0) return false;
    return quantifier === 'any'
      ? as.some((a) => bs.some((b) => test(a, b)))
      : as.every((a) => bs.every((b) => test(a, b)));
  };
}

function ordered(op: OrderOp): Pair {
  switch (op) {
    case '==':
      return (a, b, prefix) => order(a, b, prefix) === 0;
    case '!=':
      return (a, b, prefix) => order(a, b, prefix) !== 0;
    case '>':
      return (a, b, prefix) => order(a, b, prefix) > 0;
    case '<':
      return (a, b, prefix) => order(a, b, prefix) < 0;
    case '>=':
      return (a, b, prefix) => order(a, b, prefix) >= 0;
    case '<=':
      return (a, b, prefix) => order(a, b, prefix) <= 0;
  }
}

/** Order of two values; with a prefix, of their leading bits. */
function order(a: Value, b: Value, prefix?: number): number {
  return prefix === undefined ? compare(a, b) : compare(leading(a, prefix), leading(b, prefix));
}

function leading(v: Value, bits: number): Value {
  if (typeof v === 'number') return bits === 0 ? 0 : (v & (-1 << (32 - bits))) >>> 0;
  if (!isOctets(v)) return v;
  return v.map((octet, i) => octet & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))));
}

function contains(a: Value, b: Value): boolean {
  return typeof a === 'string' ? a.includes(b as string) : containsOctets(a as Uint8Array, b as Uint8Array);
}

function membership(
  left: Term,
  members: readonly (Term | readonly [Term, Term])[],
  quantifier: Quantifier,
  reached: ReachedLimits,
): Matcher {
  const tests = members.map((m) => ('op' in m ? equals(m, reached) : between(m[0], m[1], reached)));
  const acceptsOf = (row: RowView, asked: Value[]): Accept => {
    const accepts = tests.map((t) => t(row, asked));
    return (v) => accepts.some((accept) => accept(v));
  };
  if (members.flat().every((t) => t.op === 'constant')) {
    const none = { tree: undefined as never, nodeless: [] };
    return quantified(left, quantifier, acceptsOf(none, []), reached);
  }
  const values = collect(left, reached);
  return (row) => {
    const all = values(row);
    if (all.length === 0) return false;
    const accept = acceptsOf(row, all);
    return quantifier === 'any' ? all.some(accept) : all.every(accept);
  };
}

/** What a member of a set accepts in a row in which these values are asked for. */
type Member = (row: RowView, asked: Value[]) => Accept;

function equals(term: Term, reached: ReachedLimits): Member {
  const same = ordered('==');
  if (term.op === 'constant') {
    const { value, prefix, oneOf } = term.literal;
    if (oneOf) return () => (v) => oneOf.some((o) => same(v, o));
    return () => (v) => same(v, value, prefix);
  }
  const values = collect(term, reached);
  return (row, asked) => {
    const [, some] = meeting(asked, values(row), reached);
    return (v) => some.some((o) => same(v, o));
  };
}

/** Between any value of one term and any of another: between the least and the greatest. */
function between(low: Term, high: Term, reached: ReachedLimits): Member {
  const lows = extreme([collect(low, reached)], -1);
  const highs = extreme([collect(high, reached)], 1);
  return (row) => {
    const [least] = lows(row);
    const [greatest] = highs(row);
    if (least === undefined || greatest === undefined) return () => false;
    return (v) => compare(v, least) >= 0 && compare(v, greatest) <= 0;
  };
}

/** All values of a term in one row. */
function collect(term: Term, reached: ReachedLimits): (row: RowView) => Value[] {
  switch (term.op) {
    case 'constant': {
      const only = [term.literal.value];
      return () => only;
    }
    case 'field':
      return nodes(term.ref, reader(term));
    case 'len':
      return nodes(term.ref, isHost(term.ref.kind, term.ref) ? lengthOfHost : lengthOf);
    case 'label':
      return nodes(term.ref, labelOf);
    case 'count': {
      const all = nodes(term.ref, () => 0);
      return (row) => {
        const n = all(row).length;
        return n === 0 ? [] : [n];
      };
    }
    case 'max':
    case 'min':
      return extreme(
        term.of.map((of) => collect(of, reached)),
        term.op === 'max' ? 1 : -1,
      );
    case 'arithmetic': {
      const left = collect(term.left, reached);
      const right = collect(term.right, reached);
      const apply = binary(term);
      return (row) => {
        const [as, bs] = meeting(left(row), right(row), reached);
        return as.flatMap((a) => bs.flatMap((b) => apply(a, b) ?? []));
      };
    }
    default: {
      const of = collect(term.of, reached);
      const apply = unary(term);
      return (row) => of(row).flatMap((v) => apply(v) ?? []);
    }
  }
}

function nodes(ref: FieldRef, value: (t: Tree, i: number) => Value | undefined): (row: RowView) => Value[] {
  let found: Value[] = [];
  const walk = someNode(ref, (t, i) => {
    const v = value(t, i);
    if (v !== undefined) found.push(v);
    return false;
  });
  return (row) => {
    found = [];
    walk(row.tree);
    return found;
  };
}

function labelOf(t: Tree, i: number): string | undefined {
  const f = t.field(i);
  const v = read(t, i, 'number');
  if (v === undefined) return undefined;
  return f.values === undefined ? String(v) : nameOf(f.values, Number(v), String(v));
}

function extreme(of: readonly ((row: RowView) => Value[])[], sign: 1 | -1): (row: RowView) => Value[] {
  return (row) => {
    let best: Value | undefined;
    for (const values of of)
      for (const v of values(row)) if (best === undefined || sign * compare(v, best) > 0) best = v;
    return best === undefined ? [] : [best];
  };
}
